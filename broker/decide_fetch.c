/*
 * FETCH: log, registers, blobs and roster as packed entries, as many as the
 * limit allows.  Pulled by the worker, so that nothing queues here.
 */
#include "broker/area.h"
#include "broker/decide_fetch.h"
#include "common/limits.h"
#include "common/wire.h"

struct fetch {
	struct op *op;
	struct txn *t;
	struct buf out;
	size_t limit;
};

static size_t fetch_limit_of(const struct msg *, size_t most);
static int fetch_alone(const struct op *);
static void fetch_place(struct fetch *, const struct msg *);
static enum code fetch_log(struct fetch *, const struct msg *);
static enum code fetch_fields(struct fetch *, const struct msg *);
static enum code fetch_field(struct fetch *, const struct msg *);
static enum code fetch_records(struct fetch *, const struct msg *);
static enum code fetch_blob(struct fetch *, const struct msg *);
static enum code fetch_roster(struct fetch *, const struct msg *);
static int fetch_add(struct fetch *, const struct entry *);
static int fetch_each_record(const struct record *, void *);
static int fetch_each_field(const struct field *, void *);
static int fetch_each_reg(struct bytes, struct bytes, void *);
static void fetch_body(struct entry *, const struct body *);

static enum code (*const fetchers[])(struct fetch *, const struct msg *) = {
	[FETCH_LOG] = fetch_log,
	[FETCH_FIELDS] = fetch_fields,
	[FETCH_FIELD] = fetch_field,
	[FETCH_RECORDS] = fetch_records,
	[FETCH_BLOB] = fetch_blob,
	[FETCH_ROSTER] = fetch_roster,
};

enum code
fetch_read(struct op *op, struct txn *t)
{
	const struct msg *m = &op->msg;
	uint64_t what = m->f[fetch_what].u;
	struct fetch f = { .op = op, .t = t };
	enum code code;

	if (what >= sizeof(fetchers) / sizeof(fetchers[0]) ||
	    fetchers[what] == NULL)
		return (CODE_INVALID);
	f.limit = fetch_limit_of(m, FETCH_MAX_BYTES);
	if (what == FETCH_LOG || what == FETCH_FIELDS)
		fetch_place(&f, m);
	code = fetchers[what](&f, m);
	if (f.out.failed)
		t->failed = 1;
	t->info = f.out; /* larger than a verdict's words may be */
	return (code);
}

static size_t
fetch_limit_of(const struct msg *m, size_t most)
{
	uint64_t asked = m->f[fetch_limit].u;

	return (asked == 0 || asked > most ? most : (size_t)asked);
}

/*
 * In the area, or where chan_send_body puts the answer's head in front: it goes
 * as it is.  A buffer that grew would copy what it has each time.
 */
static void
fetch_place(struct fetch *f, const struct msg *m)
{
	if (m->f[fetch_area].u != 0) {
		f->limit = fetch_limit_of(m,
		    fetch_alone(f->op) ? FETCH_AREA_BYTES : FETCH_PAGE_BYTES);
		if (area_lend(f->op, &f->out))
			return;
		f->limit = fetch_limit_of(m, FETCH_PAGE_BYTES);
	}
	if (buf_room(&f->out, IPC_FRONT_BYTES + f->limit) != NULL)
		f->out.off = IPC_FRONT_BYTES;
}

/* Whoever else is in the batch waits for the answer as well. */
static int
fetch_alone(const struct op *op)
{
	return (op == TAILQ_FIRST(&op->session->broker->batch) &&
	    TAILQ_NEXT(op, entry) == NULL);
}

static enum code
fetch_log(struct fetch *f, const struct msg *m)
{
	uint64_t upto = m->f[fetch_upto].u;

	if (upto == 0 || upto > f->t->seq)
		upto = f->t->seq;
	f->t->wanted = f->limit;
	return (txn_log_scan(f->t, m->f[fetch_after].u, upto, fetch_each_record,
		    f) == -1
		? CODE_STORAGE
		: CODE_OK);
}

static enum code
fetch_fields(struct fetch *f, const struct msg *m)
{
	uint64_t upto = m->f[fetch_upto].u;

	if (upto == 0 || upto > f->t->seq)
		upto = f->t->seq;
	return (txn_field_scan(f->t, m->f[fetch_after].u, upto,
		    m->f[fetch_from].b, fetch_each_field, f) == -1
		? CODE_STORAGE
		: CODE_OK);
}

static enum code
fetch_field(struct fetch *f, const struct msg *m)
{
	struct buf val = BUF_INIT;
	struct field field;
	int r;

	r = txn_field_get(f->t, m->f[fetch_prefix].b, &val, &field);
	if (r == 1) {
		field.key = m->f[fetch_prefix].b;
		field.body.b = buf_bytes(&val);
		fetch_each_field(&field, f);
	}
	buf_free(&val);
	return (r == -1 ? CODE_STORAGE : r == 0 ? CODE_NOT_FOUND : CODE_OK);
}

static enum code
fetch_records(struct fetch *f, const struct msg *m)
{
	return (txn_reg_scan(f->t, m->f[fetch_prefix].b, m->f[fetch_from].b,
		    fetch_each_reg, f) == -1
		? CODE_STORAGE
		: CODE_OK);
}

static enum code
fetch_blob(struct fetch *f, const struct msg *m)
{
	struct entry e = { .blob = m->f[fetch_after].u };
	struct buf octets = BUF_INIT;
	struct signal_blob *s;
	struct bytes all;
	uint64_t off;
	size_t n = f->limit;
	int r = 0;

	if (m->f[fetch_from].b.n != 8)
		return (CODE_INVALID);
	off = be64_get(m->f[fetch_from].b.p);
	if (m->f[fetch_upto].u != 0 && m->f[fetch_upto].u < n)
		n = (size_t)m->f[fetch_upto].u;
	if ((e.blob & BLOB_SIGNAL) != 0) {
		if ((s = doc_blob_find(f->op->doc, e.blob)) == NULL)
			return (CODE_NOT_FOUND);
		all = buf_bytes(&s->body);
		e.body = bytes_skip(all, off > all.n ? all.n : (size_t)off);
		e.body.n = e.body.n > n ? n : e.body.n;
	} else {
		if (off % BLOB_SLICE_BYTES != 0)
			return (CODE_INVALID);
		/* Until it is adopted it is nobody's but its sender's. */
		if ((r = txn_blob_staged(f->t, e.blob)) != 0)
			return (r == 1 ? CODE_NOT_FOUND : CODE_STORAGE);
		r = txn_blob_read(f->t, e.blob, off, n, &octets);
		e.body = buf_bytes(&octets);
	}
	if (r != -1)
		fetch_add(f, &e);
	buf_free(&octets);
	return (r == -1 ? CODE_STORAGE : CODE_OK);
}

static enum code
fetch_roster(struct fetch *f, const struct msg *m)
{
	struct bytes from = m->f[fetch_from].b;
	struct txn_card c;
	struct entry e;
	uint8_t id[8];
	size_t i;

	if (from.n == 8 && f->op->doc->took > be64_get(from.p))
		return (CODE_COMPACTED);
	for (i = (size_t)m->f[fetch_after].u; txn_card(f->t, i, &c) == 0; i++) {
		be64_put(id, c.session);
		e = (struct entry){ .origin = c.session,
			.key = bytes_of(id, sizeof(id)),
			.body = c.card };
		if (fetch_add(f, &e) != 0)
			break;
	}
	return (CODE_OK);
}

static int
fetch_each_record(const struct record *r, void *arg)
{
	struct entry e = { .seq = r->seq,
		.origin = r->origin,
		.time_ms = r->time_ms,
		.kind = r->kind };

	fetch_body(&e, &r->body);
	return (fetch_add(arg, &e));
}

static int
fetch_each_field(const struct field *v, void *arg)
{
	struct entry e = { .seq = v->stamp, .key = v->key };

	fetch_body(&e, &v->body);
	return (fetch_add(arg, &e));
}

static int
fetch_each_reg(struct bytes key, struct bytes val, void *arg)
{
	struct entry e = { .key = key, .body = val };

	return (fetch_add(arg, &e));
}

static void
fetch_body(struct entry *e, const struct body *b)
{
	e->body = b->b;
	if (b->blob != 0) {
		e->flags |= ENTRY_BLOB;
		e->blob = b->blob;
		e->size = b->size;
	}
}

/* As kv_each: 1 stops the scan, the answer is full. */
static int
fetch_add(struct fetch *f, const struct entry *e)
{
	if (f->out.len > 0 &&
	    f->out.len + e->body.n + e->key.n + 64 > f->limit) {
		f->op->more = 1;
		return (1);
	}
	return (entry_pack(&f->out, e) == -1 ? -1 : 0);
}
