/*
 * From what a transaction calls an entity (its ident, a lookup by a unique
 * attribute, a temp id) to the entity.
 */
#include "broker/logseq_edit.h"
#include "common/utf8.h"
#include "common/wire.h"

#define MISSING_MAX_BYTES 32768u /* of them in one answer */

static int find_lookup(struct graph *, const struct logseq_value *,
    uint64_t *e);
static enum edit_error bind_temps(struct edit *);
static enum edit_error bind_found(struct edit *);
static enum edit_error bind_new(struct edit *);
static enum edit_error bind_to(struct edit *, struct bytes temp, uint64_t);
static int bind_wanted(const struct edit_item *);
static uint64_t entity_new(struct edit *);
static enum edit_error value_ref(struct edit *, const struct edit_item *,
    uint64_t *e);
static void missing_name(struct edit *, const struct logseq_value *,
    struct map *seen, struct buf *list);
static int missing_see(struct edit *, struct map *, struct bytes uuid);

int
edit_find(struct graph *g, const struct logseq_value *v, uint64_t *e)
{
	struct map *names = &g->found[v->type == LOGSEQ_LOOKUP];
	uint64_t *known;
	int fresh, found;

	if (v->type != LOGSEQ_KEYWORD && v->type != LOGSEQ_LOOKUP)
		return (0);
	if ((known = map_find(names, v->b)) != NULL) {
		*e = *known;
		return (1);
	}
	found = v->type == LOGSEQ_KEYWORD ? graph_ident(g, v->b, e)
					  : find_lookup(g, v, e);
	if (found != 1)
		return (found);
	if ((known = map_at(names, v->b, &fresh)) == NULL)
		g->t->failed = 1;
	else
		*known = *e;
	return (1);
}

static int
find_lookup(struct graph *g, const struct logseq_value *v, uint64_t *e)
{
	struct logseq_lookup l;
	struct graph_attr *a;

	if (logseq_lookup_unpack(v->b, &l) == -1 ||
	    (a = graph_attr(g, l.a)) == NULL ||
	    (a->flags & LOGSEQ_FLAG_UNIQUE) == 0)
		return (0);
	return (graph_owner(g, a, &l.v, e));
}

int
edit_is_lookup(const struct logseq_value *v, const char *attr,
    struct logseq_lookup *l)
{
	return (v->type == LOGSEQ_LOOKUP &&
	    logseq_lookup_unpack(v->b, l) == 0 &&
	    bytes_eq(l->a, bytes_str(attr)));
}

/* Before anything is applied: what exists first, then who is new. */
enum edit_error
edit_bind(struct edit *e)
{
	enum edit_error error = bind_temps(e);

	if (error == EDIT_OK)
		error = bind_found(e);
	if (error == EDIT_OK)
		error = bind_new(e);
	return (error);
}

enum edit_error
edit_entity(struct edit *e, const struct edit_item *item, uint64_t *eid)
{
	uint64_t *bound;

	if (item->i.e.type != LOGSEQ_STRING)
		return (edit_find(e->g, &item->i.e, eid) == 1 ? EDIT_OK
							      : EDIT_MISSING);
	if ((bound = map_find(&e->temps, item->i.e.b)) == NULL)
		return (EDIT_BAD);
	if (*bound == 0)
		*bound = entity_new(e);
	*eid = *bound;
	return (EDIT_OK);
}

enum edit_error
edit_value(struct edit *e, const struct edit_item *item, uint8_t room[8],
    struct logseq_value *out)
{
	struct logseq_lookup l;
	enum edit_error error;
	uint64_t eid;

	*out = item->i.v;
	if ((item->a->flags & LOGSEQ_FLAG_REF) != 0) {
		if ((error = value_ref(e, item, &eid)) != EDIT_OK)
			return (error);
		be64_put(room, eid);
		*out = VALUE_OF(LOGSEQ_REF, bytes_of(room, 8));
	} else if (out->type == LOGSEQ_LOOKUP) {
		if (logseq_lookup_unpack(out->b, &l) == -1)
			return (EDIT_BAD);
		*out = VALUE_OF(LOGSEQ_OPAQUE, l.text);
	}
	if (out->b.n >= LOGSEQ_VALUE_MAX)
		return (EDIT_BAD);
	if ((out->type == LOGSEQ_STRING || out->type == LOGSEQ_KEYWORD ||
		out->type == LOGSEQ_OPAQUE) &&
	    !utf8_valid(out->b))
		return (EDIT_BAD);
	if ((graph_attr_is(item->a, "db/ident") &&
		out->type != LOGSEQ_KEYWORD) ||
	    (graph_attr_is(item->a, "block/uuid") && out->type != LOGSEQ_UUID))
		return (EDIT_BAD);
	return (EDIT_OK);
}

void
edit_missing(struct edit *e, struct buf *list)
{
	struct map seen = { 0 };
	size_t i;

	/* What the entry itself makes is not missed. */
	for (i = 0; i < e->n; i++)
		if (!e->items[i].drop && e->items[i].i.op == LOGSEQ_OP_ADD &&
		    graph_attr_is(e->items[i].a, "block/uuid"))
			missing_see(e, &seen, e->items[i].i.v.b);
	for (i = 0; i < e->n; i++) {
		if (e->items[i].drop)
			continue;
		if (e->items[i].i.op == LOGSEQ_OP_ADD)
			missing_name(e, &e->items[i].i.e, &seen, list);
		missing_name(e, &e->items[i].i.v, &seen, list);
	}
	if (list->failed)
		e->g->t->failed = 1;
	map_free(&seen);
}

/* Temp ids are those that stand as an entity to which something is added. */
static enum edit_error
bind_temps(struct edit *e)
{
	size_t i;
	int fresh;

	for (i = 0; i < e->n; i++)
		if (!e->items[i].drop && e->items[i].i.op == LOGSEQ_OP_ADD &&
		    e->items[i].i.e.type == LOGSEQ_STRING &&
		    map_at(&e->temps, e->items[i].i.e.b, &fresh) == NULL)
			e->g->t->failed = 1;
	return (e->g->t->failed ? EDIT_BAD : EDIT_OK);
}

static enum edit_error
bind_found(struct edit *e)
{
	enum edit_error error;
	uint64_t eid;
	size_t i;

	for (i = 0; i < e->n; i++)
		if (bind_wanted(&e->items[i]) &&
		    graph_owner(e->g, e->items[i].a, &e->items[i].i.v, &eid) ==
			1) {
			error = bind_to(e, e->items[i].i.e.b, eid);
			if (error != EDIT_OK)
				return (error);
		}
	return (EDIT_OK);
}

/* Two temp ids that get one unique value are one entity. */
static enum edit_error
bind_new(struct edit *e)
{
	enum edit_error error = EDIT_OK;
	struct map values = { 0 };
	struct buf key = BUF_INIT;
	uint64_t *owner, *temp;
	size_t i;
	int fresh;

	for (i = 0; i < e->n && error == EDIT_OK; i++) {
		if (!bind_wanted(&e->items[i]))
			continue;
		buf_clear(&key);
		buf_add_bytes(&key, buf_bytes(&e->items[i].a->key));
		logseq_value_pack(&key, &e->items[i].i.v);
		graph_rest(e->g, key.len);
		temp = map_find(&e->temps, e->items[i].i.e.b);
		owner = map_at(&values, buf_bytes(&key), &fresh);
		if (key.failed || owner == NULL || temp == NULL) {
			e->g->t->failed = 1;
			error = EDIT_BAD;
		} else if (fresh) {
			if (*temp == 0)
				*temp = entity_new(e);
			*owner = *temp;
		} else {
			error = bind_to(e, e->items[i].i.e.b, *owner);
		}
	}
	buf_free(&key);
	map_free(&values);
	return (error);
}

static enum edit_error
bind_to(struct edit *e, struct bytes temp, uint64_t eid)
{
	uint64_t *bound = map_find(&e->temps, temp);

	if (bound == NULL || (*bound != 0 && *bound != eid))
		return (EDIT_BAD);
	*bound = eid;
	return (EDIT_OK);
}

static int
bind_wanted(const struct edit_item *item)
{
	return (!item->drop && item->i.op == LOGSEQ_OP_ADD &&
	    item->i.e.type == LOGSEQ_STRING &&
	    (item->a->flags & LOGSEQ_FLAG_UNIQUE) != 0);
}

static uint64_t
entity_new(struct edit *e)
{
	if (e->g->c->max_eid + 1 >= LOGSEQ_TX0) {
		e->g->t->failed = 1;
		return (0);
	}
	return (++e->g->c->max_eid);
}

static enum edit_error
value_ref(struct edit *e, const struct edit_item *item, uint64_t *eid)
{
	uint64_t *bound;

	if (item->i.v.type == LOGSEQ_STRING && item->i.op == LOGSEQ_OP_ADD) {
		if ((bound = map_find(&e->temps, item->i.v.b)) == NULL)
			return (EDIT_BAD);
		if (*bound == 0)
			*bound = entity_new(e);
		*eid = *bound;
		return (EDIT_OK);
	}
	if (item->i.v.type != LOGSEQ_KEYWORD && item->i.v.type != LOGSEQ_LOOKUP)
		return (EDIT_BAD);
	return (edit_find(e->g, &item->i.v, eid) == 1 ? EDIT_OK : EDIT_MISSING);
}

static void
missing_name(struct edit *e, const struct logseq_value *v, struct map *seen,
    struct buf *list)
{
	struct logseq_lookup l;
	uint64_t eid;

	if (list->len < MISSING_MAX_BYTES &&
	    edit_is_lookup(v, "block/uuid", &l) && l.v.type == LOGSEQ_UUID &&
	    edit_find(e->g, v, &eid) == 0 && missing_see(e, seen, l.v.b))
		list_add(list, l.v.b);
}

/* 1: for the first time. */
static int
missing_see(struct edit *e, struct map *seen, struct bytes uuid)
{
	int fresh;

	if (map_at(seen, uuid, &fresh) == NULL)
		e->g->t->failed = 1;
	return (fresh);
}
