/*
 * A hot backup of the Berkeley DB store: first its tables, by the library,
 * which holds back writes of the pages that it reads, so that none is torn;
 * then the log files, which nothing removes meanwhile.
 *
 * The log is made durable before its files are read: a page in the copy may
 * hold what only the log's buffer could take back.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "broker/backup.h"
#include "broker/kv_bdb.h"
#include "common/log.h"

#define BACKUP_SEND_S 60 /* a reader that takes nothing for so long is gone */

#define BACKUP_PIECE_BYTES (256u * 1024u)

/* In the store's directory; a copy has none.  One line, in decimal. */
#define BACKUP_TIME_FILE  "backed-up"
#define BACKUP_TIME_BYTES 21

static int backup_time_open(const struct bdb *, int flags);
static int backup_time_keep(const struct bdb *, unsigned long long);

static int backup_tables(struct bdb *);
static int backup_logs(struct bdb *, int);
static int backup_log(struct bdb *, int, const char *, uint8_t *);
static int backup_open(DB_ENV *, const char *, const char *, void **);
static int backup_write(DB_ENV *, u_int32_t, u_int32_t, u_int32_t, u_int8_t *,
    void *);
static int backup_close(DB_ENV *, const char *, void *);
static int backup_frame(int, char, struct bytes, struct bytes);
static int backup_send(int, struct bytes);

/* One at a time: the library's hooks have no argument of ours. */
static int backup_fd = -1;

void
kv_backup_run(struct bdb *b, int fd)
{
	const struct timeval limit = { BACKUP_SEND_S, 0 };
	DB_ENV *env = b->env;
	int error;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	backup_fd = fd;
	log_info("backup: begins");
	if ((error = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 0)) == 0 &&
	    (error = env->set_backup_callbacks(env, backup_open, backup_write,
		 backup_close)) == 0)
		error = backup_tables(b);
	if (error == 0)
		error = backup_logs(b, fd);
	if (error == 0)
		error = backup_frame(fd, 'E', BYTES_NONE, BYTES_NONE);
	else
		backup_frame(fd, 'X', bytes_str(db_strerror(error)),
		    BYTES_NONE);
	env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1);
	if (error != 0) {
		log_warnx("backup: %s", db_strerror(error));
		return;
	}
	atomic_store(&b->backup_s, (unsigned long long)time(NULL));
	log_info("backup: done");
	if (backup_time_keep(b, atomic_load(&b->backup_s)) == -1)
		log_warn("backup: %s", BACKUP_TIME_FILE);
}

void
kv_backup_recall(struct bdb *b)
{
	char text[BACKUP_TIME_BYTES + 1] = "";
	int fd = backup_time_open(b, O_RDONLY);

	if (fd == -1)
		return;
	if (read(fd, text, BACKUP_TIME_BYTES) == BACKUP_TIME_BYTES)
		atomic_store(&b->backup_s, strtoull(text, NULL, 10));
	close(fd);
}

static int
backup_time_open(const struct bdb *b, int flags)
{
	char path[4096];
	int n;

	n = snprintf(path, sizeof(path), "%s/%s", b->dir, BACKUP_TIME_FILE);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (open(path, flags | O_CLOEXEC, 0600));
}

/* So short that no power cut leaves half of it. */
static int
backup_time_keep(const struct bdb *b, unsigned long long at)
{
	char text[BACKUP_TIME_BYTES + 1];
	int fd = backup_time_open(b, O_WRONLY | O_CREAT), r = -1;

	if (fd == -1)
		return (-1);
	snprintf(text, sizeof(text), "%020llu\n", at);
	if (write(fd, text, BACKUP_TIME_BYTES) == BACKUP_TIME_BYTES)
		r = fdatasync(fd);
	close(fd);
	return (r);
}

static int
backup_tables(struct bdb *b)
{
	int error = 0, t;

	for (t = 0; t < KV_TABLES && error == 0; t++)
		error = b->env->dbbackup(b->env, bdb_files[t], ".", 0);
	return (error);
}

static int
backup_logs(struct bdb *b, int fd)
{
	DB_ENV *env = b->env;
	char **list = NULL, **name;
	uint8_t *piece;
	int error;

	if ((piece = malloc(BACKUP_PIECE_BYTES)) == NULL)
		return (ENOMEM);
	if ((error = env->log_flush(env, NULL)) != 0)
		atomic_store(&b->failed, 1);
	else if ((error = env->log_archive(env, &list, DB_ARCH_LOG)) == 0)
		for (name = list; name != NULL && *name != NULL && error == 0;
		     name++)
			error = backup_log(b, fd, *name, piece);
	free(list);
	free(piece);
	return (error);
}

/* As far as it goes by now: its end is as after a crash. */
static int
backup_log(struct bdb *b, int fd, const char *name, uint8_t *piece)
{
	char path[4096];
	uint8_t at[8];
	uint64_t offset = 0;
	ssize_t n = 0;
	int in, error;

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	if ((in = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (errno);
	error = backup_frame(fd, 'F', bytes_str(name), BYTES_NONE);
	while (error == 0 &&
	    ((n = read(in, piece, BACKUP_PIECE_BYTES)) > 0 ||
		(n == -1 && errno == EINTR))) {
		if (n == -1)
			continue;
		be64_put(at, offset);
		error = backup_frame(fd, 'D', bytes_of(at, sizeof(at)),
		    bytes_of(piece, (size_t)n));
		offset += (uint64_t)n;
	}
	if (n == -1)
		error = errno;
	close(in);
	return (error);
}

static int
backup_open(DB_ENV *env, const char *name, const char *target, void **handle)
{
	const char *slash = strrchr(name, '/');

	(void)env;
	(void)target;
	*handle = NULL;
	return (backup_frame(backup_fd, 'F',
	    bytes_str(slash == NULL ? name : slash + 1), BYTES_NONE));
}

static int
backup_write(DB_ENV *env, u_int32_t gigabytes, u_int32_t offset, u_int32_t size,
    u_int8_t *octets, void *handle)
{
	uint8_t at[8];
	u_int32_t n;
	int error;

	(void)env;
	(void)handle;
	for (; size > 0; size -= n, octets += n, offset += n) {
		n = size < BACKUP_FRAME_MAX - 8 ? size : BACKUP_FRAME_MAX - 8;
		be64_put(at, ((uint64_t)gigabytes << 30) + offset);
		if ((error = backup_frame(backup_fd, 'D',
			 bytes_of(at, sizeof(at)), bytes_of(octets, n))) != 0)
			return (error);
	}
	return (0);
}

static int
backup_close(DB_ENV *env, const char *name, void *handle)
{
	(void)env;
	(void)name;
	(void)handle;
	return (0);
}

/* 0, or an error number. */
static int
backup_frame(int fd, char type, struct bytes a, struct bytes b)
{
	uint8_t head[BACKUP_HEAD_BYTES];
	int error;

	head[0] = (uint8_t)type;
	be32_put(head + 1, (uint32_t)(a.n + b.n));
	if ((error = backup_send(fd, bytes_of(head, sizeof(head)))) != 0 ||
	    (error = backup_send(fd, a)) != 0)
		return (error);
	return (backup_send(fd, b));
}

static int
backup_send(int fd, struct bytes b)
{
	ssize_t n;

	while (b.n > 0) {
		n = send(fd, b.p, b.n, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (errno);
		b = bytes_skip(b, (size_t)n);
	}
	return (0);
}
