/*
 * Between logseq_walk.c, which goes from row to row, and logseq_walk_row.c,
 * which reads one.
 */
#ifndef QUIRE_LOGSEQ_WALK_PARTS_H
#define QUIRE_LOGSEQ_WALK_PARTS_H

#include "worker/logseq_walk.h"

/* In this order; a stage ends when there are no rows left to look at. */
enum walk_stage {
	WALK_BEGIN,
	WALK_ROOT,
	WALK_SCHEMA,	  /* was handed over */
	WALK_TREE_SCHEMA, /* what says which attributes are refs */
	WALK_TREE,
	WALK_TAIL_SCHEMA,
	WALK_TAIL,
	WALK_SUM,
	WALK_FINISH
};

/* The root: where the tree begins, and its schema into the batch.  -1: bad. */
int walk_row_root(struct logseq_walk *, struct bytes content);
/* A leaf or the tail: the reader is put before its first datom.  -1: bad. */
int walk_row_open(struct logseq_walk *, struct bytes content);
/* Its datoms into the batch.  1: that is full; 0: that was the row; -1: bad. */
int walk_row_read(struct logseq_walk *);

#endif
