/*
 * No block is its own ancestor, no class extends itself (logseq.md section
 * 7.6): after an entry the attribute is walked from every entity that got a new
 * value of it.
 */
#include "broker/logseq_edit.h"
#include "common/wire.h"

#define CYCLE_DATA_MAX_BYTES 65536u  /* of values in one answer */
#define CYCLE_STEPS_MAX	     200000u /* of all walks of an entry */

static const char *const cycle_attrs[] = { "block/parent",
	"logseq.property.class/extends" };

static int cycle_from(struct graph *, struct graph_attr *, uint64_t start,
    struct map *free_of, size_t *steps);
static void cycle_targets(struct graph *, struct graph_attr *, uint64_t e,
    struct buf *eids);
static void cycle_pair(struct edit *, const struct edit_item *, struct buf *);
static void cycle_name(struct graph *, uint64_t e, struct buf *);

int
edit_cycle(struct edit *e, struct graph_attr **a)
{
	const struct graph_journal *j = &e->g->journal;
	struct map free_of;
	size_t i, k, steps = 0;
	int found = 0;

	for (k = 0; k < 2 && !found; k++) {
		*a = graph_attr_str(e->g, cycle_attrs[k]);
		memset(&free_of, 0, sizeof(free_of));
		for (i = 0; i < j->n && !found; i++)
			if (j->c[i].added && j->c[i].a == *a)
				found = cycle_from(e->g, *a, j->c[i].e,
				    &free_of, &steps);
		map_free(&free_of);
		if (found)
			return (1);
	}
	return (0);
}

/*
 * Everything reached is visited once; free_of keeps what earlier walks reached,
 * unless they may have met a cycle that does not go through their start.  What
 * takes too long to be sure of counts as one.
 */
static int
cycle_from(struct graph *g, struct graph_attr *a, uint64_t start,
    struct map *free_of, size_t *steps)
{
	struct buf todo = BUF_INIT, next = BUF_INIT;
	struct map seen = { 0 };
	const struct map_row *r;
	uint64_t e;
	size_t i;
	int fresh, found = 0, met = 0;

	buf_add_be64(&todo, start);
	while (todo.len >= 8 && !found) {
		e = be64_get(buf_bytes(&todo).p + todo.len - 8);
		buf_trunc(&todo, todo.len - 8);
		buf_clear(&next);
		cycle_targets(g, a, e, &next);
		*steps += 1 + next.len / 8;
		found = *steps > CYCLE_STEPS_MAX;
		for (i = 0; i + 8 <= next.len && !found; i += 8) {
			e = be64_get(buf_bytes(&next).p + i);
			found = e == start;
			if (found || map_find_u64(free_of, e) != NULL)
				continue;
			if (map_at_u64(&seen, e, &fresh) == NULL)
				g->t->failed = 1;
			met |= !fresh;
			if (fresh)
				buf_add_be64(&todo, e);
		}
	}
	if (todo.failed || next.failed)
		g->t->failed = 1;
	for (i = 0; i < seen.cap && !met && !found; i++)
		if ((r = map_row(&seen, i)) != NULL &&
		    map_at(free_of, map_key(&seen, r), &fresh) == NULL)
			g->t->failed = 1;
	buf_free(&todo);
	buf_free(&next);
	map_free(&seen);
	return (found);
}

static void
cycle_targets(struct graph *g, struct graph_attr *a, uint64_t e,
    struct buf *eids)
{
	struct buf list = BUF_INIT;
	struct logseq_datom d;
	struct bytes rest, packed;

	graph_datoms(g, e, a, &list);
	for (rest = buf_bytes(&list); list_next(&rest, &packed) == 1 &&
	     logseq_datom_unpack(packed, &d) == 0;)
		if (d.v.type == LOGSEQ_REF)
			buf_add_bytes(eids, d.v.b);
	buf_free(&list);
}

/* Written when the entry is undone: these are the server's values. */
void
edit_cycle_data(struct edit *e, struct graph_attr *a, struct buf *out)
{
	struct logseq_value name = { LOGSEQ_KEYWORD, buf_bytes(&a->name) };
	size_t i;
	int n = 0;

	buf_add_str(out, "[\"^ \",\"~:attr\",");
	logseq_value_text(out, &name);
	buf_add_str(out, ",\"~:server-values\",[\"~#cmap\",[");
	for (i = 0; i < e->n && out->len < CYCLE_DATA_MAX_BYTES; i++)
		if (!e->items[i].drop && e->items[i].a == a &&
		    e->items[i].i.op == LOGSEQ_OP_ADD) {
			if (n++ > 0)
				buf_add_u8(out, ',');
			cycle_pair(e, &e->items[i], out);
		}
	buf_add_str(out, "]]]");
	if (out->failed)
		e->g->t->failed = 1;
}

/* The entity as the client named it, a temp id being the text of its uuid. */
static void
cycle_pair(struct edit *e, const struct edit_item *item, struct buf *out)
{
	struct logseq_value uuid, v;
	struct buf val = BUF_INIT;
	uint64_t eid;

	if (item->i.e.type == LOGSEQ_STRING) {
		uuid = VALUE_OF(LOGSEQ_UUID, item->i.e.b);
		buf_add_str(out, "[\"~:block/uuid\",");
		logseq_value_text(out, &uuid);
		buf_add_str(out, "],");
		if (graph_owner(e->g, graph_attr_str(e->g, "block/uuid"), &uuid,
			&eid) != 1)
			eid = 0;
	} else {
		logseq_value_text(out, &item->i.e);
		buf_add_u8(out, ',');
		if (edit_find(e->g, &item->i.e, &eid) != 1)
			eid = 0;
	}
	if (eid != 0 && graph_get(e->g, eid, item->a, &val, &v) == 1 &&
	    v.type == LOGSEQ_REF)
		cycle_name(e->g, be64_get(v.b.p), out);
	else
		buf_add_str(out, "null");
	buf_free(&val);
}

static void
cycle_name(struct graph *g, uint64_t e, struct buf *out)
{
	struct buf val = BUF_INIT;
	struct logseq_value v;

	if (graph_get(g, e, graph_attr_str(g, "db/ident"), &val, &v) == 1) {
		logseq_value_text(out, &v);
	} else if (graph_get(g, e, graph_attr_str(g, "block/uuid"), &val, &v) ==
	    1) {
		buf_add_str(out, "[\"~:block/uuid\",");
		logseq_value_text(out, &v);
		buf_add_u8(out, ']');
	} else {
		buf_add_str(out, "null");
	}
	buf_free(&val);
}
