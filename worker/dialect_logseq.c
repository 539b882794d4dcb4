/*
 * The logseq dialect: who asks, for which document, and when.  A request is
 * matched to a route, its token checked and the document opened by the broker,
 * its body read, and then it is the route's.  What sockets say is in
 * logseq_socket.c.
 */
#include <stdlib.h>

#include "common/limits.h"
#include "common/wire.h"
#include "worker/logseq_socket.h"
#include "worker/url.h"

#define DIALECT_SERIAL 32 /* bits of a tag that are the caller's */

static struct logseq_web *dialect_new(struct conn *);
static void dialect_sweep(struct logseq_web *, const struct verdict_in *);
static void dialect_reset(struct logseq_web *);
static int dialect_state(struct logseq_web *, struct bytes info);
static void dialect_enter(struct logseq_web *);
static int dialect_mine(const struct logseq_web *, uint64_t tag);
static int dialect_narrow(struct logseq_web *);
static int dialect_too_large(struct logseq_web *);
static void dialect_more(struct logseq_web *, struct bytes);

static int
logseq_match(const struct settings *set, const struct http_request *r)
{
	struct bytes path, query;

	(void)set;
	url_split(r->target, &path, &query);
	return (logseq_route_ours(path));
}

static void
logseq_request(struct conn *c, const struct http_request *r)
{
	struct logseq_web *w = dialect_new(c);

	if (w == NULL || logseq_request_read(w, r) == -1)
		return;
	conn_body_max(c, HTTP_BODY_MAX);
	if (logseq_request_bare(w, r))
		logseq_reply(w, 204, BYTES_NONE);
	else if (w->route == NULL)
		logseq_error(w, 404, "not found");
	else if ((w->route->steps->check == NULL ||
		     w->route->steps->check(w, r) == 0) &&
	    !dialect_too_large(w))
		dialect_enter(w);
}

static void
logseq_upgrade(struct conn *c, const struct http_request *r)
{
	const struct http_upgrade *wrong = conn_upgrade_problem(c);
	struct logseq_web *w = dialect_new(c);

	if (w == NULL || logseq_request_read(w, r) == -1)
		return;
	if (w->route == NULL || w->route->steps != &logseq_socket_steps)
		logseq_error(w, 404, "not found");
	else if (wrong != NULL)
		conn_http_reply(c, (unsigned)wrong->status, "text/plain",
		    wrong->headers, bytes_str(wrong->reason), 1);
	else if (logseq_socket_new(w) == -1)
		conn_drop(c);
	else
		dialect_enter(w);
}

static void
logseq_piece(struct conn *c, struct bytes b)
{
	struct logseq_web *w = conn_state(c);

	if (w->route->steps->piece != NULL)
		w->route->steps->piece(w, b);
	else
		dialect_more(w, b);
}

static void
logseq_body(struct conn *c, struct bytes empty)
{
	struct logseq_web *w = conn_state(c);

	(void)empty;
	if (w->route->steps->piece == NULL)
		w->route->steps->start(w);
	else if (w->route->steps->end != NULL)
		w->route->steps->end(w);
}

static void
logseq_grant(struct conn *c, const struct grant_in *g)
{
	struct logseq_web *w = conn_state(c);
	struct buf card = BUF_INIT;

	if (w->ended)
		return;
	if (dialect_narrow(w))
		return;
	buf_clear(&w->subject);
	buf_add_bytes(&w->subject, g->subject);
	if (w->socket != NULL)
		list_add(&card, BYTES_NONE); /* editing nothing yet */
	if (w->subject.failed || card.failed)
		logseq_refuse(w, CODE_BUSY);
	else if (w->route->place == LOGSEQ_AT_GRAPH)
		conn_open(c, LOGSEQ_DIALECT, LOGSEQ_ROOM_GRAPH, w->param[0],
		    buf_bytes(&card));
	else
		conn_open(c, LOGSEQ_DIALECT, LOGSEQ_ROOM_INDEX,
		    BYTES_LIT(LOGSEQ_INDEX_NAME), BYTES_NONE);
	buf_free(&card);
}

static void
logseq_refused(struct conn *c, enum code code)
{
	struct logseq_web *w = conn_state(c);

	if (!w->ended)
		logseq_refuse(w, code);
}

static void
logseq_opened(struct conn *c, const struct opened_in *o)
{
	struct logseq_web *w = conn_state(c);

	if (w->ended)
		return;
	if (o->code == CODE_OK && w->route->place == LOGSEQ_AT_GRAPH &&
	    dialect_state(w, o->info) == -1)
		logseq_refuse(w, CODE_STORAGE);
	else if (o->code != CODE_OK)
		/* Whether there is such a graph is nobody's business. */
		logseq_refuse(w,
		    o->code == CODE_NOT_FOUND ? CODE_NO_SCOPE : o->code);
	else if (w->socket != NULL)
		logseq_socket_opened(w);
	else if (!dialect_narrow(w)) {
		w->begun = 1;
		conn_hold(c, 0);
		if (w->route->steps->piece != NULL)
			w->route->steps->start(w);
	}
}

static void
logseq_verdict(struct conn *c, const struct verdict_in *v)
{
	struct logseq_web *w = conn_state(c);
	struct verdict_in in = *v;

	if (w->sweeping) {
		dialect_sweep(w, v);
		return;
	}
	if (!dialect_mine(w, v->tag))
		return;
	in.tag &= UINT32_MAX;
	w->route->steps->verdict(w, &in);
}

static void
logseq_fetched(struct conn *c, const struct fetched_in *f)
{
	struct logseq_web *w = conn_state(c);
	struct fetched_in in = *f;

	if (!dialect_mine(w, f->tag))
		return;
	in.tag &= UINT32_MAX;
	w->route->steps->fetched(w, &in);
}

static void
logseq_drained(struct conn *c)
{
	struct logseq_web *w = conn_state(c);

	if (w != NULL && !w->ended && w->route != NULL &&
	    w->route->steps->drained != NULL)
		w->route->steps->drained(w);
}

static void
logseq_kicked(struct conn *c, enum code code)
{
	struct logseq_web *w = conn_state(c);

	if (w != NULL && w->socket != NULL && w->socket->open)
		logseq_socket_kicked(w, code);
	else if (w != NULL && !w->ended && !w->told)
		logseq_refuse(w, code);
	else
		conn_drop(c);
}

static void
logseq_closed(struct conn *c)
{
	struct logseq_web *w = conn_state(c);

	if (w == NULL)
		return;
	dialect_reset(w);
	buf_free(&w->origin);
	buf_free(&w->body);
	buf_free(&w->subject);
	buf_free(&w->names);
	free(w);
	conn_set_state(c, NULL);
}

const struct dialect dialect_logseq = {
	.id = LOGSEQ_DIALECT,
	.match = logseq_match,
	.upgrade = logseq_upgrade,
	.request = logseq_request,
	.piece = logseq_piece,
	.body = logseq_body,
	.message = logseq_socket_message,
	.grant = logseq_grant,
	.refused = logseq_refused,
	.opened = logseq_opened,
	.verdict = logseq_verdict,
	.fetched = logseq_fetched,
	.behind = logseq_socket_behind,
	.again = logseq_socket_again,
	.stub = logseq_socket_stub,
	.drained = logseq_drained,
	.timer = logseq_socket_timer,
	.kicked = logseq_kicked,
	.closed = logseq_closed,
};

void
logseq_submit(struct logseq_web *w, const struct submit_out *s)
{
	struct submit_out out = *s;

	out.tag = logseq_tag(w, (uint32_t)s->tag);
	conn_submit(w->conn, &out);
}

void
logseq_fetch(struct logseq_web *w, uint32_t tag, enum fetch_what what,
    uint64_t after, uint64_t upto, struct bytes prefix, struct bytes from)
{
	conn_fetch(w->conn, logseq_tag(w, tag), what, after, upto, prefix,
	    from);
}

uint64_t
logseq_tag(const struct logseq_web *w, uint32_t tag)
{
	return (w->serial << DIALECT_SERIAL | tag);
}

void
logseq_ended(struct logseq_web *w)
{
	struct submit_out out = { .verb = LOGSEQ_SWEEP };

	w->ended = 1;
	w->sweeping = w->litter;
	conn_hold(w->conn, 0);
	if (w->sweeping)
		logseq_submit(w, &out);
	else
		conn_leave(w->conn);
}

/* The checksum outlives the message that told it. */
static int
dialect_state(struct logseq_web *w, struct bytes info)
{
	if (logseq_state_unpack(info, &w->state) == -1 ||
	    w->state.sum.n > sizeof(w->sum))
		return (-1);
	if (w->state.sum.n > 0)
		memcpy(w->sum, w->state.sum.p, w->state.sum.n);
	w->state.sum.p = (const uint8_t *)w->sum;
	return (0);
}

/* Every request starts from nothing, on a kept connection too. */
static struct logseq_web *
dialect_new(struct conn *c)
{
	struct logseq_web *w = conn_state(c);

	if (w == NULL) {
		if ((w = calloc(1, sizeof(*w))) == NULL) {
			conn_drop(c);
			return (NULL);
		}
		w->conn = c;
		conn_set_state(c, w);
	}
	dialect_reset(w);
	/* The top bit of a tag belongs to conn_submit. */
	w->serial = (w->serial + 1) & INT32_MAX;
	return (w);
}

/* Until all is free, or the client wants something else. */
static void
dialect_sweep(struct logseq_web *w, const struct verdict_in *v)
{
	struct submit_out out = { .verb = LOGSEQ_SWEEP };

	if (v->tag != logseq_tag(w, 0))
		return;
	if (v->code == CODE_OK && v->info.n == 1 && v->info.p[0] == 1) {
		logseq_submit(w, &out);
		return;
	}
	w->sweeping = 0;
	conn_leave(w->conn);
}

static void
dialect_reset(struct logseq_web *w)
{
	if (w->sweeping)
		conn_leave(w->conn);
	if (w->job != NULL && w->route->steps->free != NULL)
		w->route->steps->free(w->job);
	w->job = NULL;
	w->route = NULL;
	w->socket = NULL;
	w->begun = w->told = w->ended = w->token_in_query = w->gzip = 0;
	w->litter = w->sweeping = 0;
	w->body_max = conn_settings(w->conn)->logseq_message_max;
	memset(&w->state, 0, sizeof(w->state));
	buf_free(&w->body);
	buf_wipe(&w->token);
	buf_wipe(&w->target);
}

/* Who is it?  Until the broker has answered the body waits. */
static void
dialect_enter(struct logseq_web *w)
{
	struct bytes store = BYTES_NONE;

	/* Strangers are not listened to. */
	if (w->route->place == LOGSEQ_AT_NOTHING) {
		w->route->steps->start(w);
		return;
	}
	if (w->route->place == LOGSEQ_AT_GRAPH)
		store = w->param[0];
	if (w->token.len == 0)
		logseq_refuse(w, CODE_BAD_TOKEN);
	else if (store.n > STORE_NAME_MAX_BYTES)
		logseq_refuse(w, CODE_WRONG_STORE);
	else {
		conn_hold(w->conn, 1);
		conn_login(w->conn, LOGSEQ_DIALECT, buf_bytes(&w->token),
		    store);
		if (!w->route->steps->keeps_token)
			buf_wipe(&w->token);
	}
}

/* Whether an answer is for the request that is being served. */
static int
dialect_mine(const struct logseq_web *w, uint64_t tag)
{
	return (!w->ended && w->route != NULL &&
	    tag >> DIALECT_SERIAL == w->serial);
}

/* By what the grant or the document allows; as dialect_too_large. */
static int
dialect_narrow(struct logseq_web *w)
{
	w->body_max = conn_message_max(w->conn, w->body_max);
	return (dialect_too_large(w));
}

/* 1: it was told so, without a body that is known to be too large. */
static int
dialect_too_large(struct logseq_web *w)
{
	if (w->route->steps->piece != NULL || w->body_length <= w->body_max)
		return (0);
	logseq_refuse(w, CODE_TOO_LARGE);
	return (1);
}

static void
dialect_more(struct logseq_web *w, struct bytes b)
{
	if (w->body.len + b.n > w->body_max)
		logseq_refuse(w, CODE_TOO_LARGE);
	else if (buf_add_bytes(&w->body, b) == -1)
		conn_drop(w->conn);
}
