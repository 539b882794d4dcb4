/* No lanes here: every client is its worker's own. */
#include <errno.h>

#include "common/lane_memory.h"

int
lane_create(void)
{
	errno = ENOSYS;
	return (-1);
}

unsigned int
lane_flight_max(void)
{
	return (0);
}

void *
lane_memory_map(int fd, size_t n)
{
	(void)fd;
	(void)n;
	errno = ENOSYS;
	return (NULL);
}

void
lane_memory_unmap(void *map, size_t n)
{
	(void)map;
	(void)n;
}
