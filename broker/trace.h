/*
 * Messages by name as they pass, for the operator who asked.  Of a message its
 * name, how long its octets are, and its code if it has one; nothing else.
 */
#ifndef QUIRE_TRACE_H
#define QUIRE_TRACE_H

#include "broker/broker.h"

enum trace_way { TRACE_IN, TRACE_OUT };

/* Costs nothing while nobody asks. */
void trace(const struct session *, const struct msg *, enum trace_way);
/* Ends all, before the loop does. */
void traces_stop(struct broker *);

#endif
