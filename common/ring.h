/*
 * The ring: one document's window of ready-made frames, in shared memory,
 * written by the broker alone and mapped read-only by every worker that was
 * granted the document.
 *
 * Positions are octet counts since the ring was made; they never wrap.  An
 * entry never straddles the end: the writer pads.  The writer announces in
 * `head` what it is about to overwrite before it touches it, and in `tail`
 * what has become readable after it is complete.  A reader that uses frames
 * in place checks head again afterwards: if it has passed the entry, what was
 * read may be torn (ring_valid).  The header it gets is a checked copy: torn
 * or not, a frame lies within the ring.
 */
#ifndef QUIRE_RING_H
#define QUIRE_RING_H

#include <stdatomic.h>

#include "common/bytes.h"

enum ring_flag {
	RING_SKIP_ORIGIN = 1, /* not for the session in origin */
	RING_STUB = 2,	      /* no frame here: fetch number seq */
	RING_BLOB = 4,	      /* no frame here: fetch blob `blob` (a signal) */
	RING_PAD = 8	      /* filler up to the end of the ring */
};

struct ring_entry {
	uint32_t size;	 /* octets of the whole entry, a multiple of 8 */
	uint32_t frame;	 /* octets of the frame that follows this header */
	uint64_t seq;	 /* 0: a signal, seen and never stored */
	uint64_t origin; /* session that caused it */
	uint64_t since;	 /* != 0 on a stub: who was live at this position has
			    seen it in pieces already */
	uint64_t blob;	 /* RING_BLOB: which, RING_STUB: 0 */
	uint64_t blob_size;
	uint16_t flags; /* enum ring_flag */
	uint8_t kind;	/* what the rule called it */
	uint8_t opcode; /* of the frame: 1 text, 2 binary */
	uint32_t spare;
	/* then the frame: WebSocket header and payload */
};

struct ring_shared; /* the mapped header, see ring.c */

/* A reader's copy of an entry's header, and where its frame is. */
struct ring_seen {
	struct ring_entry entry;
	struct bytes frame;
};

struct ring {
	int fd; /* owned, -1 when closed */
	struct ring_shared *map;
	size_t bytes; /* of the data area, a power of two */
	int writer;
	struct ring_seen seen; /* what ring_peek showed last */
};

/*
 * The writer's side: a sealed memfd (an unlinked file elsewhere).  bytes is a
 * power of two from 4096 up, or it is EINVAL.
 */
int ring_create(struct ring *, size_t bytes);
/* Before the first ring_put: it goes on where another one ended. */
void ring_begin_at(struct ring *, uint64_t pos);
/* A descriptor that can only be mapped for reading; the caller closes it. */
int ring_reader_fd(const struct ring *);
/* The reader's side; takes fd over. -1 if it is not a ring of that size. */
int ring_attach(struct ring *, int fd, size_t bytes);
void ring_close(struct ring *);

uint64_t ring_tail(const struct ring *); /* readable up to here */
/* Where the writer's next entry will begin, published or not. */
uint64_t ring_end(const struct ring *);
uint64_t ring_head(const struct ring *); /* nothing before this is readable */

/*
 * Appends one entry: header *e (size and frame are filled in) and pieces.  The
 * entry must not be over bytes / RING_STUB_SHARE: the caller sends a stub
 * then.  Not visible until ring_publish.  Returns the position after it, or 0
 * with EMSGSIZE and nothing done when it is over.
 */
uint64_t ring_put(struct ring *, struct ring_entry *e,
    const struct bytes *piece, size_t n);
void ring_publish(struct ring *); /* makes what was put readable */

/* Sessions of the document that the others in it were told of, at any time. */
void ring_set_members(struct ring *, uint64_t n);
uint64_t ring_members(const struct ring *);

/*
 * The entry at *pos, pads skipped.  1: *e is a copy of its header, good until
 * the next ring_peek, and the next entry is at *pos + size; 0: nothing new;
 * -1: the reader has fallen behind, pos is gone.
 */
int ring_peek(struct ring *, uint64_t *pos, const struct ring_entry **e);
/* 1 while everything from pos on is still whole. */
int ring_valid(const struct ring *, uint64_t pos);

/* The frame of what ring_peek showed, in the ring itself. */
static inline struct bytes
ring_frame(const struct ring_entry *shown)
{
	/* It is the first member of a ring_seen. */
	return (((const struct ring_seen *)(const void *)shown)->frame);
}

#endif
