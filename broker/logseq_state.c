/*
 * What a session is told of a graph: who it is to it, and where the graph
 * stands.  Opening is allowed to owners and members only.
 */
#include "broker/logseq_verbs.h"

enum code
logseq_state(struct txn *t, const struct submit *s)
{
	struct logseq_graph access;
	struct graph g;
	enum code code = CODE_OK;

	(void)s;
	if (logseq_index_access(t, &access) != 1)
		return (t->failed ? CODE_STORAGE : CODE_NO_SCOPE);
	if (graph_begin(&g, t) == 0)
		logseq_tell_state(&g, &access);
	code = graph_code(&g, code);
	graph_end(&g);
	return (code);
}

/* Sockets are closed: what their clients know of t is worth nothing now. */
enum code
logseq_reset(struct txn *t, const struct submit *s)
{
	struct logseq_graph access;
	struct graph g;
	enum code code;

	(void)s;
	if (logseq_index_access(t, &access) != 1 ||
	    access.role != LOGSEQ_MANAGER)
		return (t->failed ? CODE_STORAGE : CODE_NO_SCOPE);
	if (graph_begin(&g, t) == 0) {
		graph_drop(&g);
		graph_save(&g);
		txn_kick(t, BYTES_NONE, CODE_NOT_FOUND);
	}
	code = graph_code(&g, CODE_OK);
	graph_end(&g);
	return (code);
}

void
logseq_tell_state(struct graph *g, const struct logseq_graph *access)
{
	char sum[LOGSEQ_SUM_LEN + 1];
	struct logseq_state s = { .role = access->role,
		.ready = access->ready != 0,
		.e2ee = access->e2ee != 0,
		.t = graph_t(g),
		.base = g->m.base,
		.uploading = (uint64_t)graph_uploading(g),
		.gen = g->m.live.gen,
		.sum = graph_sum(g, sum),
		.staged = g->m.upload };
	struct buf info = BUF_INIT;

	if (logseq_state_pack(&info, &s) == -1)
		g->t->failed = 1;
	else
		txn_info(g->t, buf_bytes(&info));
	buf_free(&info);
}
