/*
 * Verification: reads all of a store, document by document, and says of each
 * whether it is whole.  Every checksum, numbers without gaps, the chain of
 * hashes, the slices of every blob, the index of the fields.
 *
 * chain is the head of the log's hashes; state is a hash over registers and
 * fields, only told when nothing changed while it was made.  Two machines that
 * hold the same print the same.
 */
#ifndef QUIRE_VERIFY_H
#define QUIRE_VERIFY_H

#include "broker/txn.h"

struct verify;

struct verify_result {
	const struct doc_id *id;
	const char *wrong; /* NULL: whole */
	uint64_t at; /* the record or field where, 0: none in particular */
	uint64_t seq, oldest, records, bytes;
	uint8_t chain[CHAIN_BYTES];
	uint8_t state[CHAIN_BYTES];
	int still; /* state is there */
	int there; /* its row can be read */
};

typedef void verify_say(const struct verify_result *, void *arg);
typedef int verify_late(void *arg); /* 1: the step should end */

/* only: NULL for all; copied.  NULL: no memory. */
struct verify *verify_new(struct kv *, const struct doc_id *only, verify_say *,
    verify_late *, void *arg);
/* 1: there is more; 0: done; -1: the store cannot be read. */
int verify_step(struct verify *);
/* So far. */
uint64_t verify_seen(const struct verify *);
uint64_t verify_damaged(const struct verify *);
void verify_free(struct verify *);

/* `sds:demo whole seq 5 ...' or `sds:demo damaged ...' in a line. */
void verify_print(const struct verify_result *, struct buf *line);

#endif
