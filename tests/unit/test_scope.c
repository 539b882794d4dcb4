/*
 * The order of the scopes and their names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/scope.h"

static void
a_scope_covers_itself_and_those_below(void **state)
{
	static const enum scope all[] = { SCOPE_NONE, SCOPE_READ, SCOPE_WRITE,
		SCOPE_ADMIN };
	size_t i, j;

	(void)state;
	for (i = 0; i < 4; i++)
		for (j = 0; j < 4; j++)
			assert_int_equal(scope_covers(all[i], all[j]), i >= j);
}

static void
a_number_that_is_no_scope_covers_nothing(void **state)
{
	(void)state;
	assert_false(scope_covers((enum scope)4, SCOPE_READ));
	assert_false(scope_covers((enum scope)255, SCOPE_NONE));
	assert_false(scope_covers(SCOPE_ADMIN, (enum scope)4));
	assert_string_equal(scope_name((enum scope)4), "?");
}

static void
only_the_three_exact_words_are_scopes(void **state)
{
	static const char *const bad[] = { "", "none", "READ", "Read", " read",
		"read ", "reader", "rea", "read,write", "superuser" };
	size_t i;

	(void)state;
	assert_int_equal(scope_parse(BYTES_LIT("read")), SCOPE_READ);
	assert_int_equal(scope_parse(BYTES_LIT("write")), SCOPE_WRITE);
	assert_int_equal(scope_parse(BYTES_LIT("admin")), SCOPE_ADMIN);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(scope_parse(bytes_str(bad[i])), SCOPE_NONE);
	assert_int_equal(scope_parse(BYTES_LIT("read\0")), SCOPE_NONE);
}

static void
names_and_words_agree(void **state)
{
	(void)state;
	assert_string_equal(scope_name(SCOPE_NONE), "none");
	assert_string_equal(scope_name(SCOPE_READ), "read");
	assert_string_equal(scope_name(SCOPE_WRITE), "write");
	assert_string_equal(scope_name(SCOPE_ADMIN), "admin");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scope_covers_itself_and_those_below),
		cmocka_unit_test(a_number_that_is_no_scope_covers_nothing),
		cmocka_unit_test(only_the_three_exact_words_are_scopes),
		cmocka_unit_test(names_and_words_agree),
	};

	return (cmocka_run_group_tests_name("scope", tests, NULL, NULL));
}
