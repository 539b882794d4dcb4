/* Writes down what was; taking it back is in kv_undo_back.c. */
#include <errno.h>

#include "broker/kv_undo.h"
#include "broker/kv_undo_page.h"

/* A page is taken back, or erased, in one transaction. */
#define PAGE_BYTES 32768u
/* What a change writes beside key and value, of its page and of the log. */
#define KEY_COST 200u
/* A scan is cut into parts of so many rows, with a pause between. */
#define SCAN_ROWS 256u

struct undo_scan {
	struct kv_undo *u;
	kv_each *each;
	void *arg;
	struct buf from;
	size_t rows;
};

static int undo_begin(struct kv *);
static int undo_commit(struct kv *);
static void undo_abort(struct kv *);
static int undo_get(struct kv *, enum kv_table, struct bytes, struct buf *);
static int undo_put(struct kv *, enum kv_table, struct bytes, struct bytes);
static int undo_del(struct kv *, enum kv_table, struct bytes);
static int undo_scan(struct kv *, enum kv_table, struct bytes from,
    struct bytes to, int reverse, kv_each *, void *arg);
static kv_each undo_scan_each;
static int undo_ready(struct kv_undo *);
static int undo_change(struct kv_undo *, enum kv_table, struct bytes key);
static int undo_shared(enum kv_table, struct bytes key);
static int undo_whole(struct kv_undo *);
static int undo_note(struct kv_undo *, enum kv_table, struct bytes key);
static int undo_page(struct kv_undo *);

static const struct kv_ops undo_ops = {
	.begin = undo_begin,
	.commit = undo_commit,
	.abort = undo_abort,
	.get = undo_get,
	.put = undo_put,
	.del = undo_del,
	.scan = undo_scan,
};

void
kv_undo_init(struct kv_undo *u, struct kv *base, void (*pause)(void *),
    void *arg)
{
	memset(u, 0, sizeof(*u));
	u->kv.ops = &undo_ops;
	u->base = base;
	u->pause = pause;
	u->arg = arg;
}

void
kv_undo_free(struct kv_undo *u)
{
	buf_free(&u->page);
	buf_free(&u->old);
}

void
kv_undo_start(struct kv_undo *u)
{
	u->pages = 0;
	u->failed = 0;
	buf_clear(&u->page);
}

int
kv_undo_keep(struct kv_undo *u)
{
	uint8_t key[UNDO_KEY_BYTES];

	if (u->pages == 0)
		return (0);
	return (u->base->ops->del(u->base, KV_REG, undo_key(key, 0)));
}

static int
undo_begin(struct kv *kv)
{
	struct kv_undo *u = (struct kv_undo *)kv;

	return (u->base->ops->begin(u->base));
}

static int
undo_commit(struct kv *kv)
{
	struct kv_undo *u = (struct kv_undo *)kv;

	if (u->failed || undo_page(u) == -1) {
		undo_abort(kv);
		return (-1);
	}
	if (u->base->ops->commit(u->base) == 0)
		return (0);
	u->failed = 1;
	return (-1);
}

static void
undo_abort(struct kv *kv)
{
	struct kv_undo *u = (struct kv_undo *)kv;

	u->failed = 1;
	buf_clear(&u->page);
	u->base->ops->abort(u->base);
}

static int
undo_get(struct kv *kv, enum kv_table t, struct bytes key, struct buf *val)
{
	struct kv_undo *u = (struct kv_undo *)kv;

	if (undo_ready(u) == -1)
		return (-1);
	return (u->base->ops->get(u->base, t, key, val));
}

static int
undo_put(struct kv *kv, enum kv_table t, struct bytes key, struct bytes val)
{
	struct kv_undo *u = (struct kv_undo *)kv;

	if (undo_change(u, t, key) == -1)
		return (-1);
	u->bytes += KEY_COST + key.n + val.n;
	return (u->base->ops->put(u->base, t, key, val));
}

static int
undo_del(struct kv *kv, enum kv_table t, struct bytes key)
{
	struct kv_undo *u = (struct kv_undo *)kv;

	if (undo_change(u, t, key) == -1)
		return (-1);
	return (u->base->ops->del(u->base, t, key));
}

/* Backwards they are for the last few, and one part. */
static int
undo_scan(struct kv *kv, enum kv_table t, struct bytes from, struct bytes to,
    int reverse, kv_each *each, void *arg)
{
	struct kv_undo *u = (struct kv_undo *)kv;
	struct undo_scan s = { .u = u, .each = each, .arg = arg };
	int r;

	if (undo_ready(u) == -1)
		return (-1);
	if (reverse)
		return (u->base->ops->scan(u->base, t, from, to, 1, each, arg));
	do {
		s.rows = 0;
		u->scans++;
		r = u->base->ops->scan(u->base, t, from, to, 0, undo_scan_each,
		    &s);
		u->scans--;
		from = buf_bytes(&s.from);
	} while (r == 1 && s.rows == SCAN_ROWS && undo_ready(u) == 0);
	if (u->failed)
		r = -1;
	buf_free(&s.from);
	return (r);
}

/* The row after which a part ends is where the next begins. */
static int
undo_scan_each(struct bytes key, struct bytes val, void *arg)
{
	struct undo_scan *s = arg;
	int r = s->each(key, val, s->arg);

	if (r != 0)
		return (s->rows = 0, r);
	if (++s->rows < SCAN_ROWS)
		return (0);
	buf_clear(&s->from);
	buf_add_bytes(&s->from, key);
	return (buf_add_u8(&s->from, 0) == -1 ? -1 : 1);
}

/* A pause may end this transaction and begin another, or fail to. */
static int
undo_ready(struct kv_undo *u)
{
	if (u->scans == 0 && !u->failed)
		u->pause(u->arg);
	return (undo_whole(u));
}

static int
undo_whole(struct kv_undo *u)
{
	if (!u->failed)
		return (0);
	errno = EIO;
	return (-1);
}

/* Before each.  What is shared is changed in the part that has read it. */
static int
undo_change(struct kv_undo *u, enum kv_table t, struct bytes key)
{
	if (undo_shared(t, key))
		return (undo_whole(u));
	return (undo_ready(u) == -1 ? -1 : undo_note(u, t, key));
}

/* Registers and counters of no document are all documents'. */
static int
undo_shared(enum kv_table t, struct bytes key)
{
	return (t == KV_REG && key.n > 8 && be64_get(key.p) == 0 &&
	    (key.p[8] == 'r' || key.p[8] == 'c'));
}

static int
undo_note(struct kv_undo *u, enum kv_table t, struct bytes key)
{
	int had = u->base->ops->get(u->base, t, key, &u->old);

	if (had == -1)
		return (-1);
	u->bytes += key.n + u->old.len;
	buf_add_u8(&u->page, (uint8_t)t);
	buf_add_u8(&u->page, (uint8_t)had);
	buf_add_be32(&u->page, (uint32_t)key.n);
	buf_add_bytes(&u->page, key);
	buf_add_be32(&u->page, had ? (uint32_t)u->old.len : 0);
	if (had)
		buf_add_bytes(&u->page, buf_bytes(&u->old));
	if (u->page.failed) {
		u->failed = 1;
		return (-1);
	}
	return (u->page.len < PAGE_BYTES ? 0 : undo_page(u));
}

static int
undo_page(struct kv_undo *u)
{
	uint8_t key[UNDO_KEY_BYTES];

	if (u->page.len == 0)
		return (0);
	if ((u->pages == 0 &&
		u->base->ops->put(u->base, KV_REG, undo_key(key, 0),
		    BYTES_NONE) == -1) ||
	    u->base->ops->put(u->base, KV_REG, undo_key(key, ++u->pages),
		buf_bytes(&u->page)) == -1) {
		u->failed = 1;
		return (-1);
	}
	buf_clear(&u->page);
	return (0);
}
