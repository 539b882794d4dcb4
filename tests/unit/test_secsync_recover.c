/*
 * secsync after a refusal: what is held, dropped, refused again and committed,
 * in the order in which the unmodified client sends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/secsync_recover.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct secsync_update
update(const char *key, uint64_t clock, const char *body)
{
	struct secsync_update u = { bytes_str("snapshot"), bytes_str(key),
		clock, bytes_str(body) };

	return (u);
}

static enum secsync_act
give(struct secsync_recover *r, uint64_t clock, const char *body, int ok,
    int64_t now_ms)
{
	struct secsync_update u = update(KEY_A, clock, body);

	return (secsync_recover_update(r, &u, ok, now_ms));
}

static void
assert_taken(struct secsync_recover *r, uint64_t clock, const char *body)
{
	struct secsync_update u;

	assert_int_equal(secsync_recover_take(r, &u), 1);
	assert_int_equal(u.clock, clock);
	assert_true(bytes_eq(u.body, bytes_str(body)));
	assert_true(bytes_eq(u.id, bytes_str("snapshot")));
	assert_true(bytes_eq(u.key, bytes_str(KEY_A)));
}

static void
assert_nothing_held(struct secsync_recover *r)
{
	struct secsync_update u;

	assert_int_equal(secsync_recover_take(r, &u), 0);
}

static void
without_a_refusal_updates_pass_or_are_refused(void **state)
{
	struct secsync_recover r = { 0 };

	(void)state;
	assert_int_equal(give(&r, 0, "x", 1, 0), SECSYNC_ACT_COMMIT);
	assert_int_equal(give(&r, 5, "x", 0, 0), SECSYNC_ACT_REFUSE);
	secsync_recover_free(&r);
}

static void
a_pipelined_update_is_replaced_by_the_merged_resend(void **state)
{
	struct secsync_recover r = { 0 };

	(void)state;
	assert_int_equal(give(&r, 0, "a", 0, 0), SECSYNC_ACT_REFUSE);
	secsync_recover_refused(&r);
	secsync_recover_pong(&r, 10);
	/* Sent before the client saw the refusal: must not be committed. */
	assert_int_equal(give(&r, 1, "b", 1, 10), SECSYNC_ACT_NOTHING);
	assert_int_equal(give(&r, 2, "c", 0, 10), SECSYNC_ACT_NOTHING);
	assert_int_equal(give(&r, 1, "abc", 1, 11), SECSYNC_ACT_NOTHING);
	assert_int_equal(r.due_ms, 11 + SECSYNC_QUIET_MS);
	secsync_recover_expire(&r);
	assert_taken(&r, 1, "abc");
	assert_nothing_held(&r);
	assert_int_equal(give(&r, 2, "d", 1, 500), SECSYNC_ACT_COMMIT);
	secsync_recover_free(&r);
}

/* A client that is busy sends the merged one long after its pong. */
static void
what_came_before_the_pong_is_never_committed(void **state)
{
	struct secsync_recover r = { 0 };

	(void)state;
	secsync_recover_refused(&r);
	assert_int_equal(give(&r, 0, "b", 1, 1), SECSYNC_ACT_NOTHING);
	assert_int_equal(give(&r, 1, "c", 0, 2), SECSYNC_ACT_NOTHING);
	secsync_recover_pong(&r, 10);
	secsync_recover_expire(&r);
	assert_nothing_held(&r);
	assert_int_equal(give(&r, 0, "abc", 1, 1000), SECSYNC_ACT_COMMIT);
	secsync_recover_free(&r);
}

static void
followers_of_a_held_update_are_taken_in_order(void **state)
{
	struct secsync_recover r = { 0 };

	(void)state;
	secsync_recover_refused(&r);
	secsync_recover_pong(&r, 1);
	assert_int_equal(give(&r, 7, "a", 1, 2), SECSYNC_ACT_NOTHING);
	assert_int_equal(give(&r, 8, "b", 0, 3), SECSYNC_ACT_NOTHING);
	assert_int_equal(give(&r, 9, "", 0, 4), SECSYNC_ACT_NOTHING);
	assert_int_equal(give(&r, 11, "gap", 0, 5), SECSYNC_ACT_REFUSE);
	assert_int_equal(r.due_ms, 4 + SECSYNC_QUIET_MS);
	secsync_recover_expire(&r);
	assert_taken(&r, 7, "a");
	assert_taken(&r, 8, "b");
	assert_taken(&r, 9, "");
	assert_nothing_held(&r);
	secsync_recover_free(&r);
}

static void
before_the_pong_all_is_dropped_and_no_time_runs(void **state)
{
	struct secsync_recover r = { 0 };

	(void)state;
	secsync_recover_refused(&r);
	assert_int_equal(r.due_ms, 0);
	assert_int_equal(give(&r, 4, "x", 0, 1), SECSYNC_ACT_NOTHING);
	assert_int_equal(give(&r, 3, "y", 1, 2), SECSYNC_ACT_NOTHING);
	assert_int_equal(r.due_ms, 0);
	secsync_recover_pong(&r, 1000);
	assert_int_equal(r.due_ms, 1000 + SECSYNC_QUIET_MS);
	secsync_recover_free(&r);
}

static void
a_second_refusal_waits_for_its_own_pong_and_forgets_what_is_held(void **state)
{
	struct secsync_recover r = { 0 };

	(void)state;
	secsync_recover_refused(&r);
	secsync_recover_pong(&r, 1);
	assert_int_equal(give(&r, 3, "a", 1, 2), SECSYNC_ACT_NOTHING);
	assert_int_equal(give(&r, 9, "b", 0, 3), SECSYNC_ACT_REFUSE);
	secsync_recover_refused(&r);
	assert_int_equal(r.due_ms, 0);
	assert_int_equal(give(&r, 9, "b", 0, 4), SECSYNC_ACT_NOTHING);
	secsync_recover_expire(&r);
	assert_nothing_held(&r);
	secsync_recover_free(&r);
}

static void
a_held_update_whose_number_was_taken_is_refused_not_replaced(void **state)
{
	struct secsync_recover r = { 0 };
	struct secsync_update first;

	(void)state;
	secsync_recover_refused(&r);
	secsync_recover_pong(&r, 1);
	assert_int_equal(give(&r, 3, "mine", 1, 2), SECSYNC_ACT_NOTHING);
	/* Another tab committed 3 meanwhile, so that 4 is acceptable. */
	assert_int_equal(give(&r, 4, "next", 1, 3), SECSYNC_ACT_REFUSE_HELD);
	secsync_recover_first(&r, &first);
	assert_int_equal(first.clock, 3);
	assert_true(bytes_eq(first.id, bytes_str("snapshot")));
	assert_nothing_held(&r);
	secsync_recover_free(&r);
}

static void
another_key_does_not_replace_what_is_held(void **state)
{
	struct secsync_recover r = { 0 };
	struct secsync_update u = update(KEY_B, 3, "theirs");

	(void)state;
	secsync_recover_refused(&r);
	secsync_recover_pong(&r, 1);
	assert_int_equal(give(&r, 3, "mine", 1, 2), SECSYNC_ACT_NOTHING);
	assert_int_equal(secsync_recover_update(&r, &u, 1, 3),
	    SECSYNC_ACT_REFUSE_HELD);
	secsync_recover_free(&r);
}

static void
a_snapshot_ends_recovery_and_refuses_what_was_held_once(void **state)
{
	struct secsync_recover r = { 0 };

	(void)state;
	secsync_recover_refused(&r);
	secsync_recover_pong(&r, 1);
	assert_int_equal(give(&r, 3, "a", 1, 2), SECSYNC_ACT_NOTHING);
	assert_int_equal(secsync_recover_snapshot(&r), 1);
	assert_nothing_held(&r);
	assert_int_equal(give(&r, 0, "b", 1, 3), SECSYNC_ACT_COMMIT);
	assert_int_equal(secsync_recover_snapshot(&r), 0);
	secsync_recover_free(&r);
}

static void
what_is_held_is_bounded(void **state)
{
	struct secsync_recover r = { 0 };
	struct secsync_update u = update(KEY_A, 0, "");
	static uint8_t body[SECSYNC_HELD_MAX / 2];

	(void)state;
	u.body = bytes_of(body, sizeof(body));
	secsync_recover_refused(&r);
	secsync_recover_pong(&r, 0);
	assert_int_equal(secsync_recover_update(&r, &u, 1, 0),
	    SECSYNC_ACT_NOTHING);
	u.clock = 1;
	assert_int_equal(secsync_recover_update(&r, &u, 0, 0),
	    SECSYNC_ACT_REFUSE_HELD);
	assert_int_equal(r.held.len, 0);
	secsync_recover_free(&r);
}

static void
refusals_in_a_row_are_delayed_and_end_the_connection(void **state)
{
	static const int want[] = { 0, 0, 0, 100, 200, 400, 800, 1600, 3200,
		5000, 5000 };
	struct secsync_recover r = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(secsync_recover_delay_ms(&r), want[i]);
		secsync_recover_refused(&r);
	}
	for (; i < SECSYNC_REFUSALS_MAX; i++)
		secsync_recover_refused(&r);
	assert_int_equal(secsync_recover_delay_ms(&r), -1);
	secsync_recover_committed(&r);
	assert_int_equal(secsync_recover_delay_ms(&r), 0);
	secsync_recover_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_refusal_updates_pass_or_are_refused),
		cmocka_unit_test(
		    a_pipelined_update_is_replaced_by_the_merged_resend),
		cmocka_unit_test(followers_of_a_held_update_are_taken_in_order),
		cmocka_unit_test(what_came_before_the_pong_is_never_committed),
		cmocka_unit_test(
		    before_the_pong_all_is_dropped_and_no_time_runs),
		cmocka_unit_test(
		    a_second_refusal_waits_for_its_own_pong_and_forgets_what_is_held),
		cmocka_unit_test(
		    a_held_update_whose_number_was_taken_is_refused_not_replaced),
		cmocka_unit_test(another_key_does_not_replace_what_is_held),
		cmocka_unit_test(
		    a_snapshot_ends_recovery_and_refuses_what_was_held_once),
		cmocka_unit_test(what_is_held_is_bounded),
		cmocka_unit_test(
		    refusals_in_a_row_are_delayed_and_end_the_connection),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
