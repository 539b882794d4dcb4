/* What a worker is told, and what it borrows of its listener's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/buf.h"
#include "worker/settings.h"

#define TOLD "ping_ms 5000\norigin a b\norigin c\nroot canvas\n"

static void
lines_become_numbers_texts_and_lists(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(settings_parse(&s, BYTES_LIT(TOLD)), 0);
	assert_int_equal(s.ping_ms, 5000);
	assert_string_equal(s.root, "canvas");
	assert_string_equal(s.origin[0], "a b");
	assert_string_equal(s.origin[1], "c");
	assert_null(s.origin[2]);
	settings_free(&s);
	assert_int_equal(settings_parse(&s, BYTES_LIT("ping_ms x\n")), -1);
	assert_int_equal(settings_parse(&s, BYTES_LIT("nothing 1\n")), -1);
}

static void
who_is_told_the_same_borrows_it(void **state)
{
	struct settings known, s;

	(void)state;
	assert_int_equal(settings_parse(&known, BYTES_LIT(TOLD)), 0);
	assert_int_equal(settings_lend(&s, &known, BYTES_LIT(TOLD)), 1);
	assert_int_equal(s.ping_ms, 5000);
	assert_ptr_equal(s.origin, known.origin);
	settings_free(&s);
	assert_string_equal(known.origin[1], "c");
	settings_free(&known);
}

static void
who_is_told_something_else_does_not(void **state)
{
	static const char *const others[] = {
		"ping_ms 5001\norigin a b\norigin c\nroot canvas\n",
		"ping_ms 5000\norigin a b\norigin c\nroot canvas",
		"ping_ms 5000\norigin a b\norigin c\nroot canvas\nsds 1\n",
		"",
	};
	struct settings known, s;
	size_t i;

	(void)state;
	assert_int_equal(settings_parse(&known, BYTES_LIT(TOLD)), 0);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(settings_lend(&s, &known,
				     bytes_str(others[i])),
		    0);
	assert_int_equal(settings_lend(&s, NULL, BYTES_LIT(TOLD)), 0);
	settings_free(&known);
}

static void
a_buffer_fits_what_is_in_it(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_fit(&b);
	assert_non_null(buf_room(&b, 100000));
	buf_add_str(&b, "skipkept");
	buf_drop(&b, 4);
	buf_fit(&b);
	assert_true(b.cap < 10000);
	assert_true(bytes_eq(buf_bytes(&b), BYTES_LIT("kept")));
	buf_add_str(&b, " and more");
	assert_true(bytes_eq(buf_bytes(&b), BYTES_LIT("kept and more")));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_numbers_texts_and_lists),
		cmocka_unit_test(who_is_told_the_same_borrows_it),
		cmocka_unit_test(who_is_told_something_else_does_not),
		cmocka_unit_test(a_buffer_fits_what_is_in_it),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
