/*
 * serve [-s 'NAME VALUE'] ... COMMAND [WORD ...]: runs the command beside a
 * relay of its own and exits as it does; 1 if the relay did not end well.
 *
 * A signal that would end it goes to the command, and the relay ends after it.
 *
 * -s adds to the configuration.  The command finds in its environment QUIRE_DIR
 * (the relay's directory, with conf, keys, broker.sock and control.sock),
 * QUIRE_PORT, QUIRE_URL (ws://127.0.0.1:port), QUIRE_BROKER and QUIRE_LISTENER
 * (process ids) and, for the store demo, tokens in READ, WRITE and ADMIN.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/server.h"

static volatile pid_t serve_command;

static int serve_run(char **);
static void serve_signal(int);
static void serve_environment(const struct server *);
static void serve_number(const char *, const char *, long);
static void serve_token(const struct server *, const char *, const char *);

int
main(int argc, char **argv)
{
	struct server server;
	int c, status;

	log_init("serve", LOG_TO_STDERR, LOG_LEVEL_INFO);
	server_make(&server);
	while ((c = getopt(argc, argv, "+s:")) != -1) {
		if (c != 's')
			return (64);
		server_setting(&server, optarg);
	}
	if (optind == argc)
		return (64);
	server_start(&server, SERVER_ALL);
	serve_environment(&server);
	status = serve_run(argv + optind);
	server_stop(&server, SERVER_ALL, 0);
	server_remove(&server);
	return (
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* The wait status of the command. */
static int
serve_run(char **words)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = serve_signal };
	sigset_t mask, was;
	size_t i;
	int status;

	sigemptyset(&sa.sa_mask);
	sigemptyset(&mask);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&mask, signals[i]);
	sigprocmask(SIG_BLOCK, &mask, &was);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	if ((serve_command = fork()) == -1)
		fatal(1, "fork");
	for (i = 0;
	     serve_command == 0 && i < sizeof(signals) / sizeof(signals[0]);
	     i++)
		signal(signals[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &was, NULL);
	if (serve_command == 0) {
		execvp(words[0], words);
		fatal(127, "%s", words[0]);
	}
	while (waitpid(serve_command, &status, 0) == -1)
		if (errno != EINTR)
			fatal(1, "wait");
	return (status);
}

static void
serve_signal(int sig)
{
	kill(serve_command, sig);
}

static void
serve_environment(const struct server *s)
{
	setenv("QUIRE_DIR", s->dir, 1);
	serve_number("QUIRE_PORT", "", (long)s->port);
	serve_number("QUIRE_URL", "ws://127.0.0.1:", (long)s->port);
	serve_number("QUIRE_BROKER", "", (long)s->broker);
	serve_number("QUIRE_LISTENER", "", (long)s->listener);
	serve_token(s, "READ", "read");
	serve_token(s, "WRITE", "write");
	serve_token(s, "ADMIN", "admin");
}

static void
serve_number(const char *name, const char *before, long value)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%ld", before, value);
	setenv(name, text, 1);
}

static void
serve_token(const struct server *s, const char *name, const char *scope)
{
	char *token = server_token(s, "demo", scope, 3600);

	setenv(name, token, 1);
	free(token);
}
