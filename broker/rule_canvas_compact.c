/*
 * What of a canvas room's log nobody needs (canvas.md, section 9): every patch,
 * after the grace time in which a slow client may fetch it.  What it did is in
 * the stamped registers, tombstones too, and those stay.
 */
#include "broker/rule.h"

static int canvas_begin(struct txn *, uint64_t, void *);
static int canvas_droppable(struct txn *, const struct record *, void *);

const struct rule_compact compact_canvas = {
	.size = sizeof(uint64_t),
	.begin = canvas_begin,
	.droppable = canvas_droppable,
};

static int
canvas_begin(struct txn *t, uint64_t before_ms, void *state)
{
	uint64_t *before = state;

	(void)t;
	*before = before_ms;
	return (0);
}

static int
canvas_droppable(struct txn *t, const struct record *r, void *state)
{
	const uint64_t *before = state;

	(void)t;
	return (r->time_ms < *before);
}
