/*
 * Stores for tests: in memory, or Berkeley DB in a new directory below $TMPDIR
 * or /tmp.  What cannot go wrong in a test that works ends the process.
 */
#ifndef QUIRE_TESTS_STORE_H
#define QUIRE_TESTS_STORE_H

#include "common/log.h"
#include "tests/lib/kv_mem.h"

enum store_make { STORE_MEM, STORE_BDB };

struct store {
	struct kv *kv;
	enum store_make make;
	char dir[256];	      /* of STORE_BDB */
	enum log_level level; /* before the test, see store_set_up */
};

void store_new(struct store *, enum store_make);
void store_reopen(struct store *); /* after kv was closed or left behind */
void store_remove(struct store *); /* closes kv unless NULL, removes dir */

/*
 * cmocka's fixtures: *state becomes a store, in memory where it was NULL; and
 * rows of a table of tests, all with the store's kind behind their names.
 */
int store_set_up(void **state);
int store_tear_down(void **state); /* and the log is as it was */
extern char store_bdb_wanted[1];

#define STORE_TEST_MEM(f) STORE_TEST(f, " (memory)", NULL)
#define STORE_TEST_BDB(f) STORE_TEST(f, " (disk)", store_bdb_wanted)
#define STORE_TEST(f, kind, wanted)                                            \
	{                                                                      \
		.name = #f kind, .test_func = f, .setup_func = store_set_up,   \
		.teardown_func = store_tear_down, .initial_state = wanted      \
	}
#define STORE_TEST_BOTH(f) STORE_TEST_MEM(f), STORE_TEST_BDB(f)

/* How many rows the table has. */
size_t store_rows(struct kv *, enum kv_table);

#define STORE_DIGEST_LEN 32
/* What all tables hold, as one number: has anything changed? */
void store_digest(struct kv *, uint8_t out[STORE_DIGEST_LEN]);

/* Options with a small cache over a directory. */
struct kv_bdb_options store_options(const char *dir);

#endif
