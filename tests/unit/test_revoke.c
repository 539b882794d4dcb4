/* Revocations over a store in memory: which tokens they hold for, and what is
 * left of them when the store is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/revoke.h"
#include "tests/lib/kv_mem.h"

#define NOW 1000

static struct kv *kv;
static struct revocations *rs;

static int
setup(void **state)
{
	(void)state;
	assert_non_null(kv = kv_mem_open());
	assert_non_null(rs = revocations_load(kv, NOW));
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	revocations_free(rs);
	kv->ops->close(kv);
	return (0);
}

static void
reread(int64_t now)
{
	revocations_free(rs);
	assert_non_null(rs = revocations_load(kv, now));
}

static void
revoke(enum revoke_kind kind, const char *text, int64_t before, int64_t until)
{
	struct revocation r = { kind, bytes_str(text), before, NOW, until };

	assert_int_equal(revocations_add(rs, &r), 0);
}

static bool
held_at(const char *json, int64_t now)
{
	struct claims c;
	bool held;

	assert_null(claims_parse(bytes_str(json), &c));
	held = revocations_hold(rs, &c, now);
	claims_free(&c);
	return (held);
}

#define TOKEN(claims) "{\"aud\":\"s\",\"scope\":\"read\"," claims "}"
#define HELD(claims)  held_at(TOKEN(claims), NOW)

static void
count(const struct revocation *r, void *arg)
{
	(void)r;
	++*(size_t *)arg;
}

static size_t
counted(void)
{
	size_t n = 0;

	revocations_each(rs, count, &n);
	return (n);
}

static void
a_jti_is_that_token_alone(void **state)
{
	(void)state;
	revoke(REVOKE_JTI, "t1", NOW, 0);
	assert_true(HELD("\"sub\":\"u\",\"jti\":\"t1\",\"iat\":5000"));
	assert_false(HELD("\"sub\":\"u\",\"jti\":\"t2\""));
	assert_false(HELD("\"sub\":\"t1\""));
}

static void
a_subject_is_what_was_issued_to_it_up_to_the_moment(void **state)
{
	(void)state;
	revoke(REVOKE_SUBJECT, "ann", 900, 0);
	assert_true(HELD("\"sub\":\"ann\",\"iat\":899"));
	assert_true(HELD("\"sub\":\"ann\",\"iat\":900"));
	assert_false(HELD("\"sub\":\"ann\",\"iat\":901"));
	assert_false(HELD("\"sub\":\"bob\",\"iat\":1"));
	/* Who does not say when it was issued cannot show that it is later. */
	assert_true(HELD("\"sub\":\"ann\""));
}

static void
all_is_every_subject(void **state)
{
	(void)state;
	revoke(REVOKE_ALL, "", 900, 0);
	assert_true(HELD("\"sub\":\"bob\",\"iat\":900"));
	assert_false(HELD("\"sub\":\"bob\",\"iat\":901"));
}

static void
they_are_there_after_a_restart(void **state)
{
	(void)state;
	revoke(REVOKE_JTI, "t1", NOW, 0);
	revoke(REVOKE_SUBJECT, "ann", 900, 0);
	revoke(REVOKE_ALL, "", 10, 0);
	reread(NOW);
	assert_int_equal(counted(), 3);
	assert_true(HELD("\"sub\":\"u\",\"jti\":\"t1\",\"iat\":500"));
	assert_true(HELD("\"sub\":\"ann\",\"iat\":900"));
	assert_false(HELD("\"sub\":\"ann\",\"iat\":901"));
}

static void
whose_time_is_over_holds_no_more_and_is_erased(void **state)
{
	static const char token[] = TOKEN("\"sub\":\"u\",\"jti\":\"t1\"");

	(void)state;
	revoke(REVOKE_JTI, "t1", NOW, NOW + 10);
	revoke(REVOKE_JTI, "t2", NOW, 0);
	assert_true(held_at(token, NOW + 9));
	assert_false(held_at(token, NOW + 10));
	reread(NOW + 9);
	assert_int_equal(counted(), 2);
	reread(NOW + 10);
	assert_int_equal(counted(), 1);
	reread(NOW);
	assert_int_equal(counted(), 1);
}

static void
a_second_one_never_takes_the_first_back(void **state)
{
	(void)state;
	revoke(REVOKE_SUBJECT, "ann", 900, 0);
	revoke(REVOKE_SUBJECT, "ann", 800, NOW + 5);
	assert_int_equal(counted(), 1);
	assert_true(held_at(TOKEN("\"sub\":\"ann\",\"iat\":900"), NOW + 50));
	reread(NOW + 50);
	assert_true(held_at(TOKEN("\"sub\":\"ann\",\"iat\":900"), NOW + 50));
}

static void
what_is_taken_back_is_gone_for_good(void **state)
{
	(void)state;
	revoke(REVOKE_SUBJECT, "ann", 900, 0);
	assert_int_equal(revocations_drop(rs, REVOKE_SUBJECT, BYTES_LIT("ann")),
	    1);
	assert_int_equal(revocations_drop(rs, REVOKE_SUBJECT, BYTES_LIT("ann")),
	    0);
	assert_false(HELD("\"sub\":\"ann\",\"iat\":900"));
	reread(NOW);
	assert_int_equal(counted(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_jti_is_that_token_alone),
		TEST(a_subject_is_what_was_issued_to_it_up_to_the_moment),
		TEST(all_is_every_subject),
		TEST(they_are_there_after_a_restart),
		TEST(whose_time_is_over_holds_no_more_and_is_erased),
		TEST(a_second_one_never_takes_the_first_back),
		TEST(what_is_taken_back_is_gone_for_good),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
