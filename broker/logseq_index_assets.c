/*
 * Assets of a graph: stamped registers of its own document, so that each counts
 * as the graph's, is in its backup and gives up its blob when it is replaced.
 */
#include "broker/config.h"
#include "broker/logseq_index.h"
#include "common/wire.h"

/* Every asset is stamped so: nobody asks which are new. */
#define ASSET_STAMP 1
/* What one step throws away; more when a single asset is larger. */
#define SWEEP_ASSETS	64
#define SWEEP_MAX_BYTES (UINT64_C(8) << 20)

struct assets_sweep {
	struct buf keys;
	size_t n;
	uint64_t bytes;
	int more;
};

static txn_each_field assets_sweep_each;

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

int
index_assets_sweep(struct txn *t)
{
	struct assets_sweep s = { .keys = BUF_INIT };
	struct bytes rest, key;
	int r = 0;

	if (txn_field_scan(t, ASSET_STAMP - 1, ASSET_STAMP, BYTES_NONE,
		assets_sweep_each, &s) == -1)
		r = -1;
	for (rest = buf_bytes(&s.keys); r == 0 && list_next(&rest, &key) == 1;)
		r = txn_field_del(t, key);
	buf_free(&s.keys);
	return (r == -1 ? -1 : s.more);
}

static int
assets_sweep_each(const struct field *f, void *arg)
{
	struct assets_sweep *s = arg;

	if (s->n == SWEEP_ASSETS || (s->n > 0 && s->bytes > SWEEP_MAX_BYTES)) {
		s->more = 1;
		return (1);
	}
	s->n++;
	s->bytes += f->body.size;
	return (list_add(&s->keys, f->key));
}
