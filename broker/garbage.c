/* Marks and erases documents without a name. */
#include "broker/garbage.h"
#include "broker/txn_key.h"

/* Rows erased in one transaction. */
#define GARBAGE_ROWS 512u

struct garbage_rows {
	struct buf keys; /* each with its length be32 before it */
	size_t n;
};

static int garbage_key(struct buf *, uint64_t doc);
static int garbage_find(struct kv *, uint64_t *doc);
static int garbage_some(struct kv *, uint64_t doc);
static int garbage_table(struct kv *, enum kv_table, uint64_t doc);
static kv_each garbage_find_each, garbage_row_each;

int
garbage_mark(struct kv *kv, uint64_t doc)
{
	struct buf key = BUF_INIT;
	int r = -1;

	if (garbage_key(&key, doc) == 0)
		r = kv->ops->put(kv, KV_REG, buf_bytes(&key), BYTES_NONE);
	buf_free(&key);
	return (r);
}

int
garbage_unmark(struct kv *kv, uint64_t doc)
{
	struct buf key = BUF_INIT;
	int r = -1;

	if (garbage_key(&key, doc) == 0)
		r = kv->ops->del(kv, KV_REG, buf_bytes(&key));
	buf_free(&key);
	return (r);
}

int
garbage_erase(struct kv *kv)
{
	uint64_t doc;
	int r;

	if ((r = garbage_find(kv, &doc)) != 1)
		return (r);
	if (kv->ops->begin(kv) == -1)
		return (-1);
	if ((r = garbage_some(kv, doc)) == 0)
		r = garbage_unmark(kv, doc);
	if (r == -1) {
		kv->ops->abort(kv);
		return (-1);
	}
	return (kv->ops->commit(kv) == -1 ? -1 : 1);
}

static int
garbage_key(struct buf *b, uint64_t doc)
{
	uint8_t be[8];

	be64_put(be, doc);
	key_reg(b, 0, KEY_GARBAGE, bytes_of(be, sizeof(be)));
	return (b->failed ? -1 : 0);
}

static int
garbage_find(struct kv *kv, uint64_t *doc)
{
	struct buf from = BUF_INIT, to = BUF_INIT;
	int r = -1;

	key_reg(&from, 0, KEY_GARBAGE, BYTES_NONE);
	key_reg(&to, 0, KEY_GARBAGE + 1, BYTES_NONE);
	if (!from.failed && !to.failed)
		r = kv->ops->scan(kv, KV_REG, buf_bytes(&from), buf_bytes(&to),
		    0, garbage_find_each, doc);
	buf_free(&from);
	buf_free(&to);
	return (r);
}

/* 1: rows were erased; 0: there are none left; -1. */
static int
garbage_some(struct kv *kv, uint64_t doc)
{
	static const enum kv_table tables[] = { KV_LOG, KV_BLOB, KV_STAMP,
		KV_REG };
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]) && r == 0; i++)
		r = garbage_table(kv, tables[i], doc);
	return (r);
}

static int
garbage_table(struct kv *kv, enum kv_table t, uint64_t doc)
{
	struct garbage_rows rows = { BUF_INIT, 0 };
	uint8_t from[8], to[8];
	struct bytes rest;
	int r;

	be64_put(from, doc);
	be64_put(to, doc + 1);
	r = kv->ops->scan(kv, t, bytes_of(from, 8), bytes_of(to, 8), 0,
	    garbage_row_each, &rows);
	for (rest = buf_bytes(&rows.keys); r != -1 && rest.n > 0;) {
		size_t n = be32_get(rest.p);

		rest = bytes_skip(rest, 4);
		if (kv->ops->del(kv, t, bytes_of(rest.p, n)) == -1)
			r = -1;
		rest = bytes_skip(rest, n);
	}
	buf_free(&rows.keys);
	return (r == -1 ? -1 : rows.n > 0);
}

static int
garbage_find_each(struct bytes key, struct bytes val, void *arg)
{
	(void)val;
	if (key.n != KEY_REG_HEAD_BYTES + 8)
		return (-1);
	*(uint64_t *)arg = be64_get(key.p + KEY_REG_HEAD_BYTES);
	return (1);
}

static int
garbage_row_each(struct bytes key, struct bytes val, void *arg)
{
	struct garbage_rows *rows = arg;

	(void)val;
	buf_add_be32(&rows->keys, (uint32_t)key.n);
	if (buf_add_bytes(&rows->keys, key) == -1)
		return (-1);
	return (++rows->n == GARBAGE_ROWS);
}
