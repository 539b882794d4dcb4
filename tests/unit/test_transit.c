/*
 * Transit: scalars, composites, codes, what is refused, and the texts of the
 * recorded clients, which must come back as they were.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/transit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct pair {
	const char *in;
	const char *out;
};

static struct transit_cache cache;

/* Reads a text and writes it again.  0, or -1 when it was refused. */
static int
rewrite(struct bytes in, struct transit_cache *codes, struct buf *out)
{
	struct transit_reader *r = malloc(sizeof(*r));
	struct transit_writer w;
	struct transit t;
	int n;

	assert_non_null(r);
	transit_reader_init(r, in);
	transit_writer_init(&w, out, codes);
	while ((n = transit_next(r, &t)) == 1)
		transit_write(&w, &t);
	assert_true(n == 0 || r->reason != NULL);
	n = n == 0 ? transit_writer_done(&w) : (transit_writer_done(&w), -1);
	transit_reader_free(r);
	free(r);
	return (n);
}

static void
assert_rewritten(const char *in, struct transit_cache *codes, const char *want)
{
	struct buf out = BUF_INIT;

	if (rewrite(bytes_str(in), codes, &out) == -1)
		fail_msg("refused: %s", in);
	buf_add_u8(&out, '\0');
	assert_string_equal((const char *)buf_bytes(&out).p, want);
	buf_free(&out);
}

static void
reads_every_scalar_and_writes_it_in_one_form(void **state)
{
	static const struct pair pairs[] = {
		{ "[null,true,false,0,-1]", "[null,true,false,0,-1]" },
		{ "[1.0,1e3,-0,1.5,\"~d2\",\"~d2.5\"]",
		    "[1,1000,0,1.5,2,2.5]" },
		{ "[9007199254740992]", "[9007199254740992]" },
		{ "[9007199254740993]", "[\"~i9007199254740993\"]" },
		{ "[\"~i-9223372036854775808\"]",
		    "[\"~i-9223372036854775808\"]" },
		{ "[1e300,0.1]", "[1e+300,0.1]" },
		{ "[\"a\",\"~~a\",\"~^a\",\"~`a\",\"\"]",
		    "[\"a\",\"~~a\",\"~^a\",\"~`a\",\"\"]" },
		{ "[\"~:a/b\",\"~$sym\",\"~_\",\"~?t\",\"~?f\"]",
		    "[\"~:a/b\",\"~$sym\",null,true,false]" },
		{ "[\"~u00000002-ABCD-3403-2900-000000000000\"]",
		    "[\"~u00000002-abcd-3403-2900-000000000000\"]" },
		{ "[\"~m1795228595361\",\"~m-1\"]",
		    "[\"~m1795228595361\",\"~m-1\"]" },
		{ "[\"~bAAEC\",\"~f1.1\",\"~n99999999999999999999\",\"~zNaN\","
		  "\"~rhttp://x/\",\"~cx\",\"~Xnew\",\"~t2020-01-01\"]",
		    "[\"~bAAEC\",\"~f1.1\",\"~n99999999999999999999\",\"~zNaN\","
		    "\"~rhttp://x/\",\"~cx\",\"~Xnew\",\"~t2020-01-01\"]" },
		{ "[\"\\u00e9\\n\\ud83d\\ude00\\ud800\"]",
		    "[\"\xc3\xa9\\n\xf0\x9f\x98\x80\\ud800\"]" },
		{ "\"~:top\"", "\"~:top\"" },
		{ "[\"~#'\",5]", "[\"~#'\",5]" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(pairs); i++)
		assert_rewritten(pairs[i].in, NULL, pairs[i].out);
}

static void
reads_maps_lists_sets_and_tags_nobody_knows(void **state)
{
	static const char *const same[] = { "[]", "[[],[[]]]", "[\"^ \"]",
		"[\"^ \",\"a\",[1,2],\"b\",[\"^ \"]]", "[\"~#list\",[1,2]]",
		"[\"~#set\",[\"~:a\"]]", "[\"~#cmap\",[[1],2]]",
		"[\"~#new/tag\",[\"^ \",\"a\",null]]", "[[\"~#u\",[1,2]],3]",
		"[\"^ \",\"~i1\",1,\"~?t\",2,\"~_\",3,\"~d1.5\",4]" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(same); i++)
		assert_rewritten(same[i], NULL, same[i]);
}

static void
resolves_codes_in_the_order_in_which_strings_were_seen(void **state)
{
	static const struct pair pairs[] = {
		/* Three characters are too few, four are enough. */
		{ "[\"~:a\",\"~:ab\",\"^0\"]", "[\"~:a\",\"~:ab\",\"~:ab\"]" },
		/* Values are not counted, keys are, of any type. */
		{ "[\"long value\",\"~:key\",\"^0\"]",
		    "[\"long value\",\"~:key\",\"~:key\"]" },
		{ "[[\"^ \",\"name\",1,\"~i12345\",2],[\"^ \",\"^0\",3,\"^1\",4]]",
		    "[[\"^ \",\"name\",1,\"~i12345\",2],"
		    "[\"^ \",\"name\",3,\"~i12345\",4]]" },
		/* The value of a key is a value again. */
		{ "[[\"^ \",\"aaaa\",\"bbbb\",\"cccc\",1],[\"^ \",\"^1\",2]]",
		    "[[\"^ \",\"aaaa\",\"bbbb\",\"cccc\",1],"
		    "[\"^ \",\"cccc\",2]]" },
		/* Uuids as values are not counted, tags are. */
		{ "[\"~u00000002-1484-3403-2900-000000000000\","
		  "[\"~#cmap\",[1,2]],[\"^0\",[3,4]]]",
		    "[\"~u00000002-1484-3403-2900-000000000000\","
		    "[\"~#cmap\",[1,2]],[\"~#cmap\",[3,4]]]" },
		/* UTF-16 code units count: one beyond the BMP is two. */
		{ "[[\"^ \",\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\",1,\"^0\",2],"
		  "[\"^ \",\"\xc3\xa9\xc3\xa9\xc3\xa9\",3]]",
		    "[[\"^ \",\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\",1,"
		    "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\",2],"
		    "[\"^ \",\"\xc3\xa9\xc3\xa9\xc3\xa9\",3]]" },
		/* A code may be the first element, and not a tag. */
		{ "[[\"~:db/add\",1],[\"^0\",2]]",
		    "[[\"~:db/add\",1],[\"~:db/add\",2]]" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(pairs); i++) {
		assert_rewritten(pairs[i].in, NULL, pairs[i].out);
		assert_rewritten(pairs[i].out, &cache, pairs[i].in);
	}
}

/* n different keywords, and then the last of them once more. */
static void
add_keywords(struct buf *out, unsigned n, const char *code)
{
	unsigned i;

	buf_add_u8(out, '[');
	for (i = 0; i < n; i++)
		buf_printf(out, "\"~:k%04u\",", i);
	buf_printf(out, "\"%s\"]", code);
}

static void
starts_the_table_anew_after_1936_strings(void **state)
{
	static const struct {
		unsigned n;
		const char *code;
	} cases[] = { { 44, "^[" }, { 45, "^10" }, { 1936, "^[[" },
		{ 1937, "^0" }, { 1981, "^10" } };
	struct buf in = BUF_INIT, full = BUF_INIT, back = BUF_INIT;
	char last[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		add_keywords(&in, cases[i].n, cases[i].code);
		(void)snprintf(last, sizeof(last), "~:k%04u", cases[i].n - 1);
		add_keywords(&full, cases[i].n, last);
		assert_int_equal(rewrite(buf_bytes(&in), NULL, &back), 0);
		assert_true(bytes_eq(buf_bytes(&back), buf_bytes(&full)));
		buf_clear(&back);
		assert_int_equal(rewrite(buf_bytes(&full), &cache, &back), 0);
		assert_true(bytes_eq(buf_bytes(&back), buf_bytes(&in)));
		buf_clear(&in);
		buf_clear(&full);
		buf_clear(&back);
	}
	buf_free(&in);
	buf_free(&full);
	buf_free(&back);
}

static void
refuses_what_is_no_transit(void **state)
{
	static const char *const bad[] = { "", "[", "[1,]", "{}", "[{}]",
		"[\"^0\"]", "[\"~:ab\",\"^1\"]", "[\"~:ab\",\"^\"]",
		"[\"~:ab\",\"^000\"]", "[\"~:ab\",\"^/\"]",
		"[\"~:ab\",\"^\\\\\"]", "[1,\"^ \"]", "\"^ \"",
		"[\"^ \",\"a\"]", "[\"^ \",[1],2]", "[\"^ \",[\"^ \"],2]",
		"[\"~#tag\"]", "[\"~#tag\",1,2]", "[1,\"~#tag\"]", "\"~#tag\"",
		"[\"~\"]", "[\"~:\"]", "[\"~u123\"]",
		"[\"~u0000000g-1484-3403-2900-000000000000\"]",
		"[\"~u00000002-1484-3403-2900x000000000000\"]", "[\"~i\"]",
		"[\"~i1.5\"]", "[\"~i-\"]", "[\"~i9223372036854775808\"]",
		"[\"~m1e3\"]", "[\"~dNaN\"]", "[\"~d\"]", "[\"~?x\"]",
		"[\"~?\"]", "[\"~_x\"]", "[9223372036854775808]", "[1e999]",
		"[1] 2", "[\"\\u005eab\"]" };
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		if (rewrite(bytes_str(bad[i]), NULL, &out) == 0)
			fail_msg("taken: %s", bad[i]);
		buf_clear(&out);
	}
	buf_free(&out);
}

static void
bounds_the_depth(void **state)
{
	char text[2 * (TRANSIT_DEPTH_MAX + 1) + 1] = "";
	struct buf out = BUF_INIT;
	size_t i, n;

	(void)state;
	for (n = TRANSIT_DEPTH_MAX; n <= TRANSIT_DEPTH_MAX + 1; n++) {
		for (i = 0; i < n; i++) {
			text[i] = '[';
			text[2 * n - 1 - i] = ']';
		}
		assert_int_equal(rewrite(bytes_of(text, 2 * n), NULL, &out),
		    n == TRANSIT_DEPTH_MAX ? 0 : -1);
	}
	buf_free(&out);
}

static void
skips_and_copies_one_value_out_of_many(void **state)
{
	struct transit_reader *r = malloc(sizeof(*r));
	struct buf out = BUF_INIT;
	struct transit t;

	(void)state;
	assert_non_null(r);
	transit_reader_init(r,
	    BYTES_LIT("[[1,[\"~:skip\"],2],[\"^ \",\"key1\",[\"^0\"]],7]"));
	assert_int_equal(transit_next(r, &t), 1);
	assert_int_equal(transit_next(r, &t), 1);
	assert_int_equal(transit_skip(r, &t), 0);
	assert_int_equal(transit_next(r, &t), 1);
	assert_int_equal(t.type, TRANSIT_MAP);
	assert_int_equal(transit_copy(r, &t, &out), 0);
	assert_true(bytes_eq(buf_bytes(&out),
	    BYTES_LIT("[\"^ \",\"key1\",[\"~:skip\"]]")));
	assert_int_equal(transit_next(r, &t), 1);
	assert_int_equal(t.i, 7);
	assert_int_equal(transit_skip(r, &t), 0);
	assert_int_equal(transit_next(r, &t), 1);
	assert_int_equal(t.type, TRANSIT_END);
	assert_int_equal(transit_next(r, &t), 0);
	buf_free(&out);
	transit_reader_free(r);
	free(r);
}

static void
keeps_the_writer_from_ending_what_is_not_open(void **state)
{
	struct transit_writer w;
	struct buf out = BUF_INIT;

	(void)state;
	transit_writer_init(&w, &out, NULL);
	transit_close(&w);
	assert_int_equal(transit_writer_done(&w), -1);
	transit_writer_init(&w, &out, NULL);
	transit_open(&w, TRANSIT_ARRAY);
	assert_int_equal(transit_writer_done(&w), -1);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_scalar_and_writes_it_in_one_form),
		cmocka_unit_test(reads_maps_lists_sets_and_tags_nobody_knows),
		cmocka_unit_test(
		    resolves_codes_in_the_order_in_which_strings_were_seen),
		cmocka_unit_test(starts_the_table_anew_after_1936_strings),
		cmocka_unit_test(refuses_what_is_no_transit),
		cmocka_unit_test(bounds_the_depth),
		cmocka_unit_test(skips_and_copies_one_value_out_of_many),
		cmocka_unit_test(keeps_the_writer_from_ending_what_is_not_open),
	};

	transit_cache_init(&cache);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
