/* Pulls, over HTTP and WebSocket. */
#include <stdlib.h>

#include "worker/logseq_pull.h"
#include "worker/logseq_tx.h"

#define PULL_FRAME_BYTES (1024u * 1024u) /* then a frame takes no more rows */
#define PULL_CHUNK_BYTES (32u * 1024u)
#define PULL_SINCE_MAX	 64

enum pull_tag {
	PULL_STATE = LOGSEQ_PULL_TAG,
	PULL_LOG,
	PULL_BLOB,
};

static int pull_check(struct logseq_web *, const struct http_request *);
static void pull_start(struct logseq_web *);
static void pull_verdict(struct logseq_web *, const struct verdict_in *);
static void pull_fetched(struct logseq_web *, const struct fetched_in *);
static void pull_drained(struct logseq_web *);
static void pull_free(void *);
static int pull_since(const struct logseq_web *, uint64_t *since);
static void pull_run(struct logseq_pull *);
static int pull_full(const struct logseq_pull *, const struct entry *);
static void pull_row(struct logseq_pull *, const struct entry *);
static void pull_large(struct logseq_pull *, const struct entry *);
static void pull_slice(struct logseq_pull *, struct bytes);
static void pull_tail(const struct logseq_pull *, struct buf *);
static void pull_finish(struct logseq_pull *);
static void pull_over(struct logseq_pull *);
static void pull_fail(struct logseq_pull *);
static void pull_send(struct logseq_pull *);
static uint64_t pull_reached(const struct logseq_pull *);

const struct logseq_steps logseq_pull_steps = {
	.check = pull_check,
	.start = pull_start,
	.verdict = pull_verdict,
	.fetched = pull_fetched,
	.drained = pull_drained,
	.free = pull_free,
};

void
logseq_pull_init(struct logseq_pull *p, struct logseq_web *w)
{
	memset(p, 0, sizeof(*p));
	p->web = w;
}

void
logseq_pull_free(struct logseq_pull *p)
{
	buf_free(&p->page);
	buf_free(&p->out);
}

void
logseq_pull_begin(struct logseq_pull *p, uint64_t since)
{
	struct submit_out out = { .tag = PULL_STATE, .verb = LOGSEQ_STATE };

	p->since = since;
	p->news = 0;
	p->rows = 0;
	p->used = 0;
	buf_clear(&p->page);
	buf_clear(&p->out);
	logseq_submit(p->web, &out);
}

void
logseq_pull_verdict(struct logseq_pull *p, const struct verdict_in *v)
{
	struct logseq_state state;

	if (v->code != CODE_OK || logseq_state_unpack(v->info, &state) == -1 ||
	    state.sum.n > sizeof(p->sum)) {
		pull_fail(p);
		return;
	}
	p->t = state.t;
	p->base = state.base;
	p->after = state.base + (p->since < p->t ? p->since : p->t);
	p->more = p->since < p->t;
	p->sum_n = state.sum.n;
	if (state.sum.n > 0)
		memcpy(p->sum, state.sum.p, state.sum.n);
	if (p->web->socket == NULL)
		logseq_begin(p->web, 200, "application/json", NULL, UINT64_MAX);
	buf_add_str(&p->out, "{\"type\":\"pull/ok\",\"txs\":[");
	pull_run(p);
}

void
logseq_pull_fetched(struct logseq_pull *p, const struct fetched_in *f)
{
	struct bytes slice;

	if (f->code != CODE_OK) {
		pull_fail(p);
	} else if (f->tag == PULL_BLOB) {
		if (pull_take(&p->blob, f, &slice) == -1)
			pull_fail(p);
		else
			pull_slice(p, slice);
	} else {
		p->more = f->more;
		p->used = 0;
		buf_clear(&p->page);
		buf_add_bytes(&p->page, f->entries);
		if (p->page.failed)
			pull_fail(p);
		else
			pull_run(p);
	}
}

void
logseq_pull_drained(struct logseq_pull *p)
{
	if (!p->waiting)
		return;
	p->waiting = 0;
	if (pull_active(&p->blob))
		pull_ask(&p->blob, p->web->conn, logseq_tag(p->web, PULL_BLOB));
	else
		pull_run(p);
}

static int
pull_check(struct logseq_web *w, const struct http_request *r)
{
	uint64_t since;

	(void)r;
	if (pull_since(w, &since) == 0)
		return (0);
	logseq_error(w, 400, "invalid since");
	return (-1);
}

static void
pull_start(struct logseq_web *w)
{
	struct logseq_pull *p;
	uint64_t since = 0;

	if (!w->state.ready) {
		logseq_refuse(w, CODE_NOT_READY);
		return;
	}
	if ((p = w->job = malloc(sizeof(*p))) == NULL) {
		logseq_refuse(w, CODE_BUSY);
		return;
	}
	(void)pull_since(w, &since);
	logseq_pull_init(p, w);
	logseq_pull_begin(p, since);
}

static void
pull_verdict(struct logseq_web *w, const struct verdict_in *v)
{
	logseq_pull_verdict(w->job, v);
}

static void
pull_fetched(struct logseq_web *w, const struct fetched_in *f)
{
	logseq_pull_fetched(w->job, f);
}

static void
pull_drained(struct logseq_web *w)
{
	if (w->job != NULL)
		logseq_pull_drained(w->job);
}

static void
pull_free(void *job)
{
	logseq_pull_free(job);
	free(job);
}

/*
 * As ECMAScript's parseInt: blanks and a sign may stand in front of the digits,
 * and what follows them does not matter.
 */
static int
pull_since(const struct logseq_web *w, uint64_t *since)
{
	char text[PULL_SINCE_MAX];
	ssize_t n = logseq_query(w, "since", text, sizeof(text)), i = 0, from;
	int minus = 0;

	*since = 0;
	if (n == -1)
		return (0);
	while (
	    i < n && (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r')))
		i++;
	if (i < n && (text[i] == '+' || text[i] == '-'))
		minus = text[i++] == '-';
	for (from = i; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		if (*since < UINT64_MAX / 100)
			*since = *since * 10 + (uint64_t)(text[i] - '0');
	return (i == from || (minus && *since > 0) ? -1 : 0);
}

static void
pull_run(struct logseq_pull *p)
{
	struct bytes in, rest;
	struct entry e;

	while ((in = bytes_skip(buf_bytes(&p->page), p->used)).n > 0) {
		rest = in;
		if (entry_unpack(&rest, &e) != 1) {
			pull_fail(p);
			return;
		}
		if (pull_full(p, &e)) {
			pull_finish(p);
			return;
		}
		p->used += in.n - rest.n;
		pull_row(p, &e);
		if (pull_active(&p->blob))
			return;
	}
	if (!p->more)
		pull_finish(p);
	else if (p->web->socket == NULL &&
	    conn_queued(p->web->conn) >= CONN_LOW_BYTES)
		p->waiting = 1;
	else
		logseq_fetch(p->web, PULL_LOG, FETCH_LOG, p->after,
		    p->base + p->t, BYTES_NONE, BYTES_NONE);
}

/* Whether a frame that has rows must do without this one. */
static int
pull_full(const struct logseq_pull *p, const struct entry *e)
{
	return (p->web->socket != NULL && p->rows > 0 &&
	    (p->rows >= conn_settings(p->web->conn)->logseq_pull_max ||
		p->out.len + e->body.n > PULL_FRAME_BYTES ||
		(e->flags & ENTRY_BLOB) != 0));
}

static void
pull_row(struct logseq_pull *p, const struct entry *e)
{
	p->after = e->seq;
	buf_printf(&p->out, "%s{\"t\":%llu,", p->rows++ > 0 ? "," : "",
	    (unsigned long long)(e->seq - p->base));
	buf_add_bytes(&p->out, e->body);
	if ((e->flags & ENTRY_BLOB) != 0)
		pull_large(p, e);
	else if (p->web->socket == NULL && p->out.len >= PULL_CHUNK_BYTES)
		pull_send(p);
}

/* A frame of its own, begun before the row is here. */
static void
pull_large(struct logseq_pull *p, const struct entry *e)
{
	struct buf tail = BUF_INIT;

	pull_tail(p, &tail);
	if (p->web->socket != NULL)
		conn_begin(p->web->conn, WS_TEXT,
		    p->out.len + e->size + tail.len);
	pull_send(p);
	buf_free(&tail);
	p->blob = (struct pull){ e->blob, e->size, 0 };
	pull_ask(&p->blob, p->web->conn, logseq_tag(p->web, PULL_BLOB));
}

static void
pull_slice(struct logseq_pull *p, struct bytes slice)
{
	if (p->web->socket != NULL)
		conn_write(p->web->conn, slice);
	else
		logseq_data(p->web, slice);
	if (!pull_active(&p->blob) && p->web->socket == NULL) {
		pull_run(p);
	} else if (!pull_active(&p->blob)) {
		pull_tail(p, &p->out);
		pull_send(p);
		pull_over(p);
	} else if (conn_queued(p->web->conn) >= CONN_LOW_BYTES) {
		p->waiting = 1;
	} else
		pull_ask(&p->blob, p->web->conn, logseq_tag(p->web, PULL_BLOB));
}

/* The t of an answer is that of its last row, or clients would stay behind. */
static void
pull_tail(const struct logseq_pull *p, struct buf *out)
{
	uint64_t t = pull_reached(p);

	buf_printf(out, "],\"t\":%llu", (unsigned long long)t);
	if (t == p->t)
		logseq_tx_sum(out, bytes_of(p->sum, p->sum_n));
	buf_add_u8(out, '}');
}

static uint64_t
pull_reached(const struct logseq_pull *p)
{
	return (p->rows > 0 ? p->after - p->base : p->t);
}

static void
pull_finish(struct logseq_pull *p)
{
	/* Rows that were there and are gone: the graph was reset meanwhile. */
	if (p->since < p->t && pull_reached(p) < p->t &&
	    (p->web->socket == NULL || p->rows == 0)) {
		pull_fail(p);
		return;
	}
	pull_tail(p, &p->out);
	if (p->web->socket == NULL) {
		pull_send(p);
		logseq_end(p->web, 0);
		return;
	}
	conn_send(p->web->conn, WS_TEXT, buf_bytes(&p->out));
	pull_over(p);
}

/* A socket's answer is out; for what is left the client asks again. */
static void
pull_over(struct logseq_pull *p)
{
	struct buf changed = BUF_INIT;
	uint64_t t = p->news > p->t ? p->news : p->t;

	buf_free(&p->out);
	buf_free(&p->page);
	if (pull_reached(p) < t) {
		buf_printf(&changed, "{\"type\":\"changed\",\"t\":%llu}",
		    (unsigned long long)t);
		conn_send(p->web->conn, WS_TEXT, buf_bytes(&changed));
		buf_free(&changed);
	}
	conn_hold(p->web->conn, 0);
}

static void
pull_fail(struct logseq_pull *p)
{
	static const char error[] =
	    "{\"type\":\"error\",\"message\":\"server error\"}";

	if (p->web->socket == NULL) {
		logseq_end(p->web, 1);
	} else if (pull_active(&p->blob)) {
		conn_drop(p->web->conn);
	} else {
		conn_send(p->web->conn, WS_TEXT,
		    bytes_of(error, sizeof(error) - 1));
		conn_hold(p->web->conn, 0);
	}
}

static void
pull_send(struct logseq_pull *p)
{
	if (p->out.failed)
		conn_drop(p->web->conn);
	else if (p->web->socket != NULL)
		conn_write(p->web->conn, buf_bytes(&p->out));
	else
		logseq_data(p->web, buf_bytes(&p->out));
	buf_clear(&p->out);
}
