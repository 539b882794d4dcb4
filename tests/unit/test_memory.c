/* Memory of listener and workers: what a child has, and what is given back. */
#include <sys/types.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/memory.h"

#define BYTES ((size_t)100000)

struct found {
	int number;
	pid_t by;
};

static int
find(void *arg)
{
	struct found *f = arg;

	f->number = 42;
	f->by = getpid();
	return (0);
}

static int
find_nothing(void *arg)
{
	(void)arg;
	errno = ENOENT;
	return (-1);
}

static void
what_is_found_aside_was_found_by_a_child(void **state)
{
	struct found f = { 0, 0 };

	(void)state;
	assert_int_equal(memory_aside(find, &f, sizeof(f)), 0);
	assert_int_equal(f.number, 42);
	assert_int_not_equal(f.by, getpid());
	assert_int_equal(memory_aside(find_nothing, &f, sizeof(f)), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(f.number, 42);
}

static void
who_ignores_its_children_hears_of_them_as_well(void **state)
{
	void (*before)(int) = signal(SIGCHLD, SIG_IGN);
	struct found f = { 0, 0 };

	(void)state;
	assert_int_equal(memory_aside(find, &f, sizeof(f)), 0);
	assert_int_equal(f.number, 42);
	signal(SIGCHLD, before);
}

#if defined(__linux__) || defined(INHERIT_NONE)
static void
what_a_process_has_alone_no_child_has(void **state)
{
	volatile uint8_t *p = memory_alone(BYTES);
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(p);
	assert_int_equal(p[BYTES - 1], 0);
	p[0] = 1;
	if ((pid = fork()) == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(p[0]);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) > 1);
	assert_int_equal(p[0], 1);
	memory_alone_free((void *)(uintptr_t)p, BYTES);
}
#endif

/* As deep as a handshake goes. */
static unsigned int
deep(void)
{
	volatile uint8_t frame[30000];
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < sizeof(frame); i++)
		frame[i] = 1;
	for (i = 0; i < sizeof(frame); i++)
		sum += frame[i];
	return (sum);
}

static void
frames_and_what_is_in_use_outlast_a_rest(void **state)
{
	volatile uint8_t frame[5000];
	uint8_t *kept = malloc(BYTES), *freed = malloc(BYTES);
	size_t i;

	(void)state;
	assert_non_null(kept);
	assert_non_null(freed);
	memset(kept, 7, BYTES);
	memset(freed, 7, BYTES);
	memset((void *)(uintptr_t)frame, 7, sizeof(frame));
	assert_int_equal(deep(), 30000);
	free(freed);
	memory_rest(1);
	for (i = 0; i < sizeof(frame); i++)
		assert_int_equal(frame[i], 7);
	for (i = 0; i < BYTES; i++)
		assert_int_equal(kept[i], 7);
	assert_int_equal(deep(), 30000);
	free(kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_found_aside_was_found_by_a_child),
		cmocka_unit_test(
		    who_ignores_its_children_hears_of_them_as_well),
#if defined(__linux__) || defined(INHERIT_NONE)
		cmocka_unit_test(what_a_process_has_alone_no_child_has),
#endif
		cmocka_unit_test(frames_and_what_is_in_use_outlast_a_rest),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
