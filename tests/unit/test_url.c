/*
 * Request targets: how each dialect reads its own, and the dot segments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/url.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *in;
	const char *want;
};

static void
assert_decoded(int how, const struct row *rows, size_t n)
{
	uint8_t out[64];
	struct bytes in, want;
	ssize_t len;
	size_t i;

	for (i = 0; i < n; i++) {
		in = bytes_str(rows[i].in);
		want = bytes_str(rows[i].want);
		len = url_decode(out, sizeof(out), in, how);
		assert_int_equal(len, want.n);
		assert_memory_equal(out, want.p, want.n);
		assert_int_equal(url_decode(out, want.n, in, how), want.n);
		if (want.n > 0)
			assert_int_equal(url_decode(out, want.n - 1, in, how),
			    -1);
	}
}

static void
raw_decoding_gives_octets_once(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "a%2Fb%2fc", "a/b/c" },
		{ "%252F", "%2F" },
		{ "a+b%2B", "a+b+" },
		{ "%ff%C3%A9", "\xff\xc3\xa9" },
		{ "%zz%4%", "%zz%4%" },
		{ "%%41%4g", "%A%4g" },
	};
	uint8_t out[4];

	(void)state;
	assert_decoded(URL_RAW, rows, COUNT(rows));
	assert_int_equal(url_decode(out, 4, BYTES_LIT("%00%0d%0A"), 0), 3);
	assert_memory_equal(out, "\0\r\n", 3);
}

static void
plus_is_a_space_where_it_is_asked_for(void **state)
{
	static const struct row rows[] = {
		{ "a+b%20c%2Bd", "a b c+d" },
		{ "+", " " },
	};

	(void)state;
	assert_decoded(URL_RAW | URL_PLUS, rows, COUNT(rows));
	assert_decoded(URL_LITERAL | URL_PLUS, rows, COUNT(rows));
	assert_decoded(URL_REPLACE | URL_PLUS, rows, COUNT(rows));
}

/* sds.md section 2: undecodable sequences stay literal. */
static void
what_is_not_utf8_stays_literal_for_sds(void **state)
{
	static const struct row rows[] = {
		{ "%ff", "%ff" },
		{ "%zz", "%zz" },
		{ "a%2Fb", "a/b" },
		{ "%252F", "%2F" },
		{ "..%2Fx", "../x" },
		{ "caf%C3%A9", "caf\xc3\xa9" },
		{ "%41%ff", "%41%ff" },
		{ "%41x%ff%42", "Ax%ff%42" },
		{ "%c3x%c3%a9", "%c3x\xc3\xa9" },
		{ "%ED%A0%80", "%ED%A0%80" },
		{ "%F0%9F%98%80%e2%82", "%F0%9F%98%80%e2%82" },
		{ "%41%", "A%" },
	};

	(void)state;
	assert_decoded(URL_LITERAL, rows, COUNT(rows));
}

/* canvas.md section 1: bad bytes become U+FFFD, by maximal subparts. */
static void
what_is_not_utf8_is_replaced_for_canvas(void **state)
{
	static const struct row rows[] = {
		{ "%ff", "\xef\xbf\xbd" },
		{ "a%c3", "a\xef\xbf\xbd" },
		{ "%c3x", "\xef\xbf\xbdx" },
		{ "%F0%9F%98x", "\xef\xbf\xbdx" },
		{ "%F0%9F%98%80", "\xf0\x9f\x98\x80" },
		{ "%E0%80%41",
		    "\xef\xbf\xbd\xef\xbf\xbd"
		    "A" },
		{ "%ED%A0%80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "%F0%9F%F0%9F%98%80", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ "%c3%c3%a9", "\xef\xbf\xbd\xc3\xa9" },
		{ "\xc3\xa9%zz", "\xc3\xa9%zz" },
		{ "%C3%", "\xef\xbf\xbd%" },
	};

	(void)state;
	assert_decoded(URL_REPLACE, rows, COUNT(rows));
}

static void
a_target_is_cut_at_its_first_question_mark(void **state)
{
	struct bytes path, query;

	(void)state;
	url_split(BYTES_LIT("/a?b?c"), &path, &query);
	assert_true(bytes_eq(path, BYTES_LIT("/a")));
	assert_true(bytes_eq(query, BYTES_LIT("b?c")));
	url_split(BYTES_LIT("/a"), &path, &query);
	assert_true(bytes_eq(path, BYTES_LIT("/a")));
	assert_null(query.p);
	url_split(BYTES_LIT("/?"), &path, &query);
	assert_true(bytes_eq(path, BYTES_LIT("/")));
	assert_int_equal(query.n, 0);
	assert_non_null(query.p);
	url_split(BYTES_NONE, &path, &query);
	assert_int_equal(path.n, 0);
}

static void
a_query_is_walked_in_order(void **state)
{
	struct bytes q = BYTES_LIT("&&a=1&b&=2&c==&d=&"), name, value;
	static const char *const want[][2] = { { "a", "1" }, { "b", NULL },
		{ "", "2" }, { "c", "=" }, { "d", "" } };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(want); i++) {
		assert_int_equal(url_query_next(&q, &name, &value), 1);
		assert_true(bytes_eq(name, bytes_str(want[i][0])));
		if (want[i][1] == NULL)
			assert_null(value.p);
		else
			assert_true(bytes_eq(value, bytes_str(want[i][1])));
	}
	assert_int_equal(url_query_next(&q, &name, &value), 0);
	assert_int_equal(url_query_next(&q, &name, &value), 0);
}

static void
the_first_parameter_with_that_decoded_name_counts(void **state)
{
	static const struct row rows[] = {
		{ "token=a&token=b", "a" },
		{ "x=1&token=a%20b+c", "a b c" },
		{ "token", "" },
		{ "token=", "" },
		{ "t%6Fken=x&token=y", "x" },
		{ "Token=x&tokens=y&toke=z&token=w", "w" },
		{ "token%00=x&token=y", "y" },
		{ "a=token&token=b=c", "b=c" },
	};
	uint8_t out[16];
	ssize_t n;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		n = url_query_get(bytes_str(rows[i].in), "token", URL_PLUS, out,
		    sizeof(out));
		assert_int_equal(n, strlen(rows[i].want));
		assert_memory_equal(out, rows[i].want, (size_t)n);
	}
	assert_int_equal(url_query_get(BYTES_LIT("a=1"), "token", 0, out,
			     sizeof(out)),
	    URL_ABSENT);
	assert_int_equal(url_query_get(BYTES_NONE, "token", 0, out,
			     sizeof(out)),
	    URL_ABSENT);
	assert_int_equal(url_query_get(BYTES_LIT("t=123"), "t", 0, out, 2), -1);
}

static void
dot_segments_resolve_as_in_a_browser(void **state)
{
	static const struct row rows[] = {
		{ "/", "/" },
		{ "/a/b", "/a/b" },
		{ "/a/", "/a/" },
		{ "//a", "//a" },
		{ "/a/../b", "/b" },
		{ "/a/..", "/" },
		{ "/a/b/..", "/a/" },
		{ "/..", "/" },
		{ "/../../x", "/x" },
		{ "/./x/.", "/x/" },
		{ "/a//..", "/a/" },
		{ "/a//../..", "/" },
		{ "/a/%2e%2E/b", "/b" },
		{ "/a/.%2e/b", "/b" },
		{ "/a/%2E./b", "/b" },
		{ "/a/%2e/b", "/a/b" },
		{ "/a/...", "/a/..." },
		{ "/a/%2e%2e%2e", "/a/%2e%2e%2e" },
		{ "/a/..%2Fx", "/a/..%2Fx" },
		{ "/a/..x", "/a/..x" },
		{ "/a/%2f..", "/a/%2f.." },
		{ "/a\\..\\b", "/b" },
		{ "/ws/../signal/x", "/signal/x" },
	};
	uint8_t out[32];
	struct bytes in;
	ssize_t n;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		in = bytes_str(rows[i].in);
		n = url_path_resolve(out, in.n, in);
		assert_int_equal(n, strlen(rows[i].want));
		assert_memory_equal(out, rows[i].want, (size_t)n);
	}
	assert_int_equal(url_path_resolve(out, 32, BYTES_LIT("a")), -1);
	assert_int_equal(url_path_resolve(out, 32, BYTES_NONE), -1);
	assert_int_equal(url_path_resolve(out, 2, BYTES_LIT("/ab")), -1);
}

static void
segments_are_taken_one_by_one(void **state)
{
	struct bytes path = BYTES_LIT("/ws//a%2Fb/"), seg;
	static const char *const want[] = { "ws", "", "a%2Fb", "" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(want); i++) {
		assert_int_equal(url_segment_next(&path, &seg), 1);
		assert_true(bytes_eq(seg, bytes_str(want[i])));
	}
	assert_int_equal(url_segment_next(&path, &seg), 0);
	path = BYTES_LIT("no slash");
	assert_int_equal(url_segment_next(&path, &seg), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_decoding_gives_octets_once),
		cmocka_unit_test(plus_is_a_space_where_it_is_asked_for),
		cmocka_unit_test(what_is_not_utf8_stays_literal_for_sds),
		cmocka_unit_test(what_is_not_utf8_is_replaced_for_canvas),
		cmocka_unit_test(a_target_is_cut_at_its_first_question_mark),
		cmocka_unit_test(a_query_is_walked_in_order),
		cmocka_unit_test(
		    the_first_parameter_with_that_decoded_name_counts),
		cmocka_unit_test(dot_segments_resolve_as_in_a_browser),
		cmocka_unit_test(segments_are_taken_one_by_one),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
