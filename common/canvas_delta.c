/*
 * What a delta makes of an array (canvas.md, section 6): so much of what is
 * there, zeros, then runs.
 */
#include <stdlib.h>

#include "common/canvas_merge.h"
#include "common/wire.h"

/* An element and so many octets cost the same. */
#define CANVAS_WORK_OCTETS 32u

static size_t delta_base(struct canvas_merge *, struct bytes *, size_t n,
    const struct canvas_value *);
static int delta_runs(struct canvas_merge *, struct bytes *, size_t n,
    struct bytes runs);
static int delta_store(struct canvas_merge *, struct canvas_part *,
    const struct bytes *, size_t n);

enum canvas_merged
canvas_delta_apply(struct canvas_merge *m, struct canvas_part *p,
    struct bytes runs)
{
	static const struct bytes zero = { (const uint8_t *)"0", 1 };
	struct bytes *element;
	uint64_t len, weight;
	size_t i, base, filled = 0;
	int r = 0;

	if (canvas_delta_open(&runs, &len) == -1 || len > m->limits.delta_max)
		return (CANVAS_MALFORMED);
	weight = len + p->f.value.data.n / CANVAS_WORK_OCTETS;
	if (weight > m->work)
		return (CANVAS_MALFORMED);
	m->work -= weight;
	if ((element = calloc((size_t)len + 1, sizeof(*element))) == NULL)
		return (CANVAS_FAILED);
	base = delta_base(m, element, (size_t)len, &p->f.value);
	if (delta_runs(m, element, (size_t)len, runs) == -1)
		r = CANVAS_MALFORMED;
	for (i = base; i < len; i++)
		if (element[i].p == NULL) {
			element[i] = zero;
			filled++;
		}
	if (r == 0 && filled > m->limits.fill_max)
		r = CANVAS_MALFORMED;
	if (r == 0 && delta_store(m, p, element, (size_t)len) == -1)
		r = CANVAS_FAILED;
	free(element);
	return ((enum canvas_merged)r);
}

/* How many of the first n elements there are already. */
static size_t
delta_base(struct canvas_merge *m, struct bytes *element, size_t n,
    const struct canvas_value *v)
{
	struct bytes list = v->data;
	size_t i = 0;

	if (v->type != CANVAS_ARRAY)
		return (0);
	for (; i < n && list_next(&list, &element[i]) == 1; i++)
		canvas_merge_rest(m);
	return (i);
}

/* What stands outside the array is dropped. */
static int
delta_runs(struct canvas_merge *m, struct bytes *element, size_t n,
    struct bytes runs)
{
	struct canvas_run run;
	struct bytes e;
	int64_t at;
	int r;

	while ((r = canvas_delta_next(&runs, &run)) == 1) {
		at = run.offset;
		while (at < (int64_t)n && list_next(&run.elements, &e) == 1) {
			if (at >= 0)
				element[at] = e;
			at++;
			canvas_merge_rest(m);
		}
	}
	return (r);
}

static int
delta_store(struct canvas_merge *m, struct canvas_part *p,
    const struct bytes *element, size_t n)
{
	struct buf list = BUF_INIT;
	size_t i;

	for (i = 0; i < n; i++) {
		list_add(&list, element[i]);
		canvas_merge_rest(m);
	}
	if (list.failed) {
		buf_free(&list);
		return (-1);
	}
	free(p->own);
	p->own = list.mem;
	p->f.value.type = CANVAS_ARRAY;
	p->f.value.data = buf_bytes(&list);
	return (0);
}
