/*
 * Changes and signals on their way to the broker.  What is too large for one
 * message goes first as a blob, slice by slice as the link takes it; everything
 * said after it waits behind it in c->ops, and the client is not read.
 */
#include "common/limits.h"
#include "common/log.h"
#include "worker/conn_internal.h"

/* Of our own blobs: a dialect's tags have the top bit clear. */
#define SUBMIT_TAG	   ((uint64_t)1 << 63)
#define SUBMIT_AHEAD_BYTES (256u * KIB)

/* The fields of a message that may travel as blobs, largest use first. */
struct submit_part {
	unsigned type;
	unsigned field; /* the octets */
	unsigned blob;	/* the blob's id instead */
};

static const struct submit_part submit_parts[] = {
	{ IPC_SUBMIT, submit_body, submit_blob },
	{ IPC_SUBMIT, submit_items, submit_blob2 },
	{ IPC_SIGNAL, signal_body, signal_blob },
};

#define SUBMIT_PARTS (sizeof(submit_parts) / sizeof(submit_parts[0]))

static void submit_send(struct conn *, const struct msg *);
static void submit_refused(struct conn *, const struct msg *, enum code);
static size_t submit_size(const struct msg *);
static const struct submit_part *submit_next(const struct msg *);
static void submit_begin(struct conn *, const struct msg *,
    const struct submit_part *);
static int submit_feed(struct conn *, const struct msg *);

void
conn_submit(struct conn *c, const struct submit_out *s)
{
	struct msg m = MSG(SUBMIT);

	m.f[submit_tag].u = s->tag;
	m.f[submit_verb].u = s->verb;
	m.f[submit_ref].b = s->ref;
	m.f[submit_author].b = s->author;
	m.f[submit_clock].u = s->clock;
	m.f[submit_items].b = s->items;
	m.f[submit_body].b = s->body;
	m.f[submit_extra].b = s->extra;
	m.f[submit_blob].u = s->blob;
	c->reader.submits++;
	submit_send(c, &m);
}

void
conn_signal(struct conn *c, uint64_t verb, struct bytes ref,
    struct bytes author, struct bytes body)
{
	struct msg m = MSG(SIGNAL);

	m.f[signal_verb].u = verb;
	m.f[signal_ref].b = ref;
	m.f[signal_author].b = author;
	m.f[signal_body].b = body;
	submit_send(c, &m);
}

void
conn_sync(struct conn *c, uint64_t tag)
{
	struct msg m = MSG(SYNC);

	m.f[sync_tag].u = tag;
	c->reader.submits++;
	link_send(c, &m);
}

void
conn_blob_put(struct conn *c, uint64_t tag, uint64_t size)
{
	struct msg m = MSG(BLOB_PUT);

	m.f[blob_put_tag].u = tag;
	m.f[blob_put_size].u = size;
	m.f[blob_put_keep].u = 1;
	link_send(c, &m);
}

void
conn_blob_data(struct conn *c, struct bytes b)
{
	struct msg m = MSG(BLOB_DATA);

	while (b.n > 0) {
		m.f[blob_data_body].b = bytes_of(b.p,
		    b.n < BLOB_SLICE_BYTES ? b.n : BLOB_SLICE_BYTES);
		link_send(c, &m);
		b = bytes_skip(b, BLOB_SLICE_BYTES);
	}
}

void
conn_blob_done(struct conn *c, uint64_t tag)
{
	struct msg m = MSG(BLOB_DONE);

	m.f[blob_done_tag].u = tag;
	c->reader.submits++;
	link_send(c, &m);
}

int
submit_step(struct conn *c)
{
	struct kept *k = TAILQ_FIRST(&c->ops);
	const struct submit_part *part;

	if (k == NULL || c->lost || again_waits(c) ||
	    chan_pending(&c->link) > CONN_HIGH_BYTES)
		return (0);
	if (c->blob.tag != 0)
		return (submit_feed(c, &k->m));
	if ((part = submit_next(&k->m)) != NULL) {
		submit_begin(c, &k->m, part);
		return (1);
	}
	TAILQ_REMOVE(&c->ops, k, entry);
	if (chan_send(&c->link, &k->m) == -1) {
		log_warn("%s: %s not sent", c->peer, ipc_name(k->m.type));
		conn_drop(c);
	}
	again_sent(c, k);
	return (1);
}

int
submit_verdict(struct conn *c, const struct msg *v)
{
	struct kept *k = TAILQ_FIRST(&c->ops);
	enum code code = (enum code)v->f[verdict_code].u;
	size_t i;

	if ((v->f[verdict_tag].u & SUBMIT_TAG) == 0)
		return (0);
	/* A blob refused early may be refused again at its end. */
	if (k == NULL || v->f[verdict_tag].u != c->blob.tag)
		return (1);
	c->blob.tag = 0;
	if (code != CODE_OK) {
		submit_refused(c, &k->m, code);
		kept_remove(&c->ops, k);
		return (1);
	}
	for (i = 0; i < SUBMIT_PARTS; i++)
		if (submit_parts[i].type == k->m.type &&
		    submit_parts[i].field == c->blob.field)
			k->m.f[submit_parts[i].blob].u = v->f[verdict_seq].u;
	k->m.f[c->blob.field].b = BYTES_NONE;
	return (1);
}

/* What never reached a rule is answered like a verdict; a signal has none. */
static void
submit_refused(struct conn *c, const struct msg *m, enum code code)
{
	struct msg v = MSG(VERDICT);

	log_debug("%s: %s refused: %s", c->peer, ipc_name(m->type),
	    code_name(code));
	if (m->type != IPC_SUBMIT)
		return;
	v.f[verdict_tag].u = m->f[submit_tag].u;
	v.f[verdict_code].u = code;
	if (reader_verdict(c, &v) == -1)
		conn_drop(c);
}

static void
submit_send(struct conn *c, const struct msg *m)
{
	if (submit_size(m) <= INLINE_MAX_BYTES) {
		link_send(c, m);
		return;
	}
	if (submit_next(m) == NULL) {
		submit_refused(c, m, CODE_TOO_LARGE);
		return;
	}
	if (!c->lost && kept_add(&c->ops, m) == NULL) {
		log_warn("%s: large message", c->peer);
		conn_drop(c);
	}
}

static size_t
submit_size(const struct msg *m)
{
	const struct ipc_row *row = ipc_row(m->type);
	size_t total = 0;
	unsigned int i;

	for (i = 0; i < row->nfields; i++)
		if (row->field[i].type == IPC_BYTES)
			total += m->f[i].b.n;
	return (total);
}

/* The next field that must become a blob; NULL: it fits, or none would help. */
static const struct submit_part *
submit_next(const struct msg *m)
{
	size_t i;

	if (m->type != IPC_SUBMIT && m->type != IPC_SIGNAL)
		return (NULL);
	if (submit_size(m) <= INLINE_MAX_BYTES)
		return (NULL);
	for (i = 0; i < SUBMIT_PARTS; i++)
		if (submit_parts[i].type == m->type &&
		    m->f[submit_parts[i].field].b.n > 0)
			return (&submit_parts[i]);
	return (NULL);
}

static void
submit_begin(struct conn *c, const struct msg *m,
    const struct submit_part *part)
{
	struct msg put = MSG(BLOB_PUT);

	c->blob.tag = SUBMIT_TAG | ++c->blob.next;
	c->blob.sent = 0;
	c->blob.done = 0;
	c->blob.field = part->field;
	put.f[blob_put_tag].u = c->blob.tag;
	put.f[blob_put_size].u = m->f[part->field].b.n;
	put.f[blob_put_keep].u = m->type == IPC_SUBMIT;
	if (chan_send(&c->link, &put) == -1)
		conn_drop(c);
}

/* One slice, or the end; 0 while the link is full or the verdict awaited. */
static int
submit_feed(struct conn *c, const struct msg *m)
{
	struct bytes left = bytes_skip(m->f[c->blob.field].b, c->blob.sent);
	struct msg data = MSG(BLOB_DATA), done = MSG(BLOB_DONE);
	int sent;

	if (c->blob.done || chan_pending(&c->link) > SUBMIT_AHEAD_BYTES)
		return (0);
	if (left.n > BLOB_SLICE_BYTES)
		left.n = BLOB_SLICE_BYTES;
	c->blob.done = left.n == 0;
	c->blob.sent += left.n;
	data.f[blob_data_body].b = left;
	done.f[blob_done_tag].u = c->blob.tag;
	sent = chan_send(&c->link, c->blob.done ? &done : &data);
	if (sent == -1)
		conn_drop(c);
	return (1);
}
