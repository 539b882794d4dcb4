/*
 * The engine of the logseq dialect over a store in memory: what transactions do
 * to a graph, and what their writers are told (logseq.md sections 4 and 7).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "common/wire.h"
#include "tests/lib/logseq_rig.h"

#define A  "aaaaaaaa-0000-4000-8000-000000000000"
#define B  "bbbbbbbb-0000-4000-8000-000000000000"
#define C  "cccccccc-0000-4000-8000-000000000000"
#define D  "dddddddd-0000-4000-8000-000000000000"
#define ID "12345678-0000-4000-8000-00000000000"

#define ADD(e, a, v) "[\"~:db/add\"," e ",\"~:" a "\"," v "]"
#define RET(e, a, v) "[\"~:db/retract\"," e ",\"~:" a "\"," v "]"
#define GONE(e)	     "[\"~:db/retractEntity\"," e "]"
#define AT(u)	     "[\"~:block/uuid\",\"~u" u "\"]"
#define TEMP(u)	     "\"" u "\""
#define NEW(u)	     ADD(TEMP(u), "block/uuid", "\"~u" u "\"")
#define BELOW(u, p)  ADD(TEMP(u), "block/parent", AT(p))
#define TITLE(u, s)  ADD(AT(u), "block/title", "\"" s "\"")

static struct rig rig;

static int
setup(void **state)
{
	(void)state;
	return (rig_new(&rig));
}

static int
teardown(void **state)
{
	(void)state;
	rig_check(&rig);
	rig_free(&rig);
	return (0);
}

static void
datoms(const char *want)
{
	struct buf got = BUF_INIT;

	rig_dump(&rig, LOGSEQ_REG_EAVT, &got);
	buf_add_u8(&got, 0);
	assert_string_equal((const char *)buf_bytes(&got).p, want);
	buf_free(&got);
}

static void
frames(const char *want)
{
	buf_add_u8(&rig.frames, 0);
	assert_string_equal((const char *)buf_bytes(&rig.frames).p, want);
}

static void
row(size_t n, const char *want)
{
	struct buf log = BUF_INIT;
	const char *p, *end;

	rig_log(&rig, &log);
	buf_add_u8(&log, 0);
	for (p = (const char *)buf_bytes(&log).p; n > 1; n--)
		p = strchr(p, '\n') + 1;
	end = strchr(p, '\n');
	assert_non_null(end);
	assert_int_equal((size_t)(end - p), strlen(want));
	assert_memory_equal(p, want, strlen(want));
	buf_free(&log);
}

/* Every register of the graph's content, in all orders. */
static int
everything_each(struct bytes key, struct bytes val, void *arg)
{
	if (key.p[0] == LOGSEQ_REG_META)
		return (0);
	list_add(arg, key);
	return (list_add(arg, val));
}

static void
everything(struct buf *out)
{
	buf_clear(out);
	rig_scan(&rig, BYTES_NONE, everything_each, out);
	list_add(out, rig_state(&rig).sum);
}

static void
ok(const char *tx)
{
	assert_int_equal(rig_tx(&rig, NULL, tx), LOGSEQ_DONE);
}

/* A page, and below it two blocks, the second below the first. */
static void
tree(void)
{
	ok("[" NEW(A) "," ADD(TEMP(A), "block/name", "\"page\"") "]");
	ok("[" NEW(
	    B) "," BELOW(B, A) "," ADD(TEMP(B), "block/page", AT(A)) "]");
	ok("[" NEW(
	    C) "," BELOW(C, B) "," ADD(TEMP(C), "block/page", AT(A)) "]");
}

static void
a_temp_id_becomes_an_entity_or_is_the_one_with_its_uuid(void **state)
{
	(void)state;
	ok("[" NEW(A) "," ADD(TEMP(A), "block/title", "\"one\"") "]");
	datoms("1 block/title \"one\"\n1 block/uuid \"~u" A "\"\n");
	ok("[" ADD(TEMP(A), "block/title", "\"two\"") "," NEW(A) "]");
	datoms("1 block/title \"two\"\n1 block/uuid \"~u" A "\"\n");
	assert_int_equal(rig.t, 2);
}

static void
temp_ids_name_each_other_in_any_order(void **state)
{
	(void)state;
	ok("[" ADD(TEMP(B), "block/parent", TEMP(A)) "," NEW(A) "," NEW(B) "]");
	datoms("1 block/uuid \"~u" A "\"\n"
	       "2 block/parent 1\n2 block/uuid \"~u" B "\"\n");
}

static void
two_temp_ids_with_one_uuid_are_one_entity(void **state)
{
	(void)state;
	ok("[" ADD("\"x\"", "block/uuid", "\"~u" A "\"") "," ADD("\"y\"",
	    "block/uuid",
	    "\"~u" A "\"") "," ADD("\"y\"", "block/title", "\"t\"") "]");
	datoms("1 block/title \"t\"\n1 block/uuid \"~u" A "\"\n");
}

static void
what_can_not_be_applied_fails_and_leaves_nothing(void **state)
{
	static const char *const bad[] = {
		"not transit",
		"{}",
		"[1]",
		"[[\"~:db/cas\",\"x\"]]",
		/* a temp id that is only a value, or taken back */
		"[" ADD(AT(A), "block/parent", "\"nobody\"") "]",
		"[" RET(TEMP(A), "block/title", "\"x\"") "]",
		"[" GONE(TEMP(A)) "]",
		/* nothing, a wrong kind, somebody else's */
		"[" ADD(AT(A), "block/title", "null") "]",
		"[" ADD(AT(A), "block/uuid", "\"text\"") "]",
		"[" ADD(AT(A), "db/ident", "\"text\"") "]",
		"[" ADD(AT(A), "block/parent", "1") "]",
		"[" ADD(AT(A), "block/uuid", "\"~u" B "\"") "]",
		/* one temp id, two entities */
		"[" ADD("\"x\"", "block/uuid", "\"~u" A "\"") "," ADD("\"x\"",
		    "block/uuid", "\"~u" B "\"") "]",
		/* who is not there */
		"[" ADD("5", "block/title", "\"x\"") "]",
		"[" TITLE(D, "x") "]",
		"[" ADD("\"~:no/ident\"", "block/title", "\"x\"") "]",
		"[" ADD(AT(A), "block/parent", AT(D)) "]",
		"[" RET(AT(A), "block/parent", AT(D)) "]",
	};
	struct buf before = BUF_INIT, after = BUF_INIT;
	char tx[1024];
	size_t i;

	(void)state;
	tree();
	everything(&before);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(rig_tx(&rig, NULL, bad[i]), LOGSEQ_FAILED);
		frames("");
		/* The same after things that can be done. */
		if (bad[i][1] != '[')
			continue;
		snprintf(tx, sizeof(tx), "[%s,%s,%s,%s", NEW(D), GONE(AT(C)),
		    TITLE(A, "n"), bad[i] + 1);
		if (strstr(bad[i], D) == NULL)
			assert_int_equal(rig_tx(&rig, NULL, tx), LOGSEQ_FAILED);
		everything(&after);
		assert_true(bytes_eq(buf_bytes(&before), buf_bytes(&after)));
		assert_int_equal(rig.t, 3);
	}
	buf_free(&before);
	buf_free(&after);
}

static void
missing_uuids_are_named_once_each(void **state)
{
	struct bytes list, one;

	(void)state;
	ok("[" NEW(A) "]");
	assert_int_equal(rig_tx(&rig, NULL,
			     "[" ADD(AT(A), "block/parent", AT(C)) "," TITLE(D,
				 "x") "," TITLE(D,
				 "y") "," NEW(B) "," ADD(AT(A), "block/page",
				 AT(B)) "]"),
	    LOGSEQ_FAILED);
	list = rig.out.missing;
	assert_int_equal(list_next(&list, &one), 1);
	assert_true(bytes_eq(one, BYTES_LIT(C)));
	assert_int_equal(list_next(&list, &one), 1);
	assert_true(bytes_eq(one, BYTES_LIT(D)));
	assert_int_equal(list.n, 0);
}

static void
a_rebase_or_fix_that_misses_something_is_nothing(void **state)
{
	(void)state;
	ok("[" NEW(A) "]");
	assert_int_equal(rig_tx(&rig, "rebase",
			     "[" TITLE(A, "x") "," TITLE(B, "y") "]"),
	    LOGSEQ_DONE);
	assert_int_equal(rig_tx(&rig, "fix", "[" TITLE(B, "y") "]"),
	    LOGSEQ_DONE);
	assert_int_equal(rig.t, 1);
	datoms("1 block/uuid \"~u" A "\"\n");
}

static void
what_changes_nothing_is_no_row(void **state)
{
	(void)state;
	tree();
	ok("[]");
	ok("[" BELOW(B, A) "," NEW(B) "]");
	ok("[" RET(AT(A), "block/title", "\"never\"") "]");
	ok("[" GONE(AT(D)) "]");
	ok("[" ADD(AT(A), "block/order", "\"a\"") "," RET(AT(A), "block/order",
	    "\"a\"") "]");
	assert_int_equal(rig.t, 3);
	frames("");
}

static void
deleting_nothing_at_all_fails_but_what_is_gone_does_not(void **state)
{
	(void)state;
	tree();
	assert_int_equal(rig_tx(&rig, "delete-blocks", "[]"), LOGSEQ_FAILED);
	assert_int_equal(rig_tx(&rig, "delete-page", "[]"), LOGSEQ_FAILED);
	assert_int_equal(rig_tx(&rig, "delete-blocks", "[" GONE(AT(D)) "]"),
	    LOGSEQ_DONE);
	assert_int_equal(rig.t, 3);
}

static void
one_value_replaces_and_many_gather(void **state)
{
	(void)state;
	tree();
	ok("[" ADD(AT(C), "block/parent", AT(A)) "," ADD(AT(C), "block/tags",
	    AT(A)) "," ADD(AT(C), "block/tags", AT(B)) "]");
	ok("[" RET(AT(C), "block/tags", AT(A)) "]");
	datoms("1 block/name \"page\"\n1 block/uuid \"~u" A "\"\n"
	       "2 block/page 1\n2 block/parent 1\n2 block/uuid \"~u" B "\"\n"
	       "3 block/page 1\n3 block/parent 1\n3 block/tags 2\n"
	       "3 block/uuid \"~u" C "\"\n");
	ok("[[\"~:db/retract\"," AT(C) ",\"~:block/tags\"]]");
	ok("[" GONE(AT(B)) "]");
	datoms("1 block/name \"page\"\n1 block/uuid \"~u" A "\"\n"
	       "3 block/page 1\n3 block/parent 1\n3 block/uuid \"~u" C "\"\n");
}

static void
who_is_deleted_is_referred_to_no_more(void **state)
{
	(void)state;
	tree();
	ok("[" ADD(AT(A), "block/link", AT(C)) "," ADD(AT(B), "block/refs",
	    AT(C)) "]");
	ok("[" GONE(AT(C)) "]");
	datoms("1 block/name \"page\"\n1 block/uuid \"~u" A "\"\n"
	       "2 block/page 1\n2 block/parent 1\n2 block/uuid \"~u" B "\"\n");
}

static void
attributes_are_learned_from_the_datoms_of_their_entity(void **state)
{
	(void)state;
	ok("[" ADD("\"p\"", "db/ident",
	    "\"~:user.property/likes\"") "," ADD("\"p\"", "db/valueType",
	    "\"~:db.type/ref\"") "," ADD("\"p\"", "db/cardinality",
	    "\"~:db.cardinality/many\"") "," NEW(A) "," ADD(TEMP(A),
	    "user.property/likes", TEMP(A)) "," ADD(TEMP(A),
	    "user.property/likes", "\"~:user.property/likes\"") "]");
	datoms("1 db/cardinality \"~:db.cardinality/many\"\n"
	       "1 db/ident \"~:user.property/likes\"\n"
	       "1 db/valueType \"~:db.type/ref\"\n"
	       "2 block/uuid \"~u" A "\"\n"
	       "2 user.property/likes 1\n2 user.property/likes 2\n");
	ok("[" ADD("\"~:user.property/likes\"", "db/cardinality",
	    "\"~:db.cardinality/one\"") "," RET(AT(A), "user.property/likes",
	    AT(A)) "," ADD(AT(A), "user.property/likes", AT(A)) "]");
	datoms("1 db/cardinality \"~:db.cardinality/one\"\n"
	       "1 db/ident \"~:user.property/likes\"\n"
	       "1 db/valueType \"~:db.type/ref\"\n"
	       "2 block/uuid \"~u" A "\"\n2 user.property/likes 2\n");
	/* Without its ident it says nothing any more: a number is a number. */
	ok("[" GONE("\"~:user.property/likes\"") "," ADD(AT(A),
	    "user.property/likes", "7") "]");
	datoms("2 block/uuid \"~u" A "\"\n2 user.property/likes 7\n");
}

static void
a_batch_keeps_what_came_before_its_bad_entry(void **state)
{
	static const struct rig_entry batch[] = {
		{ "[" TITLE(A, "one") "]", "save-block", ID "1", 0 },
		{ "[" TITLE(A, "two") "]", "save-block", ID "2", 0 },
		{ "[" TITLE(D, "none") "]", "save-block", ID "3", 0 },
		{ "[" TITLE(A, "late") "]", "save-block", ID "4", 0 },
	};
	struct bytes ids, one;

	(void)state;
	tree();
	assert_int_equal(rig_batch(&rig, 3, batch, 4), CODE_OK);
	assert_int_equal(rig.out.result, LOGSEQ_FAILED);
	assert_int_equal(rig.out.t, 5);
	assert_true(bytes_eq(rig.out.failed_id, BYTES_LIT(ID "3")));
	ids = rig.out.done_ids;
	assert_int_equal(list_next(&ids, &one), 1);
	assert_true(bytes_eq(one, BYTES_LIT(ID "1")));
	assert_int_equal(list_next(&ids, &one), 1);
	assert_true(bytes_eq(one, BYTES_LIT(ID "2")));
	assert_int_equal(ids.n, 0);
	frames("{\"type\":\"changed\",\"t\":5}\n");
	row(5,
	    "\"tx\":\"[[\\\"~:db/add\\\",[\\\"~:block/uuid\\\",\\\"~u" A
	    "\\\"],\\\"~:block/title\\\",\\\"two\\\"]]\","
	    "\"outliner-op\":\"save-block\"}");
}

static void
who_is_behind_or_says_nothing_is_told_so(void **state)
{
	static const struct rig_entry e = { "[" NEW(D) "]", NULL, NULL, 0 };

	(void)state;
	tree();
	rig_batch(&rig, 2, &e, 1);
	assert_int_equal(rig.out.result, LOGSEQ_STALE);
	assert_int_equal(rig.out.t, 3);
	rig_batch(&rig, 4, &e, 1);
	assert_int_equal(rig.out.result, LOGSEQ_STALE);
	rig_batch(&rig, 3, NULL, 0);
	assert_int_equal(rig.out.result, LOGSEQ_EMPTY);
	assert_int_equal(rig_state(&rig).t, 3);
}

static void
an_entry_is_applied_once(void **state)
{
	static const struct rig_entry e = { "[" TITLE(A, "one") "]", NULL,
		ID "1", 0 };

	(void)state;
	tree();
	rig_batch(&rig, 3, &e, 1);
	ok("[" TITLE(A, "two") "]");
	rig_batch(&rig, 5, &e, 1);
	assert_int_equal(rig.out.result, LOGSEQ_DONE);
	assert_int_equal(rig.out.t, 5);
	datoms("1 block/name \"page\"\n1 block/title \"two\"\n"
	       "1 block/uuid \"~u" A "\"\n"
	       "2 block/page 1\n2 block/parent 1\n2 block/uuid \"~u" B "\"\n"
	       "3 block/page 1\n3 block/parent 2\n3 block/uuid \"~u" C "\"\n");
}

static void
what_belongs_to_one_device_is_dropped(void **state)
{
	(void)state;
	ok("[" NEW(
	    A) "," ADD(TEMP(A), "block/path-refs", AT(A)) "," ADD("\"k\"",
	    "db/ident", "\"~:logseq.kv/graph-uuid\"") "," ADD("\"k\"",
	    "kv/value", "\"x\"") "]");
	datoms("1 block/uuid \"~u" A "\"\n");
	row(1,
	    "\"tx\":\"[[\\\"~:db/add\\\",\\\"" A
	    "\\\",\\\"~:block/uuid\\\",\\\"~u" A
	    "\\\"]]\",\"outliner-op\":null}");
	ok("[" ADD("\"~:logseq.kv/graph-uuid\"", "kv/value", "\"y\"") "]");
	assert_int_equal(rig.t, 1);
}

static void
a_title_taken_back_and_given_again_stays(void **state)
{
	(void)state;
	tree();
	ok("[" TITLE(A, "same") "]");
	ok("[" TITLE(A, "same") "," RET(AT(A), "block/title", "\"same\"") "]");
	assert_int_equal(rig.t, 4);
}

static void
blocks_below_a_deleted_one_go_with_it(void **state)
{
	(void)state;
	tree();
	ok("[" NEW(D) "," BELOW(D, C) "]");
	assert_int_equal(rig_tx(&rig, "delete-blocks", "[" GONE(AT(B)) "]"),
	    LOGSEQ_DONE);
	datoms("1 block/name \"page\"\n1 block/uuid \"~u" A "\"\n");
	row(5,
	    "\"tx\":\"[[\\\"~:db/retractEntity\\\",[\\\"~:block/uuid\\\","
	    "\\\"~u" B "\\\"]],[\\\"~:db/retractEntity\\\","
	    "[\\\"~:block/uuid\\\",\\\"~u" C
	    "\\\"]],[\\\"~:db/retractEntity\\\",[\\\"~:block/uuid\\\","
	    "\\\"~u" D "\\\"]]]\",\"outliner-op\":\"delete-blocks\"}");
}

static void
a_block_that_nobody_can_name_is_not_deleted_with_others(void **state)
{
	(void)state;
	tree();
	ok("[" RET(AT(C), "block/uuid", "\"~u" C "\"") "]");
	assert_int_equal(rig_tx(&rig, "delete-blocks", "[" GONE(AT(B)) "]"),
	    LOGSEQ_DONE);
	datoms("1 block/name \"page\"\n1 block/uuid \"~u" A "\"\n"
	       "3 block/page 1\n");
	row(5,
	    "\"tx\":\"[[\\\"~:db/retractEntity\\\",[\\\"~:block/uuid\\\","
	    "\\\"~u" B "\\\"]]]\",\"outliner-op\":\"delete-blocks\"}");
}

static void
what_is_moved_away_from_a_deleted_block_stays(void **state)
{
	(void)state;
	tree();
	ok("[" NEW(D) "," BELOW(D, C) "]");
	assert_int_equal(rig_tx(&rig, "move-blocks",
			     "[" ADD(AT(C), "block/parent", AT(A)) "," GONE(
				 AT(B)) "]"),
	    LOGSEQ_DONE);
	datoms("1 block/name \"page\"\n1 block/uuid \"~u" A "\"\n"
	       "3 block/page 1\n3 block/parent 1\n3 block/uuid \"~u" C "\"\n"
	       "4 block/parent 3\n4 block/uuid \"~u" D "\"\n");
}

static void
a_delete_says_nothing_else_of_who_is_deleted(void **state)
{
	(void)state;
	tree();
	assert_int_equal(rig_tx(&rig, "delete-blocks",
			     "[" GONE(AT(C)) "," TITLE(C, "ghost") "]"),
	    LOGSEQ_DONE);
	datoms("1 block/name \"page\"\n1 block/uuid \"~u" A "\"\n"
	       "2 block/page 1\n2 block/parent 1\n2 block/uuid \"~u" B "\"\n");
}

static void
no_block_is_its_own_ancestor(void **state)
{
	struct buf before = BUF_INIT, after = BUF_INIT;

	(void)state;
	tree();
	everything(&before);
	assert_int_equal(rig_tx(&rig, "move-blocks",
			     "[" ADD(AT(B), "block/parent", AT(C)) "]"),
	    LOGSEQ_FAILED);
	assert_int_equal(rig_tx(&rig, NULL,
			     "[" ADD(AT(B), "block/parent", AT(B)) "]"),
	    LOGSEQ_FAILED);
	everything(&after);
	assert_true(bytes_eq(buf_bytes(&before), buf_bytes(&after)));
	/* It is the end of the entry that counts. */
	ok("[" ADD(AT(B), "block/parent", AT(C)) "," ADD(AT(C), "block/parent",
	    AT(A)) "]");
	buf_free(&before);
	buf_free(&after);
}

static void
no_class_extends_itself(void **state)
{
	(void)state;
	ok("[" ADD("\"e\"", "db/ident",
	    "\"~:logseq.property.class/extends\"") "," ADD("\"e\"",
	    "db/valueType",
	    "\"~:db.type/ref\"") "," ADD("\"e\"", "db/cardinality",
	    "\"~:db.cardinality/many\"") "," NEW(A) "," NEW(B) "," NEW(C) "," ADD(TEMP(A),
	    "logseq.property.class/extends", TEMP(B)) "," ADD(TEMP(A),
	    "logseq.property.class/extends", TEMP(C)) "]");
	assert_int_equal(rig_tx(&rig, NULL,
			     "[" ADD(AT(C), "logseq.property.class/extends",
				 AT(A)) "]"),
	    LOGSEQ_FAILED);
	ok("[" ADD(AT(C), "logseq.property.class/extends", AT(B)) "]");
}

static void
a_client_of_the_seed_is_told_of_a_cycle_with_data(void **state)
{
	static const struct rig_entry e = {
		"[" ADD(AT(B), "block/parent", AT(C)) "]", NULL, NULL, 1
	};
	static const struct rig_entry bad = { "[" TITLE(D, "x") "]", NULL, NULL,
		1 };

	(void)state;
	tree();
	rig_batch(&rig, 3, &e, 1);
	assert_int_equal(rig.out.result, LOGSEQ_CYCLE);
	assert_true(bytes_eq(rig.out.data,
	    BYTES_LIT("[\"^ \",\"~:attr\",\"~:block/parent\","
		      "\"~:server-values\",[\"~#cmap\","
		      "[[\"~:block/uuid\",\"~u" B "\"],"
		      "[\"~:block/uuid\",\"~u" A "\"]]]]")));
	rig_batch(&rig, 3, &bad, 1);
	assert_int_equal(rig.out.result, LOGSEQ_FAILED_SEED);
}

/* What would fill more than a verdict can say is cut, not refused. */
static void
answers_about_many_things_are_bounded(void **state)
{
	static char tx[1 << 20];
	struct rig_entry e = { tx, NULL, NULL, 1 };
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < 8000; i++)
		n += (size_t)snprintf(tx + n, sizeof(tx) - n,
		    "%c[\"~:db/add\",[\"~:block/uuid\",\"~u%08zx-0000-4000-"
		    "8000-000000000000\"],\"~:block/order\",\"a\"]",
		    i == 0 ? '[' : ',', i);
	snprintf(tx + n, sizeof(tx) - n, "]");
	assert_int_equal(rig_tx(&rig, NULL, tx), LOGSEQ_FAILED);
	assert_in_range(rig.out.missing.n, 20000, 60000);
	tree();
	for (i = 0, n = 0; i < 4000; i++)
		n += (size_t)snprintf(tx + n, sizeof(tx) - n, "%c%s",
		    i == 0 ? '[' : ',', ADD(AT(B), "block/parent", AT(C)));
	snprintf(tx + n, sizeof(tx) - n, "]");
	rig_batch(&rig, 3, &e, 1);
	assert_int_equal(rig.out.result, LOGSEQ_CYCLE);
	assert_in_range(rig.out.data.n, 60000, 70000);
}

/* An entity of 4,000 datoms, spoken of over and over. */
static void
a_batch_that_takes_too_long_fails_on_the_way(void **state)
{
	static char tx[1 << 20];
	static struct rig_entry batch[600];
	char texts[2][256];
	size_t i, n;

	(void)state;
	ok("[" NEW(
	    A) "," ADD("\"p\"", "db/ident", "\"~:x/many\"") "," ADD("\"p\"",
	    "db/cardinality", "\"~:db.cardinality/many\"") "]");
	for (i = 0, n = 0; i < 4000; i++)
		n += (size_t)snprintf(tx + n, sizeof(tx) - n,
		    "%c[\"~:db/add\",[\"~:block/uuid\",\"~u" A
		    "\"],\"~:x/many\",%zu]",
		    i == 0 ? '[' : ',', i);
	snprintf(tx + n, sizeof(tx) - n, "]");
	ok(tx);
	for (i = 0; i < 2; i++)
		snprintf(texts[i], sizeof(texts[i]),
		    "[[\"~:db/add\",[\"~:block/uuid\",\"~u" A
		    "\"],\"~:block/order\",\"%zu\"]]",
		    i);
	for (i = 0; i < 600; i++)
		batch[i].tx = texts[i % 2];
	assert_int_equal(rig_batch(&rig, 2, batch, 600), CODE_OK);
	assert_int_equal(rig.out.result, LOGSEQ_FAILED);
	assert_in_range(rig.out.t, 100, 500);
}

static void
rows_too_large_for_a_record_are_blobs(void **state)
{
	static char tx[LOGSEQ_LOG_INLINE_MAX + 512];
	size_t i;

	(void)state;
	i = (size_t)snprintf(tx, sizeof(tx), "[%s", NEW(A));
	while (i < LOGSEQ_LOG_INLINE_MAX)
		i += (size_t)snprintf(tx + i, sizeof(tx) - i, ",%s",
		    ADD(TEMP(A), "block/title", "\"again and again\""));
	snprintf(tx + i, sizeof(tx) - i, "]");
	ok(tx);
	row(1, ""); /* all of it in the blob */
	datoms("1 block/title \"again and again\"\n1 block/uuid \"~u" A "\"\n");
}

static void
a_value_that_no_answer_could_carry_fails(void **state)
{
	static char tx[LOGSEQ_VALUE_MAX + 512];
	size_t n;

	(void)state;
	n = (size_t)snprintf(tx, sizeof(tx), "[%s,%s", NEW(A),
	    "[\"~:db/add\",\"" A "\",\"~:block/title\",\"");
	memset(tx + n, 'x', LOGSEQ_VALUE_MAX);
	snprintf(tx + n + LOGSEQ_VALUE_MAX, 512 - n, "\"]]");
	assert_int_equal(rig_tx(&rig, NULL, tx), LOGSEQ_FAILED);
	snprintf(tx + n + LOGSEQ_VALUE_MAX - 1, 512 - n, "\"]]");
	ok(tx);
}

static void
values_sort_as_datascript_sorts_them(void **state)
{
	struct buf got = BUF_INIT;

	(void)state;
	ok("[" NEW(A) "," ADD(TEMP(A), "x/b", "1") "," ADD(TEMP(A), "x",
	    "-1.5") "," ADD(TEMP(A), "a/z", "\"~m-5\"") "," ADD(TEMP(A),
	    "block/refs", TEMP(A)) "," ADD(TEMP(A), "block/order",
	    "\"\xef\xbc\x8c\"") "," NEW(B) "," ADD(TEMP(B), "block/order",
	    "\"\xf0\x9f\x98\x80\"") "," ADD(TEMP(B), "block/created-at",
	    "-7") "," ADD(TEMP(A), "block/created-at", "12") "]");
	rig_dump(&rig, LOGSEQ_REG_AVET, &got);
	buf_add_u8(&got, 0);
	assert_string_equal((const char *)buf_bytes(&got).p,
	    "2 block/created-at -7\n1 block/created-at 12\n"
	    "2 block/order \"\xf0\x9f\x98\x80\"\n"
	    "1 block/order \"\xef\xbc\x8c\"\n1 block/refs 1\n"
	    "1 block/uuid \"~u" A "\"\n2 block/uuid \"~u" B "\"\n");
	buf_clear(&got);
	rig_dump(&rig, LOGSEQ_REG_EAVT, &got);
	buf_add_u8(&got, 0);
	assert_memory_equal(buf_bytes(&got).p, "1 x -1.5\n1 a/z \"~m-5\"\n",
	    22);
	buf_free(&got);
}

/* Others are told the texts, and parse them, whoever packed them. */
static void
what_is_no_json_string_is_not_taken(void **state)
{
	static const char *const wrong[] = { "", "1", "null", "\"", "\"\",",
		"\"a\" ", " \"a\"", "\"a\"b\"", "\"\n\"", "\"\\x\"", "\"\xff\"",
		"\"a\",\"t\":\"9\"" };
	struct submit s = { .verb = LOGSEQ_TX };
	struct logseq_entry e;
	struct buf entry = BUF_INIT, items = BUF_INIT;
	size_t i, n = sizeof(wrong) / sizeof(wrong[0]);

	(void)state;
	for (i = 0; i <= 2 * n; i++) {
		e = (struct logseq_entry){ .broken = 1,
			.op_json = BYTES_LIT("null") };
		s.body = BODY_OF(BYTES_LIT("\"[]\""));
		if (i < n)
			s.body = BODY_OF(bytes_str(wrong[i]));
		else if (i < 2 * n && i != n + 2)
			e.op_json = bytes_str(wrong[i - n]);
		e.text = s.body.b.n;
		buf_clear(&entry);
		buf_clear(&items);
		logseq_entry_pack(&entry, &e);
		list_add(&items, buf_bytes(&entry));
		s.items = buf_bytes(&items);
		assert_int_equal(rig_submit(&rig, LOGSEQ_ROOM_GRAPH, RIG_GRAPH,
				     &s),
		    i == 2 * n || i == n + 2 ? CODE_OK : CODE_INVALID);
	}
	buf_free(&entry);
	buf_free(&items);
}

/* Sums as a client in JavaScript has them. */
static void
a_number_is_in_the_checksum_as_javascript_prints_it(void **state)
{
	static const struct {
		const char *title, *sum;
	} rows[] = {
		{ "0.1", "90446a22dc12d2c6" },
		{ "-0.1", "374086e5cc8c0ff3" },
		{ "2.5", "ea92e6b8dc12db4c" },
		{ "100.25", "dd8dbf47c976b85d" },
		{ "0.3333333333333333", "3c47eb8f2a69d8e5" },
		{ "1e-6", "cf455d341c442916" },
		{ "1.5e-7", "282d43c0c9562e94" },
		{ "-1.5e-10", "2cd06ab93a3a8d6b" },
		{ "5e-324", "afadc1f5d688ddb7" },
		{ "1e17", "141aa5e0506f51d8" },
		{ "1.2345678901234568e20", "ef72e45d44ecdef1" },
		{ "1e21", "5b6af2f1cc93f53b" },
		{ "1e100", "9e6c3477cd3319a9" },
		{ "1.7976931348623157e308", "01ed754c6ece5112" },
		{ "\"~i9007199254740993\"", "b009383ddb506ea5" },
	};
	char tx[256];
	size_t i;

	(void)state;
	rig_tx(&rig, NULL,
	    "[" NEW(A) "," ADD(TEMP(A), "block/name", "\"x\"") "]");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(tx, sizeof(tx),
		    "[" ADD(AT(A), "block/title", "%s") "]", rows[i].title);
		assert_int_equal(rig_tx(&rig, NULL, tx), LOGSEQ_DONE);
		assert_memory_equal(rig_state(&rig).sum.p, rows[i].sum,
		    LOGSEQ_SUM_LEN);
	}
}

static struct kv_ops counted;
static const struct kv_ops *whole;
static size_t rests;

/* A rest asks for a blob of number 0 (txn_rest). */
static int
count_get(struct kv *kv, enum kv_table table, struct bytes key, struct buf *val)
{
	static const uint8_t zero[8];

	rests += key.n > 8 && memcmp(key.p + key.n - 8, zero, 8) == 0;
	return (whole->get(kv, table, key, val));
}

/* The texts and what is compared of them are all of the titles. */
static void
long_texts_are_gone_through_a_little_at_a_time(void **state)
{
	static char title[150001];
	struct buf tx = BUF_INIT;
	size_t i, at_least = 20 * (sizeof(title) - 1) / (128 * 1024) - 2;

	(void)state;
	memset(title, 'x', sizeof(title) - 1);
	whole = rig.kv->ops;
	counted = *whole;
	counted.get = count_get;
	buf_add_u8(&tx, '[');
	for (i = 0; i < 20; i++) {
		buf_printf(&tx,
		    "[\"~:db/add\",\"%zu\",\"~:block/uuid\","
		    "\"~uaaaaaaaa-0000-4000-8000-%012zu\"],"
		    "[\"~:db/add\",\"%zu\",\"~:block/title\",\"",
		    i, i, i);
		buf_add_str(&tx, title);
		buf_add_str(&tx, i < 19 ? "\"]," : "\"]]");
	}
	buf_add_u8(&tx, 0);
	rig.kv->ops = &counted;
	rests = 0;
	assert_int_equal(rig_tx(&rig, NULL, (char *)tx.mem), LOGSEQ_DONE);
	rig.kv->ops = whole;
	assert_true(rests >= 3 * at_least);
	buf_free(&tx);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_temp_id_becomes_an_entity_or_is_the_one_with_its_uuid),
		TEST(temp_ids_name_each_other_in_any_order),
		TEST(two_temp_ids_with_one_uuid_are_one_entity),
		TEST(what_can_not_be_applied_fails_and_leaves_nothing),
		TEST(missing_uuids_are_named_once_each),
		TEST(a_rebase_or_fix_that_misses_something_is_nothing),
		TEST(what_changes_nothing_is_no_row),
		TEST(deleting_nothing_at_all_fails_but_what_is_gone_does_not),
		TEST(one_value_replaces_and_many_gather),
		TEST(who_is_deleted_is_referred_to_no_more),
		TEST(attributes_are_learned_from_the_datoms_of_their_entity),
		TEST(a_batch_keeps_what_came_before_its_bad_entry),
		TEST(who_is_behind_or_says_nothing_is_told_so),
		TEST(an_entry_is_applied_once),
		TEST(what_belongs_to_one_device_is_dropped),
		TEST(a_title_taken_back_and_given_again_stays),
		TEST(blocks_below_a_deleted_one_go_with_it),
		TEST(a_block_that_nobody_can_name_is_not_deleted_with_others),
		TEST(what_is_moved_away_from_a_deleted_block_stays),
		TEST(a_delete_says_nothing_else_of_who_is_deleted),
		TEST(no_block_is_its_own_ancestor),
		TEST(no_class_extends_itself),
		TEST(a_client_of_the_seed_is_told_of_a_cycle_with_data),
		TEST(answers_about_many_things_are_bounded),
		TEST(a_batch_that_takes_too_long_fails_on_the_way),
		TEST(rows_too_large_for_a_record_are_blobs),
		TEST(a_value_that_no_answer_could_carry_fails),
		TEST(values_sort_as_datascript_sorts_them),
		TEST(what_is_no_json_string_is_not_taken),
		TEST(a_number_is_in_the_checksum_as_javascript_prints_it),
		TEST(long_texts_are_gone_through_a_little_at_a_time),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
