/*
 * Who does not come back.  A broker that is gone has not told of everybody who
 * left in its last moments or after it, and its next one knows of nobody.  But
 * each ring says how many sessions the others in the document were told of, and
 * who comes back tells what his last ring said: when the time to come back is
 * over and there were fewer, somebody may still see one who has gone.
 */
#include "broker/broker.h"
#include "common/log.h"

static void absent_over(evutil_socket_t, short, void *);
static session_match absent_matters;

void
absent_start(struct broker *b, int64_t after_ms)
{
	const struct timeval tv = { after_ms / 1000, after_ms % 1000 * 1000 };

	if (event_base_once(b->base, -1, EV_TIMEOUT, absent_over, b, &tv) == -1)
		log_warn("timer of sessions that come back");
}

/* Who is left to the next broker is not said to have gone. */
void
absent_moved(struct broker *b, const struct op *op)
{
	struct session *s = op->session;
	struct doc *d = op->doc;
	uint64_t n;

	if (op->code != CODE_OK || (!op->attached && !op->detached) ||
	    (op->detached && s->parting))
		return;
	if (op->detached) {
		d->members--;
		s->among = 0;
	} else {
		d->members++;
		d->returned += s->among > 0;
		d->expected = s->among > d->expected ? s->among : d->expected;
	}
	n = d->members;
	if (broker_resumes(b) && d->expected > d->returned)
		n += d->expected - d->returned; /* the next one waits as well */
	if (d->ring.fd != -1)
		ring_set_members(&d->ring, n);
}

static void
absent_over(evutil_socket_t fd, short what, void *arg)
{
	size_t n = session_kick_each(arg, absent_matters, NULL, CODE_SHUTDOWN);

	(void)fd;
	(void)what;
	if (n > 0)
		log_info("%zu sessions end: others did not come back", n);
}

/* Newcomers were told who is there. */
static int
absent_matters(const struct session *s, const void *arg)
{
	const struct doc *d = s->doc;

	(void)arg;
	return (d != NULL && s->among > 0 && d->expected > d->returned &&
	    rule_find(d->id.dialect)->shown);
}
