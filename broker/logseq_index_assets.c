/*
 * Assets of a graph: stamped registers of its own document, so that each counts
 * as the graph's, is in its backup and gives up its blob when it is replaced.
 */
#include "broker/config.h"
#include "broker/logseq_index.h"

/* Every asset is stamped so: nobody asks which are new. */
#define ASSET_STAMP 1

enum code
index_asset_put(struct index_call *c)
{
	const struct config *conf = c->t->conf;
	struct bytes rest = c->in->items, type, sum;
	struct body body = c->in->body;
	struct buf key = BUF_INIT;
	uint64_t max;

	if (!logseq_asset_name_ok(c->in->ref) ||
	    logseq_list_next(&rest, &type) == -1 ||
	    logseq_list_next(&rest, &sum) == -1 || rest.n != 0 ||
	    type.n > LOGSEQ_ASSET_TYPE_MAX || sum.n > LOGSEQ_ASSET_SUM_MAX ||
	    body.b.n != 0)
		return (CODE_INVALID);
	max = (uint64_t)(c->graph.e2ee ? conf->logseq_asset_e2ee_max
				       : conf->logseq_asset_max);
	if (body.size > max)
		return (CODE_TOO_LARGE);
	body.b = c->in->items;
	if (logseq_asset_key(&key, c->in->ref) == -1)
		index_fail(&c->ix);
	else
		txn_field_put(c->t, buf_bytes(&key), ASSET_STAMP, &body);
	buf_free(&key);
	return (CODE_OK);
}

enum code
index_asset_drop(struct index_call *c)
{
	struct buf key = BUF_INIT;

	if (!logseq_asset_name_ok(c->in->ref))
		return (CODE_INVALID);
	if (logseq_asset_key(&key, c->in->ref) == -1)
		index_fail(&c->ix);
	else
		txn_field_del(c->t, buf_bytes(&key));
	buf_free(&key);
	return (CODE_OK);
}
