/*
 * Transactions and single keys of the Berkeley DB store.  Commits stay in the
 * log buffer until flush, which is why one disk write serves a whole batch.
 */
#include <errno.h>

#include "broker/kv_bdb.h"

/* What the library logs beside key and value, roughly. */
#define BDB_RECORD_OVERHEAD 100u
#define BDB_GET_FIRST_BYTES 1024u

static int bdb_begin(struct kv *);
static int bdb_commit(struct kv *);
static void bdb_abort(struct kv *);
static int bdb_flush(struct kv *);
static int bdb_get(struct kv *, enum kv_table, struct bytes, struct buf *);
static int bdb_put(struct kv *, enum kv_table, struct bytes, struct bytes);
static int bdb_del(struct kv *, enum kv_table, struct bytes);
static int bdb_writable(struct bdb *);

const struct kv_ops bdb_ops = {
	.begin = bdb_begin,
	.commit = bdb_commit,
	.abort = bdb_abort,
	.flush = bdb_flush,
	.get = bdb_get,
	.put = bdb_put,
	.del = bdb_del,
	.scan = bdb_scan,
	.compact = bdb_compact,
	.close = bdb_close,
};

static int
bdb_begin(struct kv *kv)
{
	struct bdb *b = (struct bdb *)kv;
	int error;

	if (bdb_alive(b) == -1)
		return (-1);
	if (b->txn != NULL) {
		errno = EBUSY;
		return (-1);
	}
	b->broken = 0;
	b->pending_bytes = 0;
	kv->changed = 0;
	error = b->env->txn_begin(b->env, NULL, &b->txn, DB_TXN_NOSYNC);
	if (error != 0) {
		b->txn = NULL;
		return (bdb_fail(b, "begin", error));
	}
	return (0);
}

static int
bdb_commit(struct kv *kv)
{
	struct bdb *b = (struct bdb *)kv;
	DB_TXN *txn = b->txn;
	int error;

	if (bdb_writable(b) == -1) {
		bdb_abort(kv);
		errno = EIO;
		return (-1);
	}
	b->txn = NULL; /* the handle dies, whatever the answer */
	if ((error = txn->commit(txn, DB_TXN_NOSYNC)) != 0) {
		if (error != ENOSPC)
			atomic_store(&b->failed, 1);
		return (bdb_fail(b, "commit", error));
	}
	kv_checkpoint_count(b, b->pending_bytes);
	return (0);
}

static void
bdb_abort(struct kv *kv)
{
	struct bdb *b = (struct bdb *)kv;
	DB_TXN *txn = b->txn;
	int error;

	b->txn = NULL;
	b->broken = 0;
	/* A change that cannot be taken back leaves pages nobody may trust. */
	if (txn != NULL && (error = txn->abort(txn)) != 0) {
		bdb_fail(b, "abort", error);
		atomic_store(&b->failed, 1);
	}
}

static int
bdb_flush(struct kv *kv)
{
	struct bdb *b = (struct bdb *)kv;
	int error;

	if (bdb_alive(b) == -1)
		return (-1);
	if ((error = b->env->log_flush(b->env, NULL)) == 0)
		return (0);
	/* The system may have dropped what it could not write: no retry. */
	atomic_store(&b->failed, 1);
	return (bdb_fail(b, "flush", error));
}

static int
bdb_get(struct kv *kv, enum kv_table t, struct bytes key, struct buf *val)
{
	struct bdb *b = (struct bdb *)kv;
	DBT k = bdb_dbt(key), v = bdb_dbt(BYTES_NONE);
	size_t want = BDB_GET_FIRST_BYTES;
	int error;

	if (bdb_alive(b) == -1)
		return (-1);
	buf_clear(val);
	v.flags = DB_DBT_USERMEM;
	do {
		if (want < val->cap)
			want = val->cap;
		if ((v.data = buf_room(val, want)) == NULL)
			return (bdb_fail_txn(b, "get", ENOMEM));
		v.ulen = (u_int32_t)want;
		error = b->table[t]->get(b->table[t], b->txn, &k, &v, 0);
		want = v.size;
	} while (error == DB_BUFFER_SMALL);
	if (error == DB_NOTFOUND)
		return (0);
	if (error != 0)
		return (bdb_fail_txn(b, "get", error));
	buf_grow(val, v.size);
	return (1);
}

static int
bdb_put(struct kv *kv, enum kv_table t, struct bytes key, struct bytes val)
{
	struct bdb *b = (struct bdb *)kv;
	DBT k = bdb_dbt(key), v = bdb_dbt(val);
	int error;

	if (bdb_writable(b) == -1)
		return (-1);
	kv->changed = 1;
	if (key.n > INT32_MAX || val.n > INT32_MAX)
		return (bdb_fail_txn(b, "put", EFBIG));
	if ((error = b->table[t]->put(b->table[t], b->txn, &k, &v, 0)) != 0)
		return (bdb_fail_txn(b, "put", error));
	b->pending_bytes += key.n + val.n + BDB_RECORD_OVERHEAD;
	return (0);
}

static int
bdb_del(struct kv *kv, enum kv_table t, struct bytes key)
{
	struct bdb *b = (struct bdb *)kv;
	DBT k = bdb_dbt(key);
	int error;

	if (bdb_writable(b) == -1)
		return (-1);
	kv->changed = 1;
	error = b->table[t]->del(b->table[t], b->txn, &k, 0);
	if (error != 0 && error != DB_NOTFOUND)
		return (bdb_fail_txn(b, "del", error));
	b->pending_bytes += key.n + BDB_RECORD_OVERHEAD;
	return (0);
}

/* Changes need a transaction that is open and whole. */
static int
bdb_writable(struct bdb *b)
{
	if (bdb_alive(b) == -1)
		return (-1);
	if (b->txn != NULL && !b->broken)
		return (0);
	errno = EINVAL;
	return (-1);
}
