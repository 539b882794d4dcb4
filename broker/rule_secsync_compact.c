/*
 * What of a secsync document's log nobody needs (secsync.md, section 13): the
 * snapshots before one that has been there for the grace time, and the updates
 * on them.  The chain of proofs is in registers and stays for ever.
 */
#include "broker/rule.h"
#include "common/secsync.h"

struct secsync_pass {
	struct txn *t;
	uint64_t before_ms;
	uint64_t snapshot; /* the newest one that is old enough */
};

static int secsync_begin(struct txn *, uint64_t, void *);
static txn_each_reg secsync_chain_each;
static int secsync_droppable(struct txn *, const struct record *, void *);

const struct rule_compact compact_secsync = {
	.size = sizeof(struct secsync_pass),
	.begin = secsync_begin,
	.droppable = secsync_droppable,
};

static int
secsync_begin(struct txn *t, uint64_t before_ms, void *state)
{
	static const uint8_t prefix[] = { SECSYNC_REG_CHAIN };
	struct secsync_pass *p = state;

	p->t = t;
	p->before_ms = before_ms;
	return (txn_reg_scan(t, bytes_of(prefix, 1), BYTES_NONE,
		    secsync_chain_each, p) == -1
		? -1
		: 0);
}

static int
secsync_chain_each(struct bytes key, struct bytes val, void *arg)
{
	struct secsync_pass *p = arg;
	struct record r;
	uint64_t seq;
	int found;

	(void)val;
	if (key.n != 1 + 8)
		return (-1);
	seq = be64_get(key.p + 1);
	if (seq <= p->t->row.oldest)
		return (0);
	if ((found = txn_log_get(p->t, seq, &r)) != 1)
		return (found);
	if (r.time_ms >= p->before_ms)
		return (1);
	p->snapshot = seq;
	return (0);
}

static int
secsync_droppable(struct txn *t, const struct record *r, void *state)
{
	const struct secsync_pass *p = state;

	(void)t;
	return (r->seq < p->snapshot);
}
