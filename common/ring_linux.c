/*
 * Ring memory on Linux: a memfd whose seals forbid any other size and, once
 * the writer has its mapping, any further writing.
 */
#include <sys/types.h>
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/ring_memory.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif

int
ring_memory_make(size_t n, void **map)
{
	int fd, saved;

	fd = memfd_create("quire-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return (-1);
	if (ftruncate(fd, (off_t)n) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == -1)
		goto err_fd;
	*map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*map == MAP_FAILED)
		goto err_fd;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == -1)
		goto err_map;
	return (fd);

err_map:
	saved = errno;
	munmap(*map, n);
	errno = saved;
err_fd:
	saved = errno;
	close(fd);
	errno = saved;
	return (-1);
}

/* Without /proc (a chroot) a duplicate does: the seals hold for it as well. */
int
ring_memory_share(int fd)
{
	char path[64];
	int reader;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	return (reader != -1 ? reader : fcntl(fd, F_DUPFD_CLOEXEC, 0));
}
