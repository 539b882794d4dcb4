/*
 * Accept and fork.  The parent parses nothing a client sends: it counts, forks,
 * reaps and stops.  A client over a ceiling costs no worker.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/away.h"
#include "worker/bind.h"
#include "worker/conn_internal.h"
#include "worker/keeper.h"
#include "worker/listen.h"
#include "worker/memory.h"
#include "worker/places.h"
#include "worker/proxy.h"

#define LISTEN_CONNECTIONS 4096 /* as in config.def */
#define LISTEN_PER_ADDRESS 256
#define LISTEN_STOP_MS	   10000 /* for the workers to take their leave */
#define LISTEN_LOG_MS	   1000
#define LISTEN_PAUSE_MS	   100 /* where accept fails for want of something */

struct listener_state {
	const struct listen_config *config;
	struct pollfd poll[LISTEN_SOCKETS_MAX + 1]; /* the last: signals */
	int nsockets;
	const char *broker;	    /* as it is called from where we stay */
	struct sandbox_plan worker; /* what is left for a child to do */
	int spare;  /* given up to answer one client when there are no more */
	int keeper; /* keeper.h, -1 none */
	struct settings settings;
	struct places *places;
	uint64_t refused;      /* clients, since the start */
	struct conn_news news; /* for the next worker */
	struct away away;
	int64_t refused_ms; /* when that was last logged */
};

static int listen_signal_pipe[2];

static void listen_settle(struct listener_state *);
static void listen_confine(struct listener_state *);
static void listen_keeper(struct listener_state *);
static void listen_add(void *, int fd);
static void listen_say(int fd);
static void listen_signals(void);
static void listen_caught(int);
static int listen_turn(struct listener_state *);
static int listen_signalled(struct listener_state *);
static void listen_accept(struct listener_state *, int fd);
static void listen_std(void);
static int listen_spare(void);
static void listen_exhausted(struct listener_state *, int fd);
static void listen_client(struct listener_state *, int fd,
    const struct sockaddr_storage *);
static pid_t listen_fork(void);
static void listen_away(struct listener_state *, int fd, const char *peer,
    int64_t now);
static void listen_refused(struct listener_state *, const char *peer,
    const char *why, int64_t now);
static void listen_child(struct listener_state *, int fd, const char *peer,
    int line) __attribute__((noreturn));
static void listen_child_fds(void *);
static void listen_reap(struct listener_state *);
static void listen_stop(struct listener_state *);

int
listen_run(struct listen_config *config)
{
	struct listener_state l = { .config = config };
	int i;

	listen_settle(&l);
	listen_signals();
	for (i = 0; i < config->ninherited; i++)
		listen_add(&l, config->inherited[i]);
	for (i = 0; i < config->naddresses && config->ninherited == 0; i++)
		bind_address(config->address[i], listen_add, &l);
	if (config->ninherited > 0)
		log_info("listening on %d inherited", config->ninherited);
	l.poll[l.nsockets].fd = listen_signal_pipe[0];
	l.poll[l.nsockets].events = POLLIN;
	listen_std();
	l.spare = listen_spare();
	listen_confine(&l);
	ready_say(&config->ready);
	listen_keeper(&l);
	while (listen_turn(&l))
		continue;
	listen_stop(&l);
	places_free(l.places);
	settings_free(&l.settings);
	return (0);
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

/* After whoever waits for us was told: it has nothing of ours to hold open. */
static void
listen_keeper(struct listener_state *l)
{
	l->keeper = -1;
	if (l->settings.broker_wait_ms != 0)
		l->keeper = keeper_start(l->broker, listen_child_fds, l);
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

/* A full pipe loses nothing: the loop will wake, and reaps all there is. */
static void
listen_caught(int sig)
{
	char octet = sig == SIGCHLD ? 'c' : 't';
	int saved = errno;

	if (write(listen_signal_pipe[1], &octet, 1) == -1 && errno != EAGAIN)
		abort();
	errno = saved;
}

/* 0: it is time to stop. */
static int
listen_turn(struct listener_state *l)
{
	int i;

	if (poll(l->poll, (nfds_t)l->nsockets + 1, -1) == -1) {
		if (errno != EINTR)
			fatal(EX_OSERR, "poll");
		return (1);
	}
	if (l->poll[l->nsockets].revents != 0 && listen_signalled(l))
		return (0);
	for (i = 0; i < l->nsockets; i++)
		if (l->poll[i].revents != 0)
			listen_accept(l, l->poll[i].fd);
	return (1);
}

/* 1: one of them was to stop. */
static int
listen_signalled(struct listener_state *l)
{
	char octets[64];
	ssize_t n;
	int stop = 0;

	while ((n = read(listen_signal_pipe[0], octets, sizeof(octets))) > 0)
		stop |= memchr(octets, 't', (size_t)n) != NULL;
	listen_reap(l);
	return (stop);
}

static void
listen_accept(struct listener_state *l, int socket_fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	memset(&ss, 0, sizeof(ss));
	if ((fd = accept(socket_fd, (void *)&ss, &len)) != -1) {
		source_unmap(&ss);
		listen_client(l, fd, &ss);
		return;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM)
		listen_exhausted(l, socket_fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		log_warn("accept");
}

/* Else the client would stay in the queue and the loop would spin on it. */
static void
listen_exhausted(struct listener_state *l, int socket_fd)
{
	struct timespec pause = { 0, LISTEN_PAUSE_MS * 1000000L };
	int fd;

	log_warn("accept");
	if (l->spare != -1)
		close(l->spare);
	if ((fd = accept(socket_fd, NULL, NULL)) != -1)
		reply_unavailable(fd, 0);
	else
		nanosleep(&pause, NULL);
	l->spare = listen_spare();
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

static int
listen_spare(void)
{
	return (fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

static void
listen_client(struct listener_state *l, int fd,
    const struct sockaddr_storage *ss)
{
	char peer[LISTEN_PEER_MAX];
	int64_t now = clock_ms();
	struct source source;
	const char *why;
	int line = -1, ours = -1, many;
	pid_t pid;

	source_of(&source, ss);
	listen_peer(peer, ss);
	many = proxy_listed(l->settings.proxy, peer);
	if ((why = places_full(l->places, &source, many, now)) != NULL) {
		listen_refused(l, peer, why, now);
		listen_away(l, fd, peer, now);
		return;
	}
	if (l->keeper != -1)
		ours = keeper_line(&line);
	switch (pid = listen_fork()) {
	case -1:
		log_warn("fork");
		reply_unavailable(fd, 0);
		break;
	case 0:
		if (ours != -1)
			close(ours);
		listen_child(l, fd, peer, line);
	default:
		places_take(l->places, pid, &source, many, now);
		l->news.crashed = l->news.turned = 0;
		if (ours != -1)
			keeper_tell(l->keeper, pid, ours);
		close(fd);
	}
	if (ours != -1) {
		close(ours);
		close(line);
	}
}

/*
 * Until the child has handlers of its own (conn_serve) ours would take a signal
 * meant for it to the parent, so that it waits; the parent's opens again.
 */
static pid_t
listen_fork(void)
{
	sigset_t stop, was;
	pid_t pid;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, &was);
	if ((pid = memory_fork()) != 0)
		sigprocmask(SIG_SETMASK, &was, NULL);
	return (pid);
}

static void
listen_away(struct listener_state *l, int fd, const char *peer, int64_t now)
{
	pid_t pid = -1;

	if (away_may(&l->away, now))
		pid = listen_fork();
	if (pid == -1) {
		reply_unavailable(fd, 0);
		return;
	}
	if (pid == 0) {
		l->news.full = 1;
		listen_child(l, fd, peer, -1);
	}
	away_took(&l->away, pid);
	close(fd);
}

/* A flood leaves a line a second. */
static void
listen_refused(struct listener_state *l, const char *peer, const char *why,
    int64_t now)
{
	l->refused++;
	l->news.turned++;
	if (now - l->refused_ms < LISTEN_LOG_MS)
		return;
	log_info("%s: refused: %s; %llu so far", peer, why,
	    (unsigned long long)l->refused);
	l->refused_ms = now;
}

/* The table and the sockets are the parent's. */
static void
listen_child(struct listener_state *l, int fd, const char *peer, int line)
{
	listen_child_fds(l);
	if (l->keeper != -1)
		close(l->keeper);
	_exit(conn_serve(fd, l->broker, peer, line, &l->worker, &l->news));
}

static void
listen_child_fds(void *arg)
{
	struct listener_state *l = arg;
	int i;

	signal(SIGCHLD, SIG_DFL);
	for (i = 0; i < l->nsockets; i++)
		close(l->poll[i].fd);
	close(listen_signal_pipe[0]);
	close(listen_signal_pipe[1]);
	if (l->spare != -1)
		close(l->spare);
}

static void
listen_reap(struct listener_state *l)
{
	int64_t now = clock_ms();
	enum source_end end;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		end = SOURCE_CRASHED;
		if (WIFSIGNALED(status)) {
			log_warnx("worker %ld: signal %d", (long)pid,
			    WTERMSIG(status));
			l->news.crashed++;
		} else
			end = (enum source_end)WEXITSTATUS(status);
		away_left(&l->away, pid);
		if (l->keeper != -1)
			keeper_tell(l->keeper, pid, -1);
		if (places_leave(l->places, pid, end, now))
			log_info("worker %ld: its address is turned away",
			    (long)pid);
	}
}

static void
listen_stop(struct listener_state *l)
{
	int64_t end = clock_ms() + LISTEN_STOP_MS, left;
	int i;

	for (i = 0; i < l->nsockets; i++)
		close(l->poll[i].fd);
	log_info("stopping, %u connections", places_used(l->places));
	away_kill(&l->away);
	places_kill(l->places, SIGTERM);
	while (places_used(l->places) > 0 && (left = end - clock_ms()) > 0) {
		poll(&l->poll[l->nsockets], 1, (int)left);
		listen_signalled(l);
	}
	places_kill(l->places, SIGKILL);
}
