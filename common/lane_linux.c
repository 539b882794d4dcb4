/*
 * Lane memory on Linux: a memfd sealed in its size, so that neither side can
 * take pages away under the other.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/lane_memory.h"

#define LANE_FLIGHT_MAX 16384
#define LANE_SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int
lane_create(void)
{
	int fd, saved;

	fd = memfd_create("quire-lane", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return (-1);
	if (ftruncate(fd, (off_t)sizeof(struct lane_shared)) == -1 ||
	    fcntl(fd, F_ADD_SEALS, LANE_SEALS) == -1 ||
	    pwrite(fd, &(uint32_t){ LANE_WORKER }, sizeof(uint32_t), 0) !=
		(ssize_t)sizeof(uint32_t)) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

unsigned int
lane_flight_max(void)
{
	return (LANE_FLIGHT_MAX);
}

void *
lane_memory_map(int fd, size_t n)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) == -1 || st.st_size != (off_t)n ||
	    (fcntl(fd, F_GET_SEALS) & LANE_SEALS) != LANE_SEALS) {
		errno = EINVAL;
		return (NULL);
	}
	map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return (map == MAP_FAILED ? NULL : map);
}

void
lane_memory_unmap(void *map, size_t n)
{
	munmap(map, n);
}
