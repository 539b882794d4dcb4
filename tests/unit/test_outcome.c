/*
 * Outcomes: what a batch leaves for sessions that come back to another broker,
 * which here is the same one, loaded again from the same store.
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/broker.h"
#include "broker/outcome.h"
#include "common/clock.h"
#include "common/wire.h"
#include "tests/lib/kv_mem.h"

#define ME    7
#define OTHER 8

struct bench {
	struct broker b;
	struct session sessions[3]; /* ME, OTHER, and one that comes back */
	struct op ops[8];
	size_t nops;
	struct op_list batch;
	int peers[3];
};

static int
setup(void **state)
{
	struct bench *t = calloc(1, sizeof(*t));
	int pair[2];
	size_t i;

	t->b.kv = kv_mem_open();
	t->b.resume_ms = clock_ms() + 60000;
	t->b.outcomes = outcomes_load(&t->b);
	assert_non_null(t->b.outcomes);
	TAILQ_INIT(&t->batch);
	for (i = 0; i < 3; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		t->peers[i] = pair[1];
		t->sessions[i].broker = &t->b;
		t->sessions[i].refs = 100; /* never freed */
		t->sessions[i].id = ME + i;
		chan_init(&t->sessions[i].chan, pair[0], IPC_FROM_WORKER, 0);
	}
	*state = t;
	return (0);
}

static int
teardown(void **state)
{
	struct bench *t = *state;
	size_t i;

	outcomes_free(t->b.outcomes);
	t->b.kv->ops->close(t->b.kv);
	for (i = 0; i < 3; i++) {
		chan_close(&t->sessions[i].chan);
		close(t->peers[i]);
	}
	for (i = 0; i < t->nops; i++)
		buf_free(&t->ops[i].info);
	free(t);
	return (0);
}

static void
decided(struct bench *t, size_t session, uint64_t number, enum code code,
    uint64_t seq, const char *info)
{
	struct op *op = &t->ops[t->nops++];

	op->session = &t->sessions[session];
	op->number = number;
	op->code = code;
	op->seq = seq;
	buf_add_str(&op->info, info);
	TAILQ_INSERT_TAIL(&t->batch, op, entry);
}

/* Commits the batch; unread: its verdicts have not left the process. */
static void
commit(struct bench *t, int unread)
{
	struct msg v = MSG(VERDICT);
	struct op *op;

	assert_int_equal(t->b.kv->ops->begin(t->b.kv), 0);
	assert_int_equal(outcomes_save(&t->b, &t->batch), 0);
	assert_int_equal(t->b.kv->ops->commit(t->b.kv), 0);
	TAILQ_FOREACH(op, &t->batch, entry) {
		assert_int_equal(chan_send(&op->session->chan, &v), 0);
		if (!unread)
			assert_int_equal(chan_flush(&op->session->chan), 0);
	}
	outcomes_keep(&t->b, &t->batch);
	TAILQ_INIT(&t->batch);
}

static void
crash(struct bench *t)
{
	outcomes_free(t->b.outcomes);
	t->b.outcomes = outcomes_load(&t->b);
	assert_non_null(t->b.outcomes);
}

static void
claim(struct bench *t, uint64_t session, uint64_t from, int want)
{
	struct buf list = BUF_INIT;

	assert_int_equal(outcomes_claim(&t->b, &t->sessions[2], session, from,
			     &list),
	    want);
	buf_free(&list);
}

static void
the_next_broker_knows_what_the_last_batch_decided(void **state)
{
	struct bench *t = *state;
	struct buf list = BUF_INIT;
	struct bytes in, head, info;

	decided(t, 0, 1, CODE_OK, 41, "one");
	decided(t, 1, 1, CODE_OK, 42, "");
	decided(t, 0, 2, CODE_STALE, 42, "two");
	commit(t, 0);
	crash(t);
	assert_int_equal(outcomes_claim(&t->b, &t->sessions[2], ME, 1, &list),
	    2);
	in = buf_bytes(&list);
	assert_int_equal(list_next(&in, &head), 1);
	assert_int_equal(list_next(&in, &info), 1);
	assert_int_equal(head.p[0], CODE_OK);
	assert_int_equal(be64_get(head.p + 1), 1);
	assert_int_equal(be64_get(head.p + 9), 41);
	assert_true(bytes_eq(info, BYTES_LIT("one")));
	assert_int_equal(list_next(&in, &head), 1);
	assert_int_equal(list_next(&in, &info), 1);
	assert_int_equal(head.p[0], CODE_STALE);
	assert_true(bytes_eq(info, BYTES_LIT("two")));
	assert_int_equal(list_next(&in, &head), 0);
	buf_free(&list);
}

static void
what_the_worker_has_read_it_is_not_told(void **state)
{
	struct bench *t = *state;

	decided(t, 0, 1, CODE_OK, 41, "");
	decided(t, 0, 2, CODE_OK, 42, "");
	commit(t, 0);
	crash(t);
	claim(t, ME, 3, 0);
}

static void
who_sent_nothing_is_told_nothing(void **state)
{
	struct bench *t = *state;

	decided(t, 0, 1, CODE_OK, 41, "");
	commit(t, 0);
	crash(t);
	claim(t, OTHER, 1, 0);
}

static void
a_verdict_that_never_left_outlives_later_batches(void **state)
{
	struct bench *t = *state;

	decided(t, 0, 1, CODE_OK, 41, "");
	commit(t, 1);
	decided(t, 1, 1, CODE_OK, 42, "");
	commit(t, 0);
	decided(t, 1, 2, CODE_OK, 43, "");
	commit(t, 0);
	crash(t);
	claim(t, ME, 1, 1);
}

static void
one_that_left_is_forgotten_with_the_next_batch(void **state)
{
	struct bench *t = *state;

	decided(t, 0, 1, CODE_OK, 41, "");
	commit(t, 0);
	decided(t, 1, 1, CODE_OK, 42, "");
	commit(t, 0);
	crash(t);
	claim(t, ME, 1, 0);
}

static void
what_nobody_claimed_outlives_another_crash(void **state)
{
	struct bench *t = *state;

	decided(t, 0, 1, CODE_OK, 41, "");
	commit(t, 0);
	crash(t);
	decided(t, 1, 1, CODE_OK, 42, "");
	commit(t, 0);
	crash(t);
	claim(t, ME, 1, 1);
}

static void
but_not_the_time_in_which_sessions_come_back(void **state)
{
	struct bench *t = *state;

	decided(t, 0, 1, CODE_OK, 41, "");
	commit(t, 0);
	crash(t);
	t->b.resume_ms = 0;
	decided(t, 1, 1, CODE_OK, 42, "");
	commit(t, 0);
	claim(t, ME, 1, 0);
}

static void
what_cannot_be_told_again_is_refused(void **state)
{
	struct bench *t = *state;
	char *info = calloc(1, 40001);

	memset(info, 'i', 40000);
	decided(t, 0, 1, CODE_OK, 41, info);
	commit(t, 0);
	crash(t);
	claim(t, ME, 1, -1);
	free(info);
}

static void
numbers_with_a_gap_are_refused(void **state)
{
	struct bench *t = *state;

	decided(t, 0, 5, CODE_OK, 41, "");
	commit(t, 0);
	crash(t);
	claim(t, ME, 4, -1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_next_broker_knows_what_the_last_batch_decided),
		TEST(what_the_worker_has_read_it_is_not_told),
		TEST(who_sent_nothing_is_told_nothing),
		TEST(a_verdict_that_never_left_outlives_later_batches),
		TEST(one_that_left_is_forgotten_with_the_next_batch),
		TEST(what_nobody_claimed_outlives_another_crash),
		TEST(but_not_the_time_in_which_sessions_come_back),
		TEST(what_cannot_be_told_again_is_refused),
		TEST(numbers_with_a_gap_are_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
