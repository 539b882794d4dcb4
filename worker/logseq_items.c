/* Transit transactions, item by item. */
#include <stdlib.h>

#include "common/wire.h"
#include "worker/logseq_items.h"

/* Less than Transit's, so that a value fits deeper in a snapshot as well. */
#define ITEMS_DEPTH  48
#define ITEM_STRINGS 5 /* op, entity, attribute, value, the sender's number */

static const struct {
	const char *name;
	enum logseq_op op;
} items_ops[] = {
	{ "db/add", LOGSEQ_OP_ADD },
	{ "db/retract", LOGSEQ_OP_RETRACT },
	{ "db/retractEntity", LOGSEQ_OP_RETRACT_ENTITY },
};

static int items_one(struct logseq_items *, struct buf *list);
static int items_op(const struct transit *, enum logseq_op *);
static int items_part(struct logseq_items *, const struct transit *,
    unsigned at, struct logseq_item *);
static int items_lookup(struct logseq_items *, struct buf *store,
    struct logseq_value *);
static int items_scalar(const struct transit *, struct buf *store,
    struct logseq_value *);
static void items_int(struct buf *store, int64_t);

struct logseq_items *
logseq_items_new(void)
{
	return (calloc(1, sizeof(struct logseq_items)));
}

void
logseq_items_free(struct logseq_items *it)
{
	if (it == NULL)
		return;
	buf_free(&it->copy);
	buf_free(&it->e);
	buf_free(&it->v);
	buf_free(&it->key);
	buf_free(&it->ref);
	buf_free(&it->attr);
	buf_free(&it->item);
	free(it);
}

/* A list, or what servers once wrote: ["~#list",[…]]. */
int
logseq_items_read(struct logseq_items *it, struct bytes text, struct buf *list)
{
	struct transit t;
	int ok = 0, n;

	transit_reader_init(&it->reader, text);
	it->reader.scan.depth_max = ITEMS_DEPTH;
	if (transit_next(&it->reader, &t) == 1 && t.type == TRANSIT_TAG &&
	    bytes_eq(t.text, BYTES_LIT("list")))
		transit_next(&it->reader, &t);
	if (it->reader.reason == NULL && t.type == TRANSIT_ARRAY)
		ok = 1;
	while (ok && (n = transit_next(&it->reader, &t)) != 0) {
		if (n == -1)
			ok = 0;
		else if (t.type != TRANSIT_END)
			ok =
			    t.type == TRANSIT_ARRAY && items_one(it, list) == 0;
	}
	transit_reader_free(&it->reader);
	return (ok ? 0 : -1);
}

int
logseq_items_value(struct logseq_items *it, const struct transit *t,
    struct buf *store, struct logseq_value *v)
{
	buf_clear(store);
	if (t->type < TRANSIT_ARRAY)
		return (items_scalar(t, store, v));
	if (t->type == TRANSIT_END)
		return (-1);
	buf_clear(&it->copy);
	if (transit_copy(&it->reader, t, &it->copy) == -1)
		return (-1);
	if (t->type == TRANSIT_ARRAY && items_lookup(it, store, v) == 0)
		return (0);
	buf_clear(store);
	*v = (struct logseq_value){ LOGSEQ_OPAQUE, BYTES_NONE };
	buf_add_bytes(store, buf_bytes(&it->copy));
	v->b = buf_bytes(store);
	return (store->failed ? -1 : 0);
}

/* Its opening was read. */
static int
items_one(struct logseq_items *it, struct buf *list)
{
	struct logseq_item item = { .e = { LOGSEQ_NULL, BYTES_NONE },
		.v = { LOGSEQ_NULL, BYTES_NONE } };
	struct transit t;
	unsigned at = 0;

	buf_clear(&it->attr);
	while (transit_next(&it->reader, &t) == 1 && t.type != TRANSIT_END)
		if (at == ITEM_STRINGS || items_part(it, &t, at++, &item) == -1)
			return (-1);
	if (it->reader.reason != NULL ||
	    at < (item.op == LOGSEQ_OP_RETRACT_ENTITY ? 2u : 3u))
		return (-1);
	item.a = buf_bytes(&it->attr);
	if (item.op == LOGSEQ_OP_RETRACT_ENTITY)
		item.a = BYTES_NONE;
	buf_clear(&it->item);
	if (logseq_item_pack(&it->item, &item) == -1 ||
	    list_add(list, buf_bytes(&it->item)) == -1)
		return (-1);
	return (0);
}

static int
items_part(struct logseq_items *it, const struct transit *t, unsigned at,
    struct logseq_item *item)
{
	switch (at) {
	case 0:
		return (items_op(t, &item->op));
	case 1:
		if (logseq_items_value(it, t, &it->e, &item->e) == -1)
			return (-1);
		return (item->e.type == LOGSEQ_KEYWORD ||
			    item->e.type == LOGSEQ_STRING ||
			    item->e.type == LOGSEQ_LOOKUP
			? 0
			: -1);
	case 2:
		if (item->op == LOGSEQ_OP_RETRACT_ENTITY)
			return (transit_skip(&it->reader, t));
		if (t->type != TRANSIT_KEYWORD || t->text.n > LOGSEQ_ATTR_MAX)
			return (-1);
		return (buf_add_bytes(&it->attr, t->text));
	case 3:
		if (item->op == LOGSEQ_OP_RETRACT_ENTITY)
			return (transit_skip(&it->reader, t));
		return (logseq_items_value(it, t, &it->v, &item->v));
	default: /* the sender's number: nobody's business */
		return (transit_skip(&it->reader, t));
	}
}

static int
items_op(const struct transit *t, enum logseq_op *op)
{
	size_t i;

	for (i = 0; i < sizeof(items_ops) / sizeof(*items_ops); i++)
		if (t->type == TRANSIT_KEYWORD &&
		    bytes_eq(t->text, bytes_str(items_ops[i].name))) {
			*op = items_ops[i].op;
			return (0);
		}
	return (-1);
}

/* Whether the copy is [attribute value]: who it may mean, the rule knows. */
static int
items_lookup(struct logseq_items *it, struct buf *store, struct logseq_value *v)
{
	struct logseq_value key;
	struct transit t;
	int ok;

	buf_clear(&it->key);
	buf_clear(&it->ref);
	transit_reader_init(&it->inner, buf_bytes(&it->copy));
	/* NOLINTNEXTLINE(misc-redundant-expression): each takes another */
	ok = transit_next(&it->inner, &t) == 1 &&
	    transit_next(&it->inner, &t) == 1 && t.type == TRANSIT_KEYWORD &&
	    t.text.n <= LOGSEQ_ATTR_MAX && list_add(store, t.text) == 0 &&
	    transit_next(&it->inner, &t) == 1 && t.type < TRANSIT_ARRAY &&
	    items_scalar(&t, &it->key, &key) == 0 &&
	    logseq_value_pack(&it->ref, &key) == 0 &&
	    list_add(store, buf_bytes(&it->ref)) == 0 &&
	    transit_next(&it->inner, &t) == 1 && t.type == TRANSIT_END &&
	    list_add(store, buf_bytes(&it->copy)) == 0;
	transit_reader_free(&it->inner);
	*v = (struct logseq_value){ LOGSEQ_LOOKUP, buf_bytes(store) };
	return (ok ? 0 : -1);
}

static int
items_scalar(const struct transit *t, struct buf *store, struct logseq_value *v)
{
	static const uint8_t types[] = { [TRANSIT_NULL] = LOGSEQ_NULL,
		[TRANSIT_BOOL] = LOGSEQ_BOOL,
		[TRANSIT_INT] = LOGSEQ_INT,
		[TRANSIT_FLOAT] = LOGSEQ_FLOAT,
		[TRANSIT_STRING] = LOGSEQ_STRING,
		[TRANSIT_KEYWORD] = LOGSEQ_KEYWORD,
		[TRANSIT_UUID] = LOGSEQ_UUID,
		[TRANSIT_INSTANT] = LOGSEQ_INSTANT,
		[TRANSIT_SCALAR] = LOGSEQ_OPAQUE };
	struct transit_writer w;
	uint8_t eight[8];

	switch (t->type) {
	case TRANSIT_NULL:
		break;
	case TRANSIT_BOOL:
		buf_add_u8(store, t->i != 0);
		break;
	case TRANSIT_INT:
	case TRANSIT_INSTANT:
		items_int(store, t->i);
		break;
	case TRANSIT_FLOAT:
		logseq_float_put(eight, t->d);
		buf_add(store, eight, sizeof(eight));
		break;
	case TRANSIT_SCALAR:
		transit_writer_init(&w, store, NULL);
		transit_write(&w, t);
		transit_writer_done(&w);
		break;
	default:
		buf_add_bytes(store, t->text);
	}
	v->type = (enum logseq_type)types[t->type];
	v->b = buf_bytes(store);
	return (store->failed ? -1 : 0);
}

static void
items_int(struct buf *store, int64_t i)
{
	uint8_t eight[8];

	logseq_int_put(eight, i);
	buf_add(store, eight, sizeof(eight));
}
