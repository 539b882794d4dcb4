/*
 * A connection's deadlines: what is due, and what happens then.
 */
#include "common/log.h"
#include "worker/conn_internal.h"

static void conn_phase_over(struct conn *);
static void conn_ping_due(struct conn *);

int
conn_wait_ms(const struct conn *c)
{
	int64_t at[] = { c->phase_at, c->message_at, c->idle_at, c->ping_at,
		c->timer_at, c->tally.due_at,
		again_waits(c) ? c->again.until_ms : 0,
		c->turn.busy_at != 0 ? c->now_ms + 1 : 0, /* not ours yet */
		c->out.len > 0 ? c->write_ms + (int64_t)c->settings.write_ms
			       : 0 };
	int64_t first = 0;
	size_t i;

	if (c->busy || conn_finished(c))
		return (0);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (at[i] != 0 && (first == 0 || at[i] < first))
			first = at[i];
	if (first == 0)
		return (-1);
	first -= c->now_ms;
	return (first < 0 ? 0 : first > 3600000 ? 3600000 : (int)first);
}

void
conn_timers(struct conn *c)
{
	int64_t now = c->now_ms;

	if (c->out.len > 0 &&
	    now >= c->write_ms + (int64_t)c->settings.write_ms) {
		log_debug("%s: takes nothing", c->peer);
		conn_drop(c);
	}
	if (again_waits(c) && now >= c->again.until_ms)
		again_late(c);
	if (c->message_at != 0 && conn_blocked(c)) /* it was not read */
		c->message_at = now + (int64_t)c->settings.message_ms;
	if (c->phase_at != 0 && now >= c->phase_at)
		conn_phase_over(c);
	if (c->ping_at != 0 && now >= c->ping_at)
		conn_ping_due(c);
	if (c->phase != CONN_WS)
		c->message_at = c->idle_at = 0;
	if (c->message_at != 0 && now >= c->message_at) {
		c->message_at = 0;
		conn_close(c, WS_CODE_POLICY, "message unfinished");
	}
	if (c->idle_at != 0 && now >= c->idle_at) {
		c->idle_at = 0;
		conn_close(c, WS_CODE_NORMAL, "idle");
	}
	if (c->tally.due_at != 0 && now >= c->tally.due_at)
		tally_send(c);
	if (c->timer_at != 0 && now >= c->timer_at) {
		c->timer_at = 0;
		if (c->dialect != NULL && c->dialect->timer != NULL)
			c->dialect->timer(c);
	}
}

static void
conn_phase_over(struct conn *c)
{
	c->phase_at = 0;
	if (!c->welcome) {
		link_fail(c, "no welcome");
		return;
	}
	switch (c->phase) {
	case CONN_HEAD:
		if (c->unserved) {
			unserved_plain(c);
			break;
		}
		if (again_waits(c)) { /* it is not read */
			conn_phase(c, CONN_HEAD,
			    (int64_t)c->settings.handshake_ms);
			break;
		}
		if (c->dialect == NULL)
			c->end = SOURCE_LATE;
		if (c->exchange == NULL) { /* between requests */
			conn_phase(c, CONN_DRAIN, CONN_CLOSE_MS);
			break;
		}
		conn_phase(c, CONN_WAIT, 0);
		c->exchange->close = 1;
		reply_bare(c, 408);
		break;
	case CONN_BODY:
	case CONN_WAIT:
		if (c->exchange->answered)
			conn_drop(c);
		else if (c->phase == CONN_BODY)
			reply_bare(c, 408);
		else
			conn_kicked(c, CODE_BUSY, 1013);
		break;
	default:
		conn_drop(c);
	}
}

/* A client that we do not read, or that does not read us, is not asked. */
static void
conn_ping_due(struct conn *c)
{
	if (c->phase != CONN_WS) {
		c->ping_at = 0;
		return;
	}
	c->ping_at = c->now_ms + (int64_t)c->settings.ping_ms;
	if (conn_blocked(c) || c->out.len > 0 || c->frame_left > 0) {
		c->missed = 0;
		return;
	}
	if (c->missed >= CONN_MISSED) {
		log_debug("%s: silent", c->peer);
		conn_drop(c);
		return;
	}
	c->missed++;
	conn_ping(c, BYTES_NONE);
}

void
conn_phase(struct conn *c, enum conn_phase phase, int64_t end_ms)
{
	if (c->phase == CONN_DEAD)
		return;
	c->phase = phase;
	c->phase_at = end_ms == 0 ? 0 : c->now_ms + end_ms;
}

int64_t
conn_now_ms(struct conn *c)
{
	return (c->now_ms);
}

void
conn_timer(struct conn *c, int64_t at_ms)
{
	c->timer_at = at_ms;
}
