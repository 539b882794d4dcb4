/*
 * What of an sds store's log nobody needs (sds.md, section 13): the place of a
 * value that was replaced, and a patch that is octet for octet an earlier one.
 * Other patches never go: only their writers know what is in them.
 */
#include <sodium.h>

#include "broker/config.h"
#include "broker/rule.h"
#include "common/sds.h"

/* So many different patches are remembered: the newest of each slot. */
#define SDS_SLOTS 16384u

struct sds_pass {
	uint64_t before_ms;
	uint8_t seen[SDS_SLOTS][CHAIN_BYTES];
};

static int sds_begin(struct txn *, uint64_t, void *);
static int sds_droppable(struct txn *, const struct record *, void *);
static int sds_value_gone(struct txn *, const struct record *);
static int sds_patch_again(struct txn *, const struct record *,
    struct sds_pass *);

const struct rule_compact compact_sds = {
	.size = sizeof(struct sds_pass),
	.begin = sds_begin,
	.droppable = sds_droppable,
};

static int
sds_begin(struct txn *t, uint64_t before_ms, void *state)
{
	struct sds_pass *p = state;

	(void)t;
	p->before_ms = before_ms;
	return (0);
}

static int
sds_droppable(struct txn *t, const struct record *r, void *state)
{
	struct sds_pass *p = state;

	if (r->kind == SDS_KIND_VALUE || r->kind == SDS_KIND_VALUE_CHUNKED)
		return (r->time_ms < p->before_ms && sds_value_gone(t, r));
	/* Where VALUEs prune, the earlier one may be gone at any time. */
	if (r->kind != SDS_KIND_PATCH || t->conf->sds_prune)
		return (0);
	return (sds_patch_again(t, r, p));
}

static int
sds_value_gone(struct txn *t, const struct record *r)
{
	struct buf val = BUF_INIT;
	struct field f;
	int found;

	found = txn_field_get(t, r->body.b, &val, &f);
	buf_free(&val);
	return (found == -1 ? -1 : found == 0 || f.stamp != r->seq);
}

static int
sds_patch_again(struct txn *t, const struct record *r, struct sds_pass *p)
{
	uint8_t hash[CHAIN_BYTES], *slot;

	if (r->body.blob == 0)
		crypto_generichash(hash, sizeof(hash), r->body.b.p, r->body.b.n,
		    NULL, 0);
	else if (txn_blob_digest(t, r->body.blob, hash) == -1)
		return (-1);
	slot = p->seen[be32_get(hash) % SDS_SLOTS];
	if (memcmp(slot, hash, sizeof(hash)) == 0)
		return (r->time_ms < p->before_ms);
	memcpy(slot, hash, sizeof(hash));
	return (0);
}
