/* The registers of a secsync document, as common/secsync.h tells them. */
#ifndef QUIRE_RULE_SECSYNC_STATE_H
#define QUIRE_RULE_SECSYNC_STATE_H

#include "broker/rule.h"
#include "common/secsync.h"

/* 1: *head borrows from *val; 0: no snapshot yet; -1. */
int secsync_head_get(struct txn *, struct buf *val, struct secsync_head *head);
int secsync_head_put(struct txn *, const struct secsync_head *); /* 0, -1 */

/* An author's newest clock on the active snapshot.  1, 0: none yet, -1. */
int secsync_clock_get(struct txn *, struct bytes key, uint64_t *);
int secsync_clock_put(struct txn *, struct bytes key, uint64_t); /* 0, -1 */
/* Whether list (struct secsync_items) is all of them. */
int secsync_clocks_equal(struct txn *, struct bytes list);
void secsync_clocks_drop(struct txn *);

/* Any other; a failure is the transaction's.  get: 1, 0: none, -1. */
void secsync_reg_put(struct txn *, char kind, struct bytes key,
    struct bytes val);
int secsync_reg_get(struct txn *, char kind, struct bytes key, struct buf *);

/*
 * rule_secsync_body.c: 1: the members of a message, no more and no less, in
 * JSON, wherever they are.
 */
int secsync_body_ok(struct txn *, const struct submit *);

#endif
