/*
 * Values that come in VALUE_CHUNK frames, put together again: for one
 * connection, by key, within limits.  A half upload dies with its connection.
 */
#ifndef QUIRE_SDS_CHUNKS_H
#define QUIRE_SDS_CHUNKS_H

#include "common/buf.h"
#include "common/sds.h"

#define SDS_CHUNK_HEAD_BYTES  41u /* type, key, index, total */
#define SDS_CHUNKS_MAX	      65536u
#define SDS_CHUNKS_VALUES_MAX 16u

struct sds_chunk {
	struct bytes key;
	uint32_t index;
	uint32_t total;
	struct bytes data;
};

/*
 * Reads a frame, type octet included.  1; 0: too short to be a chunk; -1:
 * poison, which makes clients that receive it fall over (no total, or an
 * index beyond it).
 */
int sds_chunk_parse(struct bytes frame, struct sds_chunk *);

struct sds_piece {
	uint8_t *p; /* NULL: not there yet */
	size_t n;
};

/* A value on its way in. */
struct sds_value {
	uint8_t key[SDS_KEY_BYTES];
	uint32_t total;
	uint32_t have;	 /* different chunks so far; total: complete */
	uint64_t clock;	 /* the caller's: see common/sds.h; 0 not yet known */
	uint64_t octets; /* in the chunks */
	uint64_t age;	 /* smaller is older */
	struct sds_piece *piece; /* total of them; NULL: this place is free */
};

struct sds_chunks {
	uint64_t octets_max; /* of all values together */
	uint64_t octets;
	uint64_t ages;
	struct sds_value value[SDS_CHUNKS_VALUES_MAX];
};

void sds_chunks_init(struct sds_chunks *, uint64_t octets_max);
void sds_chunks_free(struct sds_chunks *);

/*
 * Takes a chunk in.  The value it belongs to, valid until the next call, or
 * NULL when the value is over a limit or there is no memory: it is forgotten
 * then.  A chunk that is already there is replaced; another total starts the
 * value anew; the oldest other values give way to the newest.  *fresh: 1 for
 * the first chunk of a value.
 */
struct sds_value *sds_chunks_add(struct sds_chunks *, const struct sds_chunk *,
    int *fresh);

/*
 * The octets of a complete value, appended to out; the value is forgotten.  0,
 * or -1 without memory.
 */
int sds_chunks_take(struct sds_chunks *, struct sds_value *, struct buf *out);

#endif
