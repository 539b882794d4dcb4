/*
 * The decisions of sds and echo over a store in memory, a transaction a submit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/config.h"
#include "broker/rule.h"
#include "common/sds.h"
#include "tests/lib/store.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The store, and what the last submit led to. */
static struct {
	struct kv *kv;
	struct config conf;
	const struct rule *rule;
	unsigned int room;
	uint64_t position;
	struct buf frame;
	struct buf info;
	struct publish p;
	int published;
	uint64_t seq;
} world;

static void
begin(struct txn *t)
{
	struct doc_id id = { world.rule->dialect, world.room,
		BYTES_LIT("doc") };

	assert_int_equal(world.kv->ops->begin(world.kv), 0);
	txn_init(t, world.kv, &id);
	assert_int_not_equal(txn_load(t), -1);
	t->conf = &world.conf;
	t->position = world.position;
	t->who.session = 5;
}

static void
end(struct txn *t)
{
	struct effect *e = t->effects;

	buf_clear(&world.frame);
	buf_clear(&world.info);
	buf_add_bytes(&world.info, buf_bytes(&t->info));
	world.published = e != NULL;
	if (e != NULL) {
		world.p = e->p;
		buf_add_bytes(&world.frame, buf_bytes(&e->data));
		assert_null(e->next);
	}
	world.seq = t->seq;
	assert_false(t->failed);
	assert_int_equal(world.kv->ops->commit(world.kv), 0);
	txn_done(t);
}

static enum code
submit(const struct submit *s)
{
	const struct rule_verb *v = world.rule->verbs;
	uint8_t before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	struct txn t;
	enum code code;

	while (v->name != NULL && v->verb != s->verb)
		v++;
	assert_non_null(v->name);
	store_digest(world.kv, before);
	begin(&t);
	code = v->decide(&t, s);
	end(&t);
	/* A refusal leaves nothing behind. */
	if (code != CODE_OK) {
		assert_false(world.published);
		store_digest(world.kv, after);
		assert_memory_equal(before, after, sizeof(before));
	}
	return (code);
}

static enum code
patch(const char *text)
{
	struct submit s = { .verb = SDS_VERB_PATCH,
		.body = BODY_OF(bytes_str(text)) };

	return (submit(&s));
}

static enum code
value(const char *key, const char *text, uint64_t clock)
{
	struct submit s = { .verb = SDS_VERB_VALUE,
		.ref = bytes_str(key),
		.clock = clock,
		.body = BODY_OF(bytes_str(text)) };

	return (submit(&s));
}

static enum code
say(uint64_t verb, uint8_t type, const char *text)
{
	struct submit s = { .verb = verb,
		.ref = bytes_of(&type, 1),
		.body = BODY_OF(bytes_str(text)) };

	return (submit(&s));
}

static void
assert_published(const char *frame, unsigned int kind, uint64_t seq)
{
	assert_true(world.published);
	assert_true(bytes_eq(buf_bytes(&world.frame), bytes_str(frame)));
	assert_int_equal(world.p.kind, kind);
	assert_int_equal(world.p.seq, seq);
}

static int
count_patches(const struct record *r, void *arg)
{
	*(size_t *)arg += r->kind == SDS_KIND_PATCH;
	return (0);
}

static size_t
patches(void)
{
	struct txn t;
	size_t n = 0;

	begin(&t);
	assert_int_equal(txn_log_scan(&t, 0, UINT64_MAX, count_patches, &n), 0);
	end(&t);
	return (n);
}

static void
assert_value(const char *key, const char *want, uint64_t stamp)
{
	struct buf b = BUF_INIT;
	struct field f;
	struct txn t;

	begin(&t);
	assert_int_equal(txn_field_get(&t, bytes_str(key), &b, &f), 1);
	assert_true(bytes_eq(buf_bytes(&b), bytes_str(want)));
	assert_int_equal(f.stamp, stamp);
	end(&t);
	buf_free(&b);
}

static int
setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.kv = kv_mem_open();
	world.conf.sds_persist = true;
	world.rule = &rule_sds;
	return (world.kv == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	(void)state;
	world.kv->ops->close(world.kv);
	buf_free(&world.frame);
	buf_free(&world.info);
	return (0);
}

static void
every_patch_has_a_number_and_goes_to_the_others(void **state)
{
	(void)state;
	assert_int_equal(patch("one"), CODE_OK);
	assert_published("\001one", SDS_KIND_PATCH, 1);
	assert_int_equal(world.p.flags, PUBLISH_SKIP_SELF);
	assert_int_equal(world.p.opcode, 2);
	assert_int_equal(patch(""), CODE_OK);
	assert_published("\001", SDS_KIND_PATCH, 2);
	assert_int_equal(patches(), 2);
}

static void
a_value_is_kept_under_its_key_and_the_last_one_counts(void **state)
{
	(void)state;
	assert_int_equal(value(KEY_A, "one", 0), CODE_OK);
	assert_published("\002" KEY_A "one", SDS_KIND_VALUE, 1);
	assert_int_equal(world.p.flags, PUBLISH_SKIP_SELF);
	assert_int_equal(value(KEY_B, "", 0), CODE_OK);
	assert_published("\002" KEY_B, SDS_KIND_VALUE, 2);
	assert_int_equal(value(KEY_A, "two", 0), CODE_OK);
	assert_value(KEY_A, "two", 3);
	assert_value(KEY_B, "", 2);
}

static void
a_value_leaves_the_patches_alone(void **state)
{
	(void)state;
	patch("one");
	value(KEY_A, "v", 0);
	patch("two");
	assert_int_equal(patches(), 2);
}

static void
a_value_prunes_the_patches_before_it_where_that_is_wanted(void **state)
{
	size_t i;

	(void)state;
	world.conf.sds_prune = true;
	for (i = 0; i < 600; i++)
		patch("old");
	value(KEY_A, "v", 0);
	assert_int_equal(patches(), 0);
	patch("new");
	assert_int_equal(patches(), 1);
	assert_value(KEY_A, "v", 601);
}

static void
a_key_of_another_length_is_refused(void **state)
{
	(void)state;
	assert_int_equal(value("short", "v", 0), CODE_INVALID);
	assert_int_equal(value(KEY_A "b", "v", 0), CODE_INVALID);
	assert_int_equal(world.seq, 0);
}

static void
a_value_in_chunks_is_only_for_those_who_came_later(void **state)
{
	struct submit begin_chunks = { .verb = SDS_VERB_CHUNK_BEGIN };
	uint64_t clock;

	(void)state;
	world.position = 64;
	assert_int_equal(submit(&begin_chunks), CODE_OK);
	assert_false(world.published);
	assert_int_equal(world.seq, 0);
	assert_int_equal(world.info.len, 8);
	clock = be64_get(buf_bytes(&world.info).p);
	/* Live at 64 has seen it all; live at 72, the next place, has not. */
	assert_true(clock >= 64 && clock < 72);
	assert_int_equal(value(KEY_A, "v", clock), CODE_OK);
	assert_int_equal(world.p.flags, PUBLISH_SKIP_SELF | PUBLISH_SEEN);
	assert_int_equal(world.p.since, clock);
	assert_int_equal(world.p.kind, SDS_KIND_VALUE_CHUNKED);
	assert_value(KEY_A, "v", 1);
}

static void
a_chunked_value_at_the_start_of_a_ring_counts_as_chunked(void **state)
{
	struct submit begin_chunks = { .verb = SDS_VERB_CHUNK_BEGIN };

	(void)state;
	assert_int_equal(submit(&begin_chunks), CODE_OK);
	assert_int_not_equal(be64_get(buf_bytes(&world.info).p), 0);
}

static void
signals_are_passed_on_and_not_kept(void **state)
{
	(void)state;
	assert_int_equal(say(SDS_VERB_SIGNAL, SDS_PRESENCE, "{}"), CODE_OK);
	assert_published("\004{}", SDS_PRESENCE, 0);
	assert_int_equal(world.p.flags, PUBLISH_SKIP_SELF);
	assert_int_equal(world.p.opcode, 2);
	assert_int_equal(say(SDS_VERB_SIGNAL, 0xff, ""), CODE_OK);
	assert_published("\377", 0xff, 0);
	assert_int_equal(say(SDS_VERB_SIGNAL_WRITE, SDS_VALUE_CHUNK, "c"),
	    CODE_OK);
	assert_published("\005c", SDS_VALUE_CHUNK, 0);
	assert_int_equal(world.seq, 0);
}

static void
a_read_grant_signals_nothing_that_changes_a_store(void **state)
{
	const struct rule_verb *v;

	(void)state;
	assert_int_equal(say(SDS_VERB_SIGNAL, SDS_PATCH, "x"), CODE_NO_SCOPE);
	assert_int_equal(say(SDS_VERB_SIGNAL, SDS_VALUE, "x"), CODE_NO_SCOPE);
	assert_int_equal(say(SDS_VERB_SIGNAL, SDS_VALUE_CHUNK, "x"),
	    CODE_NO_SCOPE);
	for (v = rule_sds.verbs; v->name != NULL; v++)
		assert_int_equal(v->scope,
		    v->verb == SDS_VERB_SIGNAL ? SCOPE_READ : SCOPE_WRITE);
}

static void
text_in_the_signal_room_stays_text(void **state)
{
	(void)state;
	world.room = SDS_ROOM_SIGNAL;
	assert_int_equal(say(SDS_VERB_SIGNAL, 1, "{}"), CODE_OK);
	assert_published("{}", 1, 0);
	assert_int_equal(world.p.opcode, 1);
	assert_int_equal(say(SDS_VERB_SIGNAL, 2, "\001"), CODE_OK);
	assert_published("\001", 2, 0);
	assert_int_equal(world.p.opcode, 2);
	assert_int_equal(say(SDS_VERB_SIGNAL, 1, ""), CODE_OK);
	assert_int_equal(say(SDS_VERB_SIGNAL, 1, "\377"), CODE_INVALID);
	assert_int_equal(say(SDS_VERB_SIGNAL, 8, "x"), CODE_INVALID);
}

static void
nothing_is_kept_in_the_signal_room(void **state)
{
	struct submit begin_chunks = { .verb = SDS_VERB_CHUNK_BEGIN };

	(void)state;
	world.room = SDS_ROOM_SIGNAL;
	assert_int_equal(patch("x"), CODE_INVALID);
	assert_int_equal(value(KEY_A, "x", 0), CODE_INVALID);
	assert_int_equal(submit(&begin_chunks), CODE_INVALID);
	assert_int_equal(say(SDS_VERB_SIGNAL_WRITE, 1, "x"), CODE_INVALID);
}

static void
nothing_is_kept_where_the_operator_wants_it_so(void **state)
{
	(void)state;
	world.conf.sds_persist = false;
	assert_int_equal(patch("x"), CODE_DISABLED);
	assert_int_equal(value(KEY_A, "x", 0), CODE_DISABLED);
	assert_int_equal(say(SDS_VERB_SIGNAL_WRITE, SDS_PATCH, "x"), CODE_OK);
	assert_published("\001x", SDS_PATCH, 0);
}

static void
there_are_two_rooms(void **state)
{
	struct txn t;

	(void)state;
	for (world.room = 0; world.room < 4; world.room++) {
		begin(&t);
		assert_int_equal(rule_sds.open(&t),
		    world.room < 2 ? CODE_OK : CODE_INVALID);
		end(&t);
	}
}

static void
a_large_body_is_published_as_its_blob(void **state)
{
	struct submit s = { .verb = SDS_VERB_SIGNAL,
		.ref = BYTES_LIT("\007"),
		.body = { BYTES_NONE, 77, 1000000 } };

	(void)state;
	assert_int_equal(submit(&s), CODE_OK);
	assert_int_equal(world.p.blob, 77);
	assert_int_equal(world.p.blob_size, 1000000);
	assert_int_equal(world.p.kind, 7);
}

static void
echo_says_it_to_everybody(void **state)
{
	(void)state;
	world.rule = &rule_echo;
	assert_int_equal(say(1, 1, "hello"), CODE_OK);
	assert_published("hello", 1, 0);
	assert_int_equal(world.p.flags, 0);
	assert_int_equal(say(1, 2, "\377"), CODE_OK);
	assert_int_equal(world.p.opcode, 2);
	assert_int_equal(say(1, 1, "\377"), CODE_INVALID);
	assert_int_equal(say(1, 9, "x"), CODE_INVALID);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_patch_has_a_number_and_goes_to_the_others),
		T(a_value_is_kept_under_its_key_and_the_last_one_counts),
		T(a_value_leaves_the_patches_alone),
		T(a_value_prunes_the_patches_before_it_where_that_is_wanted),
		T(a_key_of_another_length_is_refused),
		T(a_value_in_chunks_is_only_for_those_who_came_later),
		T(a_chunked_value_at_the_start_of_a_ring_counts_as_chunked),
		T(signals_are_passed_on_and_not_kept),
		T(a_read_grant_signals_nothing_that_changes_a_store),
		T(text_in_the_signal_room_stays_text),
		T(nothing_is_kept_in_the_signal_room),
		T(nothing_is_kept_where_the_operator_wants_it_so),
		T(there_are_two_rooms),
		T(a_large_body_is_published_as_its_blob),
		T(echo_says_it_to_everybody),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
