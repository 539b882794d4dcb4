/* Static tokens: which files are taken, and whom they let in to what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "broker/statics.h"
#include "broker/token.h"
#include "common/jwt.h"

#define TOKEN "0123456789abcdef0123456789abcdef0123456789a"
#define HASH  "7d8bed6d8ad3c8aa9d7e4ba1fc0c1b0a6b8f1b4d6a9e7b3c2d1e0f9a8b7c6d5e"

static struct claims claims;

static struct statics *
made(const char *line)
{
	return (statics_parse("test", bytes_str(line)));
}

/* A token that was made, and what it is let in as. */
static int
verify(struct statics *s, const struct buf *token)
{
	struct bytes text = buf_bytes(token);

	text.n--; /* the newline */
	return (statics_verify(s, text, &claims));
}

static void
a_made_token_is_good_with_its_line_and_no_other(void **state)
{
	struct bytes stores[] = { BYTES_LIT("notes"), BYTES_LIT("a b*") };
	struct buf token = BUF_INIT, other = BUF_INIT, line = BUF_INIT;
	struct statics *s;

	(void)state;
	assert_int_equal(statics_make(SCOPE_WRITE, BYTES_LIT("ann lee"), stores,
			     2, &token, &line),
	    0);
	assert_int_equal(statics_make(SCOPE_ADMIN, BYTES_LIT("bob"), stores, 1,
			     &other, &line),
	    0);
	assert_non_null(s = statics_parse("test", buf_bytes(&line)));
	assert_int_equal(verify(s, &token), TOKEN_OK);
	assert_true(bytes_eq(claims.sub, BYTES_LIT("ann lee")));
	assert_int_equal(claims.scope, SCOPE_WRITE);
	assert_true(claims_allow_store(&claims, DIALECT_SDS, stores[0], false));
	assert_true(claims_allow_store(&claims, DIALECT_CANVAS,
	    BYTES_LIT("a bc"), false));
	assert_false(
	    claims_allow_store(&claims, DIALECT_SDS, BYTES_LIT("no"), false));
	assert_true(statics_marked(s, claims.key));
	claims_free(&claims);
	assert_int_equal(verify(s, &other), TOKEN_OK);
	assert_int_equal(claims.scope, SCOPE_ADMIN);
	claims_free(&claims);
	statics_free(s);

	/* Without its line: */
	buf_clear(&line);
	buf_clear(&other);
	assert_int_equal(statics_make(SCOPE_READ, stores[0], stores, 1, &other,
			     &line),
	    0);
	assert_non_null(s = statics_parse("test", buf_bytes(&line)));
	assert_int_equal(verify(s, &token), TOKEN_BAD_KEY);
	statics_free(s);
	assert_int_equal(verify(NULL, &token), TOKEN_BAD_SHAPE);
	buf_free(&token);
	buf_free(&other);
	buf_free(&line);
}

static void
what_is_no_line_is_refused(void **state)
{
	static const char *const lines[] = {
		"abc read ann notes",
		HASH "0 read ann notes",
		HASH " any ann notes",
		HASH " read",
		HASH " read ann",
		HASH " read ann \\xff",
		"g" HASH " read ann notes",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_null(made(lines[i]));
}

static void
comments_and_empty_lines_are_passed_over(void **state)
{
	struct statics *s;

	(void)state;
	assert_non_null(
	    s = made("# family\n\n \n" HASH " read ann notes \r\n"));
	assert_true(statics_marked(s, UINT64_C(0x7d8bed6d8ad3c8ab)));
	assert_false(statics_marked(s, 1));
	statics_free(s);
	assert_non_null(s = made(""));
	statics_free(s);
}

static void
a_token_is_long_and_plain(void **state)
{
	(void)state;
	assert_true(token_is_plain(BYTES_LIT(TOKEN)));
	assert_false(token_is_plain(BYTES_LIT("short")));
	assert_false(token_is_plain(BYTES_LIT(TOKEN ".")));
	assert_false(token_is_plain(BYTES_LIT(TOKEN " ")));
	assert_false(token_is_plain(BYTES_LIT(TOKEN TOKEN TOKEN)));
	assert_false(token_is_plain(BYTES_NONE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_made_token_is_good_with_its_line_and_no_other),
		cmocka_unit_test(what_is_no_line_is_refused),
		cmocka_unit_test(comments_and_empty_lines_are_passed_over),
		cmocka_unit_test(a_token_is_long_and_plain),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
