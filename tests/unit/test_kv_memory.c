/*
 * The durable tables where memory is short in the middle of a change: the
 * library's allocations fail from one on, sooner or later, each in a process of
 * its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <db.h>

#include "common/log.h"
#include "tests/lib/store.h"

#define VALUES 40u
#define TRIES  2000u

enum ending { WENT_WELL, REFUSED, GAVE_UP, SUSPECTED, WRONG };

static unsigned int left = UINT_MAX; /* allocations before all fail */

static int
fails(void)
{
	if (left > 0) {
		left--;
		return (0);
	}
	errno = ENOMEM;
	return (1);
}

static void *
get(size_t n)
{
	return (fails() ? NULL : malloc(n));
}

static void *
again(void *p, size_t n)
{
	return (fails() ? NULL : realloc(p, n));
}

/* One change that is kept and one that is taken back. */
static int
change(struct kv *kv)
{
	static const uint8_t value[3000];
	uint8_t key[4];
	uint32_t i;
	int r = 0;

	for (i = 0; r == 0 && i < 2 * VALUES; i++) {
		if (i % VALUES == 0)
			r = kv->ops->begin(kv);
		be32_put(key, i);
		if (r == 0)
			r = kv->ops->put(kv, KV_REG, bytes_of(key, 4),
			    bytes_of(value, sizeof(value)));
		if (r == 0 && i + 1 == VALUES)
			r = kv->ops->commit(kv);
	}
	kv->ops->abort(kv);
	return (r);
}

static enum ending
change_without(const struct store *s, unsigned int n)
{
	struct kv_bdb_options o = store_options(s->dir);
	char why[256];
	struct kv *kv = kv_bdb_open(&o, why, sizeof(why));
	int r;

	if (kv == NULL || db_env_set_func_malloc(get) != 0 ||
	    db_env_set_func_realloc(again) != 0)
		return (WRONG);
	left = n;
	r = change(kv);
	if (kv_bdb_damaged(kv))
		return (SUSPECTED);
	return (kv_bdb_failed(kv) ? GAVE_UP : r == -1 ? REFUSED : WENT_WELL);
}

static int
ending(const struct store *s, unsigned int n)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		log_init("child", LOG_TO_STDERR, LOG_LEVEL_ERROR);
		_exit((int)change_without(s, n));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

static void
no_page_is_suspected_where_memory_was_short(void **state)
{
	struct store *s = *state;
	unsigned int n, all[WRONG + 1] = { 0 };

	s->kv->ops->close(s->kv);
	s->kv = NULL;
	for (n = 0; n < TRIES && all[WENT_WELL] == 0; n += 5)
		all[ending(s, n)]++;
	assert_int_equal(all[WENT_WELL], 1); /* there were no more to fail */
	assert_int_equal(all[SUSPECTED], 0);
	assert_int_equal(all[WRONG], 0);
	assert_true(all[REFUSED] > 0);
	assert_true(all[GAVE_UP] > 0);
	store_reopen(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST_BDB(no_page_is_suspected_where_memory_was_short),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
