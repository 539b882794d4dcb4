/*
 * One HTTP request after the other: head, body, the dialect's answer, and then
 * the next one or frames.  The parser is http.c, the answers reply.c.
 */
#include "common/log.h"
#include "worker/conn_internal.h"
#include "worker/route.h"

static int exchange_head(struct conn *);
static void exchange_new(struct conn *);
static void exchange_begin(struct conn *);
static void exchange_dialect(struct conn *, const struct dialect *);
static void exchange_upgrade(struct conn *, const struct dialect *);
static void exchange_request(struct conn *, const struct dialect *);
static int exchange_body(struct conn *);
static void exchange_continue(struct conn *);
static ssize_t exchange_take(struct conn *, struct bytes *piece);
static void exchange_piece(struct conn *, struct bytes);
static void exchange_complete(struct conn *);
static int exchange_end(struct conn *);

/* In a page that each worker owns anyway; from the heap it would leave a hole
 * below what a connection keeps. */
static struct exchange exchange_only;

int
exchange_step(struct conn *c)
{
	switch (c->phase) {
	case CONN_HEAD:
		return (again_waits(c) ? 0 : exchange_head(c));
	case CONN_BODY:
		return (exchange_body(c));
	case CONN_WAIT:
		return (exchange_end(c));
	default:
		/* Not in conn_accept: the dialect may still read it. */
		exchange_free(c);
		/* Told to stop while the dialect owed the answer. */
		if (c->phase != CONN_WS || !c->ending || c->finishing)
			return (0);
		conn_kicked(c, CODE_SHUTDOWN, WS_CODE_RESTART);
		return (1);
	}
}

void
exchange_free(struct conn *c)
{
	if (c->exchange == NULL)
		return;
	buf_free(&c->exchange->body);
	c->exchange = NULL;
}

const struct http_upgrade *
conn_upgrade_problem(struct conn *c)
{
	struct exchange *x = c->exchange;

	return (x == NULL || x->upgrade.status == 101 ? NULL : &x->upgrade);
}

void
conn_accept(struct conn *c, struct bytes protocol, const struct ws_options *o)
{
	struct exchange *x = c->exchange;

	if (c->phase != CONN_WAIT || x == NULL || x->answered)
		return;
	if (x->upgrade.status != 101) {
		conn_http_reply(c, (unsigned)x->upgrade.status, NULL,
		    x->upgrade.headers, BYTES_NONE, 1);
		return;
	}
	reply_switch(c, protocol);
	x->answered = x->finished = 1;
	c->ws_max = o->message_max;
	ws_init(&c->ws, 0, conn_message_max(c, c->ws_max));
	c->ws.lengths_any = o->lengths_any;
	conn_phase(c, CONN_WS, 0);
	if (c->settings.idle_ms != 0)
		c->idle_at = c->now_ms + (int64_t)c->settings.idle_ms;
	if (c->settings.ping_ms != 0)
		c->ping_at = c->now_ms + (int64_t)c->settings.ping_ms;
}

void
conn_body_max(struct conn *c, uint64_t octets)
{
	if (c->exchange != NULL)
		c->exchange->body_max = octets;
}

void
conn_message_limit(struct conn *c, uint64_t octets)
{
	c->message_max = octets == 0 ? UINT64_MAX : octets;
	if (c->phase == CONN_WS)
		c->ws.message_max = conn_message_max(c, c->ws_max);
}

uint64_t
conn_message_max(const struct conn *c, uint64_t most)
{
	return (most < c->message_max ? most : c->message_max);
}

static int
exchange_head(struct conn *c)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct http_request *r;
	ssize_t n;

	if (c->in.len == 0 || !c->welcome || !introduce_header(c))
		return (0);
	if (c->in.len == 0)
		return (1);
	if (c->exchange == NULL)
		exchange_new(c);
	if (c->settings.header_max != 0)
		limits.head_max = limits.line_max =
		    (size_t)c->settings.header_max;
	r = &c->exchange->request;
	if ((n = http_request_parse(r, buf_bytes(&c->in), &limits)) == 0)
		return (0);
	conn_phase(c, CONN_WAIT, 0);
	if (n == -1) {
		log_debug("%s: request refused: %s", c->peer, r->reason);
		c->exchange->close = 1;
		reply_text(c, (unsigned)r->status, r->reason);
		buf_wipe(&c->in); /* as below */
		return (1);
	}
	note_heard(c, 0, (uint64_t)n);
	exchange_begin(c);
	buf_erase(&c->in, (size_t)n); /* a token may be in it */
	return (1);
}

/* The clock of a request starts with its first octet. */
static void
exchange_new(struct conn *c)
{
	c->exchange = &exchange_only;
	*c->exchange = (struct exchange){ .left = 0 };
	http_request_init(&c->exchange->request);
	conn_phase(c, CONN_HEAD, (int64_t)c->settings.handshake_ms);
}

static void
exchange_begin(struct conn *c)
{
	struct exchange *x = c->exchange;
	struct http_request *r = &x->request;
	const struct dialect *d;

	introduce_forwarded(c, r);
	x->is_upgrade = http_upgrade_wanted(r);
	x->is_head = bytes_eq(r->method, BYTES_LIT("HEAD"));
	x->close = !r->keep_alive || x->is_upgrade || c->ending ||
	    c->settings.http_idle_ms == 0;
	x->waits = r->expect_continue && (r->chunked || r->length > 0);
	x->left = r->length;
	x->body_max = c->settings.body_max;
	if (x->is_upgrade && !route_origin_ok(&c->settings, r)) {
		reply_bare(c, 403);
		return;
	}
	d = route_find(&c->settings, r);
	if (d == NULL || (x->is_upgrade && d->upgrade == NULL)) {
		if (x->is_upgrade)
			reply_bare(c, 404);
		else
			exchange_request(c, NULL);
		return;
	}
	exchange_dialect(c, d);
	if (x->is_upgrade)
		exchange_upgrade(c, d);
	else
		exchange_request(c, d);
}

/* A second dialect on one connection starts from nothing. */
static void
exchange_dialect(struct conn *c, const struct dialect *d)
{
	if (c->dialect == d)
		return;
	if (c->dialect != NULL && c->dialect->closed != NULL)
		c->dialect->closed(c);
	conn_leave(c);
	c->dialect = d;
	c->state = NULL;
}

static void
exchange_upgrade(struct conn *c, const struct dialect *d)
{
	struct exchange *x = c->exchange;

	conn_phase(c, CONN_WAIT, (int64_t)c->settings.handshake_ms);
	http_upgrade_check(&x->upgrade, &x->request, d->upgrade_options);
	d->upgrade(c, &x->request);
}

static void
exchange_request(struct conn *c, const struct dialect *d)
{
	struct exchange *x = c->exchange;
	struct http_request *r = &x->request;

	conn_phase(c, CONN_BODY, (int64_t)c->settings.message_ms);
	if (r->minor > 0 && !r->has_host) {
		reply_bare(c, 400);
		return;
	}
	if (d == NULL || (d->request == NULL && d->body == NULL))
		reply_text(c, 404, "404 Not Found");
	else if (d->request != NULL)
		d->request(c, r);
	if (c->phase != CONN_BODY)
		return;
	http_chunked_init(&x->chunked, x->body_max);
	if (!r->chunked && r->length > x->body_max && !x->answered) {
		x->close = 1;
		reply_text(c, 413, "Content Too Large");
	}
}

static int
exchange_body(struct conn *c)
{
	struct exchange *x = c->exchange;
	struct bytes piece;
	ssize_t n;

	if (x->finished && x->close) {
		conn_phase(c, CONN_WAIT, 0);
		return (1);
	}
	if (conn_blocked(c))
		return (0);
	exchange_continue(c);
	n = exchange_take(c, &piece);
	if (n == -1) {
		x->close = 1;
		buf_free(&c->in);
		if (x->answered)
			conn_phase(c, CONN_DRAIN, CONN_CLOSE_MS);
		else
			reply_text(c, (unsigned)x->chunked.status,
			    x->chunked.reason);
		return (1);
	}
	if (n > 0) {
		exchange_piece(c, piece);
		buf_drop(&c->in, (size_t)n);
		return (1);
	}
	if (x->left > 0 ||
	    (x->request.chunked && !http_chunked_done(&x->chunked)))
		return (0);
	exchange_complete(c);
	return (1);
}

/* Not before the dialect would read it: it may be refused by then. */
static void
exchange_continue(struct conn *c)
{
	struct exchange *x = c->exchange;

	if (x->waits && !x->answered && c->in.len == 0)
		output_add(c, BYTES_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
	x->waits = 0;
}

/* Octets of input used, with the octets of body among them. */
static ssize_t
exchange_take(struct conn *c, struct bytes *piece)
{
	struct exchange *x = c->exchange;
	struct bytes in = buf_bytes(&c->in);

	if (x->request.chunked)
		return (http_chunked_feed(&x->chunked, in, piece));
	if (in.n > x->left)
		in.n = (size_t)x->left;
	x->left -= in.n;
	*piece = in;
	return ((ssize_t)in.n);
}

/* The rest of a body whose request was answered already goes nowhere. */
static void
exchange_piece(struct conn *c, struct bytes piece)
{
	struct exchange *x = c->exchange;

	if (x->answered || piece.n == 0)
		return;
	if (c->dialect->piece != NULL)
		c->dialect->piece(c, piece);
	else if (buf_add_bytes(&x->body, piece) == -1) {
		log_warn("%s: body", c->peer);
		conn_drop(c);
	}
}

static void
exchange_complete(struct conn *c)
{
	struct exchange *x = c->exchange;

	conn_phase(c, CONN_WAIT, 0);
	if (!x->answered && c->dialect->body != NULL)
		c->dialect->body(c, buf_bytes(&x->body));
	buf_free(&x->body);
}

static int
exchange_end(struct conn *c)
{
	struct exchange *x = c->exchange;

	if (!x->finished)
		return (0);
	if (x->close || c->ending) {
		conn_phase(c, CONN_DRAIN, (int64_t)c->settings.write_ms);
		return (1);
	}
	exchange_free(c);
	conn_phase(c, CONN_HEAD, (int64_t)c->settings.http_idle_ms);
	return (1);
}
