/*
 * An entry's items: read from their list, written as text again when they are
 * no longer those of the client.
 */
#include <stdlib.h>

#include "broker/logseq_edit.h"
#include "common/wire.h"

#define EDIT_ITEMS_MIN 32

static int edit_op(const struct edit *, const char *);
static enum edit_error edit_item_read(struct edit *, struct bytes);
static void edit_item_text(struct edit *, const struct edit_item *,
    struct buf *);

enum edit_error
edit_read(struct edit *e, struct graph *g, const struct logseq_entry *in)
{
	struct bytes rest, item;
	int r;

	memset(e, 0, sizeof(*e));
	e->g = g;
	e->in = *in;
	e->deletes = edit_op(e, "delete-blocks") || edit_op(e, "delete-page");
	e->drops_gone = e->deletes || edit_op(e, "fix");
	e->lenient = edit_op(e, "rebase") || edit_op(e, "fix");
	if (in->broken)
		return (EDIT_BAD);
	for (rest = in->items; (r = list_next(&rest, &item)) == 1;)
		if (edit_item_read(e, item) != EDIT_OK)
			return (EDIT_BAD);
	if (r == -1 || (e->n == 0 && e->deletes))
		return (EDIT_BAD);
	return (EDIT_OK);
}

struct edit_item *
edit_item_add(struct edit *e)
{
	size_t cap = e->cap == 0 ? EDIT_ITEMS_MIN : e->cap * 2;
	struct edit_item *items;

	if (e->n == e->cap) {
		items = realloc(e->items, cap * sizeof(*items));
		if (items == NULL) {
			e->g->t->failed = 1;
			return (NULL);
		}
		e->items = items;
		e->cap = cap;
	}
	memset(&e->items[e->n], 0, sizeof(*e->items));
	return (&e->items[e->n++]);
}

void
edit_free(struct edit *e)
{
	free(e->items);
	map_free(&e->temps);
	buf_free(&e->text);
}

void
edit_text(struct edit *e)
{
	struct buf transit = BUF_INIT;
	size_t i, written = 0;

	buf_add_u8(&transit, '[');
	for (i = 0; i < e->n; i++) {
		if (e->items[i].drop)
			continue;
		if (written++ > 0)
			buf_add_u8(&transit, ',');
		edit_item_text(e, &e->items[i], &transit);
	}
	buf_add_u8(&transit, ']');
	logseq_json_string(&e->text, buf_bytes(&transit));
	if (transit.failed || e->text.failed)
		e->g->t->failed = 1;
	buf_free(&transit);
}

static int
edit_op(const struct edit *e, const char *op)
{
	return (bytes_eq(e->in.op, bytes_str(op)));
}

static enum edit_error
edit_item_read(struct edit *e, struct bytes packed)
{
	struct edit_item *item = edit_item_add(e);

	if (item == NULL || logseq_item_unpack(packed, &item->i) == -1)
		return (EDIT_BAD);
	if (item->i.op == LOGSEQ_OP_RETRACT_ENTITY)
		return (EDIT_OK);
	item->a = graph_attr(e->g, item->i.a);
	if (item->a == NULL || item->i.v.type == LOGSEQ_REF ||
	    (item->i.op == LOGSEQ_OP_ADD && item->i.v.type == LOGSEQ_NULL))
		return (EDIT_BAD);
	return (EDIT_OK);
}

static void
edit_item_text(struct edit *e, const struct edit_item *item, struct buf *b)
{
	static const char *const ops[] = { [LOGSEQ_OP_ADD] = "[\"~:db/add\",",
		[LOGSEQ_OP_RETRACT] = "[\"~:db/retract\",",
		[LOGSEQ_OP_RETRACT_ENTITY] = "[\"~:db/retractEntity\"," };
	struct logseq_value a = { LOGSEQ_KEYWORD, item->i.a };
	struct buf val = BUF_INIT;
	struct bytes uuid;

	buf_add_str(b, ops[item->i.op]);
	if (item->eid == 0) {
		logseq_value_text(b, &item->i.e);
	} else if (graph_uuid(e->g, item->eid, &val, &uuid) == 1) {
		buf_add_str(b, "[\"~:block/uuid\",\"~u");
		buf_add_bytes(b, uuid);
		buf_add_str(b, "\"]");
	}
	if (item->a != NULL) {
		buf_add_u8(b, ',');
		logseq_value_text(b, &a);
	}
	if (item->a != NULL && item->i.v.type != LOGSEQ_NULL) {
		buf_add_u8(b, ',');
		logseq_value_text(b, &item->i.v);
	}
	buf_add_u8(b, ']');
	buf_free(&val);
}
