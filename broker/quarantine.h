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

/*
 * Does not return: the database gave up while it read this document, so the
 * process must end and the next start recovers.  A note in the data directory
 * keeps that start from reading it again.
 */
void quarantine_panic(const struct doc_id *) __attribute__((noreturn));
/* At the start: closes what notes name. */
void quarantine_boot(struct broker *);

#endif
