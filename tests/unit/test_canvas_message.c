/* What canvas clients say, taken apart and put together again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/limits.h"
#include "worker/canvas_message.h"
#include "worker/canvas_presence.h"
#include "common/json.h"

static const struct canvas_shape shape = { 64, 1000 };

static enum canvas_said
parse(struct canvas_message *m, const char *text)
{
	assert_int_equal(canvas_message_parse(m, bytes_str(text), &shape), 0);
	return (m->said);
}

static void
assert_buf(const struct buf *b, const char *want)
{
	assert_int_equal(b->len, strlen(want));
	assert_memory_equal(buf_bytes(b).p, want, b->len);
}

/* documentPatches and what they are for everybody else; NULL: refused. */
static void
assert_cut(const char *doc, const char *want)
{
	struct buf text = BUF_INIT, out = BUF_INIT;
	struct canvas_message m;

	buf_printf(&text,
	    "{\"type\":\"patch\",\"messageId\":\"\",\"documentPatches\":%s}",
	    doc);
	buf_add_u8(&text, 0);
	assert_int_equal(parse(&m, (const char *)buf_bytes(&text).p),
	    want == NULL ? CANVAS_SAID_NOTHING : CANVAS_SAID_PATCH);
	if (want != NULL) {
		assert_int_equal(canvas_items_text(&out, buf_bytes(&m.doc)), 0);
		assert_buf(&out, want);
	}
	canvas_message_free(&m);
	buf_free(&text);
	buf_free(&out);
}

static void
three_messages_are_known_and_nothing_else(void **state)
{
	static const char *const others[] = { "", "null", "[]", "{}", "7",
		"\"patch\"", "{\"type\":null}", "{\"type\":\"PATCH\"}",
		"{\"type\":\"patch\"}", "{\"type\":\"patch\",\"messageId\":7}",
		"{\"type\":[\"patch\"],\"messageId\":\"\"}",
		"\357\273\277{\"type\":\"auth-refresh\"}",
		"{\"type\":\"ack\"}" };
	struct canvas_message m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(parse(&m, others[i]), CANVAS_SAID_NOTHING);
		canvas_message_free(&m);
	}
	assert_int_equal(parse(&m,
			     "{\"type\":\"x\",\"\\u0074ype\":\"patch\","
			     "\"messageId\":\"a\\\"\\u0041\\n\"}"),
	    CANVAS_SAID_PATCH);
	assert_buf(&m.id, "a\\\"A\\n");
	assert_int_equal(m.doc.len + m.present.len, 0);
	canvas_message_free(&m);
	assert_int_equal(parse(&m,
			     "{\"type\":\"auth-refresh\","
			     "\"token\":\"\\u0061.b\"}"),
	    CANVAS_SAID_REFRESH);
	assert_buf(&m.token, "a.b");
	canvas_message_free(&m);
}

static void
a_reconnect_says_since_when_and_in_which_version(void **state)
{
	static const struct {
		const char *since;
		uint64_t want;
	} rows[] = { { "0", 0 }, { "7", 7 }, { "1.5", 1 }, { "-3", 0 },
		{ "1e3", 1000 }, { "\"7\"", 0 }, { "null", 0 }, { "[9]", 0 },
		{ "9007199254740993", (uint64_t)1 << 53 },
		{ "1e999", (uint64_t)1 << 53 } };
	static const char *const other_versions[] = { "1", "3", "2.5", "\"2\"",
		"null", "true", "[2]", "1e999" };
	struct buf text = BUF_INIT;
	struct canvas_message m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&text);
		buf_printf(&text,
		    "{\"type\":\"reconnect\",\"lastTimestamp\":%s,"
		    "\"protocolVersion\":2.0}",
		    rows[i].since);
		buf_add_u8(&text, 0);
		assert_int_equal(parse(&m, (const char *)buf_bytes(&text).p),
		    CANVAS_SAID_RECONNECT);
		assert_true(m.version_ok);
		assert_int_equal(m.since, rows[i].want);
		canvas_message_free(&m);
	}
	for (i = 0; i < sizeof(other_versions) / sizeof(char *); i++) {
		buf_clear(&text);
		buf_printf(&text,
		    "{\"type\":\"reconnect\",\"protocolVersion\":%s,"
		    "\"documentPatches\":null}",
		    other_versions[i]);
		buf_add_u8(&text, 0);
		assert_int_equal(parse(&m, (const char *)buf_bytes(&text).p),
		    CANVAS_SAID_RECONNECT);
		assert_false(m.version_ok);
		canvas_message_free(&m);
	}
	buf_free(&text);
}

static void
patches_are_passed_on_as_ecmascript_would_write_them(void **state)
{
	(void)state;
	assert_cut("[]", "[]");
	assert_cut("[ { } , {\"a\" : { } } ]", "[{},{\"a\":{}}]");
	assert_cut("[{\"\":{\"x\":[ ],\"y\":{ }}},{}]",
	    "[{\"\":{\"x\":[],\"y\":{}}},{}]");
	assert_cut(
	    "[{\"a\":{\"s\":\"\\u00e9\\/\\u0001\\t\\ud83d\\ude00\\uD83D\","
	    "\"n\":[1.50,-0,1E5,true,false,null,{\"k\" :\"\\u0041\"}]},"
	    "\"b\":{\"_exists\":false}}]",
	    "[{\"a\":{\"s\":\"\303\251/\\u0001\\t\360\237\230\200\\ud83d\","
	    "\"n\":[1.50,-0,1E5,true,false,null,{\"k\":\"A\"}]},"
	    "\"b\":{\"_exists\":false}}]");
	assert_cut("[{\"a\":{\"n\":1e999,\"m\":[-1e999,1e308]}}]",
	    "[{\"a\":{\"n\":null,\"m\":[null,1e308]}}]");
}

static void
of_members_with_one_name_the_last_value_counts_at_the_first_place(void **state)
{
	(void)state;
	assert_cut("[{\"a\":{\"x\":1,\"y\":2,\"\\u0078\":3},\"b\":{\"z\":1},"
		   "\"a\":{\"y\":1,\"x\":2,\"y\":3}}]",
	    "[{\"a\":{\"y\":3,\"x\":2},\"b\":{\"z\":1}}]");
}

static void
a_delta_is_one_only_as_a_fields_value_and_then_it_must_be_sound(void **state)
{
	static const char *const bad[] = { "", ",\"len\":2", ",\"runs\":[]",
		",\"len\":-1,\"runs\":[]", ",\"len\":1.5,\"runs\":[]",
		",\"len\":1001,\"runs\":[]", ",\"len\":null,\"runs\":[]",
		",\"len\":1,\"runs\":{}", ",\"len\":1,\"runs\":[null]",
		",\"len\":1,\"runs\":[[]]", ",\"len\":1,\"runs\":[[0]]",
		",\"len\":1,\"runs\":[[0,[1],2]]",
		",\"len\":1,\"runs\":[[0.5,[1]]]",
		",\"len\":1,\"runs\":[[1e300,[1]]]",
		",\"len\":1,\"runs\":[[0,1]]",
		",\"len\":1,\"runs\":[[0,[[]]]]" };
	struct buf text = BUF_INIT;
	size_t i;

	(void)state;
	assert_cut("[{\"a\":{\"p\":{\"runs\":[[1.0,[2,null]],[-5,[]]],"
		   "\"len\":1e3,\"__buf\":1.0,\"more\":1}}}]",
	    "[{\"a\":{\"p\":{\"__buf\":1,\"len\":1000,"
	    "\"runs\":[[1,[2,null]],[-5,[]]]}}}]");
	assert_cut("[{\"a\":{\"p\":[{\"__buf\":1}],\"q\":{\"__buf\":\"1\"}}}]",
	    "[{\"a\":{\"p\":[{\"__buf\":1}],\"q\":{\"__buf\":\"1\"}}}]");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&text);
		buf_printf(&text, "[{\"a\":{\"p\":{\"__buf\":1%s}}}]", bad[i]);
		buf_add_u8(&text, 0);
		assert_cut((const char *)buf_bytes(&text).p, NULL);
	}
	buf_free(&text);
}

static void
what_has_another_shape_is_refused_as_a_whole(void **state)
{
	static const char *const bad[] = { "null", "\"abc\"", "{}", "7",
		"[null]", "[{},7]", "[[]]", "[{\"a\":null}]", "[{\"a\":\"b\"}]",
		"[{\"a\":[]}]", "[{\"a\":{\"x\":1}},{\"b\":1}]" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_cut(bad[i], NULL);
}

static void
names_have_a_length_and_messages_a_depth(void **state)
{
	struct buf text = BUF_INIT;
	int i, more;

	(void)state;
	for (more = 0; more < 2; more++) {
		buf_clear(&text);
		buf_add_str(&text, "[{\"");
		for (i = 0; i < (int)CANVAS_KEY_MAX + more; i++)
			buf_add_u8(&text, 'k');
		buf_add(&text, "\":{}}]", 7);
		assert_cut((const char *)buf_bytes(&text).p,
		    more ? NULL : (const char *)buf_bytes(&text).p);
		/* the message, the array, the object, the component */
		buf_clear(&text);
		buf_add_str(&text, "[{\"a\":{\"x\":");
		for (i = 0; i < 60 + more; i++)
			buf_add_u8(&text, '[');
		for (i = 0; i < 60 + more; i++)
			buf_add_u8(&text, ']');
		buf_add(&text, "}}]", 4);
		assert_cut((const char *)buf_bytes(&text).p,
		    more ? NULL : (const char *)buf_bytes(&text).p);
	}
	buf_free(&text);
}

static int
show(struct buf *card, const char *patches)
{
	const struct canvas_limits limits = { 100, 100 };
	struct buf text = BUF_INIT;
	struct canvas_message m;
	int r;

	buf_printf(&text,
	    "{\"type\":\"patch\",\"messageId\":\"\",\"ephemeralPatches\":%s}",
	    patches);
	buf_add_u8(&text, 0);
	parse(&m, (const char *)buf_bytes(&text).p);
	r = canvas_presence_merge(card, buf_bytes(&m.present), &limits);
	canvas_message_free(&m);
	buf_free(&text);
	return (r);
}

static void
assert_shown(const struct buf *card, const char *to, const char *want)
{
	struct buf text = BUF_INIT;

	canvas_presence_text(&text, buf_bytes(card), bytes_str(to));
	assert_buf(&text, want);
	buf_free(&text);
}

static void
a_card_holds_what_its_session_shows_now(void **state)
{
	struct buf card = BUF_INIT;

	(void)state;
	assert_int_equal(canvas_presence_begin(&card, BYTES_LIT("me")), 0);
	assert_shown(&card, "you", "");
	show(&card,
	    "[{\"a\":{\"_exists\":true,\"x\":1,\"p\":[1]}},"
	    "{\"b\":{\"_exists\":true},\"c\":{\"x\":1}}]");
	assert_shown(&card, "you",
	    "\"a\":{\"_exists\":true,\"x\":1,\"p\":[1]},"
	    "\"b\":{\"_exists\":true}");
	assert_shown(&card, "me", "");
	show(&card,
	    "[{\"a\":{\"_exists\":false}},{\"b\":{\"y\":2}},"
	    "{\"a\":{\"x\":1}}]");
	assert_shown(&card, "you", "\"b\":{\"_exists\":true,\"y\":2}");
	buf_free(&card);
}

static void
what_is_too_much_for_a_card_changes_nothing(void **state)
{
	struct buf card = BUF_INIT, text = BUF_INIT;
	unsigned i;

	(void)state;
	canvas_presence_begin(&card, BYTES_LIT("me"));
	assert_int_equal(show(&card, "[{\"a\":{\"_exists\":true}}]"), 0);
	buf_add_str(&text, "[{\"a\":{\"s\":\"");
	for (i = 0; i < CARD_MAX_BYTES; i++)
		buf_add_u8(&text, 'x');
	buf_add(&text, "\"}}]", 5);
	assert_int_equal(show(&card, (const char *)buf_bytes(&text).p), -1);
	buf_clear(&text);
	buf_add_str(&text, "[{}");
	for (i = 0; i < CANVAS_PRESENT_MAX; i++)
		buf_printf(&text, ",{\"%u\":{\"_exists\":true}}", i);
	buf_add(&text, "]", 2);
	assert_int_equal(show(&card, (const char *)buf_bytes(&text).p), -1);
	assert_shown(&card, "you", "\"a\":{\"_exists\":true}");
	buf_free(&card);
	buf_free(&text);
}

/* Another worker made it. */
static void
a_card_that_makes_no_sense_shows_nothing(void **state)
{
	static const char *const cards[] = { "", "\002m", "\001m\001",
		"\001m\001k\005\001\001\001f",
		"\001m\001k\010\001\001\001f\001\001\001\377",
		"\001m\001k\001\001",
		"\001m\001k\010\001\001\001f\001\001\001}", /* no JSON */
		"\001m\001k\010\001\001\001\"\001\001\0011",
		"\001m\001\"\010\001\001\001f\001\001\0011" };
	struct buf card = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
		buf_clear(&card);
		buf_add_str(&card, cards[i]);
		assert_shown(&card, "you", "");
	}
	buf_free(&card);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_messages_are_known_and_nothing_else),
		cmocka_unit_test(
		    a_reconnect_says_since_when_and_in_which_version),
		cmocka_unit_test(
		    patches_are_passed_on_as_ecmascript_would_write_them),
		cmocka_unit_test(
		    of_members_with_one_name_the_last_value_counts_at_the_first_place),
		cmocka_unit_test(
		    a_delta_is_one_only_as_a_fields_value_and_then_it_must_be_sound),
		cmocka_unit_test(what_has_another_shape_is_refused_as_a_whole),
		cmocka_unit_test(names_have_a_length_and_messages_a_depth),
		cmocka_unit_test(a_card_holds_what_its_session_shows_now),
		cmocka_unit_test(what_is_too_much_for_a_card_changes_nothing),
		cmocka_unit_test(a_card_that_makes_no_sense_shows_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
