/*
 * The row of a document in the table of names: its id, its newest number, what
 * was dropped, what it holds, and the head of the chain.
 *
 *   version octet (3), document be64, number be64, oldest be64, records be64,
 *   bytes be64, fresh be64, looked be64, closed be64, chain
 *
 * Every change of the document moves it, so a batch writes it once at its end
 * (row_later); a handle on its own writes it at once.
 */
#include "broker/garbage.h"
#include "broker/txn_key.h"

#define ROW_VERSION 3
#define ROW_NUMBERS 8u
#define ROW_BYTES   (1 + 8 * ROW_NUMBERS + CHAIN_BYTES)

#define ROW_KEY_HEAD 5u

static int row_key(const struct doc_id *, struct buf *);
static kv_each row_each;
static int row_read(struct txn *, struct bytes);

int
txn_row_load(struct txn *tx)
{
	struct buf key = BUF_INIT;
	int r = -1;

	if (row_key(&tx->name, &key) == 0)
		r = tx->kv->ops->get(tx->kv, KV_NAME, buf_bytes(&key),
		    &tx->tmp);
	buf_free(&key);
	if (r == -1)
		return (txn_fail(tx));
	return (r == 0 ? 0 : row_read(tx, buf_bytes(&tx->tmp)));
}

int
txn_row_touch(struct txn *tx)
{
	tx->row_dirty = 1;
	return (tx->row_later ? 0 : txn_row_save(tx));
}

int
txn_row_count(struct txn *tx, uint64_t came, uint64_t went)
{
	struct txn_row *row = &tx->row;

	row->bytes += came;
	row->fresh += came;
	row->bytes -= went > row->bytes ? row->bytes : went;
	return (txn_row_touch(tx));
}

int
txn_row_save(struct txn *tx)
{
	const struct txn_row *row = &tx->row;
	const uint64_t number[ROW_NUMBERS] = { tx->doc, tx->seq, row->oldest,
		row->records, row->bytes, row->fresh, row->looked,
		row->closed };
	struct buf key = BUF_INIT;
	uint8_t val[ROW_BYTES];
	size_t i;
	int r;

	if (!tx->row_dirty)
		return (0);
	val[0] = ROW_VERSION;
	for (i = 0; i < ROW_NUMBERS; i++)
		be64_put(val + 1 + 8 * i, number[i]);
	memcpy(val + 1 + 8 * ROW_NUMBERS, row->chain, CHAIN_BYTES);
	if ((r = row_key(&tx->name, &key)) == 0)
		r = tx->kv->ops->put(tx->kv, KV_NAME, buf_bytes(&key),
		    bytes_of(val, sizeof(val)));
	buf_free(&key);
	if (r == -1)
		return (txn_fail(tx));
	tx->row_dirty = 0;
	return (0);
}

int
txn_doc_next(struct kv *kv, struct buf *at, struct doc_id *id)
{
	struct buf from = BUF_INIT;
	struct bytes key;
	int r = -1;

	buf_add_bytes(&from, buf_bytes(at));
	if (from.len > 0)
		buf_add_u8(&from, 0); /* the next possible key */
	if (!from.failed)
		r = kv->ops->scan(kv, KV_NAME, buf_bytes(&from),
		    BYTES_LIT("\xff"), 0, row_each, at);
	buf_free(&from);
	if (r == 1) {
		key = buf_bytes(at);
		id->dialect = (enum dialect_id)key.p[0];
		id->room = be32_get(key.p + 1);
		id->name = bytes_skip(key, ROW_KEY_HEAD);
	}
	return (r);
}

int
txn_row_drop(struct txn *tx)
{
	struct buf key = BUF_INIT;
	int r;

	if ((r = row_key(&tx->name, &key)) == 0)
		r = tx->kv->ops->del(tx->kv, KV_NAME, buf_bytes(&key));
	buf_free(&key);
	tx->row_dirty = 0;
	return (txn_check(tx, r));
}

int
txn_drop(struct txn *tx)
{
	struct txn *t;

	if (tx->doc == 0)
		return (0);
	if (garbage_mark(tx->kv, tx->doc) == -1)
		return (txn_fail(tx));
	tx->doc = tx->seq = 0;
	memset(&tx->row, 0, sizeof(tx->row));
	for (t = tx; t != NULL; t = t->parent)
		t->garbage = 1;
	return (txn_row_drop(tx));
}

static int
row_key(const struct doc_id *id, struct buf *key)
{
	buf_add_u8(key, (uint8_t)id->dialect);
	buf_add_be32(key, (uint32_t)id->room);
	return (buf_add_bytes(key, id->name));
}

static int
row_each(struct bytes key, struct bytes val, void *arg)
{
	struct buf *at = arg;

	(void)val;
	if (key.n < ROW_KEY_HEAD)
		return (-1);
	buf_clear(at);
	return (buf_add_bytes(at, key) == -1 ? -1 : 1);
}

static int
row_read(struct txn *tx, struct bytes val)
{
	uint64_t *const number[ROW_NUMBERS] = { &tx->doc, &tx->seq,
		&tx->row.oldest, &tx->row.records, &tx->row.bytes,
		&tx->row.fresh, &tx->row.looked, &tx->row.closed };
	size_t i;

	if (val.n != ROW_BYTES || val.p[0] != ROW_VERSION)
		return (txn_corrupt(tx, "row", 0, "bad size or version"));
	for (i = 0; i < ROW_NUMBERS; i++)
		*number[i] = be64_get(val.p + 1 + 8 * i);
	memcpy(tx->row.chain, val.p + 1 + 8 * ROW_NUMBERS, CHAIN_BYTES);
	return (1);
}
