/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above
 * U+10FFFF.  The validator may be fed in pieces and fails at the first octet
 * that cannot belong to valid text, not at the end of a sequence.
 */
#ifndef QUIRE_UTF8_H
#define QUIRE_UTF8_H

#include "common/bytes.h"

/* Zeroed: nothing seen yet. */
struct utf8 {
	uint8_t need; /* octets the open sequence still lacks; UTF8_BAD */
	uint8_t lo;   /* bounds of its next octet */
	uint8_t hi;
};

#define UTF8_BAD 0xff

/* 0, or -1 at the first bad octet and for ever after. */
int utf8_feed(struct utf8 *, struct bytes);

/* Whether what was fed so far is whole text: no bad octet, none missing. */
int utf8_done(const struct utf8 *);

int utf8_valid(struct bytes);

/*
 * The sequence at the front: its length if it is valid, 0 if the octets end
 * inside it, and minus the number of octets that one U+FFFD stands for (the
 * maximal subpart of the WHATWG decoder) if it can never become valid.
 */
int utf8_seq(struct bytes);

/*
 * Encodes a code point up to U+10FFFF, 1 to 4 octets.  A surrogate gives the
 * 3-octet form of WTF-8, which is not UTF-8: the caller must want it.
 */
size_t utf8_put(uint8_t out[4], uint32_t cp);

/* The longest prefix of at most max octets that does not split a sequence. */
struct bytes utf8_cut(struct bytes, size_t max);

#endif
