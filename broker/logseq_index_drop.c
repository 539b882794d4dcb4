/*
 * The end of a graph: out of the index with all that hangs on it, and its
 * document is no more.
 */
#include "broker/logseq_index.h"
#include "common/wire.h"

static int drop_members(struct index_call *);

enum code
index_graph_drop(struct index_call *c)
{
	struct index *ix = &c->ix;

	if (drop_members(c) == -1 ||
	    index_del(ix, INDEX_NAME, c->graph.owner, c->graph.name) == -1 ||
	    index_del(ix, INDEX_GRAPH, c->id, BYTES_NONE) == -1 ||
	    txn_drop(c->t) == -1)
		return (CODE_STORAGE);
	txn_kick(c->t, BYTES_NONE, CODE_NOT_FOUND);
	return (CODE_OK);
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
	/* An owner may be no member. */
	if (r == 0)
		r = index_del(ix, INDEX_AES, c->id, c->graph.owner);
	if (r == 0)
		r = index_del(ix, INDEX_SHELF, c->graph.owner, c->id);
	return (r);
}
