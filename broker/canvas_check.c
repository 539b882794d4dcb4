/*
 * What a worker hands on as a client's patch becomes part of frames that others
 * parse as JSON: whoever packed it, names and values must be what they claim.
 * What they say is the merge's.
 */
#include "broker/canvas_store.h"
#include "common/json.h"
#include "common/wire.h"

struct check {
	canvas_rest *rest;
	void *arg;
	uint64_t items;
};

static void check_rest(struct check *);
static int check_value(struct check *, const struct canvas_value *);
static int check_list(struct check *, struct bytes);
static int check_text(struct check *, struct bytes);

ssize_t
canvas_items_check(struct bytes items, canvas_rest *rest, void *arg)
{
	struct check c = { rest, arg, 0 };
	struct canvas_item i;
	enum canvas_kind_of_item last = CANVAS_ITEM_OBJECT;
	ssize_t keys = 0;
	int r;

	if (items.n > 0 && items.p[0] != CANVAS_ITEM_OBJECT)
		return (-1);
	while ((r = canvas_item_take(&items, &i)) == 1) {
		/* A field belongs to a key, a name stands between quotes. */
		if ((i.kind == CANVAS_ITEM_FIELD &&
			(last == CANVAS_ITEM_OBJECT ||
			    !check_value(&c, &i.value))) ||
		    !json_raw_ok(i.name))
			return (-1);
		last = i.kind;
		keys += i.kind == CANVAS_ITEM_KEY;
		check_rest(&c);
	}
	return (r == 0 ? keys : -1);
}

static void
check_rest(struct check *c)
{
	if (++c->items % CANVAS_REST_ITEMS == 0)
		c->rest(c->arg);
}

static int
check_value(struct check *c, const struct canvas_value *v)
{
	struct bytes data = v->data;
	struct canvas_run run;
	uint64_t len;
	int r;

	if (v->type == CANVAS_TEXT)
		return (check_text(c, data));
	if (v->type == CANVAS_ARRAY)
		return (check_list(c, data));
	if (canvas_delta_open(&data, &len) == -1)
		return (0);
	while ((r = canvas_delta_next(&data, &run)) == 1)
		if (!check_list(c, run.elements))
			return (0);
	return (r == 0);
}

static int
check_list(struct check *c, struct bytes list)
{
	struct bytes e;
	int r;

	while ((r = list_next(&list, &e)) == 1) {
		if (!check_text(c, e))
			return (0);
		check_rest(c);
	}
	return (r == 0);
}

static int
check_text(struct check *c, struct bytes text)
{
	struct json_report report;
	struct json v;

	return (json_parse_resting(&v, text, JSON_DEPTH_MAX, &report, c->rest,
		    c->arg) == 0);
}
