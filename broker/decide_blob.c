/*
 * Blobs for the store on their way in, slice by slice (signals' are in
 * handle_blob.c), and those that have come and wait to be named.
 */
#include "broker/decide_parts.h"
#include "broker/quota.h"
#include "common/limits.h"

/* Octets that nothing has adopted yet, of all sessions. */
struct staged {
	uint64_t doc, subject;
};

static enum code blob_refuses(struct broker *, const struct op *, struct txn *,
    uint64_t more);
static struct staged staged_sum(struct broker *, const struct session *);
static uint64_t staged_by(const struct session *);
static void staging_begin(struct session *);

int
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
	if (op->msg.f[blob_put_size].u > BLOB_MAX_BYTES)
		return (decide_end(op, &t, CODE_TOO_LARGE));
	code = blob_refuses(b, op, &t, op->msg.f[blob_put_size].u);
	if (code != CODE_OK)
		return (decide_end(op, &t, code));
	if (!scope_covers(op->session->scope, SCOPE_WRITE))
		return (decide_end(op, &t, CODE_NO_SCOPE));
	if (txn_create(&t) == 0 && txn_blob_new(&t, &id) == 0)
		*u = (struct upload){ .id = id, .max = BLOB_MAX_BYTES };
	return (decide_end(op, &t, CODE_OK));
}

int
decide_blob_data(struct broker *b, struct op *op)
{
	struct upload *u = &op->session->upload;
	struct bytes body = op->msg.f[blob_data_body].b;
	struct txn t;
	enum code code;

	if (u->id == 0 || (u->id & BLOB_SIGNAL) != 0 || u->closed ||
	    body.n == 0)
		return (op->code = CODE_BAD_STATE, 0);
	if (u->size + body.n > u->max)
		return (op->code = CODE_TOO_LARGE, 0);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	code = blob_refuses(b, op, &t, body.n);
	if (code != CODE_OK)
		return (decide_end(op, &t, code));
	txn_blob_slice(&t, u->id, u->slices, body);
	u->slices++;
	u->size += body.n;
	staging_begin(op->session);
	u->closed = body.n < BLOB_SLICE_BYTES;
	return (decide_end(op, &t, CODE_OK));
}

/*
 * Sooner than when it is adopted, and with the same words; what else is staged
 * counts, or many who adopt nothing would fill the disk.
 */
static enum code
blob_refuses(struct broker *b, const struct op *op, struct txn *t,
    uint64_t more)
{
	struct session *s = op->session;
	struct staged sum = staged_sum(b, s);
	enum code code = space_refuses(b, op, t, sum.doc + more);

	if (code == CODE_OK && decide_too_large(op, s->upload.size + more))
		code = CODE_TOO_LARGE;
	return (
	    code == CODE_OK ? quota_refuses(s, t, sum.subject + more) : code);
}

/* In the session's document, and by its subject. */
static struct staged
staged_sum(struct broker *b, const struct session *of)
{
	struct session *s, *next;
	struct staged sum = { 0 };
	uint64_t n;

	for (s = LIST_FIRST(&b->staging); s != NULL; s = next) {
		next = LIST_NEXT(s, staging_entry);
		if ((n = staged_by(s)) == 0)
			staging_end(s);
		sum.doc += s->doc == of->doc ? n : 0;
		sum.subject += s->subject == of->subject ? n : 0;
	}
	return (sum);
}

static uint64_t
staged_by(const struct session *s)
{
	uint64_t n = (s->upload.id & BLOB_SIGNAL) == 0 ? s->upload.size : 0;
	size_t i;

	for (i = 0; i < FINISHED_MAX; i++)
		if ((s->finished[i].id & BLOB_SIGNAL) == 0)
			n += s->finished[i].size;
	return (n);
}

static void
staging_begin(struct session *s)
{
	if (!s->staging)
		LIST_INSERT_HEAD(&s->broker->staging, s, staging_entry);
	s->staging = 1;
}

void
staging_end(struct session *s)
{
	if (s->staging)
		LIST_REMOVE(s, staging_entry);
	s->staging = 0;
}

int
decide_blob_done(struct broker *b, struct op *op)
{
	struct session *s = op->session;
	struct finished *f = decide_finished(s, 0);

	(void)b;
	if (s->upload.id == 0 || (s->upload.id & BLOB_SIGNAL) != 0 || f == NULL)
		return (op->code = CODE_BAD_STATE, 0);
	*f = (struct finished){ .id = s->upload.id, .size = s->upload.size };
	s->upload = (struct upload){ 0 };
	op->seq = f->id;
	return (0);
}

int
decide_stored(struct op *op, uint64_t id, struct finished **f)
{
	*f = id == 0 ? NULL : decide_finished(op->session, id);
	return (id != 0 && (*f == NULL || (id & BLOB_SIGNAL) != 0) ? -1 : 0);
}

struct finished *
decide_finished(struct session *s, uint64_t id)
{
	size_t i;

	for (i = 0; i < FINISHED_MAX; i++)
		if (s->finished[i].id == id)
			return (&s->finished[i]);
	return (NULL);
}
