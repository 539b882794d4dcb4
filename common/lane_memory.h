/* A lane's shared memory, for lane.c and for what makes it on a system. */
#ifndef QUIRE_LANE_MEMORY_H
#define QUIRE_LANE_MEMORY_H

#include <stddef.h>

#include "common/lane.h"

struct lane_shared {
	_Atomic uint32_t owner; /* enum lane_state */
	_Atomic uint32_t rest;	/* octets in spill */
	_Atomic uint64_t pos;
	_Atomic uint64_t seq;
	uint8_t spill[LANE_SPILL_MAX_BYTES];
};

/* NULL if fd is not just such a memory. */
void *lane_memory_map(int fd, size_t n);
void lane_memory_unmap(void *, size_t n);

#endif
