/*
 * What claims that are well formed come to, and what they allow.  What is not
 * well formed is in test_token.c, behind a signature.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "broker/claims.h"

#define GOOD "{\"sub\":\"u\",\"aud\":\"s\",\"scope\":\"read\"}"
/* A payload with one more claim; one with another aud. */
#define WITH(claim) "{\"sub\":\"u\",\"aud\":\"s\",\"scope\":\"read\"," claim "}"
#define AUD(value)  "{\"sub\":\"u\",\"aud\":" value ",\"scope\":\"read\"}"
/* 43 characters: a key for the secsync claims */
#define KEY_A  "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define KEY_B  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The caller frees them. */
static void
read_claims(const char *payload, struct claims *out)
{
	assert_null(claims_parse(bytes_str(payload), out));
}

static void
aud_names_stores_to_the_letter_or_by_prefix(void **state)
{
	static const struct {
		const char *aud;
		const char *store;
		bool prefix; /* allowed where prefixes count */
		bool exact;
	} rows[] = {
		{ "\"s\"", "s", true, true },
		{ "\"s\"", "S", false, false },
		{ "\"s\"", "st", false, false },
		{ "\"st\"", "s", false, false },
		{ "\"s\"", "", false, false },
		{ "\"a/../s\"", "s", false, false },
		{ "\"team-*\"", "team-1", true, false },
		{ "\"team-*\"", "team-", true, false },
		{ "\"team-*\"", "team", false, false },
		{ "\"team-*\"", "team-*", true, true },
		{ "\"t*m\"", "team", false, false },
		{ "\"*\"", "anything", true, false },
		{ "[\"a\",\"b*\"]", "a", true, true },
		{ "[\"a\",\"b*\"]", "bc", true, false },
		{ "[\"a\",\"b*\"]", "c", false, false },
		{ "\"\\u00fc\"", "\xc3\xbc", true, true },
		{ "\"u\\u0308\"", "\xc3\xbc", false, false },
		{ "\"\"", "s", false, false },
		{ "\"s\\u0000\"", "s", false, false },
		{ "\"s\\u0000*\"", "s", false, false },
		{ "\"\\u0000\"", "", false, false },
	};
	struct claims c;
	char json[128];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		snprintf(json, sizeof(json), AUD("%s"), rows[i].aud);
		read_claims(json, &c);
		if (claims_allow_store(&c, DIALECT_SDS,
			bytes_str(rows[i].store), false) != rows[i].prefix ||
		    claims_allow_store(&c, DIALECT_SDS,
			bytes_str(rows[i].store), true) != rows[i].exact)
			fail_msg("%s for %s", rows[i].aud, rows[i].store);
		claims_free(&c);
	}
}

static void
dialect_narrows_a_token(void **state)
{
	struct claims c;

	(void)state;
	read_claims(GOOD, &c);
	assert_true(claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("s"), 0));
	assert_true(claims_allow_store(&c, DIALECT_ECHO, BYTES_LIT("s"), 0));
	assert_false(claims_allow_store(&c, DIALECT_COUNT, BYTES_LIT("s"), 0));
	claims_free(&c);
	read_claims(WITH("\"dialect\":\"canvas\""), &c);
	assert_true(claims_allow_store(&c, DIALECT_CANVAS, BYTES_LIT("s"), 0));
	assert_false(claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("s"), 0));
	claims_free(&c);
	read_claims(WITH("\"dialect\":[\"sds\",\"fifth\"]"), &c);
	assert_true(claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("s"), 0));
	assert_false(claims_allow_store(&c, DIALECT_CANVAS, BYTES_LIT("s"), 0));
	claims_free(&c);
	read_claims(WITH("\"dialect\":[]"), &c);
	assert_false(claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("s"), 0));
	claims_free(&c);
}

static void
a_token_may_say_how_large_messages_may_be(void **state)
{
	static const char *const wrong[] = { "0", "0.5", "-1", "\"8\"", "null",
		"[8]" };
	char text[128];
	struct claims c;
	size_t i;

	(void)state;
	read_claims(GOOD, &c);
	assert_true(c.message_max == 0);
	claims_free(&c);
	read_claims(WITH("\"message_max\":1000.5"), &c);
	assert_true(c.message_max == 1000);
	claims_free(&c);
	read_claims(WITH("\"message_max\":1e30"), &c);
	assert_true(c.message_max == CLAIMS_NO_LIMIT);
	claims_free(&c);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), WITH("\"message_max\":%s"),
		    wrong[i]);
		assert_string_equal(claims_parse(bytes_str(text), &c),
		    "message_max");
	}
}

static void
secsync_claims_are_read_in_full(void **state)
{
	struct claims c;

	(void)state;
	read_claims(
	    "{\"sub\":\"u\",\"secsync\":{\"doc\":[\"d\",\"p*\"],\"perm\":["
	    "\"read\",\"update\"],\"keys\":[\"" KEY_A "\",\"" KEY_B
	    "\"],\"lim\":{\"snapshot\":10,\"rate\":1e30,\"update\":0}}}",
	    &c);
	assert_true(c.secsync.perms_given);
	assert_int_equal(c.secsync.perms, PERM_READ | PERM_UPDATE);
	assert_int_equal(c.scope, SCOPE_WRITE);
	assert_true(c.secsync.snapshot_max == 10);
	assert_true(c.secsync.update_max == 0);
	assert_true(c.secsync.rate_max == CLAIMS_NO_LIMIT);
	assert_true(c.secsync.ephemeral_max == CLAIMS_NO_LIMIT);
	assert_true(claims_allow_store(&c, DIALECT_SECSYNC, BYTES_LIT("d"), 0));
	assert_true(
	    claims_allow_store(&c, DIALECT_SECSYNC, BYTES_LIT("px"), 0));
	assert_false(
	    claims_allow_store(&c, DIALECT_SECSYNC, BYTES_LIT("x"), 0));
	/* Without a scope of its own it is good for secsync alone. */
	assert_false(claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("d"), 0));
	assert_true(claims_allow_key(&c, BYTES_LIT(KEY_B)));
	assert_false(claims_allow_key(&c, BYTES_LIT("")));
	claims_free(&c);
	read_claims(WITH("\"secsync\":{\"keys\":[]}"), &c);
	assert_false(c.secsync.perms_given);
	assert_false(claims_allow_key(&c, BYTES_LIT(KEY_A)));
	claims_free(&c);
	read_claims(GOOD, &c);
	assert_true(claims_allow_key(&c, BYTES_LIT(KEY_A)));
	claims_free(&c);
	read_claims(
	    "{\"sub\":\"u\",\"aud\":\"s\",\"secsync\":{\"perm\":[\"read\"]"
	    "}}",
	    &c);
	assert_int_equal(c.scope, SCOPE_READ);
	assert_true(claims_allow_store(&c, DIALECT_SECSYNC, BYTES_LIT("s"), 0));
	assert_false(claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("s"), 0));
	claims_free(&c);
	assert_non_null(claims_parse(
	    BYTES_LIT(
		"{\"sub\":\"u\",\"aud\":\"s\",\"secsync\":{\"perm\":[]}}"),
	    &c));
}

static void
a_doc_replaces_aud_for_secsync_only(void **state)
{
	struct claims c;

	(void)state;
	read_claims(WITH("\"secsync\":{\"doc\":\"d\"}"), &c);
	assert_true(claims_allow_store(&c, DIALECT_SECSYNC, BYTES_LIT("d"), 0));
	assert_false(
	    claims_allow_store(&c, DIALECT_SECSYNC, BYTES_LIT("s"), 0));
	assert_true(claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("s"), 0));
	assert_false(claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("d"), 0));
	claims_free(&c);
}

static void
cnf_binds_a_token_to_one_writer_key(void **state)
{
	struct claims c;

	(void)state;
	read_claims(WITH(
			"\"cnf\":{\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
			"\"x\":\"" KEY_A "\"}}"),
	    &c);
	assert_true(claims_allow_key(&c, BYTES_LIT(KEY_A)));
	assert_false(claims_allow_key(&c, BYTES_LIT(KEY_B)));
	claims_free(&c);
	read_claims(WITH("\"secsync\":{\"keys\":[\"" KEY_B "\",\"" KEY_A
			 "\"]},\"cnf\":{\"jwk\":{\"kty\":\"OKP\",\"crv\":"
			 "\"Ed25519\",\"x\":\"" KEY_A "\"}}"),
	    &c);
	assert_true(claims_allow_key(&c, BYTES_LIT(KEY_A)));
	assert_false(claims_allow_key(&c, BYTES_LIT(KEY_B)));
	claims_free(&c);
}

static void
a_persons_claims_are_kept(void **state)
{
	struct claims c;

	(void)state;
	read_claims(WITH("\"email\":\"a@b\",\"email_verified\":true,\"name\":"
			 "\"\",\"cognito:username\":\"c\",\"exp\":1800000000.5,"
			 "\"iat\":5,\"jti\":\"j\",\"iss\":\"i\""),
	    &c);
	assert_true(bytes_eq(c.email, BYTES_LIT("a@b")));
	assert_true(c.email_verified);
	assert_true(bytes_eq(c.cognito_username, BYTES_LIT("c")));
	assert_non_null(c.name.p);
	assert_int_equal(c.name.n, 0);
	assert_null(c.username.p);
	assert_true(bytes_eq(c.jti, BYTES_LIT("j")));
	assert_true(bytes_eq(c.iss, BYTES_LIT("i")));
	assert_true(c.exp_given && c.exp == 1800000001);
	assert_true(c.iat == 5 && c.nbf == INT64_MIN);
	claims_free(&c);
	read_claims(WITH("\"email\":\"a@b\""), &c);
	assert_true(c.email_verified);
	claims_free(&c);
	read_claims(WITH("\"email\":\"a@b\",\"email_verified\":false"), &c);
	assert_false(c.email_verified);
	claims_free(&c);
	read_claims(WITH("\"email\":\"a@b\",\"email_verified\":null"), &c);
	assert_true(c.email_verified);
	claims_free(&c);
}

static void
a_persons_claims_that_are_no_text_are_absent(void **state)
{
	struct claims c;

	(void)state;
	read_claims(WITH("\"email\":null,\"cognito:username\":7,\"username\":"
			 "[],\"preferred_username\":{},\"name\":true"),
	    &c);
	assert_null(c.email.p);
	assert_false(c.email_verified);
	assert_null(c.cognito_username.p);
	assert_null(c.username.p);
	assert_null(c.preferred_username.p);
	assert_null(c.name.p);
	claims_free(&c);
	assert_string_equal(claims_parse(BYTES_LIT(WITH("\"jti\":7")), &c),
	    "jti");
	assert_string_equal(claims_parse(BYTES_LIT(WITH("\"canvas_client\":"
							"null")),
				&c),
	    "canvas_client");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aud_names_stores_to_the_letter_or_by_prefix),
		cmocka_unit_test(dialect_narrows_a_token),
		cmocka_unit_test(a_token_may_say_how_large_messages_may_be),
		cmocka_unit_test(secsync_claims_are_read_in_full),
		cmocka_unit_test(a_doc_replaces_aud_for_secsync_only),
		cmocka_unit_test(cnf_binds_a_token_to_one_writer_key),
		cmocka_unit_test(a_persons_claims_are_kept),
		cmocka_unit_test(a_persons_claims_that_are_no_text_are_absent),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
