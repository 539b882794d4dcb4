/*
 * What one operation does to its document, inside the batch's transaction.
 * Everything done here to sessions and documents in memory can be undone
 * (decide_undo), because the batch may still fail.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/lanes.h"
#include "broker/decide_fetch.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/wire.h"

static int decide_begin(struct broker *, struct op *, struct txn *);
static int decide_end(struct op *, struct txn *, enum code);
static int decide_settle_doc(struct broker *, struct doc *);
static int decide_settle(void *, const struct doc_id *);
static int decide_open(struct broker *, struct op *);
static int decide_leave(struct broker *, struct op *);
static int decide_submit(struct broker *, struct op *);
static int decide_signal(struct broker *, struct op *);
static int decide_card(struct broker *, struct op *);
static int decide_fetch(struct broker *, struct op *);
static int decide_blob_put(struct broker *, struct op *);
static int decide_blob_data(struct broker *, struct op *);
static int decide_blob_done(struct broker *, struct op *);
static int decide_sync(struct broker *, struct op *);
static int decide_cards(void *, size_t, struct txn_card *);
static enum code decide_open_check(struct broker *, struct op *,
    struct doc_id *);
static int decide_roster(struct op *, size_t said);
static void decide_attach(struct op *);
static void decide_detach(struct op *);
static int decide_stored(struct op *, uint64_t id, struct finished **);
static struct finished *decide_finished(struct session *, uint64_t id);

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
	/* The document may have been left by an operation before this one. */
	if (op->msg.type != IPC_OPEN && op->session->doc != op->doc) {
		op->code = CODE_BAD_STATE;
		return (0);
	}
	return (deciders[op->msg.type].decide(b, op));
}

int
op_writes(const struct op *op)
{
	return (op->leave || deciders[op->msg.type].writes);
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
	if (op->detached)
		decide_attach(op);
	s->upload = op->upload_was;
	memcpy(s->finished, op->finished_was, sizeof(op->finished_was));
	op->signal = (struct buf)BUF_INIT; /* its octets went back above */
	if (op->doc != NULL)
		op->doc->loaded = op->doc->dirty = 0;
	op->done = op->carded = op->attached = op->detached = op->garbage = 0;
	op->code = CODE_OK;
	buf_free(&op->info);
	buf_free(&op->roster);
	effect_free(op->effects);
	op->effects = NULL;
}

int
decide_save(struct broker *b, struct op_list *batch)
{
	struct op *op;

	TAILQ_FOREACH(op, batch, entry)
		if (op->doc != NULL && decide_settle_doc(b, op->doc) == -1)
			return (-1);
	return (0);
}

static int
decide_settle_doc(struct broker *b, struct doc *d)
{
	struct txn t;
	int r;

	if (!d->dirty)
		return (0);
	txn_init(&t, b->kv, &d->id);
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
	return (decide_settle_doc(b, d));
}

static int
decide_begin(struct broker *b, struct op *op, struct txn *t)
{
	struct session *s = op->session;
	struct doc *d = op->doc;
	struct timespec now;

	txn_init(t, b->kv, &d->id);
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
	t->full = space_refuses(b, s, t, 0) != CODE_OK;
	return (0);
}

static int
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
decide_open(struct broker *b, struct op *op)
{
	const struct rule *r = rule_find(op->session->dialect);
	struct session *s = op->session;
	struct doc_id id;
	struct txn t;

	if ((op->code = decide_open_check(b, op, &id)) != CODE_OK)
		return (0);
	if (s->doc != NULL)
		return (op->code = CODE_BAD_STATE, 0);
	if (op->doc == NULL && (op->doc = doc_get(b, &id)) == NULL)
		return (op->code = CODE_BUSY, 0);
	if (op->doc->hold != DOC_FREE)
		return (op->code = CODE_BUSY, 0);
	if (op->doc->nsessions >= (size_t)b->conf->sessions_per_store_max ||
	    doc_window(b, op->doc) == -1)
		return (op->code = CODE_BUSY, 0);
	buf_clear(&s->card);
	if (buf_add_bytes(&s->card, op->msg.f[open_card].b) == -1)
		return (op->code = CODE_BUSY, 0);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	if (t.row.closed == ROW_CLOSED)
		return (decide_end(op, &t, CODE_STORAGE));
	op->code = r->open == NULL ? CODE_OK : r->open(&t);
	if (op->code == CODE_OK) {
		if (decide_roster(op, t.info.len) == -1)
			t.failed = 1;
		s->has_ring = s->ring_due = 0;
		decide_attach(op);
		op->attached = 1;
		if (r->join != NULL)
			r->join(&t);
	}
	return (decide_end(op, &t, op->code));
}

static enum code
decide_open_check(struct broker *b, struct op *op, struct doc_id *id)
{
	struct session *s = op->session, *o;
	const struct msg *m = &op->msg;
	size_t same = 0;

	id->dialect = s->dialect;
	id->room = (unsigned int)m->f[open_room].u;
	id->name = m->f[open_name].b;
	if (m->f[open_dialect].u != s->dialect || m->f[open_room].u > 255 ||
	    rule_find(s->dialect) == NULL)
		return (CODE_BAD_STATE);
	if (!claims_allow_store(&s->claims, s->dialect, id->name,
		s->dialect == DIALECT_SDS && b->conf->sds_aud_exact))
		return (CODE_WRONG_STORE);
	if (s->claims.sub.n == 0)
		return (CODE_OK);
	TAILQ_FOREACH(o, &b->sessions, entry)
		same +=
		    o->doc != NULL && bytes_eq(o->claims.sub, s->claims.sub);
	return (same >= (size_t)b->conf->sessions_per_subject_max ? CODE_BUSY
								  : CODE_OK);
}

/*
 * The others, before the newcomer is one of them; as many as fit into one
 * message with what the rule says, or large cards would keep everybody out.
 */
static int
decide_roster(struct op *op, size_t said)
{
	size_t most = IPC_FRAME_MAX_BYTES - 1024;
	size_t room = said < most ? most - said : 0;
	struct session *o;
	uint8_t id[8];

	if (room > INFO_MAX_BYTES)
		room = INFO_MAX_BYTES;

	TAILQ_FOREACH(o, &op->doc->sessions, doc_entry) {
		if (o->card.len == 0 ||
		    op->roster.len + o->card.len + 64 > room)
			continue;
		be64_put(id, o->id);
		list_add(&op->roster, bytes_of(id, sizeof(id)));
		list_add(&op->roster, buf_bytes(&o->card));
	}
	return (op->roster.failed ? -1 : 0);
}

static void
decide_attach(struct op *op)
{
	struct session *s = op->session;

	s->doc = op->doc;
	s->state = IPC_OPEN_STATE;
	op->doc->refs++;
	op->doc->nsessions++;
	op->doc->looked = NULL;
	TAILQ_INSERT_TAIL(&op->doc->sessions, s, doc_entry);
	s->refs++;
}

/* The operation keeps its own reference to the document. */
static void
decide_detach(struct op *op)
{
	struct session *s = op->session;

	lanes_leave(s);
	op->doc->looked = NULL;
	TAILQ_REMOVE(&op->doc->sessions, s, doc_entry);
	op->doc->nsessions--;
	op->doc->refs--;
	s->doc = NULL;
	s->state = IPC_GRANTED;
	s->refs--;
}

static int
decide_leave(struct broker *b, struct op *op)
{
	struct session *s = op->session;
	const struct rule *r;
	struct txn t;
	size_t i;

	if (s->doc != op->doc || op->doc == NULL)
		return (0);
	r = rule_find(op->doc->id.dialect);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	/* Their numbers are this document's: in another they are others'. */
	if (s->upload.id != 0 && (s->upload.id & BLOB_SIGNAL) == 0) {
		txn_blob_drop(&t, s->upload.id);
		s->upload = (struct upload){ 0 };
	}
	for (i = 0; i < FINISHED_MAX; i++)
		if (s->finished[i].id != 0 &&
		    (s->finished[i].id & BLOB_SIGNAL) == 0) {
			txn_blob_drop(&t, s->finished[i].id);
			s->finished[i] = (struct finished){ 0 };
		}
	decide_detach(op);
	op->detached = 1;
	if (r->leave != NULL)
		r->leave(&t);
	return (decide_end(op, &t, CODE_OK));
}

static int
decide_submit(struct broker *b, struct op *op)
{
	const struct msg *m = &op->msg;
	const struct rule_verb *v =
	    rule_verb_find(rule_find(op->session->dialect),
		m->f[submit_verb].u);
	struct finished *body, *list;
	struct buf items = BUF_INIT;
	struct submit in;
	struct txn t;
	enum code code;
	int r;

	in = (struct submit){ .verb = m->f[submit_verb].u,
		.ref = m->f[submit_ref].b,
		.author = m->f[submit_author].b,
		.clock = m->f[submit_clock].u,
		.items = m->f[submit_items].b,
		.body = BODY_OF(m->f[submit_body].b),
		.extra = m->f[submit_extra].b };
	if (decide_stored(op, m->f[submit_blob].u, &body) == -1 ||
	    decide_stored(op, m->f[submit_blob2].u, &list) == -1 ||
	    (body != NULL && body == list))
		return (op->code = CODE_INVALID, 0);
	if (list != NULL && list->size > BLOB_ITEMS_MAX_BYTES)
		return (op->code = CODE_TOO_LARGE, 0);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	code = space_refuses(b, op->session, &t,
	    in.body.b.n + in.extra.n + (body == NULL ? 0 : body->size));
	if (code != CODE_OK)
		return (decide_end(op, &t, code));
	if (body != NULL) {
		in.body.blob = body->id;
		in.body.size = body->size;
		*body = (struct finished){ 0 };
	}
	if (list != NULL) {
		txn_blob_read(&t, list->id, 0, (size_t)list->size, &items);
		txn_blob_drop(&t, list->id);
		in.items = buf_bytes(&items);
		*list = (struct finished){ 0 };
	}
	code = v == NULL ? CODE_INVALID : v->decide(&t, &in);
	if (code != CODE_OK && in.body.blob != 0)
		txn_blob_drop(&t, in.body.blob);
	if (code != CODE_OK)
		log_debug("session %llu: %s refused code=%s",
		    (unsigned long long)op->session->id,
		    v == NULL ? "?" : v->name, code_name(code));
	r = decide_end(op, &t, code);
	buf_free(&items);
	return (r);
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
		*f = (struct finished){ 0 };
	}
	return (
	    decide_end(op, &t, v == NULL ? CODE_INVALID : v->decide(&t, &in)));
}

static int
decide_card(struct broker *b, struct op *op)
{
	const struct rule *r = rule_find(op->session->dialect);
	struct session *s = op->session;
	struct txn t;

	op->card_was = s->card;
	op->carded = 1;
	s->card = (struct buf)BUF_INIT;
	if (buf_add_bytes(&s->card, op->msg.f[card_body].b) == -1)
		return (op->code = CODE_BUSY, 0);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	if (r->card != NULL)
		r->card(&t);
	return (decide_end(op, &t, CODE_OK));
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

static int
decide_blob_put(struct broker *b, struct op *op)
{
	struct upload *u = &op->session->upload;
	struct txn t;
	enum code code;
	uint64_t id = 0;

	if (u->id != 0)
		return (op->code = CODE_BAD_STATE, 0);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	code = space_refuses(b, op->session, &t, op->msg.f[blob_put_size].u);
	if (code != CODE_OK)
		return (decide_end(op, &t, code));
	if (!scope_covers(op->session->scope, SCOPE_WRITE))
		return (decide_end(op, &t, CODE_NO_SCOPE));
	if (op->msg.f[blob_put_size].u > BLOB_MAX_BYTES)
		return (decide_end(op, &t, CODE_TOO_LARGE));
	if (txn_create(&t) == 0 && txn_blob_new(&t, &id) == 0)
		*u = (struct upload){ .id = id, .max = BLOB_MAX_BYTES };
	return (decide_end(op, &t, CODE_OK));
}

static int
decide_blob_data(struct broker *b, struct op *op)
{
	struct upload *u = &op->session->upload;
	struct bytes body = op->msg.f[blob_data_body].b;
	struct txn t;
	enum code code;

	if (u->id == 0 || u->closed || body.n == 0)
		return (op->code = CODE_BAD_STATE, 0);
	if (u->size + body.n > u->max)
		return (op->code = CODE_TOO_LARGE, 0);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	code = space_refuses(b, op->session, &t, u->size + body.n);
	if (code != CODE_OK)
		return (decide_end(op, &t, code));
	txn_blob_slice(&t, u->id, u->slices, body);
	u->slices++;
	u->size += body.n;
	u->closed = body.n < BLOB_SLICE_BYTES;
	return (decide_end(op, &t, CODE_OK));
}

static int
decide_blob_done(struct broker *b, struct op *op)
{
	struct session *s = op->session;
	struct finished *f = decide_finished(s, 0);

	(void)b;
	if (s->upload.id == 0 || f == NULL)
		return (op->code = CODE_BAD_STATE, 0);
	*f = (struct finished){ .id = s->upload.id, .size = s->upload.size };
	s->upload = (struct upload){ 0 };
	op->seq = f->id;
	return (0);
}

static int
decide_sync(struct broker *b, struct op *op)
{
	(void)b;
	op->seq = op->doc->seq;
	return (0);
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
	*c = (struct txn_card){ s->id, s->claims.sub, buf_bytes(&s->card) };
	return (0);
}

/* The session's blob of that number, NULL for none (0); a signal's is none. */
static int
decide_stored(struct op *op, uint64_t id, struct finished **f)
{
	*f = id == 0 ? NULL : decide_finished(op->session, id);
	return (id != 0 && (*f == NULL || (id & BLOB_SIGNAL) != 0) ? -1 : 0);
}

static struct finished *
decide_finished(struct session *s, uint64_t id)
{
	size_t i;

	for (i = 0; i < FINISHED_MAX; i++)
		if (s->finished[i].id == id)
			return (&s->finished[i]);
	return (NULL);
}
