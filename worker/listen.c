/*
 * Accept and fork.  The parent parses nothing a client sends: it counts, forks,
 * reaps and stops.  A client over a ceiling costs no worker.  What comes before
 * the loop is listen_begin.c's.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/keeper.h"
#include "worker/listen_internal.h"
#include "worker/memory.h"
#include "worker/proxy.h"

#define LISTEN_STOP_MS	10000 /* for the workers to take their leave */
#define LISTEN_LOG_MS	1000
#define LISTEN_PAUSE_MS 100 /* where accept fails for want of something */

static void listen_keeper(struct listener_state *);
static int listen_turn(struct listener_state *);
static int listen_woken(struct listener_state *);
static void listen_accept(struct listener_state *, int fd);
static void listen_exhausted(struct listener_state *, int fd);
static void listen_pause(void);
static void listen_client(struct listener_state *, int fd,
    const struct sockaddr_storage *);
static pid_t listen_fork(void);
static void listen_away(struct listener_state *, int fd, const char *peer,
    int64_t now);
static void listen_told(struct listener_state *);
static void listen_tell(struct listener_state *, int fd, const char *peer);
static void listen_refused(struct listener_state *, const char *peer,
    const char *why, int64_t now);
static void listen_trouble(struct listener_state *, const char *what);
static void listen_child(struct listener_state *, int fd, const char *peer,
    int link) __attribute__((noreturn));
static void listen_child_fds(void *);
static void listen_reap(struct listener_state *);
static void listen_stop(struct listener_state *);

int
listen_run(struct listen_config *config)
{
	struct listener_state l = { .config = config };

	listen_begin(&l);
	ready_say(&config->ready);
	listen_keeper(&l);
	while (listen_turn(&l))
		continue;
	listen_stop(&l);
	places_free(l.places);
	settings_free(&l.settings);
	return (0);
}

/* After whoever waits for us was told: it has nothing of ours to hold open. */
static void
listen_keeper(struct listener_state *l)
{
	l->keeper = -1;
	if (l->settings.broker_wait_ms != 0)
		l->keeper = keeper_start(l->broker, listen_child_fds, l);
}

/* 0: it is time to stop. */
static int
listen_turn(struct listener_state *l)
{
	int i;

	if (poll(l->poll, (nfds_t)l->nsockets + 1,
		away_wait_ms(&l->away, clock_ms())) == -1) {
		if (errno != EINTR)
			fatal(EX_OSERR, "poll");
		return (1);
	}
	if (l->poll[l->nsockets].revents != 0 && listen_woken(l))
		return (0);
	for (i = 0; i < l->nsockets; i++)
		if (l->poll[i].revents != 0)
			listen_accept(l, l->poll[i].fd);
	listen_told(l);
	return (1);
}

/* 1: one of them was to stop. */
static int
listen_woken(struct listener_state *l)
{
	int stop = listen_signalled(l->poll[l->nsockets].fd);

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
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		listen_trouble(l, "accept");
		listen_pause(); /* the socket may be good for nothing else */
	}
}

/* Else the client would stay in the queue and the loop would spin on it. */
static void
listen_exhausted(struct listener_state *l, int socket_fd)
{
	int fd;

	listen_trouble(l, "accept");
	if (l->spare != -1)
		close(l->spare);
	if ((fd = accept(socket_fd, NULL, NULL)) != -1)
		reply_unavailable(fd, 0);
	else
		listen_pause();
	l->spare = listen_spare();
}

static void
listen_pause(void)
{
	const struct timespec pause = { 0, LISTEN_PAUSE_MS * 1000000L };

	nanosleep(&pause, NULL);
}

static void
listen_client(struct listener_state *l, int fd,
    const struct sockaddr_storage *ss)
{
	char peer[LISTEN_PEER_MAX];
	int64_t now = clock_ms();
	struct source source;
	const char *why;
	int link = -1, brokers = -1, many;
	pid_t pid;

	source_of(&source, ss);
	listen_peer(peer, ss);
	/* What speaks through a Unix socket is a proxy, too. */
	many =
	    ss->ss_family == AF_UNIX || proxy_listed(l->settings.proxy, peer);
	if ((why = places_full(l->places, &source, many, now)) != NULL) {
		listen_refused(l, peer, why, now);
		listen_away(l, fd, peer, now);
		return;
	}
	if (l->keeper != -1)
		brokers = keeper_link(&link);
	switch (pid = listen_fork()) {
	case -1:
		listen_trouble(l, "fork");
		reply_unavailable(fd, 0);
		break;
	case 0:
		if (brokers != -1)
			close(brokers);
		listen_child(l, fd, peer, link);
	default:
		places_take(l->places, pid, &source, many, now);
		l->news.crashed = l->news.turned = 0;
		if (brokers != -1)
			keeper_tell(&l->keeper, pid, brokers);
		close(fd);
	}
	if (brokers != -1) {
		close(brokers);
		close(link);
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

/* In its turn, which may be at once; 503 where too many wait. */
static void
listen_away(struct listener_state *l, int fd, const char *peer, int64_t now)
{
	if (l->away.waiting == 0 && away_may(&l->away, now))
		listen_tell(l, fd, peer);
	else if (away_put(&l->away, fd) == -1)
		reply_unavailable(fd, 0);
}

/* Those whose turn it is; who has gone meanwhile needs no process. */
static void
listen_told(struct listener_state *l)
{
	struct sockaddr_storage ss;
	socklen_t len;
	char peer[LISTEN_PEER_MAX];
	int64_t now = clock_ms();
	int fd;

	while (l->away.waiting > 0 && away_may(&l->away, now)) {
		fd = away_take(&l->away);
		memset(&ss, 0, sizeof(ss));
		len = sizeof(ss);
		if (getpeername(fd, (void *)&ss, &len) == -1) {
			close(fd);
			continue;
		}
		source_unmap(&ss);
		listen_peer(peer, &ss);
		listen_tell(l, fd, peer);
	}
}

/* Behind a 1 of away_may. */
static void
listen_tell(struct listener_state *l, int fd, const char *peer)
{
	pid_t pid = listen_fork();

	if (pid == -1) {
		listen_trouble(l, "fork");
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

/* Ours, and likewise: whatever is short stays so for a while. */
static void
listen_trouble(struct listener_state *l, const char *what)
{
	int error = errno;
	int64_t now = clock_ms();

	l->refused++;
	l->news.turned++;
	if (now - l->trouble_ms < LISTEN_LOG_MS)
		return;
	errno = error;
	log_warn("%s", what);
	l->trouble_ms = now;
}

/* The table and the sockets are the parent's. */
static void
listen_child(struct listener_state *l, int fd, const char *peer, int link)
{
	listen_child_fds(l);
	if (l->keeper != -1)
		close(l->keeper);
	_exit(conn_serve(fd, l->broker, peer, link, &l->worker, &l->news));
}

static void
listen_child_fds(void *arg)
{
	struct listener_state *l = arg;
	int i;

	signal(SIGCHLD, SIG_DFL);
	for (i = 0; i < l->nsockets; i++)
		close(l->poll[i].fd);
	listen_signals_close();
	away_close(&l->away);
	if (l->spare != -1)
		close(l->spare);
}

static void
listen_reap(struct listener_state *l)
{
	int64_t now = clock_ms();
	pid_t ended[KEEPER_ENDED_MAX], pid;
	enum source_end end;
	int status;
	size_t n = 0;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (away_left(&l->away, pid))
			continue;
		end = SOURCE_CRASHED;
		if (WIFSIGNALED(status)) {
			log_warnx("worker %ld: signal %d", (long)pid,
			    WTERMSIG(status));
			l->news.crashed++;
		} else
			end = (enum source_end)WEXITSTATUS(status);
		ended[n++] = pid;
		if (places_leave(l->places, pid, end, now))
			log_info("worker %ld: its address is turned away",
			    (long)pid);
		if (n == KEEPER_ENDED_MAX) {
			keeper_ended(&l->keeper, ended, n);
			n = 0;
		}
	}
	keeper_ended(&l->keeper, ended, n);
}

static void
listen_stop(struct listener_state *l)
{
	int64_t end = clock_ms() + LISTEN_STOP_MS, left;
	int i, fd;

	for (i = 0; i < l->nsockets; i++)
		close(l->poll[i].fd);
	while ((fd = away_take(&l->away)) != -1)
		reply_unavailable(fd, 0);
	log_info("stopping, %u connections", places_used(l->places));
	away_kill(&l->away);
	places_kill(l->places, SIGTERM);
	while (places_used(l->places) > 0 && (left = end - clock_ms()) > 0) {
		poll(&l->poll[l->nsockets], 1, (int)left);
		listen_woken(l);
	}
	places_kill(l->places, SIGKILL);
}
