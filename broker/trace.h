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
/*
 * Tells workers what the operator wants to know of them: how much to log, and
 * whether to tell of their clients' messages.  One of them at its HELLO; all,
 * when that may have changed.
 */
void trace_watch(struct session *);
void trace_watch_all(struct broker *);
int handle_told(struct session *, const struct msg *); /* HEARD, SAID */
/* Ends all, before the loop does. */
void traces_stop(struct broker *);

#endif
