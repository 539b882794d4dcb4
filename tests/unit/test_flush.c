/* What waits for the disk: who does, and that it is said once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include <cmocka.h>
#include <event2/event.h>

#include "broker/broker.h"
#include "broker/kv.h"
#include "common/clock.h"

#define MANY 200 /* until a disk that is fast is known as such */

static int64_t disk_us; /* a flush takes */
static pthread_t flushed_by;

static int
flush(struct kv *kv)
{
	const int64_t end_us = clock_us() + disk_us;

	(void)kv;
	flushed_by = pthread_self();
	while (clock_us() < end_us)
		continue;
	return (0);
}

static void
done(void *arg)
{
	++*(int *)arg;
}

/* 1: by the loop's thread. */
static int
flushed_here(struct event_base *base, struct flusher *f, const int *count)
{
	const int before = *count;

	flusher_start(f);
	while (*count == before)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(*count, before + 1);
	return (pthread_equal(flushed_by, pthread_self()));
}

static void
a_fast_disk_is_waited_for_in_the_loop_and_a_slow_one_is_not(void **state)
{
	static const struct kv_ops ops = { .flush = flush };
	struct event_base *base = event_base_new();
	struct kv kv = { .ops = &ops };
	struct flusher *f;
	int count = 0, i;

	(void)state;
	assert_non_null(base);
	assert_non_null(f = flusher_new(base, &kv, done, &count));
	disk_us = 0;
	assert_false(flushed_here(base, f, &count));
	for (i = 0; i < MANY && !flushed_here(base, f, &count); i++)
		continue;
	assert_in_range(i, 1, MANY - 1);
	disk_us = 50000;
	while (flushed_here(base, f, &count))
		continue;
	assert_true(flusher_mean_us(f) > 500);
	flusher_free(f);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_fast_disk_is_waited_for_in_the_loop_and_a_slow_one_is_not),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
