/* What proxies say about clients, in each of the ways that there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/proxy.h"

static char *networks[] = { (char[]){ "10.0.0.0/8" }, (char[]){ "192.0.2.7" },
	(char[]){ "192.0.2.128/25" }, (char[]){ "2001:db8::/33" },
	(char[]){ "::1" }, NULL };

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* Octets used; address must be that.  Whatever is missing, more is asked for.
 */
static ssize_t
header(const void *p, size_t n, const char *address)
{
	char got[PROXY_ADDRESS_MAX];
	ssize_t used = proxy_header(bytes_of(p, n), got);
	size_t i;

	assert_string_equal(got, used > 0 ? address : "");
	for (i = 0; used > 0 && i < (size_t)used; i++)
		assert_int_equal(proxy_header(bytes_of(p, i), got), 0);
	return (used);
}
#define HEADER(text, address) header(text, sizeof(text) - 1, address)

static void
networks_hold_what_lies_in_them(void **state)
{
	static const char *const in[] = { "10.0.0.0", "10.255.1.2", "192.0.2.7",
		"192.0.2.128", "192.0.2.255", "2001:db8::1", "2001:db8:7fff::1",
		"::1" };
	static const char *const out[] = { "11.0.0.0", "9.255.255.255",
		"192.0.2.8", "192.0.2.127", "2001:db8:8000::", "::2", "", "x",
		"local", "10.0.0", "::ffff:10.0.0.1" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		assert_true(proxy_listed(networks, in[i]));
	for (i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		assert_false(proxy_listed(networks, out[i]));
	assert_false(proxy_listed(NULL, "10.0.0.1"));
}

static void
a_line_of_version_1_is_read(void **state)
{
	(void)state;
	assert_int_equal(HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET",
			     "1.2.3.4"),
	    32);
	assert_int_equal(HEADER("PROXY TCP6 2001:db8::9 ::1 1 2\r\n",
			     "2001:db8::9"),
	    32);
	assert_int_equal(HEADER("PROXY UNKNOWN\r\n", ""), 15);
	assert_int_equal(HEADER("PROXY UNKNOWN what ever it is\r\n", ""), 31);
}

static void
a_line_gone_wrong_is_refused(void **state)
{
	char line[200] = "PROXY UNKNOWN ";

	(void)state;
	assert_int_equal(HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", ""), -1);
	assert_int_equal(HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", ""),
	    -1);
	assert_int_equal(HEADER("PROXY TCP4 ::1 ::1 1 2\r\n", ""), -1);
	assert_int_equal(HEADER("PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n", ""), -1);
	assert_int_equal(HEADER("PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", ""), -1);
	assert_int_equal(HEADER("PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n", ""),
	    -1);
	assert_int_equal(HEADER("PROXY UNKNOWN\n", ""), -1);
	assert_int_equal(HEADER("PROXY \r\n", ""), -1);
	assert_int_equal(HEADER("proxy UNKNOWN\r\n", ""), -1);
	assert_int_equal(HEADER("GET / HTTP/1.1\r\n", ""), -1);
	memset(line + 14, 'x', 150);
	assert_int_equal(header(line, 107, ""), -1);
	assert_int_equal(header(line, 106, ""), 0);
}

static void
a_header_of_version_2_is_read(void **state)
{
	(void)state;
	assert_int_equal(HEADER(V2
			     "\x21\x11\0\x0c\1\2\3\4\5\6\7\x08\0\1\0\2GET",
			     "1.2.3.4"),
	    28);
	assert_int_equal(HEADER(V2
			     "\x21\x21\0\x27"
			     "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
			     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2tlv",
			     "2001:db8::9"),
	    55);
	/* The proxy itself, a transport that we do not know */
	assert_int_equal(HEADER(V2 "\x20\0\0\0", ""), 16);
	assert_int_equal(HEADER(V2 "\x20\x11\0\x0c\1\2\3\4\5\6\7\x08\0\1\0\2",
			     ""),
	    28);
	assert_int_equal(HEADER(V2 "\x21\x31\0\1x", ""), 17);
}

static void
a_header_gone_wrong_is_refused(void **state)
{
	(void)state;
	assert_int_equal(HEADER(V2 "\x11\x11\0\0", ""), -1);
	assert_int_equal(HEADER(V2 "\x22\x11\0\0", ""), -1);
	assert_int_equal(HEADER(V2 "\x21\x11\0\x0b...........", ""), -1);
	assert_int_equal(HEADER(V2 "\x21\x11\x10\1", ""), -1);
	assert_int_equal(HEADER("\r\n\r\nGET", ""), -1);
}

static void
forwarded(const char *list, const char *address)
{
	char got[PROXY_ADDRESS_MAX];
	int r = proxy_forwarded(networks, bytes_str(list), got);

	assert_int_equal(r, address == NULL ? -1 : 0);
	if (address != NULL)
		assert_string_equal(got, address);
}

static void
the_last_address_that_is_no_proxys_is_the_clients(void **state)
{
	(void)state;
	forwarded("203.0.113.5", "203.0.113.5");
	forwarded("203.0.113.5, 10.0.0.1", "203.0.113.5");
	forwarded("6.6.6.6,203.0.113.5 ,10.0.0.1,  192.0.2.7", "203.0.113.5");
	forwarded("2001:db8:8000::1", "2001:db8:8000::1");
	forwarded("10.0.0.1", NULL);
	forwarded("", NULL);
	forwarded(",", NULL);
	forwarded("203.0.113.5, unknown", NULL);
	forwarded("203.0.113.5:80", NULL);
	forwarded("203.0.113.5, ", NULL);
	forwarded("1111111111111111111111111111111111111111111111111", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_hold_what_lies_in_them),
		cmocka_unit_test(a_line_of_version_1_is_read),
		cmocka_unit_test(a_line_gone_wrong_is_refused),
		cmocka_unit_test(a_header_of_version_2_is_read),
		cmocka_unit_test(a_header_gone_wrong_is_refused),
		cmocka_unit_test(
		    the_last_address_that_is_no_proxys_is_the_clients),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
