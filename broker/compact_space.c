/* Ranges of a table that are small enough for one step. */
#include "broker/compact_space.h"
#include "common/limits.h"

#define SWEEP_ROWS  1000u
#define SWEEP_BYTES ((size_t)MIB)

struct sweep_range {
	size_t rows, bytes;
	struct buf to; /* empty: the table ends before the range does */
};

static kv_each sweep_each;

int
sweep_step(struct sweep *s, struct kv *kv)
{
	static const uint8_t last[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff };
	struct bytes end = bytes_of(last, sizeof(last));
	struct sweep_range r = { 0 };
	int more;

	if (s->table == KV_TABLES)
		return (0);
	more = kv->ops->scan(kv, (enum kv_table)s->table, buf_bytes(&s->from),
	    end, 0, sweep_each, &r);
	if (more != -1 &&
	    kv->ops->compact(kv, (enum kv_table)s->table, buf_bytes(&s->from),
		more == 1 ? buf_bytes(&r.to) : end) == -1)
		more = -1;
	buf_clear(&s->from);
	if (more == 1 && buf_add_bytes(&s->from, buf_bytes(&r.to)) == -1)
		more = -1;
	if (more == 0)
		s->table++;
	buf_free(&r.to);
	return (more == -1 ? -1 : 1);
}

static int
sweep_each(struct bytes key, struct bytes val, void *arg)
{
	struct sweep_range *r = arg;

	r->bytes += key.n + val.n;
	if (++r->rows < SWEEP_ROWS && r->bytes < SWEEP_BYTES)
		return (0);
	buf_add_bytes(&r->to, key);
	return (buf_add_u8(&r->to, 0) == -1 ? -1 : 1);
}
