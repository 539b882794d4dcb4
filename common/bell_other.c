/*
 * The bell as a FIFO, opened once for writing and once more, read-only, for the
 * workers.  Waking is what counts; how many octets lie in it does not, as long
 * as it is never full and, after a ring, never empty: a waiter that was woken
 * looks again before it returns, and must still find something.  A worker that
 * reads it can thus hush the bell of its own document.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/bell.h"

/* Below the smallest capacity a pipe is given anywhere (one page). */
#define BELL_DRAIN_EVERY 4096

static int bell_make(const char *, char *, size_t);
static void bell_drain(struct bell *);

int
bell_create(struct bell *b, const char *dir)
{
	char path[PATH_MAX];
	int saved;

	*b = (struct bell)BELL_NONE;
	if (bell_make(dir, path, sizeof(path)) == -1)
		return (-1);
	/* A reader first: no FIFO opens for writing without one. */
	b->wait_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (b->wait_fd == -1)
		goto err;
	b->ring_fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	b->drain_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	/* Nobody opens it again, by /proc or otherwise. */
	if (b->ring_fd == -1 || b->drain_fd == -1 ||
	    fchmod(b->ring_fd, 0) == -1)
		goto err;
	if (unlink(path) == -1)
		goto err;
	return (0);

err:
	saved = errno;
	unlink(path);
	bell_close(b);
	errno = saved;
	return (-1);
}

void
bell_ring(struct bell *b)
{
	/* Before the write, so that a waiter on its way still sees one. */
	if (b->rung >= BELL_DRAIN_EVERY - 1)
		bell_drain(b);
	if (write(b->ring_fd, "", 1) == -1 && errno == EAGAIN) {
		bell_drain(b);
		(void)!write(b->ring_fd, "", 1);
	}
	b->rung++;
}

void
bell_close(struct bell *b)
{
	int *fds[] = { &b->ring_fd, &b->wait_fd, &b->drain_fd };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] != -1)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* A FIFO of a name that nobody else took. */
static int
bell_make(const char *dir, char *path, size_t size)
{
	static unsigned int count;
	int n;

	do {
		n = snprintf(path, size, "%s/bell.%ld.%u", dir, (long)getpid(),
		    count++);
		if (n < 0 || (size_t)n >= size) {
			errno = ENAMETOOLONG;
			return (-1);
		}
		if (mkfifo(path, 0600) == 0)
			return (0);
	} while (errno == EEXIST);
	return (-1);
}

static void
bell_drain(struct bell *b)
{
	char junk[BELL_DRAIN_EVERY];

	while (read(b->drain_fd, junk, sizeof(junk)) > 0)
		continue;
	b->rung = 0;
}
