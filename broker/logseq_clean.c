/*
 * What is dropped from a transaction or added to it before it is applied
 * (logseq.md section 7.4): what belongs to one device, what is gone already,
 * and the blocks below a deleted one.
 */
#include "broker/logseq_edit.h"
#include "common/wire.h"

static void clean_local(struct edit *);
static int clean_local_kv(const struct logseq_value *, const struct map *);
static void clean_local_temps(struct edit *, struct map *);
static void clean_gone(struct edit *);
static void clean_deleted(struct edit *);
static void clean_same_text(struct edit *);
static int clean_packed(struct graph *, const struct edit_item *, struct buf *);
static void clean_below(struct edit *);
static void clean_touched(struct edit *, struct map *);
static void clean_descend(struct edit *, struct map *done);
static void clean_drop(struct edit *, struct edit_item *);
static int clean_named(struct bytes name, const char *const *list);

/* Of one device, or made again by each. */
static const char *const clean_attrs[] = { "block/path-refs",
	"block/pre-block?", "logseq.property.embedding/hnsw-label",
	"logseq.property.embedding/hnsw-label-updated-at", NULL };

static const char *const clean_idents[] = { "logseq.kv/graph-uuid",
	"logseq.kv/local-graph-uuid", "logseq.kv/graph-local-tx",
	"logseq.kv/remote-schema-version", "logseq.kv/latest-code-lang",
	"logseq.kv/graph-backup-folder", "logseq.kv/graph-last-gc-at", NULL };

void
edit_clean(struct edit *e)
{
	clean_local(e);
	if (e->drops_gone)
		clean_gone(e);
	if (e->deletes)
		clean_deleted(e);
	clean_same_text(e);
	clean_below(e);
}

static void
clean_local(struct edit *e)
{
	struct map temps = { 0 };
	size_t i;

	clean_local_temps(e, &temps);
	for (i = 0; i < e->n; i++)
		if ((e->items[i].a != NULL &&
			clean_named(e->items[i].i.a, clean_attrs)) ||
		    clean_local_kv(&e->items[i].i.e, &temps))
			clean_drop(e, &e->items[i]);
	map_free(&temps);
}

static int
clean_local_kv(const struct logseq_value *v, const struct map *temps)
{
	struct logseq_lookup l;

	if (v->type == LOGSEQ_KEYWORD)
		return (clean_named(v->b, clean_idents));
	if (v->type == LOGSEQ_STRING)
		return (map_find(temps, v->b) != NULL);
	return (edit_is_lookup(v, "db/ident", &l) &&
	    l.v.type == LOGSEQ_KEYWORD && clean_named(l.v.b, clean_idents));
}

static void
clean_local_temps(struct edit *e, struct map *temps)
{
	const struct logseq_item *i;
	size_t k;
	int fresh;

	for (k = 0; k < e->n; k++) {
		i = &e->items[k].i;
		if (i->op == LOGSEQ_OP_ADD && i->e.type == LOGSEQ_STRING &&
		    i->v.type == LOGSEQ_KEYWORD &&
		    bytes_eq(i->a, BYTES_LIT("db/ident")) &&
		    clean_named(i->v.b, clean_idents) &&
		    map_at(temps, i->e.b, &fresh) == NULL)
			e->g->t->failed = 1;
	}
}

static void
clean_gone(struct edit *e)
{
	uint64_t eid;
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->items[i].i.op == LOGSEQ_OP_RETRACT_ENTITY &&
		    e->items[i].i.e.type != LOGSEQ_STRING &&
		    edit_find(e->g, &e->items[i].i.e, &eid) == 0)
			clean_drop(e, &e->items[i]);
}

/* What is said of an entity that goes in the same breath. */
static void
clean_deleted(struct edit *e)
{
	struct map going = { 0 };
	uint64_t eid;
	size_t i;
	int fresh;

	for (i = 0; i < e->n; i++)
		if (e->items[i].i.op == LOGSEQ_OP_RETRACT_ENTITY &&
		    edit_find(e->g, &e->items[i].i.e, &eid) == 1 &&
		    map_at_u64(&going, eid, &fresh) == NULL)
			e->g->t->failed = 1;
	for (i = 0; i < e->n; i++)
		if (e->items[i].i.op != LOGSEQ_OP_RETRACT_ENTITY &&
		    edit_find(e->g, &e->items[i].i.e, &eid) == 1 &&
		    map_find_u64(&going, eid) != NULL)
			clean_drop(e, &e->items[i]);
	map_free(&going);
}

/* A title taken back and given again is the same title. */
static void
clean_same_text(struct edit *e)
{
	struct map added = { 0 };
	struct buf key = BUF_INIT;
	size_t i;
	int fresh;

	for (i = 0; i < e->n; i++)
		if (e->items[i].i.op == LOGSEQ_OP_ADD &&
		    clean_packed(e->g, &e->items[i], &key) &&
		    map_at(&added, buf_bytes(&key), &fresh) == NULL)
			e->g->t->failed = 1;
	for (i = 0; i < e->n; i++)
		if (e->items[i].i.op == LOGSEQ_OP_RETRACT &&
		    clean_packed(e->g, &e->items[i], &key) &&
		    map_find(&added, buf_bytes(&key)) != NULL)
			clean_drop(e, &e->items[i]);
	buf_free(&key);
	map_free(&added);
}

static int
clean_packed(struct graph *g, const struct edit_item *item, struct buf *key)
{
	if (item->drop ||
	    (!graph_attr_is(item->a, "block/title") &&
		!graph_attr_is(item->a, "block/name")))
		return (0);
	buf_clear(key);
	logseq_value_pack(key, &item->i.e);
	list_add(key, item->i.a);
	logseq_value_pack(key, &item->i.v);
	graph_rest(g, key->len);
	return (!key->failed);
}

/*
 * Blocks below a deleted one go with it.  Those that the transaction itself
 * speaks of have been moved away, with what is below them.
 */
static void
clean_below(struct edit *e)
{
	struct map done = { 0 };

	clean_touched(e, &done);
	clean_descend(e, &done);
	map_free(&done);
}

static void
clean_touched(struct edit *e, struct map *done)
{
	uint64_t eid;
	size_t i;
	int fresh;

	for (i = 0; i < e->n; i++)
		if (!e->items[i].drop &&
		    (!e->deletes ||
			e->items[i].i.op == LOGSEQ_OP_RETRACT_ENTITY) &&
		    edit_find(e->g, &e->items[i].i.e, &eid) == 1 &&
		    map_at_u64(done, eid, &fresh) == NULL)
			e->g->t->failed = 1;
}

/* The items grow while we go through them.  The log has entities by uuid. */
static void
clean_descend(struct edit *e, struct map *done)
{
	struct graph_attr *parent = graph_attr_str(e->g, "block/parent");
	struct map walked = { 0 };
	struct edit_item *item;
	struct buf eids = BUF_INIT, val = BUF_INIT;
	struct bytes uuid;
	uint64_t eid;
	size_t i, k;
	int fresh;

	for (i = 0; i < e->n && e->n <= LOGSEQ_CHANGES_MAX && !e->g->t->failed;
	     i++) {
		eid = e->items[i].eid;
		if (e->items[i].drop ||
		    e->items[i].i.op != LOGSEQ_OP_RETRACT_ENTITY ||
		    (eid == 0 &&
			(edit_find(e->g, &e->items[i].i.e, &eid) != 1 ||
			    graph_uuid(e->g, eid, &val, &uuid) != 1)))
			continue;
		if (map_at_u64(&walked, eid, &fresh) == NULL)
			e->g->t->failed = 1;
		if (!fresh)
			continue;
		buf_clear(&eids);
		graph_referrers(e->g, eid, parent, &eids);
		for (k = 0; k + 8 <= eids.len; k += 8) {
			eid = be64_get(buf_bytes(&eids).p + k);
			if (map_at_u64(done, eid, &fresh) == NULL) {
				e->g->t->failed = 1;
				break;
			}
			if (!fresh || graph_uuid(e->g, eid, &val, &uuid) != 1)
				continue;
			if ((item = edit_item_add(e)) == NULL) {
				e->g->t->failed = 1;
				break;
			}
			item->i.op = LOGSEQ_OP_RETRACT_ENTITY;
			item->i.e.type = LOGSEQ_NULL;
			item->eid = eid;
			e->cleaned = 1;
		}
	}
	buf_free(&eids);
	buf_free(&val);
	map_free(&walked);
}

static void
clean_drop(struct edit *e, struct edit_item *item)
{
	item->drop = 1;
	e->cleaned = 1;
}

static int
clean_named(struct bytes name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (bytes_eq(name, bytes_str(*list)))
			return (1);
	return (0);
}
