/*
 * The keeper between a listener, workers and brokers, all of which the test is.
 * It is a process of its own, which ends with the listener's end.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/chan.h"
#include "worker/keeper.h"

#define WAIT_MS 20000

static char dir[64], path[80];
static int keeper;	    /* the listener's end */
static int called;	    /* where the broker listens, -1: there is none */
static struct chan session; /* of the broker there is with the keeper */

static void
keeper_closes(void *arg)
{
	(void)arg;
}

static void
broker_comes(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	unlink(path);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	called = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(called, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(called, 1), 0);
}

static void
ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

static void
hears(struct chan *c, enum ipc_type type)
{
	struct msg m;

	while (chan_next(c, &m) != 1) {
		ready(c->fd);
		assert_int_equal(chan_read(c), 1);
	}
	assert_int_equal(m.type, type);
}

/* It listens, and is up. */
static void
broker_is_up(void)
{
	struct msg m = MSG(WELCOME);

	broker_comes();
	ready(called);
	chan_init(&session, accept(called, NULL, NULL), IPC_FROM_WORKER, 1);
	hears(&session, IPC_HELLO);
	assert_int_equal(chan_send(&session, &m), 0);
	assert_int_equal(chan_flush(&session), 0);
}

static void
broker_goes(void)
{
	close(called);
	chan_close(&session);
}

/* What the broker is given next. */
static int
given(void)
{
	hears(&session, IPC_LINK);
	return (chan_take_fd(&session));
}

static int
worker_comes(pid_t pid)
{
	int worker, brokers = keeper_link(&worker);

	assert_true(brokers != -1);
	keeper_tell(&keeper, pid, brokers);
	close(brokers);
	return (worker);
}

/* Worker 1 and a broker that is there, whose end this is. */
static int
linked(int *worker)
{
	broker_is_up();
	*worker = worker_comes(1);
	return (given());
}

static void
says(int fd, const char *word)
{
	assert_int_equal(write(fd, word, strlen(word)), strlen(word));
}

static void
assert_said(int fd, const char *word)
{
	char text[16] = "";

	ready(fd);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, word);
}

static void
assert_end(int fd)
{
	char octet;

	ready(fd);
	assert_int_equal(read(fd, &octet, 1), 0);
}

/* Its link ends; where it goes on. */
static int
turned(int fd)
{
	struct chan c;
	int next;

	chan_init(&c, fd, IPC_FROM_BROKER, 1);
	do
		ready(fd);
	while (chan_read(&c) != -1);
	next = chan_take_next(&c);
	chan_close(&c);
	return (next);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/quire-test-keeper.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	keeper = keeper_start(path, keeper_closes, NULL);
	assert_true(keeper != -1);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	broker_goes();
	close(keeper);
	while (wait(NULL) > 0)
		continue;
	unlink(path);
	rmdir(dir);
	return (0);
}

static void
a_broker_is_given_its_end(void **state)
{
	int worker, brokers;

	(void)state;
	brokers = linked(&worker);
	says(worker, "hello");
	assert_said(brokers, "hello");
	says(brokers, "welcome");
	assert_said(worker, "welcome");
	close(worker);
	assert_end(brokers);
	close(brokers);
}

static void
what_was_said_before_a_broker_came_is_read(void **state)
{
	int worker, brokers;

	(void)state;
	worker = worker_comes(1);
	says(worker, "hello");
	broker_is_up();
	brokers = given();
	assert_said(brokers, "hello");
	close(worker);
	close(brokers);
}

static void
the_next_broker_is_given_another(void **state)
{
	int worker, brokers, i;

	(void)state;
	broker_is_up();
	worker = worker_comes(1);
	for (i = 0; i < 2; i++) {
		close(given());
		broker_goes();
		worker = turned(worker);
		assert_true(worker != -1);
		says(worker, "again");
		broker_is_up();
	}
	brokers = given();
	assert_said(brokers, "again");
	close(worker);
	close(brokers);
}

/* What the next broker never had is not passed on a second time. */
static void
who_waits_keeps_waiting_where_it_does(void **state)
{
	int worker, brokers;

	(void)state;
	broker_comes();
	ready(called);
	chan_init(&session, accept(called, NULL, NULL), IPC_FROM_WORKER, 1);
	hears(&session, IPC_HELLO);
	worker = worker_comes(1);
	says(worker, "hello");
	broker_goes();
	broker_is_up();
	brokers = given();
	assert_said(brokers, "hello");
	close(worker);
	close(brokers);
}

static void
who_has_ended_is_let_go(void **state)
{
	static const pid_t ended[] = { 1, 2 };
	int worker[3], brokers[3];
	size_t i;

	(void)state;
	broker_is_up();
	for (i = 0; i < 3; i++) {
		worker[i] = worker_comes((pid_t)i + 1);
		brokers[i] = given();
	}
	keeper_ended(&keeper, ended, 2);
	for (i = 0; i < 3; i++)
		close(brokers[i]);
	assert_end(worker[0]);
	assert_end(worker[1]);
	says(worker[2], "still"); /* to the keeper alone: it is open */
	for (i = 0; i < 3; i++)
		close(worker[i]);
}

/* The broker alone ends it for the worker, though the keeper has it too. */
static void
a_link_that_is_shut_down_has_ended(void **state)
{
	int worker, brokers;

	(void)state;
	brokers = linked(&worker);
	shutdown(brokers, SHUT_RDWR);
	close(brokers);
	assert_end(worker);
	close(worker);
}

/* It is full, and nothing can be told. */
static void
who_reads_nothing_holds_up_nobody(void **state)
{
	static const char much[4096];
	int deaf, worker, brokers;

	(void)state;
	brokers = linked(&deaf);
	while (write(brokers, much, sizeof(much)) > 0)
		continue;
	close(brokers);
	worker = worker_comes(2);
	close(given());
	broker_goes();
	worker = turned(worker);
	assert_true(worker != -1);
	broker_is_up();
	close(given());
	/* It reads on in time. */
	deaf = turned(deaf);
	assert_true(deaf != -1);
	close(given());
	close(deaf);
	close(worker);
}

static void
a_keeper_that_has_gone_is_told_once(void **state)
{
	int worker, mine;

	(void)state;
	broker_is_up();
	mine = dup(keeper);
	shutdown(keeper, SHUT_RDWR);
	ready(session.fd);
	assert_int_equal(chan_read(&session), -1);
	worker = worker_comes(1);
	assert_int_equal(keeper, -1);
	assert_end(worker);
	close(worker);
	keeper = mine;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_broker_is_given_its_end),
		TEST(what_was_said_before_a_broker_came_is_read),
		TEST(the_next_broker_is_given_another),
		TEST(who_waits_keeps_waiting_where_it_does),
		TEST(who_has_ended_is_let_go),
		TEST(a_link_that_is_shut_down_has_ended),
		TEST(who_reads_nothing_holds_up_nobody),
		TEST(a_keeper_that_has_gone_is_told_once),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
