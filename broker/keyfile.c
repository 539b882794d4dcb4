/*
 * Files that only their owner may write: key files, and what is checked as they
 * are.  What stands in one is keyring.c's.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sodium.h>

#include "common/log.h"
#include "broker/keyring.h"

static int keyring_fd_check(int, const char *, struct stat *);
static int keyring_fd_read(int, uint8_t *, size_t);

int
keyring_open(const char *path)
{
	/* NONBLOCK: a FIFO of that name must not hold up the start. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1)
		log_warn("%s", path);
	return (fd);
}

uint8_t *
keyring_read(int fd, const char *name, struct stat *st)
{
	uint8_t *text;
	int saved;

	if (sodium_init() == -1 || keyring_fd_check(fd, name, st) == -1)
		return (NULL);
	text = sodium_malloc((size_t)st->st_size);
	if (text != NULL && keyring_fd_read(fd, text, (size_t)st->st_size) == 0)
		return (text);
	log_warn("%s", name);
	saved = errno;
	sodium_free(text);
	errno = saved;
	return (NULL);
}

static int
keyring_fd_check(int fd, const char *path, struct stat *st)
{
	if (fstat(fd, st) == -1) {
		log_warn("%s", path);
		return (-1);
	}
	if (!S_ISREG(st->st_mode))
		return (keyring_refuse(path, "is no regular file"));
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return (keyring_refuse(path,
		    "belongs to neither root nor this user"));
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return (keyring_refuse(path,
		    "may be written by group or others: chmod 600"));
	if (st->st_size > KEYRING_FILE_MAX)
		return (keyring_refuse(path, "is longer than 65536 octets"));
	return (0);
}

int
keyring_refuse(const char *path, const char *reason)
{
	log_warnx("%s: the key file %s", path, reason);
	errno = EPERM;
	return (-1);
}

static int
keyring_fd_read(int fd, uint8_t *text, size_t n)
{
	ssize_t r;

	while (n != 0) {
		if ((r = read(fd, text, n)) == -1)
			return (-1);
		if (r == 0) {
			errno = EIO;
			return (-1);
		}
		text += r;
		n -= (size_t)r;
	}
	return (0);
}
