/*
 * The log of a document: numbered records, appended in order, read, dropped.
 * What is dropped leaves a stub, see record.h.
 */
#include "broker/chain.h"
#include "broker/txn_key.h"

struct log_scan {
	struct txn *tx;
	txn_each_record *each;
	void *arg;
};

#define LOG_NUMBERS 256u
struct log_numbers {
	uint64_t seq[LOG_NUMBERS];
	size_t n;
};

static int log_get(struct txn *, uint64_t, struct record *);
static int log_stub_put(struct txn *, unsigned int, uint64_t first,
    uint64_t last, const uint8_t *);
static int log_oldest(struct txn *, uint64_t dropped);
static uint64_t log_cost(const struct record *);
static kv_each log_each;
static txn_each_record log_live_each, log_oldest_each, log_number_each;

int
txn_append(struct txn *tx, unsigned int kind, const struct bytes *piece,
    size_t n, uint64_t blob, uint64_t blob_size, uint64_t *seq)
{
	struct record r = { 0 };
	uint8_t key[KEY_PAIR_BYTES], digest[CHAIN_BYTES], large[CHAIN_BYTES];
	size_t packed;

	if (txn_create(tx) == -1)
		return (-1);
	r.seq = tx->seq + 1;
	r.kind = (uint8_t)kind;
	r.origin = tx->who.session;
	r.time_ms = (uint64_t)tx->now_ms;
	r.body.blob = blob;
	r.body.size = blob_size;
	if (blob != 0 && txn_blob_digest(tx, blob, large) == -1)
		return (-1);
	chain_digest(digest, &r, piece, n, large);
	buf_clear(&tx->pack);
	if (record_pack(&tx->pack, &r, 0, piece, n) == -1)
		return (txn_fail(tx));
	packed = tx->pack.len;
	if (tx->kv->ops->put(tx->kv, KV_LOG, key_pair(key, tx->doc, r.seq),
		buf_bytes(&tx->pack)) == -1)
		return (txn_fail(tx));
	if (blob != 0 && txn_blob_keep(tx, blob) == -1)
		return (-1);
	chain_link(tx->row.chain, digest);
	tx->row.records++;
	*seq = tx->seq = r.seq;
	return (txn_row_count(tx, packed + blob_size + KEY_COST_BYTES, 0));
}

int
txn_log_begin(struct txn *tx, uint64_t seq)
{
	if (tx->doc != 0)
		return (txn_fail(tx));
	if (txn_create(tx) == -1 ||
	    (seq > 0 &&
		log_stub_put(tx, RECORD_GONE_RUN, 1, seq, tx->row.chain) == -1))
		return (-1);
	tx->seq = tx->row.oldest = seq;
	return (txn_row_touch(tx));
}

int
txn_log_get(struct txn *tx, uint64_t seq, struct record *r)
{
	int found = log_get(tx, seq, r);

	return (found == 1 && r->gone != 0 ? 0 : found);
}

int
txn_log_scan(struct txn *tx, uint64_t after, uint64_t upto,
    txn_each_record *each, void *arg)
{
	struct log_scan s = { tx, each, arg };

	return (txn_log_walk(tx, after, upto, log_live_each, &s));
}

int
txn_log_walk(struct txn *tx, uint64_t after, uint64_t upto,
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
	tx->kv->wanted = tx->wanted;
	r = tx->kv->ops->scan(tx->kv, KV_LOG, bytes_of(from, sizeof(from)),
	    bytes_of(to, sizeof(to)), 0, log_each, &s);
	return (r == -1 ? txn_fail(tx) : r);
}

int
txn_log_drop(struct txn *tx, uint64_t seq)
{
	struct record r;
	uint8_t digest[CHAIN_BYTES];
	uint64_t cost;
	int found;

	if ((found = txn_log_get(tx, seq, &r)) != 1)
		return (found);
	cost = log_cost(&r);
	if (txn_log_digest(tx, &r, digest) == -1 ||
	    log_stub_put(tx, RECORD_GONE, seq, seq, digest) == -1)
		return (-1);
	if (r.body.blob != 0 && txn_blob_drop(tx, r.body.blob) == -1)
		return (-1);
	if (seq == tx->row.oldest + 1 && log_oldest(tx, seq) == -1)
		return (-1);
	tx->row.records--;
	return (txn_row_count(tx, 0, cost));
}

/* Rows are looked up, not counted: one may stand for a million numbers. */
int
txn_log_squash(struct txn *tx, uint64_t first, uint64_t last,
    const uint8_t chain[CHAIN_BYTES])
{
	struct log_numbers rows;
	uint8_t key[KEY_PAIR_BYTES];
	size_t i;

	do {
		rows.n = 0;
		if (txn_log_walk(tx, first - 1, last - 1, log_number_each,
			&rows) == -1)
			return (-1);
		for (i = 0; i < rows.n; i++)
			if (tx->kv->ops->del(tx->kv, KV_LOG,
				key_pair(key, tx->doc, rows.seq[i])) == -1)
				return (txn_fail(tx));
	} while (rows.n == LOG_NUMBERS);
	return (log_stub_put(tx, RECORD_GONE_RUN, first, last, chain));
}

int
txn_log_digest(struct txn *tx, const struct record *r, uint8_t out[CHAIN_BYTES])
{
	uint8_t large[CHAIN_BYTES];

	if (r->body.blob != 0 && txn_blob_digest(tx, r->body.blob, large) == -1)
		return (-1);
	chain_digest(out, r, &r->body.b, 1, large);
	return (0);
}

/* As txn_log_get, and stubs as well. */
static int
log_get(struct txn *tx, uint64_t seq, struct record *r)
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

static int
log_stub_put(struct txn *tx, unsigned int flag, uint64_t first, uint64_t last,
    const uint8_t *hash)
{
	struct record r = { .seq = first };
	struct bytes body = bytes_of(hash, CHAIN_BYTES);
	uint8_t key[KEY_PAIR_BYTES];

	buf_clear(&tx->pack);
	if (record_pack(&tx->pack, &r, flag | RECORD_NUMBER, &body, 1) == -1 ||
	    tx->kv->ops->put(tx->kv, KV_LOG, key_pair(key, tx->doc, last),
		buf_bytes(&tx->pack)) == -1)
		return (txn_fail(tx));
	return (0);
}

/* Moves oldest up to the next record that is there; most often it is near. */
static int
log_oldest(struct txn *tx, uint64_t dropped)
{
	struct record r;
	int found;

	tx->row.oldest = dropped;
	if ((found = log_get(tx, dropped + 1, &r)) == -1)
		return (-1);
	if (found == 1 && r.gone == 0)
		return (0);
	return (txn_log_walk(tx, dropped, tx->seq, log_oldest_each,
		    &tx->row.oldest) == -1
		? -1
		: 0);
}

static int
log_oldest_each(const struct record *r, void *arg)
{
	uint64_t *oldest = arg;

	if (r->gone == 0)
		return (1);
	*oldest = r->seq;
	return (0);
}

static int
log_number_each(const struct record *r, void *arg)
{
	struct log_numbers *rows = arg;

	rows->seq[rows->n++] = r->seq;
	return (rows->n == LOG_NUMBERS);
}

static uint64_t
log_cost(const struct record *r)
{
	return (record_size(r) + r->body.size + KEY_COST_BYTES);
}

static int
log_each(struct bytes key, struct bytes val, void *arg)
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

static int
log_live_each(const struct record *r, void *arg)
{
	struct log_scan *s = arg;

	return (r->gone != 0 ? 0 : s->each(r, s->arg));
}
