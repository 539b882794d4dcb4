/*
 *   document 0, "quota/" digest of the subject -> day, octets, messages, be64
 */
#include <sodium.h>

#include "broker/quota.h"
#include "broker/txn_key.h"

#define QUOTA_NAME   "quota/"
#define QUOTA_DIGEST 16u
#define QUOTA_BYTES  24u
#define QUOTA_DAY_MS 86400000

struct quota {
	uint64_t day, bytes, records;
};

static int quota_off(const struct session *);
static int quota_read(struct txn *, struct bytes subject, struct buf *key,
    struct quota *);

enum code
quota_refuses(const struct session *s, struct txn *t, uint64_t more)
{
	uint64_t bytes_max = (uint64_t)session_bounds(s)->bytes;
	uint64_t records_max = (uint64_t)session_bounds(s)->records;
	struct buf key = BUF_INIT;
	struct quota q;
	int r;

	if (quota_off(s))
		return (CODE_OK);
	r = quota_read(t, s->claims.sub, &key, &q);
	buf_free(&key);
	if (r == -1)
		return (CODE_STORAGE);
	return ((bytes_max != 0 &&
		    (q.bytes >= bytes_max || more > bytes_max - q.bytes)) ||
		    (records_max != 0 && q.records >= records_max)
		? CODE_QUOTA
		: CODE_OK);
}

int
quota_count(const struct session *s, struct txn *t, const struct txn_row *was)
{
	struct buf key = BUF_INIT;
	uint8_t val[QUOTA_BYTES];
	struct quota q;
	int r;

	if (quota_off(s))
		return (0);
	if ((r = quota_read(t, s->claims.sub, &key, &q)) == 0) {
		if (t->row.bytes > was->bytes)
			q.bytes += t->row.bytes - was->bytes;
		if (t->row.records > was->records)
			q.records += t->row.records - was->records;
		be64_put(val, q.day);
		be64_put(val + 8, q.bytes);
		be64_put(val + 16, q.records);
		r = txn_check(t,
		    t->kv->ops->put(t->kv, KV_REG, buf_bytes(&key),
			bytes_of(val, sizeof(val))));
	}
	buf_free(&key);
	return (r);
}

static int
quota_off(const struct session *s)
{
	const struct bounds *b = session_bounds(s);

	return ((b->bytes == 0 && b->records == 0) ||
	    scope_covers(s->scope, SCOPE_ADMIN));
}

/* Of today: 0, -1. */
static int
quota_read(struct txn *t, struct bytes subject, struct buf *key,
    struct quota *q)
{
	uint8_t name[sizeof(QUOTA_NAME) - 1 + QUOTA_DIGEST] = QUOTA_NAME;
	const uint8_t *v;
	int found;

	*q = (struct quota){ (uint64_t)(t->now_ms / QUOTA_DAY_MS), 0, 0 };
	crypto_generichash(name + sizeof(QUOTA_NAME) - 1, QUOTA_DIGEST,
	    subject.p, subject.n, NULL, 0);
	key_reg(key, 0, KEY_PLAIN, bytes_of(name, sizeof(name)));
	if (key->failed)
		return (txn_fail(t));
	found = t->kv->ops->get(t->kv, KV_REG, buf_bytes(key), &t->tmp);
	if (found == -1)
		return (txn_fail(t));
	v = buf_bytes(&t->tmp).p;
	if (found == 1 && t->tmp.len == QUOTA_BYTES && be64_get(v) == q->day) {
		q->bytes = be64_get(v + 8);
		q->records = be64_get(v + 16);
	}
	return (0);
}
