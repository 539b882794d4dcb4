/*
 * Operations too long for a batch, decided apart from the rest: a few
 * milliseconds at a time, between batches, each part in a transaction of its
 * own (kv_undo.h).  Their document waits meanwhile, and who would come to it;
 * all others go on, and jobs wait.  One operation at a time, in the order in
 * which they came.
 *
 * To the rule, the client and a crash it is one decision as any other: nobody
 * sees or is told of it before all of it is durable, and what was not finished
 * never was.
 */
#ifndef QUIRE_APART_H
#define QUIRE_APART_H

#include "broker/broker.h"

/* NULL with errno. */
struct apart *apart_new(struct broker *);
void apart_free(struct apart *);

/* Cut from the queue.  1: it goes apart, and is no longer the caller's. */
int apart_take(struct broker *, struct op *);
/* The store over which an operation is decided, in a batch or apart. */
struct kv *apart_kv(struct broker *, const struct op *);
/* 1: the operation that has just failed was too long: it is to be cut again. */
int apart_over(struct broker *, struct op *);

/*
 * Does a part of what is to be done, if anything is; no transaction is open.
 * Not while a flush is under way, which would wait for it.
 */
void apart_step(struct broker *);
int apart_due(const struct broker *); /* it has had to wait for its turn */
/* All that was committed is durable. */
void apart_flushed(struct broker *);
/* One that is decided, the caller's again; NULL: none. */
struct op *apart_decided(struct broker *);
int apart_waits(const struct broker *); /* there is such a one */
/* Commits that it is done: 0; -1: it comes again, refused. */
int apart_keep(struct broker *, struct op *);
/* Something may be possible that was not. */
void apart_kick(struct broker *);
/* 1: a document is between two states. */
int apart_busy(const struct broker *);
/* 1: nothing is under way and nothing waits. */
int apart_idle(const struct broker *);

#endif
