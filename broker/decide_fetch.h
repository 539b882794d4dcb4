/* Reading for a FETCH: packs what was asked for into the operation's answer. */
#ifndef QUIRE_DECIDE_FETCH_H
#define QUIRE_DECIDE_FETCH_H

#include "broker/broker.h"

/*
 * Fills op->info with packed entries and op->more.  At least one entry comes
 * back if there is any, however large.
 */
enum code fetch_read(struct op *, struct txn *);

#endif
