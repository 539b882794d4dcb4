/*
 * One pass of compaction along one document's log: drops what its rule says may
 * go, and makes one stub of those that stand side by side.  In steps, each in a
 * transaction of the caller's, between which the document may change.
 */
#ifndef QUIRE_COMPACT_PASS_H
#define QUIRE_COMPACT_PASS_H

#include "broker/rule.h"

struct pass;

struct pass_told {
	uint64_t from, upto; /* numbers that the last step went along */
	uint64_t dropped;    /* records, so far */
	uint64_t kept;	     /* octets of records too young to be judged */
};

typedef int pass_late(void *arg); /* 1: the step should end */

/* before_ms: what was replaced since stays.  NULL: no memory. */
struct pass *pass_new(const struct rule_compact *, uint64_t before_ms);
/* 1: there is more; 0: the end; -1: the handle failed, or the chain is wrong.
 */
int pass_step(struct pass *, struct txn *, pass_late *, void *arg);
const struct pass_told *pass_told(const struct pass *);
void pass_free(struct pass *);

#endif
