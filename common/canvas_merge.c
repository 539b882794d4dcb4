/*
 * Merging: which fields a patch replaces, and what a tombstone is.  What a
 * delta makes of an array is canvas_delta.c's.
 */
#include <stdlib.h>

#include <sodium.h>

#include "common/canvas_merge.h"

/* A request may move so many times the longest array. */
#define CANVAS_WORK 4u
/* Of the smallest index, a power of two. */
#define MERGE_SLOTS ((size_t)16)
/* Of a value, at a time. */
#define MERGE_COPY_BYTES ((size_t)1024 * 1024)

static const struct bytes canvas_exists = { (const uint8_t *)"_exists", 7 };

static enum canvas_merged merge_key(struct canvas_merge *, struct bytes *rest,
    struct bytes key, uint64_t stamp, uint64_t place);
static struct bytes merge_exists(struct bytes rest);
static enum canvas_merged merge_fields(struct canvas_merge *,
    struct canvas_component *, struct bytes *rest, uint64_t stamp);
static enum canvas_merged merge_field(struct canvas_merge *,
    struct canvas_component *, const struct canvas_item *, uint64_t stamp);
static struct canvas_part *merge_part(struct canvas_component *, struct bytes);
static void merge_bury(struct canvas_component *, uint64_t stamp);
static void merge_clear(struct canvas_component *);

static struct canvas_component *merge_load(struct canvas_merge *, struct bytes);
static int merge_unpack(struct canvas_component *);
static void merge_copy(struct canvas_merge *, struct buf *, struct bytes);
static int merge_index(struct canvas_merge *, size_t slots);
static size_t *merge_slot(const struct canvas_merge *, struct bytes key);
static void component_free(struct canvas_component *);

void
canvas_merge_init(struct canvas_merge *m, const struct canvas_limits *limits,
    canvas_load *load, void *arg)
{
	memset(m, 0, sizeof(*m));
	m->limits = *limits;
	m->load = load;
	m->arg = arg;
	m->work = CANVAS_WORK * limits->delta_max;
}

int
canvas_merge_expect(struct canvas_merge *m, size_t n)
{
	size_t slots = MERGE_SLOTS;

	while (slots / 2 < n)
		slots *= 2;
	return (slots > m->slots ? merge_index(m, slots) : 0);
}

void
canvas_merge_free(struct canvas_merge *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		component_free(m->component[i]);
		canvas_merge_rest(m);
	}
	free(m->component);
	free(m->slot);
	memset(m, 0, sizeof(*m));
}

enum canvas_merged
canvas_merge(struct canvas_merge *m, struct bytes items, uint64_t stamp)
{
	enum canvas_merged r = CANVAS_MERGED;
	struct canvas_item i;
	uint64_t place = 0;
	int objects = 0, got = 1;

	while (
	    r == CANVAS_MERGED && (got = canvas_item_take(&items, &i)) == 1) {
		if (i.kind == CANVAS_ITEM_OBJECT)
			objects = 1;
		else if (i.kind == CANVAS_ITEM_KEY && objects)
			r = merge_key(m, &items, i.name, stamp, place++);
		else
			return (CANVAS_MALFORMED);
	}
	return (got == -1 ? CANVAS_MALFORMED : r);
}

struct canvas_component *
canvas_merge_find(struct canvas_merge *m, struct bytes key)
{
	struct canvas_component *c;
	size_t *slot;

	if (canvas_merge_expect(m, m->n + 1) == -1)
		return (NULL);
	slot = merge_slot(m, key);
	if (*slot != 0)
		return (m->component[*slot - 1]);
	if ((c = merge_load(m, key)) == NULL)
		return (NULL);
	m->component[m->n++] = c;
	*slot = m->n;
	return (c);
}

/* One from an old snapshot may lack the field: it is live. */
int
canvas_component_live(const struct canvas_component *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (bytes_eq(c->part[i].f.name, canvas_exists))
			return (!bytes_eq(c->part[i].f.value.data,
			    BYTES_LIT("false")));
	return (c->there);
}

int
canvas_component_pack(struct canvas_merge *m, struct buf *b,
    const struct canvas_component *c)
{
	size_t i;

	canvas_order_add(b, &c->order);
	for (i = 0; i < c->n; i++) {
		canvas_field_begin(b, &c->part[i].f);
		merge_copy(m, b, c->part[i].f.value.data);
	}
	return (b->failed ? -1 : 0);
}

void
canvas_merge_rest(struct canvas_merge *m)
{
	if (++m->items % CANVAS_REST_ITEMS == 0 && m->rest != NULL)
		m->rest(m->arg);
}

/* What is large costs a page fault for every page. */
static void
merge_copy(struct canvas_merge *m, struct buf *b, struct bytes from)
{
	size_t n;

	if (from.n > MERGE_COPY_BYTES)
		(void)buf_room(b, from.n);
	for (; from.n > 0; from = bytes_skip(from, n)) {
		n = from.n < MERGE_COPY_BYTES ? from.n : MERGE_COPY_BYTES;
		buf_add(b, from.p, n);
		if (n == MERGE_COPY_BYTES && m->rest != NULL)
			m->rest(m->arg);
	}
}

/* The fields of the key are taken off rest, whatever becomes of them. */
static enum canvas_merged
merge_key(struct canvas_merge *m, struct bytes *rest, struct bytes key,
    uint64_t stamp, uint64_t place)
{
	struct bytes exists = merge_exists(*rest);
	int dies = bytes_eq(exists, BYTES_LIT("false"));
	int born = bytes_eq(exists, BYTES_LIT("true"));
	struct canvas_component *c;

	/* No client removes one, but undoing its first change says so. */
	if (dies && bytes_start(key, BYTES_LIT("SINGLETON/")))
		return (merge_fields(m, NULL, rest, stamp));
	if ((c = canvas_merge_find(m, key)) == NULL)
		return (CANVAS_FAILED);
	if (!c->there && (born || dies))
		c->order = (struct canvas_order){ stamp, place };
	if (dies) {
		merge_bury(c, stamp);
		return (c->n == 0 ? CANVAS_FAILED
				  : merge_fields(m, NULL, rest, stamp));
	}
	if (!c->there || !canvas_component_live(c)) {
		if (!born)
			return (merge_fields(m, NULL, rest, stamp));
		merge_clear(c);
		c->there = 1;
	}
	return (merge_fields(m, c, rest, stamp));
}

/* What the next key's fields say of _exists, if it is a boolean. */
static struct bytes
merge_exists(struct bytes rest)
{
	struct canvas_item i;

	while (canvas_item_take(&rest, &i) == 1 && i.kind == CANVAS_ITEM_FIELD)
		if (bytes_eq(i.name, canvas_exists))
			return (i.value.type == CANVAS_TEXT ? i.value.data
							    : BYTES_NONE);
	return (BYTES_NONE);
}

/* c NULL: passes over them. */
static enum canvas_merged
merge_fields(struct canvas_merge *m, struct canvas_component *c,
    struct bytes *rest, uint64_t stamp)
{
	enum canvas_merged r = CANVAS_MERGED;
	struct bytes before = *rest;
	struct canvas_item i;
	int got;

	while ((got = canvas_item_take(rest, &i)) == 1 &&
	    i.kind == CANVAS_ITEM_FIELD) {
		canvas_merge_rest(m);
		if (c != NULL &&
		    (r = merge_field(m, c, &i, stamp)) != CANVAS_MERGED)
			return (r);
		before = *rest;
	}
	*rest = before;
	return (got == -1 ? CANVAS_MALFORMED : CANVAS_MERGED);
}

static enum canvas_merged
merge_field(struct canvas_merge *m, struct canvas_component *c,
    const struct canvas_item *i, uint64_t stamp)
{
	struct canvas_part *p;

	if ((p = merge_part(c, i->name)) == NULL)
		return (c->n >= CANVAS_FIELDS_MAX ? CANVAS_MALFORMED
						  : CANVAS_FAILED);
	p->f.stamp = stamp;
	c->changed = 1;
	if (i->value.type == CANVAS_DELTA)
		return (canvas_delta_apply(m, p, i->value.data));
	free(p->own);
	p->own = NULL;
	p->f.value = i->value;
	return (CANVAS_MERGED);
}

/* Clients name fields in one order, so the next is looked at first. */
static struct canvas_part *
merge_part(struct canvas_component *c, struct bytes name)
{
	struct canvas_part *p;
	size_t i, at;

	for (i = 0; i < c->n; i++) {
		at = (c->hint + i) % c->n;
		if (bytes_eq(c->part[at].f.name, name)) {
			c->hint = at + 1;
			return (&c->part[at]);
		}
	}
	if (c->n >= CANVAS_FIELDS_MAX)
		return (NULL);
	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 4 : c->cap * 2;

		if ((p = realloc(c->part, cap * sizeof(*p))) == NULL)
			return (NULL);
		c->part = p;
		c->cap = cap;
	}
	p = &c->part[c->n++];
	*p =
	    (struct canvas_part){ .f.name = name, .f.value.type = CANVAS_TEXT };
	c->hint = c->n;
	return (p);
}

static void
merge_bury(struct canvas_component *c, uint64_t stamp)
{
	struct canvas_part *p;

	merge_clear(c);
	if ((p = merge_part(c, canvas_exists)) == NULL)
		return;
	p->f.stamp = stamp;
	p->f.value.data = BYTES_LIT("false");
	c->there = c->changed = 1;
}

static void
merge_clear(struct canvas_component *c)
{
	while (c->n > 0)
		free(c->part[--c->n].own);
	c->hint = 0;
}

static struct canvas_component *
merge_load(struct canvas_merge *m, struct bytes key)
{
	struct canvas_component *c, **grown;
	int r = 0;

	if (m->n == m->cap) {
		size_t cap = m->cap == 0 ? 8 : m->cap * 2;

		grown = realloc(m->component, cap * sizeof(*grown));
		if (grown == NULL)
			return (NULL);
		m->component = grown;
		m->cap = cap;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	c->key = key;
	if (m->load != NULL)
		r = m->load(m->arg, key, &c->loaded);
	if (r == -1 || (r == 1 && merge_unpack(c) == -1)) {
		component_free(c);
		return (NULL);
	}
	return (c);
}

static int
merge_unpack(struct canvas_component *c)
{
	struct bytes in = buf_bytes(&c->loaded);
	struct canvas_field f;
	struct canvas_part *p;
	int r;

	if (canvas_order_take(&in, &c->order) == -1)
		return (-1);
	while ((r = canvas_field_next(&in, &f)) == 1) {
		if ((p = merge_part(c, f.name)) == NULL)
			return (-1);
		p->f = f;
	}
	c->there = 1;
	c->hint = 0;
	return (r);
}

static int
merge_index(struct canvas_merge *m, size_t slots)
{
	size_t i;

	free(m->slot);
	m->slots = 0;
	if ((m->slot = calloc(slots, sizeof(*m->slot))) == NULL)
		return (-1);
	m->slots = slots;
	for (i = 0; i < m->n; i++)
		*merge_slot(m, m->component[i]->key) = i + 1;
	return (0);
}

/* A keyed hash: keys are chosen by strangers. */
static size_t *
merge_slot(const struct canvas_merge *m, struct bytes key)
{
	static uint8_t secret[crypto_shorthash_KEYBYTES];
	static int keyed;
	uint8_t h[crypto_shorthash_BYTES];
	size_t at;

	if (!keyed) {
		randombytes_buf(secret, sizeof(secret));
		keyed = 1;
	}
	crypto_shorthash(h, key.p == NULL ? h : key.p, key.n, secret);
	at = (size_t)be64_get(h) & (m->slots - 1);
	while (m->slot[at] != 0 &&
	    !bytes_eq(m->component[m->slot[at] - 1]->key, key))
		at = (at + 1) & (m->slots - 1);
	return (&m->slot[at]);
}

static void
component_free(struct canvas_component *c)
{
	merge_clear(c);
	free(c->part);
	buf_free(&c->loaded);
	free(c);
}
