/* Marks and erases documents without a name, and blobs that were dropped. */
#include "broker/garbage.h"
#include "broker/txn_key.h"

/* Rows erased in one transaction, fewer when they are large. */
#define GARBAGE_ROWS	  512u
#define GARBAGE_MAX_BYTES ((size_t)512 * 1024)

/* What is erased: a whole document, or one blob of it. */
struct garbage {
	uint64_t doc;
	uint64_t blob; /* 0: the document */
};

struct garbage_rows {
	struct buf keys; /* each with its length be32 before it */
	size_t n, bytes;
};

static int garbage_put(struct kv *, const struct garbage *);
static int garbage_del(struct kv *, const struct garbage *);
static int garbage_key(struct buf *, const struct garbage *);
static int garbage_find(struct kv *, struct garbage *);
static int garbage_some(struct kv *, const struct garbage *);
static int garbage_table(struct kv *, enum kv_table, struct bytes from,
    struct bytes to);
static kv_each garbage_find_each, garbage_row_each;

int
garbage_mark(struct kv *kv, uint64_t doc)
{
	return (garbage_put(kv, &(struct garbage){ doc, 0 }));
}

int
garbage_unmark(struct kv *kv, uint64_t doc)
{
	return (garbage_del(kv, &(struct garbage){ doc, 0 }));
}

int
garbage_mark_blob(struct kv *kv, uint64_t doc, uint64_t blob)
{
	return (garbage_put(kv, &(struct garbage){ doc, blob }));
}

int
garbage_erase(struct kv *kv)
{
	struct garbage g;
	int r;

	if ((r = garbage_find(kv, &g)) != 1)
		return (r);
	if (kv->ops->begin(kv) == -1)
		return (-1);
	if ((r = garbage_some(kv, &g)) == 0)
		r = garbage_del(kv, &g);
	if (r == -1) {
		kv->ops->abort(kv);
		return (-1);
	}
	return (kv->ops->commit(kv) == -1 ? -1 : 1);
}

static int
garbage_put(struct kv *kv, const struct garbage *g)
{
	struct buf key = BUF_INIT;
	int r = -1;

	if (garbage_key(&key, g) == 0)
		r = kv->ops->put(kv, KV_REG, buf_bytes(&key), BYTES_NONE);
	buf_free(&key);
	return (r);
}

static int
garbage_del(struct kv *kv, const struct garbage *g)
{
	struct buf key = BUF_INIT;
	int r = -1;

	if (garbage_key(&key, g) == 0)
		r = kv->ops->del(kv, KV_REG, buf_bytes(&key));
	buf_free(&key);
	return (r);
}

static int
garbage_key(struct buf *b, const struct garbage *g)
{
	uint8_t pair[KEY_PAIR_BYTES];
	struct bytes name = key_pair(pair, g->doc, g->blob);

	if (g->blob == 0)
		name.n = sizeof(g->doc);
	key_reg(b, 0, KEY_GARBAGE, name);
	return (b->failed ? -1 : 0);
}

static int
garbage_find(struct kv *kv, struct garbage *g)
{
	struct buf from = BUF_INIT, to = BUF_INIT;
	int r = -1;

	key_reg(&from, 0, KEY_GARBAGE, BYTES_NONE);
	key_reg(&to, 0, KEY_GARBAGE + 1, BYTES_NONE);
	if (!from.failed && !to.failed)
		r = kv->ops->scan(kv, KV_REG, buf_bytes(&from), buf_bytes(&to),
		    0, garbage_find_each, g);
	buf_free(&from);
	buf_free(&to);
	return (r);
}

/* 1: rows were erased; 0: there are none left; -1. */
static int
garbage_some(struct kv *kv, const struct garbage *g)
{
	static const enum kv_table tables[] = { KV_LOG, KV_BLOB, KV_STAMP,
		KV_REG };
	uint8_t from[KEY_PAIR_BYTES], to[KEY_PAIR_BYTES];
	size_t i;
	int r = 0;

	if (g->blob != 0) {
		r = garbage_table(kv, KV_BLOB, key_pair(from, g->doc, g->blob),
		    key_pair(to, g->doc, g->blob + 1));
		return (r == 0 ? txn_blob_erase(kv, g->doc, g->blob) : r);
	}
	key_pair(from, g->doc, 0);
	key_pair(to, g->doc + 1, 0);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]) && r == 0; i++)
		r = garbage_table(kv, tables[i], bytes_of(from, sizeof(g->doc)),
		    bytes_of(to, sizeof(g->doc)));
	return (r);
}

static int
garbage_table(struct kv *kv, enum kv_table t, struct bytes from,
    struct bytes to)
{
	struct garbage_rows rows = { BUF_INIT, 0, 0 };
	struct bytes rest;
	int r;

	r = kv->ops->scan(kv, t, from, to, 0, garbage_row_each, &rows);
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
	struct garbage *g = arg;
	struct bytes name = bytes_skip(key, KEY_REG_HEAD_BYTES);

	(void)val;
	if (name.n != sizeof(g->doc) && name.n != KEY_PAIR_BYTES)
		return (-1);
	g->doc = be64_get(name.p);
	g->blob = name.n == KEY_PAIR_BYTES ? be64_get(name.p + 8) : 0;
	return (1);
}

static int
garbage_row_each(struct bytes key, struct bytes val, void *arg)
{
	struct garbage_rows *rows = arg;

	buf_add_be32(&rows->keys, (uint32_t)key.n);
	if (buf_add_bytes(&rows->keys, key) == -1)
		return (-1);
	rows->bytes += val.n;
	return (++rows->n == GARBAGE_ROWS || rows->bytes >= GARBAGE_MAX_BYTES);
}
