/*
 * How many stores there are and what they hold: gone through now and then by a
 * job, so that who asks for figures never waits for it.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/job.h"
#include "broker/metrics.h"

#define STORES_EVERY_S 300

struct stores_count {
	struct buf at;
	struct metrics_stores so_far;
};

static void stores_tick(evutil_socket_t, short, void *);
static int stores_step(struct job *);
static int stores_next(struct broker *, struct stores_count *);
static void stores_free(struct job *);

static const struct job_kind stores_kind = { "metrics", stores_step,
	stores_free, 0 };

int
metrics_stores_start(struct broker *b)
{
	const struct timeval every = { STORES_EVERY_S, 0 };

	b->metrics_ev = event_new(b->base, -1, EV_PERSIST, stores_tick, b);
	if (b->metrics_ev == NULL || event_add(b->metrics_ev, &every) == -1)
		return (-1);
	stores_tick(-1, 0, b);
	return (0);
}

void
metrics_stores_stop(struct broker *b)
{
	event_free(b->metrics_ev);
}

static void
stores_tick(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	struct stores_count *c;

	(void)fd;
	(void)what;
	if (!b->stopping && (c = calloc(1, sizeof(*c))) != NULL)
		job_start(b, &stores_kind, NULL, c);
}

static int
stores_step(struct job *j)
{
	struct stores_count *c = j->state;
	int r = 1;

	while (r == 1 && !job_late(j))
		r = stores_next(j->broker, c);
	if (r == 0)
		j->broker->metrics.stores = c->so_far;
	return (r);
}

static int
stores_next(struct broker *b, struct stores_count *c)
{
	struct metrics_stores *m = &c->so_far;
	struct doc_id id;
	struct txn t;
	int r;

	if ((r = txn_doc_next(b->kv, &c->at, &id)) != 1)
		return (r);
	txn_init(&t, b->kv, &id);
	if (id.dialect < DIALECT_COUNT && txn_load(&t) == 1) {
		m->n[id.dialect]++;
		m->records[id.dialect] += t.row.records;
		m->bytes[id.dialect] += t.row.bytes;
		m->quarantined += t.row.closed != ROW_OPEN;
	}
	txn_done(&t);
	return (1);
}

static void
stores_free(struct job *j)
{
	struct stores_count *c = j->state;

	buf_free(&c->at);
	free(c);
}
