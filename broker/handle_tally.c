/*
 * TALLY: what a worker counted goes into the figures and nowhere else.  It may
 * be a lie, so that no word adds more than would take a busy client days.
 */
#include "broker/broker.h"

#define TALLY_MAX (UINT64_C(1) << 40)

static uint64_t tally_field(const struct msg *, enum ipc_field);

int
handle_tally(struct session *s, const struct msg *m)
{
	struct metrics *f = &s->broker->metrics;

	f->messages[s->dialect][METRICS_IN] +=
	    tally_field(m, tally_messages_in);
	f->messages[s->dialect][METRICS_OUT] +=
	    tally_field(m, tally_messages_out);
	f->bytes[s->dialect][METRICS_IN] += tally_field(m, tally_bytes_in);
	f->bytes[s->dialect][METRICS_OUT] += tally_field(m, tally_bytes_out);
	f->told[TOLD_OVERRUNS] += tally_field(m, tally_overruns);
	f->told[TOLD_CRASHED] += tally_field(m, tally_crashed);
	f->told[TOLD_TURNED] += tally_field(m, tally_turned);
	return (0);
}

static uint64_t
tally_field(const struct msg *m, enum ipc_field field)
{
	uint64_t n = m->f[field].u;

	return (n > TALLY_MAX ? TALLY_MAX : n);
}
