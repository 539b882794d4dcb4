/*
 * Graphs of the index: which a user has, and new ones.
 */
#include "broker/logseq_index.h"
#include "common/wire.h"

/* Rows of graphs in one answer; each well below its share of the info. */
#define GRAPHS_PAGE 100

static int graphs_row(struct index_call *, struct bytes id, struct buf *);
static int graphs_new_read(const struct submit *, struct index_graph *);
static enum code graphs_new_check(struct index_call *,
    const struct index_graph *);

enum code
index_graphs(struct index_call *c)
{
	struct buf ids = BUF_INIT, rows = BUF_INIT;
	struct bytes rest, id;
	int more = 0, keys;

	keys = index_get(&c->ix, INDEX_KEYS, c->ix.me, BYTES_NONE, &c->ix.val);
	if (keys == -1 ||
	    index_list(&c->ix, INDEX_SHELF, c->ix.me, c->in->ref, GRAPHS_PAGE,
		&ids, &more) == -1)
		index_fail(&c->ix);
	logseq_list_add_u64(&rows, (uint64_t)more);
	logseq_list_add_u64(&rows, (uint64_t)keys);
	for (rest = buf_bytes(&ids); list_next(&rest, &id) == 1;)
		if (graphs_row(c, id, &rows) == -1)
			index_fail(&c->ix);
	txn_info(c->t, buf_bytes(&rows));
	buf_free(&ids);
	buf_free(&rows);
	return (CODE_OK);
}

static int
graphs_row(struct index_call *c, struct bytes id, struct buf *rows)
{
	struct logseq_graph_row row = { .id = id };
	struct buf packed = BUF_INIT;
	struct index_graph g;
	struct index_member m;
	int r;

	if (index_graph_get(&c->ix, id, &g) != 1 ||
	    (r = index_member_get(&c->ix, id, c->ix.me, &m)) == -1)
		return (-1);
	row.name = g.name;
	row.schema = g.schema;
	row.e2ee = g.e2ee;
	row.ready = g.ready;
	row.created_ms = g.created_ms;
	row.updated_ms = g.updated_ms;
	if (r == 1) {
		row.role = m.role;
		row.invited_by = m.invited_by;
	}
	logseq_graph_pack(&packed, &row);
	r = packed.failed ? -1 : list_add(rows, buf_bytes(&packed));
	buf_free(&packed);
	return (r);
}

enum code
index_graph_new(struct index_call *c)
{
	struct index_member m = { .role = LOGSEQ_MANAGER,
		.invited_by = c->ix.me };
	struct index_graph g = { .owner = c->ix.me };
	enum code code;

	if (graphs_new_read(c->in, &g) == -1)
		return (CODE_INVALID);
	if ((code = graphs_new_check(c, &g)) != CODE_OK)
		return (code);
	g.created_ms = g.updated_ms = m.created_ms = (uint64_t)c->t->now_ms;
	index_graph_put(&c->ix, c->in->ref, &g);
	index_put(&c->ix, INDEX_NAME, g.owner, g.name, c->in->ref);
	index_member_put(&c->ix, c->in->ref, g.owner, &m);
	return (CODE_OK);
}

static int
graphs_new_read(const struct submit *in, struct index_graph *g)
{
	struct bytes rest = in->items;

	if (!logseq_uuid_ok(in->ref) ||
	    logseq_list_next(&rest, &g->name) == -1 ||
	    logseq_list_next(&rest, &g->schema) == -1 ||
	    logseq_list_next_u64(&rest, &g->e2ee) == -1 ||
	    logseq_list_next_u64(&rest, &g->ready) == -1)
		return (-1);
	return (rest.n != 0 || g->name.n > LOGSEQ_GRAPH_NAME_MAX ||
		    g->schema.n > LOGSEQ_SCHEMA_MAX || g->e2ee > 1 ||
		    g->ready > 1
		? -1
		: 0);
}

static enum code
graphs_new_check(struct index_call *c, const struct index_graph *g)
{
	struct index *ix = &c->ix;

	if (index_get(ix, INDEX_GRAPH, c->in->ref, BYTES_NONE, &ix->val) != 0)
		return (CODE_INVALID);
	if (index_get(ix, INDEX_NAME, g->owner, g->name, &ix->val) != 0)
		return (CODE_EXISTS);
	if (g->e2ee &&
	    index_get(ix, INDEX_KEYS, g->owner, BYTES_NONE, &ix->val) != 1)
		return (CODE_NOT_FOUND);
	if (index_count(ix, INDEX_SHELF, g->owner, LOGSEQ_GRAPHS_MAX) >=
	    LOGSEQ_GRAPHS_MAX)
		return (CODE_QUOTA);
	return (CODE_OK);
}
