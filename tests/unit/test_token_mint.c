/* What is minted: what others issue, and nothing that would be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/tokens.h"

#define NOW    1700000000
#define SECRET "0123456789abcdef0123456789abcdef"

#define J(s)                                                                   \
	{                                                                      \
		(const uint8_t *)(s), sizeof(s) - 1                            \
	}
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct token_rules any_rules;
static struct keyring *one_secret; /* SECRET, without a kid */

static int
setup(void **state)
{
	(void)state;
	one_secret = tokens_ring(SECRET);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	keyring_free(one_secret);
	return (0);
}

static void
a_minted_token_is_byte_for_byte_what_sds_issues(void **state)
{
	/* Made with Python's hmac from the text that jose would write. */
	static const char want[] =
	    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJteS1zdG9yZSI"
	    "sInNjb3BlIjoid3JpdGUiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMzY"
	    "wMCwiaXNzIjoicXVpcmUudGVzdCJ9.8L2QKHhAFmQUbUpoSQxz4z7_5QCGSnKUsa"
	    "jFhBKOMjU";
	struct bytes aud = BYTES_LIT("my-store");
	struct token_mint m = { .sub = BYTES_LIT("user-1"),
		.aud = &aud,
		.aud_n = 1,
		.scope = SCOPE_WRITE,
		.iat = NOW,
		.exp = NOW + 3600,
		.iss = "quire.test" };
	struct buf b = BUF_INIT;

	(void)state;
	buf_add_str(&b, "before ");
	assert_int_equal(token_mint(one_secret, "", &m, &b), 0);
	assert_true(bytes_eq(bytes_skip(buf_bytes(&b), 7),
	    bytes_of(want, sizeof(want) - 1)));
	buf_free(&b);
}

static void
what_is_minted_verifies_with_either_algorithm(void **state)
{
	struct keyring *ring = tokens_ring(
	    "p EdDSA pub:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\n"
	    "e EdDSA sec:nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\n"
	    "h HS256 text:hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh\n");
	static const char *const kids[] = { NULL, "e", "h" };
	struct bytes aud[] = { J("a"), J("b*") };
	struct token_mint m = { .sub = BYTES_LIT("\"\xc3\xbc\\\n"),
		.aud = aud,
		.aud_n = 2,
		.scope = SCOPE_ADMIN,
		.exp = INT64_MAX,
		.jti = BYTES_LIT("j1"),
		.extra = BYTES_LIT("{\"dialect\":\"sds\",\"nbf\":3,\"n\":7}") };
	struct claims c;
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(kids); i++) {
		buf_clear(&b);
		assert_int_equal(token_mint(ring, kids[i], &m, &b), 0);
		assert_int_equal(tokens_judge(ring, &any_rules, buf_bytes(&b),
				     NOW, &c),
		    TOKEN_OK);
		assert_true(bytes_eq(c.sub, m.sub));
		assert_int_equal(c.scope, SCOPE_ADMIN);
		assert_false(c.exp_given);
		assert_true(c.nbf == 3);
		assert_true(
		    claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("bb"), 0));
		claims_free(&c);
	}
	buf_clear(&b);
	assert_int_equal(token_mint(ring, "p", &m, &b), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(token_mint(ring, "", &m, &b), -1);
	assert_int_equal(errno, ENOENT);
	buf_free(&b);
	keyring_free(ring);
}

static void
nothing_is_minted_that_would_be_refused(void **state)
{
	static const char *const extras[] = { "{\"sub\":\"v\"}",
		"{\"scope\":\"admin\"}", "{\"exp\":1}", "{\"aud\":\"x\"}",
		"{\"iss\":\"x\"}", "{\"jti\":\"x\"}", "{\"iat\":1}",
		"{\"s\\u0063ope\":\"admin\"}", "[]", "{", "{} ,",
		"{\"a\":1,\"a\":2}", "{\"dialect\":7}", "{\"nbf\":null}" };
	struct bytes aud = BYTES_LIT("s"), big;
	struct token_mint good = { .sub = BYTES_LIT("u"),
		.aud = &aud,
		.aud_n = 1,
		.scope = SCOPE_READ,
		.exp = INT64_MAX },
			  m;
	struct buf b = BUF_INIT;
	char text[7000];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(extras); i++) {
		m = good;
		m.extra = bytes_str(extras[i]);
		assert_int_equal(token_mint(one_secret, "", &m, &b), -1);
		assert_int_equal(errno, EINVAL);
	}
	m = good;
	m.scope = SCOPE_NONE;
	assert_int_equal(token_mint(one_secret, "", &m, &b), -1);
	m = good;
	m.aud_n = 0;
	assert_int_equal(token_mint(one_secret, "", &m, &b), -1);
	m = good;
	m.sub = BYTES_LIT("a\0b");
	assert_int_equal(token_mint(one_secret, "", &m, &b), -1);
	m.sub = BYTES_LIT("\xff");
	assert_int_equal(token_mint(one_secret, "", &m, &b), -1);
	m = good;
	memset(text, 'x', sizeof(text));
	big = bytes_of(text, sizeof(text));
	m.aud = &big;
	assert_int_equal(token_mint(one_secret, "", &m, &b), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_minted_token_is_byte_for_byte_what_sds_issues),
		cmocka_unit_test(what_is_minted_verifies_with_either_algorithm),
		cmocka_unit_test(nothing_is_minted_that_would_be_refused),
	};

	return (
	    cmocka_run_group_tests_name("token_mint", tests, setup, teardown));
}
