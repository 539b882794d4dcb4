/* Components in registers and blobs; what they say is not looked at. */
#include "broker/canvas_store.h"
#include "common/limits.h"

/* Several must fit a FETCHED. */
#define STORE_INLINE_BYTES (64u * KIB)

static int store_put_blob(struct txn *, struct bytes, struct body *);

int
canvas_store_put(struct txn *t, struct bytes key, uint64_t stamp,
    struct bytes stored)
{
	struct body body = BODY_OF(stored);

	if (stored.n > STORE_INLINE_BYTES &&
	    store_put_blob(t, stored, &body) == -1)
		return (-1);
	return (txn_field_put(t, key, stamp, &body));
}

int
canvas_store_get(struct txn *t, struct bytes key, struct buf *stored)
{
	struct field f;
	int r;

	if ((r = txn_field_get(t, key, stored, &f)) != 1 || f.body.blob == 0)
		return (r);
	buf_clear(stored);
	return (
	    txn_blob_read(t, f.body.blob, 0, (size_t)f.body.size, stored) == -1
		? -1
		: 1);
}

int
canvas_store_read(struct txn *t, const struct field *f, struct buf *stored)
{
	buf_clear(stored);
	if (f->body.blob == 0)
		return (buf_add_bytes(stored, f->body.b));
	return (
	    txn_blob_read(t, f->body.blob, 0, (size_t)f->body.size, stored));
}

static int
store_put_blob(struct txn *t, struct bytes stored, struct body *body)
{
	uint32_t slice = 0;
	struct bytes b;

	*body = (struct body){ .size = stored.n };
	if (txn_blob_new(t, &body->blob) == -1)
		return (-1);
	for (; stored.n > 0; stored = bytes_skip(stored, BLOB_SLICE_BYTES)) {
		b = stored;
		if (b.n > BLOB_SLICE_BYTES)
			b.n = BLOB_SLICE_BYTES;
		if (txn_blob_slice(t, body->blob, slice++, b) == -1)
			return (-1);
	}
	return (0);
}
