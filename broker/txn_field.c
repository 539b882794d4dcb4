/*
 * Stamped registers: a value and the number at which it was set, with an index
 * by number, so that who was away reads only what changed.
 */
#include "broker/txn_key.h"

struct field_scan {
	struct txn *tx;
	txn_each_field *each;
	void *arg;
	struct buf key, val; /* each may use the handle's own */
};

static int txn_field_find(struct txn *, struct bytes, struct buf *,
    struct record *);
static int txn_field_forget(struct txn *, struct bytes, uint64_t);
static uint64_t field_cost(const struct txn *, const struct record *);
static kv_each txn_field_each;

int
txn_field_put(struct txn *tx, struct bytes key, uint64_t stamp,
    const struct body *body)
{
	struct record r = { 0 };
	uint64_t came, went;
	int found;

	if (txn_create(tx) == -1 ||
	    (found = txn_field_find(tx, key, &tx->pack, &r)) == -1)
		return (-1);
	went = found == 1 ? field_cost(tx, &r) : 0;
	if (found == 1 && txn_field_forget(tx, key, r.seq) == -1)
		return (-1);
	if (found == 1 && r.body.blob != 0 && r.body.blob != body->blob &&
	    txn_blob_drop(tx, r.body.blob) == -1)
		return (-1);
	memset(&r, 0, sizeof(r));
	r.seq = stamp;
	r.origin = tx->who.session;
	r.time_ms = (uint64_t)tx->now_ms;
	r.body = *body;
	buf_clear(&tx->pack);
	if (record_pack(&tx->pack, &r, RECORD_NUMBER, &body->b, 1) == -1)
		return (txn_fail(tx));
	key_reg(&tx->key, tx->doc, KEY_FIELD, key);
	if (tx->key.failed ||
	    tx->kv->ops->put(tx->kv, KV_REG, buf_bytes(&tx->key),
		buf_bytes(&tx->pack)) == -1)
		return (txn_fail(tx));
	came = field_cost(tx, &r);
	key_stamp(&tx->key, tx->doc, stamp, key);
	if (tx->key.failed ||
	    tx->kv->ops->put(tx->kv, KV_STAMP, buf_bytes(&tx->key),
		BYTES_NONE) == -1)
		return (txn_fail(tx));
	if (body->blob != 0 && txn_blob_keep(tx, body->blob) == -1)
		return (-1);
	return (txn_row_count(tx, came, went));
}

int
txn_field_get(struct txn *tx, struct bytes key, struct buf *val,
    struct field *f)
{
	struct record r;
	int found;

	buf_clear(val);
	if ((found = txn_field_find(tx, key, &tx->tmp, &r)) != 1)
		return (found);
	if (buf_add_bytes(val, r.body.b) == -1)
		return (txn_fail(tx));
	f->key = key;
	f->stamp = r.seq;
	f->body = r.body;
	f->body.b = buf_bytes(val);
	return (1);
}

int
txn_field_del(struct txn *tx, struct bytes key)
{
	struct record r;
	uint64_t went;
	int found;

	if ((found = txn_field_find(tx, key, &tx->pack, &r)) != 1)
		return (found);
	went = field_cost(tx, &r);
	if (txn_field_forget(tx, key, r.seq) == -1)
		return (-1);
	key_reg(&tx->key, tx->doc, KEY_FIELD, key);
	if (tx->key.failed ||
	    tx->kv->ops->del(tx->kv, KV_REG, buf_bytes(&tx->key)) == -1)
		return (txn_fail(tx));
	if (r.body.blob != 0 && txn_blob_drop(tx, r.body.blob) == -1)
		return (-1);
	return (txn_row_count(tx, 0, went));
}

int
txn_field_scan(struct txn *tx, uint64_t after, uint64_t upto, struct bytes from,
    txn_each_field *each, void *arg)
{
	struct field_scan s = { tx, each, arg, BUF_INIT, BUF_INIT };
	struct buf low = BUF_INIT;
	uint8_t high[KEY_PAIR_BYTES];
	int r = -1;

	if (tx->doc == 0 || after >= upto)
		return (0);
	key_stamp(&low, tx->doc, after + 1, from);
	if (from.n > 0)
		buf_add_u8(&low, 0); /* the next possible key */
	if (upto == UINT64_MAX)
		key_pair(high, tx->doc + 1, 0);
	else
		key_pair(high, tx->doc, upto + 1);
	if (!low.failed)
		r = tx->kv->ops->scan(tx->kv, KV_STAMP, buf_bytes(&low),
		    bytes_of(high, sizeof(high)), 0, txn_field_each, &s);
	buf_free(&low);
	buf_free(&s.key);
	buf_free(&s.val);
	return (r == -1 ? txn_fail(tx) : r);
}

/* 1: found, r borrows from *val; 0; -1. */
static int
txn_field_find(struct txn *tx, struct bytes key, struct buf *val,
    struct record *r)
{
	const char *wrong;
	int found;

	if (tx->doc == 0)
		return (0);
	key_reg(&tx->key, tx->doc, KEY_FIELD, key);
	if (tx->key.failed)
		return (txn_fail(tx));
	found = tx->kv->ops->get(tx->kv, KV_REG, buf_bytes(&tx->key), val);
	if (found != 1)
		return (found == -1 ? txn_fail(tx) : 0);
	if ((wrong = record_unpack(buf_bytes(val), r)) != NULL)
		return (txn_corrupt(tx, "field", 0, wrong));
	return (1);
}

/* Of the field that tx->key names and tx->pack holds, and of its index. */
static uint64_t
field_cost(const struct txn *tx, const struct record *r)
{
	return (2 * tx->key.len + tx->pack.len + r->body.size + KEY_COST_BYTES);
}

/* Takes a field out of the index. */
static int
txn_field_forget(struct txn *tx, struct bytes key, uint64_t stamp)
{
	key_stamp(&tx->key, tx->doc, stamp, key);
	if (tx->key.failed)
		return (txn_fail(tx));
	return (txn_check(tx,
	    tx->kv->ops->del(tx->kv, KV_STAMP, buf_bytes(&tx->key))));
}

static int
txn_field_each(struct bytes key, struct bytes val, void *arg)
{
	struct field_scan *s = arg;
	struct record r;
	struct field f;
	const char *wrong;
	uint64_t stamp;
	int found;

	(void)val;
	if (key.n < KEY_PAIR_BYTES)
		return (txn_corrupt(s->tx, "stamp", 0, "bad key"));
	stamp = be64_get(key.p + 8);
	f.key = bytes_skip(key, KEY_PAIR_BYTES);
	key_reg(&s->key, s->tx->doc, KEY_FIELD, f.key);
	if (s->key.failed)
		return (-1);
	found =
	    s->tx->kv->ops->get(s->tx->kv, KV_REG, buf_bytes(&s->key), &s->val);
	if (found == -1)
		return (-1);
	if (found == 0)
		return (txn_corrupt(s->tx, "field", stamp, "missing"));
	if ((wrong = record_unpack(buf_bytes(&s->val), &r)) != NULL)
		return (txn_corrupt(s->tx, "field", stamp, wrong));
	f.stamp = r.seq;
	f.body = r.body;
	return (s->each(&f, s->arg));
}
