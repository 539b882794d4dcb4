/*
 * Addresses of the sds dialect and the expiry of its token API.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/sds_path.h"
#include "worker/sds_token.h"

#define DAY_S 86400u

struct row {
	const char *target;
	enum sds_route route;
	const char *store;
};

static void
assert_rows(const struct row *row, size_t n)
{
	struct sds_path p;

	for (; n > 0; n--, row++) {
		assert_int_equal(sds_path_parse(&p, bytes_str(row->target)), 1);
		assert_int_equal(p.route, row->route);
		if (row->store == NULL)
			continue;
		assert_int_equal(p.n, strlen(row->store));
		assert_memory_equal(p.store, row->store, p.n);
	}
}

static void
a_store_is_one_segment_decoded_once(void **state)
{
	static const struct row rows[] = {
		{ "/ws/a?token=x", SDS_ROUTE_STORE, "a" },
		{ "/signal/a", SDS_ROUTE_SIGNAL, "a" },
		{ "/ws/a%2Fb", SDS_ROUTE_STORE, "a/b" },
		{ "/ws/a%252Fb+c", SDS_ROUTE_STORE, "a%2Fb+c" },
		{ "/ws/%zz%ff", SDS_ROUTE_STORE, "%zz%ff" },
		{ "/ws/..%2Fx", SDS_ROUTE_STORE, "../x" },
		{ "/x/../ws/a", SDS_ROUTE_STORE, "a" },
		{ "/ws/b/%2e%2e/a", SDS_ROUTE_STORE, "a" },
		{ "/api/token?x", SDS_ROUTE_TOKEN, NULL },
		{ "/%61pi/%74oken", SDS_ROUTE_TOKEN, NULL },
		{ "/%77s/a", SDS_ROUTE_STORE, "a" },
	};

	(void)state;
	assert_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void
below_our_prefixes_nothing_else_is_found(void **state)
{
	static const struct row rows[] = {
		{ "/ws/", SDS_ROUTE_NONE, NULL },
		{ "/ws/a/", SDS_ROUTE_NONE, NULL },
		{ "/ws/a/b", SDS_ROUTE_NONE, NULL },
		{ "/ws//a", SDS_ROUTE_NONE, NULL },
		{ "/signal/a/signal/a", SDS_ROUTE_NONE, NULL },
	};

	(void)state;
	assert_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void
other_addresses_are_somebody_elses(void **state)
{
	static const char *const targets[] = { "/", "/ws", "/WS/a", "/wsx/a",
		"/api/token/", "/api/tokens", "/api", "/api//token",
		"/api%2ftoken", "/ws/../x", "//", "/echo" };
	struct sds_path p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		assert_int_equal(sds_path_parse(&p, bytes_str(targets[i])), 0);
}

static void
a_store_named_twice_is_the_store(void **state)
{
	static const struct row rows[] = {
		{ "/ws/a/ws/a", SDS_ROUTE_STORE, "a" },
		{ "/ws/a%20b/ws/%61%20b", SDS_ROUTE_STORE, "a b" },
		{ "/ws/a/ws/b", SDS_ROUTE_NONE, NULL },
		{ "/ws/a/ws/a/", SDS_ROUTE_NONE, NULL },
		{ "/ws/a/ws/a/ws/a", SDS_ROUTE_NONE, NULL },
		{ "/ws/a/signal/a", SDS_ROUTE_NONE, NULL },
	};

	(void)state;
	assert_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void
a_name_over_the_limit_is_told_apart(void **state)
{
	char target[STORE_NAME_MAX_BYTES + 8] = "/ws/";
	struct sds_path p;

	(void)state;
	memset(target + 4, 'n', STORE_NAME_MAX_BYTES + 1);
	assert_int_equal(sds_path_parse(&p, bytes_str(target)), 1);
	assert_true(p.n > STORE_NAME_MAX_BYTES);
	target[4 + STORE_NAME_MAX_BYTES] = '\0';
	assert_int_equal(sds_path_parse(&p, bytes_str(target)), 1);
	assert_int_equal(p.n, STORE_NAME_MAX_BYTES);
}

static void
an_expiry_is_digits_and_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} rows[] = {
		{ "1s", 1 },
		{ "1m", 60 },
		{ "1h", 3600 },
		{ "7d", 7 * DAY_S },
		{ "0s", 0 },
		{ "00010s", 10 },
		{ "1w", DAY_S },
		{ "1.5h", DAY_S },
		{ "500ms", DAY_S },
		{ " 1h", DAY_S },
		{ "1h ", DAY_S },
		{ "-1h", DAY_S },
		{ "1H", DAY_S },
		{ "h", DAY_S },
		{ "12", DAY_S },
		{ "", DAY_S },
		{ "36500d", (uint64_t)36500 * DAY_S },
		{ "36501d", (uint64_t)36500 * DAY_S },
		{ "99999999999999999999999999d", (uint64_t)36500 * DAY_S },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(sds_token_ttl(bytes_str(rows[i].text)),
		    rows[i].want);
	assert_int_equal(sds_token_ttl(bytes_of("1\0", 2)), DAY_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_is_one_segment_decoded_once),
		cmocka_unit_test(below_our_prefixes_nothing_else_is_found),
		cmocka_unit_test(other_addresses_are_somebody_elses),
		cmocka_unit_test(a_store_named_twice_is_the_store),
		cmocka_unit_test(a_name_over_the_limit_is_told_apart),
		cmocka_unit_test(an_expiry_is_digits_and_a_unit),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
