/*
 * Cache codes: in one Transit text a long enough keyword, symbol, tag or key
 * of a map stands once in full and later as ^ and one or two characters.
 * Which strings count, and that the table begins anew when it is full, must be
 * the same on both sides to the letter.
 */
#ifndef QUIRE_TRANSIT_CACHE_H
#define QUIRE_TRANSIT_CACHE_H

#include "common/buf.h"

#define TRANSIT_CODES	 (44u * 44u)
#define TRANSIT_CODE_MAX 3 /* octets */
#define TRANSIT_SLOTS	 4096u

/* The reader's table: raw JSON string contents, borrowed from the text. */
struct transit_codes {
	unsigned n;
	unsigned known; /* most that n ever was */
	struct bytes raw[TRANSIT_CODES];
};

void transit_codes_init(struct transit_codes *);
/*
 * A string as it stands between its quotes, in the place of a key or not:
 * counted if it counts, replaced by what its code stands for.  0, or -1: a
 * code that stands for nothing.
 */
int transit_codes_read(struct transit_codes *, struct bytes *raw, int key);

/* The writer's table; large, so it is made once and used for many texts. */
struct transit_cache {
	struct buf text; /* of the strings, one behind the other */
	unsigned n;
	struct {
		size_t at;
		size_t len;
	} entry[TRANSIT_CODES];
	uint16_t slot[TRANSIT_SLOTS]; /* entry + 1, by hash */
};

void transit_cache_init(struct transit_cache *); /* of zeroed memory */
void transit_cache_clear(struct transit_cache *);
void transit_cache_free(struct transit_cache *);
/*
 * The length of the code that stands for text, written to code, or 0: text
 * must be written in full (and has been counted if it counts).
 */
size_t transit_cache_write(struct transit_cache *, struct bytes text, int key,
    char code[TRANSIT_CODE_MAX]);

#endif
