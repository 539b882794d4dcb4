/*
 * The inside of the Berkeley DB store, shared by kv_bdb.c (open and close),
 * kv_bdb_ops.c, kv_bdb_scan.c, kv_compact.c, kv_checkpoint.c, kv_backup.c and
 * by nobody else.
 *
 * The environment runs without the lock subsystem: one thread owns tables and
 * transaction.  log_flush and txn_checkpoint may run beside it, because page
 * cache and log guard themselves with mutexes and page latches that do not
 * belong to that subsystem; its locks isolate transactions from each other,
 * and there is never a second one.
 */
#ifndef QUIRE_KV_BDB_H
#define QUIRE_KV_BDB_H

#include <pthread.h>
#include <stdatomic.h>

#include <db.h>

#include "broker/kv.h"

struct bdb {
	struct kv kv; /* first: a struct kv * is cast back */
	char *dir;
	int lock_fd;
	DB_ENV *env;
	DB *table[KV_TABLES];
	DB_TXN *txn; /* NULL: none open */
	int broken;  /* an error in the open transaction: only abort is left */
	uint64_t pending_bytes; /* of the log, by the open transaction */
	uint8_t *bulk; /* spare buffer of scans, NULL while one uses it */
	uint32_t bulk_bytes;
	atomic_int failed;  /* for good: a flush or the environment */
	atomic_int damaged; /* it gave up over a page; set before failed */
	struct bdb *left;   /* another that failed */

	pthread_t thread;
	int thread_runs;
	pthread_mutex_t mutex; /* of the five below */
	pthread_cond_t wake;
	int stop;
	int backup_fd;		/* -1: none is wanted or under way */
	uint64_t unsaved_bytes; /* committed since the last checkpoint began */
	uint64_t checkpoint_bytes;
	uint64_t checkpoint_ms;
	atomic_ullong checkpoints;
	atomic_ullong backup_s;
};

/*
 * Logs and returns -1 with errno.  A store that cannot go on is marked failed;
 * bdb_fail is for any thread, bdb_fail_txn for the owner: it also leaves
 * nothing but abort to the open transaction.
 */
int bdb_fail(struct bdb *, const char *what, int error);
int bdb_fail_txn(struct bdb *, const char *what, int error);
/* 0, or -1 with errno when the store has failed before. */
int bdb_alive(struct bdb *);
/* A DBT over bytes that the library only reads. */
DBT bdb_dbt(struct bytes);

/*
 * From now on the library without memory ends the process, or no longer does:
 * 0 or an error number.
 */
int kv_bdb_memory(int needed);

extern const struct kv_ops bdb_ops;
extern const char *const bdb_files[KV_TABLES];

int bdb_scan(struct kv *, enum kv_table, struct bytes from, struct bytes to,
    int reverse, kv_each *, void *arg);
void bdb_close(struct kv *);
int bdb_compact(struct kv *, enum kv_table, struct bytes from, struct bytes to);

/* The checkpoint thread: 0 or an error number; stop is harmless twice. */
int kv_checkpoint_start(struct bdb *);
void kv_checkpoint_stop(struct bdb *);
/* n more octets of log were committed. */
void kv_checkpoint_count(struct bdb *, uint64_t n);

/* In the thread of checkpoints: all of it, to the descriptor. */
void kv_backup_run(struct bdb *, int fd);
/* When the last one was, from what an earlier process left. */
void kv_backup_recall(struct bdb *);

#endif
