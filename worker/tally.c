/* Counting what only a worker sees; see tally.h. */
#include <string.h>

#include "worker/conn_internal.h"

#define TALLY_EVERY 7 /* ms between two of sessions that follow each other */

/* A ping or its answer is no news: it is told with what is. */
#define TALLY_NEWS_MIN 64 /* octets */

/* Not all at once: thousands that hear one message began to count with it. */
static int64_t
tally_due(const struct conn *c)
{
	return (c->now_ms + TALLY_MS -
	    (int64_t)(c->session * TALLY_EVERY % (TALLY_MS / 2)));
}

static int
tally_holds(const struct tally *t)
{
	size_t i = 0;

	while (i < TALLY_FIELDS && t->n[i] == 0)
		i++;
	return (i < TALLY_FIELDS);
}

void
tally_add(struct conn *c, enum ipc_field field, uint64_t n)
{
	c->tally.n[field] += n;
	if (c->tally.due_at == 0 &&
	    (n >= TALLY_NEWS_MIN ||
		(field != tally_bytes_in && field != tally_bytes_out)))
		c->tally.due_at = tally_due(c);
}

/* Behind a large body it would only be in the way; without a broker as well. */
void
tally_send(struct conn *c)
{
	struct msg m = MSG(TALLY);
	size_t i;

	if (!c->welcome || !tally_holds(&c->tally))
		return;
	if (!TAILQ_EMPTY(&c->ops) || again_waits(c)) {
		c->tally.due_at = tally_due(c);
		return;
	}
	for (i = 0; i < TALLY_FIELDS; i++)
		m.f[i].u = c->tally.n[i];
	memset(&c->tally, 0, sizeof(c->tally));
	link_send(c, &m);
}
