/*
 * What a worker hands on as a client's patch becomes part of frames that others
 * parse as JSON: whoever packed it, names and values must be what they claim.
 * What they say is the merge's.
 */
#include "broker/canvas_store.h"
#include "common/json.h"
#include "common/wire.h"

static int check_value(const struct canvas_value *);
static int check_list(struct bytes);
static int check_text(struct bytes);

int
canvas_items_ok(struct bytes items)
{
	struct canvas_item i;
	enum canvas_kind_of_item last = CANVAS_ITEM_OBJECT;
	int r;

	if (items.n > 0 && items.p[0] != CANVAS_ITEM_OBJECT)
		return (0);
	while ((r = canvas_item_next(&items, &i)) == 1) {
		/* A field belongs to a key, a name stands between quotes. */
		if ((i.kind == CANVAS_ITEM_FIELD &&
			(last == CANVAS_ITEM_OBJECT ||
			    !check_value(&i.value))) ||
		    !json_raw_ok(i.name))
			return (0);
		last = i.kind;
	}
	return (r == 0);
}

static int
check_value(const struct canvas_value *v)
{
	struct bytes data = v->data;
	struct canvas_run run;
	uint64_t len;

	if (v->type == CANVAS_TEXT)
		return (check_text(data));
	if (v->type == CANVAS_ARRAY)
		return (check_list(data));
	canvas_delta_open(&data, &len);
	while (canvas_delta_next(&data, &run) == 1)
		if (!check_list(run.elements))
			return (0);
	return (1);
}

static int
check_list(struct bytes list)
{
	struct bytes e;

	while (list_next(&list, &e) == 1)
		if (!check_text(e))
			return (0);
	return (1);
}

static int
check_text(struct bytes text)
{
	struct json_report report;
	struct json v;

	return (json_parse(&v, text, JSON_DEPTH_MAX, &report) == 0);
}
