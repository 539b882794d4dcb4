/*
 * The broker's listening socket where descriptors are short.
 */
#include <sys/resource.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/listen.h"
#include "common/chan.h"
#include "common/log.h"

#define ROUNDS 100

static char dir[] = "/tmp/quire-listen-XXXXXX";
static char path[sizeof(dir) + sizeof("/s")];
static int came, warnings;

static void
accepted(void *arg, int fd)
{
	(void)arg;
	came++;
	close(fd);
}

/* How often accept has said so: it is the only one to warn here. */
static int
said(int log)
{
	char text[65536];
	ssize_t n = pread(log, text, sizeof(text), 0), i;
	int lines = 0;

	for (i = 0; i < n; i++)
		lines += text[i] == '\n';
	return (lines);
}

static void
who_cannot_be_let_in_waits_and_nobody_spins(void **state)
{
	struct event_base *base = event_base_new();
	struct rlimit few, was;
	struct listener *l;
	int client, i, log, err;

	(void)state;
	assert_non_null(base);
	l = listener_new(base, path, 0600, (uid_t)-1, accepted, NULL);
	assert_non_null(l);
	assert_true((client = chan_connect(path)) != -1);
	assert_true((log = open(dir, O_TMPFILE | O_RDWR, 0600)) != -1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = 3;
	fflush(stderr);
	assert_true((err = dup(STDERR_FILENO)) != -1);
	assert_int_equal(dup2(log, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (i = 0; i < ROUNDS; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	warnings = said(log);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(dup2(err, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(came, 0);
	assert_in_range(warnings, 1, ROUNDS / 10);
	while (came == 0)
		event_base_loop(base, EVLOOP_ONCE);
	close(client);
	close(log);
	close(err);
	listener_free(l);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_cannot_be_let_in_waits_and_nobody_spins),
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return (1);
	snprintf(path, sizeof(path), "%s/s", dir);
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_INFO);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return (failed);
}
