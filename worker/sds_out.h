/*
 * What is in the store, written as frames: any number of octets in any pieces,
 * cut where the frames end.
 */
#ifndef QUIRE_SDS_OUT_H
#define QUIRE_SDS_OUT_H

#include "worker/conn.h"
#include "worker/sds_chunks.h"

/* Values over this go as chunks of this size, as clients send them. */
#define SDS_CHUNK_BYTES 1048576u

struct sds_out {
	struct conn *conn;
	uint8_t head[1 + SDS_KEY_BYTES]; /* type and key, so far as there are */
	size_t head_n;
	int chunked;
	int started;
	uint64_t size; /* octets that will be written */
	uint64_t done;
	uint64_t left; /* of the frame that is open */
};

/* One frame of that type; the rest of it is size octets. */
void sds_out_typed(struct sds_out *, struct conn *, uint8_t type,
    uint64_t size);
/* One frame without a type, as in the signal room. */
void sds_out_plain(struct sds_out *, struct conn *, uint64_t size);
/* A VALUE, or VALUE_CHUNKs when it is large and need not be whole. */
void sds_out_value(struct sds_out *, struct conn *, const uint8_t *key,
    uint64_t size, int whole);

/* Nothing goes out before the first call, with which even no octets do. */
void sds_out_write(struct sds_out *, struct bytes);

#endif
