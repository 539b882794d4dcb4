/*
 * A store that is not whole is kept from being written, or from being opened at
 * all, while every other one goes on.
 */
#ifndef QUIRE_QUARANTINE_H
#define QUIRE_QUARANTINE_H

#include "broker/broker.h"

/*
 * Durable when it returns.  Sessions of a store that is closed are told to go.
 * No transaction is open and no flush is under way.  1; 0: there is no such
 * store; -1.
 */
int quarantine_set(struct broker *, const struct doc_id *, enum row_closed);

/*
 * Does not return: the database gave up, so the process must end and the next
 * start recovers.  Where it was over a page, while it read this document, a
 * note in the data directory keeps that start from reading it again.
 */
void quarantine_panic(struct kv *, const struct doc_id *)
    __attribute__((noreturn));
/*
 * The same where work beside the traffic meets the page and cannot tell whose
 * it is: after the next start nothing is erased and no file made smaller until
 * a compaction by command comes to its end.
 */
void quarantine_work_panic(struct kv *, const char *work)
    __attribute__((noreturn));
int quarantine_work_rests(void); /* 1: it is so */
void quarantine_work_resume(struct broker *);
/* At the start: closes what notes name, or ends where not even that can be. */
void quarantine_boot(struct broker *);

#endif
