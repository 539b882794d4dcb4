/*
 * The keys of kv.h and what the parts of the transaction handle share.  For
 * txn*.c only.
 */
#ifndef QUIRE_TXN_KEY_H
#define QUIRE_TXN_KEY_H

#include "broker/record.h"

/* The second part of a key of KV_REG. */
#define KEY_PLAIN   'r'
#define KEY_FIELD   'f'
#define KEY_COUNTER 'c'
#define KEY_DIGEST  'd'
#define KEY_GARBAGE 'g'
#define KEY_STAGED  's'

/* Document and type, before the name. */
#define KEY_REG_HEAD_BYTES 9u
/* Two numbers: a record of the log, a slice's blob, a staged mark. */
#define KEY_PAIR_BYTES 16u
/* What a row of the store costs beside its content, for txn_row.bytes. */
#define KEY_COST_BYTES 64u

static inline struct bytes
key_pair(uint8_t key[KEY_PAIR_BYTES], uint64_t a, uint64_t b)
{
	be64_put(key, a);
	be64_put(key + 8, b);
	return (bytes_of(key, KEY_PAIR_BYTES));
}

/* Each replaces *b; the caller looks at its failed flag. */
void key_reg(struct buf *b, uint64_t doc, char type, struct bytes name);
void key_stamp(struct buf *b, uint64_t doc, uint64_t stamp, struct bytes name);

/* Makes a key the first that does not start with it. */
void key_after(struct buf *b);

/* Marks handle and parents failed; -1. */
int txn_fail(struct txn *);
/* 0, or txn_fail when r is not 0 and nothing but. */
int txn_check(struct txn *, int r);
/* Logs what is wrong with a stored thing and fails. */
int txn_corrupt(struct txn *, const char *what, uint64_t number,
    const char *reason);
/* The next number of a counter of document doc (0: the store's): 0, -1. */
int txn_counter(struct txn *, uint64_t doc, struct bytes name, uint64_t *v);
/* The document's own row, see txn_row.c: 1, 0, -1; 0, -1. */
int txn_row_load(struct txn *);
int txn_row_touch(struct txn *);
/* Octets that came into the document, and that went. */
int txn_row_count(struct txn *, uint64_t came, uint64_t went);
/* Throws away the slices and the mark of any document's blob: 0, -1. */
int txn_blob_erase(struct kv *, uint64_t doc, uint64_t blob);

#endif
