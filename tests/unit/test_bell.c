/*
 * The bell: who watches it edge-triggered wakes on every ring, and ringing
 * never blocks.
 */
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/bell.h"

#define WAITERS 3

static char dir[] = "/tmp/quire-test-bell.XXXXXX";
static struct bell bell;

struct waiter {
	int fd;
	struct event_base *base;
	struct event *event;
	unsigned int woken;
};

static void
waiter_wake(evutil_socket_t fd, short what, void *arg)
{
	struct waiter *w = arg;

	(void)fd;
	(void)what;
	w->woken++;
}

static unsigned int
waiter_woken(struct waiter *w)
{
	unsigned int before = w->woken;

	event_base_loop(w->base, EVLOOP_NONBLOCK);
	return (w->woken - before);
}

/* A worker in miniature: a duplicate of its own in an event loop of its own. */
static void
waiter_init(struct waiter *w)
{
	*w = (struct waiter){ .fd = dup(bell.wait_fd) };
	assert_true(w->fd != -1);
	assert_non_null(w->base = event_base_new());
	if ((event_base_get_features(w->base) & EV_FEATURE_ET) == 0)
		skip();
	w->event = event_new(w->base, w->fd, EV_READ | EV_ET | EV_PERSIST,
	    waiter_wake, w);
	assert_non_null(w->event);
	assert_int_equal(event_add(w->event, NULL), 0);
	/* A bell may be met ringing. */
	(void)waiter_woken(w);
	w->woken = 0;
}

static void
waiter_free(struct waiter *w)
{
	event_free(w->event);
	event_base_free(w->base);
	close(w->fd);
}

static void
every_ring_wakes_every_waiter_once(void **state)
{
	struct waiter w[WAITERS];
	unsigned int ring;
	size_t i;

	(void)state;
	for (i = 0; i < WAITERS; i++)
		waiter_init(&w[i]);
	for (ring = 0; ring < 10000; ring++) { /* past two drains */
		bell_ring(&bell);
		for (i = 0; i < WAITERS; i++)
			assert_int_equal(waiter_woken(&w[i]), 1);
	}
	for (i = 0; i < WAITERS; i++) {
		assert_int_equal(waiter_woken(&w[i]), 0);
		waiter_free(&w[i]);
	}
}

static void
a_hundred_thousand_rings_nobody_hears_do_not_block(void **state)
{
	struct waiter w;
	unsigned int ring;

	(void)state;
	waiter_init(&w);
	for (ring = 0; ring < 100000; ring++)
		bell_ring(&bell);
	assert_int_equal(waiter_woken(&w), 1);
	bell_ring(&bell);
	assert_int_equal(waiter_woken(&w), 1);
	waiter_free(&w);
}

#ifndef BELL_TEST_FIFO

/* All it can get out of the bell, before the others look. */
static void
no_waiter_takes_a_ring_from_another(void **state)
{
	struct waiter w[WAITERS];
	unsigned int ring;
	char junk[64];
	size_t i;

	(void)state;
	for (i = 0; i < WAITERS; i++)
		waiter_init(&w[i]);
	for (ring = 0; ring < 100; ring++) {
		bell_ring(&bell);
		while (read(w[0].fd, junk, sizeof(junk)) > 0)
			continue;
		shutdown(w[0].fd, SHUT_RDWR);
		for (i = 0; i < WAITERS; i++)
			assert_int_equal(waiter_woken(&w[i]), 1);
	}
	for (i = 0; i < WAITERS; i++)
		waiter_free(&w[i]);
}

static void
a_waiter_cannot_fill_the_bell(void **state)
{
	(void)state;
	assert_int_equal(send(bell.wait_fd, "", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
}

#else

/* Nor do they fill more than a page of the system's. */
static void
rings_that_nobody_hears_fill_less_than_a_page(void **state)
{
	unsigned int ring;
	int octets;

	(void)state;
	for (ring = 0; ring < 100000; ring++)
		bell_ring(&bell);
	assert_int_equal(ioctl(bell.wait_fd, FIONREAD, &octets), 0);
	assert_in_range(octets, 1, 4096);
}

static void
a_full_bell_still_rings(void **state)
{
	static const char junk[4096];
	struct waiter w;

	(void)state;
	while (write(bell.ring_fd, junk, sizeof(junk)) > 0)
		continue;
	while (write(bell.ring_fd, junk, 1) > 0)
		continue;
	waiter_init(&w);
	bell_ring(&bell);
	assert_int_equal(waiter_woken(&w), 1);
	waiter_free(&w);
}

static void
a_waiter_cannot_ring(void **state)
{
	int fl = fcntl(bell.wait_fd, F_GETFL);

	(void)state;
	assert_int_equal(fl & O_ACCMODE, O_RDONLY);
	assert_int_equal(write(bell.wait_fd, "", 1), -1);
	assert_int_equal(errno, EBADF);
}

static void
the_bell_has_no_name_and_no_mode(void **state)
{
	struct dirent *e;
	struct stat st;
	DIR *d;

	(void)state;
	assert_non_null(d = opendir(dir));
	while ((e = readdir(d)) != NULL)
		assert_true(e->d_name[0] == '.');
	closedir(d);
	assert_int_equal(fstat(bell.wait_fd, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0);
}

static void
a_directory_that_is_not_there_is_an_error(void **state)
{
	struct bell b;
	char path[5000];

	(void)state;
	assert_int_equal(bell_create(&b, "/nonexistent"), -1);
	assert_int_equal(errno, ENOENT);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(bell_create(&b, path), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	bell_close(&b);
}

#endif

static void
all_ends_close_on_exec_and_close_twice(void **state)
{
	struct bell b;

	(void)state;
	assert_int_equal(bell_create(&b, dir), 0);
	assert_int_equal(fcntl(b.wait_fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(b.ring_fd, F_GETFD), FD_CLOEXEC);
	if (b.drain_fd != -1)
		assert_int_equal(fcntl(b.drain_fd, F_GETFD), FD_CLOEXEC);
	bell_close(&b);
	bell_close(&b);
	assert_int_equal(b.wait_fd, -1);
}

static int
setup(void **state)
{
	(void)state;
	return (bell_create(&bell, dir));
}

static int
teardown(void **state)
{
	(void)state;
	bell_close(&bell);
	return (0);
}

#define bell_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		bell_test(every_ring_wakes_every_waiter_once),
		bell_test(a_hundred_thousand_rings_nobody_hears_do_not_block),
		cmocka_unit_test(all_ends_close_on_exec_and_close_twice),
#ifndef BELL_TEST_FIFO
		bell_test(no_waiter_takes_a_ring_from_another),
		bell_test(a_waiter_cannot_fill_the_bell),
#else
		bell_test(rings_that_nobody_hears_fill_less_than_a_page),
		bell_test(a_full_bell_still_rings),
		bell_test(a_waiter_cannot_ring),
		bell_test(the_bell_has_no_name_and_no_mode),
		cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
#endif
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return (1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return (failed);
}
