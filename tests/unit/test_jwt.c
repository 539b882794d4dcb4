/* How a token is cut, before anybody believes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "common/jwt.h"
#include "tests/lib/tokens.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
the_kid_of_a_header_is_found_or_refused(void **state)
{
	static const struct {
		const char *json;
		int n; /* length, or -1 */
	} rows[] = {
		{ "{}", 0 },
		{ " {} ", 0 },
		{ "{\"kid\":\"abc\"}", 3 },
		{ "{\"a\":{\"kid\":\"x\"},\"kid\":\"y\"}", 1 },
		{ "{\"a\":[1,-2.5e3,true,null,\"]\\\"}\"],\"kid\":\"y\"}", 1 },
		{ "{\"a\":\"kid\"}", 0 },
		{ "{\"kid\":\"a b\"}", 3 },
		{ "{\"kid\":\"\"}", -1 },
		{ "{\"kid\":\"a\\n\"}", -1 },
		{ "{\"k\\u0069d\":\"a\"}", -1 },
		{ "{\"kid\":7}", -1 },
		{ "{\"kid\":[\"a\"]}", -1 },
		{ "{\"kid\":\"a\",\"kid\":\"a\"}", -1 },
		{ "{\"kid\":\"a\"} x", -1 },
		{ "{\"kid\":\"a\"", -1 },
		{ "{\"kid\":\"a", -1 },
		{ "{\"kid\"", -1 },
		{ "{\"kid\":", -1 },
		{ "{\"a\":[}", -1 },
		{ "{\"a\":}", -1 },
		{ "{,}", -1 },
		{ "{\"a\":1,}", -1 },
		{ "", -1 },
		{ "[]", -1 },
		{ "\"", -1 },
		{ "{\"\xc3\xbc\":1,\"kid\":\"\xc3\xbc\"}", -1 },
		{ "{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]],\"kid\":\"y\"}", 1 },
		{ "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],\"kid\":\"y\"}",
		    -1 },
	};
	char kid[JWT_KID_MAX + 1], small[3];
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		buf_clear(&b);
		tokens_add64(&b, bytes_str(rows[i].json));
		if (jwt_header_kid(buf_bytes(&b), kid, sizeof(kid)) !=
		    rows[i].n)
			fail_msg("%s", rows[i].json);
		if (rows[i].n >= 0)
			assert_int_equal(strlen(kid), rows[i].n);
	}
	buf_clear(&b);
	tokens_add64(&b, BYTES_LIT("{\"kid\":\"abc\"}"));
	assert_int_equal(jwt_header_kid(buf_bytes(&b), small, 3), -1);
	assert_int_equal(jwt_header_kid(BYTES_LIT("e30="), kid, sizeof(kid)),
	    -1);
	buf_free(&b);
}

static void
a_token_is_cut_at_exactly_two_dots(void **state)
{
	struct bytes input, mac64;

	(void)state;
	assert_int_equal(token_split(BYTES_LIT("a.b.c"), &input, &mac64), 0);
	assert_true(bytes_eq(input, BYTES_LIT("a.b")));
	assert_true(bytes_eq(mac64, BYTES_LIT("c")));
	assert_int_equal(token_split(BYTES_LIT("a.b."), &input, &mac64), 0);
	assert_int_equal(mac64.n, 0);
	assert_int_equal(token_split(BYTES_LIT("a.b.c.d"), &input, &mac64), -1);
	assert_int_equal(token_split(BYTES_LIT("a.b.c."), &input, &mac64), -1);
	assert_int_equal(token_split(BYTES_LIT("a.b"), &input, &mac64), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kid_of_a_header_is_found_or_refused),
		cmocka_unit_test(a_token_is_cut_at_exactly_two_dots),
	};

	return (cmocka_run_group_tests_name("jwt", tests, NULL, NULL));
}
