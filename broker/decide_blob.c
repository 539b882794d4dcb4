/*
 * Blobs for the store on their way in, slice by slice (signals' are in
 * handle_blob.c), and those that have come and wait to be named.
 */
#include "broker/decide_parts.h"
#include "broker/quota.h"
#include "common/limits.h"

static enum code blob_refuses(struct broker *, const struct op *, struct txn *,
    uint64_t size);

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
	code = blob_refuses(b, op, &t, op->msg.f[blob_put_size].u);
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
	code = blob_refuses(b, op, &t, u->size + body.n);
	if (code != CODE_OK)
		return (decide_end(op, &t, code));
	txn_blob_slice(&t, u->id, u->slices, body);
	u->slices++;
	u->size += body.n;
	u->closed = body.n < BLOB_SLICE_BYTES;
	return (decide_end(op, &t, CODE_OK));
}

/* Sooner than when it is adopted, and with the same words. */
static enum code
blob_refuses(struct broker *b, const struct op *op, struct txn *t,
    uint64_t size)
{
	enum code code = space_refuses(b, op->session, t, size);

	if (code == CODE_OK && decide_too_large(op->session, size))
		code = CODE_TOO_LARGE;
	return (code == CODE_OK ? quota_refuses(b->conf, op->session, t, size)
				: code);
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
