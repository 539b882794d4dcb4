/*
 * An owned, growing byte buffer.  A zeroed struct buf is empty and valid;
 * buf_free returns it to that state and may be called again.
 *
 * Writers append at the end; readers take from the front with buf_drop, which
 * moves an offset and gives memory back when the buffer runs empty.
 */
#ifndef QUIRE_BUF_H
#define QUIRE_BUF_H

#include "common/bytes.h"

struct buf {
	uint8_t *mem; /* the allocation, or NULL */
	size_t off;   /* first live octet */
	size_t len;   /* live octets from off */
	size_t cap;   /* size of mem */
	int failed;   /* an append found no memory; sticky until buf_free */
	int fixed;    /* mem is another's: it neither grows nor is given back */
};

/* Appends of this process that found no memory: for who tells an operator. */
extern unsigned long buf_failures;
/* 1: one of them has had more than BUF_LARGE_BYTES. */
extern int buf_large;
#define BUF_LARGE_BYTES 8192u

#define BUF_INIT                                                               \
	{                                                                      \
		NULL, 0, 0, 0, 0, 0                                            \
	}

/*
 * Every append returns 0, or -1 with errno ENOMEM and the buffer unchanged but
 * marked failed, so that a run of appends may be checked once at its end.
 */
int buf_add(struct buf *, const void *, size_t);
int buf_add_bytes(struct buf *, struct bytes);
int buf_add_str(struct buf *, const char *);
int buf_add_u8(struct buf *, uint8_t);
int buf_add_be32(struct buf *, uint32_t);
int buf_add_be64(struct buf *, uint64_t);
int buf_add_varint(struct buf *, uint64_t); /* LEB128, unsigned */
int buf_printf(struct buf *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Makes room for n more octets and returns where to write them (NULL: no
 * memory); buf_grow then counts what was written.
 */
uint8_t *buf_room(struct buf *, size_t n);
void buf_grow(struct buf *, size_t n);

void buf_drop(struct buf *, size_t n);	/* forgets n octets at the front */
void buf_erase(struct buf *, size_t n); /* the same after zeroing them */
void buf_trunc(struct buf *, size_t n); /* keeps the first n octets */
void buf_fit(struct buf *);		/* gives room that is not used back */
void buf_clear(struct buf *);		/* empties, keeps the memory */
void buf_free(struct buf *);		/* empties, gives the memory back */
void buf_wipe(struct buf *);		/* buf_free after zeroing: secrets */
void octets_wipe(void *, size_t);	/* zeroes, whatever a compiler thinks */

/* The live octets, valid until the next change of the buffer. */
static inline struct bytes
buf_bytes(const struct buf *b)
{
	return (bytes_of(b->mem == NULL ? NULL : b->mem + b->off, b->len));
}

/*
 * Reads a LEB128 number at the front of *b and skips it.  0, or -1 if it is
 * cut off, longer than ten octets, over 64 bits or not in its shortest form.
 */
int bytes_varint(struct bytes *b, uint64_t *v);

#endif
