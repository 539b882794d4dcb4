/*
 * Which limits a store and a subject have: lines of the configuration as they
 * are read, matched, and found anew when there are others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/bounds.h"
#include "broker/broker.h"
#include "tests/lib/said.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct config *
conf(const char *text)
{
	struct config *c = NULL;

	said[0] = '\0';
	if (config_parse(bytes_str(text), say, NULL, &c) == -1)
		fail_msg("%s", said);
	return (c);
}

/* Of the store's octets. */
static int64_t
store(const struct config *c, enum dialect_id dialect, unsigned int room,
    const char *name)
{
	struct doc_id id = { dialect, room, bytes_str(name) };
	struct bounds b;

	bounds_of_store(c, &id, &b);
	return (b.bytes);
}

static int64_t
subject(const struct config *c, const char *name)
{
	struct bounds b;

	bounds_of_subject(c, bytes_str(name), &b);
	return (b.bytes);
}

static void
without_lines_the_general_settings_hold(void **state)
{
	struct config *c = conf("store_bytes_max 1K\nstore_records_max 2\n"
				"store_message_max 3\nstore_rate_max 4\n"
				"sessions_per_store_max 5\n"
				"subject_bytes_max 6\nsubject_records_max 7\n"
				"subject_message_max 8\nsubject_rate_max 9\n"
				"sessions_per_subject_max 10\n");
	struct doc_id id = { DIALECT_SDS, 0, BYTES_LIT("demo") };
	struct bounds b;

	(void)state;
	bounds_of_store(c, &id, &b);
	assert_true(b.bytes == 1024 && b.records == 2 && b.message == 3);
	assert_true(b.rate == 4 && b.sessions == 5);
	bounds_of_subject(c, BYTES_LIT("ann"), &b);
	assert_true(b.bytes == 6 && b.records == 7 && b.message == 8);
	assert_true(b.rate == 9 && b.sessions == 10);
	config_free(c);
}

static void
a_line_sets_what_it_names_and_nothing_else(void **state)
{
	struct config *c = conf("store_records_max 2\nstore_message_max 3\n"
				"store_limits\tsds:demo   bytes=10G rate=7 "
				"sessions=0 message=0\n");
	struct doc_id id = { DIALECT_SDS, 0, BYTES_LIT("demo") };
	struct bounds b;

	(void)state;
	bounds_of_store(c, &id, &b);
	assert_true(b.bytes == INT64_C(10) << 30 && b.rate == 7);
	assert_true(b.sessions == 0 && b.message == 0);
	assert_true(b.records == 2);
	bounds_of_subject(c, BYTES_LIT("sds:demo"), &b);
	assert_true(b.bytes == 0 && b.sessions == 1024);
	config_free(c);
}

static void
the_first_line_that_matches_counts_alone(void **state)
{
	struct config *c = conf("store_bytes_max 9\n"
				"store_limits sds:a-b* records=1\n"
				"store_limits sds:a-* bytes=2\n"
				"store_limits sds:* bytes=3\n"
				"store_limits sds:z bytes=4\n");

	(void)state;
	assert_int_equal(store(c, DIALECT_SDS, 0, "a-b1"), 9);
	assert_int_equal(store(c, DIALECT_SDS, 0, "a-c"), 2);
	assert_int_equal(store(c, DIALECT_SDS, 0, "z"), 3);
	assert_int_equal(store(c, DIALECT_CANVAS, 0, "a-c"), 9);
	config_free(c);
}

static void
a_store_is_matched_by_dialect_room_and_name(void **state)
{
	struct config *c = conf("store_limits sds:r bytes=1\n"
				"store_limits sds.1:r bytes=2\n"
				"store_limits s*:team/*/x bytes=3\n"
				"store_limits *:[ab]? bytes=4\n");

	(void)state;
	assert_int_equal(store(c, DIALECT_SDS, 0, "r"), 1);
	assert_int_equal(store(c, DIALECT_SDS, 1, "r"), 2);
	assert_int_equal(store(c, DIALECT_SECSYNC, 0, "team/1/2/x"), 3);
	assert_int_equal(store(c, DIALECT_CANVAS, 0, "team/1/x"), 0);
	assert_int_equal(store(c, DIALECT_LOGSEQ, 1, "b1"), 4);
	assert_int_equal(store(c, DIALECT_LOGSEQ, 0, "c1"), 0);
	assert_int_equal(store(c, DIALECT_LOGSEQ, 0, "a12"), 0);
	config_free(c);
}

static void
odd_octets_are_matched_as_they_are_printed(void **state)
{
	struct config *c = conf("store_limits sds:caf\\xc3\\xa9 bytes=1\n"
				"store_limits sds:x* bytes=2\n"
				"store_limits sds:*\\x0a* bytes=3\n"
				"store_limits sds:a?b bytes=4\n"
				"subject_limits ann\\xff bytes=5\n");

	(void)state;
	assert_int_equal(store(c, DIALECT_SDS, 0, "caf\xc3\xa9"), 1);
	assert_int_equal(store(c, DIALECT_SDS, 0, "cafxc3xa9"), 0);
	assert_int_equal(store(c, DIALECT_SDS, 0, "\nx"), 3);
	assert_int_equal(store(c, DIALECT_SDS, 0, "a b"), 4);
	assert_int_equal(subject(c, "ann\xff"), 5);
	config_free(c);
}

static void
the_longest_names_are_matched_whole(void **state)
{
	struct config *c = conf("store_limits sds:*end bytes=1\n"
				"subject_limits *end bytes=2\n");
	char name[1024 + 1];

	(void)state;
	memset(name, 1, sizeof(name));
	memcpy(name + 1021, "end", 4);
	assert_int_equal(store(c, DIALECT_SDS, 0, name), 1);
	memcpy(name + 252, "end", 4);
	assert_int_equal(subject(c, name), 2);
	config_free(c);
}

static void
subjects_are_matched_by_name(void **state)
{
	struct config *c = conf("subject_bytes_max 9\n"
				"subject_limits ann@* bytes=1\n"
				"subject_limits bob bytes=0\n");

	(void)state;
	assert_int_equal(subject(c, "ann@a.example"), 1);
	assert_int_equal(subject(c, "ann"), 9);
	assert_int_equal(subject(c, "bob"), 0);
	config_free(c);
}

static void
what_is_wrong_is_told_with_its_line_and_word(void **state)
{
	static const char *const bad[][2] = {
		{ "sds:*", "\"sds:*\": names no limit" },
		{ "bytes=1", "\"bytes=1\": names no limit" },
		{ "sds:* byte=1", "\"byte=1\": there is no such limit" },
		{ "sds:* bytes", "\"bytes\": there is no such limit" },
		{ "sds:* bytes=1 =2", "\"=2\": there is no such limit" },
		{ "sds:* bytes=", "\"bytes=\": is not a number in range" },
		{ "sds:* bytes=-1", "\"bytes=-1\": is not a number in range" },
		{ "sds:* bytes=1T",
		    "\"bytes=1T\": does not end in a unit of this setting" },
		{ "sds:* bytes=1025G", "\"bytes=1025G\": is out of range" },
		{ "sds:* records=1K",
		    "\"records=1K\": does not end in a unit of this setting" },
		{ "sds:* sessions=1000001",
		    "\"sessions=1000001\": is out of range" },
		{ "sds:* rate=1 bytes=1 rate=2",
		    "\"rate=2\": is named a second time" },
	};
	char text[256], want[256];
	struct config *c;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * LEN(bad); i++) {
		snprintf(text, sizeof(text), "# a line\n%s_limits %s\n",
		    i < LEN(bad) ? "store" : "subject", bad[i % LEN(bad)][0]);
		snprintf(want, sizeof(want), "config:2: %s\n",
		    bad[i % LEN(bad)][1]);
		said[0] = '\0';
		if (config_parse(bytes_str(text), say, NULL, &c) != -1)
			fail_msg("%s", text);
		assert_string_equal(said, want);
	}
}

static void
there_is_an_end_of_lines(void **state)
{
	char text[16384];
	struct config *c;
	size_t i, n = 0;

	(void)state;
	for (i = 0; i <= CONF_LIST_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "store_limits sds:%zu bytes=%zu\n", i, i + 1);
	said[0] = '\0';
	assert_int_equal(config_parse(bytes_str(text), say, NULL, &c), -1);
	assert_non_null(strstr(said,
	    "config:257: \"sds:256 bytes=257\": "
	    "stands there too often\n"));
	*strstr(text, "store_limits sds:256") = '\0';
	c = conf(text);
	assert_int_equal(store(c, DIALECT_SDS, 0, "255"), 256);
	config_free(c);
}

/* What is open, and who is here, when the lines become others. */
static void
a_reload_reaches_what_is_open(void **state)
{
	static struct broker b;
	struct doc_id one = { DIALECT_SDS, 0, BYTES_LIT("one") };
	struct doc_id two = { DIALECT_SDS, 0, BYTES_LIT("two") };
	struct session s = { .broker = &b };
	struct doc *d, *e;

	(void)state;
	b.conf = conf("store_limits sds:one bytes=1\n"
		      "subject_limits ann rate=2\n");
	assert_non_null(d = doc_get(&b, &one));
	assert_non_null(e = doc_get(&b, &two));
	assert_int_equal(subject_set(&b.subjects, &s, BYTES_LIT("ann")), 0);
	assert_int_equal(d->bounds.bytes, 1);
	assert_int_equal(e->bounds.bytes, 0);
	assert_int_equal(session_bounds(&s)->rate, 2);
	config_free(b.conf);
	b.conf = conf("store_limits sds:two bytes=3\nsubject_rate_max 4\n");
	bounds_renew(&b);
	assert_int_equal(d->bounds.bytes, 0);
	assert_int_equal(e->bounds.bytes, 3);
	assert_int_equal(session_bounds(&s)->rate, 4);
	assert_int_equal(subject_set(&b.subjects, &s, BYTES_NONE), 0);
	assert_int_equal(session_bounds(&s)->rate, 0);
	doc_unref(&b, d);
	doc_unref(&b, e);
	config_free(b.conf);
}

/* A token makes it less and never more; what is 0 has no say. */
static void
the_least_message_counts(void **state)
{
	static const struct {
		uint64_t token;
		int64_t subject, store;
		uint64_t least;
	} rows[] = { { 0, 0, 0, 0 }, { 3, 0, 0, 3 }, { 0, 3, 0, 3 },
		{ 0, 0, 3, 3 }, { 1, 2, 3, 1 }, { 2, 1, 3, 1 }, { 3, 2, 1, 1 },
		{ 9, 0, 3, 3 }, { 9, 5, 0, 5 } };
	struct subject who = { .refs = 1 };
	struct doc d = { .refs = 1 };
	struct session s = { .subject = &who };
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		s.claims.message_max = rows[i].token;
		who.bounds.message = rows[i].subject;
		d.bounds.message = rows[i].store;
		assert_int_equal(session_message_max(&s, &d), rows[i].least);
	}
	s.subject = NULL;
	assert_int_equal(session_message_max(&s, NULL), 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_lines_the_general_settings_hold),
		cmocka_unit_test(a_line_sets_what_it_names_and_nothing_else),
		cmocka_unit_test(the_first_line_that_matches_counts_alone),
		cmocka_unit_test(a_store_is_matched_by_dialect_room_and_name),
		cmocka_unit_test(odd_octets_are_matched_as_they_are_printed),
		cmocka_unit_test(the_longest_names_are_matched_whole),
		cmocka_unit_test(subjects_are_matched_by_name),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line_and_word),
		cmocka_unit_test(there_is_an_end_of_lines),
		cmocka_unit_test(a_reload_reaches_what_is_open),
		cmocka_unit_test(the_least_message_counts),
	};

	return (cmocka_run_group_tests_name("bounds", tests, NULL, NULL));
}
