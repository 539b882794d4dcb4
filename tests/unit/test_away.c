/*
 * How many processes may tell clients to go away, and who waits for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/away.h"

static void
so_many_at_once_and_no_more(void **state)
{
	struct away a = { 0 };
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
	struct away a = { 0 };
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

static void
who_waits_is_told_in_order_and_so_many_may(void **state)
{
	struct away a = { 0 };
	int fd, round;

	(void)state;
	for (round = 0; round < 3; round++) {
		assert_int_equal(away_take(&a), -1);
		for (fd = 0; fd < AWAY_WAIT_MAX; fd++)
			assert_int_equal(away_put(&a, fd), 0);
		assert_int_equal(away_put(&a, fd), -1);
		for (fd = 0; fd < AWAY_WAIT_MAX - 100; fd++)
			assert_int_equal(away_take(&a), fd);
		for (; fd < AWAY_WAIT_MAX; fd++)
			assert_int_equal(away_take(&a), fd);
		/* The next round begins elsewhere in the ring. */
		assert_int_equal(away_put(&a, 7), 0);
		assert_int_equal(away_take(&a), 7);
	}
}

static void
the_wait_is_until_the_next_may_be_told(void **state)
{
	struct away a = { 0 };
	pid_t pid;
	int i;

	(void)state;
	assert_true(away_may(&a, 5000));
	assert_int_equal(away_wait_ms(&a, 5000), -1);
	assert_int_equal(away_put(&a, 3), 0);
	assert_int_equal(away_wait_ms(&a, 5000), 0);
	for (pid = 1; pid <= AWAY_MAX; pid++)
		away_took(&a, pid);
	assert_int_equal(away_wait_ms(&a, 5000), -1);
	away_left(&a, 1);
	assert_int_equal(away_wait_ms(&a, 5100), 0);
	for (i = AWAY_MAX; i < AWAY_PER_S_MAX; i++) {
		away_took(&a, 99);
		away_left(&a, 99);
	}
	assert_false(away_may(&a, 5100));
	assert_int_equal(away_wait_ms(&a, 5100), 900);
	assert_int_equal(away_wait_ms(&a, 6000), 0);
}

static void
a_child_keeps_none_of_those_who_wait(void **state)
{
	struct away a = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(away_put(&a, fds[0]), 0);
	assert_int_equal(away_put(&a, fds[1]), 0);
	away_close(&a);
	assert_int_equal(close(fds[0]), -1);
	assert_int_equal(close(fds[1]), -1);
	assert_int_equal(away_take(&a), -1);
}

static void
only_who_was_killed_ended_by_that(void **state)
{
	struct away a = { 0 };

	(void)state;
	away_took(&a, 99);
	assert_int_equal(away_left(&a, 99), 0);
	away_kill(&a);
	assert_int_equal(away_left(&a, 99), 0);
	a.pid[0] = 99;
	assert_int_equal(away_left(&a, 98), 0);
	assert_int_equal(away_left(&a, 99), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_at_once_and_no_more),
		cmocka_unit_test(so_many_a_second_and_no_more),
		cmocka_unit_test(who_waits_is_told_in_order_and_so_many_may),
		cmocka_unit_test(the_wait_is_until_the_next_may_be_told),
		cmocka_unit_test(a_child_keeps_none_of_those_who_wait),
		cmocka_unit_test(only_who_was_killed_ended_by_that),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
