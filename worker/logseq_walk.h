/*
 * The end of an upload: the staged rows are walked from the root, and what is
 * live goes to the broker as datoms (logseq.md, section 5.2; the verbs in
 * common/logseq.h).  Rows that nothing leads to are not looked at.
 */
#ifndef QUIRE_LOGSEQ_WALK_H
#define QUIRE_LOGSEQ_WALK_H

#include "worker/logseq.h"
#include "worker/logseq_items.h"

/* Tags of this file; an upload's own are smaller. */
#define LOGSEQ_WALK_TAG 256u

/* Rows with a place of their own; all others have a greater address. */
#define LOGSEQ_ROOT_ADDR 0
#define LOGSEQ_TAIL_ADDR 1

#define LOGSEQ_WALK_DEPTH 12 /* levels of a tree; 32^6 datoms have six */

struct walk_level {
	struct buf addrs; /* be64 each */
	size_t at;
};

struct logseq_walk {
	struct logseq_web *web;
	struct logseq_items *items;
	uint64_t upload;  /* its number */
	struct bytes sum; /* the client's, or empty */
	int stage;	  /* enum walk_stage */
	/* Of the rows looked at; a tree that comes to a row by many ways would
	 * never end. */
	uint64_t octets;
	uint64_t octets_max;
	uint64_t root; /* addr of the EAVT tree */
	struct walk_level level[LOGSEQ_WALK_DEPTH];
	unsigned depth;
	uint64_t addr;	  /* of the row that is being fetched */
	struct buf from;  /* key of its last piece */
	struct buf row;	  /* its pieces so far */
	int reading;	  /* the reader is in the datoms of that row */
	struct buf batch; /* datoms not handed over yet */
	unsigned batch_n;
};

void logseq_walk_init(struct logseq_walk *, struct logseq_web *,
    uint64_t upload, struct bytes sum);
void logseq_walk_free(struct logseq_walk *);

/* These return LOGSEQ_WALK_GOES_ON until it is over. */
enum logseq_walk_end {
	LOGSEQ_WALK_GOES_ON,
	LOGSEQ_WALK_DONE,
	LOGSEQ_WALK_BAD,    /* it is no graph */
	LOGSEQ_WALK_SHORT,  /* nor is it one without more rows */
	LOGSEQ_WALK_REFUSED /* code has why */
};
enum logseq_walk_end logseq_walk_begin(struct logseq_walk *);
enum logseq_walk_end logseq_walk_verdict(struct logseq_walk *,
    const struct verdict_in *);
enum logseq_walk_end logseq_walk_fetched(struct logseq_walk *,
    const struct fetched_in *);

#endif
