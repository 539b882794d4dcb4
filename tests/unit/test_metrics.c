/*
 * Counting: what a worker tells is bounded, what is out of range is harmless,
 * and the setting metrics takes addresses alone.  The text is tests/ops's.
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/broker.h"
#include "broker/web.h"

static struct broker *b;
static struct session s;

static int
setup(void **state)
{
	(void)state;
	s.broker = b = calloc(1, sizeof(*b));
	s.dialect = DIALECT_CANVAS;
	return (b == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	(void)state;
	free(b);
	return (0);
}

static void
a_tally_goes_to_the_dialect_of_its_session(void **state)
{
	struct msg m = MSG(TALLY);

	(void)state;
	m.f[tally_messages_in].u = 1;
	m.f[tally_messages_out].u = 2;
	m.f[tally_bytes_in].u = 3;
	m.f[tally_bytes_out].u = 4;
	m.f[tally_overruns].u = 5;
	m.f[tally_crashed].u = 6;
	m.f[tally_turned].u = 7;
	assert_int_equal(handle_tally(&s, &m), 0);
	assert_int_equal(handle_tally(&s, &m), 0);
	assert_int_equal(b->metrics.messages[DIALECT_CANVAS][METRICS_IN], 2);
	assert_int_equal(b->metrics.messages[DIALECT_CANVAS][METRICS_OUT], 4);
	assert_int_equal(b->metrics.bytes[DIALECT_CANVAS][METRICS_IN], 6);
	assert_int_equal(b->metrics.bytes[DIALECT_CANVAS][METRICS_OUT], 8);
	assert_int_equal(b->metrics.bytes[DIALECT_SDS][METRICS_OUT], 0);
	assert_int_equal(b->metrics.told[TOLD_OVERRUNS], 10);
	assert_int_equal(b->metrics.told[TOLD_CRASHED], 12);
	assert_int_equal(b->metrics.told[TOLD_TURNED], 14);
}

static void
a_tally_that_lies_adds_no_more_than_a_bound(void **state)
{
	const uint64_t most = UINT64_C(1) << 40;
	struct msg m = MSG(TALLY);
	size_t i;

	(void)state;
	for (i = 0; i < 7; i++)
		m.f[i].u = UINT64_MAX;
	assert_int_equal(handle_tally(&s, &m), 0);
	assert_true(b->metrics.messages[DIALECT_CANVAS][METRICS_IN] == most);
	assert_true(b->metrics.bytes[DIALECT_CANVAS][METRICS_OUT] == most);
	assert_true(b->metrics.told[TOLD_CRASHED] == most);
}

static void
a_code_out_of_the_table_is_counted_as_none_of_it(void **state)
{
	(void)state;
	metrics_refused(b, CODE_STALE);
	metrics_refused(b, (enum code)4711);
	assert_int_equal(b->metrics.refusals[CODE_STALE], 1);
	assert_int_equal(b->metrics.refusals[CODE_OK], 1);
	assert_int_equal(b->count.refused, 2);
}

static void
a_batch_is_in_the_first_bucket_that_holds_it(void **state)
{
	const struct histogram *h = &b->metrics.batch;

	(void)state;
	metrics_batch(b, 1);
	metrics_batch(b, 2);
	metrics_batch(b, 3);
	metrics_batch(b, 4096);
	metrics_batch(b, 4097);
	assert_int_equal(h->count[0], 1);
	assert_int_equal(h->count[1], 1);
	assert_int_equal(h->count[2], 1);
	assert_int_equal(h->count[12], 1);
	assert_int_equal(h->count[13], 1);
	assert_int_equal(h->sum, 1 + 2 + 3 + 4096 + 4097);
}

static void
the_operators_address_is_an_address_with_a_port(void **state)
{
	static const char *const good[] = { "127.0.0.1:9464", "[::1]:1",
		"0.0.0.0:65535" };
	static const char *const bad[] = { "", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", ":9464", "localhost:9464", "[::1]",
		"::1", "127.0.0.1:65536", "127.0.0.1:1x" };
	struct sockaddr_storage ss;
	size_t i;
	int len;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(web_address(good[i], &ss, &len), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (web_address(bad[i], &ss, &len) != -1)
			fail_msg("\"%s\" is taken", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_tally_goes_to_the_dialect_of_its_session, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_tally_that_lies_adds_no_more_than_a_bound, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_code_out_of_the_table_is_counted_as_none_of_it, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_batch_is_in_the_first_bucket_that_holds_it, setup,
		    teardown),
		cmocka_unit_test(
		    the_operators_address_is_an_address_with_a_port),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
