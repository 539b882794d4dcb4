/* Counting what only a worker sees; see tally.h. */
#include <string.h>

#include "worker/conn_internal.h"

void
tally_add(struct conn *c, enum ipc_field field, uint64_t n)
{
	c->tally.n[field] += n;
	if (c->tally.due_at == 0)
		c->tally.due_at = c->now_ms + TALLY_MS;
}

/* Behind a large body it would only be in the way; without a broker as well. */
void
tally_send(struct conn *c)
{
	struct msg m = MSG(TALLY);
	size_t i;

	if (c->tally.due_at == 0 || !c->welcome)
		return;
	if (!TAILQ_EMPTY(&c->ops) || again_waits(c)) {
		c->tally.due_at = c->now_ms + TALLY_MS;
		return;
	}
	for (i = 0; i < TALLY_FIELDS; i++)
		m.f[i].u = c->tally.n[i];
	memset(&c->tally, 0, sizeof(c->tally));
	link_send(c, &m);
}
