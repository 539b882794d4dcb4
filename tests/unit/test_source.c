/* Addresses, penalties, and who is turned away at random. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/source.h"

static struct source
of(const char *text)
{
	struct sockaddr_storage ss = { 0 };
	void *p = &ss;
	struct source s;

	ss.ss_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(ss.ss_family, text,
			     ss.ss_family == AF_INET
				 ? (void *)&((struct sockaddr_in *)p)->sin_addr
				 : (void *)&((struct sockaddr_in6 *)p)
				       ->sin6_addr),
	    1);
	source_unmap(&ss);
	source_of(&s, &ss);
	return (s);
}

static int
same(const char *a, const char *b)
{
	struct source x = of(a), y = of(b);

	return (memcmp(&x, &y, sizeof(x)) == 0);
}

static void
an_ipv6_is_counted_by_its_first_half(void **state)
{
	(void)state;
	assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::"));
	assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
	assert_false(same("192.0.2.1", "192.0.2.2"));
	assert_false(same("32.1.13.184", "2001:db8::1"));
}

static void
an_ipv4_is_itself_on_a_socket_for_both(void **state)
{
	(void)state;
	assert_true(same("::ffff:192.0.2.1", "192.0.2.1"));
	assert_false(same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
	assert_false(same("::192.0.2.1", "192.0.2.1"));
}

static void
this_machine_is_told_from_others(void **state)
{
	static const char *const here[] = { "127.0.0.1", "127.9.9.9", "::1" };
	static const char *const there[] = { "192.0.2.1", "fe80::1",
		"128.0.0.1" };
	struct source s;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		s = of(here[i]);
		assert_true(source_is_loopback(&s));
		s = of(there[i]);
		assert_false(source_is_loopback(&s));
	}
}

static void
a_crash_counts_at_once_and_for_so_long(void **state)
{
	struct penalties *t = calloc(1, sizeof(*t));
	struct source s = of("192.0.2.1"), other = of("192.0.2.2");

	(void)state;
	penalty_add(t, &s, SOURCE_CRASHED, 1000);
	assert_true(penalty_counts(t, &s, 1000));
	assert_true(penalty_counts(t, &s, 90999));
	assert_false(penalty_counts(t, &s, 91000));
	assert_false(penalty_counts(t, &other, 1000));
	free(t);
}

/* A client that comes again every two seconds is a nuisance, no attack. */
static void
refusals_count_when_there_are_many_of_them(void **state)
{
	struct penalties *t = calloc(1, sizeof(*t));
	struct source s = of("192.0.2.1");
	int64_t now;
	int i;

	(void)state;
	for (now = 0; now < 1000000; now += 2000) {
		penalty_add(t, &s, SOURCE_REFUSED, now);
		assert_false(penalty_counts(t, &s, now));
	}
	for (i = 0; i < 14; i++)
		penalty_add(t, &s, SOURCE_REFUSED, now);
	assert_false(penalty_counts(t, &s, now));
	penalty_add(t, &s, SOURCE_REFUSED, now);
	assert_true(penalty_counts(t, &s, now));
	assert_false(penalty_counts(t, &s, now + 15000));
	penalty_add(t, &s, SOURCE_REFUSED, now + 15000);
	assert_false(penalty_counts(t, &s, now + 15000));
	free(t);
}

static void
ends_that_are_nobodys_fault_cost_nothing_and_all_has_a_cap(void **state)
{
	struct penalties *t = calloc(1, sizeof(*t));
	struct source s = of("192.0.2.1");
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		penalty_add(t, &s, SOURCE_WELL, 0);
		penalty_add(t, &s, SOURCE_FAILED, 0);
		penalty_add(t, &s, (enum source_end)77, 0);
	}
	assert_false(penalty_counts(t, &s, 0));
	for (i = 0; i < 100; i++)
		penalty_add(t, &s, SOURCE_CRASHED, 0);
	assert_true(penalty_counts(t, &s, PENALTY_MAX_MS - 1));
	assert_false(penalty_counts(t, &s, PENALTY_MAX_MS));
	free(t);
}

static void
a_flood_of_sources_keeps_the_table_and_the_longest(void **state)
{
	struct penalties *t = calloc(1, sizeof(*t));
	struct source s = of("192.0.2.1"), other = { { 4 } };
	uint32_t i;

	(void)state;
	penalty_add(t, &s, SOURCE_CRASHED, 0);
	for (i = 1; i < 100000; i++) {
		memcpy(other.octet + 1, &i, sizeof(i));
		penalty_add(t, &other, SOURCE_REFUSED, 0);
	}
	assert_true(penalty_counts(t, &s, 0));
	free(t);
}

static void
the_dice_are_thrown_above_half_of_the_places(void **state)
{
	unsigned int dice, out;

	(void)state;
	for (dice = 0; dice < 1000; dice++) {
		assert_false(source_unlucky(0, 100, dice));
		assert_false(source_unlucky(50, 100, dice));
		assert_true(source_unlucky(100, 100, dice));
	}
	for (dice = out = 0; dice < 1000; dice++)
		out += (unsigned int)source_unlucky(75, 100, dice);
	assert_int_equal(out, 650);
	assert_true(source_unlucky(1, 1, 999));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv6_is_counted_by_its_first_half),
		cmocka_unit_test(an_ipv4_is_itself_on_a_socket_for_both),
		cmocka_unit_test(this_machine_is_told_from_others),
		cmocka_unit_test(a_crash_counts_at_once_and_for_so_long),
		cmocka_unit_test(refusals_count_when_there_are_many_of_them),
		cmocka_unit_test(
		    ends_that_are_nobodys_fault_cost_nothing_and_all_has_a_cap),
		cmocka_unit_test(
		    a_flood_of_sources_keeps_the_table_and_the_longest),
		cmocka_unit_test(the_dice_are_thrown_above_half_of_the_places),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
