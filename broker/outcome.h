/*
 * What became of the SUBMITs of sessions whose workers come back after the
 * broker has gone: written with the batch itself, in one row for all, so that a
 * worker that has not read a verdict learns it from the next broker, and never
 * sends again what was done.
 *
 * Only what a worker may not have been told is remembered.  A verdict that has
 * left for the socket is read there by its worker, however this process ends.
 * A session that reads none for long is not read (SESSION_UNTOLD_MAX), so that
 * the row stays small.
 */
#ifndef QUIRE_OUTCOME_H
#define QUIRE_OUTCOME_H

#include "common/buf.h"
#include "common/codes.h"

struct broker;
struct op;
struct op_list;
struct outcomes;
struct session;

/* What a broker before this one left, or none.  NULL: the store failed. */
struct outcomes *outcomes_load(struct broker *);
void outcomes_free(struct outcomes *);

/* In the transaction of the batch, which has changed something.  0, -1. */
int outcomes_save(struct broker *, struct op_list *batch);
/* The batch is durable and its verdicts were flushed, or not all of them. */
void outcomes_keep(struct broker *, struct op_list *batch);

/*
 * Those of an earlier session from number `from' on, as a list of pairs: 17
 * octets (code, number be64, seq be64) and the verdict's info.  They are
 * remembered until s, who is told, has them.  How many; -1: they cannot be
 * told.
 */
int outcomes_claim(struct broker *, struct session *s, uint64_t session,
    uint64_t from, struct buf *list);

#endif
