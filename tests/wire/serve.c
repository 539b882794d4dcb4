/*
 * serve [-s 'NAME VALUE'] ... COMMAND [WORD ...]: runs the command beside a
 * relay of its own and exits as it does; 1 if the relay did not end well.
 *
 * -s adds to the configuration.  The command finds in its environment QUIRE_DIR
 * (the relay's directory, with conf, keys, broker.sock and control.sock),
 * QUIRE_PORT, QUIRE_URL (ws://127.0.0.1:port), QUIRE_BROKER and QUIRE_LISTENER
 * (process ids) and, for the store demo, tokens in READ, WRITE and ADMIN.
 */
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/server.h"

static void serve_environment(const struct server *);
static void serve_number(const char *, const char *, long);
static void serve_token(const struct server *, const char *, const char *);

int
main(int argc, char **argv)
{
	struct server server;
	int c, status;
	pid_t pid;

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
	if ((pid = fork()) == -1)
		fatal(1, "fork");
	if (pid == 0) {
		execvp(argv[optind], argv + optind);
		fatal(127, "%s", argv[optind]);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			fatal(1, "wait");
	server_stop(&server, SERVER_ALL, 0);
	server_remove(&server);
	return (
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
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
