/*
 * Head, clocks and chain, packed and unpacked.  What they mean for a decision
 * is in rule_secsync.c.
 */
#include "broker/rule_secsync_state.h"
#include "common/wire.h"

static txn_each_reg state_equal_each, state_drop_each;

int
secsync_head_get(struct txn *t, struct buf *val, struct secsync_head *head)
{
	int found = secsync_reg_get(t, SECSYNC_REG_HEAD, BYTES_NONE, val);

	if (found == 1 && secsync_head_unpack(buf_bytes(val), head) == -1) {
		t->failed = 1;
		return (-1);
	}
	return (found);
}

int
secsync_head_put(struct txn *t, const struct secsync_head *head)
{
	struct buf val = BUF_INIT;

	if (secsync_head_pack(&val, head) == -1)
		t->failed = 1;
	secsync_reg_put(t, SECSYNC_REG_HEAD, BYTES_NONE, buf_bytes(&val));
	buf_free(&val);
	return (t->failed ? -1 : 0);
}

int
secsync_clock_get(struct txn *t, struct bytes key, uint64_t *clock)
{
	struct buf val = BUF_INIT;
	int found = secsync_reg_get(t, SECSYNC_REG_CLOCK, key, &val);

	if (found == 1) {
		if (val.len == 8)
			*clock = be64_get(buf_bytes(&val).p);
		else
			t->failed = 1;
	}
	buf_free(&val);
	return (t->failed ? -1 : found);
}

int
secsync_clock_put(struct txn *t, struct bytes key, uint64_t clock)
{
	uint8_t val[8];

	be64_put(val, clock);
	secsync_reg_put(t, SECSYNC_REG_CLOCK, key, bytes_of(val, sizeof(val)));
	return (t->failed ? -1 : 0);
}

/* Both are sorted by key: one walk. */
int
secsync_clocks_equal(struct txn *t, struct bytes list)
{
	static const uint8_t prefix[] = { SECSYNC_REG_CLOCK };

	return (txn_reg_scan(t, bytes_of(prefix, 1), BYTES_NONE,
		    state_equal_each, &list) == 0 &&
	    list.n == 0);
}

static int
state_equal_each(struct bytes key, struct bytes val, void *arg)
{
	struct bytes *list = arg, k, v;

	if (list_next(list, &k) != 1 || list_next(list, &v) != 1)
		return (1);
	return (!bytes_eq(k, bytes_skip(key, 1)) || !bytes_eq(v, val));
}

/* Nothing may be changed during a scan, so the keys are gathered first. */
void
secsync_clocks_drop(struct txn *t)
{
	static const uint8_t prefix[] = { SECSYNC_REG_CLOCK };
	struct buf keys = BUF_INIT;
	struct bytes rest, key;

	if (txn_reg_scan(t, bytes_of(prefix, 1), BYTES_NONE, state_drop_each,
		&keys) == -1)
		t->failed = 1;
	for (rest = buf_bytes(&keys); list_next(&rest, &key) == 1;)
		txn_reg_del(t, key);
	buf_free(&keys);
}

static int
state_drop_each(struct bytes key, struct bytes val, void *arg)
{
	(void)val;
	return (list_add(arg, key));
}

void
secsync_reg_put(struct txn *t, char kind, struct bytes key, struct bytes val)
{
	uint8_t name[1 + SECSYNC_ID_MAX];

	if (key.n > SECSYNC_ID_MAX) {
		t->failed = 1;
		return;
	}
	name[0] = (uint8_t)kind;
	if (key.n > 0)
		memcpy(name + 1, key.p, key.n);
	txn_reg_put(t, bytes_of(name, 1 + key.n), val);
}

int
secsync_reg_get(struct txn *t, char kind, struct bytes key, struct buf *val)
{
	uint8_t name[1 + SECSYNC_ID_MAX];

	if (key.n > SECSYNC_ID_MAX)
		return (0);
	name[0] = (uint8_t)kind;
	if (key.n > 0)
		memcpy(name + 1, key.p, key.n);
	return (txn_reg_get(t, bytes_of(name, 1 + key.n), val));
}
