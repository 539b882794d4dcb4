/*
 * The body of a snapshot upload, as it arrives (logseq.md, section 5.1): gzip
 * or plain, frames, rows.  Memory is bounded by the largest frame, however much
 * comes and however well it was compressed.
 */
#ifndef QUIRE_LOGSEQ_ROWS_H
#define QUIRE_LOGSEQ_ROWS_H

#include <zlib.h>

#include "worker/transit.h"

struct logseq_row {
	uint64_t addr;
	struct bytes content;	/* Transit text */
	struct bytes addresses; /* JSON, or empty */
};

struct logseq_rows {
	uint64_t frame_max; /* octets of a frame's payload */
	uint64_t left;	    /* octets that may still come, unpacked */
	struct buf in;	    /* not unpacked yet */
	struct buf plain;   /* unpacked: the frame under way */
	int begun;	    /* its first octets told whether it is gzip */
	int gzip;
	int between;	    /* of gzip's members */
	int reading;	    /* the reader is in a frame */
	uint64_t frame;	    /* octets of that one */
	struct buf content; /* of the row that was handed out */
	struct buf addresses;
	struct transit_reader reader;
	z_stream z;
	const char *reason; /* why -1; never NULL then */
	int too_large;
};

void logseq_rows_init(struct logseq_rows *, uint64_t frame_max, uint64_t max);
void logseq_rows_free(struct logseq_rows *);

int logseq_rows_add(struct logseq_rows *, struct bytes); /* -1: no memory */
/*
 * 1 and the next row, good until the next call; 0: more octets are needed; -1:
 * this is no snapshot.
 */
int logseq_rows_next(struct logseq_rows *, struct logseq_row *);
/* Whether what came so far is whole: 0, or -1. */
int logseq_rows_done(struct logseq_rows *);

#endif
