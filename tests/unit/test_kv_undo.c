/*
 * Work over several transactions that can be taken back, and the meter that
 * finds out what is too much for one: random changes against the same made
 * directly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "broker/kv_meter.h"
#include "broker/kv_undo.h"
#include "broker/txn.h"
#include "tests/lib/store.h"

#define CHANGES 3000
#define ROWS	1000u

struct world {
	struct store store, like;
	struct kv_undo undo;
	unsigned int parts; /* so far */
	unsigned int every; /* a pause ends a part once in so many */
	unsigned int pauses;
	uint64_t seed;
};

static unsigned int
draw(struct world *w, unsigned int n)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return ((unsigned int)(w->seed >> 33) % n);
}

static void
part_ends(void *arg)
{
	struct world *w = arg;

	if (++w->pauses % w->every != 0)
		return;
	w->parts++;
	w->undo.kv.ops->commit(&w->undo.kv);
	assert_int_equal(w->undo.kv.ops->begin(&w->undo.kv), 0);
}

/* The same change to both, the second time at once. */
static void
change(struct world *w, struct kv *kv)
{
	enum kv_table t = (enum kv_table)draw(w, KV_TABLES);
	uint8_t key[10] = { 1 }, val[600];
	unsigned int what = draw(w, 3);
	size_t n = draw(w, sizeof(val));

	be32_put(key + 6, draw(w, 200));
	memset(val, (int)draw(w, 256), sizeof(val));
	if (what == 0)
		assert_int_equal(kv->ops->del(kv, t,
				     bytes_of(key, sizeof(key))),
		    0);
	else
		assert_int_equal(kv->ops->put(kv, t, bytes_of(key, sizeof(key)),
				     bytes_of(val, n)),
		    0);
}

static void
changes(struct world *w, struct kv *kv)
{
	int i;

	assert_int_equal(kv->ops->begin(kv), 0);
	for (i = 0; i < CHANGES; i++)
		change(w, kv);
	assert_int_equal(kv->ops->commit(kv), 0);
}

static int
setup_as(void **state, enum store_make make)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.every = 7;
	store_new(&w.store, make);
	store_new(&w.like, STORE_MEM);
	w.seed = 1;
	changes(&w, w.store.kv);
	w.seed = 1;
	changes(&w, w.like.kv);
	kv_undo_init(&w.undo, w.store.kv, part_ends, &w);
	kv_undo_start(&w.undo);
	*state = &w;
	return (0);
}

static int
setup(void **state)
{
	return (setup_as(state, STORE_MEM));
}

static int
setup_bdb(void **state)
{
	return (setup_as(state, STORE_BDB));
}

static int
teardown(void **state)
{
	struct world *w = *state;

	kv_undo_free(&w->undo);
	store_remove(&w->store);
	store_remove(&w->like);
	return (0);
}

static void
assert_alike(struct world *w)
{
	uint8_t a[STORE_DIGEST_LEN], b[STORE_DIGEST_LEN];

	store_digest(w->store.kv, a);
	store_digest(w->like.kv, b);
	assert_memory_equal(a, b, sizeof(a));
}

static void
what_is_taken_back_was_never_there(void **state)
{
	struct world *w = *state;

	changes(w, &w->undo.kv);
	assert_true(w->parts > 100);
	assert_true(w->undo.pages > 5);
	assert_int_equal(kv_undo_recover(w->store.kv), 0);
	assert_alike(w);
}

static void
what_is_kept_is_as_if_done_at_once(void **state)
{
	struct world *w = *state;
	struct kv *kv = w->store.kv;
	uint64_t seed = w->seed;
	int r;

	changes(w, &w->undo.kv);
	assert_int_equal(kv->ops->begin(kv), 0);
	assert_int_equal(kv_undo_keep(&w->undo), 0);
	assert_int_equal(kv->ops->commit(kv), 0);
	assert_int_equal(kv_undo_back(kv), 0);
	while ((r = kv_undo_erase(kv)) == 1)
		;
	assert_int_equal(r, 0);
	w->seed = seed;
	changes(w, w->like.kv);
	assert_alike(w);
}

static void
a_start_takes_back_what_a_crash_left_half_taken_back(void **state)
{
	struct world *w = *state;

	changes(w, &w->undo.kv);
	assert_int_equal(kv_undo_back(w->store.kv), 1);
	assert_int_equal(kv_undo_back(w->store.kv), 1);
	w->store.kv->ops->close(w->store.kv);
	store_reopen(&w->store);
	assert_int_equal(kv_undo_recover(w->store.kv), 0);
	assert_alike(w);
}

static void
a_start_erases_what_was_written_down_of_a_work_that_is_done(void **state)
{
	struct world *w = *state;
	struct kv *kv = w->store.kv;
	uint64_t seed = w->seed;

	changes(w, &w->undo.kv);
	assert_int_equal(kv->ops->begin(kv), 0);
	assert_int_equal(kv_undo_keep(&w->undo), 0);
	assert_int_equal(kv->ops->commit(kv), 0);
	assert_int_equal(kv_undo_erase(kv), 1);
	kv->ops->close(kv);
	store_reopen(&w->store);
	assert_int_equal(kv_undo_recover(w->store.kv), 0);
	w->seed = seed;
	changes(w, w->like.kv);
	assert_alike(w);
}

static void
after_a_part_that_is_not_kept_nothing_works(void **state)
{
	struct world *w = *state;
	struct kv *kv = &w->undo.kv;
	struct buf val = BUF_INIT;

	assert_int_equal(kv->ops->begin(kv), 0);
	change(w, kv);
	kv->ops->abort(kv);
	assert_int_equal(kv->ops->begin(kv), 0);
	assert_int_equal(kv->ops->get(kv, KV_REG, BYTES_LIT("x"), &val), -1);
	assert_int_equal(kv->ops->put(kv, KV_REG, BYTES_LIT("x"), BYTES_NONE),
	    -1);
	assert_int_equal(kv->ops->commit(kv), -1);
	assert_int_equal(kv_undo_recover(w->store.kv), 0);
	assert_alike(w);
	buf_free(&val);
}

/* The number that a document of this name gets. */
static uint64_t
create(struct kv *kv, const char *name)
{
	const struct doc_id id = { DIALECT_CANVAS, 0, bytes_str(name) };
	uint64_t number;
	struct txn t;

	assert_int_equal(kv->ops->begin(kv), 0);
	txn_init(&t, kv, &id);
	assert_int_equal(txn_create(&t), 0);
	number = t.doc;
	txn_done(&t);
	assert_int_equal(kv->ops->commit(kv), 0);
	return (number);
}

#define OTHERS 16u
static uint64_t others[OTHERS]; /* made between two parts */
static size_t nothers;

static void
part_ends_and_another_is_made(void *arg)
{
	struct world *w = arg;

	w->undo.kv.ops->commit(&w->undo.kv);
	assert_in_range(nothers, 0, OTHERS - 1);
	others[nothers++] = create(w->store.kv, "another");
	assert_int_equal(w->undo.kv.ops->begin(&w->undo.kv), 0);
}

static void
numbers_that_others_take_meanwhile_stay_theirs(void **state)
{
	struct world *w = *state;
	struct kv *kv = w->store.kv;
	uint64_t mine;
	size_t i;

	nothers = 0;
	w->undo.pause = part_ends_and_another_is_made;
	mine = create(&w->undo.kv, "mine");
	assert_true(nothers > 0);
	for (i = 0; i < nothers; i++)
		assert_int_not_equal(mine, others[i]);
	assert_int_equal(kv_undo_recover(kv), 0);
	assert_true(create(kv, "next") > others[nothers - 1]);
}

/* As of a quota, which counts in every document. */
static void
what_others_count_meanwhile_stays_counted(void **state)
{
	const struct bytes key = BYTES_LIT("\0\0\0\0\0\0\0\0rcount");
	struct world *w = *state;
	struct kv *undo = &w->undo.kv, *kv = w->store.kv;
	struct buf val = BUF_INIT;

	assert_int_equal(undo->ops->begin(undo), 0);
	assert_int_equal(undo->ops->put(undo, KV_REG, key, BYTES_LIT("1")), 0);
	assert_int_equal(undo->ops->commit(undo), 0);
	assert_int_equal(kv->ops->begin(kv), 0);
	assert_int_equal(kv->ops->put(kv, KV_REG, key, BYTES_LIT("2")), 0);
	assert_int_equal(kv->ops->commit(kv), 0);
	assert_int_equal(kv_undo_recover(kv), 0);
	assert_int_equal(kv->ops->get(kv, KV_REG, key, &val), 1);
	assert_true(bytes_eq(buf_bytes(&val), BYTES_LIT("2")));
	buf_free(&val);
}

struct seen {
	struct world *w;
	uint32_t next;
	uint32_t stop;
};

static int
seen_each(struct bytes key, struct bytes val, void *arg)
{
	struct seen *s = arg;
	struct buf again = BUF_INIT;
	struct kv *kv = &s->w->undo.kv;

	assert_int_equal(be32_get(key.p), s->next++);
	/* Reading within a scan is fine, and ends no part. */
	assert_int_equal(kv->ops->get(kv, KV_NAME, key, &again), 1);
	assert_true(bytes_eq(buf_bytes(&again), val));
	buf_free(&again);
	return (s->next == s->stop);
}

static void
a_scan_over_many_parts_sees_every_row_once(void **state)
{
	struct world *w = *state;
	struct kv *kv = &w->undo.kv;
	struct seen s = { w, 0, ROWS - 1 };
	uint8_t key[4];
	uint32_t i;

	assert_int_equal(kv->ops->begin(kv), 0);
	for (i = 0; i < ROWS; i++) {
		be32_put(key, i);
		assert_int_equal(kv->ops->put(kv, KV_NAME, bytes_of(key, 4),
				     bytes_of(key, 4)),
		    0);
	}
	w->every = 1;
	w->parts = 0;
	assert_int_equal(kv->ops->scan(kv, KV_NAME, BYTES_LIT(""),
			     BYTES_LIT("\0\1"), 0, seen_each, &s),
	    1);
	assert_int_equal(s.next, ROWS - 1);
	assert_true(w->parts > 2);
	s.next = 0;
	s.stop = ROWS + 1;
	assert_int_equal(kv->ops->scan(kv, KV_NAME, BYTES_LIT(""),
			     BYTES_LIT("\0\1"), 0, seen_each, &s),
	    0);
	assert_int_equal(s.next, ROWS);
	assert_int_equal(kv->ops->commit(kv), 0);
}

static void
a_meter_ends_what_is_too_much_and_it_stays_ended(void **state)
{
	struct world *w = *state;
	struct kv_meter m;
	int i, r = 0;

	kv_meter_init(&m, w->store.kv);
	kv_meter_start(&m, 100);
	assert_int_equal(w->store.kv->ops->begin(w->store.kv), 0);
	for (i = 0; i < 100 && r == 0; i++)
		r = m.kv.ops->put(&m.kv, KV_REG, BYTES_LIT("x"), BYTES_NONE);
	assert_in_range(i, 10, 50);
	assert_true(m.over);
	assert_int_equal(m.kv.ops->del(&m.kv, KV_REG, BYTES_LIT("x")), -1);
	w->store.kv->ops->abort(w->store.kv);
	assert_alike(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define UNDO_TEST(name, how)                                                   \
	cmocka_unit_test_setup_teardown(name, how, teardown)
		UNDO_TEST(what_is_taken_back_was_never_there, setup),
		UNDO_TEST(what_is_taken_back_was_never_there, setup_bdb),
		UNDO_TEST(what_is_kept_is_as_if_done_at_once, setup),
		UNDO_TEST(what_is_kept_is_as_if_done_at_once, setup_bdb),
		UNDO_TEST(a_start_takes_back_what_a_crash_left_half_taken_back,
		    setup_bdb),
		UNDO_TEST(
		    a_start_erases_what_was_written_down_of_a_work_that_is_done,
		    setup_bdb),
		UNDO_TEST(after_a_part_that_is_not_kept_nothing_works, setup),
		UNDO_TEST(numbers_that_others_take_meanwhile_stay_theirs,
		    setup_bdb),
		UNDO_TEST(what_others_count_meanwhile_stays_counted, setup),
		UNDO_TEST(a_scan_over_many_parts_sees_every_row_once, setup),
		UNDO_TEST(a_scan_over_many_parts_sees_every_row_once,
		    setup_bdb),
		UNDO_TEST(a_meter_ends_what_is_too_much_and_it_stays_ended,
		    setup),
	};

	if (sodium_init() == -1)
		return (1);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
