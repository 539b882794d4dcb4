/* Places in a listener: ceilings, and what an end that was bad leads to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "worker/places.h"

static const struct source here = { { 4, 127, 0, 0, 1 } };
static const struct source one = { { 4, 192, 0, 2, 1 } };
static const struct source two = { { 4, 192, 0, 2, 2 } };

/* Long before now, so that they are no newcomers. */
static void
take(struct places *p, pid_t pid, const struct source *s, int many)
{
	assert_null(places_full(p, s, many, 0));
	places_take(p, pid, s, many, -PLACES_FRESH_MS);
}

static void
there_are_so_many_places_and_so_many_for_one_address(void **state)
{
	struct places *p = places_new(3, 2);

	(void)state;
	take(p, 11, &one, 0);
	take(p, 12, &one, 0);
	assert_string_equal(places_full(p, &one, 0, 0),
	    "too many of one address");
	take(p, 13, &two, 0);
	assert_string_equal(places_full(p, &two, 0, 0), "all places are taken");
	assert_int_equal(places_used(p), 3);
	places_leave(p, 12, SOURCE_WELL, 0);
	places_leave(p, 99, SOURCE_WELL, 0);
	assert_int_equal(places_used(p), 2);
	take(p, 14, &one, 0);
	places_free(p);
}

static void
a_proxy_has_as_many_as_there_are(void **state)
{
	struct places *p = places_new(3, 1);

	(void)state;
	take(p, 11, &one, 1);
	take(p, 12, &one, 1);
	take(p, 13, &one, 1);
	assert_int_equal(places_leave(p, 13, SOURCE_CRASHED, 0), 0);
	take(p, 14, &one, 1);
	places_free(p);
}

static void
who_makes_a_worker_crash_is_turned_away(void **state)
{
	struct places *p = places_new(9, 9);

	(void)state;
	take(p, 11, &one, 0);
	take(p, 12, &here, 0);
	assert_int_equal(places_leave(p, 11, SOURCE_CRASHED, 0), 1);
	assert_string_equal(places_full(p, &one, 0, 0), "penalty");
	assert_null(places_full(p, &two, 0, 0));
	/* It stands for many clients, or is the operator. */
	assert_int_equal(places_leave(p, 12, SOURCE_CRASHED, 0), 0);
	assert_null(places_full(p, &here, 0, 0));
	assert_null(places_full(p, &one, 0, 90000));
	places_free(p);
}

static void
newcomers_throw_dice_for_the_second_half(void **state)
{
	struct places *p = places_new(1000, 1000);
	int i, out = 0;

	(void)state;
	for (i = 0; i < 500; i++) {
		assert_null(places_full(p, &one, 0, 0));
		places_take(p, 100 + i, &one, 0, 0);
	}
	assert_null(places_full(p, &two, 0, 0));
	for (; i < 999; i++)
		places_take(p, 100 + i, &one, 0, 0);
	for (i = 0; i < 1000; i++)
		out += places_full(p, &two, 0, 0) != NULL;
	assert_in_range(out, 900, 1000);
	/* Once they have stayed, they are no newcomers. */
	assert_null(places_full(p, &two, 0, PLACES_FRESH_MS));
	places_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    there_are_so_many_places_and_so_many_for_one_address),
		cmocka_unit_test(a_proxy_has_as_many_as_there_are),
		cmocka_unit_test(who_makes_a_worker_crash_is_turned_away),
		cmocka_unit_test(newcomers_throw_dice_for_the_second_half),
	};

	if (sodium_init() == -1)
		return (1);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
