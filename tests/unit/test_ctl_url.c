/*
 * URLs as quirectl takes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "broker/ctl_url.h"

static void
url_is(const char *text, const char *host, const char *port, const char *target)
{
	struct ctl_url url;

	assert_null(ctl_url_parse(&url, text));
	assert_string_equal(url.host, host);
	assert_string_equal(url.port, port);
	assert_string_equal(url.target, target);
}

static void
a_url_is_host_port_and_target(void **state)
{
	(void)state;
	url_is("ws://localhost:3000/ws/demo?token=x", "localhost", "3000",
	    "/ws/demo?token=x");
	url_is("ws://h/", "h", "80", "/");
	url_is("ws://h", "h", "80", "");
	url_is("ws://h?a:b/c", "h", "80", "?a:b/c");
	url_is("ws://h/a:b", "h", "80", "/a:b");
	url_is("ws://[::1]/x", "::1", "80", "/x");
	url_is("ws://[::1]:99/x", "::1", "99", "/x");
}

static void
what_is_no_url_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = { "", "ws:", "ws://", "ws:///x",
		"ws://:80/", "http://h/", "wss://h/", "WS://h/", "ws://h:/x",
		"ws://h:x/", "ws://h:123456/", "ws://h:8 0/", "ws://[::1/x",
		"ws://[]/x", "ws://[::1]8/x", "ws://h/a b", "ws://h/a#b",
		"ws://h/a\r\nb", "ws://h/\x7f" };
	struct ctl_url url;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(ctl_url_parse(&url, bad[i]));
}

static void
a_host_must_fit(void **state)
{
	char text[400] = "ws://";
	struct ctl_url url;

	(void)state;
	memset(text + 5, 'h', 255);
	assert_null(ctl_url_parse(&url, text));
	text[5 + 255] = 'h';
	assert_non_null(ctl_url_parse(&url, text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_is_host_port_and_target),
		cmocka_unit_test(what_is_no_url_is_refused_with_a_reason),
		cmocka_unit_test(a_host_must_fit),
	};

	return (cmocka_run_group_tests_name("ctl_url", tests, NULL, NULL));
}
