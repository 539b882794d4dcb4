/*
 * Who wrote a moment ago is about to write again: clients send their next when
 * the last was acknowledged.  So after a flush the next batch is cut when as
 * many operations have come as there were, those of the last batch and what had
 * come meanwhile; without it they would part into two crowds that wait for
 * each other's flushes, each half as large.
 *
 * It waits for as long as a flush takes and no longer, since that is what it
 * saves; and not at all for one who is alone.
 */
#include "broker/broker.h"

#define GATHER_MAX_US 2000

static void gather_over(evutil_socket_t, short, void *);

void
gather_init(struct broker *b)
{
	event_assign(&b->gather.ev, b->base, -1, 0, gather_over, b);
	event_priority_set(&b->gather.ev, 1); /* as batches: drain first */
}

void
gather_done(struct broker *b)
{
	event_del(&b->gather.ev);
}

int
gather_waits(struct broker *b)
{
	struct gather *g = &b->gather;
	int64_t us = flusher_mean_us(b->flusher);
	struct timeval after = { 0, us < GATHER_MAX_US ? us : GATHER_MAX_US };

	if (!g->over && b->nqueue > 0 && b->nqueue < g->crowd &&
	    (event_pending(&g->ev, EV_TIMEOUT, NULL) ||
		event_add(&g->ev, &after) == 0))
		return (1);
	event_del(&g->ev);
	g->crowd = 0;
	g->over = 0;
	return (0);
}

void
gather_flushed(struct broker *b)
{
	const struct op *op;

	b->gather.crowd = b->nqueue;
	TAILQ_FOREACH(op, &b->batch, entry)
		b->gather.crowd++;
}

static void
gather_over(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	b->gather.over = 1;
	batch_kick(b);
}
