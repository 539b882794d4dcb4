/*
 * The log of a document: numbered records, appended in order, read, dropped.
 */
#include "broker/txn_key.h"

struct log_scan {
	struct txn *tx;
	txn_each_record *each;
	void *arg;
};

static kv_each txn_log_each;

int
txn_append(struct txn *tx, unsigned int kind, const struct bytes *piece,
    size_t n, uint64_t blob, uint64_t blob_size, uint64_t *seq)
{
	struct record r = { 0 };
	uint8_t key[KEY_PAIR_BYTES];

	if (txn_create(tx) == -1)
		return (-1);
	r.kind = (uint8_t)kind;
	r.origin = tx->who.session;
	r.time_ms = (uint64_t)tx->now_ms;
	r.body.blob = blob;
	r.body.size = blob_size;
	buf_clear(&tx->pack);
	if (record_pack(&tx->pack, &r, 0, piece, n) == -1)
		return (txn_fail(tx));
	if (tx->kv->ops->put(tx->kv, KV_LOG,
		key_pair(key, tx->doc, tx->seq + 1),
		buf_bytes(&tx->pack)) == -1)
		return (txn_fail(tx));
	if (blob != 0 && txn_blob_keep(tx, blob) == -1)
		return (-1);
	*seq = ++tx->seq;
	return (0);
}

int
txn_log_get(struct txn *tx, uint64_t seq, struct record *r)
{
	uint8_t key[KEY_PAIR_BYTES];
	const char *wrong;
	int found;

	if (tx->doc == 0)
		return (0);
	found = tx->kv->ops->get(tx->kv, KV_LOG, key_pair(key, tx->doc, seq),
	    &tx->tmp);
	if (found != 1)
		return (found == -1 ? txn_fail(tx) : 0);
	if ((wrong = record_unpack(buf_bytes(&tx->tmp), r)) != NULL)
		return (txn_corrupt(tx, "record", seq, wrong));
	r->seq = seq;
	return (1);
}

int
txn_log_scan(struct txn *tx, uint64_t after, uint64_t upto,
    txn_each_record *each, void *arg)
{
	struct log_scan s = { tx, each, arg };
	uint8_t from[KEY_PAIR_BYTES], to[KEY_PAIR_BYTES];
	int r;

	if (tx->doc == 0 || after >= upto)
		return (0);
	key_pair(from, tx->doc, after + 1);
	if (upto == UINT64_MAX)
		key_pair(to, tx->doc + 1, 0);
	else
		key_pair(to, tx->doc, upto + 1);
	r = tx->kv->ops->scan(tx->kv, KV_LOG, bytes_of(from, sizeof(from)),
	    bytes_of(to, sizeof(to)), 0, txn_log_each, &s);
	return (r == -1 ? txn_fail(tx) : r);
}

int
txn_log_drop(struct txn *tx, uint64_t seq)
{
	struct record r;
	uint8_t key[KEY_PAIR_BYTES];
	int found;

	if ((found = txn_log_get(tx, seq, &r)) != 1)
		return (found);
	if (r.body.blob != 0 && txn_blob_drop(tx, r.body.blob) == -1)
		return (-1);
	if (tx->kv->ops->del(tx->kv, KV_LOG, key_pair(key, tx->doc, seq)) == -1)
		return (txn_fail(tx));
	/* Numbers are never given twice. */
	return (seq == tx->seq ? txn_base_put(tx, seq) : 0);
}

static int
txn_log_each(struct bytes key, struct bytes val, void *arg)
{
	struct log_scan *s = arg;
	struct record r;
	const char *wrong;

	if (key.n != KEY_PAIR_BYTES)
		return (txn_corrupt(s->tx, "record", 0, "bad key"));
	if ((wrong = record_unpack(val, &r)) != NULL)
		return (
		    txn_corrupt(s->tx, "record", be64_get(key.p + 8), wrong));
	r.seq = be64_get(key.p + 8);
	return (s->each(&r, s->arg));
}
