/* Records between two brokers, page by page; see missed.h. */
#include "common/wire.h"
#include "worker/conn_internal.h"

static void missed_begin(struct conn *);
static void missed_ask(struct conn *);
static int missed_entry(struct conn *, struct entry *, size_t *octets);
static int missed_pass(struct conn *, const struct entry *);

void
missed_free(struct missed *m)
{
	buf_free(&m->page);
	*m = (struct missed){ 0 };
}

/* One entry, as reader_step: what is ours waits for its verdict. */
int
missed_step(struct conn *c)
{
	struct missed *m = &c->reader.missed;
	struct entry e;
	size_t octets;
	int at_own = c->reader.at_own;

	if (!reader_may(c) || again_waits(c))
		return (0);
	if (c->dialect->again != NULL || c->dialect->stub == NULL ||
	    c->reader.seq < m->oldest) {
		missed_begin(c);
		return (1);
	}
	switch (missed_entry(c, &e, &octets)) {
	case 1:
		if (!missed_pass(c, &e)) /* to arrive there is something */
			return (!at_own);
		m->used += octets;
		return (1);
	case 0:
		if (m->asked)
			return (0);
		if (!m->more || c->reader.seq >= m->upto) {
			conn_live(c, m->upto);
			missed_free(m);
		} else
			missed_ask(c);
		return (1);
	default:
		conn_close(c, WS_CODE_ERROR, "history");
		return (1);
	}
}

void
missed_fetched(struct conn *c, const struct fetched_in *f)
{
	struct missed *m = &c->reader.missed;

	m->asked = 0;
	m->used = 0;
	m->more = f->more;
	buf_clear(&m->page);
	if (f->code != CODE_OK || (f->more && f->entries.n == 0) ||
	    buf_add_bytes(&m->page, f->entries) == -1)
		conn_close(c, WS_CODE_ERROR, "history");
}

/* In the dialect's way; or none is left. */
static void
missed_begin(struct conn *c)
{
	uint64_t seq = c->reader.seq;

	missed_free(&c->reader.missed);
	if (c->dialect->again == NULL) {
		conn_close(c, WS_CODE_RESTART, "history is gone");
		return;
	}
	conn_pause(c);
	c->dialect->again(c, seq);
}

static void
missed_ask(struct conn *c)
{
	struct missed *m = &c->reader.missed;

	m->asked = 1;
	conn_fetch(c, MISSED_TAG, FETCH_LOG, c->reader.seq, m->upto, BYTES_NONE,
	    BYTES_NONE);
}

static int
missed_entry(struct conn *c, struct entry *e, size_t *octets)
{
	const struct missed *m = &c->reader.missed;
	struct bytes rest = bytes_skip(buf_bytes(&m->page), m->used);
	size_t before = rest.n;
	int r = entry_unpack(&rest, e);

	*octets = before - rest.n;
	return (r);
}

/* 0: not yet. */
static int
missed_pass(struct conn *c, const struct entry *e)
{
	struct reader *r = &c->reader;
	const struct entry stub = { .seq = e->seq,
		.origin = e->origin,
		.kind = e->kind };

	if (e->seq <= r->seq)
		return (1);
	if (e->origin == c->session) {
		if (r->wait_own && e->seq > r->handed && r->submits > 0) {
			r->at_own = 1;
			return (0);
		}
		r->seq = e->seq;
		return (1);
	}
	r->live = 0;
	c->dialect->stub(c, &stub);
	return (1);
}
