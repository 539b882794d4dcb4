/*
 * Items become datoms, in their order: cardinality, uniqueness, references back
 * to what is deleted.  What was done before an item that cannot be is taken
 * back by the caller (graph_undo).
 */
#include "broker/logseq_edit.h"
#include "common/wire.h"

static enum edit_error apply_item(struct edit *, const struct edit_item *);
static enum edit_error apply_add(struct edit *, const struct edit_item *);
static enum edit_error apply_retract(struct edit *, const struct edit_item *);
static enum edit_error apply_retract_entity(struct edit *,
    const struct edit_item *);
static int apply_first(struct graph *, uint64_t e, const struct graph_attr *);
static void apply_remove(struct graph *, struct bytes list,
    const struct logseq_value *but);
static int value_eq(const struct logseq_value *, const struct logseq_value *);

enum edit_error
edit_apply(struct edit *e)
{
	enum edit_error error = edit_bind(e);
	size_t i;

	if (e->n > LOGSEQ_CHANGES_MAX)
		return (EDIT_BAD);
	for (i = 0; i < e->n && error == EDIT_OK; i++) {
		if (!e->items[i].drop)
			error = apply_item(e, &e->items[i]);
		/* Nobody else is served meanwhile. */
		if (e->g->journal.n > LOGSEQ_CHANGES_MAX)
			error = EDIT_BAD;
	}
	return (error);
}

static enum edit_error
apply_item(struct edit *e, const struct edit_item *item)
{
	switch (item->i.op) {
	case LOGSEQ_OP_ADD:
		return (apply_add(e, item));
	case LOGSEQ_OP_RETRACT:
		return (apply_retract(e, item));
	case LOGSEQ_OP_RETRACT_ENTITY:
		return (apply_retract_entity(e, item));
	}
	return (EDIT_BAD);
}

static enum edit_error
apply_add(struct edit *e, const struct edit_item *item)
{
	struct graph *g = e->g;
	struct buf old = BUF_INIT;
	struct logseq_value v;
	enum edit_error error;
	uint64_t eid, owner;
	uint8_t room[8];

	if ((error = edit_entity(e, item, &eid)) != EDIT_OK ||
	    (error = edit_value(e, item, room, &v)) != EDIT_OK)
		return (error);
	if ((item->a->flags & LOGSEQ_FLAG_UNIQUE) != 0 &&
	    graph_owner(g, item->a, &v, &owner) == 1 && owner != eid)
		return (EDIT_BAD);
	if (apply_first(g, eid, item->a)) {
		graph_add(g, eid, item->a, &v);
		return (EDIT_OK);
	}
	if ((item->a->flags & LOGSEQ_FLAG_MANY) == 0) {
		graph_datoms(g, eid, item->a, &old);
		apply_remove(g, buf_bytes(&old), &v);
		buf_free(&old);
	}
	if (graph_has(g, eid, item->a, &v) == 0)
		graph_add(g, eid, item->a, &v);
	return (EDIT_OK);
}

/* Is it the first value of that attribute that a new entity gets? */
static int
apply_first(struct graph *g, uint64_t e, const struct graph_attr *a)
{
	struct buf key = BUF_INIT;
	int fresh = 0;

	if (e < g->fresh)
		return (0);
	buf_add_be64(&key, e);
	buf_add_bytes(&key, buf_bytes(&a->key));
	if (map_at(&g->written, buf_bytes(&key), &fresh) == NULL)
		g->t->failed = 1;
	buf_free(&key);
	return (fresh);
}

/* What is not there need not be taken back; what has no name cannot be. */
static enum edit_error
apply_retract(struct edit *e, const struct edit_item *item)
{
	struct graph *g = e->g;
	struct buf old = BUF_INIT;
	struct logseq_value v;
	enum edit_error error;
	uint64_t eid;
	uint8_t room[8];

	if (item->i.e.type == LOGSEQ_STRING)
		return (EDIT_BAD);
	if (edit_find(g, &item->i.e, &eid) != 1)
		return (EDIT_OK);
	if (item->i.v.type == LOGSEQ_NULL) {
		graph_datoms(g, eid, item->a, &old);
		apply_remove(g, buf_bytes(&old), NULL);
		buf_free(&old);
		return (EDIT_OK);
	}
	if ((error = edit_value(e, item, room, &v)) != EDIT_OK)
		return (error);
	if (graph_has(g, eid, item->a, &v) == 1)
		graph_remove(g, eid, item->a, &v);
	return (EDIT_OK);
}

static enum edit_error
apply_retract_entity(struct edit *e, const struct edit_item *item)
{
	struct buf list = BUF_INIT;
	uint64_t eid = item->eid;

	if (eid == 0 && item->i.e.type == LOGSEQ_STRING)
		return (EDIT_BAD);
	if (eid == 0 && edit_find(e->g, &item->i.e, &eid) != 1)
		return (EDIT_OK);
	graph_datoms(e->g, eid, NULL, &list);
	graph_references(e->g, eid, &list);
	apply_remove(e->g, buf_bytes(&list), NULL);
	buf_free(&list);
	return (EDIT_OK);
}

static void
apply_remove(struct graph *g, struct bytes list, const struct logseq_value *but)
{
	struct logseq_datom d;
	struct graph_attr *a;
	struct bytes packed;

	while (g->journal.n <= LOGSEQ_CHANGES_MAX &&
	    list_next(&list, &packed) == 1) {
		if (logseq_datom_unpack(packed, &d) == -1 ||
		    (a = graph_attr_key(g, d.a)) == NULL) {
			g->t->failed = 1;
			return;
		}
		if (but == NULL || !value_eq(&d.v, but))
			graph_remove(g, d.e, a, &d.v);
	}
}

static int
value_eq(const struct logseq_value *a, const struct logseq_value *b)
{
	return (a->type == b->type && bytes_eq(a->b, b->b));
}
