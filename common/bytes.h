/*
 * Borrowed bytes.  A struct bytes never owns what it points at and is never
 * freed; whoever hands one out says how long it stays valid.
 */
#ifndef QUIRE_BYTES_H
#define QUIRE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *p;
	size_t n;
};

/* A string literal as bytes, without its NUL. */
#define BYTES_LIT(s) ((struct bytes){ (const uint8_t *)(s), sizeof(s) - 1 })
#define BYTES_NONE   ((struct bytes){ NULL, 0 })

static inline struct bytes
bytes_of(const void *p, size_t n)
{
	return ((struct bytes){ (const uint8_t *)p, n });
}

static inline struct bytes
bytes_str(const char *s)
{
	return (bytes_of(s, strlen(s)));
}

static inline int
bytes_eq(struct bytes a, struct bytes b)
{
	return (a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0));
}

/* Lexicographic by unsigned octet, the shorter first: B-tree order. */
static inline int
bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return (c != 0 ? c : (a.n > b.n) - (a.n < b.n));
}

static inline int
bytes_start(struct bytes a, struct bytes prefix)
{
	return (a.n >= prefix.n &&
	    (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0));
}

/* Drops the first n octets; n beyond the end leaves nothing. */
static inline struct bytes
bytes_skip(struct bytes a, size_t n)
{
	return (n >= a.n ? BYTES_NONE : bytes_of(a.p + n, a.n - n));
}

/* The first word of what is left, without the blanks before it; empty: none. */
static inline struct bytes
bytes_word(struct bytes *rest)
{
	struct bytes word;
	size_t n = 0;

	while (rest->n > 0 && rest->p[0] <= ' ')
		*rest = bytes_skip(*rest, 1);
	while (n < rest->n && rest->p[n] > ' ')
		n++;
	word = bytes_of(rest->p, n);
	*rest = bytes_skip(*rest, n);
	return (word);
}

static inline uint32_t
be32_get(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3]);
}

static inline void
be32_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline uint64_t
be64_get(const uint8_t *p)
{
	return ((uint64_t)be32_get(p) << 32 | be32_get(p + 4));
}

static inline void
be64_put(uint8_t *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put(p + 4, (uint32_t)v);
}

#endif
