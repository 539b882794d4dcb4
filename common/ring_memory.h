/*
 * Memory that one process writes and others can only read: what ring.c and
 * broker/area.c need from the system.  One ring_X.c a system implements it.
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

#endif
