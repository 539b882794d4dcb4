/*
 * The stored form of a record: of the log, and of a stamped register.
 *
 *   version octet (1), kind octet, flags octet, origin be64, time be64 (ms),
 *   [number be64], [blob be64, size be64], body, CRC-32 be32 of all before it
 *
 * A record of the log that was dropped leaves a stub, so that the chain of
 * hashes (chain.h) can still be followed past it: GONE stands for one record
 * and its body is that record's digest; GONE_RUN stands for all from its
 * number up to its key's, and its body is the chain after the last of them.
 *
 * The checksum is against decay and against our own mistakes, not against
 * anybody's will.
 */
#ifndef QUIRE_RECORD_H
#define QUIRE_RECORD_H

#include "broker/txn.h"

enum record_flag {
	RECORD_BLOB = 1,   /* blob and size are there: set by record_pack */
	RECORD_NUMBER = 2, /* the number is there: key does not tell it */
	RECORD_GONE = 4,
	RECORD_GONE_RUN = 8
};

/*
 * Appends r with the pieces, one after the other, as its body: r->body.b is
 * not looked at.  0, or -1 with the buffer's failure.
 */
int record_pack(struct buf *, const struct record *r, unsigned int flags,
    const struct bytes *piece, size_t n);
/* How much record_pack makes of r without RECORD_NUMBER; its body counts. */
uint64_t record_size(const struct record *r);
/*
 * Fills r, whose body borrows; seq and first are the number if it is there.
 * NULL, or what is wrong in words.
 */
const char *record_unpack(struct bytes, struct record *);

#endif
