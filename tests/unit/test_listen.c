/*
 * The broker's listening sockets where descriptors are short.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/broker.h"
#include "broker/listen.h"
#include "broker/web.h"
#include "common/chan.h"
#include "common/log.h"

#define ROUNDS 100

static char dir[] = "/tmp/quire-listen-XXXXXX";
static char path[sizeof(dir) + sizeof("/s")];
static int came;

static void
accepted(void *arg, int fd)
{
	(void)arg;
	came++;
	close(fd);
}

/* How many lines: who accepts is the only one to warn here. */
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

/* Where descriptors are short, who waits costs a few lines and no more. */
static void
nobody_spins(struct event_base *base)
{
	struct rlimit few, was;
	int i, log, err, lines;

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
	lines = said(log);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(dup2(err, STDERR_FILENO), STDERR_FILENO);
	assert_in_range(lines, 1, ROUNDS / 10);
	close(log);
	close(err);
}

static void
who_cannot_be_let_in_waits_and_nobody_spins(void **state)
{
	struct event_base *base = event_base_new();
	struct listener *l;
	int client;

	(void)state;
	assert_non_null(base);
	l = listener_new(base, path, 0600, (uid_t)-1, accepted, NULL);
	assert_non_null(l);
	assert_true((client = chan_connect(path)) != -1);
	nobody_spins(base);
	assert_int_equal(came, 0);
	while (came == 0)
		event_base_loop(base, EVLOOP_ONCE);
	close(client);
	listener_free(l);
	event_base_free(base);
}

/* On a port that is free, which the kernel chooses. */
static struct web *
web_on(struct broker *b, struct sockaddr_in *sin)
{
	static char address[32];
	socklen_t n = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*sin = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (const void *)sin, sizeof(*sin)), 0);
	assert_int_equal(getsockname(fd, (void *)sin, &n), 0);
	close(fd);
	snprintf(address, sizeof(address), "127.0.0.1:%u",
	    (unsigned int)ntohs(sin->sin_port));
	b->conf->metrics = address;
	return (web_new(b));
}

static void
nor_does_who_asks_for_figures(void **state)
{
	static const char ask[] = "GET /health HTTP/1.1\r\n\r\n";
	struct config conf = { 0 };
	struct broker b = { .base = event_base_new(), .conf = &conf };
	struct sockaddr_in sin;
	struct web *w;
	char answer[64];
	int client;

	(void)state;
	assert_non_null(w = web_on(&b, &sin));
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (const void *)&sin, sizeof(sin)), 0);
	assert_int_equal(write(client, ask, sizeof(ask) - 1),
	    (ssize_t)sizeof(ask) - 1);
	nobody_spins(b.base);
	while (recv(client, answer, sizeof(answer), MSG_DONTWAIT) <= 0)
		event_base_loop(b.base, EVLOOP_ONCE);
	assert_memory_equal(answer, "HTTP/1.1 200", 12);
	close(client);
	web_free(w);
	event_base_free(b.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_cannot_be_let_in_waits_and_nobody_spins),
		cmocka_unit_test(nor_does_who_asks_for_figures),
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
