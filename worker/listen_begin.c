/*
 * A listener's beginning: the broker's settings, sockets, signals, and the
 * sandbox.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/bind.h"
#include "worker/listen_internal.h"

#define LISTEN_CONNECTIONS 4096 /* as in config.def */
#define LISTEN_PER_ADDRESS 256

static int listen_signal_pipe[2];
static volatile sig_atomic_t listen_reaping; /* the loop was told */

static void listen_settle(struct listener_state *);
static void listen_confine(struct listener_state *);
static void listen_sockets(struct listener_state *);
static void listen_add(void *, int fd);
static void listen_say(int fd);
static void listen_signals(void);
static void listen_caught(int);
static void listen_std(void);

void
listen_begin(struct listener_state *l)
{
	listen_settle(l);
	listen_signals();
	listen_sockets(l);
	l->poll[l->nsockets].fd = listen_signal_pipe[0];
	l->poll[l->nsockets].events = POLLIN;
	listen_std();
	l->spare = listen_spare();
	listen_confine(l);
}

/* What the options leave open the broker says, or what it would say itself. */
static void
listen_settle(struct listener_state *l)
{
	const struct listen_config *c = l->config;
	unsigned max = LISTEN_CONNECTIONS, each = LISTEN_PER_ADDRESS;

	if (listen_ask(c->broker, &l->settings) == 0) {
		l->news.settings = &l->settings;
		max = (unsigned)l->settings.connections_max;
		each = (unsigned)l->settings.per_address_max;
	} else {
		log_warnx(
		    "%s: no broker answers there, so without its settings",
		    c->broker);
	}
	max = c->max != 0 ? c->max : max;
	each = c->per_address != 0 ? c->per_address : each;
	if ((l->places = places_new(max, each)) == NULL)
		fatal(EX_OSERR, "table of workers");
}

/*
 * The broker's socket is not below the new root: it is reached from the working
 * directory, which only the listener keeps.
 */
static void
listen_confine(struct listener_state *l)
{
	struct sandbox_plan plan = l->config->sandbox;
	struct sandbox_report report;
	const char *slash = strrchr(l->config->broker, '/');
	char *dir;

	l->broker = l->config->broker;
	if (slash != NULL) {
		dir = strndup(l->broker, (size_t)(slash + 1 - l->broker));
		if (dir == NULL || chdir(dir) == -1)
			fatal(EX_NOINPUT, "directory of %s", l->broker);
		free(dir);
		l->broker = slash + 1;
	}
	plan.stay = 1;
	plan.namespaces = 1;
	if (sandbox_listener(&plan, &report) == -1) {
		sandbox_say(&report);
		fatalx(EX_OSERR, "no sandbox, no service");
	}
	sandbox_say(&report);
	l->worker = l->config->sandbox;
	l->worker.inherited = report.standing;
}

static void
listen_sockets(struct listener_state *l)
{
	const struct listen_config *config = l->config;
	int i;

	for (i = 0; i < config->ninherited; i++)
		listen_add(l, config->inherited[i]);
	for (i = 0; i < config->naddresses && config->ninherited == 0; i++)
		bind_address(config->address[i], listen_add, l);
	if (config->ninherited > 0)
		log_info("listening on %d inherited", config->ninherited);
}

static void
listen_add(void *arg, int fd)
{
	struct listener_state *l = arg;

	if (l->nsockets == LISTEN_SOCKETS_MAX)
		fatalx(EX_USAGE, "more than %d addresses", LISTEN_SOCKETS_MAX);
	l->poll[l->nsockets].fd = fd;
	l->poll[l->nsockets].events = POLLIN;
	l->nsockets++;
	listen_say(fd);
}

/* With the port that it got where any would do. */
static void
listen_say(int fd)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	char host[64], port[16];

	if (getsockname(fd, (struct sockaddr *)&ss, &n) == -1 ||
	    getnameinfo((struct sockaddr *)&ss, n, host, sizeof(host), port,
		sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return; /* a Unix socket of a starter's */
	log_info(ss.ss_family == AF_INET6 ? "listening on [%s]:%s"
					  : "listening on %s:%s",
	    host, port);
}

void
listen_peer(char out[LISTEN_PEER_MAX], const struct sockaddr_storage *ss)
{
	const void *p = (const void *)ss;
	const struct sockaddr_in *in = p;
	const struct sockaddr_in6 *in6 = p;
	const void *address = ss->ss_family == AF_INET6
	    ? (const void *)&in6->sin6_addr
	    : (const void *)&in->sin_addr;

	if ((ss->ss_family != AF_INET && ss->ss_family != AF_INET6) ||
	    inet_ntop(ss->ss_family, address, out, LISTEN_PEER_MAX) == NULL)
		snprintf(out, LISTEN_PEER_MAX, "local");
}

/* Signals become octets in a pipe that the loop polls. */
static void
listen_signals(void)
{
	static const int caught[] = { SIGTERM, SIGINT, SIGCHLD };
	struct sigaction sa = { .sa_handler = listen_caught };
	size_t i;

	if (pipe(listen_signal_pipe) == -1)
		fatal(EX_OSERR, "pipe");
	for (i = 0; i < 2; i++) {
		fcntl(listen_signal_pipe[i], F_SETFD, FD_CLOEXEC);
		fcntl(listen_signal_pipe[i], F_SETFL, O_NONBLOCK);
	}
	sigemptyset(&sa.sa_mask);
	sa.sa_flags = SA_RESTART;
	for (i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigaction(caught[i], &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

/* A full pipe loses nothing: the loop will wake, and reaps all there is; so one
 * octet does for many children. */
static void
listen_caught(int sig)
{
	char octet = sig == SIGCHLD ? 'c' : 't';
	int saved = errno;

	if (sig == SIGCHLD && listen_reaping)
		return;
	listen_reaping |= sig == SIGCHLD;
	if (write(listen_signal_pipe[1], &octet, 1) == -1 && errno != EAGAIN)
		abort();
	errno = saved;
}

int
listen_signalled(int fd)
{
	char octets[64];
	ssize_t n;
	int stop = 0;

	while ((n = read(fd, octets, sizeof(octets))) > 0)
		stop |= memchr(octets, 't', (size_t)n) != NULL;
	listen_reaping = 0; /* before the children are: the next tells again */
	return (stop);
}

void
listen_signals_close(void)
{
	close(listen_signal_pipe[0]);
	close(listen_signal_pipe[1]);
}

/* Nothing but the log is shared with who started us. */
static void
listen_std(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1)
		fatal(EX_OSERR, "/dev/null");
	close(null);
}

int
listen_spare(void)
{
	return (fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}
