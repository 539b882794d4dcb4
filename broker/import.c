/*
 * A stream becomes a store.  Nothing in it is trusted: sizes and order are
 * checked, every record's checksum, the chain of hashes and the totals; only
 * then may a name lead to it.
 */
#include <stdlib.h>

#include "broker/export.h"
#include "broker/garbage.h"
#include "broker/txn_key.h"
#include "broker/walk.h"
#include "common/limits.h"

struct import {
	struct kv *kv;
	struct txn tx;
	struct buf name;
	struct doc_id id;
	const char *why;
	int begun, named, totals, ended;
	struct walk walk;
	crypto_generichash_state hash;
};

static int import_frame(struct import *, uint8_t type, struct bytes);
static int import_store(struct import *, struct bytes);
static int import_blob(struct import *, struct bytes);
static int import_record(struct import *, struct bytes);
static int import_register(struct import *, struct bytes);
static int import_totals(struct import *, struct bytes);
static int import_end(struct import *, struct bytes);
static int import_fail(struct import *, const char *);
static int import_put(struct import *, enum kv_table, struct bytes,
    struct bytes);

struct import *
import_new(struct kv *kv)
{
	const struct doc_id none = { DIALECT_NONE, 0, BYTES_NONE };
	struct import *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	m->kv = kv;
	txn_init(&m->tx, kv, &none);
	m->tx.row_later = 1; /* there is no name to keep it under */
	crypto_generichash_init(&m->hash, NULL, 0, CHAIN_BYTES);
	if (txn_create(&m->tx) == 0 && garbage_mark(kv, m->tx.doc) == 0)
		return (m);
	import_free(m);
	return (NULL);
}

int
import_feed(struct import *m, struct buf *in)
{
	struct bytes b, payload;
	size_t magic = sizeof(EXPORT_MAGIC) - 1, n;

	if (!m->begun && in->len >= magic) {
		b = bytes_of(buf_bytes(in).p, magic);
		if (!bytes_eq(b, BYTES_LIT(EXPORT_MAGIC)))
			return (import_fail(m, "is no export of this version"));
		crypto_generichash_update(&m->hash, b.p, b.n);
		buf_drop(in, magic);
		m->begun = 1;
	}
	while (m->begun && !m->ended && in->len >= EXPORT_HEAD_BYTES) {
		b = buf_bytes(in);
		n = be32_get(b.p + 1);
		if (n > EXPORT_FRAME_MAX)
			return (
			    import_fail(m, "has a frame that is too large"));
		if (b.n < EXPORT_HEAD_BYTES + n)
			return (1);
		payload = bytes_of(b.p + EXPORT_HEAD_BYTES, n);
		if (import_frame(m, b.p[0], payload) == -1)
			return (-1);
		crypto_generichash_update(&m->hash, b.p, EXPORT_HEAD_BYTES + n);
		buf_drop(in, EXPORT_HEAD_BYTES + n);
	}
	return (!m->ended);
}

const char *
import_why(const struct import *m)
{
	return (m->why == NULL ? "cannot be written" : m->why);
}

const struct doc_id *
import_id(const struct import *m)
{
	return (m->named ? &m->id : NULL);
}

int
import_name(struct import *m, const struct doc_id *name)
{
	struct txn old;
	int r;

	if (!m->ended)
		return (-1);
	txn_init(&old, m->kv, name);
	if ((r = txn_load(&old)) == 1)
		r = garbage_mark(m->kv, old.doc);
	txn_done(&old);
	m->tx.name = *name;
	m->tx.row_dirty = 1;
	if (r == -1 || garbage_unmark(m->kv, m->tx.doc) == -1 ||
	    txn_row_save(&m->tx) == -1)
		return (-1);
	return (0);
}

void
import_free(struct import *m)
{
	if (m == NULL)
		return;
	txn_done(&m->tx);
	buf_free(&m->name);
	free(m);
}

static int
import_frame(struct import *m, uint8_t type, struct bytes b)
{
	if (m->named == (type == EXPORT_STORE) ||
	    m->totals != (type == EXPORT_END))
		return (import_fail(m, "has frames in another order"));
	switch (type) {
	case EXPORT_STORE:
		return (import_store(m, b));
	case EXPORT_BLOB:
		return (import_blob(m, b));
	case EXPORT_RECORD:
		return (import_record(m, b));
	case EXPORT_REGISTER:
		return (import_register(m, b));
	case EXPORT_TOTALS:
		return (import_totals(m, b));
	case EXPORT_END:
		return (import_end(m, b));
	}
	return (import_fail(m, "has a frame that is not known"));
}

static int
import_store(struct import *m, struct bytes b)
{
	const uint8_t *end;
	size_t n;

	if (b.n < 6 || (end = memchr(b.p + 4, '\0', b.n - 4)) == NULL)
		return (import_fail(m, "has no name"));
	m->id.room = be32_get(b.p);
	n = (size_t)(end - (b.p + 4));
	m->id.dialect = dialect_find(bytes_of(b.p + 4, n));
	b = bytes_skip(b, 4 + n + 1);
	if (m->id.dialect == DIALECT_NONE || m->id.room > 255 || b.n == 0 ||
	    b.n > STORE_NAME_MAX_BYTES)
		return (import_fail(m, "has a name that cannot be one"));
	if (buf_add_bytes(&m->name, b) == -1)
		return (-1);
	m->id.name = buf_bytes(&m->name);
	m->named = 1;
	return (0);
}

static int
import_blob(struct import *m, struct bytes b)
{
	uint8_t key[KEY_PAIR_BYTES];
	struct buf mark = BUF_INIT;
	uint64_t blob;
	uint32_t slice;
	int r = -1;

	if (b.n < 12 || m->walk.seq > 0)
		return (import_fail(m, "has a slice that cannot be one"));
	blob = be64_get(b.p);
	slice = be32_get(b.p + 8);
	/* Staged for as long as it takes: slices come one after the other. */
	key_reg(&mark, 0, KEY_STAGED, key_pair(key, m->tx.doc, blob));
	if (!mark.failed &&
	    m->kv->ops->put(m->kv, KV_REG, buf_bytes(&mark), BYTES_NONE) == 0 &&
	    txn_blob_slice(&m->tx, blob, slice, bytes_skip(b, 12)) == 0)
		r = m->kv->ops->del(m->kv, KV_REG, buf_bytes(&mark));
	buf_free(&mark);
	return (r == 0 ? 0 : import_fail(m, "has slices in another order"));
}

static int
import_record(struct import *m, struct bytes b)
{
	uint8_t key[KEY_PAIR_BYTES], digest[CHAIN_BYTES] = { 0 };
	const char *wrong;
	struct record r;

	if (b.n < 8)
		return (import_fail(m, "has a record that is too short"));
	if ((wrong = record_unpack(bytes_skip(b, 8), &r)) != NULL)
		return (import_fail(m, wrong));
	r.seq = be64_get(b.p);
	if (r.gone == 0 && txn_log_digest(&m->tx, &r, digest) == -1)
		return (-1);
	if ((wrong = walk_take(&m->walk, &r, digest)) != NULL)
		return (import_fail(m, wrong));
	return (import_put(m, KV_LOG, key_pair(key, m->tx.doc, r.seq),
	    bytes_skip(b, 8)));
}

static int
import_register(struct import *m, struct bytes b)
{
	struct buf key = BUF_INIT;
	struct bytes name, val;
	struct record r;
	int failed = -1;

	if (b.n < 5 || be32_get(b.p + 1) > b.n - 5)
		return (import_fail(m, "has a register that cannot be one"));
	name = bytes_of(b.p + 5, be32_get(b.p + 1));
	val = bytes_skip(b, 5 + name.n);
	if (b.p[0] != KEY_PLAIN && b.p[0] != KEY_FIELD && b.p[0] != KEY_COUNTER)
		return (import_fail(m, "has a register that cannot be one"));
	if (b.p[0] == KEY_FIELD) {
		if (record_unpack(val, &r) != NULL)
			return (import_fail(m, "has a damaged field"));
		key_stamp(&key, m->tx.doc, r.seq, name);
		if (key.failed ||
		    import_put(m, KV_STAMP, buf_bytes(&key), BYTES_NONE) == -1)
			goto out;
	}
	key_reg(&key, m->tx.doc, (char)b.p[0], name);
	if (!key.failed)
		failed = import_put(m, KV_REG, buf_bytes(&key), val);
out:
	buf_free(&key);
	return (failed);
}

static int
import_totals(struct import *m, struct bytes b)
{
	struct txn_row *row = &m->tx.row;
	const char *wrong;

	if (b.n != 32 + CHAIN_BYTES)
		return (import_fail(m, "has totals that cannot be any"));
	m->tx.seq = be64_get(b.p);
	row->oldest = be64_get(b.p + 8);
	row->records = be64_get(b.p + 16);
	row->bytes = row->fresh = be64_get(b.p + 24);
	memcpy(row->chain, b.p + 32, CHAIN_BYTES);
	if ((wrong = walk_end(&m->walk, &m->tx)) != NULL)
		return (import_fail(m, wrong));
	if (m->walk.records != row->records || row->oldest > m->tx.seq)
		return (import_fail(m, "has other records than it says"));
	m->totals = 1;
	return (0);
}

static int
import_end(struct import *m, struct bytes b)
{
	uint8_t hash[CHAIN_BYTES];

	crypto_generichash_final(&m->hash, hash, sizeof(hash));
	if (!bytes_eq(b, bytes_of(hash, sizeof(hash))))
		return (import_fail(m, "is not as it was written"));
	crypto_generichash_init(&m->hash, NULL, 0, CHAIN_BYTES);
	m->ended = 1;
	return (0);
}

static int
import_fail(struct import *m, const char *why)
{
	if (m->why == NULL)
		m->why = why;
	return (-1);
}

static int
import_put(struct import *m, enum kv_table t, struct bytes key,
    struct bytes val)
{
	return (m->kv->ops->put(m->kv, t, key, val));
}
