/*
 * Opening and closing the Berkeley DB store: lock file, environment, tables.
 * What is done with it lives in kv_bdb_ops.c, kv_bdb_scan.c and
 * kv_checkpoint.c.
 */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "broker/kv_bdb.h"

/* Equal to the block of the disk, so that a page seldom tears. */
#define BDB_PAGE_BYTES 4096u
/*
 * Of the cache's hash table: left to itself the library makes one for each
 * bucket, and every page looked up waits for another line of memory.  A few
 * threads at most meet there.
 */
#define BDB_CACHE_MUTEXES      64u
#define BDB_LOG_FILE_MIN_BYTES (1u * MIB)
#define BDB_LOG_FILE_MAX_BYTES (64u * MIB)
#define BDB_MODE	       0600

/* No name may begin with "log.": the library takes those for its log. */
const char *const bdb_files[KV_TABLES] = {
	[KV_NAME] = "name.db",
	[KV_LOG] = "record.db",
	[KV_REG] = "reg.db",
	[KV_STAMP] = "stamp.db",
	[KV_BLOB] = "blob.db",
};

static int bdb_env_open(struct bdb *, const struct kv_bdb_options *);
static int bdb_env_size(struct bdb *, const struct kv_bdb_options *);
static int bdb_tables_open(struct bdb *);
static void bdb_tables_close(struct bdb *);
static void bdb_say(const DB_ENV *, const char *, const char *);
static void bdb_event(DB_ENV *, u_int32_t, void *);
static int bdb_is_page(int error);
static uint32_t bdb_clamp(uint64_t, uint64_t, uint64_t);
static int bdb_sync(int);

/* Stores that failed, with their lock, until the process ends. */
static struct bdb *bdb_left;

/* A sync failed in this process; the library's hook knows no store. */
static atomic_int bdb_sync_failed;

int
kv_bdb_there(const char *dir)
{
	char path[PATH_MAX];

	return (snprintf(path, sizeof(path), "%s/%s", dir, bdb_files[KV_NAME]) <
		(int)sizeof(path) &&
	    access(path, F_OK) == 0);
}

struct kv *
kv_bdb_open(const struct kv_bdb_options *o, char *why, size_t size)
{
	struct bdb *b;
	int error;

	if ((b = calloc(1, sizeof(*b))) == NULL ||
	    (b->dir = strdup(o->dir)) == NULL) {
		snprintf(why, size, "no memory");
		free(b);
		return (NULL);
	}
	b->kv.ops = &bdb_ops;
	b->checkpoint_bytes = o->checkpoint_bytes;
	b->checkpoint_ms = o->checkpoint_ms;
	b->lock_fd = o->lock_fd;
	if (b->lock_fd == 0)
		b->lock_fd = kv_bdb_lock(o->dir, why, size);
	if (b->lock_fd == -1)
		goto err_dir;
	if ((error = kv_bdb_memory(1)) != 0 ||
	    (error = bdb_env_open(b, o)) != 0)
		goto err_lock;
	if ((error = bdb_tables_open(b)) != 0)
		goto err_tables;
	kv_backup_recall(b);
	if ((error = kv_bdb_memory(0)) != 0 ||
	    (error = kv_checkpoint_start(b)) != 0)
		goto err_tables;
	return (&b->kv);

err_tables:
	bdb_tables_close(b);
	b->env->close(b->env, 0);
err_lock:
	kv_bdb_memory(0);
	close(b->lock_fd);
	snprintf(why, size, "%s", db_strerror(error));
err_dir:
	free(b->dir);
	free(b);
	return (NULL);
}

/*
 * Held for as long as the store is open: a second environment over the same
 * files, with a recovery of its own, would ruin the first without a word.
 */
int
kv_bdb_lock(const char *dir, char *why, size_t size)
{
	char path[4096];
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/lock", dir);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		snprintf(why, size, "%.100s...: path too long", dir);
		return (-1);
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, BDB_MODE);
	if (fd == -1) {
		snprintf(why, size, "%s: %s", errno == ENOENT ? dir : path,
		    strerror(errno));
		return (-1);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return (fd);
	if (errno == EWOULDBLOCK)
		snprintf(why, size, "%s: in use by another process", dir);
	else
		snprintf(why, size, "%s: %s", path, strerror(errno));
	close(fd);
	return (-1);
}

void
bdb_close(struct kv *kv)
{
	struct bdb *b = (struct bdb *)kv;
	int error;

	kv_checkpoint_stop(b);
	if (b->txn != NULL)
		kv->ops->abort(kv);
	if (!atomic_load(&b->failed) &&
	    (error = b->env->txn_checkpoint(b->env, 0, 0, 0)) != 0) {
		bdb_fail(b, "checkpoint", error);
		atomic_store(&b->failed, 1);
	}
	if (atomic_load(&b->failed)) {
		/*
		 * Closing would write pages out whose log may be lost, which
		 * no recovery puts right: all is left to the process's end.
		 */
		b->left = bdb_left;
		bdb_left = b;
		return;
	}
	bdb_tables_close(b);
	b->env->close(b->env, 0);
	close(b->lock_fd);
	free(b->bulk);
	free(b->dir);
	free(b);
}

int
bdb_fail(struct bdb *b, const char *what, int error)
{
	log_warnx("store: %s: %s", what, db_strerror(error));
	if (error == DB_RUNRECOVERY)
		atomic_store(&b->failed, 1);
	errno = error > 0 ? error : EIO;
	return (-1);
}

int
bdb_fail_txn(struct bdb *b, const char *what, int error)
{
	b->broken = b->txn != NULL;
	return (bdb_fail(b, what, error));
}

int
kv_bdb_failed(struct kv *kv)
{
	return (bdb_alive((struct bdb *)kv) == -1);
}

int
kv_bdb_damaged(struct kv *kv)
{
	return (atomic_load(&((struct bdb *)kv)->damaged));
}

int
bdb_alive(struct bdb *b)
{
	if (!atomic_load(&b->failed))
		return (0);
	errno = EIO;
	return (-1);
}

DBT
bdb_dbt(struct bytes s)
{
	DBT t;

	memset(&t, 0, sizeof(t));
	t.data = (void *)(uintptr_t)s.p; /* the library has no const */
	t.size = (u_int32_t)s.n;
	return (t);
}

static int
bdb_env_open(struct bdb *b, const struct kv_bdb_options *o)
{
	int error;

	atomic_store(&bdb_sync_failed, 0);
	if ((error = db_env_set_func_fsync(bdb_sync)) != 0 ||
	    (error = db_env_create(&b->env, 0)) != 0)
		return (error);
	b->env->app_private = b;
	b->env->set_errcall(b->env, bdb_say);
	if ((error = b->env->set_event_notify(b->env, bdb_event)) != 0 ||
	    (error = bdb_env_size(b, o)) != 0 ||
	    (error = b->env->set_flags(b->env, DB_TXN_NOSYNC, 1)) != 0 ||
	    (error = b->env->log_set_config(b->env, DB_LOG_AUTO_REMOVE, 1)) !=
		0)
		goto err_env;
	error = b->env->open(b->env, b->dir,
	    DB_CREATE | DB_INIT_TXN | DB_INIT_LOG | DB_INIT_MPOOL | DB_PRIVATE |
		(o->copied ? DB_RECOVER_FATAL : DB_RECOVER) | DB_THREAD,
	    BDB_MODE);
	if (error == 0)
		return (0);

err_env:
	b->env->close(b->env, 0);
	return (error);
}

static int
bdb_env_size(struct bdb *b, const struct kv_bdb_options *o)
{
	uint32_t buffer = bdb_clamp(o->log_buffer_bytes, 64 * KIB, 512 * MIB);
	uint64_t cache = o->cache_bytes;
	uint32_t file;
	int error;

	/*
	 * Whole files are removed, so a file is half of what a checkpoint
	 * covers; the library wants room for four buffers in it.
	 */
	file = bdb_clamp(o->checkpoint_bytes / 2, BDB_LOG_FILE_MIN_BYTES,
	    BDB_LOG_FILE_MAX_BYTES);
	if (file < 4 * buffer)
		file = 4 * buffer;
	if (cache < MIB)
		cache = MIB;
	if ((error = b->env->set_cachesize(b->env, (u_int32_t)(cache >> 30),
		 (u_int32_t)(cache & ((1u << 30) - 1)), 1)) != 0 ||
	    (error = b->env->set_mp_mtxcount(b->env, BDB_CACHE_MUTEXES)) != 0 ||
	    (error = b->env->set_lg_bsize(b->env, buffer)) != 0)
		return (error);
	return (b->env->set_lg_max(b->env, file));
}

static int
bdb_tables_open(struct bdb *b)
{
	DB *db;
	int error, i;

	for (i = 0; i < KV_TABLES; i++) {
		if ((error = db_create(&db, b->env, 0)) != 0)
			return (error);
		b->table[i] = db;
		if ((error = db->set_pagesize(db, BDB_PAGE_BYTES)) != 0 ||
		    (error = db->set_flags(db, DB_CHKSUM)) != 0 ||
		    (error = db->open(db, NULL, bdb_files[i], NULL, DB_BTREE,
			 DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, BDB_MODE)) !=
			0)
			return (error);
	}
	return (0);
}

static void
bdb_tables_close(struct bdb *b)
{
	int i;

	for (i = 0; i < KV_TABLES; i++)
		if (b->table[i] != NULL)
			b->table[i]->close(b->table[i], 0);
}

static void
bdb_say(const DB_ENV *env, const char *prefix, const char *text)
{
	(void)env;
	(void)prefix;
	log_warnx("store: %s", text);
}

/* The first says why; all that come after it, only that there was one. */
static void
bdb_event(DB_ENV *env, u_int32_t event, void *info)
{
	struct bdb *b = env->app_private;
	const int *error = info;

	if (event != DB_EVENT_PANIC)
		return;
	if (!atomic_load(&b->failed) && (error == NULL || bdb_is_page(*error)))
		atomic_store(&b->damaged, 1);
	atomic_store(&b->failed, 1);
}

/* A change that cannot be taken back for want of something harms no page that
 * is on the disk: recovery puts it right. */
static int
bdb_is_page(int error)
{
	switch (error) {
	case ENOMEM:
	case ENOSPC:
	case EMFILE:
	case ENFILE:
	case ENOTRECOVERABLE: /* bdb_sync's */
		return (0);
	default:
		return (1);
	}
}

static uint32_t
bdb_clamp(uint64_t v, uint64_t min, uint64_t max)
{
	return ((uint32_t)(v < min ? min : v > max ? max : v));
}

/*
 * 0 or an error number.
 *
 * The library repeats a sync that failed with EIO up to a hundred times.  The
 * second would succeed, as the system drops what it could not write, and the
 * batch would be called saved.  So the first failure is the last word, for the
 * other thread too, and with an error that the library does not try again.
 */
static int
bdb_sync(int fd)
{
	int r;

	if (!atomic_load(&bdb_sync_failed)) {
		do
			r = fdatasync(fd);
		while (r == -1 && errno == EINTR);
		if (r == 0)
			return (0);
		log_warn("store: sync");
		atomic_store(&bdb_sync_failed, 1);
	}
	return (ENOTRECOVERABLE);
}
