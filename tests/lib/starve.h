/*
 * Allocations that fail in turn in a program that runs: tests/preload/disk.so
 * with DISK_COUNT, from the outside.
 */
#ifndef QUIRE_STARVE_H
#define QUIRE_STARVE_H

#include "tests/preload/disk.h"

struct starve {
	struct disk_count *count;
	char setting[128]; /* of the environment: DISK_COUNT=path */
	uint64_t turn;
	unsigned long reached;
};

/* Before the program is started; path is a file's, which is made. */
void starve_make(struct starve *, const char *path);
/* One later than last time, counted from now on. */
void starve_begin(struct starve *);
/* 1: it came to that.  If not, the next turn is the first again. */
int starve_end(struct starve *);

#endif
