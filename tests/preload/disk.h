/*
 * The journal of disk.c: what to put back.  It begins with how many octets of
 * notes there are, 64 bits, in this machine's order as all else.
 */
#ifndef QUIRE_TESTS_DISK_H
#define QUIRE_TESTS_DISK_H

#include <stdint.h>

#define DISK_JOURNAL_BYTES ((uint64_t)1 << 30)

enum disk_note_type { DISK_WRITE = 1, DISK_SYNC };

/* Followed by the old octets that were covered. */
struct disk_note {
	uint32_t type;
	uint32_t unused;
	uint64_t ino;
	uint64_t size; /* of the file before */
	uint64_t off, n;
	uint64_t old; /* so many there were of the n */
};

/*
 * The file of DISK_COUNT.  starve is for a test to write meanwhile: that many
 * allocations on, of the program and its children, one finds no memory, and
 * here is 0 again.
 */
struct disk_count {
	uint64_t calls; /* of the data files */
	uint64_t allocs;
	uint64_t forked; /* allocations of the child that had most */
	_Atomic uint64_t starve;
};

#endif
