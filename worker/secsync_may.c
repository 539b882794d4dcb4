/*
 * The second wall: the broker's rule is the first.
 */
#include "common/wire.h"
#include "worker/secsync_may.h"

int
secsync_may_size(const struct settings *set, enum secsync_kind kind, size_t n)
{
	switch (kind) {
	case SECSYNC_KIND_UPDATE:
		return (n <= set->secsync_update_max);
	case SECSYNC_KIND_EPHEMERAL:
		return (n <= set->secsync_ephemeral_max);
	default:
		return (n <= set->secsync_snapshot_max);
	}
}

int
secsync_may_send(struct bytes grant, const struct secsync_message *m)
{
	struct secsync_grant g;
	struct bytes key;

	if (secsync_grant_unpack(grant, &g) == -1)
		return (0);
	if (m->kind == SECSYNC_KIND_EPHEMERAL && g.ephemeral == 0)
		return (0);
	if (g.keys_given == 0)
		return (1);
	while (list_next(&g.keys, &key) == 1)
		if (bytes_eq(key, m->key))
			return (1);
	return (0);
}

int64_t
secsync_may_pay(int64_t paid_us, uint64_t rate, int64_t now_ms)
{
	int64_t second_ago_us = (now_ms - 1000) * 1000;

	if (paid_us < second_ago_us)
		paid_us = second_ago_us;
	return (paid_us + (rate > 1000000 ? 0 : 1000000 / (int64_t)rate));
}
