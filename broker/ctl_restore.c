/*
 * quirectl restore: a backup becomes the store of a broker that does not run.
 * The backup is verified first; what is in the way is not overwritten.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/ctl_files.h"
#include "broker/kv.h"

#define RESTORE_PIECE_BYTES (1024u * 1024u)

static int ctl_restore_dir(const char *from, const char *data);
static int ctl_restore_empty(const char *data);
static int ctl_restore_files(const char *from, const char *data);
static int ctl_restore_file(int from, int to, const char *name,
    const struct stat *owner);
static int ctl_restore_copy(int in, int out);

int
ctl_restore(const struct ctl *ctl, int argc, char **argv)
{
	struct config *config;
	char why[256];
	int lock, status;

	if (argc == 3)
		return (ctl_restore_store(ctl, argv[1], argv[2]));
	if (argc != 2)
		return (ctl_usage(argv[0]));
	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	if ((lock = kv_bdb_lock(config->data, why, sizeof(why))) == -1) {
		log_warnx("%s", why);
		config_free(config);
		return (EX_UNAVAILABLE);
	}
	if ((status = ctl_verify_dir(argv[1], NULL, 0)) == 0)
		status = ctl_restore_dir(argv[1], config->data);
	close(lock);
	config_free(config);
	return (status);
}

static int
ctl_restore_dir(const char *from, const char *data)
{
	if (ctl_restore_empty(data) == -1) {
		log_warnx("%s: holds a store already; move it away", data);
		return (EX_CANTCREAT);
	}
	return (ctl_restore_files(from, data) == -1 ? EX_IOERR : 0);
}

/* But for the lock, which is ours. */
static int
ctl_restore_empty(const char *data)
{
	struct dirent *e;
	DIR *d = opendir(data);
	int r = d == NULL ? -1 : 0;

	errno = 0;
	while (r == 0 && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strcmp(e->d_name, "lock") != 0)
			r = -1;
	if (errno != 0)
		r = -1;
	if (d != NULL)
		closedir(d);
	return (r);
}

static int
ctl_restore_files(const char *from, const char *data)
{
	int to = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = -1;
	DIR *d = opendir(from);
	struct dirent *e;
	struct stat owner;

	if (d == NULL || to == -1 || fstat(to, &owner) == -1) {
		log_warn("%s", d == NULL ? from : data);
		goto out;
	}
	for (r = 0; r == 0 && (errno = 0, e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.' && strcmp(e->d_name, "lock") != 0)
			r = ctl_restore_file(dirfd(d), to, e->d_name, &owner);
	if (r == 0 && errno != 0) {
		log_warn("%s", from);
		r = -1;
	}
	/* The lock as well may have been made just now, by another user. */
	if (r == 0 &&
	    (fchownat(to, "lock", owner.st_uid, owner.st_gid, 0) == -1 ||
		fsync(to) == -1)) {
		log_warn("%s", data);
		r = -1;
	}
out:
	if (d != NULL)
		closedir(d);
	if (to != -1)
		close(to);
	return (r);
}

static int
ctl_restore_file(int from, int to, const char *name, const struct stat *owner)
{
	int in, out, r = -1;

	in = openat(from, name, O_RDONLY | O_CLOEXEC);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (in == -1 || out == -1 ||
	    fchown(out, owner->st_uid, owner->st_gid) == -1)
		log_warn("%s", name);
	else
		r = ctl_restore_copy(in, out);
	if (in != -1)
		close(in);
	if (out != -1 && ctl_file_done(out) == -1)
		r = -1;
	return (r);
}

static int
ctl_restore_copy(int in, int out)
{
	uint8_t *piece = malloc(RESTORE_PIECE_BYTES);
	uint64_t at = 0;
	ssize_t n = -1;

	while (piece != NULL) {
		n = read(in, piece, RESTORE_PIECE_BYTES);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0 ||
		    ctl_file_write(out, bytes_of(piece, (size_t)n), at) == -1)
			break;
		at += (uint64_t)n;
	}
	free(piece);
	if (n == -1)
		log_warn("read");
	return (n == 0 ? 0 : -1);
}
