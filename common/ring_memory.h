/*
 * Memory that one process writes and others can only read: what ring.c and
 * broker/area.c need from the system.  One ring_X.c a system implements it, but
 * for what is the same everywhere: ring.c.
 */
#ifndef QUIRE_RING_MEMORY_H
#define QUIRE_RING_MEMORY_H

#include <stddef.h>

/*
 * Makes n octets of zeroes, mapped for writing here and nowhere else ever.
 * Returns a descriptor (close-on-exec) for ring_memory_share; -1 with errno.
 */
int ring_memory_make(size_t n, void **map);

/* A new descriptor that can only be mapped for reading; -1 with errno. */
int ring_memory_share(int fd);

/* Maps what was shared, for reading.  NULL with errno: it has not just n
 * octets, which would be a fault to read, or no mapping is to be had. */
void *ring_memory_see(int fd, size_t n);

#endif
