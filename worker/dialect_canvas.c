/*
 * The canvas dialect (protocols: canvas.md): how a client comes in, is let in
 * or not, and goes.  What it says is in canvas_session.c, the decisions in
 * broker/rule_canvas.c.
 *
 * The upgrade is answered when the broker has answered: who is refused is told
 * in a close frame, but one that comes at the wrong moment gets a 503, which
 * makes it wait longer every time; after a close it is back in half a second.
 */
#include <stdlib.h>

#include "common/limits.h"
#include "worker/canvas_presence.h"
#include "worker/canvas_session.h"
#include "worker/url.h"

struct canvas_ending {
	enum code code;
	unsigned int close;
	const char *reason;
};

/* All others: 1011. */
static const struct canvas_ending canvas_endings[] = {
	{ CODE_BAD_TOKEN, WS_CODE_POLICY, "token refused" },
	{ CODE_EXPIRED, WS_CODE_POLICY, "token expired" },
	{ CODE_REVOKED, WS_CODE_POLICY, "token refused" },
	{ CODE_NO_SCOPE, WS_CODE_POLICY, "token refused" },
	{ CODE_WRONG_STORE, WS_CODE_POLICY, "token does not match this room" },
	{ CODE_INVALID, WS_CODE_POLICY, "clientId or roomId too long" },
	{ CODE_KICKED, WS_CODE_POLICY, "closed by the operator" },
	{ CODE_TOO_LARGE, WS_CODE_SIZE, "Too large" },
	{ CODE_BUSY, 1013, "Try again later" },
	{ CODE_QUOTA, 1013, "Try again later" },
	{ CODE_COMPACTED, 1013, "too slow" },
	{ CODE_SHUTDOWN, WS_CODE_RESTART, "Service restart" },
};

static const char *canvas_read(struct canvas *, struct bytes query,
    struct buf *token);
static int canvas_parameter(struct buf *, struct bytes query, const char *name);
static void canvas_accept(struct canvas *);

static int
canvas_match(const struct settings *set, const struct http_request *r)
{
	struct bytes path, query, prefix = bytes_str(set->canvas_prefix);

	url_split(r->target, &path, &query);
	if (bytes_start(path, prefix) &&
	    (path.n == prefix.n || path.p[prefix.n] == '/'))
		return (1);
	return (strcmp(set->root, "canvas") == 0 ? -1 : 0);
}

static void
canvas_request(struct conn *c, const struct http_request *r)
{
	(void)r;
	conn_http_reply(c, 200, "text/plain", NULL, BYTES_LIT("ok"), 0);
}

static void
canvas_upgrade(struct conn *c, const struct http_request *r)
{
	const struct http_upgrade *wrong = conn_upgrade_problem(c);
	struct bytes path, query;
	struct buf token = BUF_INIT;
	const char *missing;
	struct canvas *s;

	if (wrong != NULL) {
		conn_http_reply(c, (unsigned)wrong->status, "text/plain",
		    wrong->headers, bytes_str(wrong->reason), 1);
		return;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		conn_drop(c);
		return;
	}
	s->conn = c;
	STAILQ_INIT(&s->waits);
	conn_set_state(c, s);
	url_split(r->target, &path, &query);
	missing = canvas_read(s, query, &token);
	if (missing != NULL) {
		canvas_accept(s);
		conn_close(c, WS_CODE_POLICY, missing);
	} else if (token.failed || s->card.failed) {
		canvas_end(s, CODE_BUSY);
	} else {
		conn_login(c, DIALECT_CANVAS, buf_bytes(&token),
		    buf_bytes(&s->room));
	}
	buf_wipe(&token);
}

static void
canvas_grant(struct conn *c, const struct grant_in *g)
{
	struct canvas *s = conn_state(c);

	s->scope = g->scope;
	if (s->phase == CANVAS_OPENING) {
		conn_open(c, DIALECT_CANVAS, 0, buf_bytes(&s->room),
		    buf_bytes(&s->card));
		return;
	}
	s->refreshing = 0;
	canvas_session_settle(s);
}

static void
canvas_refused(struct conn *c, enum code code)
{
	struct canvas *s = conn_state(c);

	if (s->phase != CANVAS_READY) {
		canvas_end(s, code);
		return;
	}
	s->refused = code;
	canvas_session_settle(s);
}

/* First what others show, then the count, which is in the ring. */
static void
canvas_opened(struct conn *c, const struct opened_in *o)
{
	struct canvas *s = conn_state(c);
	struct bytes roster = o->roster, id, card;
	struct buf present = BUF_INIT;

	if (o->code != CODE_OK) {
		canvas_end(s, o->code);
		return;
	}
	canvas_accept(s);
	s->phase = CANVAS_READY;
	canvas_answer_init(&s->answer, c, buf_bytes(&s->client));
	while (list_next(&roster, &id) == 1 && list_next(&roster, &card) == 1)
		canvas_presence_text(&present, card, buf_bytes(&s->client));
	if (present.len > 0 && !present.failed) {
		const struct bytes piece[] = {
			BYTES_LIT(
			    "{\"type\":\"patch\",\"ephemeralPatches\":[{"),
			buf_bytes(&present),
			BYTES_LIT("}],\"clientId\":\"\"}"),
		};

		conn_sendv(c, WS_TEXT, piece, 3);
	}
	buf_free(&present);
	conn_wait_own(c, 1);
	conn_live(c, o->seq);
	canvas_session_settle(s);
}

static void
canvas_message(struct conn *c, unsigned int opcode, uint8_t *p, size_t n)
{
	struct canvas *s = conn_state(c);

	(void)opcode;
	if (s->phase == CANVAS_READY)
		canvas_session_message(s, bytes_of(p, n));
}

static void
canvas_verdict(struct conn *c, const struct verdict_in *v)
{
	canvas_session_verdict(conn_state(c), v);
}

static void
canvas_fetched(struct conn *c, const struct fetched_in *f)
{
	struct canvas *s = conn_state(c);
	enum code code;

	if (s->phase != CANVAS_READY)
		return;
	if ((code = canvas_answer_fetched(&s->answer, f)) != CODE_OK)
		canvas_end(s, code);
	canvas_session_parts(s);
	canvas_session_settle(s);
}

static void
canvas_drained(struct conn *c)
{
	struct canvas *s = conn_state(c);

	if (s == NULL || s->phase != CANVAS_READY)
		return;
	canvas_answer_run(&s->answer);
	canvas_session_parts(s);
	canvas_session_settle(s);
}

static void
canvas_behind(struct conn *c, uint64_t seq)
{
	struct canvas *s = conn_state(c);

	if (s->phase == CANVAS_READY)
		canvas_session_behind(s, seq);
}

/* Presence too large for the ring is lost; its next change brings it back. */
static void
canvas_stub(struct conn *c, const struct entry *e)
{
	struct canvas *s = conn_state(c);

	if (s->phase != CANVAS_READY)
		return;
	if (e->seq == 0)
		conn_live(c, conn_seq(c));
	else
		canvas_answer_record(&s->answer, e->seq);
}

static void
canvas_kicked(struct conn *c, enum code code)
{
	struct canvas *s = conn_state(c);

	if (s == NULL)
		conn_drop(c);
	else
		canvas_end(s, code);
}

static void
canvas_closed(struct conn *c)
{
	struct canvas *s = conn_state(c);

	conn_set_state(c, NULL);
	if (s != NULL)
		canvas_session_free(s);
}

const struct dialect dialect_canvas = {
	.id = DIALECT_CANVAS,
	.match = canvas_match,
	.upgrade = canvas_upgrade,
	.request = canvas_request,
	.message = canvas_message,
	.grant = canvas_grant,
	.refused = canvas_refused,
	.opened = canvas_opened,
	.verdict = canvas_verdict,
	.fetched = canvas_fetched,
	.behind = canvas_behind,
	.stub = canvas_stub,
	.drained = canvas_drained,
	.kicked = canvas_kicked,
	.closed = canvas_closed,
};

void
canvas_end(struct canvas *s, enum code code)
{
	const struct canvas_ending *e = canvas_endings;
	size_t i, n = sizeof(canvas_endings) / sizeof(*e);

	if (s->phase == CANVAS_OVER)
		return;
	for (i = 0; i < n && e[i].code != code; i++)
		continue;
	if (s->phase == CANVAS_OPENING &&
	    (i == n || e[i].close != WS_CODE_POLICY)) {
		s->phase = CANVAS_OVER;
		conn_http_reply(s->conn, 503, "text/plain", NULL,
		    bytes_str(code_text(code)), 1);
		return;
	}
	if (s->phase == CANVAS_OPENING)
		canvas_accept(s);
	s->phase = CANVAS_OVER;
	conn_close(s->conn, i < n ? e[i].close : WS_CODE_ERROR,
	    i < n ? e[i].reason : "Internal error");
}

/* NULL, or the reason to close with. */
static const char *
canvas_read(struct canvas *s, struct bytes query, struct buf *token)
{
	struct buf client = BUF_INIT;
	const char *reason = NULL;

	if (!canvas_parameter(&s->room, query, "roomId"))
		reason = "Missing roomId query parameter";
	else if (!canvas_parameter(&client, query, "clientId"))
		reason = "Missing clientId query parameter";
	else if (!canvas_parameter(token, query, "token"))
		reason = "Missing token query parameter";
	else if (s->room.len > STORE_NAME_MAX_BYTES)
		reason = "roomId too long";
	else if (canvas_quote(&s->client, buf_bytes(&client)) == -1 ||
	    s->client.len > CANVAS_CLIENT_MAX)
		reason = "clientId too long";
	else
		canvas_presence_begin(&s->card, buf_bytes(&s->client));
	buf_free(&client);
	return (reason);
}

/* 1: it is there and not empty. */
static int
canvas_parameter(struct buf *b, struct bytes query, const char *name)
{
	struct bytes raw;
	uint8_t *room;
	ssize_t n;

	if (!url_query_find(query, name, URL_REPLACE | URL_PLUS, &raw))
		return (0);
	if ((room = buf_room(b, 3 * raw.n + 1)) == NULL)
		return (0);
	n = url_decode(room, 3 * raw.n + 1, raw, URL_REPLACE | URL_PLUS);
	if (n > 0)
		buf_grow(b, (size_t)n);
	return (n > 0);
}

static void
canvas_accept(struct canvas *s)
{
	struct ws_options options = {
		conn_settings(s->conn)->canvas_message_max, 0
	};

	conn_accept(s->conn, BYTES_NONE, &options);
}
