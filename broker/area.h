/*
 * Areas: a worker that reads much is given memory of its session's that it can
 * only read, and answers to FETCH are made there instead of going through its
 * socket.  Who reads little, or is one of too many, has none.
 */
#ifndef QUIRE_AREA_H
#define QUIRE_AREA_H

#include "broker/broker.h"

/*
 * For the answer to an operation that says that none before it is being read,
 * of FETCH_AREA_BYTES at most.  1: *out is the area's, which the worker has
 * been told of; 0: there is none to be had.
 */
int area_lend(const struct op *, struct buf *out);
/* The worker lets go of its own at an answer without more. */
void area_free(struct session *);

#endif
