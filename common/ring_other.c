/*
 * Ring memory where there are no seals: a shared memory object that has lost
 * its name and its writing descriptor before anyone else hears of it.
 */
#include <sys/types.h>
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/ring_memory.h"

static int ring_memory_open(int *reader);

int
ring_memory_make(size_t n, void **map)
{
	int fd, reader, saved;

	if ((fd = ring_memory_open(&reader)) == -1)
		return (-1);
	if (ftruncate(fd, (off_t)n) == -1)
		goto err;
	*map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*map == MAP_FAILED)
		goto err;
	close(fd);
	return (reader);

err:
	saved = errno;
	close(reader);
	close(fd);
	errno = saved;
	return (-1);
}

int
ring_memory_share(int fd)
{
	return (fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/* The writing descriptor; *reader is the same object for reading. */
static int
ring_memory_open(int *reader)
{
	static unsigned int count;
	char name[64];
	int fd, saved;

	do {
		snprintf(name, sizeof(name), "/quire-ring.%ld.%u",
		    (long)getpid(), count++);
		fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	} while (fd == -1 && errno == EEXIST);
	if (fd == -1)
		return (-1);
	*reader = shm_open(name, O_RDONLY, 0);
	saved = errno;
	shm_unlink(name);
	if (*reader == -1) {
		close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}
