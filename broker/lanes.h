/*
 * The broker's side of the fast lane: the fan-out process, and which sessions'
 * clients it may write to.  Without one (another system, the setting fast_lane
 * off, or it has died) every call does nothing, and every worker writes itself.
 */
#ifndef QUIRE_LANES_H
#define QUIRE_LANES_H

#include "broker/broker.h"

struct fanout_count;
struct lanes;

/*
 * Starts the process: it must be before keys are read and the store is opened,
 * for it inherits what there is.  NULL when there is none; says why.
 */
struct lanes *lanes_start(const struct config *);
/* Watches it.  -1: no event. */
int lanes_watch(struct lanes *, struct broker *);
void lanes_stop(struct lanes *);

/* What it has written so far; NULL: there is none. */
struct fanout_count *lanes_counted(const struct lanes *);

/* LANE of a session: a message of the catalogue, see dispatch. */
int handle_lane(struct session *, const struct msg *);
/* A descriptor may come with what the session says next. */
void lanes_expect(struct session *);
/* Something was published: 1: the bell must be rung here. */
int lanes_publish(struct broker *, struct doc *);
/* All that was said so far goes out: before the answers of a batch. */
void lanes_flush(struct broker *);
/* The session leaves its document. */
void lanes_leave(struct session *);
/* The document's ring ends or is replaced. */
void lanes_forget(struct broker *, struct doc *);

#endif
