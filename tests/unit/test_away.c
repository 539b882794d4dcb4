/*
 * How many processes may tell clients to go away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/away.h"

static void
so_many_at_once_and_no_more(void **state)
{
	struct away a = { { 0 }, 0, 0 };
	pid_t pid;

	(void)state;
	for (pid = 1; pid <= AWAY_MAX; pid++) {
		assert_true(away_may(&a, 1000));
		away_took(&a, pid);
	}
	assert_false(away_may(&a, 1000));
	assert_false(away_may(&a, 99000));
	away_left(&a, AWAY_MAX + 1); /* a worker, none of these */
	assert_false(away_may(&a, 99000));
	away_left(&a, 3);
	assert_true(away_may(&a, 99000));
	away_took(&a, 4711);
	assert_false(away_may(&a, 99000));
}

static void
so_many_a_second_and_no_more(void **state)
{
	struct away a = { { 0 }, 0, 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < AWAY_PER_S_MAX; i++) {
		assert_true(away_may(&a, 5000 + i));
		away_took(&a, 7);
		away_left(&a, 7);
	}
	assert_false(away_may(&a, 5999));
	assert_true(away_may(&a, 6000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_at_once_and_no_more),
		cmocka_unit_test(so_many_a_second_and_no_more),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
