/*
 * What decide.c and decide_*.c have of each other.  A decider does what one
 * operation asks for: 0, or -1 when the store failed.
 */
#ifndef QUIRE_DECIDE_PARTS_H
#define QUIRE_DECIDE_PARTS_H

#include "broker/broker.h"

/* A handle on the operation's document; -1: the store failed.  To be ended by
 * decide_end in any case, whose result is the decider's. */
int decide_begin(struct broker *, struct op *, struct txn *);
int decide_end(struct op *, struct txn *, enum code);

/* decide_submit.c */
int decide_submit(struct broker *, struct op *);
/* 1: its token, its subject or its store allows no message of that size. */
int decide_too_large(const struct op *, uint64_t size);

/* The session's card is another, until the batch fails.  0; -1: no memory. */
int decide_card_put(struct op *, struct bytes card);

/* decide_join.c: who is in a document. */
int decide_open(struct broker *, struct op *);
int decide_leave(struct broker *, struct op *);
void decide_attach(struct op *);
void decide_detach(struct op *);

/* decide_blob.c: blobs on their way in. */
int decide_blob_put(struct broker *, struct op *);
int decide_blob_data(struct broker *, struct op *);
int decide_blob_done(struct broker *, struct op *);
/* The session's blob of that number, NULL for none (0); -1: it has no such, or
 * it is a signal's. */
int decide_stored(struct op *, uint64_t id, struct finished **);
/* The session's blob of that number, a free place for 0; NULL: none. */
struct finished *decide_finished(struct session *, uint64_t id);

#endif
