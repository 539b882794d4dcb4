/*
 * The ordered tables below everything: a handful of B-trees, one transaction
 * at a time, one thread.  kv_bdb.c is Berkeley DB, durable; tests have one in
 * memory as well, tests/lib/kv_mem.c.
 */
#ifndef QUIRE_KV_H
#define QUIRE_KV_H

#include "common/buf.h"
#include "common/bytes.h"

enum kv_table {
	KV_NAME,  /* dialect, room, name -> the document's row */
	KV_LOG,	  /* document be64, number be64 -> record */
	KV_REG,	  /* document be64, 'r', 'f', 'c' or 'd', key -> register,
		   * field, counter, digest of a blob; document 0: the store's
		   * own, and 'g' of garbage.h, 's' of staged blobs, 'u' of
		   * kv_undo.h
		   */
	KV_STAMP, /* document be64, stamp be64, key -> nothing: index of 'f' */
	KV_BLOB,  /* document be64, blob be64, slice be32 -> octets */
	KV_TABLES
};

struct kv;

/* 0: go on; 1: stop, the scan succeeded; -1: stop, the scan failed. */
typedef int kv_each(struct bytes key, struct bytes val, void *arg);

struct kv_ops {
	int (*begin)(struct kv *);
	/* Not yet durable: see flush.  -1: everything was taken back. */
	int (*commit)(struct kv *);
	void (*abort)(struct kv *);
	/* Makes every commit so far durable.  The one call allowed in another
	 * thread.  -1: the store has failed for good; never retry. */
	int (*flush)(struct kv *);
	/* 1: found, *val replaced; 0: not there; -1: failed */
	int (*get)(struct kv *, enum kv_table, struct bytes key,
	    struct buf *val);
	int (*put)(struct kv *, enum kv_table, struct bytes key,
	    struct bytes val);
	int (*del)(struct kv *, enum kv_table,
	    struct bytes key); /* 0 also if absent */
	/*
	 * Calls each for every key in [from, to) in order, or from the greatest
	 * below `to` downwards when reverse.  Nothing may be changed meanwhile,
	 * get and scan are fine.  key and val are valid during the call.
	 * 0: all seen; 1: stopped by each; -1: failed.
	 */
	int (*scan)(struct kv *, enum kv_table, struct bytes from,
	    struct bytes to, int reverse, kv_each *each, void *arg);
	/*
	 * Joins pages with keys in [from, to) that are not full, moves them
	 * towards the beginning of the file, and cuts off what is free at its
	 * end.  Work in proportion to what is in that range; no transaction is
	 * open.
	 */
	int (*compact)(struct kv *, enum kv_table, struct bytes from,
	    struct bytes to);
	/* A store that has failed keeps its files open and locked, and memory.
	 */
	void (*close)(struct kv *);
};

struct kv {
	const struct kv_ops *ops;
	int changed; /* put or del was called since begin */
	/*
	 * Set right before a scan: it is likely to be stopped after so many
	 * octets of values, and need not read more at once.  0: not known.  It
	 * forgets.
	 */
	size_t wanted;
};

struct kv_bdb_options {
	const char *dir; /* exists, owned by us; not "/" */
	uint64_t cache_bytes;
	uint64_t log_buffer_bytes;
	uint64_t checkpoint_bytes;
	uint64_t checkpoint_ms;
	int lock_fd; /* kv_bdb_lock's, taken over; 0: to be taken */
	int copied;  /* kv_bdb_backup made it: recover from its whole log */
};

/*
 * The setting cache_bytes, on a machine with so much memory, which
 * kv_cache_memory says before there is a sandbox; 0: not known.
 */
uint64_t kv_cache_bytes(uint64_t set, uint64_t memory);
uint64_t kv_cache_memory(void);

/*
 * Locks the directory against other brokers.  A descriptor that holds the lock
 * while it is open, or -1 and *why.
 */
int kv_bdb_lock(const char *dir, char *why, size_t size);
/*
 * Opens the environment under a lock file, always with recovery.  NULL: *why
 * holds the reason in words; where the library finds no memory, the process
 * ends (kv_bdb_memory.c says why).  Checkpoints and log removal run on a thread
 * of its own.
 */
struct kv *kv_bdb_open(const struct kv_bdb_options *, char *why, size_t size);
/* 1: there is an environment in the directory; kv_bdb_open makes one. */
int kv_bdb_there(const char *dir);

/* Figures of a Berkeley DB store for status and metrics. */
struct kv_bdb_stat {
	uint64_t log_bytes;
	uint64_t data_bytes;
	uint64_t checkpoints;
	uint64_t backup_s; /* end of the last whole backup, unix time */
};
void kv_bdb_stat(struct kv *, struct kv_bdb_stat *);
/* 1: it has failed for good: a flush, memory amid a change, or a page. */
int kv_bdb_failed(struct kv *);
/* 1: it did so over a page that is damaged on the disk. */
int kv_bdb_damaged(struct kv *);

/*
 * Copies the store, all of it, to a descriptor, on the thread of its
 * checkpoints, while everything goes on; takes fd over.  What comes out is in
 * backup.h.  -1 with errno: one is under way (EBUSY), or the store has failed.
 */
int kv_bdb_backup(struct kv *, int fd);

#endif
