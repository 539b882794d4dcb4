/*
 * The sds dialect's face to its clients (protocols: sds.md): addresses and
 * rooms.  Frames in are sds_talk.c's; frames out come from the ring or from
 * sds_feed.c; what is kept and who hears it is decided in broker/rule_sds.c.
 */
#include <stdlib.h>

#include "common/limits.h"
#include "worker/sds_path.h"
#include "worker/sds_talk.h"
#include "worker/url.h"

static struct sds *sds_new(struct conn *);
static void sds_enter(struct conn *, const struct sds_path *,
    const struct http_request *);
static void sds_accept(struct sds *);
static void sds_turn_away(struct conn *, enum code);
static struct bytes sds_protocol(const struct http_request *);

static int
sds_match(const struct settings *settings, const struct http_request *r)
{
	struct sds_path path;

	(void)settings;
	return (sds_path_parse(&path, r->target));
}

/*
 * On a route the answer is 101 whatever the token: these clients hang when they
 * are refused by HTTP.  It comes when the client is in the room, for they take
 * it that others hear them, and they others, from then on.
 */
static void
sds_upgrade(struct conn *c, const struct http_request *r)
{
	const struct http_upgrade *wrong = conn_upgrade_problem(c);
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
	sds_enter(c, &where, r);
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
}

static void
sds_refused(struct conn *c, enum code code)
{
	struct sds *s = conn_state(c);

	if (s->token != NULL)
		sds_token_refused(s->token, code);
	else
		sds_turn_away(c, code);
}

static void
sds_opened(struct conn *c, const struct opened_in *o)
{
	struct sds *s = conn_state(c);

	if (o->code != CODE_OK) {
		sds_turn_away(c, o->code);
		return;
	}
	s->open = 1;
	sds_accept(s);
	sds_hold(s);
	if (!s->keeps)
		conn_live(c, o->seq);
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

	if (s->open)
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
sds_again(struct conn *c, uint64_t seq)
{
	struct sds *s = conn_state(c);

	if (s->keeps)
		sds_behind(c, seq);
	else
		conn_live(c, seq);
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
		sds_turn_away(c, code);
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
	buf_free(&s->protocol);
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
	.again = sds_again,
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

/*
 * Until the store is open the client's frames wait where they are.  Opening and
 * replay are asked for along with the grant: the broker forgets about them
 * where there is none.
 */
static void
sds_enter(struct conn *c, const struct sds_path *where,
    const struct http_request *r)
{
	struct sds *s = sds_new(c);
	struct bytes path, query;

	if (s == NULL)
		return;
	url_split(r->target, &path, &query);
	s->room =
	    where->route == SDS_ROUTE_SIGNAL ? SDS_ROOM_SIGNAL : SDS_ROOM_STORE;
	s->keeps =
	    s->room == SDS_ROOM_STORE && conn_settings(c)->sds_persist != 0;
	if (where->n > STORE_NAME_MAX_BYTES) {
		sds_turn_away(c, CODE_WRONG_STORE);
		return;
	}
	if (buf_add(&s->store, where->store, where->n) == -1 ||
	    buf_add_bytes(&s->protocol, sds_protocol(r)) == -1) {
		conn_drop(c);
		return;
	}
	sds_hold(s);
	if (conn_login_query(c, DIALECT_SDS, query, "token",
		buf_bytes(&s->store)) != 0)
		sds_turn_away(c, CODE_BAD_TOKEN);
	if (s->accepted)
		return;
	conn_open(c, DIALECT_SDS, s->room, buf_bytes(&s->store), BYTES_NONE);
	if (s->keeps)
		sds_feed_all(&s->feed);
}

static void
sds_accept(struct sds *s)
{
	struct ws_options options = { conn_settings(s->conn)->sds_message_max,
		1 };

	if (s->accepted)
		return;
	s->accepted = 1;
	conn_accept(s->conn, buf_bytes(&s->protocol), &options);
	buf_free(&s->protocol);
}

static void
sds_turn_away(struct conn *c, enum code code)
{
	struct sds *s = conn_state(c);

	if (s != NULL)
		sds_accept(s);
	sds_end(c, code);
}

/* The first one offered, as the ws library does. */
static struct bytes
sds_protocol(const struct http_request *r)
{
	struct bytes list = http_header_get(r, "sec-websocket-protocol");
	struct bytes first;

	return (http_list_next(&list, &first) ? first : BYTES_NONE);
}
