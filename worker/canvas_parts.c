/* Found as they come, sorted when a text is made. */
#include <stdlib.h>

#include "worker/canvas_parts.h"

struct canvas_part_found {
	struct canvas_order order;
	size_t place; /* in the order they were fetched */
	size_t off;   /* of the key, the stored form is behind it */
	size_t key_n, stored_n;
};

static int parts_sort(const void *, const void *);
static int parts_same(const struct canvas_part_found *,
    const struct canvas_part_found *);

int
canvas_parts_add(struct canvas_parts *p, struct bytes key, struct bytes stored)
{
	struct canvas_part_found *grown,
	    found = { .place = p->n,
		    .off = p->octets.len,
		    .key_n = key.n,
		    .stored_n = stored.n };
	struct bytes in = stored;
	size_t cap;

	if (p->n == p->cap) {
		cap = p->cap == 0 ? 64 : p->cap * 2;
		if ((grown = realloc(p->found, cap * sizeof(*grown))) == NULL)
			return (-1);
		p->found = grown;
		p->cap = cap;
	}
	if (canvas_order_take(&in, &found.order) == -1 ||
	    buf_add_bytes(&p->octets, key) == -1 ||
	    buf_add_bytes(&p->octets, stored) == -1)
		return (-1);
	p->found[p->n++] = found;
	return (0);
}

int
canvas_parts_text(struct canvas_parts *p, struct buf *b, uint64_t after,
    uint64_t upto)
{
	const struct canvas_part_found *f, *before = NULL;
	const uint8_t *octets = buf_bytes(&p->octets).p;
	size_t i, start;
	int r, some = 0;

	if (p->n > 1)
		qsort(p->found, p->n, sizeof(*p->found), parts_sort);
	for (i = 0; i < p->n; i++) {
		f = &p->found[i];
		if (before != NULL && parts_same(before, f))
			continue;
		before = f;
		start = b->len;
		if (some)
			buf_add_u8(b, ',');
		r = canvas_component_text(b,
		    bytes_of(octets + f->off, f->key_n),
		    bytes_of(octets + f->off + f->key_n, f->stored_n), after,
		    upto);
		if (r == -1)
			return (-1);
		if (r == 0)
			buf_trunc(b, start);
		some |= r;
	}
	return (b->failed ? -1 : some);
}

void
canvas_parts_free(struct canvas_parts *p)
{
	free(p->found);
	buf_free(&p->octets);
	*p = (struct canvas_parts){ 0 };
}

/* By age, and of one that was met twice the newer first. */
static int
parts_sort(const void *va, const void *vb)
{
	const struct canvas_part_found *a = va, *b = vb;

	if (a->order.stamp != b->order.stamp)
		return (a->order.stamp < b->order.stamp ? -1 : 1);
	if (a->order.place != b->order.place)
		return (a->order.place < b->order.place ? -1 : 1);
	return ((a->place < b->place) - (a->place > b->place));
}

static int
parts_same(const struct canvas_part_found *a, const struct canvas_part_found *b)
{
	return (a->order.stamp == b->order.stamp &&
	    a->order.place == b->order.place);
}
