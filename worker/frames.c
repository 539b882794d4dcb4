/*
 * WebSocket frames from the client: whole messages to the dialect, pings
 * answered, the close handshake.  The codec is ws.c.
 */
#include "common/log.h"
#include "worker/conn_internal.h"

static void frames_event(struct conn *, uint8_t *, const struct ws_event *);
static void frames_data(struct conn *, uint8_t *, const struct ws_event *);
static void frames_message(struct conn *, unsigned int, uint8_t *, size_t);
static void frames_close(struct conn *, const struct ws_event *);
static int frames_leave(struct conn *);
static void frames_closed(struct conn *);

int
frames_step(struct conn *c)
{
	struct ws_event ev;
	uint8_t *p;
	ssize_t n;

	if (c->leaving && c->phase == CONN_WS)
		return (frames_leave(c));
	if ((c->phase != CONN_WS && c->phase != CONN_CLOSING) ||
	    c->in.len == 0 || conn_blocked(c))
		return (0);
	p = c->in.mem + c->in.off;
	if ((n = ws_feed(&c->ws, p, c->in.len, &ev)) == 0)
		return (0);
	if (n == -1) {
		log_debug("%s: %s", c->peer, c->ws.reason);
		if (c->ws.code == WS_CODE_SIZE && c->phase == CONN_WS &&
		    c->dialect->oversize != NULL)
			c->dialect->oversize(c);
		conn_close(c, c->ws.code, c->ws.reason);
		/* What comes now cannot be told apart from a close frame. */
		buf_free(&c->in);
		conn_phase(c, CONN_DRAIN, CONN_CLOSE_MS);
		return (1);
	}
	c->missed = 0;
	frames_event(c, ev.data.n == 0 ? p : p + (ev.data.p - p), &ev);
	buf_drop(&c->in, (size_t)n);
	return (1);
}

static void
frames_event(struct conn *c, uint8_t *data, const struct ws_event *ev)
{
	switch (ev->opcode) {
	case WS_TEXT:
	case WS_BINARY:
		if (c->phase == CONN_WS)
			frames_data(c, data, ev);
		break;
	case WS_CLOSE:
		frames_close(c, ev);
		break;
	case WS_PING:
		if (c->phase == CONN_WS)
			output_control(c, WS_PONG, ev->data);
		break;
	case WS_PONG:
		if (c->phase == CONN_WS && c->dialect->pong != NULL)
			c->dialect->pong(c, ev->data);
		break;
	case WS_CONTINUATION: /* behind the close frame */
		break;
	}
}

/* A message that came in one piece is handed on where it lies. */
static void
frames_data(struct conn *c, uint8_t *data, const struct ws_event *ev)
{
	struct buf whole;

	if (ev->first && ev->last) {
		frames_message(c, ev->opcode, data, ev->data.n);
		return;
	}
	if (ev->first)
		c->message_at = c->now_ms + (int64_t)c->settings.message_ms;
	if (buf_add_bytes(&c->message, ev->data) == -1) {
		log_warn("%s: message", c->peer);
		conn_close(c, WS_CODE_ERROR, "no memory");
		return;
	}
	if (!ev->last)
		return;
	c->message_at = 0;
	whole = c->message;
	memset(&c->message, 0, sizeof(c->message));
	frames_message(c, ev->opcode,
	    whole.mem == NULL ? data : whole.mem + whole.off, whole.len);
	buf_free(&whole);
}

static void
frames_message(struct conn *c, unsigned int opcode, uint8_t *p, size_t n)
{
	note_heard(c, opcode, n);
	if (c->settings.idle_ms != 0)
		c->idle_at = c->now_ms + (int64_t)c->settings.idle_ms;
	if (c->dialect->message != NULL)
		c->dialect->message(c, opcode, p, n);
}

/* Either the client's word, which is echoed, or its answer to ours. */
static void
frames_close(struct conn *c, const struct ws_event *ev)
{
	c->leave_code = ev->code == WS_CODE_NONE ? 0 : ev->code;
	if (c->phase == CONN_WS && c->reader.submits > 0) {
		c->leaving = 1;
		conn_phase(c, CONN_WS, CONN_CLOSE_MS);
		return;
	}
	frames_closed(c);
}

/*
 * The answer to a close frame says that all before it is stored, for clients
 * whose protocol has no other word for it.
 */
static int
frames_leave(struct conn *c)
{
	if (c->reader.submits > 0 && !c->lost)
		return (0);
	c->leaving = 0;
	frames_closed(c);
	return (1);
}

static void
frames_closed(struct conn *c)
{
	if (c->phase == CONN_WS)
		conn_close(c, c->leave_code, NULL);
	if (c->phase == CONN_DEAD)
		return;
	c->quick = 1;
	conn_phase(c, CONN_DRAIN, CONN_CLOSE_MS);
}
