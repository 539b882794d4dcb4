/*
 * The index half of the logseq dialect: who may do what with a graph.  Every
 * verb is judged here, by room and role, before its own file decides; the
 * engine asks logseq_index_access when a graph is opened.
 */
#include "broker/logseq_index.h"

static const struct index_row {
	uint64_t verb;
	enum logseq_room room;
	enum logseq_role need;
	index_verb *decide;
} index_rows[] = {
#define LOGSEQ_INDEX_VERB(no, NAME, name, room, need, scope)                   \
	{ LOGSEQ_##NAME, LOGSEQ_ROOM_##room, LOGSEQ_##need, index_##name },
#include "common/logseq_index.def"
#undef LOGSEQ_INDEX_VERB
};

#define INDEX_ROWS (sizeof(index_rows) / sizeof(index_rows[0]))

static const struct index_row *index_row_find(uint64_t);
static enum code index_call(struct index_call *, const struct index_row *);
static int index_call_graph(struct index_call *);

enum code
logseq_index_decide(struct txn *t, const struct submit *in)
{
	const struct index_row *row = index_row_find(in->verb);
	struct index_call c = { .t = t, .in = in };
	enum code code = CODE_STORAGE;

	if (row == NULL || t->name.room != row->room)
		return (CODE_INVALID);
	if (index_begin(&c.ix, t) == 0)
		code = index_call(&c, row);
	index_end(&c.ix);
	return (t->failed ? CODE_STORAGE : code);
}

enum code
logseq_index_open(struct txn *t)
{
	enum code code = CODE_STORAGE;
	struct index ix;

	if (!bytes_eq(t->name.name, BYTES_LIT(LOGSEQ_INDEX_NAME)))
		return (CODE_NOT_FOUND);
	if (t->who.claims == NULL || t->who.subject.n == 0)
		return (CODE_NO_SCOPE);
	if (index_begin(&ix, t) == 0 &&
	    index_user_note(&ix, t->who.claims) != -1)
		code = CODE_OK;
	index_end(&ix);
	return (code);
}

int
logseq_index_access(struct txn *t, struct logseq_graph *g)
{
	struct index_graph graph = { 0 };
	struct index ix;
	int r = -1;

	memset(g, 0, sizeof(*g));
	/* A name of the client's making may be of any length. */
	if (t->name.name.n != LOGSEQ_UUID_LEN)
		return (0);
	if (index_begin(&ix, t) == 0)
		r = index_graph_get(&ix, t->name.name, &graph);
	if (r == 1) {
		g->role = index_role(&ix, t->name.name, &graph, ix.me);
		g->ready = graph.ready != 0;
		g->e2ee = graph.e2ee != 0;
		r = g->role != LOGSEQ_NOBODY;
	}
	if (t->failed)
		r = -1;
	index_end(&ix);
	return (r);
}

int
logseq_index_ready(struct txn *t, int ready)
{
	struct index_graph graph = { 0 };
	struct index ix;
	int r = -1;

	if (index_begin(&ix, t) == 0 &&
	    (r = index_graph_get(&ix, t->name.name, &graph)) == 1) {
		graph.ready = ready != 0;
		graph.updated_ms = (uint64_t)t->now_ms;
		r = index_graph_put(&ix, t->name.name, &graph);
	}
	index_end(&ix);
	return (r);
}

enum logseq_role
index_role(struct index *ix, struct bytes id, const struct index_graph *g,
    struct bytes user)
{
	struct index_member m;

	if (user.n == 0)
		return (LOGSEQ_NOBODY);
	if (bytes_eq(g->owner, user))
		return (LOGSEQ_MANAGER);
	if (index_member_get(ix, id, user, &m) != 1)
		return (LOGSEQ_NOBODY);
	return ((enum logseq_role)m.role);
}

static const struct index_row *
index_row_find(uint64_t verb)
{
	size_t i;

	for (i = 0; i < INDEX_ROWS; i++)
		if (index_rows[i].verb == verb)
			return (&index_rows[i]);
	return (NULL);
}

static enum code
index_call(struct index_call *c, const struct index_row *row)
{
	if (row->room == LOGSEQ_ROOM_GRAPH && index_call_graph(c) == -1)
		return (CODE_STORAGE);
	if (c->role < row->need)
		return (CODE_NO_SCOPE);
	return (row->decide(c));
}

static int
index_call_graph(struct index_call *c)
{
	c->id = c->t->name.name;
	if (c->id.n != LOGSEQ_UUID_LEN)
		return (0);
	c->found = index_graph_get(&c->ix, c->id, &c->graph);
	if (c->found == 1)
		c->role = index_role(&c->ix, c->id, &c->graph, c->ix.me);
	return (c->found == -1 || c->t->failed ? -1 : 0);
}
