/*
 * The way along one document's log from its beginning, in steps of any length:
 * that numbers follow each other and that the chain of hashes fits.  For
 * verification, compaction and export.
 */
#ifndef QUIRE_WALK_H
#define QUIRE_WALK_H

#include "broker/txn.h"

struct walk {
	uint64_t seq; /* the newest number seen */
	uint64_t records;
	uint64_t gone;
	uint8_t chain[CHAIN_BYTES]; /* after it */
};

/*
 * The next row of txn_log_walk; digest is the record's own, not looked at for
 * a stub.  NULL, or what is wrong in words.
 */
const char *walk_take(struct walk *, const struct record *,
    const uint8_t *digest);
/* At its end: was all of the log seen, with the chain of its row? */
const char *walk_end(const struct walk *, const struct txn *);

#endif
