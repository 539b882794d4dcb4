/*
 * An answer's body in frames of the snapshot format, gzipped when the client
 * takes it.
 */
#ifndef QUIRE_LOGSEQ_GZIP_H
#define QUIRE_LOGSEQ_GZIP_H

#include <zlib.h>

#include "worker/logseq.h"

struct logseq_gzip {
	struct logseq_web *web;
	struct buf frame; /* rows of the frame under way */
	z_stream z;
	int open;
	int failed;
};

int logseq_gzip_init(struct logseq_gzip *, struct logseq_web *);
void logseq_gzip_free(struct logseq_gzip *);
/* A row; addresses may be empty. */
void logseq_gzip_row(struct logseq_gzip *, uint64_t addr, struct bytes content,
    struct bytes addresses);
/* Sends what there is; with last, the end of it.  0, or -1. */
int logseq_gzip_flush(struct logseq_gzip *, int last);

#endif
