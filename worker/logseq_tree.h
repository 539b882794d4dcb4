/*
 * Datascript's stored trees (logseq.md, section 5.2), written from datoms that
 * come in order: leaves and branches of 16 to 32 keys, each a row as soon as it
 * is full.  Memory: two nodes a level.
 */
#ifndef QUIRE_LOGSEQ_TREE_H
#define QUIRE_LOGSEQ_TREE_H

#include "common/logseq.h"
#include "worker/transit.h"

#define LOGSEQ_TREE_LEVELS 14 /* 16^13 datoms */

/* Where rows go; addresses is BYTES_NONE for a leaf. */
struct logseq_sink {
	void (*row)(void *arg, uint64_t addr, struct bytes content,
	    struct bytes addresses);
	void *arg;
	uint64_t addr; /* the last one given away */
};

/* What writes datoms; kept between trees, for it is large. */
struct logseq_pen {
	struct transit_cache cache;
	struct transit_reader reader; /* of opaque values */
	struct transit_writer writer;
	struct buf content;
};

struct logseq_tree {
	struct logseq_sink *sink;
	struct logseq_pen *pen;
	uint64_t count;
	uint64_t root; /* after logseq_tree_end */
	unsigned shift;
	int failed; /* no memory, or a value that is none */
	struct {
		struct buf nodes; /* list of be64 addr (of a branch's child, or
				   * empty) and packed datom, in turn */
		unsigned n;
	} level[LOGSEQ_TREE_LEVELS];
};

void logseq_tree_init(struct logseq_tree *, struct logseq_sink *,
    struct logseq_pen *);
void logseq_tree_free(struct logseq_tree *);
/* The datom's attribute is a name. */
void logseq_tree_add(struct logseq_tree *, const struct logseq_datom *);
/* 0: root, shift and count are set; -1. */
int logseq_tree_end(struct logseq_tree *);
/* How many rows a tree of so many datoms has. */
uint64_t logseq_tree_rows(uint64_t datoms);

/* A text is begun with the pen's cache, and ended: 0, or -1. */
void logseq_pen_begin(struct logseq_pen *);
int logseq_pen_end(struct logseq_pen *);
void logseq_pen_free(struct logseq_pen *);
/* [e, a, v, tx]; what was taken back has -tx.  0, or -1. */
int logseq_pen_datom(struct logseq_pen *, const struct logseq_datom *);

#endif
