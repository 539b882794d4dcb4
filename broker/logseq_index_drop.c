/*
 * The end of a graph: out of the index at once, its members with it; assets and
 * content step by step.
 */
#include "broker/logseq_index.h"
#include "broker/logseq_verbs.h"
#include "common/wire.h"

static enum code drop_begin(struct index_call *);
static int drop_sweep(struct txn *);
static int drop_members(struct index_call *);

enum code
index_graph_drop(struct index_call *c)
{
	struct index *ix = &c->ix;
	enum code code;
	uint8_t octet;
	int more;

	if (c->found == 1) {
		if (c->role < LOGSEQ_MANAGER)
			return (CODE_NO_SCOPE);
		if ((code = drop_begin(c)) != CODE_OK)
			return (code);
	} else if (index_get(ix, INDEX_DROPPED, BYTES_NONE, c->id, &ix->val) !=
		1 ||
	    !bytes_eq(buf_bytes(&ix->val), ix->me))
		return (CODE_NO_SCOPE);
	if ((more = drop_sweep(c->t)) == 0)
		index_del(ix, INDEX_DROPPED, BYTES_NONE, c->id);
	octet = more == 1;
	txn_info(c->t, bytes_of(&octet, 1));
	return (CODE_OK);
}

int
index_drop_sweep(struct index *ix)
{
	struct buf list = BUF_INIT;
	struct bytes rest, id;
	struct txn graph;
	int more, r;

	r = index_list(ix, INDEX_DROPPED, BYTES_NONE, BYTES_NONE, 1, &list,
	    &more);
	rest = buf_bytes(&list);
	if (r == 0 && list_next(&rest, &id) == 1) {
		if (txn_other(ix->t, &graph, LOGSEQ_ROOM_GRAPH, id) == 0 &&
		    (r = drop_sweep(&graph)) == 0)
			r = index_del(ix, INDEX_DROPPED, BYTES_NONE, id);
		txn_done(&graph);
	}
	buf_free(&list);
	return (r == -1 ? -1 : 0);
}

static enum code
drop_begin(struct index_call *c)
{
	struct index *ix = &c->ix;

	if (logseq_graph_drop(c->t) == -1 || drop_members(c) == -1 ||
	    index_del(ix, INDEX_NAME, c->graph.owner, c->graph.name) == -1 ||
	    index_del(ix, INDEX_SHELF, c->graph.owner, c->id) == -1 ||
	    index_del(ix, INDEX_GRAPH, c->id, BYTES_NONE) == -1 ||
	    index_put(ix, INDEX_DROPPED, BYTES_NONE, c->id, ix->me) == -1)
		return (CODE_STORAGE);
	txn_kick(c->t, BYTES_NONE, CODE_NOT_FOUND);
	return (CODE_OK);
}

/* 1: there is more to throw away, 0, -1. */
static int
drop_sweep(struct txn *t)
{
	struct graph g;
	int more = index_assets_sweep(t);

	if (more != 0)
		return (more);
	if (graph_begin(&g, t) == 0) {
		more = graph_sweep(&g, SWEEP_A_LOT);
		graph_save(&g);
	}
	graph_end(&g);
	return (t->failed ? -1 : more);
}

static int
drop_members(struct index_call *c)
{
	struct index *ix = &c->ix;
	struct buf list = BUF_INIT;
	struct bytes rest, user;
	int more, r;

	r = index_list(ix, INDEX_MEMBER, c->id, BYTES_NONE, SIZE_MAX, &list,
	    &more);
	for (rest = buf_bytes(&list); r == 0 && list_next(&rest, &user) == 1;) {
		index_del(ix, INDEX_MEMBER, c->id, user);
		index_del(ix, INDEX_AES, c->id, user);
		r = index_del(ix, INDEX_SHELF, user, c->id);
	}
	buf_free(&list);
	/* The owner may have a key and be no member. */
	if (r == 0)
		r = index_del(ix, INDEX_AES, c->id, c->graph.owner);
	return (r);
}
