/*
 * Lists that the broker gives page by page and a client wants whole and sorted.
 */
#ifndef QUIRE_LOGSEQ_LISTING_H
#define QUIRE_LOGSEQ_LISTING_H

#include "worker/logseq.h"

struct listing_kind {
	uint64_t verb;
	const char *name; /* the list's in the answer */
	int newest_first;
	/* The row's key for the next page and its place in the order; -1. */
	int (*read)(struct bytes row, struct bytes *key, uint64_t *order);
	void (
	    *write)(struct buf *, struct bytes row, const struct logseq_web *);
	const char *flag; /* a boolean behind the list, or NULL */
};

/* Steps of a route whose job this is. */
void logseq_listing_start(struct logseq_web *, const struct listing_kind *);
void logseq_listing_verdict(struct logseq_web *, const struct verdict_in *);
void logseq_listing_free(void *);

#endif
