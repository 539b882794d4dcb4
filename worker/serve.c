/*
 * A connection's beginning and end: what it is made of, and the signals that
 * tell it to stop.  Between them it is conn.c's.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/conn_internal.h"

static volatile sig_atomic_t serve_stopped;

static struct conn *serve_new(int fd, const char *peer, int kept);
static void serve_end(struct conn *);
static void serve_stop(int);
static void serve_signals(sigset_t *);
static int64_t serve_welcome_ms(const struct conn *);

int
conn_serve(int fd, const char *broker, const char *peer, int link,
    const struct sandbox_plan *plan, const struct conn_news *news)
{
	enum source_end end;
	struct conn *c;
	sigset_t mask;

	serve_signals(&mask);
	if ((c = serve_new(fd, peer, link != -1)) == NULL) {
		log_warn("%s", peer);
		reply_unavailable(fd, CONN_LINGER_MS);
		return (SOURCE_FAILED);
	}
	c->plan = plan;
	c->news = news;
	if (news->crashed + news->turned > 0) {
		tally_add(c, tally_crashed, news->crashed);
		tally_add(c, tally_turned, news->turned);
	}
	conn_phase(c, CONN_HEAD, serve_welcome_ms(c));
	if (news->full)
		unserved(c);
	else if (link_open(c, broker, link) == -1) {
		log_warn("%s: broker", peer);
		unserved(c);
	}
	conn_loop(c, &mask, &serve_stopped);
	end = c->granted ? SOURCE_WELL : c->unserved ? SOURCE_FAILED : c->end;
	serve_end(c);
	return ((int)end);
}

/*
 * A broker that is being started again is waited for.  Clients that do not know
 * yet whether they are connected keep what they want to say; those of sds would
 * say it, and lose it, to a connection that only tells them to come back.
 */
static int64_t
serve_welcome_ms(const struct conn *c)
{
	return (c->again.kept ? (int64_t)c->news->settings->broker_wait_ms
			      : CONN_WELCOME_MS);
}

static struct conn *
serve_new(int fd, const char *peer, int kept)
{
	struct conn *c;
	int flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    (c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	if (poller_open(&c->poller) == -1) {
		free(c);
		return (NULL);
	}
	c->fd = fd;
	c->message_max = UINT64_MAX;
	c->link.fd = -1;
	c->now_ms = clock_ms();
	strncpy(c->peer, peer, sizeof(c->peer) - 1);
	TAILQ_INIT(&c->ops);
	reader_init(&c->reader);
	again_init(&c->again, kept);
	return (c);
}

/* Its memory and the other descriptors end with the process. */
static void
serve_end(struct conn *c)
{
	turn_end(c);
	if (c->fd != -1)
		close(c->fd);
	link_close(c);
}

static void
serve_stop(int sig)
{
	(void)sig;
	serve_stopped = 1;
}

/* Blocked but during the wait: no signal comes between a look and a wait. */
static void
serve_signals(sigset_t *open)
{
	struct sigaction sa = { .sa_handler = serve_stop };
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, open);
	sigdelset(open, SIGTERM);
	sigdelset(open, SIGINT);
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}
