/*
 * The checkpoint thread of the Berkeley DB store: after so many octets of log
 * or so much time it writes the dirty pages out, after which the library
 * removes the log files that recovery no longer needs.  A checkpoint may take
 * a second; commits and flushes go on meanwhile.  The store's figures live
 * here too: they are about what checkpoints keep small.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "broker/kv_bdb.h"
#include "broker/thread.h"

static void *checkpoint_run(void *);
static void checkpoint_backup(struct bdb *);
static void checkpoint_wait(struct bdb *);
static void checkpoint_make(struct bdb *);
static int checkpoint_cond(pthread_cond_t *);
static struct timespec checkpoint_due(uint64_t);

int
kv_checkpoint_start(struct bdb *b)
{
	int error;

	b->backup_fd = -1;
	if ((error = pthread_mutex_init(&b->mutex, NULL)) != 0)
		return (error);
	if ((error = checkpoint_cond(&b->wake)) != 0)
		goto err_mutex;
	if ((error = thread_start(&b->thread, checkpoint_run, b)) != 0)
		goto err_cond;
	b->thread_runs = 1;
	return (0);

err_cond:
	pthread_cond_destroy(&b->wake);
err_mutex:
	pthread_mutex_destroy(&b->mutex);
	return (error);
}

void
kv_checkpoint_stop(struct bdb *b)
{
	if (!b->thread_runs)
		return;
	pthread_mutex_lock(&b->mutex);
	b->stop = 1;
	if (b->backup_fd != -1) /* a backup under way ends with an error */
		shutdown(b->backup_fd, SHUT_RDWR);
	pthread_cond_signal(&b->wake);
	pthread_mutex_unlock(&b->mutex);
	pthread_join(b->thread, NULL);
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->mutex);
	b->thread_runs = 0;
}

void
kv_checkpoint_count(struct bdb *b, uint64_t n)
{
	pthread_mutex_lock(&b->mutex);
	b->unsaved_bytes += n;
	if (b->unsaved_bytes >= b->checkpoint_bytes)
		pthread_cond_signal(&b->wake);
	pthread_mutex_unlock(&b->mutex);
}

int
kv_bdb_backup(struct kv *kv, int fd)
{
	struct bdb *b = (struct bdb *)kv;
	int r = 0;

	if (bdb_alive(b) == -1)
		return (-1);
	pthread_mutex_lock(&b->mutex);
	if (b->backup_fd == -1) {
		b->backup_fd = fd;
		pthread_cond_signal(&b->wake);
	} else {
		errno = EBUSY;
		r = -1;
	}
	pthread_mutex_unlock(&b->mutex);
	return (r);
}

void
kv_bdb_stat(struct kv *kv, struct kv_bdb_stat *s)
{
	struct bdb *b = (struct bdb *)kv;
	struct dirent *e;
	struct stat st;
	uint64_t *sum;
	size_t n;
	DIR *d;

	memset(s, 0, sizeof(*s));
	s->checkpoints = atomic_load(&b->checkpoints);
	s->backup_s = atomic_load(&b->backup_s);
	if ((d = opendir(b->dir)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		n = strlen(e->d_name);
		if (n > 3 && strcmp(e->d_name + n - 3, ".db") == 0)
			sum = &s->data_bytes;
		else if (strncmp(e->d_name, "log.", 4) == 0)
			sum = &s->log_bytes;
		else
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, 0) == 0)
			*sum += (uint64_t)st.st_size;
	}
	closedir(d);
}

static void *
checkpoint_run(void *arg)
{
	struct bdb *b = arg;

	pthread_mutex_lock(&b->mutex);
	for (;;) {
		checkpoint_wait(b);
		if (b->stop)
			break;
		if (b->backup_fd != -1) {
			checkpoint_backup(b);
			continue;
		}
		b->unsaved_bytes = 0;
		pthread_mutex_unlock(&b->mutex);
		checkpoint_make(b);
		pthread_mutex_lock(&b->mutex);
	}
	pthread_mutex_unlock(&b->mutex);
	return (NULL);
}

/* With the mutex, which is not held meanwhile. */
static void
checkpoint_backup(struct bdb *b)
{
	int fd = b->backup_fd;

	pthread_mutex_unlock(&b->mutex);
	kv_backup_run(b, fd);
	pthread_mutex_lock(&b->mutex);
	b->backup_fd = -1;
	close(fd);
}

/* Until there is enough to save, or time to save what there is, or the end. */
static void
checkpoint_wait(struct bdb *b)
{
	struct timespec due = checkpoint_due(b->checkpoint_ms);
	int r;

	while (!b->stop && b->backup_fd == -1 &&
	    b->unsaved_bytes < b->checkpoint_bytes) {
		r = pthread_cond_timedwait(&b->wake, &b->mutex, &due);
		if (r != ETIMEDOUT)
			continue;
		if (b->unsaved_bytes > 0)
			return;
		due = checkpoint_due(b->checkpoint_ms);
	}
}

static void
checkpoint_make(struct bdb *b)
{
	int error;

	if (atomic_load(&b->failed))
		return;
	if ((error = b->env->txn_checkpoint(b->env, 0, 0, 0)) == 0) {
		atomic_fetch_add(&b->checkpoints, 1);
		return;
	}
	/*
	 * A full disk passes and the log still has everything; after any other
	 * error pages may be lost that the library believes saved.
	 */
	if (error != ENOSPC)
		atomic_store(&b->failed, 1);
	bdb_fail(b, "checkpoint", error);
}

static int
checkpoint_cond(pthread_cond_t *c)
{
	pthread_condattr_t a;
	int error;

	if ((error = pthread_condattr_init(&a)) != 0)
		return (error);
	if ((error = pthread_condattr_setclock(&a, CLOCK_MONOTONIC)) == 0)
		error = pthread_cond_init(c, &a);
	pthread_condattr_destroy(&a);
	return (error);
}

static struct timespec
checkpoint_due(uint64_t after_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(after_ms / 1000);
	t.tv_nsec += (long)(after_ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return (t);
}
