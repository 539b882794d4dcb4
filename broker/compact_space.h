/*
 * Gives the space that compaction freed back to the file system: goes along a
 * whole table, range by range, because any page may stand in the way of the
 * end of the file.
 */
#ifndef QUIRE_COMPACT_SPACE_H
#define QUIRE_COMPACT_SPACE_H

#include "broker/kv.h"

struct sweep {
	int table; /* 0 at the beginning */
	struct buf from;
};

/* One range.  1: there are more; 0: the end; -1. */
int sweep_step(struct sweep *, struct kv *);

#endif
