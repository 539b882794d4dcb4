/*
 * The store in memory, for tests of rules and transactions: sorted arrays, and
 * a list of what to put back when a transaction is thrown away.  Nothing is
 * ever durable and nothing is fast with millions of keys.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/lib/kv_mem.h"

struct mem_pair {
	struct bytes key, val; /* owned here, one allocation each */
};

struct mem_table {
	struct mem_pair *pair; /* by key */
	size_t n, cap;
};

/* How it was before: with the old value, or absent. */
struct mem_undo {
	struct mem_undo *next; /* the one made earlier */
	enum kv_table table;
	struct mem_pair old;
	int present;
};

struct mem {
	struct kv kv; /* first: a struct kv * is cast back */
	struct mem_table table[KV_TABLES];
	struct mem_undo *undo;
	int open;
	int broken; /* only abort is left */
};

static int mem_begin(struct kv *);
static int mem_commit(struct kv *);
static void mem_abort(struct kv *);
static int mem_flush(struct kv *);
static int mem_get(struct kv *, enum kv_table, struct bytes, struct buf *);
static int mem_put(struct kv *, enum kv_table, struct bytes, struct bytes);
static int mem_del(struct kv *, enum kv_table, struct bytes);
static int mem_scan(struct kv *, enum kv_table, struct bytes, struct bytes, int,
    kv_each *, void *);
static int mem_compact(struct kv *, enum kv_table, struct bytes, struct bytes);
static void mem_close(struct kv *);
static size_t mem_find(const struct mem_table *, struct bytes);
static int mem_found(const struct mem_table *, size_t, struct bytes);
static struct mem_undo *mem_note(enum kv_table, struct bytes);
static int mem_insert(struct mem_table *, size_t, struct mem_pair);
static void mem_remove(struct mem_table *, size_t);
static void mem_revert(struct mem *, struct mem_undo *);
static int mem_fail(struct mem *, int);
static int mem_copy(struct bytes, struct bytes *);
static void mem_release(struct bytes *);

static const struct kv_ops mem_ops = {
	.begin = mem_begin,
	.commit = mem_commit,
	.abort = mem_abort,
	.flush = mem_flush,
	.get = mem_get,
	.put = mem_put,
	.del = mem_del,
	.scan = mem_scan,
	.compact = mem_compact,
	.close = mem_close,
};

struct kv *
kv_mem_open(void)
{
	struct mem *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	m->kv.ops = &mem_ops;
	return (&m->kv);
}

static int
mem_begin(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;

	if (m->open) {
		errno = EBUSY;
		return (-1);
	}
	m->open = 1;
	kv->changed = 0;
	return (0);
}

static int
mem_commit(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;
	struct mem_undo *u;

	if (!m->open || m->broken) {
		mem_abort(kv);
		errno = EIO;
		return (-1);
	}
	while ((u = m->undo) != NULL) {
		m->undo = u->next;
		mem_release(&u->old.key);
		mem_release(&u->old.val);
		free(u);
	}
	m->open = 0;
	return (0);
}

static void
mem_abort(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;
	struct mem_undo *u;

	while ((u = m->undo) != NULL) {
		m->undo = u->next;
		mem_revert(m, u);
	}
	m->open = 0;
	m->broken = 0;
}

static int
mem_flush(struct kv *kv)
{
	(void)kv;
	return (0);
}

static int
mem_get(struct kv *kv, enum kv_table t, struct bytes key, struct buf *val)
{
	struct mem *m = (struct mem *)kv;
	struct mem_table *table = &m->table[t];
	size_t i = mem_find(table, key);

	buf_clear(val);
	if (!mem_found(table, i, key))
		return (0);
	if (buf_add_bytes(val, table->pair[i].val) == -1)
		return (mem_fail(m, ENOMEM));
	return (1);
}

static int
mem_put(struct kv *kv, enum kv_table t, struct bytes key, struct bytes val)
{
	struct mem *m = (struct mem *)kv;
	struct mem_table *table = &m->table[t];
	struct mem_pair pair = { BYTES_NONE, BYTES_NONE };
	size_t i = mem_find(table, key);
	struct mem_undo *u;

	if (!m->open || m->broken)
		return (mem_fail(m, EINVAL));
	kv->changed = 1;
	if ((u = mem_note(t, key)) == NULL || mem_copy(val, &pair.val) == -1)
		goto err;
	if (mem_found(table, i, key)) {
		u->present = 1;
		u->old.val = table->pair[i].val;
		table->pair[i].val = pair.val;
	} else if (mem_copy(key, &pair.key) == -1 ||
	    mem_insert(table, i, pair) == -1)
		goto err;
	u->next = m->undo;
	m->undo = u;
	return (0);

err:
	mem_release(&pair.key);
	mem_release(&pair.val);
	if (u != NULL)
		mem_release(&u->old.key);
	free(u);
	return (mem_fail(m, ENOMEM));
}

static int
mem_del(struct kv *kv, enum kv_table t, struct bytes key)
{
	struct mem *m = (struct mem *)kv;
	struct mem_table *table = &m->table[t];
	size_t i = mem_find(table, key);
	struct mem_undo *u;

	if (!m->open || m->broken)
		return (mem_fail(m, EINVAL));
	kv->changed = 1;
	if (!mem_found(table, i, key))
		return (0);
	if ((u = calloc(1, sizeof(*u))) == NULL)
		return (mem_fail(m, ENOMEM));
	u->table = t;
	u->present = 1;
	u->old = table->pair[i];
	mem_remove(table, i);
	u->next = m->undo;
	m->undo = u;
	return (0);
}

static int
mem_scan(struct kv *kv, enum kv_table t, struct bytes from, struct bytes to,
    int reverse, kv_each *each, void *arg)
{
	struct mem *m = (struct mem *)kv;
	struct mem_table *table = &m->table[t];
	size_t first = mem_find(table, from), end = mem_find(table, to), i;
	struct mem_pair *p;
	int r;

	for (i = first; i < end; i++) {
		p = &table->pair[reverse ? end - 1 - (i - first) : i];
		if ((r = each(p->key, p->val, arg)) != 0)
			return (r);
	}
	return (0);
}

static int
mem_compact(struct kv *kv, enum kv_table t, struct bytes from, struct bytes to)
{
	(void)kv;
	(void)t;
	(void)from;
	(void)to;
	return (0);
}

static void
mem_close(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;
	struct mem_table *t;
	size_t i;

	mem_abort(kv);
	for (t = m->table; t < m->table + KV_TABLES; t++) {
		for (i = 0; i < t->n; i++) {
			mem_release(&t->pair[i].key);
			mem_release(&t->pair[i].val);
		}
		free(t->pair);
	}
	free(m);
}

/* The first place whose key is not below this one. */
static size_t
mem_find(const struct mem_table *t, struct bytes key)
{
	size_t low = 0, high = t->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (bytes_cmp(t->pair[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return (low);
}

static int
mem_found(const struct mem_table *t, size_t i, struct bytes key)
{
	return (i < t->n && bytes_eq(t->pair[i].key, key));
}

/* An undo that says: this key was absent. */
static struct mem_undo *
mem_note(enum kv_table t, struct bytes key)
{
	struct mem_undo *u;

	if ((u = calloc(1, sizeof(*u))) == NULL)
		return (NULL);
	u->table = t;
	if (mem_copy(key, &u->old.key) == 0)
		return (u);
	free(u);
	return (NULL);
}

static int
mem_insert(struct mem_table *t, size_t i, struct mem_pair pair)
{
	struct mem_pair *p;
	size_t cap;

	if (t->n == t->cap) {
		cap = t->cap == 0 ? 64 : t->cap * 2;
		if ((p = realloc(t->pair, cap * sizeof(*p))) == NULL)
			return (-1);
		t->pair = p;
		t->cap = cap;
	}
	memmove(&t->pair[i + 1], &t->pair[i], (t->n - i) * sizeof(pair));
	t->pair[i] = pair;
	t->n++;
	return (0);
}

static void
mem_remove(struct mem_table *t, size_t i)
{
	t->n--;
	memmove(&t->pair[i], &t->pair[i + 1], (t->n - i) * sizeof(*t->pair));
}

/*
 * Puts one key back and frees the note.  Needs no memory: a key that has gone
 * meanwhile left its room in the table.
 */
static void
mem_revert(struct mem *m, struct mem_undo *u)
{
	struct mem_table *t = &m->table[u->table];
	size_t i = mem_find(t, u->old.key);

	if (mem_found(t, i, u->old.key)) {
		mem_release(&t->pair[i].key);
		mem_release(&t->pair[i].val);
		mem_remove(t, i);
	}
	if (u->present)
		mem_insert(t, i, u->old);
	else
		mem_release(&u->old.key);
	free(u);
}

static int
mem_fail(struct mem *m, int error)
{
	m->broken = m->open;
	errno = error;
	return (-1);
}

/* Never NULL, so that an empty value is not an absent one. */
static int
mem_copy(struct bytes from, struct bytes *to)
{
	uint8_t *p;

	if ((p = malloc(from.n + 1)) == NULL)
		return (-1);
	if (from.n > 0)
		memcpy(p, from.p, from.n);
	*to = bytes_of(p, from.n);
	return (0);
}

static void
mem_release(struct bytes *b)
{
	free((void *)(uintptr_t)b->p); /* ours: bytes has no other owner here */
	*b = BYTES_NONE;
}
