/*
 * How often may be written: so many messages a second to a store, and from a
 * subject wherever it writes.  In memory only; a second that a restart falls
 * into counts twice.
 */
#ifndef QUIRE_RATE_H
#define QUIRE_RATE_H

#include "broker/broker.h"

struct rates;

struct rates *rates_new(void); /* NULL: no memory */
void rates_free(struct rates *);

/*
 * Counts one message that may make the store grow.  BUSY: it is one too many
 * in this second; admins and bounds of 0 have no limit.
 */
enum code rate_refuses(struct broker *, const struct session *, struct doc *);

#endif
