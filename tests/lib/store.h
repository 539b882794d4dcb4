/*
 * Stores for tests: in memory, or Berkeley DB in a new directory below $TMPDIR
 * or /tmp.  What cannot go wrong in a test that works ends the process.
 */
#ifndef QUIRE_TESTS_STORE_H
#define QUIRE_TESTS_STORE_H

#include "broker/kv.h"

enum store_make { STORE_MEM, STORE_BDB };

struct store {
	struct kv *kv;
	enum store_make make;
	char dir[256]; /* of STORE_BDB */
};

void store_new(struct store *, enum store_make);
void store_reopen(struct store *); /* after kv was closed or left behind */
void store_remove(struct store *); /* closes kv unless NULL, removes dir */

#define STORE_DIGEST_LEN 32
/* What all tables hold, as one number: has anything changed? */
void store_digest(struct kv *, uint8_t out[STORE_DIGEST_LEN]);

/* Options with a small cache over a directory. */
struct kv_bdb_options store_options(const char *dir);

#endif
