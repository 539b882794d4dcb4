/*
 * What one operation does to its document, inside the batch's transaction.
 * Everything done here to sessions and documents in memory can be undone
 * (decide_undo), because the batch may still fail.
 */
#include <string.h>
#include <time.h>

#include "broker/apart.h"
#include "broker/decide_fetch.h"
#include "broker/decide_parts.h"

static int decide_granted(const struct broker *, const struct op *);
static int decide_settle(void *, const struct doc_id *);
static void decide_undo_blobs(struct op *);
static int decide_signal(struct broker *, struct op *);
static int decide_card(struct broker *, struct op *);
static int decide_fetch(struct broker *, struct op *);
static int decide_sync(struct broker *, struct op *);
static int decide_cards(void *, size_t, struct txn_card *);

static const struct {
	int (*decide)(struct broker *, struct op *);
	int writes;
} deciders[IPC_COUNT] = {
	[IPC_OPEN] = { decide_open, 1 },
	[IPC_SUBMIT] = { decide_submit, 1 },
	[IPC_SIGNAL] = { decide_signal, 0 },
	[IPC_CARD] = { decide_card, 0 },
	[IPC_FETCH] = { decide_fetch, 0 },
	[IPC_BLOB_PUT] = { decide_blob_put, 1 },
	[IPC_BLOB_DATA] = { decide_blob_data, 1 },
	[IPC_BLOB_DONE] = { decide_blob_done, 1 },
	[IPC_SYNC] = { decide_sync, 0 },
	[IPC_CLOSE] = { decide_leave, 1 },
};

int
decide(struct broker *b, struct op *op)
{
	op->done = 1;
	op->upload_was = op->session->upload;
	memcpy(op->finished_was, op->session->finished,
	    sizeof(op->finished_was));
	if (op->leave)
		return (decide_leave(b, op));
	if (op->msg.type >= IPC_COUNT || deciders[op->msg.type].decide == NULL)
		return (0);
	/* What a client sent before it left counts; questions do not. */
	if ((op->session->dead || op->session->kicked) &&
	    (op->msg.type == IPC_OPEN || op->msg.type == IPC_FETCH))
		return (op->code = CODE_KICKED, 0);
	if (op->msg.type == IPC_FETCH && op->doc == NULL &&
	    (op->doc = op->session->doc) != NULL)
		op->doc->refs++; /* asked before it was open */
	/* The document may have been left by an operation before this one. */
	if (op->msg.type != IPC_OPEN &&
	    (op->doc == NULL || op->session->doc != op->doc)) {
		op->code = CODE_BAD_STATE;
		return (0);
	}
	if (!decide_granted(b, op)) {
		op->code = CODE_NO_SCOPE;
		return (0);
	}
	return (deciders[op->msg.type].decide(b, op));
}

/*
 * The gate let it pass under a token that may have been replaced since, after
 * a CLOSE by one for another document: rules would go by what that one allows.
 */
static int
decide_granted(const struct broker *b, const struct op *op)
{
	const struct session *s = op->session;

	return (op->grant == s->grants || op->msg.type == IPC_OPEN ||
	    op->msg.type == IPC_CLOSE ||
	    claims_allow_store(&s->claims, s->dialect, op->doc->id.name,
		s->dialect == DIALECT_SDS && b->conf->sds_aud_exact));
}

int
op_writes(const struct op *op)
{
	return (op->leave ||
	    (op->msg.type < IPC_COUNT && deciders[op->msg.type].writes));
}

void
decide_undo(struct op *op)
{
	struct session *s = op->session;

	if (!op->done)
		return;
	if (op->carded) {
		buf_free(&s->card);
		s->card = op->card_was;
		op->card_was = (struct buf)BUF_INIT;
	}
	if (op->attached)
		decide_detach(op);
	if (op->detached) {
		decide_attach(op);
		s->has_ring = op->had_ring;
	}
	decide_undo_blobs(op);
	if (op->doc != NULL)
		op->doc->loaded = op->doc->dirty = 0;
	op->done = op->carded = op->attached = op->detached = op->garbage = 0;
	op->more = 0;
	op->seq = op->oldest = 0;
	op->code = CODE_OK;
	buf_free(&op->info);
	buf_free(&op->roster);
	effect_free(op->effects);
	op->effects = NULL;
}

/*
 * Apart, time has passed: a signal's octets may be gone (blob_forget), and the
 * SUBMIT has taken none but blobs of the store.
 */
static void
decide_undo_blobs(struct op *op)
{
	struct session *s = op->session;
	size_t i;

	if (op->doc == NULL || op->doc->apart != op) {
		s->upload = op->upload_was;
		memcpy(s->finished, op->finished_was, sizeof(op->finished_was));
		op->signal = (struct buf)BUF_INIT; /* its octets went back */
		return;
	}
	for (i = 0; i < FINISHED_MAX; i++)
		if (op->finished_was[i].id != 0 &&
		    (op->finished_was[i].id & BLOB_SIGNAL) == 0)
			s->finished[i] = op->finished_was[i];
}

int
decide_save(struct kv *kv, struct doc *d)
{
	struct txn t;
	int r;

	if (!d->dirty)
		return (0);
	txn_init(&t, kv, &d->id);
	t.doc = d->store_id;
	t.seq = d->seq;
	t.row = d->row;
	t.row_dirty = 1;
	r = txn_row_save(&t);
	txn_done(&t);
	d->dirty = 0;
	return (r);
}

/* A rule reaches for another document, which may be open here as well. */
static int
decide_settle(void *arg, const struct doc_id *id)
{
	struct broker *b = arg;
	struct doc *d = doc_find(b, id);

	if (d == NULL || !d->loaded)
		return (0);
	d->loaded = 0; /* the rule's handle changes what is known of it */
	return (decide_save(b->kv, d));
}

int
decide_begin(struct broker *b, struct op *op, struct txn *t)
{
	struct session *s = op->session;
	struct doc *d = op->doc;
	struct timespec now;

	txn_init(t, apart_kv(b, op), &d->id);
	clock_gettime(CLOCK_REALTIME, &now);
	t->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	t->who = (struct txn_who){ s->id, s->scope, s->claims.sub, &s->claims,
		buf_bytes(&s->card) };
	t->cards = decide_cards;
	t->cards_arg = d;
	t->conf = b->conf;
	t->row_later = 1;
	t->settle = decide_settle;
	t->settle_arg = b;
	t->position = d->ring.fd == -1 ? 0 : ring_end(&d->ring);
	if (d->loaded) {
		t->doc = d->store_id;
		t->seq = d->seq;
		t->row = d->row;
		t->row_dirty = d->dirty;
	} else if (txn_load(t) == -1) {
		return (-1);
	}
	t->full = space_refuses(b, op, t, 0) != CODE_OK;
	return (0);
}

int
decide_end(struct op *op, struct txn *t, enum code code)
{
	int failed = t->failed;

	op->code = code;
	if (!failed) {
		op->doc->store_id = t->doc;
		op->doc->seq = t->seq;
		op->doc->row = t->row;
		op->doc->dirty = t->row_dirty;
		op->doc->loaded = 1;
		op->garbage = t->garbage;
		op->seq = t->seq;
		op->oldest = t->row.oldest;
		buf_free(&op->info);
		op->info = t->info;
		t->info = (struct buf)BUF_INIT;
		if (code == CODE_OK) {
			op->effects = t->effects;
			t->effects = NULL;
			t->effects_end = &t->effects;
		}
	}
	txn_done(t);
	return (failed ? -1 : 0);
}

static int
decide_signal(struct broker *b, struct op *op)
{
	const struct msg *m = &op->msg;
	const struct rule_verb *v =
	    rule_verb_find(rule_find(op->session->dialect),
		m->f[signal_verb].u);
	struct submit in;
	struct finished *f;
	struct txn t;

	in = (struct submit){ .verb = m->f[signal_verb].u,
		.ref = m->f[signal_ref].b,
		.author = m->f[signal_author].b,
		.body = BODY_OF(m->f[signal_body].b) };
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	if (m->f[signal_blob].u != 0) {
		f = decide_finished(op->session, m->f[signal_blob].u);
		if (f == NULL || (f->id & BLOB_SIGNAL) == 0)
			return (decide_end(op, &t, CODE_INVALID));
		in.body.blob = f->id;
		in.body.size = f->size;
		op->signal = f->mem;
		in.whole = buf_bytes(&op->signal);
		*f = (struct finished){ 0 };
	}
	return (
	    decide_end(op, &t, v == NULL ? CODE_INVALID : v->decide(&t, &in)));
}

static int
decide_card(struct broker *b, struct op *op)
{
	const struct rule *r = rule_find(op->session->dialect);
	struct txn t;

	if (decide_card_put(op, op->msg.f[card_body].b) == -1)
		return (op->code = CODE_BUSY, 0);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	if (r->card != NULL)
		r->card(&t);
	return (decide_end(op, &t, CODE_OK));
}

int
decide_card_put(struct op *op, struct bytes card)
{
	struct session *s = op->session;

	op->card_was = s->card;
	op->carded = 1;
	s->card = (struct buf)BUF_INIT;
	return (buf_add_bytes(&s->card, card));
}

static int
decide_fetch(struct broker *b, struct op *op)
{
	const struct rule *r = rule_find(op->session->dialect);
	enum code code = CODE_OK;
	struct txn t;

	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	if (r->fetch != NULL)
		code = r->fetch(&t, op->msg.f[fetch_what].u,
		    op->msg.f[fetch_prefix].b);
	return (
	    decide_end(op, &t, code == CODE_OK ? fetch_read(op, &t) : code));
}

/* What is in memory after a batch that failed is not in the store. */
static int
decide_sync(struct broker *b, struct op *op)
{
	enum code code;
	struct txn t;

	if (op->doc->loaded) {
		op->seq = op->doc->seq;
		return (0);
	}
	code = decide_begin(b, op, &t) == -1 ? CODE_STORAGE : CODE_OK;
	return (decide_end(op, &t, code));
}

static int
decide_cards(void *arg, size_t i, struct txn_card *c)
{
	struct doc *d = arg;
	struct session *s = TAILQ_FIRST(&d->sessions);
	size_t at = 0;

	/* Rules go from one to the next. */
	if (d->looked != NULL && d->looked_at <= i) {
		s = d->looked;
		at = d->looked_at;
	}
	for (; s != NULL && at < i; at++)
		s = TAILQ_NEXT(s, doc_entry);
	if ((d->looked = s) == NULL)
		return (-1);
	d->looked_at = i;
	*c = (struct txn_card){ s->id, &s->claims, buf_bytes(&s->card) };
	return (0);
}
