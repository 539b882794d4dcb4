/*
 * The packed forms of canvas.h and their JSON texts.  What a patch does to a
 * component is canvas_merge.c's.
 */
#include "common/canvas.h"
#include "common/utf8.h"
#include "common/wire.h"

static int canvas_octet(struct bytes *, uint8_t *);
static int canvas_value_take(struct bytes *, struct canvas_value *);
static int canvas_value_ok(const struct canvas_value *);
static int canvas_list_ok(struct bytes);
static int canvas_array_text(struct buf *, struct bytes);
static int canvas_delta_text(struct buf *, struct bytes);
static void canvas_name_text(struct buf *, struct bytes);

int
canvas_item_add(struct buf *b, const struct canvas_item *i)
{
	buf_add_u8(b, (uint8_t)i->kind);
	if (i->kind == CANVAS_ITEM_OBJECT)
		return (b->failed ? -1 : 0);
	list_add(b, i->name);
	if (i->kind == CANVAS_ITEM_FIELD) {
		buf_add_u8(b, (uint8_t)i->value.type);
		list_add(b, i->value.data);
	}
	return (b->failed ? -1 : 0);
}

int
canvas_item_next(struct bytes *in, struct canvas_item *i)
{
	struct bytes b = *in;
	int r = canvas_item_take(&b, i);

	if (r == 1 && i->kind == CANVAS_ITEM_FIELD &&
	    !canvas_value_ok(&i->value))
		return (-1);
	*in = b;
	return (r);
}

int
canvas_item_take(struct bytes *in, struct canvas_item *i)
{
	struct bytes b = *in;
	uint8_t kind;

	if (b.n == 0)
		return (0);
	if (canvas_octet(&b, &kind) == -1 || kind < CANVAS_ITEM_OBJECT ||
	    kind > CANVAS_ITEM_FIELD)
		return (-1);
	i->kind = (enum canvas_kind_of_item)kind;
	i->name = BYTES_NONE;
	if (kind != CANVAS_ITEM_OBJECT &&
	    (list_next(&b, &i->name) != 1 || !utf8_valid(i->name) ||
		i->name.n > (kind == CANVAS_ITEM_KEY ? CANVAS_KEY_MAX
						     : CANVAS_NAME_MAX)))
		return (-1);
	if (kind == CANVAS_ITEM_FIELD && canvas_value_take(&b, &i->value) == -1)
		return (-1);
	*in = b;
	return (1);
}

int
canvas_delta_begin(struct buf *b, uint64_t len)
{
	return (buf_add_varint(b, len));
}

/* The sign goes into the lowest bit. */
int
canvas_delta_add(struct buf *b, const struct canvas_run *r)
{
	uint64_t u = (uint64_t)r->offset;

	buf_add_varint(b, r->offset < 0 ? ~u << 1 | 1 : u << 1);
	return (list_add(b, r->elements));
}

int
canvas_delta_open(struct bytes *data, uint64_t *len)
{
	return (bytes_varint(data, len));
}

int
canvas_delta_next(struct bytes *data, struct canvas_run *r)
{
	struct bytes b = *data;
	uint64_t u;

	if (b.n == 0)
		return (0);
	if (bytes_varint(&b, &u) == -1 || list_next(&b, &r->elements) != 1)
		return (-1);
	r->offset = (u & 1) != 0 ? -(int64_t)(u >> 1) - 1 : (int64_t)(u >> 1);
	*data = b;
	return (1);
}

int
canvas_items_text(struct buf *b, struct bytes items)
{
	struct canvas_item i;
	enum canvas_kind_of_item last = 0;
	int r;

	buf_add_u8(b, '[');
	while ((r = canvas_item_next(&items, &i)) == 1) {
		if (i.kind == CANVAS_ITEM_OBJECT) {
			buf_add_str(b,
			    last == 0			     ? "{"
				: last == CANVAS_ITEM_OBJECT ? "},{"
							     : "}},{");
		} else if (i.kind == CANVAS_ITEM_KEY && last != 0) {
			if (last != CANVAS_ITEM_OBJECT)
				buf_add_str(b, "},");
			canvas_name_text(b, i.name);
			buf_add_u8(b, '{');
		} else if (i.kind == CANVAS_ITEM_FIELD &&
		    last > CANVAS_ITEM_OBJECT) {
			if (last == CANVAS_ITEM_FIELD)
				buf_add_u8(b, ',');
			canvas_name_text(b, i.name);
			if (canvas_value_text(b, &i.value) == -1)
				return (-1);
		} else {
			return (-1);
		}
		last = i.kind;
	}
	buf_add_str(b,
	    last == 0			     ? "]"
		: last == CANVAS_ITEM_OBJECT ? "}]"
					     : "}}]");
	return (r == -1 || b->failed ? -1 : 0);
}

int
canvas_value_text(struct buf *b, const struct canvas_value *v)
{
	switch (v->type) {
	case CANVAS_TEXT:
		return (buf_add_bytes(b, v->data));
	case CANVAS_ARRAY:
		return (canvas_array_text(b, v->data));
	case CANVAS_DELTA:
		return (canvas_delta_text(b, v->data));
	}
	return (-1);
}

int
canvas_order_add(struct buf *b, const struct canvas_order *o)
{
	buf_add_varint(b, o->stamp);
	return (buf_add_varint(b, o->place));
}

int
canvas_order_take(struct bytes *in, struct canvas_order *o)
{
	return (bytes_varint(in, &o->stamp) == -1 ||
		    bytes_varint(in, &o->place) == -1
		? -1
		: 0);
}

int
canvas_field_add(struct buf *b, const struct canvas_field *f)
{
	canvas_field_begin(b, f);
	return (buf_add_bytes(b, f->value.data));
}

int
canvas_field_begin(struct buf *b, const struct canvas_field *f)
{
	list_add(b, f->name);
	buf_add_varint(b, f->stamp);
	buf_add_u8(b, (uint8_t)f->value.type);
	return (buf_add_varint(b, f->value.data.n));
}

int
canvas_field_next(struct bytes *in, struct canvas_field *f)
{
	struct bytes b = *in;

	if (b.n == 0)
		return (0);
	if (list_next(&b, &f->name) != 1 || bytes_varint(&b, &f->stamp) == -1 ||
	    canvas_value_take(&b, &f->value) == -1)
		return (-1);
	*in = b;
	return (1);
}

int
canvas_component_text(struct buf *b, struct bytes key, struct bytes stored,
    uint64_t after, uint64_t upto)
{
	struct canvas_order order;
	struct canvas_field f;
	size_t start = b->len, n = 0;
	int r;

	if (canvas_order_take(&stored, &order) == -1)
		return (-1);
	canvas_name_text(b, key);
	buf_add_u8(b, '{');
	while ((r = canvas_field_next(&stored, &f)) == 1) {
		if (f.stamp <= after || f.stamp > upto)
			continue;
		if (n++ > 0)
			buf_add_u8(b, ',');
		canvas_name_text(b, f.name);
		if (canvas_value_text(b, &f.value) == -1)
			return (-1);
	}
	buf_add_u8(b, '}');
	if (r == -1 || b->failed)
		return (-1);
	if (n == 0)
		buf_trunc(b, start);
	return (n > 0);
}

int
canvas_card_add(struct buf *b, struct bytes key, struct bytes component)
{
	list_add(b, key);
	return (list_add(b, component));
}

int
canvas_card_next(struct bytes *in, struct bytes *key, struct bytes *component)
{
	int r = list_next(in, key);

	return (r != 1 ? r : list_next(in, component) == 1 ? 1 : -1);
}

static int
canvas_octet(struct bytes *in, uint8_t *v)
{
	if (in->n == 0)
		return (-1);
	*v = in->p[0];
	*in = bytes_skip(*in, 1);
	return (0);
}

static int
canvas_value_take(struct bytes *in, struct canvas_value *v)
{
	uint8_t type;

	if (canvas_octet(in, &type) == -1 || type < CANVAS_TEXT ||
	    type > CANVAS_DELTA || list_next(in, &v->data) != 1)
		return (-1);
	v->type = (enum canvas_type)type;
	return (0);
}

/* What it would be spliced into must stay UTF-8 whoever packed it. */
static int
canvas_value_ok(const struct canvas_value *v)
{
	struct bytes data = v->data;
	struct canvas_run run;
	uint64_t len;
	int r;

	if (v->type == CANVAS_TEXT)
		return (data.n > 0 && utf8_valid(data));
	if (v->type == CANVAS_ARRAY)
		return (canvas_list_ok(data));
	if (canvas_delta_open(&data, &len) == -1)
		return (0);
	while ((r = canvas_delta_next(&data, &run)) == 1)
		if (!canvas_list_ok(run.elements))
			return (0);
	return (r == 0);
}

static int
canvas_list_ok(struct bytes list)
{
	struct bytes e;
	int r;

	while ((r = list_next(&list, &e)) == 1)
		if (e.n == 0 || !utf8_valid(e))
			return (0);
	return (r == 0);
}

static int
canvas_array_text(struct buf *b, struct bytes list)
{
	struct bytes e;
	size_t n = 0;
	int r;

	buf_add_u8(b, '[');
	while ((r = list_next(&list, &e)) == 1) {
		if (n++ > 0)
			buf_add_u8(b, ',');
		buf_add_bytes(b, e);
	}
	buf_add_u8(b, ']');
	return (r == -1 || b->failed ? -1 : 0);
}

static int
canvas_delta_text(struct buf *b, struct bytes data)
{
	struct canvas_run run;
	uint64_t len;
	size_t n = 0;
	int r;

	if (canvas_delta_open(&data, &len) == -1)
		return (-1);
	buf_printf(b, "{\"__buf\":1,\"len\":%llu,\"runs\":[",
	    (unsigned long long)len);
	while ((r = canvas_delta_next(&data, &run)) == 1) {
		buf_printf(b, "%s[%lld,", n++ > 0 ? "," : "",
		    (long long)run.offset);
		if (canvas_array_text(b, run.elements) == -1)
			return (-1);
		buf_add_u8(b, ']');
	}
	buf_add_str(b, "]}");
	return (r == -1 || b->failed ? -1 : 0);
}

static void
canvas_name_text(struct buf *b, struct bytes name)
{
	buf_add_u8(b, '"');
	buf_add_bytes(b, name);
	buf_add_str(b, "\":");
}
