/*
 * What the broker says to its fan-out process, and what that says back: packets
 * of a few fixed words over a pair of sockets that nobody else has.
 */
#ifndef QUIRE_FANOUT_WORDS_H
#define QUIRE_FANOUT_WORDS_H

#include <stdint.h>

/* Words in one packet; descriptors go with a packet of one word. */
#define FANOUT_WORDS_MAX 128
#define FANOUT_FDS	 2

enum fanout_what {
	/* to fan-out */
	FANOUT_DOC,   /* doc, bytes of its ring, spare: its dialect;
			 descriptors: ring, bell */
	FANOUT_LANE,  /* doc, session; descriptors: client's socket, lane;
			 answered by FANOUT_READY or FANOUT_REFUSED */
	FANOUT_LEAVE, /* session: its lane is no more */
	FANOUT_GONE,  /* doc: it and all its lanes are no more */
	FANOUT_RUNG,  /* doc: there is something new in the ring */
	/* to the broker */
	FANOUT_READY,	/* session: the lane may be given */
	FANOUT_REFUSED, /* session: it may not: no memory, no descriptors */
	FANOUT_WAKE	/* session: its worker has the turn and may not know */
};

struct fanout_word {
	uint32_t what;
	uint32_t spare;
	uint64_t doc; /* never used twice */
	uint64_t session;
	uint64_t bytes;
};

#endif
