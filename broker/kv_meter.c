/* Prices, roughly what Berkeley DB takes for rows that are in memory. */
#include <errno.h>

#include "broker/kv_meter.h"

#define PRICE_GET	2u
#define PRICE_CHANGE	5u
#define PRICE_ROW	1u
#define PRICE_BYTES(n_) ((n_) / 1024u)

struct meter_scan {
	struct kv_meter *m;
	kv_each *each;
	void *arg;
};

static int meter_get(struct kv *, enum kv_table, struct bytes, struct buf *);
static int meter_put(struct kv *, enum kv_table, struct bytes, struct bytes);
static int meter_del(struct kv *, enum kv_table, struct bytes);
static int meter_scan(struct kv *, enum kv_table, struct bytes from,
    struct bytes to, int reverse, kv_each *, void *arg);
static kv_each meter_each;
static int meter_pay(struct kv_meter *, uint64_t units);

static const struct kv_ops meter_ops = {
	.get = meter_get,
	.put = meter_put,
	.del = meter_del,
	.scan = meter_scan,
};

void
kv_meter_init(struct kv_meter *m, struct kv *base)
{
	memset(m, 0, sizeof(*m));
	m->kv.ops = &meter_ops;
	m->base = base;
}

void
kv_meter_start(struct kv_meter *m, uint64_t units)
{
	m->left = units;
	m->over = 0;
}

static int
meter_get(struct kv *kv, enum kv_table t, struct bytes key, struct buf *val)
{
	struct kv_meter *m = (struct kv_meter *)kv;

	int r;

	if (meter_pay(m, PRICE_GET) == -1)
		return (-1);
	r = m->base->ops->get(m->base, t, key, val);
	return (r == 1 && meter_pay(m, PRICE_BYTES(val->len)) == -1 ? -1 : r);
}

static int
meter_put(struct kv *kv, enum kv_table t, struct bytes key, struct bytes val)
{
	struct kv_meter *m = (struct kv_meter *)kv;

	if (meter_pay(m, PRICE_CHANGE + PRICE_BYTES(val.n)) == -1)
		return (-1);
	return (m->base->ops->put(m->base, t, key, val));
}

static int
meter_del(struct kv *kv, enum kv_table t, struct bytes key)
{
	struct kv_meter *m = (struct kv_meter *)kv;

	if (meter_pay(m, PRICE_CHANGE) == -1)
		return (-1);
	return (m->base->ops->del(m->base, t, key));
}

static int
meter_scan(struct kv *kv, enum kv_table t, struct bytes from, struct bytes to,
    int reverse, kv_each *each, void *arg)
{
	struct kv_meter *m = (struct kv_meter *)kv;
	struct meter_scan s = { m, each, arg };

	if (meter_pay(m, PRICE_GET) == -1)
		return (-1);
	return (
	    m->base->ops->scan(m->base, t, from, to, reverse, meter_each, &s));
}

static int
meter_each(struct bytes key, struct bytes val, void *arg)
{
	struct meter_scan *s = arg;

	if (meter_pay(s->m, PRICE_ROW + PRICE_BYTES(val.n)) == -1)
		return (-1);
	return (s->each(key, val, s->arg));
}

static int
meter_pay(struct kv_meter *m, uint64_t units)
{
	if (units > m->left)
		m->over = 1;
	if (m->over) {
		errno = EAGAIN;
		return (-1);
	}
	m->left -= units;
	return (0);
}
