/*
 * What a client is given out of the store, with a connection that only writes
 * down what was asked of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/limits.h"
#include "worker/sds_feed.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OWN   9

struct conn {
	struct buf frames; /* opcode, size be64, payload */
	size_t queued;
	int takes; /* frames until it takes no more, 0: it takes all */
	int asked;
	uint64_t early; /* the tag of what was asked for before its step */
	enum fetch_what what;
	uint64_t after, upto;
	uint64_t off;
	int live;
	uint64_t live_seq;
	uint64_t seq;
	int dropped;
};

static struct conn conn;
static struct sds_feed feed;

void
conn_begin(struct conn *c, unsigned int opcode, uint64_t size)
{
	buf_add_u8(&c->frames, (uint8_t)opcode);
	buf_add_be64(&c->frames, size);
	if (c->takes > 0 && --c->takes == 0)
		c->queued = CONN_LOW_BYTES;
}

void
conn_write(struct conn *c, struct bytes b)
{
	buf_add_bytes(&c->frames, b);
}

void
conn_send(struct conn *c, unsigned int opcode, struct bytes b)
{
	conn_begin(c, opcode, b.n);
	conn_write(c, b);
}

size_t
conn_queued(struct conn *c)
{
	return (c->queued);
}

void
conn_fetch(struct conn *c, uint64_t tag, enum fetch_what what, uint64_t after,
    uint64_t upto, struct bytes prefix, struct bytes from)
{
	(void)prefix;
	if (tag != 0) {
		assert_int_equal(what, FETCH_LOG);
		assert_int_equal(upto, SDS_FEED_NEWEST);
		c->early = tag;
		return;
	}
	assert_false(c->asked);
	c->asked = 1;
	c->what = what;
	c->after = after;
	c->upto = upto;
	c->off = from.n == 8 ? be64_get(from.p) : 0;
}

void
conn_live(struct conn *c, uint64_t seq)
{
	c->live = 1;
	c->live_seq = seq;
}

void
conn_pause(struct conn *c)
{
	c->live = 0;
}

uint64_t
conn_seq(struct conn *c)
{
	return (c->seq);
}

uint64_t
conn_session(struct conn *c)
{
	(void)c;
	return (OWN);
}

void
conn_drop(struct conn *c)
{
	c->dropped = 1;
}

static enum code
answer_code(enum code code, const struct entry *e, size_t n, int more,
    uint64_t seq)
{
	struct buf b = BUF_INIT;
	struct fetched_in f = { .code = code, .more = more, .seq = seq };
	size_t i;

	assert_true(conn.asked);
	conn.asked = 0;
	for (i = 0; i < n; i++)
		entry_pack(&b, &e[i]);
	f.entries = buf_bytes(&b);
	code = sds_feed_fetched(&feed, &f);
	buf_free(&b);
	return (code);
}

static void
answer(const struct entry *e, size_t n, int more, uint64_t seq)
{
	assert_int_equal(answer_code(CODE_OK, e, n, more, seq), CODE_OK);
}

/* To what was asked for early, as far as seq. */
static void
answer_early(const struct entry *e, size_t n, uint64_t seq)
{
	struct buf b = BUF_INIT;
	struct fetched_in f = { .tag = conn.early, .seq = seq };
	size_t i;

	assert_true(conn.early != 0);
	conn.early = 0;
	for (i = 0; i < n; i++)
		entry_pack(&b, &e[i]);
	f.entries = buf_bytes(&b);
	assert_int_equal(sds_feed_fetched(&feed, &f), CODE_OK);
	buf_free(&b);
}

static void
answer_slice(size_t n, char c)
{
	char *text = malloc(n);
	struct entry e = { .body = bytes_of(text, n) };

	assert_non_null(text);
	memset(text, c, n);
	answer(&e, 1, 0, 0);
	free(text);
}

/* The next frame that was sent; its payload is given back. */
static struct bytes
frame(unsigned int opcode)
{
	struct bytes b = buf_bytes(&conn.frames);
	uint64_t size;

	assert_true(b.n >= 9);
	assert_int_equal(b.p[0], opcode);
	size = be64_get(b.p + 1);
	assert_true(size <= b.n - 9);
	buf_drop(&conn.frames, 9 + (size_t)size);
	return (bytes_of(b.p + 9, (size_t)size));
}

static void
assert_frame(const char *want)
{
	struct bytes got = frame(WS_BINARY);

	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static void
assert_chunk(uint32_t index, uint32_t total, size_t n)
{
	struct bytes got = frame(WS_BINARY);

	assert_int_equal(got.n, SDS_CHUNK_HEAD_BYTES + n);
	assert_int_equal(got.p[0], SDS_VALUE_CHUNK);
	assert_memory_equal(got.p + 1, KEY_A, SDS_KEY_BYTES);
	assert_int_equal(be32_get(got.p + 33), index);
	assert_int_equal(be32_get(got.p + 37), total);
}

static void
assert_done(uint64_t seq)
{
	assert_int_equal(feed.step, SDS_FEED_IDLE);
	assert_int_equal(conn.frames.len, 0);
	assert_true(conn.live);
	assert_int_equal(conn.live_seq, seq);
	assert_false(conn.asked);
}

static struct entry
patch(uint64_t seq, uint64_t origin, const char *text)
{
	return ((struct entry){ .seq = seq,
	    .origin = origin,
	    .kind = SDS_KIND_PATCH,
	    .body = bytes_str(text) });
}

static struct entry
value(uint64_t seq, const char *text)
{
	return ((struct entry){ .seq = seq,
	    .key = BYTES_LIT(KEY_A),
	    .body = bytes_str(text) });
}

static struct entry
value_blob(uint64_t seq, uint64_t size)
{
	struct entry e = value(seq, "");

	e.flags = ENTRY_BLOB;
	e.blob = 77;
	e.size = size;
	return (e);
}

static int
setup(void **state)
{
	(void)state;
	memset(&conn, 0, sizeof(conn));
	sds_feed_init(&feed, &conn);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	sds_feed_free(&feed);
	buf_free(&conn.frames);
	return (0);
}

static void
the_replay_is_values_then_patches_then_the_ring(void **state)
{
	struct entry v = value(2, "v");
	struct entry p[] = { patch(1, 0, "one"),
		{ .seq = 2, .kind = SDS_KIND_VALUE, .body = v.key },
		patch(3, 0, "") };

	(void)state;
	sds_feed_history(&feed, 0, 3, 0);
	sds_feed_run(&feed);
	assert_int_equal(conn.what, FETCH_FIELDS);
	assert_int_equal(conn.upto, 3);
	answer(&v, 1, 0, 5);
	assert_frame("\002" KEY_A "v");
	assert_int_equal(conn.what, FETCH_LOG);
	assert_int_equal(conn.after, 0);
	assert_int_equal(conn.upto, 3);
	assert_false(conn.live);
	answer(p, 3, 0, 5);
	assert_frame("\001one");
	assert_frame("\001");
	assert_done(3);
}

static void
all_there_is_is_asked_for_at_once(void **state)
{
	struct entry v = value(2, "v"), p = patch(1, 0, "one");

	(void)state;
	sds_feed_all(&feed);
	assert_int_equal(conn.what, FETCH_FIELDS);
	answer(&v, 1, 0, 2);
	assert_frame("\002" KEY_A "v");
	assert_false(conn.asked);
	answer_early(&p, 1, 2);
	assert_frame("\001one");
	assert_done(2);
}

static void
an_early_answer_is_asked_for_again_when_somebody_wrote(void **state)
{
	struct entry p[] = { patch(1, 0, "one"), patch(2, 0, "two") };

	(void)state;
	sds_feed_all(&feed);
	answer(NULL, 0, 0, 1);
	answer_early(p, 2, 2);
	assert_int_equal(conn.frames.len, 0);
	assert_true(conn.asked);
	assert_int_equal(conn.what, FETCH_LOG);
	assert_int_equal(conn.after, 0);
	assert_int_equal(conn.upto, 1);
	answer(p, 1, 0, 2);
	assert_frame("\001one");
	assert_done(1);
}

static void
an_early_answer_is_asked_for_again_in_its_turn(void **state)
{
	struct entry v[] = { value(2, "v"), value(3, "w") };
	struct entry p = patch(1, 0, "one");

	(void)state;
	sds_feed_all(&feed);
	answer(&v[0], 1, 1, 3);
	answer_early(&p, 1, 3);
	assert_frame("\002" KEY_A "v");
	assert_int_equal(conn.frames.len, 0);
	assert_int_equal(conn.what, FETCH_FIELDS);
	assert_int_equal(conn.after, 2);
	answer(&v[1], 1, 0, 3);
	assert_frame("\002" KEY_A "w");
	assert_int_equal(conn.what, FETCH_LOG);
	answer(&p, 1, 0, 3);
	assert_frame("\001one");
	assert_done(3);
}

static void
an_early_answer_while_the_client_takes_nothing_is_not_awaited(void **state)
{
	struct entry v = value(2, "v"), p = patch(1, 0, "one");

	(void)state;
	sds_feed_all(&feed);
	conn.queued = CONN_LOW_BYTES;
	answer(&v, 1, 0, 2);
	answer_early(&p, 1, 2);
	assert_int_equal(conn.frames.len, 0);
	conn.queued = 0;
	sds_feed_run(&feed);
	assert_frame("\002" KEY_A "v");
	assert_int_equal(conn.what, FETCH_LOG);
	answer(&p, 1, 0, 2);
	assert_frame("\001one");
	assert_done(2);
}

static void
pages_go_on_after_their_last_entry(void **state)
{
	struct entry p[] = { patch(4, 0, "a"), patch(6, 0, "b") };

	(void)state;
	sds_feed_history(&feed, 3, 6, 0);
	sds_feed_run(&feed);
	answer(NULL, 0, 0, 6);
	answer(p, 1, 1, 6);
	assert_int_equal(conn.after, 4);
	answer(p + 1, 1, 0, 6);
	assert_frame("\001a");
	assert_frame("\001b");
	assert_done(6);
}

static void
a_page_is_asked_for_while_another_is_sent(void **state)
{
	struct entry p[] = { patch(1, 0, "a"), patch(2, 0, "b"),
		patch(3, 0, "c"), patch(4, 0, "d"), patch(5, 0, "e") };

	(void)state;
	sds_feed_history(&feed, 0, 5, 0);
	sds_feed_run(&feed);
	answer(NULL, 0, 0, 5);
	conn.takes = 1;
	answer(p, 2, 1, 5);
	assert_frame("\001a");
	assert_int_equal(conn.frames.len, 0);
	assert_true(conn.asked);
	assert_int_equal(conn.after, 2);
	/* It comes while the client takes nothing, and is the last so far. */
	answer(p + 2, 2, 1, 5);
	assert_int_equal(conn.frames.len, 0);
	assert_false(conn.asked);
	conn.queued = 0;
	sds_feed_run(&feed);
	assert_frame("\001b");
	assert_frame("\001c");
	assert_frame("\001d");
	assert_int_equal(conn.after, 4);
	answer(p + 4, 1, 0, 5);
	assert_frame("\001e");
	assert_done(5);
}

static void
a_blob_comes_before_the_next_page(void **state)
{
	struct entry v = value_blob(1, FETCH_MAX_BYTES);

	(void)state;
	sds_feed_history(&feed, 0, 2, 0);
	sds_feed_run(&feed);
	answer(&v, 1, 1, 2);
	assert_int_equal(conn.what, FETCH_BLOB);
	answer_slice(FETCH_MAX_BYTES, 'x');
	assert_int_equal(conn.what, FETCH_FIELDS);
	assert_int_equal(conn.after, 1);
	answer(NULL, 0, 0, 2);
	answer(NULL, 0, 0, 2);
	assert_int_equal(frame(WS_BINARY).n,
	    1 + SDS_KEY_BYTES + FETCH_MAX_BYTES);
	assert_done(2);
}

static void
nothing_is_asked_while_the_client_does_not_take_it(void **state)
{
	struct entry p[] = { patch(1, 0, "a"), patch(2, 0, "b") };

	(void)state;
	sds_feed_history(&feed, 0, 2, 0);
	conn.queued = CONN_LOW_BYTES;
	sds_feed_run(&feed);
	assert_false(conn.asked);
	conn.queued = 0;
	sds_feed_run(&feed);
	answer(NULL, 0, 0, 2);
	conn.queued = CONN_LOW_BYTES;
	answer(p, 2, 0, 2);
	assert_int_equal(conn.frames.len, 0);
	conn.queued = 0;
	sds_feed_run(&feed);
	assert_frame("\001a");
	assert_frame("\001b");
	assert_done(2);
}

static void
a_large_value_is_replayed_in_chunks_of_one_mebibyte(void **state)
{
	struct entry v = value_blob(1, MIB + 1);
	size_t i;

	(void)state;
	sds_feed_history(&feed, 0, 1, 0);
	sds_feed_run(&feed);
	answer(&v, 1, 0, 1);
	for (i = 0; i < 4; i++) {
		assert_int_equal(conn.what, FETCH_BLOB);
		assert_int_equal(conn.after, 77);
		assert_int_equal(conn.off, i * FETCH_MAX_BYTES);
		answer_slice(FETCH_MAX_BYTES, 'x');
	}
	assert_int_equal(conn.upto, 1);
	answer_slice(1, 'y');
	assert_chunk(0, 2, MIB);
	assert_chunk(1, 2, 1);
	answer(NULL, 0, 0, 1);
	assert_done(1);
}

static void
a_value_of_one_mebibyte_is_replayed_whole(void **state)
{
	struct entry v = value_blob(1, MIB);
	size_t i;

	(void)state;
	sds_feed_history(&feed, 0, 1, 0);
	sds_feed_run(&feed);
	answer(&v, 1, 0, 1);
	for (i = 0; i < 4; i++)
		answer_slice(FETCH_MAX_BYTES, 'x');
	assert_int_equal(frame(WS_BINARY).n, 1 + SDS_KEY_BYTES + MIB);
	answer(NULL, 0, 0, 1);
	assert_done(1);
}

static void
a_large_value_that_came_whole_goes_on_whole(void **state)
{
	struct entry stub = { .seq = 4, .kind = SDS_KIND_VALUE };
	struct entry v = value_blob(4, MIB + FETCH_MAX_BYTES);
	size_t i;

	(void)state;
	sds_feed_stub(&feed, &stub, 1);
	sds_feed_run(&feed);
	assert_int_equal(conn.after, 3);
	assert_int_equal(conn.upto, 4);
	answer(&v, 1, 0, 4);
	for (i = 0; i < 5; i++)
		answer_slice(FETCH_MAX_BYTES, 'x');
	assert_int_equal(frame(WS_BINARY).n,
	    1 + SDS_KEY_BYTES + MIB + FETCH_MAX_BYTES);
	assert_done(4);
}

static void
who_fell_behind_is_not_given_its_own_patches(void **state)
{
	struct entry p[] = { patch(5, OWN, "mine"), patch(6, 8, "theirs") };

	(void)state;
	sds_feed_history(&feed, 4, SDS_FEED_NEWEST, 1);
	sds_feed_run(&feed);
	answer(NULL, 0, 0, 6);
	/* What is newest may grow; history ends where it was first seen. */
	assert_int_equal(conn.upto, 6);
	answer(p, 2, 0, 8);
	assert_frame("\001theirs");
	assert_done(6);
}

static void
a_newcomer_is_given_patches_of_a_session_with_its_number(void **state)
{
	struct entry p = patch(1, OWN, "an older broker's");

	(void)state;
	sds_feed_history(&feed, 0, 1, 0);
	sds_feed_run(&feed);
	answer(NULL, 0, 0, 1);
	answer(&p, 1, 0, 1);
	assert_frame("\001an older broker's");
	assert_done(1);
}

static void
a_value_asked_for_is_answered_or_missing(void **state)
{
	struct entry v = value(1, "v");

	(void)state;
	conn.live = 1;
	conn.seq = 7;
	sds_feed_value(&feed, (const uint8_t *)KEY_A);
	assert_false(conn.live);
	sds_feed_run(&feed);
	assert_int_equal(conn.what, FETCH_FIELD);
	answer(&v, 1, 0, 7);
	assert_frame("\002" KEY_A "v");
	assert_false(feed.missing);
	assert_done(7);
	sds_feed_value(&feed, (const uint8_t *)KEY_A);
	sds_feed_run(&feed);
	assert_int_equal(answer_code(CODE_NOT_FOUND, NULL, 0, 0, 7), CODE_OK);
	assert_true(feed.missing);
	assert_done(7);
}

static void
a_large_signal_keeps_its_type(void **state)
{
	struct entry stub = { .kind = 7,
		.flags = ENTRY_BLOB,
		.blob = 5,
		.size = 3 };

	(void)state;
	conn.seq = 2;
	sds_feed_stub(&feed, &stub, 1);
	sds_feed_run(&feed);
	answer_slice(3, 'x');
	assert_frame("\007xxx");
	assert_done(2);
}

static void
large_text_is_sent_only_if_it_is_text(void **state)
{
	struct entry stub = { .kind = WS_TEXT,
		.flags = ENTRY_BLOB,
		.blob = 5,
		.size = 3 };

	(void)state;
	sds_feed_stub(&feed, &stub, 0);
	sds_feed_run(&feed);
	answer_slice(3, 'x');
	assert_true(bytes_eq(frame(WS_TEXT), BYTES_LIT("xxx")));
	assert_done(0);
	sds_feed_stub(&feed, &stub, 0);
	sds_feed_run(&feed);
	answer_slice(3, '\xff');
	assert_done(0);
}

static void
a_blob_that_is_gone_is_passed_over_before_its_frame_began(void **state)
{
	struct entry v = value_blob(1, 300000);

	(void)state;
	sds_feed_history(&feed, 0, 1, 0);
	sds_feed_run(&feed);
	answer(&v, 1, 0, 2);
	assert_int_equal(answer_code(CODE_NOT_FOUND, NULL, 0, 0, 2), CODE_OK);
	assert_false(conn.dropped);
	answer(NULL, 0, 0, 2);
	assert_done(1);
	setup(state);
	sds_feed_history(&feed, 0, 1, 0);
	sds_feed_run(&feed);
	answer(&v, 1, 0, 2);
	answer_slice(FETCH_MAX_BYTES, 'x');
	assert_int_equal(answer_code(CODE_NOT_FOUND, NULL, 0, 0, 2), CODE_OK);
	assert_true(conn.dropped);
}

static void
a_store_that_fails_ends_the_client(void **state)
{
	(void)state;
	sds_feed_history(&feed, 0, 1, 0);
	sds_feed_run(&feed);
	assert_int_equal(answer_code(CODE_STORAGE, NULL, 0, 0, 1),
	    CODE_STORAGE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_replay_is_values_then_patches_then_the_ring),
		T(all_there_is_is_asked_for_at_once),
		T(an_early_answer_is_asked_for_again_when_somebody_wrote),
		T(an_early_answer_is_asked_for_again_in_its_turn),
		T(an_early_answer_while_the_client_takes_nothing_is_not_awaited),
		T(pages_go_on_after_their_last_entry),
		T(a_page_is_asked_for_while_another_is_sent),
		T(a_blob_comes_before_the_next_page),
		T(nothing_is_asked_while_the_client_does_not_take_it),
		T(a_large_value_is_replayed_in_chunks_of_one_mebibyte),
		T(a_value_of_one_mebibyte_is_replayed_whole),
		T(a_large_value_that_came_whole_goes_on_whole),
		T(who_fell_behind_is_not_given_its_own_patches),
		T(a_newcomer_is_given_patches_of_a_session_with_its_number),
		T(a_value_asked_for_is_answered_or_missing),
		T(a_large_signal_keeps_its_type),
		T(large_text_is_sent_only_if_it_is_text),
		T(a_blob_that_is_gone_is_passed_over_before_its_frame_began),
		T(a_store_that_fails_ends_the_client),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
