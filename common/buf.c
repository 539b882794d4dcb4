/*
 * The owned byte buffer: growth by doubling, a front offset for readers, and
 * one sticky flag instead of a check after every append.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

/* Less would be kept by glibc for the same size alone, when it is freed. */
#define BUF_FIT_BYTES	1280
#define BUF_FIRST_BYTES 256
/* The longest there is: room is asked for before the length is known. */
#define BUF_VARINT_BYTES 10

unsigned long buf_failures;
int buf_large;

static int buf_fail(struct buf *);

uint8_t *
buf_room(struct buf *b, size_t n)
{
	size_t cap;
	uint8_t *mem;

	if (b->failed || n > SIZE_MAX / 2 - b->len) {
		buf_fail(b);
		return (NULL);
	}
	if (b->mem != NULL && n <= b->cap - b->off - b->len)
		return (b->mem + b->off + b->len);
	if (b->off != 0) { /* slide before growing */
		memmove(b->mem, b->mem + b->off, b->len);
		b->off = 0;
		if (n <= b->cap - b->len)
			return (b->mem + b->len);
	}
	cap = b->cap < BUF_FIRST_BYTES ? BUF_FIRST_BYTES : b->cap;
	while (cap < b->len + n)
		cap *= 2;
	if (b->fixed || (mem = realloc(b->mem, cap)) == NULL) {
		buf_fail(b);
		return (NULL);
	}
	b->mem = mem;
	b->cap = cap;
	if (cap > BUF_LARGE_BYTES && !buf_large)
		buf_large = 1;
	return (mem + b->len);
}

void
buf_grow(struct buf *b, size_t n)
{
	b->len += n;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	uint8_t *to;

	if (n == 0)
		return (b->failed ? -1 : 0);
	if ((to = buf_room(b, n)) == NULL)
		return (-1);
	memcpy(to, p, n);
	b->len += n;
	return (0);
}

int
buf_add_bytes(struct buf *b, struct bytes a)
{
	return (buf_add(b, a.p, a.n));
}

int
buf_add_str(struct buf *b, const char *s)
{
	return (buf_add(b, s, strlen(s)));
}

int
buf_add_u8(struct buf *b, uint8_t v)
{
	return (buf_add(b, &v, 1));
}

int
buf_add_be32(struct buf *b, uint32_t v)
{
	uint8_t o[4];

	be32_put(o, v);
	return (buf_add(b, o, sizeof(o)));
}

int
buf_add_be64(struct buf *b, uint64_t v)
{
	uint8_t o[8];

	be64_put(o, v);
	return (buf_add(b, o, sizeof(o)));
}

int
buf_add_varint(struct buf *b, uint64_t v)
{
	uint8_t *to = buf_room(b, BUF_VARINT_BYTES);
	size_t n = 0;

	if (to == NULL)
		return (-1);
	for (; v > 0x7f; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	b->len += n;
	return (0);
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (to = buf_room(b, (size_t)n + 1)) == NULL)
		return (buf_fail(b));
	va_start(ap, fmt);
	(void)vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return (0);
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->len) {
		buf_clear(b);
		return;
	}
	b->off += n;
	b->len -= n;
}

void
buf_erase(struct buf *b, size_t n)
{
	octets_wipe(b->mem + b->off, n < b->len ? n : b->len);
	buf_drop(b, n);
}

void
buf_trunc(struct buf *b, size_t n)
{
	if (n < b->len)
		b->len = n;
}

/* In place: what is asked for next lies behind it. */
void
buf_fit(struct buf *b)
{
	size_t n = b->off + b->len;
	uint8_t *mem;

	if (n < BUF_FIT_BYTES)
		n = BUF_FIT_BYTES;
	if (b->fixed || b->cap < 2 * n || (mem = realloc(b->mem, n)) == NULL)
		return;
	b->mem = mem;
	b->cap = n;
}

void
buf_clear(struct buf *b)
{
	b->off = 0;
	b->len = 0;
}

void
buf_free(struct buf *b)
{
	if (!b->fixed)
		free(b->mem);
	*b = (struct buf)BUF_INIT;
}

void
buf_wipe(struct buf *b)
{
	octets_wipe(b->mem, b->cap);
	buf_free(b);
}

void
octets_wipe(void *octets, size_t n)
{
	volatile uint8_t *p = octets;
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = 0;
}

int
bytes_varint(struct bytes *b, uint64_t *v)
{
	uint64_t r = 0;
	size_t i;

	for (i = 0; i < b->n && i < 10; i++) {
		if (i == 9 && b->p[i] > 1)
			return (-1);
		r |= (uint64_t)(b->p[i] & 0x7f) << (7 * i);
		if ((b->p[i] & 0x80) != 0)
			continue;
		if (i > 0 && b->p[i] == 0)
			return (-1);
		*b = bytes_skip(*b, i + 1);
		*v = r;
		return (0);
	}
	return (-1);
}

static int
buf_fail(struct buf *b)
{
	b->failed = 1;
	buf_failures++;
	errno = ENOMEM;
	return (-1);
}
