/*
 * The sds dialect's face to its clients (protocols: sds.md): addresses, close
 * codes, frames in.  Frames out come from the ring or from sds_feed.c; what is
 * kept and who hears it is decided in broker/rule_sds.c.
 */
#include <stdlib.h>

#include "common/limits.h"
#include "worker/conn.h"
#include "worker/sds_chunks.h"
#include "worker/sds_feed.h"
#include "worker/sds_path.h"
#include "worker/sds_token.h"
#include "worker/url.h"

enum sds_close {
	SDS_CLOSE_UNAUTHORIZED = 4001,
	SDS_CLOSE_FORBIDDEN = 4003,
	SDS_CLOSE_LATER = 1013
};

/* What a client's submits are told apart by. */
enum sds_tag { SDS_TAG_CONTENT, SDS_TAG_CHUNK_BEGIN };

struct sds {
	struct conn *conn;
	struct sds_token *token; /* not NULL: POST /api/token, nothing else */
	enum sds_room room;
	struct buf store;
	enum scope scope;
	int open;
	int keeps; /* the broker stores what clients send */
	struct sds_feed feed;
	struct sds_chunks chunks;
	struct sds_value *begun; /* a value whose clock is awaited */
	int wanted;		 /* a value asked for while the feed is busy */
	int asking; /* the answer is on its way: later frames wait */
	uint8_t wanted_key[SDS_KEY_BYTES];
};

struct sds_ending {
	enum code code;
	unsigned int close;
	const char *reason;
};

struct sds_frame {
	enum sds_type type;
	enum scope scope;
	void (*take)(struct sds *, struct bytes frame);
};

static struct sds *sds_new(struct conn *);
static void sds_enter(struct conn *, const struct sds_path *,
    struct bytes query);
static struct bytes sds_protocol(const struct http_request *);
static void sds_end(struct conn *, enum code);
static void sds_hold(struct sds *);
static void sds_settle(struct sds *, enum code);
static void sds_take(struct sds *, struct bytes frame);
static void sds_take_patch(struct sds *, struct bytes);
static void sds_take_value(struct sds *, struct bytes);
static void sds_take_request(struct sds *, struct bytes);
static void sds_take_chunk(struct sds *, struct bytes);
static void sds_relay(struct sds *, uint64_t verb, struct bytes frame);
static void sds_chunk_begin(struct sds *, struct sds_value *);
static void sds_chunk_clock(struct sds *, struct bytes info);
static void sds_value_joined(struct sds *, struct sds_value *);

/* How a client learns that it must go; it stops for good at 4001 and 4003. */
static const struct sds_ending sds_endings[] = {
	{ CODE_BAD_TOKEN, SDS_CLOSE_UNAUTHORIZED, "Unauthorized" },
	{ CODE_EXPIRED, SDS_CLOSE_UNAUTHORIZED, "Unauthorized" },
	{ CODE_REVOKED, SDS_CLOSE_UNAUTHORIZED, "Unauthorized" },
	{ CODE_WRONG_STORE, SDS_CLOSE_FORBIDDEN, "Forbidden" },
	{ CODE_NO_SCOPE, SDS_CLOSE_FORBIDDEN, "Forbidden" },
	{ CODE_TOO_LARGE, WS_CODE_SIZE, "Too large" },
	{ CODE_BUSY, SDS_CLOSE_LATER, "Try again later" },
	{ CODE_QUOTA, SDS_CLOSE_LATER, "Try again later" },
	{ CODE_SHUTDOWN, WS_CODE_AWAY, "Going away" },
	{ CODE_KICKED, WS_CODE_AWAY, "Going away" },
};

/* Types that are not passed on as they are; every other one is. */
static const struct sds_frame sds_frames[] = {
	{ SDS_PATCH, SCOPE_WRITE, sds_take_patch },
	{ SDS_VALUE, SCOPE_WRITE, sds_take_value },
	{ SDS_REQ_VALUE, SCOPE_READ, sds_take_request },
	{ SDS_VALUE_CHUNK, SCOPE_WRITE, sds_take_chunk },
};

static int
sds_match(const struct settings *settings, const struct http_request *r)
{
	struct sds_path path;

	(void)settings;
	return (sds_path_parse(&path, r->target));
}

/*
 * On a route the answer is 101 whatever the token: these clients hang when they
 * are refused by HTTP.
 */
static void
sds_upgrade(struct conn *c, const struct http_request *r)
{
	const struct http_upgrade *wrong = conn_upgrade_problem(c);
	struct ws_options options = { conn_settings(c)->sds_message_max, 1 };
	struct bytes path, query;
	struct sds_path where;

	sds_path_parse(&where, r->target);
	if (where.route != SDS_ROUTE_STORE && where.route != SDS_ROUTE_SIGNAL) {
		conn_http_reply(c, 404, NULL, NULL, BYTES_NONE, 1);
		return;
	}
	if (wrong != NULL) {
		conn_http_reply(c,
		    wrong->status == 426 ? 400 : (unsigned)wrong->status,
		    "text/html", wrong->headers, bytes_str(wrong->reason), 1);
		return;
	}
	conn_accept(c, sds_protocol(r), &options);
	url_split(r->target, &path, &query);
	sds_enter(c, &where, query);
}

static void
sds_request(struct conn *c, const struct http_request *r)
{
	struct sds_path where;
	struct sds *s;

	if (!sds_path_parse(&where, r->target) ||
	    where.route != SDS_ROUTE_TOKEN ||
	    !bytes_eq(r->method, BYTES_LIT("POST"))) {
		conn_http_reply(c, 404, "text/plain; charset=UTF-8", NULL,
		    BYTES_LIT("404 Not Found"), 0);
		return;
	}
	if ((s = sds_new(c)) != NULL)
		s->token = sds_token_new(c, r);
}

static void
sds_body(struct conn *c, struct bytes body)
{
	struct sds *s = conn_state(c);

	sds_token_body(s->token, body);
}

static void
sds_token(struct conn *c, enum code code, struct bytes text)
{
	struct sds *s = conn_state(c);

	sds_token_minted(s->token, code, text);
}

static void
sds_grant(struct conn *c, const struct grant_in *g)
{
	struct sds *s = conn_state(c);

	if (s->token != NULL) {
		sds_token_grant(s->token, g);
		return;
	}
	s->scope = g->scope;
	conn_open(c, DIALECT_SDS, s->room, buf_bytes(&s->store), BYTES_NONE);
}

static void
sds_refused(struct conn *c, enum code code)
{
	struct sds *s = conn_state(c);

	if (s->token != NULL)
		sds_token_refused(s->token, code);
	else
		sds_end(c, code);
}

static void
sds_opened(struct conn *c, const struct opened_in *o)
{
	struct sds *s = conn_state(c);

	if (o->code != CODE_OK) {
		sds_end(c, o->code);
		return;
	}
	s->open = 1;
	sds_hold(s);
	if (!s->keeps || o->seq == 0) {
		conn_live(c, o->seq);
		return;
	}
	sds_feed_history(&s->feed, 0, o->seq, 0);
	sds_settle(s, sds_feed_run(&s->feed));
}

static void
sds_message(struct conn *c, unsigned int opcode, uint8_t *p, size_t n)
{
	struct sds *s = conn_state(c);
	uint8_t octet = (uint8_t)opcode;

	if (!s->open)
		return;
	if (s->room == SDS_ROOM_SIGNAL)
		conn_signal(c, SDS_VERB_SIGNAL, bytes_of(&octet, 1), BYTES_NONE,
		    bytes_of(p, n));
	else if (opcode == WS_BINARY && n > 0)
		sds_take(s, bytes_of(p, n));
}

static void
sds_verdict(struct conn *c, const struct verdict_in *v)
{
	struct sds *s = conn_state(c);

	if (v->code != CODE_OK)
		sds_end(c, v->code);
	else if (v->tag == SDS_TAG_CHUNK_BEGIN)
		sds_chunk_clock(s, v->info);
}

static void
sds_fetched(struct conn *c, const struct fetched_in *f)
{
	struct sds *s = conn_state(c);

	sds_settle(s, sds_feed_fetched(&s->feed, f));
}

static void
sds_drained(struct conn *c)
{
	struct sds *s = conn_state(c);

	if (s->open)
		sds_settle(s, sds_feed_run(&s->feed));
}

/* Where nothing is kept, what was missed is lost: the client starts anew. */
static void
sds_behind(struct conn *c, uint64_t seq)
{
	struct sds *s = conn_state(c);

	if (!s->keeps) {
		conn_close(c, SDS_CLOSE_LATER, "Too slow");
		return;
	}
	sds_feed_history(&s->feed, seq, SDS_FEED_NEWEST, 1);
	sds_settle(s, sds_feed_run(&s->feed));
}

static void
sds_stub(struct conn *c, const struct entry *e)
{
	struct sds *s = conn_state(c);

	sds_feed_stub(&s->feed, e, s->room == SDS_ROOM_STORE);
	sds_settle(s, sds_feed_run(&s->feed));
}

static void
sds_kicked(struct conn *c, enum code code)
{
	struct sds *s = conn_state(c);

	if (s != NULL && s->token != NULL)
		sds_token_refused(s->token, code);
	else
		sds_end(c, code);
}

static void
sds_closed(struct conn *c)
{
	struct sds *s = conn_state(c);

	if (s == NULL)
		return;
	conn_set_state(c, NULL);
	sds_token_free(s->token);
	sds_feed_free(&s->feed);
	sds_chunks_free(&s->chunks);
	buf_free(&s->store);
	free(s);
}

const struct dialect dialect_sds = {
	.id = DIALECT_SDS,
	.upgrade_options = HTTP_UPGRADE_HTTP10 | HTTP_UPGRADE_V8,
	.match = sds_match,
	.upgrade = sds_upgrade,
	.request = sds_request,
	.body = sds_body,
	.message = sds_message,
	.grant = sds_grant,
	.refused = sds_refused,
	.opened = sds_opened,
	.verdict = sds_verdict,
	.fetched = sds_fetched,
	.token = sds_token,
	.behind = sds_behind,
	.stub = sds_stub,
	.drained = sds_drained,
	.kicked = sds_kicked,
	.closed = sds_closed,
};

/* Every request starts from nothing, on a kept connection too. */
static struct sds *
sds_new(struct conn *c)
{
	const struct settings *settings = conn_settings(c);
	struct sds *s;

	sds_closed(c);
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		conn_drop(c);
		return (NULL);
	}
	s->conn = c;
	sds_feed_init(&s->feed, c);
	sds_chunks_init(&s->chunks, settings->sds_message_max);
	conn_set_state(c, s);
	return (s);
}

/* Until the store is open the client's frames wait where they are. */
static void
sds_enter(struct conn *c, const struct sds_path *where, struct bytes query)
{
	struct sds *s = sds_new(c);

	if (s == NULL)
		return;
	s->room =
	    where->route == SDS_ROUTE_SIGNAL ? SDS_ROOM_SIGNAL : SDS_ROOM_STORE;
	s->keeps =
	    s->room == SDS_ROOM_STORE && conn_settings(c)->sds_persist != 0;
	if (where->n > STORE_NAME_MAX_BYTES) {
		sds_end(c, CODE_WRONG_STORE);
		return;
	}
	if (buf_add(&s->store, where->store, where->n) == -1) {
		conn_drop(c);
		return;
	}
	sds_hold(s);
	if (conn_login_query(c, DIALECT_SDS, query, "token",
		buf_bytes(&s->store)) != 0)
		sds_end(c, CODE_BAD_TOKEN);
}

/* The first one offered, as the ws library does. */
static struct bytes
sds_protocol(const struct http_request *r)
{
	struct bytes list = http_header_get(r, "sec-websocket-protocol");
	struct bytes first;

	return (http_list_next(&list, &first) ? first : BYTES_NONE);
}

static void
sds_end(struct conn *c, enum code code)
{
	size_t i;

	for (i = 0; i < sizeof(sds_endings) / sizeof(*sds_endings); i++)
		if (sds_endings[i].code == code) {
			conn_close(c, sds_endings[i].close,
			    sds_endings[i].reason);
			return;
		}
	conn_close(c, WS_CODE_ERROR, "Internal error");
}

static void
sds_hold(struct sds *s)
{
	conn_hold(s->conn,
	    !s->open || s->begun != NULL || s->wanted || s->asking);
}

/* After the feed went on: what its end makes possible. */
static void
sds_settle(struct sds *s, enum code code)
{
	static const uint8_t type = SDS_REQ_VALUE;

	if (code != CODE_OK) {
		sds_end(s->conn, code);
		return;
	}
	if (s->feed.step != SDS_FEED_IDLE)
		return;
	if (s->asking) {
		s->asking = 0;
		sds_hold(s);
	}
	if (s->feed.missing) {
		s->feed.missing = 0;
		conn_signal(s->conn, SDS_VERB_SIGNAL, bytes_of(&type, 1),
		    BYTES_NONE, bytes_of(s->feed.key, SDS_KEY_BYTES));
	}
	if (s->wanted) {
		s->wanted = 0;
		s->asking = 1;
		sds_feed_value(&s->feed, s->wanted_key);
		sds_feed_run(&s->feed);
		sds_hold(s);
	}
}

static void
sds_take(struct sds *s, struct bytes frame)
{
	size_t i;

	for (i = 0; i < sizeof(sds_frames) / sizeof(*sds_frames); i++)
		if (sds_frames[i].type == frame.p[0])
			break;
	if (i == sizeof(sds_frames) / sizeof(*sds_frames))
		sds_relay(s, SDS_VERB_SIGNAL, frame);
	else if (scope_covers(s->scope, sds_frames[i].scope))
		sds_frames[i].take(s, frame);
}

static void
sds_take_patch(struct sds *s, struct bytes frame)
{
	struct submit_out out = { .tag = SDS_TAG_CONTENT,
		.verb = SDS_VERB_PATCH,
		.body = bytes_skip(frame, 1) };

	if (s->keeps)
		conn_submit(s->conn, &out);
	else
		sds_relay(s, SDS_VERB_SIGNAL_WRITE, frame);
}

/* Without a whole key there is nothing to keep it under. */
static void
sds_take_value(struct sds *s, struct bytes frame)
{
	struct submit_out out = { .tag = SDS_TAG_CONTENT,
		.verb = SDS_VERB_VALUE,
		.body = bytes_skip(frame, 1 + SDS_KEY_BYTES) };

	if (!s->keeps || frame.n < 1 + SDS_KEY_BYTES) {
		sds_relay(s, SDS_VERB_SIGNAL_WRITE, frame);
		return;
	}
	out.ref = bytes_of(frame.p + 1, SDS_KEY_BYTES);
	conn_submit(s->conn, &out);
}

static void
sds_take_request(struct sds *s, struct bytes frame)
{
	if (!s->keeps || frame.n != 1 + SDS_KEY_BYTES) {
		sds_relay(s, SDS_VERB_SIGNAL, frame);
		return;
	}
	memcpy(s->wanted_key, frame.p + 1, SDS_KEY_BYTES);
	s->wanted = 1;
	sds_hold(s);
	sds_settle(s, CODE_OK);
}

/* Chunks go on as they come; only the whole value is kept. */
static void
sds_take_chunk(struct sds *s, struct bytes frame)
{
	struct sds_value *v = NULL;
	struct sds_chunk chunk;
	int fresh = 0, r;

	if ((r = sds_chunk_parse(frame, &chunk)) == -1)
		return;
	if (r == 1 && s->keeps)
		v = sds_chunks_add(&s->chunks, &chunk, &fresh);
	if (v != NULL && fresh)
		sds_chunk_begin(s, v);
	sds_relay(s, SDS_VERB_SIGNAL_WRITE, frame);
	if (v != NULL && v->clock != 0 && v->have == v->total)
		sds_value_joined(s, v);
}

static void
sds_relay(struct sds *s, uint64_t verb, struct bytes frame)
{
	conn_signal(s->conn, verb, bytes_of(frame.p, 1), BYTES_NONE,
	    bytes_skip(frame, 1));
}

/*
 * Who is in the room from now on will have seen the whole value in chunks; the
 * broker is asked what "now" is before the client may go on.
 */
static void
sds_chunk_begin(struct sds *s, struct sds_value *v)
{
	struct submit_out out = { .tag = SDS_TAG_CHUNK_BEGIN,
		.verb = SDS_VERB_CHUNK_BEGIN };

	s->begun = v;
	sds_hold(s);
	conn_submit(s->conn, &out);
}

static void
sds_chunk_clock(struct sds *s, struct bytes info)
{
	struct sds_value *v = s->begun;

	s->begun = NULL;
	sds_hold(s);
	if (v == NULL || info.n != 8)
		return;
	v->clock = be64_get(info.p);
	if (v->have == v->total)
		sds_value_joined(s, v);
}

static void
sds_value_joined(struct sds *s, struct sds_value *v)
{
	struct submit_out out = { .tag = SDS_TAG_CONTENT,
		.verb = SDS_VERB_VALUE,
		.clock = v->clock };
	uint8_t key[SDS_KEY_BYTES];
	struct buf whole = BUF_INIT;

	memcpy(key, v->key, sizeof(key));
	if (sds_chunks_take(&s->chunks, v, &whole) == -1) {
		sds_end(s->conn, CODE_BUSY);
	} else {
		out.ref = bytes_of(key, sizeof(key));
		out.body = buf_bytes(&whole);
		conn_submit(s->conn, &out);
	}
	buf_free(&whole);
}
