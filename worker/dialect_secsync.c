/*
 * The secsync dialect (protocols: secsync.md): how a client comes in, is let in
 * or not, and gets its document.  What it says afterwards is in secsync_talk.c,
 * the decisions in broker/rule_secsync.c.
 *
 * The upgrade is answered when the broker has answered: a client that is
 * refused is told so in a frame, but one that comes at the wrong moment gets a
 * 503, which makes it back off; a connection closed at once would not.
 */
#include <stdlib.h>

#include "worker/secsync_talk.h"
#include "worker/url.h"

/* Octets of the known clocks on the request line. */
#define CLOCKS_TEXT_MAX ((size_t)256 * 1024)

static void secsync_refused(struct conn *, enum code);
static int dialect_path(const struct settings *, struct bytes target,
    struct bytes *doc, struct bytes *query);
static int dialect_known(struct secsync_known *, struct bytes query);
static void dialect_clocks(struct secsync_known *, struct bytes query);
static int dialect_rate(struct conn *, struct secsync *);
static void dialect_accept(struct conn *);
static void dialect_refuse(struct conn *, struct secsync *, enum code);
static void dialect_answer(struct conn *, struct secsync *, const char *type);

static int
secsync_match(const struct settings *set, const struct http_request *r)
{
	struct bytes doc, query;

	return (dialect_path(set, r->target, &doc, &query));
}

static void
secsync_request(struct conn *c, const struct http_request *r)
{
	(void)r;
	conn_http_reply(c, 426, "text/plain",
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n",
	    BYTES_LIT("WebSocket only"), 1);
}

static void
secsync_upgrade(struct conn *c, const struct http_request *r)
{
	const struct http_upgrade *wrong = conn_upgrade_problem(c);
	struct bytes doc = BYTES_NONE, query = BYTES_NONE;
	struct bytes key;
	struct secsync *s;

	if (wrong != NULL) {
		conn_http_reply(c, (unsigned)wrong->status, "text/plain",
		    wrong->headers, bytes_str(wrong->reason), 1);
		return;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		conn_drop(c);
		return;
	}
	conn_set_state(c, s);
	secsync_load_init(&s->load, c);
	dialect_path(conn_settings(c), r->target, &doc, &query);
	if (!url_query_find(query, "sessionKey", URL_REPLACE | URL_PLUS,
		&key) ||
	    doc.n == 0 || doc.n > SECSYNC_DOC_MAX ||
	    buf_add_bytes(&s->doc, doc) == -1 ||
	    dialect_known(&s->known, query) == -1) {
		dialect_answer(c, s, "document-error");
		return;
	}
	if (conn_login_query(c, SECSYNC_DIALECT, query, "sessionKey",
		buf_bytes(&s->doc)) != 0)
		secsync_refused(c, CODE_BAD_TOKEN);
}

static void
secsync_grant(struct conn *c, const struct grant_in *g)
{
	struct secsync *s = conn_state(c);

	buf_clear(&s->grant);
	if (buf_add_bytes(&s->grant, g->claims) == -1 ||
	    dialect_rate(c, s) == -1) {
		dialect_refuse(c, s, CODE_BUSY);
		return;
	}
	conn_open(c, SECSYNC_DIALECT, 0, buf_bytes(&s->doc), BYTES_NONE);
}

static void
secsync_refused(struct conn *c, enum code code)
{
	dialect_refuse(c, conn_state(c), code);
}

static void
secsync_opened(struct conn *c, const struct opened_in *o)
{
	struct secsync *s = conn_state(c);
	struct secsync_head head;
	int empty = o->info.n == 0;

	if (o->code != CODE_OK) {
		dialect_refuse(c, s, o->code);
		return;
	}
	if (!empty && secsync_head_unpack(o->info, &head) == -1) {
		dialect_refuse(c, s, CODE_STORAGE);
		return;
	}
	dialect_accept(c);
	conn_hold(c, 1);
	conn_wait_own(c, 1);
	s->phase = SECSYNC_LOADING;
	if (secsync_load_document(&s->load, empty ? NULL : &head, o->seq,
		&s->known) != CODE_OK)
		secsync_end(c, s, "document-error");
	else if (s->load.step == SECSYNC_LOAD_IDLE)
		secsync_ready(c, s);
}

/* A stub may be fetched while a verdict is awaited: the phase stays then. */
static void
secsync_fetched(struct conn *c, const struct fetched_in *f)
{
	struct secsync *s = conn_state(c);
	enum code code;

	if (s->phase == SECSYNC_OVER)
		return;
	if ((code = secsync_load_fetched(&s->load, f)) == CODE_COMPACTED)
		secsync_leave(c, s);
	else if (code != CODE_OK)
		secsync_end(c, s, "document-error");
	else if (s->load.step == SECSYNC_LOAD_IDLE)
		secsync_resume(c, s);
}

static void
secsync_drained(struct conn *c)
{
	struct secsync *s = conn_state(c);

	if (s->phase != SECSYNC_OVER)
		secsync_load_drained(&s->load);
}

static void
secsync_stub(struct conn *c, const struct entry *e)
{
	struct secsync *s = conn_state(c);

	if (s->phase == SECSYNC_OVER)
		return;
	conn_hold(c, 1);
	conn_timer(c, 0);
	if (e->seq == 0)
		secsync_load_signal(&s->load, e);
	else
		secsync_load_record(&s->load, e->seq);
}

/* It comes back with what it knows and loads what it lacks. */
static void
secsync_behind(struct conn *c, uint64_t seq_now)
{
	(void)seq_now;
	secsync_leave(c, conn_state(c));
}

/* Closed without this word, it would come back and say the same again. */
static void
secsync_oversize(struct conn *c)
{
	secsync_last(c, conn_state(c), "document-error");
}

static void
secsync_kicked(struct conn *c, enum code code)
{
	struct secsync *s = conn_state(c);

	if (s == NULL)
		conn_drop(c);
	else if (s->phase != SECSYNC_OPENING && code == CODE_SHUTDOWN)
		conn_close(c, WS_CODE_RESTART, NULL);
	else
		dialect_refuse(c, s, code);
}

static void
secsync_closed(struct conn *c)
{
	struct secsync *s = conn_state(c);

	if (s == NULL)
		return;
	secsync_load_free(&s->load);
	secsync_recover_free(&s->recover);
	buf_free(&s->doc);
	buf_free(&s->known.id);
	buf_free(&s->known.clocks);
	buf_free(&s->grant);
	buf_free(&s->id);
	buf_free(&s->key);
	buf_free(&s->body);
	buf_free(&s->asked_known.id);
	free(s);
	conn_set_state(c, NULL);
}

const struct dialect dialect_secsync = {
	.id = SECSYNC_DIALECT,
	.match = secsync_match,
	.upgrade = secsync_upgrade,
	.request = secsync_request,
	.message = secsync_message,
	.oversize = secsync_oversize,
	.grant = secsync_grant,
	.refused = secsync_refused,
	.opened = secsync_opened,
	.verdict = secsync_verdict,
	.fetched = secsync_fetched,
	.behind = secsync_behind,
	.stub = secsync_stub,
	.drained = secsync_drained,
	.pong = secsync_pong,
	.timer = secsync_timer,
	.kicked = secsync_kicked,
	.closed = secsync_closed,
};

/* As match; the document's id is what stands behind the prefix, not decoded. */
static int
dialect_path(const struct settings *set, struct bytes target, struct bytes *doc,
    struct bytes *query)
{
	struct bytes path, prefix = bytes_str(set->secsync_prefix);

	url_split(target, &path, query);
	if (bytes_start(path, prefix)) {
		*doc = bytes_skip(path, prefix.n);
		return (1);
	}
	*doc = bytes_skip(path, 1);
	return (strcmp(set->root, "secsync") == 0 ? -1 : 0);
}

/* What does not parse counts as absent.  0, or -1 without memory. */
static int
dialect_known(struct secsync_known *known, struct bytes query)
{
	uint8_t text[SECSYNC_ID_MAX];
	ssize_t n;

	n = url_query_get(query, "mode", URL_REPLACE | URL_PLUS, text,
	    sizeof(text));
	known->delta =
	    n > 0 && bytes_eq(bytes_of(text, (size_t)n), BYTES_LIT("delta"));
	n = url_query_get(query, "knownSnapshotId", URL_REPLACE | URL_PLUS,
	    text, sizeof(text));
	if (n > 0 && secsync_id_ok(bytes_of(text, (size_t)n)))
		buf_add(&known->id, text, (size_t)n);
	dialect_clocks(known, query);
	return (known->id.failed || known->clocks.failed ? -1 : 0);
}

/* Percent-decoded a second time, as the original does. */
static void
dialect_clocks(struct secsync_known *known, struct bytes query)
{
	uint8_t *text;
	struct json_report report;
	struct json v;
	ssize_t n;

	if ((text = malloc(2 * CLOCKS_TEXT_MAX)) == NULL) {
		known->clocks.failed = 1;
		return;
	}
	n = url_query_get(query, "knownSnapshotUpdateClocks",
	    URL_REPLACE | URL_PLUS, text, CLOCKS_TEXT_MAX);
	if (n > 0)
		n = url_decode(text + CLOCKS_TEXT_MAX, CLOCKS_TEXT_MAX,
		    bytes_of(text, (size_t)n), URL_REPLACE);
	if (n > 0 &&
	    json_parse(&v, bytes_of(text + CLOCKS_TEXT_MAX, (size_t)n), 2,
		&report) == 0 &&
	    secsync_clocks_pack(&known->clocks, &v) == -1 &&
	    !known->clocks.failed)
		buf_clear(&known->clocks);
	free(text);
}

/* The stricter of setting and token. */
static int
dialect_rate(struct conn *c, struct secsync *s)
{
	uint64_t max = conn_settings(c)->secsync_rate_max;
	struct secsync_grant g;

	if (secsync_grant_unpack(buf_bytes(&s->grant), &g) == -1)
		return (-1);
	s->rate = max != 0 && max < g.rate ? max : g.rate;
	if (s->rate == 0)
		s->rate = 1;
	return (0);
}

static void
dialect_accept(struct conn *c)
{
	const struct settings *set = conn_settings(c);
	struct ws_options options = { set->secsync_snapshot_max, 0 };

	if (options.message_max < set->secsync_update_max)
		options.message_max = set->secsync_update_max;
	if (options.message_max < set->secsync_ephemeral_max)
		options.message_max = set->secsync_ephemeral_max;
	conn_accept(c, BYTES_NONE, &options);
}

/* Overload is an answer without an upgrade, all else a frame. */
static void
dialect_refuse(struct conn *c, struct secsync *s, enum code code)
{
	if (s->phase != SECSYNC_OPENING)
		secsync_end(c, s, secsync_end_type(code));
	else if (code == CODE_BUSY || code == CODE_SHUTDOWN ||
	    code == CODE_STORAGE)
		conn_http_reply(c, 503, "text/plain", NULL,
		    bytes_str(code_text(code)), 1);
	else
		dialect_answer(c, s, secsync_end_type(code));
}

static void
dialect_answer(struct conn *c, struct secsync *s, const char *type)
{
	dialect_accept(c);
	secsync_end(c, s, type);
}
