/*
 * What a client says becomes one SUBMIT, SIGNAL or SYNC, in its order, and is
 * answered when the verdict comes: acknowledgements and broadcasts are one
 * stream of rising numbers (canvas.md, section 7).
 */
#include <stdlib.h>

#include "worker/canvas_presence.h"
#include "worker/canvas_session.h"

/*
 * So much may be unanswered before the client is left unread.  What one client
 * sends at once must leave room in the ring, or all would fall behind.
 */
#define CANVAS_WAITS_MAX      256u
#define CANVAS_WAIT_BYTES_MAX (256u * 1024u)

static void session_patch(struct canvas *, struct canvas_message *);
static void session_reconnect(struct canvas *, struct canvas_message *);
static void session_refresh(struct canvas *, struct canvas_message *);
static int session_say(struct canvas *, struct canvas_message *);
static void session_wait(struct canvas *, enum canvas_due,
    struct canvas_message *, int wrote);
static void session_ack(struct canvas *, struct bytes id, uint64_t seq);
static void session_answer(struct canvas *, const struct canvas_wait *,
    const struct verdict_in *);
static unsigned int session_wrote(const struct canvas_wait *,
    const struct verdict_in *);
static void wait_free(struct canvas_wait *);

void
canvas_session_message(struct canvas *s, struct bytes text)
{
	const struct settings *set = conn_settings(s->conn);
	const struct canvas_shape shape = { (unsigned)set->canvas_depth_max,
		set->canvas_delta_max };
	struct canvas_message m;

	if (canvas_message_parse(&m, text, &shape) == -1)
		canvas_end(s, CODE_BUSY);
	else if (m.said == CANVAS_SAID_PATCH)
		session_patch(s, &m);
	else if (m.said == CANVAS_SAID_RECONNECT)
		session_reconnect(s, &m);
	else if (m.said == CANVAS_SAID_REFRESH)
		session_refresh(s, &m);
	canvas_message_free(&m);
	canvas_session_settle(s);
}

/* The broker answers in order, so the first that waits is the one meant. */
void
canvas_session_verdict(struct canvas *s, const struct verdict_in *v)
{
	struct canvas_wait *w = STAILQ_FIRST(&s->waits);

	if (w == NULL || s->phase != CANVAS_READY)
		return;
	STAILQ_REMOVE_HEAD(&s->waits, entry);
	s->nwaits--;
	s->wait_bytes -= w->octets;
	if (v->code != CODE_OK && v->code != CODE_INVALID)
		canvas_end(s, v->code);
	else if (w->due == CANVAS_DUE_VERSION)
		conn_send(s->conn, WS_TEXT,
		    BYTES_LIT("{\"type\":\"version-mismatch\","
			      "\"serverProtocolVersion\":2}"));
	else if (w->due == CANVAS_DUE_ANSWER)
		session_answer(s, w, v);
	else if (v->code == CODE_OK)
		session_ack(s, buf_bytes(&w->id), v->seq);
	wait_free(w);
	canvas_session_settle(s);
}

void
canvas_session_behind(struct canvas *s, uint64_t seq)
{
	s->answering = 1;
	canvas_answer_level(&s->answer, seq, conn_lost(s->conn));
	canvas_session_settle(s);
}

/*
 * An acknowledgement has its place among the numbers here as well: what is
 * older goes before it, what is newer behind it.  All that belong to what was
 * gathered have come, since the broker answers in order.
 */
void
canvas_session_parts(struct canvas *s)
{
	struct canvas_answer *a = &s->answer;
	const struct canvas_wait *w;
	struct verdict_in v;
	unsigned int wrote;

	while (s->phase == CANVAS_READY && a->step == CANVAS_STEP_PARTS) {
		w = STAILQ_FIRST(&s->waits);
		if (w == NULL || !conn_verdict_peek(s->conn, &v) ||
		    v.seq > a->seq) {
			canvas_answer_part(a, a->seq);
			continue;
		}
		wrote = session_wrote(w, &v);
		if (w->due != CANVAS_DUE_ANSWER && v.seq - wrote > a->since) {
			canvas_answer_part(a, v.seq - wrote);
			continue;
		}
		if (w->due != CANVAS_DUE_ANSWER && wrote)
			a->since = v.seq;
		conn_verdict_take(s->conn);
	}
}

void
canvas_session_settle(struct canvas *s)
{
	if (s->answer.step == CANVAS_STEP_IDLE && STAILQ_EMPTY(&s->waits)) {
		s->answering = 0;
		if (s->refused != CODE_OK)
			canvas_end(s, s->refused);
	}
	conn_hold(s->conn,
	    s->phase != CANVAS_READY || s->refreshing || s->answering ||
		s->nwaits >= CANVAS_WAITS_MAX ||
		s->wait_bytes >= CANVAS_WAIT_BYTES_MAX);
}

void
canvas_session_free(struct canvas *s)
{
	struct canvas_wait *w;

	while ((w = STAILQ_FIRST(&s->waits)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->waits, entry);
		wait_free(w);
	}
	canvas_answer_free(&s->answer);
	buf_free(&s->room);
	buf_free(&s->client);
	buf_free(&s->card);
	free(s);
}

/* Who may only read is answered as well: it is not told that nothing came of
 * it. */
static void
session_patch(struct canvas *s, struct canvas_message *m)
{
	int wrote;

	if (m->doc.len == 0 && m->present.len == 0)
		return;
	wrote = session_say(s, m);
	session_wait(s, CANVAS_DUE_ACK, m, wrote);
}

static void
session_reconnect(struct canvas *s, struct canvas_message *m)
{
	int wrote = m->version_ok ? session_say(s, m) : 0;

	s->answering = m->version_ok;
	session_wait(s, m->version_ok ? CANVAS_DUE_ANSWER : CANVAS_DUE_VERSION,
	    m, wrote);
}

/* What follows is judged by the new rights. */
static void
session_refresh(struct canvas *s, struct canvas_message *m)
{
	s->refreshing = 1;
	conn_login(s->conn, DIALECT_CANVAS, buf_bytes(&m->token),
	    buf_bytes(&s->room));
}

/*
 * The card first: who comes between the two would otherwise see neither.
 * Presence that is too much to be shown is dropped.  1: a verdict with a number
 * of its own will come.
 */
static int
session_say(struct canvas *s, struct canvas_message *m)
{
	const struct settings *set = conn_settings(s->conn);
	const struct canvas_limits limits = { set->canvas_delta_max,
		set->canvas_fill_max };
	struct submit_out out = { .verb = CANVAS_PATCH };

	if (!scope_covers(s->scope, SCOPE_WRITE))
		return (0);
	if (m->present.len > 0 &&
	    canvas_presence_merge(&s->card, buf_bytes(&m->present), &limits) ==
		0) {
		conn_card(s->conn, buf_bytes(&s->card));
		out.extra = buf_bytes(&m->present);
	}
	if (m->doc.len == 0) {
		if (out.extra.n > 0)
			conn_signal(s->conn, CANVAS_PRESENCE, BYTES_NONE,
			    BYTES_NONE, out.extra);
		return (0);
	}
	out.body = buf_bytes(&m->doc);
	conn_submit(s->conn, &out);
	return (1);
}

/* One that did not write asks what the newest number is. */
static void
session_wait(struct canvas *s, enum canvas_due due, struct canvas_message *m,
    int wrote)
{
	struct canvas_wait *w;

	if ((w = calloc(1, sizeof(*w))) == NULL) {
		canvas_end(s, CODE_BUSY);
		return;
	}
	w->due = due;
	w->since = m->since;
	w->wrote = wrote;
	w->octets = m->id.len + m->doc.len + m->present.len;
	w->id = m->id;
	m->id = (struct buf)BUF_INIT;
	STAILQ_INSERT_TAIL(&s->waits, w, entry);
	s->nwaits++;
	s->wait_bytes += w->octets;
	if (!wrote)
		conn_sync(s->conn, 0);
}

static void
session_ack(struct canvas *s, struct bytes id, uint64_t seq)
{
	struct buf frame = BUF_INIT;

	buf_add_str(&frame, "{\"type\":\"ack\",\"messageId\":\"");
	buf_add_bytes(&frame, id);
	buf_printf(&frame, "\",\"timestamp\":%llu}", (unsigned long long)seq);
	if (frame.failed)
		conn_drop(s->conn);
	else
		conn_send(s->conn, WS_TEXT, buf_bytes(&frame));
	buf_free(&frame);
}

/* A client that is ahead has seen what was lost, and may bring it back. */
static void
session_answer(struct canvas *s, const struct canvas_wait *w,
    const struct verdict_in *v)
{
	uint64_t before = v->seq - session_wrote(w, v), since = w->since;
	struct buf frame = BUF_INIT;

	if (v->code != CODE_OK)
		return;
	if (w->since > before && scope_covers(s->scope, SCOPE_WRITE)) {
		buf_printf(&frame, "{\"type\":\"resync\",\"since\":%llu}",
		    (unsigned long long)before);
		conn_send(s->conn, WS_TEXT, buf_bytes(&frame));
		buf_free(&frame);
	}
	/* In the middle of what it missed: the answer is the rest of that. */
	if (s->answer.step == CANVAS_STEP_PARTS && s->answer.since < since)
		since = s->answer.since;
	canvas_answer_reconnect(&s->answer, since);
}

/* 1: the verdict's number is its own. */
static unsigned int
session_wrote(const struct canvas_wait *w, const struct verdict_in *v)
{
	return (w->wrote && v->code == CODE_OK);
}

static void
wait_free(struct canvas_wait *w)
{
	buf_free(&w->id);
	free(w);
}
