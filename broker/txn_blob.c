/*
 * Blobs: bodies too large for one message, in slices.  A blob is staged, that
 * is marked in the store's own registers, until something adopts it; what a
 * crash left staged is thrown away at the next start.
 */

#include "common/limits.h"
#include "common/log.h"
#include "broker/chain.h"
#include "broker/garbage.h"
#include "broker/txn_key.h"

/* document be64, blob be64, slice be32 */
#define SLICE_KEY_BYTES 20u
#define DIGEST_BYTES	(4 + CHAIN_BYTES)
/* How many blobs the sweep throws away in one transaction. */
#define SWEEP_BATCH 16u
/* How many slices are looked up at a time to be erased. */
#define ERASE_BATCH 64u
/* A blob of more is not erased at once when it is dropped. */
#define DROP_SLICES_MAX 16u

struct blob_read {
	struct buf *out;
	size_t left;
};

struct blob_slices {
	uint32_t slice[ERASE_BATCH];
	size_t n;
};

struct blob_sweep {
	uint64_t doc[SWEEP_BATCH], blob[SWEEP_BATCH];
	size_t n;
};

static struct bytes blob_slice_key(uint8_t *, uint64_t, uint64_t, uint32_t);
static int blob_mark_key(struct buf *, uint64_t, uint64_t);
static int blob_digest_key(struct buf *, uint64_t, uint64_t);
static int blob_drop_later(struct txn *, uint64_t);
static int blob_digest_read(struct txn *, uint64_t, uint8_t *);
static kv_each blob_read_each;
static kv_each blob_erase_each;
static int blob_sweep_some(struct kv *, struct blob_sweep *);
static kv_each blob_sweep_each;

int
txn_blob_new(struct txn *tx, uint64_t *blob)
{
	if (txn_create(tx) == -1 ||
	    txn_counter(tx, tx->doc, BYTES_LIT("blob"), blob) == -1)
		return (-1);
	if (blob_mark_key(&tx->key, tx->doc, *blob) == -1)
		return (txn_fail(tx));
	return (txn_check(tx,
	    tx->kv->ops->put(tx->kv, KV_REG, buf_bytes(&tx->key), BYTES_NONE)));
}

int
txn_blob_slice(struct txn *tx, uint64_t blob, uint32_t slice, struct bytes b)
{
	uint8_t key[SLICE_KEY_BYTES], digest[DIGEST_BYTES];

	if (b.n > BLOB_SLICE_BYTES || txn_blob_staged(tx, blob) != 1 ||
	    blob_digest_read(tx, blob, digest) == -1 ||
	    slice != be32_get(digest))
		return (txn_fail(tx));
	be32_put(digest, slice + 1);
	chain_slice(digest + 4, slice, b);
	if (tx->kv->ops->put(tx->kv, KV_REG, buf_bytes(&tx->key),
		bytes_of(digest, sizeof(digest))) == -1)
		return (txn_fail(tx));
	return (txn_check(tx,
	    tx->kv->ops->put(tx->kv, KV_BLOB,
		blob_slice_key(key, tx->doc, blob, slice), b)));
}

int
txn_blob_digest(struct txn *tx, uint64_t blob, uint8_t out[CHAIN_BYTES])
{
	uint8_t digest[DIGEST_BYTES];

	if (blob_digest_read(tx, blob, digest) == -1)
		return (txn_fail(tx));
	memcpy(out, digest + 4, CHAIN_BYTES);
	return (0);
}

int
txn_blob_keep(struct txn *tx, uint64_t blob)
{
	if (blob_mark_key(&tx->key, tx->doc, blob) == -1)
		return (txn_fail(tx));
	return (txn_check(tx,
	    tx->kv->ops->del(tx->kv, KV_REG, buf_bytes(&tx->key))));
}

int
txn_blob_staged(struct txn *tx, uint64_t blob)
{
	int r;

	if (blob_mark_key(&tx->key, tx->doc, blob) == -1)
		return (txn_fail(tx));
	r = tx->kv->ops->get(tx->kv, KV_REG, buf_bytes(&tx->key), &tx->pack);
	return (r == -1 ? txn_fail(tx) : r);
}

int
txn_blob_drop(struct txn *tx, uint64_t blob)
{
	uint8_t digest[DIGEST_BYTES];

	if (tx->doc == 0)
		return (0);
	if (blob_digest_read(tx, blob, digest) == -1)
		return (txn_fail(tx));
	if (be32_get(digest) > DROP_SLICES_MAX)
		return (blob_drop_later(tx, blob));
	return (txn_check(tx, txn_blob_erase(tx->kv, tx->doc, blob)));
}

/*
 * Erasing a large one takes seconds, which are everybody's: it becomes what
 * nobody has adopted, so that none may read it, and garbage.
 */
static int
blob_drop_later(struct txn *tx, uint64_t blob)
{
	struct txn *t;

	if (blob_mark_key(&tx->key, tx->doc, blob) == -1 ||
	    tx->kv->ops->put(tx->kv, KV_REG, buf_bytes(&tx->key), BYTES_NONE) ==
		-1 ||
	    garbage_mark_blob(tx->kv, tx->doc, blob) == -1)
		return (txn_fail(tx));
	for (t = tx; t != NULL; t = t->parent)
		t->garbage = 1;
	return (0);
}

int
txn_blob_read(struct txn *tx, uint64_t blob, uint64_t off, size_t n,
    struct buf *out)
{
	struct blob_read s = { out, n };
	uint8_t from[SLICE_KEY_BYTES], to[KEY_PAIR_BYTES];

	if (tx->doc == 0 || n == 0 || off / BLOB_SLICE_BYTES > UINT32_MAX)
		return (0);
	if (off % BLOB_SLICE_BYTES != 0)
		return (txn_fail(tx));
	blob_slice_key(from, tx->doc, blob, (uint32_t)(off / BLOB_SLICE_BYTES));
	if (tx->kv->ops->scan(tx->kv, KV_BLOB, bytes_of(from, sizeof(from)),
		key_pair(to, tx->doc, blob + 1), 0, blob_read_each, &s) == -1)
		return (txn_fail(tx));
	return (0);
}

int
txn_blob_sweep(struct kv *kv)
{
	struct blob_sweep s;
	size_t total = 0;

	do {
		if (kv->ops->begin(kv) == -1)
			return (-1);
		if (blob_sweep_some(kv, &s) == -1) {
			kv->ops->abort(kv);
			return (-1);
		}
		if (kv->ops->commit(kv) == -1)
			return (-1);
		total += s.n;
	} while (s.n > 0);
	if (total == 0)
		return (0);
	log_info("store: %zu staged blobs thrown away", total);
	return (kv->ops->flush(kv));
}

/*
 * Slices are looked up, not counted: their numbers are a worker's, and one
 * slice with a great number must not cost as much as all below it.
 */
int
txn_blob_erase(struct kv *kv, uint64_t doc, uint64_t blob)
{
	struct buf mark = BUF_INIT;
	struct blob_slices s;
	uint8_t key[SLICE_KEY_BYTES], to[KEY_PAIR_BYTES];
	size_t i;
	int r;

	do {
		s.n = 0;
		if (kv->ops->scan(kv, KV_BLOB,
			blob_slice_key(key, doc, blob, 0),
			key_pair(to, doc, blob + 1), 0, blob_erase_each,
			&s) == -1)
			return (-1);
		for (i = 0; i < s.n; i++)
			if (kv->ops->del(kv, KV_BLOB,
				blob_slice_key(key, doc, blob, s.slice[i])) ==
			    -1)
				return (-1);
	} while (s.n == ERASE_BATCH);
	if ((r = blob_mark_key(&mark, doc, blob)) == 0)
		r = kv->ops->del(kv, KV_REG, buf_bytes(&mark));
	if (r == 0 && (r = blob_digest_key(&mark, doc, blob)) == 0)
		r = kv->ops->del(kv, KV_REG, buf_bytes(&mark));
	buf_free(&mark);
	return (r);
}

static struct bytes
blob_slice_key(uint8_t *key, uint64_t doc, uint64_t blob, uint32_t slice)
{
	key_pair(key, doc, blob);
	be32_put(key + KEY_PAIR_BYTES, slice);
	return (bytes_of(key, SLICE_KEY_BYTES));
}

/* The mark of a staged blob, among the registers of document 0. */
static int
blob_mark_key(struct buf *b, uint64_t doc, uint64_t blob)
{
	uint8_t pair[KEY_PAIR_BYTES];

	key_reg(b, 0, KEY_STAGED, key_pair(pair, doc, blob));
	return (b->failed ? -1 : 0);
}

static int
blob_digest_key(struct buf *b, uint64_t doc, uint64_t blob)
{
	uint8_t be[8];

	be64_put(be, blob);
	key_reg(b, doc, KEY_DIGEST, bytes_of(be, sizeof(be)));
	return (b->failed ? -1 : 0);
}

/* Leaves the key in tx->key; zeros before the first slice.  0, -1. */
static int
blob_digest_read(struct txn *tx, uint64_t blob, uint8_t *digest)
{
	int r = -1;

	if (blob_digest_key(&tx->key, tx->doc, blob) == 0)
		r = tx->kv->ops->get(tx->kv, KV_REG, buf_bytes(&tx->key),
		    &tx->pack);
	if (r == -1 || (r == 1 && tx->pack.len != DIGEST_BYTES))
		return (-1);
	if (r == 1)
		memcpy(digest, buf_bytes(&tx->pack).p, DIGEST_BYTES);
	else
		memset(digest, 0, DIGEST_BYTES);
	return (0);
}

static int
blob_read_each(struct bytes key, struct bytes val, void *arg)
{
	struct blob_read *s = arg;

	(void)key;
	if (val.n > s->left)
		val.n = s->left;
	if (buf_add_bytes(s->out, val) == -1)
		return (-1);
	s->left -= val.n;
	return (s->left == 0);
}

static int
blob_erase_each(struct bytes key, struct bytes val, void *arg)
{
	struct blob_slices *s = arg;

	(void)val;
	if (key.n != SLICE_KEY_BYTES)
		return (-1);
	s->slice[s->n++] = be32_get(key.p + KEY_PAIR_BYTES);
	return (s->n == ERASE_BATCH);
}

static int
blob_sweep_some(struct kv *kv, struct blob_sweep *s)
{
	struct buf low = BUF_INIT, high = BUF_INIT;
	int r = -1;
	size_t i;

	s->n = 0;
	key_reg(&low, 0, KEY_STAGED, BYTES_NONE);
	key_reg(&high, 0, KEY_STAGED + 1, BYTES_NONE);
	if (!low.failed && !high.failed)
		r = kv->ops->scan(kv, KV_REG, buf_bytes(&low), buf_bytes(&high),
		    0, blob_sweep_each, s);
	buf_free(&low);
	buf_free(&high);
	for (i = 0; r != -1 && i < s->n; i++)
		r = txn_blob_erase(kv, s->doc[i], s->blob[i]);
	return (r == -1 ? -1 : 0);
}

static int
blob_sweep_each(struct bytes key, struct bytes val, void *arg)
{
	struct blob_sweep *s = arg;

	(void)val;
	if (key.n != KEY_REG_HEAD_BYTES + KEY_PAIR_BYTES)
		return (-1);
	s->doc[s->n] = be64_get(key.p + KEY_REG_HEAD_BYTES);
	s->blob[s->n] = be64_get(key.p + KEY_REG_HEAD_BYTES + 8);
	s->n++;
	return (s->n == SWEEP_BATCH);
}
