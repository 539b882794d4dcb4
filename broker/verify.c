/*
 * Verification, a document at a time: its blobs, its log, its registers and
 * fields, each in steps that end when they should.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <sodium.h>

#include "broker/chain.h"
#include "broker/doc_name.h"
#include "broker/txn_key.h"
#include "broker/verify.h"
#include "broker/walk.h"
#include "common/hex.h"

/* document, blob, slice */
#define SLICE_KEY_BYTES 20u
#define VERIFY_TRIES	3

enum verify_phase { VERIFY_NEXT, VERIFY_BLOBS, VERIFY_LOG, VERIFY_REGS };

struct verify {
	struct kv *kv;
	verify_say *say;
	verify_late *late;
	void *arg;
	struct buf only_key, at;
	struct doc_id only;
	int one;
	uint64_t seen, damaged;
	/* of the document under way */
	enum verify_phase phase;
	struct txn tx;
	struct verify_result r;
	struct buf from; /* where the scan of this phase goes on */
	struct walk walk;
	uint64_t blob; /* whose slices are being read, 0: none */
	uint32_t slices;
	uint8_t digest[CHAIN_BYTES];
	crypto_generichash_state state;
	uint64_t state_fresh, state_bytes;
	int tries;
};

static int verify_next(struct verify *);
static int verify_blobs(struct verify *);
static int verify_log(struct verify *);
static int verify_regs(struct verify *);
static int verify_again(struct verify *);
static int verify_end(struct verify *);
static void verify_enter(struct verify *, enum verify_phase);
static int verify_scan(struct verify *, enum kv_table, kv_each *);
static int verify_load(struct verify *);
static int verify_gone(struct verify *);
static int verify_unread(struct verify *);
static int verify_wrong(struct verify *, const char *, uint64_t at);
static void verify_blob_end(struct verify *);
static const char *verify_field(struct verify *, struct bytes, struct bytes,
    uint64_t *);
static void verify_hash(struct verify *, struct bytes);
static int verify_pause(struct verify *, struct bytes);
static kv_each verify_slice_each, verify_reg_each;
static txn_each_record verify_log_each;

static int (*const verify_phases[])(struct verify *) = {
	[VERIFY_NEXT] = verify_next,
	[VERIFY_BLOBS] = verify_blobs,
	[VERIFY_LOG] = verify_log,
	[VERIFY_REGS] = verify_regs,
};

struct verify *
verify_new(struct kv *kv, const struct doc_id *only, verify_say *say,
    verify_late *late, void *arg)
{
	struct verify *v;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return (NULL);
	v->kv = kv;
	v->say = say;
	v->late = late;
	v->arg = arg;
	if (only != NULL) {
		buf_add_bytes(&v->only_key, only->name);
		v->only = *only;
		v->only.name = buf_bytes(&v->only_key);
		v->one = 1;
	}
	if (!v->only_key.failed)
		return (v);
	free(v);
	return (NULL);
}

int
verify_step(struct verify *v)
{
	int r;

	do
		r = verify_phases[v->phase](v);
	while (r == 1 && !v->late(v->arg));
	return (r);
}

uint64_t
verify_seen(const struct verify *v)
{
	return (v->seen);
}

uint64_t
verify_damaged(const struct verify *v)
{
	return (v->damaged);
}

void
verify_free(struct verify *v)
{
	if (v == NULL)
		return;
	txn_done(&v->tx);
	buf_free(&v->only_key);
	buf_free(&v->at);
	buf_free(&v->from);
	free(v);
}

void
verify_print(const struct verify_result *r, struct buf *line)
{
	char name[DOC_NAME_TEXT_BYTES], hex[2 * CHAIN_BYTES];

	buf_printf(line, "%s ", doc_name_text(name, sizeof(name), r->id));
	if (r->wrong != NULL) {
		buf_printf(line, "damaged at %" PRIu64 ": %s\n", r->at,
		    r->wrong);
		return;
	}
	buf_printf(line,
	    "whole seq %" PRIu64 " oldest %" PRIu64 " records %" PRIu64
	    " bytes %" PRIu64,
	    r->seq, r->oldest, r->records, r->bytes);
	hex_encode(hex, bytes_of(r->chain, CHAIN_BYTES));
	buf_printf(line, " chain %.*s", (int)sizeof(hex), hex);
	hex_encode(hex, bytes_of(r->state, CHAIN_BYTES));
	if (r->still)
		buf_printf(line, " state %.*s\n", (int)sizeof(hex), hex);
	else
		buf_printf(line, " state changing\n");
}

static int
verify_next(struct verify *v)
{
	struct doc_id id = v->only;
	int found;

	if (v->one)
		found = v->seen == 0;
	else
		found = txn_doc_next(v->kv, &v->at, &id);
	if (found != 1)
		return (found);
	v->seen++;
	txn_done(&v->tx);
	txn_init(&v->tx, v->kv, &id);
	memset(&v->r, 0, sizeof(v->r));
	memset(&v->walk, 0, sizeof(v->walk));
	v->r.id = &v->tx.name;
	v->tries = 0;
	verify_enter(v, VERIFY_BLOBS);
	if ((found = txn_load(&v->tx)) == 1 && v->tx.row.closed == ROW_CLOSED &&
	    !v->one)
		return (verify_wrong(v, "in quarantine, not looked at", 0));
	if (found == 1) {
		v->r.there = 1;
		return (1);
	}
	if (found == 0)
		return (verify_wrong(v, "there is no such store", 0));
	return (verify_unread(v));
}

static int
verify_blobs(struct verify *v)
{
	int r = verify_scan(v, KV_BLOB, verify_slice_each);

	if (r != 0)
		return (
		    r == -1 ? verify_wrong(v, "cannot be read", v->blob) : 1);
	verify_blob_end(v);
	if (v->r.wrong != NULL)
		return (verify_end(v));
	verify_enter(v, VERIFY_LOG);
	return (1);
}

static int
verify_log(struct verify *v)
{
	const char *wrong;
	int r;

	r = txn_log_walk(&v->tx, v->walk.seq, UINT64_MAX, verify_log_each, v);
	if (v->r.wrong != NULL)
		return (verify_end(v));
	if (r == -1)
		return (verify_wrong(v, "bad checksum", v->walk.seq + 1));
	if (r == 1)
		return (1);
	if ((r = verify_load(v)) != 1)
		return (r == 0 ? verify_gone(v) : verify_unread(v));
	if ((wrong = walk_end(&v->walk, &v->tx)) != NULL)
		return (verify_wrong(v, wrong, v->walk.seq));
	/* Some may have been dropped behind us: look again. */
	if (v->walk.records != v->tx.row.records) {
		if (++v->tries >= VERIFY_TRIES)
			return (verify_wrong(v, "the row counts other records",
			    v->walk.seq));
		return (verify_again(v));
	}
	v->r.seq = v->tx.seq;
	v->r.oldest = v->tx.row.oldest;
	v->r.records = v->tx.row.records;
	v->r.bytes = v->tx.row.bytes;
	memcpy(v->r.chain, v->tx.row.chain, CHAIN_BYTES);
	verify_enter(v, VERIFY_REGS);
	return (1);
}

static int
verify_regs(struct verify *v)
{
	int r = verify_scan(v, KV_REG, verify_reg_each);

	if (v->r.wrong != NULL)
		return (verify_end(v));
	if (r == -1)
		return (verify_wrong(v, "cannot be read", 0));
	if (r == 1)
		return (1);
	if ((r = verify_load(v)) != 1)
		return (r == 0 ? verify_gone(v) : verify_unread(v));
	v->r.still = v->tx.row.fresh == v->state_fresh &&
	    v->tx.row.bytes == v->state_bytes && v->tx.seq == v->r.seq;
	if (!v->r.still && ++v->tries < VERIFY_TRIES)
		return (verify_again(v));
	crypto_generichash_final(&v->state, v->r.state, CHAIN_BYTES);
	return (verify_end(v));
}

static int
verify_again(struct verify *v)
{
	memset(&v->walk, 0, sizeof(v->walk));
	verify_enter(v, VERIFY_LOG);
	return (1);
}

static int
verify_end(struct verify *v)
{
	v->damaged += v->r.wrong != NULL;
	v->say(&v->r, v->arg);
	verify_enter(v, VERIFY_NEXT);
	return (1);
}

static void
verify_enter(struct verify *v, enum verify_phase phase)
{
	v->phase = phase;
	buf_clear(&v->from);
	v->blob = 0;
	if (phase == VERIFY_REGS) {
		crypto_generichash_init(&v->state, NULL, 0, CHAIN_BYTES);
		v->state_fresh = v->tx.row.fresh;
		v->state_bytes = v->tx.row.bytes;
	}
}

/* All rows of the document in a table, from where the last step paused. */
static int
verify_scan(struct verify *v, enum kv_table t, kv_each *each)
{
	struct buf from = BUF_INIT;
	uint8_t to[8];
	int r = -1;

	if (v->from.len == 0)
		buf_add_be64(&from, v->tx.doc);
	else
		buf_add_bytes(&from, buf_bytes(&v->from));
	be64_put(to, v->tx.doc + 1);
	if (!from.failed)
		r = v->kv->ops->scan(v->kv, t, buf_bytes(&from),
		    bytes_of(to, sizeof(to)), 0, each, v);
	buf_free(&from);
	return (r);
}

/* The row as it is by now, since nothing is decided within a step: 1; 0: the
 * document was dropped, and another may have its name; -1. */
static int
verify_load(struct verify *v)
{
	uint64_t doc = v->tx.doc;
	int r = txn_load(&v->tx);

	return (r == 1 && v->tx.doc != doc ? 0 : r);
}

static int
verify_gone(struct verify *v)
{
	v->r.there = 0;
	if (v->one)
		return (verify_wrong(v, "there is no such store any more", 0));
	v->seen--;
	verify_enter(v, VERIFY_NEXT);
	return (1);
}

static int
verify_unread(struct verify *v)
{
	return (verify_wrong(v, "its row cannot be read", 0));
}

static int
verify_wrong(struct verify *v, const char *wrong, uint64_t at)
{
	v->r.wrong = wrong;
	v->r.at = at;
	return (verify_end(v));
}

static int
verify_slice_each(struct bytes key, struct bytes val, void *arg)
{
	struct verify *v = arg;
	uint64_t blob;

	if (key.n != SLICE_KEY_BYTES)
		return (-1);
	blob = be64_get(key.p + 8);
	if (blob != v->blob) {
		verify_blob_end(v);
		v->blob = blob;
		v->slices = 0;
		memset(v->digest, 0, sizeof(v->digest));
	}
	chain_slice(v->digest, be32_get(key.p + KEY_PAIR_BYTES), val);
	v->slices++;
	return (verify_pause(v, key));
}

/* What was dropped meanwhile, or is still being sent, is nobody's damage. */
static void
verify_blob_end(struct verify *v)
{
	uint8_t want[CHAIN_BYTES];

	if (v->blob == 0 || txn_blob_staged(&v->tx, v->blob) != 0)
		return;
	if (txn_blob_digest(&v->tx, v->blob, want) == 0 &&
	    !sodium_is_zero(want, sizeof(want)) &&
	    memcmp(want, v->digest, sizeof(want)) != 0) {
		v->r.wrong = "the octets of a blob are not those that came";
		v->r.at = v->blob;
	}
}

static int
verify_log_each(const struct record *r, void *arg)
{
	struct verify *v = arg;
	uint8_t digest[CHAIN_BYTES];

	if (r->gone == 0 && txn_log_digest(&v->tx, r, digest) == -1)
		return (-1);
	v->r.wrong = walk_take(&v->walk, r, digest);
	v->r.at = r->seq;
	return (v->r.wrong != NULL || v->late(v->arg));
}

static int
verify_reg_each(struct bytes key, struct bytes val, void *arg)
{
	struct verify *v = arg;
	uint64_t at = 0;
	char type;

	if (key.n < KEY_REG_HEAD_BYTES)
		return (-1);
	type = (char)key.p[8];
	if (type == KEY_FIELD) {
		v->r.wrong = verify_field(v,
		    bytes_skip(key, KEY_REG_HEAD_BYTES), val, &at);
		v->r.at = at;
	}
	if (v->r.wrong != NULL)
		return (1);
	if (type == KEY_FIELD || type == KEY_PLAIN ||
	    (type == KEY_DIGEST && key.n == KEY_PAIR_BYTES + 1 &&
		txn_blob_staged(&v->tx, be64_get(key.p + 9)) == 0)) {
		verify_hash(v, bytes_skip(key, 8));
		verify_hash(v, val);
	}
	return (verify_pause(v, key));
}

static const char *
verify_field(struct verify *v, struct bytes name, struct bytes val,
    uint64_t *at)
{
	struct buf key = BUF_INIT, none = BUF_INIT;
	struct record r;
	const char *wrong;
	int found = -1;

	if ((wrong = record_unpack(val, &r)) != NULL)
		return (wrong);
	*at = r.seq;
	key_stamp(&key, v->tx.doc, r.seq, name);
	if (!key.failed)
		found =
		    v->kv->ops->get(v->kv, KV_STAMP, buf_bytes(&key), &none);
	buf_free(&key);
	buf_free(&none);
	return (found == 1 ? NULL : "a field is not in its index");
}

static void
verify_hash(struct verify *v, struct bytes b)
{
	uint8_t n[8];

	be64_put(n, b.n);
	crypto_generichash_update(&v->state, n, sizeof(n));
	if (b.n > 0)
		crypto_generichash_update(&v->state, b.p, b.n);
}

/* 1: the step ends here, the next begins after this key. */
static int
verify_pause(struct verify *v, struct bytes key)
{
	if (!v->late(v->arg))
		return (0);
	buf_clear(&v->from);
	buf_add_bytes(&v->from, key);
	return (buf_add_u8(&v->from, 0) == -1 ? -1 : 1);
}
