/*
 * JSON: a conformance table, the cursors, strings and numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const good[] = { "null", "true", "false", "0", "-0", "1",
	"-1", "10", "1.5", "-0.0", "1e5", "1E+5", "1e-5", "0e5", "0.1e10",
	"123456789012345678901234567890", "\"\"", "\"a\"", "[]", "{}", " [ ] ",
	"\t\r\n{ }\n", "[1]", "[1,2]", "[ 1 , 2 ]", "[[],[[]]]", "{\"a\":1}",
	"{ \"a\" : 1 , \"b\" : [ ] }", "{\"\":0}", "{\"a\":1,\"a\":2}",
	"[null,true,false]", "[1e2,{\"x\":[{}]}]",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"", "\"\\u00e9\\u00E9\"",
	"\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00\"", "\"\\ud800\"",
	"\"\\udc00\\ud800\"", "\"\\ud800\\ud800\\udc00\"", "\"\\ud800\\n\"",
	"\"\x7f\"", "\"\xc2\x80\"", "\"\xf4\x8f\xbf\xbf\"",
	"\"\xe2\x80\xa8\xe2\x80\xa9\"", "\"\xef\xbb\xbf\"", "\"\xef\xbf\xbf\"",
	"\"/\"", "\"'\"", "[\"a\",\"b\"]", "\"12345678\\n12345678\"", "1e999",
	"-1e999", "1e-999",
	"[\"a string longer than two words of eight octets\"]" };

static const char *const bad[] = { "", " ", "nul", "nulll", "True", "NaN",
	"Infinity", "-Infinity", "undefined", "[", "]", "{", "}", "[1", "[1,",
	"[1,]", "[,1]", "[,]", "[1 2]", "[1,,2]", "[1}", "{]", "{\"a\":1]",
	"{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\"}", "{\"a\" 1}", "{a:1}",
	"{'a':1}", "{1:1}", "{\"a\":1,}", "{,\"a\":1}", "{\"a\":1,,\"b\":2}",
	"{\"a\":1 \"b\":2}", "{\"a\"::1}", "{null:1}", "{[]:1}", "{\"a\":1}}",
	"[]]", "[] []", "1 2", "null,", "null x", "[1]//x", "/*x*/1", "[1]/**/",
	"#\n1", "01", "-01", "00", "1.", ".5", "-.5", "1.e5", "1e", "1e+",
	"1e5.5", "1.2.3", "+1", "-", "--1", "- 1", "0x10", "1_000", "1,000",
	"1a", "0b1", "1e 5", "1 e5", "\xef\xbc\x91", "\"", "\"a", "'a'",
	"\"\\\"", "\"\\", "\"\\x41\"", "\"\\a\"", "\"\\'\"", "\"\\0\"",
	"\"\\ \"", "\"\\u\"", "\"\\u1\"", "\"\\u12\"", "\"\\u123\"",
	"\"\\u123g\"", "\"\\U1234\"", "\"\\u{41}\"", "\"\\u+123\"",
	"\"\\u 123\"", "\"\n\"", "\"\t\"", "\"\x1f\"", "\"\x01\"",
	"\"12345678\x01\"", "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
	"\"\xed\xbf\xbf\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\"\xc3",
	"\"\x80\"", "\"12345678\x80\"", "\xef\xbb\xbf[]", "\xff\xfe[\x01",
	"[\x0b]", "[\x0c]", "[\xc2\xa0]", "\xe2\x80\xa8[]", "[\"a\"\"b\"]",
	"\"a\"\"b\"", "[\"\\ud800\\u\"]", "[\"\\ud800\\udc0\"]", "\\u005b]",
	"*", "[*]", "[1,*]", "{\"a\":*}" };

static int
parse(struct json *v, struct bytes text, struct json_report *r)
{
	return (json_parse(v, text, JSON_DEPTH_MAX, r));
}

static struct json
must_parse(const char *text)
{
	struct json_report r;
	struct json v;

	if (parse(&v, bytes_str(text), &r) == -1)
		fail_msg("%s: %s at %zu", text, r.reason, r.at);
	return (v);
}

/* What a JSON string literal holds between its quotes. */
static struct bytes
raw(const char *text)
{
	struct json v = must_parse(text);

	assert_int_equal(v.type, JSON_STRING);
	assert_true(json_raw(&v).n == v.text.n - 2);
	return (bytes_of(v.text.p + 1, v.text.n - 2));
}

static void
every_legal_text_is_accepted(void **state)
{
	struct json_report r;
	struct json v;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (parse(&v, bytes_str(good[i]), &r) == -1)
			fail_msg("%s: %s at %zu", good[i], r.reason, r.at);
		assert_null(r.reason);
		assert_int_not_equal(v.type, JSON_NONE);
	}
}

static void
everything_else_is_refused_with_a_reason(void **state)
{
	struct json_report r;
	struct json v;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		if (parse(&v, bytes_str(bad[i]), &r) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(r.reason);
		assert_int_equal(v.type, JSON_NONE);
		assert_true(r.at <= strlen(bad[i]));
	}
	assert_int_equal(parse(&v, BYTES_NONE, &r), -1);
	assert_int_equal(parse(&v, BYTES_LIT("[\0]"), &r), -1);
	assert_int_equal(parse(&v, BYTES_LIT("\"\0\""), &r), -1);
	assert_int_equal(parse(&v, BYTES_LIT("1\0"), &r), -1);
}

/* Cut anywhere, a text that ends in a bracket or quote is no text. */
static void
no_prefix_of_a_text_is_a_text(void **state)
{
	static const char *const texts[] = {
		"{\"a\":[1,-2.5e3,\"x\\n\\ud83d\\ude00\xc3\xa9\",null]}",
		"{\"b\":{\"c\":true,\"d\":false}}",
		"[[],{},\"\"]",
		"\"text of more than eight octets\\u00e9\"",
	};
	struct json_report r;
	struct json v;
	uint8_t *copy;
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		for (n = 0; n < strlen(texts[i]); n++) {
			copy = malloc(n > 0 ? n : 1);
			assert_non_null(copy);
			memcpy(copy, texts[i], n);
			assert_int_equal(parse(&v, bytes_of(copy, n), &r), -1);
			free(copy);
		}
		must_parse(texts[i]);
	}
}

static void
the_value_is_given_without_its_blanks(void **state)
{
	struct json v;

	(void)state;
	v = must_parse(" \n[1, 2] \t");
	assert_int_equal(v.type, JSON_ARRAY);
	assert_true(bytes_eq(v.text, BYTES_LIT("[1, 2]")));
	v = must_parse(" -1.5e3 ");
	assert_int_equal(v.type, JSON_NUMBER);
	assert_true(bytes_eq(v.text, BYTES_LIT("-1.5e3")));
	v = must_parse(" \"a\" ");
	assert_true(bytes_eq(v.text, BYTES_LIT("\"a\"")));
	assert_true(bytes_eq(json_raw(&v), BYTES_LIT("a")));
	assert_int_equal(must_parse("true").type, JSON_TRUE);
	assert_int_equal(must_parse("false").type, JSON_FALSE);
	assert_int_equal(must_parse("null").type, JSON_NULL);
	assert_int_equal(must_parse("{}").type, JSON_OBJECT);
}

static void
depth_is_limited_to_the_level(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 4];
	struct json_report r;
	struct json v;
	size_t d;

	(void)state;
	for (d = 1; d <= JSON_DEPTH_MAX + 1; d++) {
		memset(text, '[', d);
		memset(text + d, ']', d);
		assert_int_equal(parse(&v, bytes_of(text, 2 * d), &r),
		    d > JSON_DEPTH_MAX ? -1 : 0);
		if (d <= JSON_DEPTH_MAX)
			assert_int_equal(r.depth, d);
	}
	assert_string_equal(r.reason, "nested too deeply");
	assert_int_equal(json_parse(&v, BYTES_LIT("[{\"a\":[]}]"), 3, &r), 0);
	assert_int_equal(json_parse(&v, BYTES_LIT("[{\"a\":[]}]"), 2, &r), -1);
	assert_int_equal(json_parse(&v, BYTES_LIT("1"), 0, &r), 0);
	assert_int_equal(json_parse(&v, BYTES_LIT("[]"), 0, &r), -1);
	/* Brackets must match on every level, also beyond one word of bits. */
	memset(text, '[', 130);
	text[64] = '{';
	assert_int_equal(parse(&v, bytes_of(text, 130), &r), -1);
	assert_int_equal(r.at, 65);
}

static void
brackets_match_at_any_depth(void **state)
{
	struct buf b = BUF_INIT;
	struct json_report r;
	struct json v;
	int i, wrong;

	(void)state;
	for (wrong = -1; wrong < 200; wrong += 67) {
		buf_clear(&b);
		for (i = 0; i < 200; i++)
			buf_add_str(&b, i % 3 == 0 ? "{\"a\":" : "[");
		buf_add_str(&b, "1");
		for (i = 199; i >= 0; i--)
			buf_add_str(&b,
			    (i % 3 == 0) != (i == wrong) ? "}" : "]");
		assert_int_equal(parse(&v, buf_bytes(&b), &r),
		    wrong == -1 ? 0 : -1);
	}
	buf_free(&b);
}

static void
lone_surrogates_and_huge_numbers_are_reported(void **state)
{
	static const struct {
		const char *text;
		unsigned flags;
	} rows[] = {
		{ "\"\\ud83d\\ude00\"", 0 },
		{ "\"\\ud83d\"", JSON_HAS_LONE },
		{ "\"\\ude00\"", JSON_HAS_LONE },
		{ "\"\\ude00\\ud83d\"", JSON_HAS_LONE },
		{ "\"\\ud83d\\ud83d\\ude00\"", JSON_HAS_LONE },
		{ "\"\\ud83dx\\ude00\"", JSON_HAS_LONE },
		{ "{\"\\ud800\":1}", JSON_HAS_LONE },
		{ "\"\\\\ud83d\"", 0 },
		{ "1e308", 0 },
		{ "1.8e308", JSON_HAS_HUGE },
		{ "-1e309", JSON_HAS_HUGE },
		{ "[1e99999999999999999999]", JSON_HAS_HUGE },
		{ "1e-99999999999999999999", 0 },
		{ "0e99999999999999999999", 0 },
		{ "1.7976931348623157e308", 0 },
		{ "1.7976931348623159e308", JSON_HAS_HUGE },
		{ "[\"\\udfff\",1e999]", JSON_HAS_LONE | JSON_HAS_HUGE },
	};
	struct json_report r;
	struct json v;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parse(&v, bytes_str(rows[i].text), &r), 0);
		if (r.flags != rows[i].flags)
			fail_msg("%u for %s", r.flags, rows[i].text);
	}
}

static void
a_plain_integer_may_be_huge_too(void **state)
{
	char text[400];
	struct json_report r;
	struct json v;

	(void)state;
	memset(text, '9', sizeof(text));
	assert_int_equal(parse(&v, bytes_of(text, 308), &r), 0);
	assert_int_equal(r.flags, 0);
	assert_int_equal(parse(&v, bytes_of(text, 309), &r), 0);
	assert_int_equal(r.flags, JSON_HAS_HUGE);
}

static void
members_are_walked_in_order(void **state)
{
	static const char *const want[][2] = { { "a", "1" },
		{ "b", "[1,{\"x\":\"]}\"}]" }, { "c\\\"", "\"\\\"\\\\\"" },
		{ "", "{}" }, { "d", "null" } };
	struct json v = must_parse(" { \"a\" : 1 ,\"b\":[1,{\"x\":\"]}\"}],"
				   "\"c\\\"\":\"\\\"\\\\\" , \"\" :{},"
				   "\"d\":\nnull\n}");
	struct json_iter it;
	struct bytes key;
	struct json e;
	size_t i;

	(void)state;
	json_iter_init(&it, &v);
	for (i = 0; i < COUNT(want); i++) {
		assert_int_equal(json_iter_next(&it, &key, &e), 1);
		assert_true(bytes_eq(key, bytes_str(want[i][0])));
		assert_true(bytes_eq(e.text, bytes_str(want[i][1])));
	}
	assert_int_equal(json_iter_next(&it, &key, &e), 0);
	assert_int_equal(json_iter_next(&it, &key, &e), 0);
}

static void
elements_are_walked_in_order(void **state)
{
	static const enum json_type want[] = { JSON_NULL, JSON_TRUE, JSON_FALSE,
		JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };
	struct json v = must_parse("[null , true,false,-1,\"[\",[[]],{}]");
	struct json_iter it;
	struct json e;
	size_t i;

	(void)state;
	json_iter_init(&it, &v);
	for (i = 0; i < COUNT(want); i++) {
		assert_int_equal(json_iter_next(&it, NULL, &e), 1);
		assert_int_equal(e.type, want[i]);
	}
	assert_int_equal(json_iter_next(&it, NULL, &e), 0);
	v = must_parse("[]");
	json_iter_init(&it, &v);
	assert_int_equal(json_iter_next(&it, NULL, &e), 0);
	v = must_parse("\"[1]\"");
	json_iter_init(&it, &v);
	assert_int_equal(json_iter_next(&it, NULL, &e), 0);
}

static void
the_last_duplicate_counts_and_is_told(void **state)
{
	static const char *const names[] = { "a", "b", "z" };
	struct json v = must_parse("{\"a\":1,\"b\":2,\"\\u0061\":3,\"c\":4,"
				   "\"c\":5}");
	struct json got[3], one;

	(void)state;
	assert_int_equal(json_find(&v, "a", &one), 2);
	assert_true(bytes_eq(one.text, BYTES_LIT("3")));
	assert_int_equal(json_find(&v, "b", &one), 1);
	assert_int_equal(json_find(&v, "A", &one), 0);
	assert_int_equal(one.type, JSON_NONE);
	assert_int_equal(json_find_all(&v, names, got, 3), 1);
	assert_true(bytes_eq(got[0].text, BYTES_LIT("3")));
	assert_true(bytes_eq(got[1].text, BYTES_LIT("2")));
	assert_int_equal(got[2].type, JSON_NONE);
	v = must_parse("[\"a\",1]");
	assert_int_equal(json_find(&v, "a", &one), 0);
}

static void
tokens_come_one_by_one(void **state)
{
	static const struct {
		enum json_type type;
		const char *text;
	} want[] = { { JSON_OBJECT, "{" }, { JSON_KEY, "\"a\"" },
		{ JSON_ARRAY, "[" }, { JSON_NUMBER, "1" },
		{ JSON_TRUE, "true" }, { JSON_CLOSE, "]" },
		{ JSON_KEY, "\"b\"" }, { JSON_STRING, "\"x\"" },
		{ JSON_CLOSE, "}" } };
	struct json_scan s;
	struct json t;
	size_t i;

	(void)state;
	json_scan_init(&s, BYTES_LIT("{\"a\" : [1, true], \"b\":\"x\"} "), 2);
	for (i = 0; i < COUNT(want); i++) {
		assert_int_equal(json_scan_next(&s, &t), 1);
		assert_int_equal(t.type, want[i].type);
		assert_true(bytes_eq(t.text, bytes_str(want[i].text)));
	}
	assert_int_equal(json_scan_next(&s, &t), 0);
	assert_int_equal(json_scan_next(&s, &t), 0);
	json_scan_init(&s, BYTES_LIT("[1,]"), 2);
	assert_int_equal(json_scan_next(&s, &t), 1);
	assert_int_equal(json_scan_next(&s, &t), 1);
	assert_int_equal(json_scan_next(&s, &t), -1);
	assert_int_equal(json_scan_next(&s, &t), -1);
}

static void
count(void *arg)
{
	++*(size_t *)arg;
}

/* Of each kind a text of eight rests: its beginning, what repeats, its end. */
static void
a_long_text_rests_wherever_it_is_long(void **state)
{
	static const char *const kinds[][3] = { { "\"", "x", "\"" },
		{ "\"", "\xc3\xa9", "\"" }, { "\"", "\\ud83d\\ude00", "\"" },
		{ "\"x", "\\n", "\"" }, { "[", "1,", "1]" },
		{ "[", "\"a\" ,", "null]" }, { "{", "\"a\":{},", "\"b\":1}" } };
	struct json_report report;
	struct buf text = BUF_INIT;
	struct json v;
	size_t i, rests;

	(void)state;
	for (i = 0; i < COUNT(kinds); i++) {
		buf_clear(&text);
		buf_add_str(&text, kinds[i][0]);
		while (text.len < 8 * JSON_REST_OCTETS)
			buf_add_str(&text, kinds[i][1]);
		buf_add_str(&text, kinds[i][2]);
		rests = 0;
		assert_int_equal(json_parse_resting(&v, buf_bytes(&text), 2,
				     &report, count, &rests),
		    0);
		assert_int_equal(v.text.n, text.len);
		assert_in_range(rests, 7, 8);
		buf_trunc(&text, text.len - 1);
		assert_int_equal(json_parse_resting(&v, buf_bytes(&text), 2,
				     &report, count, &rests),
		    -1);
	}
	buf_free(&text);
}

static int
members(const char *text)
{
	struct json_scan s;
	struct json t;
	int n = 0, rc;

	json_scan_members(&s, bytes_str(text), 3);
	while ((rc = json_scan_next(&s, &t)) == 1)
		n += t.type == JSON_KEY;
	return (rc == -1 ? -1 : n);
}

static void
members_are_scanned_without_their_braces(void **state)
{
	(void)state;
	assert_int_equal(members(""), 0);
	assert_int_equal(members(" "), 0);
	assert_int_equal(members("\"a\":1"), 1);
	assert_int_equal(members("\"a\":{},\"b\":[{\"c\":2}] "), 3);
	assert_int_equal(members("\"a\":[[[]]]"), -1);
	assert_int_equal(members("\"a\""), -1);
	assert_int_equal(members("\"a\":"), -1);
	assert_int_equal(members("\"a\":1,"), -1);
	assert_int_equal(members("\"a\":[1"), -1);
	assert_int_equal(members("\"a\":1}"), -1);
	assert_int_equal(members("}"), -1);
	assert_int_equal(members("\"a\":1},{\"b\":2"), -1);
	assert_int_equal(members("1"), -1);
}

static void
what_may_stand_between_quotes_is_told(void **state)
{
	(void)state;
	assert_true(json_raw_ok(BYTES_LIT("")));
	assert_true(
	    json_raw_ok(BYTES_LIT("plain, and long enough \\\" \\u20ac")));
	assert_true(json_raw_ok(BYTES_LIT("\xe2\x82\xac")));
	assert_false(json_raw_ok(BYTES_LIT("plain, and long enough \"")));
	assert_false(json_raw_ok(BYTES_LIT("\\")));
	assert_false(json_raw_ok(BYTES_LIT("\\u20a")));
	assert_false(json_raw_ok(BYTES_LIT("\n")));
	assert_false(json_raw_ok(BYTES_LIT("\xe2\x82")));
}

static const struct text_row {
	const char *json;
	const char *text;
} texts[] = {
	{ "\"\"", "" },
	{ "\"plain\"", "plain" },
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
	{ "\"\\u0041\\u00e9\\u20ac\"", "A\xc3\xa9\xe2\x82\xac" },
	{ "\"x\\ud83d\\ude00y\"", "x\xf0\x9f\x98\x80y" },
	{ "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf" },
	{ "\"\\ud800\\udc00\"", "\xf0\x90\x80\x80" },
	{ "\"\\ud83d\"", "\xed\xa0\xbd" },
	{ "\"\\ude00\\ud83d\"", "\xed\xb8\x80\xed\xa0\xbd" },
	{ "\"\\ud83d\\ud83d\"", "\xed\xa0\xbd\xed\xa0\xbd" },
	{ "\"\\ud83d\\u0041\"",
	    "\xed\xa0\xbd"
	    "A" },
	{ "\"\xc3\xa9\\n\xf0\x9f\x98\x80\"", "\xc3\xa9\n\xf0\x9f\x98\x80" },
};

static void
strings_decode_to_utf8_or_wtf8(void **state)
{
	struct buf b = BUF_INIT;
	struct bytes r, want;
	uint8_t out[32];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		r = raw(texts[i].json);
		want = bytes_str(texts[i].text);
		assert_int_equal(json_raw_decode(out, want.n, r), want.n);
		assert_memory_equal(out, want.p, want.n);
		if (want.n > 0)
			assert_int_equal(json_raw_decode(out, want.n - 1, r),
			    -1);
		buf_add_str(&b, "<");
		assert_int_equal(json_raw_append(&b, r), 0);
		assert_int_equal(b.len, 1 + want.n);
		assert_memory_equal(b.mem + b.off + 1, want.p, want.n);
		assert_int_equal(json_raw_plain(r), bytes_eq(r, want));
		buf_clear(&b);
	}
	assert_int_equal(json_raw_decode(out, 1, raw("\"\\u0000\"")), 1);
	assert_int_equal(out[0], 0);
	buf_free(&b);
}

static void
strings_compare_by_their_value(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(texts); i++)
		for (j = 0; j < COUNT(texts); j++)
			assert_int_equal(json_raw_eq(raw(texts[i].json),
					     bytes_str(texts[j].text)),
			    i == j);
	assert_true(json_raw_eq(raw("\"\\u0065\""), BYTES_LIT("e")));
	assert_true(json_raw_eq(raw("\"t\\u0079pe\""), BYTES_LIT("type")));
	assert_false(json_raw_eq(raw("\"t\\u0079p\""), BYTES_LIT("type")));
	assert_false(json_raw_eq(raw("\"\\u0074ypes\""), BYTES_LIT("type")));
	assert_false(json_raw_eq(raw("\"type\\u0000\""), BYTES_LIT("type")));
}

/* As JSON.stringify of ECMAScript 2019 and later writes them. */
static void
strings_are_written_as_ecmascript_does(void **state)
{
	static const struct text_row rows[] = {
		{ "\"\"", "" },
		{ "\"a/b\x7f'\"", "a/b\x7f'" },
		{ "\"\\\"\\\\\\b\\t\\n\\f\\r\"", "\"\\\b\t\n\f\r" },
		{ "\"\\u0001\\u000b\\u001f\"", "\x01\x0b\x1f" },
		{ "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\"",
		    "\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80" },
		{ "\"\\ud83dx\\udfff\"", "\xed\xa0\xbdx\xed\xbf\xbf" },
		{ "\"\xed\x9f\xbf\"", "\xed\x9f\xbf" },
	};
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(json_quote(&b, bytes_str(rows[i].text)), 0);
		assert_int_equal(b.len, strlen(rows[i].json));
		assert_memory_equal(b.mem + b.off, rows[i].json, b.len);
		buf_clear(&b);
	}
	assert_int_equal(json_quote(&b, BYTES_LIT("a\0b")), 0);
	assert_int_equal(b.len, 10);
	assert_memory_equal(b.mem + b.off, "\"a\\u0000b\"", 10);
	buf_free(&b);
}

static void
what_is_not_utf8_is_not_written(void **state)
{
	static const char *const rows[] = { "\xff", "ab\xc3", "\xed\xa0",
		"\xc0\x80", "\xf4\x90\x80\x80", "good\n\x80" };
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	buf_add_str(&b, "kept");
	for (i = 0; i < COUNT(rows); i++) {
		errno = 0;
		assert_int_equal(json_quote(&b, bytes_str(rows[i])), -1);
		assert_int_equal(errno, EILSEQ);
		assert_int_equal(b.len, 4);
		assert_memory_equal(b.mem + b.off, "kept", 4);
	}
	buf_free(&b);
}

static void
integers_are_exact_or_refused(void **state)
{
	static const struct {
		const char *text;
		int ok, uok;
		int64_t n;
		uint64_t u;
	} rows[] = {
		{ "0", 1, 1, 0, 0 },
		{ "-0", 1, 1, 0, 0 },
		{ "-1", 1, 0, -1, 0 },
		{ "9007199254740993", 1, 1, 9007199254740993,
		    9007199254740993 },
		{ "9223372036854775807", 1, 1, INT64_MAX, INT64_MAX },
		{ "9223372036854775808", 0, 1, 0, (uint64_t)INT64_MAX + 1 },
		{ "-9223372036854775808", 1, 0, INT64_MIN, 0 },
		{ "-9223372036854775809", 0, 0, 0, 0 },
		{ "18446744073709551615", 0, 1, 0, UINT64_MAX },
		{ "18446744073709551616", 0, 0, 0, 0 },
		{ "99999999999999999999999", 0, 0, 0, 0 },
		{ "1.0", 0, 0, 0, 0 },
		{ "1e3", 0, 0, 0, 0 },
		{ "\"1\"", 0, 0, 0, 0 },
		{ "null", 0, 0, 0, 0 },
		{ "[1]", 0, 0, 0, 0 },
	};
	struct json v;
	int64_t n;
	uint64_t u;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		v = must_parse(rows[i].text);
		assert_int_equal(json_int64(&v, &n), rows[i].ok ? 0 : -1);
		if (rows[i].ok)
			assert_true(n == rows[i].n);
		assert_int_equal(json_uint64(&v, &u), rows[i].uok ? 0 : -1);
		if (rows[i].uok)
			assert_true(u == rows[i].u);
	}
}

static void
safe_integers_may_be_spelled_as_they_like(void **state)
{
	static const struct {
		const char *text;
		int64_t n;
	} fine[] = { { "1e3", 1000 }, { "1.0", 1 }, { "-0", 0 }, { "0e5", 0 },
		{ "0.0", 0 }, { "1.5e1", 15 }, { "120E-1", 12 },
		{ "9007199254740991", 9007199254740991 },
		{ "-9007199254740991", -9007199254740991 },
		{ "9.007199254740991e15", 9007199254740991 } };
	static const char *const not [] = { "0.5", "1e-1", "9007199254740992",
		"-9007199254740992", "1e16", "1e999", "\"1\"", "true" };
	struct json v;
	int64_t n;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(fine); i++) {
		v = must_parse(fine[i].text);
		assert_int_equal(json_safe_int(&v, &n), 0);
		assert_true(n == fine[i].n);
	}
	for (i = 0; i < COUNT(not ); i++) {
		v = must_parse(not [i]);
		assert_int_equal(json_safe_int(&v, &n), -1);
	}
}

static void
doubles_are_the_nearest(void **state)
{
	static const struct {
		const char *text;
		double d;
	} rows[] = {
		{ "0", 0 },
		{ "0.1", 0.1 },
		{ "-12.5", -12.5 },
		{ "1e-7", 1e-7 },
		{ "123456789012345678", 123456789012345678.0 },
		{ "0.000123e5", 12.3 },
		{ "5e-324", 5e-324 },
		{ "2e-324", 0 },
		{ "2.2250738585072014e-308", 2.2250738585072014e-308 },
		{ "1.7976931348623157e308", 1.7976931348623157e308 },
		{ "9007199254740993", 9007199254740992.0 },
		{ "9007199254740993.00000000000000000001", 9007199254740994.0 },
		{ "0.00000000000000000000000000000000000001e38", 1 },
	};
	struct json v;
	double d;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		v = must_parse(rows[i].text);
		assert_int_equal(json_double(&v, &d), 0);
		if (d < rows[i].d || d > rows[i].d)
			fail_msg("%s: %.17g", rows[i].text, d);
	}
	v = must_parse("-0");
	assert_int_equal(json_double(&v, &d), 0);
	assert_true(d == 0 && 1 / d < 0);
	v = must_parse("-1e400");
	assert_int_equal(json_double(&v, &d), -1);
	assert_true(d < -1e308);
	v = must_parse("\"1\"");
	assert_int_equal(json_double(&v, &d), -1);
}

/* A tie that only a digit far behind the last kept one decides. */
static void
no_digit_is_too_far_away_to_count(void **state)
{
	struct buf b = BUF_INIT;
	struct json_report r;
	struct json v;
	double d;
	int i;

	(void)state;
	buf_add_str(&b, "9007199254740993.");
	for (i = 0; i < 2000; i++)
		buf_add_str(&b, "0");
	assert_int_equal(parse(&v, buf_bytes(&b), &r), 0);
	assert_int_equal(json_double(&v, &d), 0);
	assert_true(d == 9007199254740992.0);
	buf_add_str(&b, "1");
	assert_int_equal(parse(&v, buf_bytes(&b), &r), 0);
	assert_int_equal(json_double(&v, &d), 0);
	assert_true(d == 9007199254740994.0);
	buf_add_str(&b, "e-1000");
	assert_int_equal(parse(&v, buf_bytes(&b), &r), 0);
	assert_int_equal(json_double(&v, &d), 0);
	assert_true(d == 0);
	buf_free(&b);
}

static void
digits_beyond_the_doubles_may_be_taken_back(void **state)
{
	struct buf b = BUF_INIT;
	struct json_report r;
	struct json v;
	double d;
	int i;

	(void)state;
	buf_add_str(&b, "25");
	for (i = 0; i < 2000; i++)
		buf_add_str(&b, "0");
	buf_add_str(&b, "e-2001");
	assert_int_equal(parse(&v, buf_bytes(&b), &r), 0);
	assert_int_equal(r.flags, 0);
	assert_int_equal(json_double(&v, &d), 0);
	assert_true(d == 2.5);
	buf_free(&b);
}

static void
special_octets_are_found_at_every_place_of_a_word(void **state)
{
	static const struct {
		uint8_t octet;
		int rc;
	} rows[] = { { '"', 0 }, { '\\', -1 }, { 0x1f, -1 }, { 0x80, -1 },
		{ 0, -1 } };
	uint8_t text[40];
	struct json_report r;
	struct json v;
	size_t i, at;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		for (at = 1; at < sizeof(text) - 1; at++) {
			memset(text, 'x', sizeof(text));
			text[0] = '"';
			text[at] = rows[i].octet;
			text[sizeof(text) - 1] = '"';
			assert_int_equal(parse(&v, bytes_of(text, at + 1), &r),
			    rows[i].rc);
			assert_int_equal(parse(&v, bytes_of(text, sizeof(text)),
					     &r),
			    -1);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_legal_text_is_accepted),
		cmocka_unit_test(everything_else_is_refused_with_a_reason),
		cmocka_unit_test(no_prefix_of_a_text_is_a_text),
		cmocka_unit_test(the_value_is_given_without_its_blanks),
		cmocka_unit_test(depth_is_limited_to_the_level),
		cmocka_unit_test(brackets_match_at_any_depth),
		cmocka_unit_test(lone_surrogates_and_huge_numbers_are_reported),
		cmocka_unit_test(a_plain_integer_may_be_huge_too),
		cmocka_unit_test(members_are_walked_in_order),
		cmocka_unit_test(elements_are_walked_in_order),
		cmocka_unit_test(the_last_duplicate_counts_and_is_told),
		cmocka_unit_test(tokens_come_one_by_one),
		cmocka_unit_test(a_long_text_rests_wherever_it_is_long),
		cmocka_unit_test(strings_decode_to_utf8_or_wtf8),
		cmocka_unit_test(strings_compare_by_their_value),
		cmocka_unit_test(strings_are_written_as_ecmascript_does),
		cmocka_unit_test(what_is_not_utf8_is_not_written),
		cmocka_unit_test(integers_are_exact_or_refused),
		cmocka_unit_test(safe_integers_may_be_spelled_as_they_like),
		cmocka_unit_test(members_are_scanned_without_their_braces),
		cmocka_unit_test(what_may_stand_between_quotes_is_told),
		cmocka_unit_test(doubles_are_the_nearest),
		cmocka_unit_test(no_digit_is_too_far_away_to_count),
		cmocka_unit_test(digits_beyond_the_doubles_may_be_taken_back),
		cmocka_unit_test(
		    special_octets_are_found_at_every_place_of_a_word),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
