/*
 * What a secsync client may send, by settings and token, and how fast it is
 * read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/wire.h"
#include "worker/secsync_may.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int
may(uint64_t ephemeral, const char *only, enum secsync_kind kind,
    const char *key)
{
	struct secsync_message m = { .kind = kind, .key = bytes_str(key) };
	struct secsync_grant g = { .ephemeral = ephemeral,
		.rate = UINT64_MAX,
		.keys_given = only != NULL };
	struct buf keys = BUF_INIT, packed = BUF_INIT;
	int rc;

	if (only != NULL)
		list_add(&keys, bytes_str(only));
	g.keys = buf_bytes(&keys);
	assert_int_equal(secsync_grant_pack(&packed, &g), 0);
	rc = secsync_may_send(buf_bytes(&packed), &m);
	buf_free(&keys);
	buf_free(&packed);
	return (rc);
}

static void
keys_and_ephemeral_messages_are_as_the_token_says(void **state)
{
	(void)state;
	assert_true(may(1, NULL, SECSYNC_KIND_EPHEMERAL, KEY_A));
	assert_false(may(0, NULL, SECSYNC_KIND_EPHEMERAL, KEY_A));
	assert_true(may(0, NULL, SECSYNC_KIND_UPDATE, KEY_A));
	assert_true(may(0, KEY_A, SECSYNC_KIND_UPDATE, KEY_A));
	assert_false(may(1, KEY_A, SECSYNC_KIND_UPDATE, KEY_B));
	assert_false(may(1, KEY_A, SECSYNC_KIND_EPHEMERAL, KEY_B));
}

static void
each_kind_has_its_own_size(void **state)
{
	struct settings set = { .secsync_snapshot_max = 30,
		.secsync_update_max = 20,
		.secsync_ephemeral_max = 10 };

	(void)state;
	assert_true(secsync_may_size(&set, SECSYNC_KIND_EPHEMERAL, 10));
	assert_false(secsync_may_size(&set, SECSYNC_KIND_EPHEMERAL, 11));
	assert_true(secsync_may_size(&set, SECSYNC_KIND_UPDATE, 20));
	assert_false(secsync_may_size(&set, SECSYNC_KIND_UPDATE, 21));
	assert_true(secsync_may_size(&set, SECSYNC_KIND_SNAPSHOT, 30));
	assert_false(secsync_may_size(&set, SECSYNC_KIND_SNAPSHOT, 31));
}

static void
a_seconds_worth_may_come_at_once_and_the_rest_waits(void **state)
{
	int64_t paid = 0, now = 5000;
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		paid = secsync_may_pay(paid, 10, now);
		assert_true(paid <= now * 1000);
	}
	paid = secsync_may_pay(paid, 10, now);
	assert_true(paid == (now + 100) * 1000);
	paid = secsync_may_pay(paid, 10, now + 100);
	assert_true(paid == (now + 200) * 1000);
	/* Silence is not saved up for more than a second. */
	paid = secsync_may_pay(paid, 10, now + 60000);
	assert_true(paid == (now + 59100) * 1000);
}

static void
without_a_rate_nothing_waits(void **state)
{
	int64_t paid = 0;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++)
		paid = secsync_may_pay(paid, UINT64_MAX, 5000);
	assert_true(paid <= 5000 * 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    keys_and_ephemeral_messages_are_as_the_token_says),
		cmocka_unit_test(each_kind_has_its_own_size),
		cmocka_unit_test(
		    a_seconds_worth_may_come_at_once_and_the_rest_waits),
		cmocka_unit_test(without_a_rate_nothing_waits),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
