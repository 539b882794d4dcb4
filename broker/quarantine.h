/*
 * A store that is not whole is kept from being written, or from being opened at
 * all, while every other one goes on.
 */
#ifndef QUIRE_QUARANTINE_H
#define QUIRE_QUARANTINE_H

#include "broker/broker.h"

/*
 * Durable once the next batch is.  Sessions of a store that is closed are told
 * to go.  No transaction is open.  1; 0: there is no such store; -1.
 */
int quarantine_set(struct broker *, const struct doc_id *, enum row_closed);

#endif
