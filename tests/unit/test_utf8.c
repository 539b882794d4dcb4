/*
 * UTF-8: the boundary cases of RFC 3629, and that pieces equal the whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* bad: the offset of the octet at which it must fail; -1 if it is only cut. */
static const struct sample {
	const char *text;
	int bad;
} broken[] = {
	{ "\x80", 0 },
	{ "a\xbf", 1 },
	{ "\xc0\xaf", 0 },
	{ "\xc1\xbf", 0 },
	{ "\xc2\x7f", 1 },
	{ "\xc2\xc2", 1 },
	{ "\xe0\x80\xaf", 1 },
	{ "\xe0\x9f\xbf", 1 },
	{ "\xe1\x80g", 2 },
	{ "\xed\xa0\x80", 1 },
	{ "\xed\xbf\xbf", 1 },
	{ "\xf0\x80\x80\xaf", 1 },
	{ "\xf0\x8f\xbf\xbf", 1 },
	{ "\xf4\x90\x80\x80", 1 },
	{ "\xf5\x80\x80\x80", 0 },
	{ "\xf8\x88\x80\x80\x80", 0 },
	{ "\xfe", 0 },
	{ "\xff", 0 },
	{ "abcdefgh\xf0\x9f\x98x", 11 },
	{ "0123456789abcdef\xffx", 16 },
	{ "\xc2", -1 },
	{ "\xe0\xa0", -1 },
	{ "\xf0\x90\x80", -1 },
	{ "abcdefghi\xf4\x8f\xbf", -1 },
};

static const char *const good[] = { "", "a", "\x7f", "\xc2\x80", "\xdf\xbf",
	"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
	"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbb\xbfgh",
	"plain text longer than one word of eight",
	"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
	"xxxxxxx\xc3\xa9xxxxxxx\xe2\x82\xacxxxxxxxx\xf0\x9f\x98\x80" };

static void
boundary_cases_are_valid(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		assert_true(utf8_valid(bytes_str(good[i])));
	assert_true(utf8_valid(BYTES_LIT("a\0b")));
}

static void
it_fails_at_the_first_octet_that_cannot_be(void **state)
{
	struct utf8 u;
	size_t i;
	int at, rc;

	(void)state;
	for (i = 0; i < COUNT(broken); i++) {
		memset(&u, 0, sizeof(u));
		rc = 0;
		for (at = 0; broken[i].text[at] != '\0' && rc == 0; at++)
			rc = utf8_feed(&u, bytes_of(broken[i].text + at, 1));
		assert_int_equal(rc == -1 ? at - 1 : -1, broken[i].bad);
		assert_false(utf8_done(&u));
		assert_false(utf8_valid(bytes_str(broken[i].text)));
	}
}

static void
a_failure_stays(void **state)
{
	struct utf8 u = { 0, 0, 0 };

	(void)state;
	assert_int_equal(utf8_feed(&u, BYTES_LIT("\xff")), -1);
	assert_int_equal(utf8_feed(&u, BYTES_LIT("a")), -1);
	assert_int_equal(utf8_feed(&u, BYTES_NONE), -1);
	assert_false(utf8_done(&u));
}

static void
every_cut_in_two_gives_the_same(void **state)
{
	struct bytes b;
	struct utf8 u;
	size_t i, cut;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		b = bytes_str(good[i]);
		for (cut = 0; cut <= b.n; cut++) {
			memset(&u, 0, sizeof(u));
			assert_int_equal(utf8_feed(&u, bytes_of(b.p, cut)), 0);
			assert_int_equal(utf8_done(&u),
			    utf8_valid(bytes_of(b.p, cut)));
			assert_int_equal(utf8_feed(&u, bytes_skip(b, cut)), 0);
			assert_true(utf8_done(&u));
		}
	}
}

static void
a_bad_octet_is_found_at_every_place_of_a_word(void **state)
{
	uint8_t text[40];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		memset(text, 'x', sizeof(text));
		text[i] = 0x80;
		assert_false(utf8_valid(bytes_of(text, sizeof(text))));
	}
}

static void
every_code_point_is_encoded_as_itself(void **state)
{
	uint8_t c[4];
	uint32_t cp, back;
	size_t n, i;

	(void)state;
	for (cp = 0; cp <= 0x10ffff; cp++) {
		n = utf8_put(c, cp);
		back = n == 1 ? c[0] : c[0] & (0x7fu >> n);
		for (i = 1; i < n; i++)
			back = back << 6 | (c[i] & 0x3f);
		assert_int_equal(back, cp);
		assert_int_equal(utf8_valid(bytes_of(c, n)),
		    cp < 0xd800 || cp > 0xdfff);
	}
}

static void
the_sequence_at_the_front_is_measured(void **state)
{
	(void)state;
	assert_int_equal(utf8_seq(BYTES_LIT("ab")), 1);
	assert_int_equal(utf8_seq(BYTES_LIT("\xc3\xa9x")), 2);
	assert_int_equal(utf8_seq(BYTES_LIT("\xf0\x9f\x98\x80")), 4);
	assert_int_equal(utf8_seq(BYTES_LIT("\xf0\x9f\x98")), 0);
	assert_int_equal(utf8_seq(BYTES_NONE), 0);
	assert_int_equal(utf8_seq(BYTES_LIT("\xf0\x9f\x98x")), -3);
	assert_int_equal(utf8_seq(BYTES_LIT("\xe0\x80\x80")), -1);
	assert_int_equal(utf8_seq(BYTES_LIT("\xff")), -1);
}

static void
a_cut_never_splits_a_character(void **state)
{
	struct bytes b = BYTES_LIT("ab\xe2\x82\xac"
				   "c");

	(void)state;
	assert_int_equal(utf8_cut(b, 99).n, 6);
	assert_int_equal(utf8_cut(b, 6).n, 6);
	assert_int_equal(utf8_cut(b, 5).n, 5);
	assert_int_equal(utf8_cut(b, 4).n, 2);
	assert_int_equal(utf8_cut(b, 3).n, 2);
	assert_int_equal(utf8_cut(b, 2).n, 2);
	assert_int_equal(utf8_cut(b, 0).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boundary_cases_are_valid),
		cmocka_unit_test(it_fails_at_the_first_octet_that_cannot_be),
		cmocka_unit_test(a_failure_stays),
		cmocka_unit_test(every_cut_in_two_gives_the_same),
		cmocka_unit_test(a_bad_octet_is_found_at_every_place_of_a_word),
		cmocka_unit_test(every_code_point_is_encoded_as_itself),
		cmocka_unit_test(the_sequence_at_the_front_is_measured),
		cmocka_unit_test(a_cut_never_splits_a_character),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
