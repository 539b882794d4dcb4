/*
 * A connection's life: one loop, one wait, one deadline.  What comes in is read
 * here and taken apart elsewhere; conn_internal.h says where.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/conn_internal.h"
#include "worker/memory.h"

/* Steps between two looks at the clock and the descriptors. */
#define CONN_STEPS 256

static volatile sig_atomic_t conn_stopped;

static struct conn *conn_new(int fd, const char *peer);
static void conn_free(struct conn *);
static void conn_stop(int);
static void conn_signals(sigset_t *);
static void conn_loop(struct conn *, const sigset_t *);
static int64_t conn_clock(void);
static void conn_events(struct conn *);
static void conn_read(struct conn *);
static int conn_reads(const struct conn *);
static void conn_pump(struct conn *);
static int conn_step(struct conn *);
static int conn_drained(struct conn *);
static void conn_settle(struct conn *);
static void conn_ended(struct conn *);
static void conn_linger(struct conn *);
static int conn_watch(struct conn *);
static int conn_wait_ms(const struct conn *);
static void conn_timers(struct conn *);
static void conn_phase_over(struct conn *);
static void conn_ping_due(struct conn *);
static void conn_terminate(struct conn *);

int
conn_serve(int fd, const char *broker, const char *peer,
    const struct sandbox_plan *plan, const struct conn_news *news)
{
	enum source_end end;
	struct conn *c;
	sigset_t mask;

	conn_signals(&mask);
	if ((c = conn_new(fd, peer)) == NULL) {
		log_warn("%s", peer);
		reply_unavailable(fd, CONN_LINGER_MS);
		return (SOURCE_FAILED);
	}
	c->plan = plan;
	if (news->crashed + news->turned > 0) {
		tally_add(c, tally_crashed, news->crashed);
		tally_add(c, tally_turned, news->turned);
	}
	if (link_open(c, broker) == -1) {
		log_warn("%s: broker", peer);
		reply_unavailable(fd, CONN_LINGER_MS);
		c->fd = -1;
		c->lost = 1;
		conn_free(c);
		return (SOURCE_FAILED);
	}
	conn_phase(c, CONN_HEAD, CONN_WELCOME_MS);
	conn_loop(c, &mask);
	end = c->granted ? SOURCE_WELL : c->end;
	conn_free(c);
	return ((int)end);
}

void
conn_phase(struct conn *c, enum conn_phase phase, int64_t end_ms)
{
	if (c->phase == CONN_DEAD)
		return;
	c->phase = phase;
	c->phase_at = end_ms == 0 ? 0 : c->now_ms + end_ms;
}

void
conn_kicked(struct conn *c, enum code code, unsigned close_code)
{
	if (c->phase >= CONN_CLOSING)
		return;
	if (!c->welcome) {
		reply_unavailable(c->fd, CONN_LINGER_MS);
		c->fd = -1;
		conn_drop(c);
		return;
	}
	c->ending = 1;
	if (c->phase == CONN_HEAD) {
		conn_phase(c, CONN_DRAIN, CONN_CLOSE_MS);
		return;
	}
	if (c->dialect != NULL && c->dialect->kicked != NULL)
		c->dialect->kicked(c, code);
	if (c->phase == CONN_WS)
		conn_close(c, close_code, code_text(code));
	else if (c->phase < CONN_WS && !c->exchange->answered)
		reply_bare(c, 503);
	else if (c->phase < CONN_WS && !c->exchange->finished)
		conn_drop(c);
}

/*
 * Reading stops while something of this client must be done first: its words
 * wait in the kernel then, and it is held up by TCP, not by our memory.
 */
int
conn_blocked(const struct conn *c)
{
	if (c->phase >= CONN_CLOSING)
		return (0);
	return (c->held || c->leaving || !TAILQ_EMPTY(&c->ops) ||
	    c->out.len > CONN_HIGH_BYTES ||
	    c->reader.nverdicts > CONN_VERDICTS ||
	    chan_pending(&c->link) > CONN_HIGH_BYTES);
}

void
conn_set_state(struct conn *c, void *state)
{
	c->state = state;
}

void *
conn_state(struct conn *c)
{
	return (c->state);
}

const struct settings *
conn_settings(struct conn *c)
{
	return (&c->settings);
}

const char *
conn_peer(struct conn *c)
{
	return (c->peer);
}

int64_t
conn_now_ms(struct conn *c)
{
	return (c->now_ms);
}

uint64_t
conn_session(struct conn *c)
{
	return (c->session);
}

void
conn_timer(struct conn *c, int64_t at_ms)
{
	c->timer_at = at_ms;
}

void
conn_hold(struct conn *c, int hold)
{
	c->held = hold;
}

static struct conn *
conn_new(int fd, const char *peer)
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
	c->link.fd = -1;
	c->now_ms = conn_clock();
	strncpy(c->peer, peer, sizeof(c->peer) - 1);
	TAILQ_INIT(&c->ops);
	reader_init(&c->reader);
	return (c);
}

static void
conn_free(struct conn *c)
{
	if (c->dialect != NULL && c->dialect->closed != NULL)
		c->dialect->closed(c);
	poller_close(&c->poller);
	turn_end(c);
	if (c->fd != -1)
		close(c->fd);
	kept_clear(&c->ops);
	link_close(c);
	reader_free(&c->reader);
	exchange_free(c);
	buf_free(&c->in);
	buf_free(&c->out);
	buf_free(&c->later);
	buf_free(&c->message);
	settings_free(&c->settings);
	free(c);
}

static void
conn_stop(int sig)
{
	(void)sig;
	conn_stopped = 1;
}

/* Blocked but during the wait: no signal comes between a look and a wait. */
static void
conn_signals(sigset_t *open)
{
	struct sigaction sa = { .sa_handler = conn_stop };
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

static void
conn_loop(struct conn *c, const sigset_t *mask)
{
	conn_pump(c);
	while (c->phase != CONN_DEAD) {
		if (conn_watch(c) == -1 ||
		    poller_wait(&c->poller, conn_wait_ms(c), mask) == -1) {
			log_warn("%s: wait", c->peer);
			return;
		}
		c->now_ms = conn_clock();
		if (!turn_take(c))
			continue;
		if (conn_stopped && !c->ending)
			conn_terminate(c);
		conn_events(c);
		conn_timers(c);
		do
			conn_pump(c);
		while (turn_give(c));
		if (c->reader.live && !c->rested) {
			c->rested = 1;
			memory_rest();
		}
	}
}

static int64_t
conn_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* The bell needs no answer: the ring is looked at in every turn. */
static void
conn_events(struct conn *c)
{
	unsigned client = c->poller.ready[POLLER_CLIENT];
	unsigned link = c->poller.ready[POLLER_LINK];

	if (!c->lost && (link & (POLLER_READ | POLLER_GONE)) != 0 &&
	    chan_read(&c->link) == -1) {
		while (!c->lost && link_step(c))
			continue;
		link_fail(c, "end");
	}
	if ((client & (POLLER_READ | POLLER_GONE)) == 0 || c->fd == -1)
		return;
	if (conn_reads(c))
		conn_read(c);
	else if ((client & POLLER_GONE) != 0)
		conn_drop(c);
}

static void
conn_read(struct conn *c)
{
	size_t want = c->in.len + CONN_READ_BYTES;
	uint8_t *p;
	ssize_t n;

	/* In the middle of a large message larger reads pay. */
	if (c->message.len > 0)
		want = CONN_INPUT_BYTES;
	if (want > CONN_INPUT_BYTES && c->phase >= CONN_WS)
		want = CONN_INPUT_BYTES;
	want -= want > c->in.len ? c->in.len : 0;
	if ((p = buf_room(&c->in, want)) == NULL) {
		conn_drop(c);
		return;
	}
	while ((n = read(c->fd, p, want)) == -1 && errno == EINTR)
		continue;
	if (n > 0) {
		buf_grow(&c->in, (size_t)n);
		tally_add(c, tally_bytes_in, (uint64_t)n);
		c->missed = 0;
	} else if (n == 0)
		c->eof = 1;
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		conn_drop(c);
	if (c->phase == CONN_LINGER || c->phase == CONN_DRAIN)
		buf_free(&c->in);
}

static int
conn_reads(const struct conn *c)
{
	if (c->eof || !c->welcome || c->phase == CONN_DEAD)
		return (0);
	if (c->phase == CONN_HEAD) /* the parser knows its own limit */
		return (1);
	return (!conn_blocked(c) && c->in.len < CONN_INPUT_BYTES);
}

static void
conn_pump(struct conn *c)
{
	int i;

	for (i = 0; i < CONN_STEPS && c->phase != CONN_DEAD; i++) {
		if (conn_step(c))
			continue;
		output_flush(c);
		link_flush(c);
		if (!conn_drained(c) && !conn_step(c))
			break;
	}
	c->busy = i == CONN_STEPS;
	output_flush(c);
	link_flush(c);
	conn_settle(c);
}

static int
conn_step(struct conn *c)
{
	if (c->phase == CONN_DEAD)
		return (0);
	return ((!c->lost && link_step(c)) || submit_step(c) ||
	    reader_verdicts(c) || exchange_step(c) || frames_step(c) ||
	    reader_step(c));
}

/* 1: the dialect was told that it may write. */
static int
conn_drained(struct conn *c)
{
	if (c->out.len >= CONN_LOW_BYTES)
		c->filled = 1;
	if (c->out.len >= CONN_LOW_BYTES || !c->filled)
		return (0);
	c->filled = 0;
	if (c->phase <= CONN_WS && c->dialect != NULL &&
	    c->dialect->drained != NULL)
		c->dialect->drained(c);
	return (1);
}

/* When nothing more can be done: what does the silence mean? */
static void
conn_settle(struct conn *c)
{
	if (c->in.len == 0 && c->in.cap > 0)
		buf_free(&c->in);
	if (c->eof)
		conn_ended(c);
	if (c->phase != CONN_DRAIN || c->out.len > 0)
		return;
	if (c->quick || c->eof)
		conn_drop(c);
	else
		conn_linger(c);
}

/* The client sends no more; what it has sent before was acted upon. */
static void
conn_ended(struct conn *c)
{
	switch (c->phase) {
	case CONN_HEAD:
		conn_phase(c, CONN_DRAIN, CONN_CLOSE_MS);
		break;
	case CONN_WS:
	case CONN_BODY:
		if (!conn_blocked(c))
			conn_drop(c);
		break;
	case CONN_CLOSING:
	case CONN_LINGER:
		conn_drop(c);
		break;
	default:
		break;
	}
}

/*
 * The client closes first, or in a moment we do: a close over unread input
 * would reset the connection and take the last answer with it.
 */
static void
conn_linger(struct conn *c)
{
	buf_free(&c->in);
	conn_phase(c, CONN_LINGER, CONN_LINGER_MS);
	if (shutdown(c->fd, SHUT_WR) == -1)
		conn_drop(c);
}

static int
conn_watch(struct conn *c)
{
	unsigned client = 0, link = POLLER_READ;

	if (conn_reads(c))
		client |= POLLER_READ;
	if (c->out.len > 0)
		client |= POLLER_WRITE;
	if (poller_set(&c->poller, POLLER_CLIENT, c->fd, client) == -1)
		return (-1);
	if (c->lost)
		return (0);
	if (chan_pending(&c->link) > 0)
		link |= POLLER_WRITE;
	return (poller_set(&c->poller, POLLER_LINK, c->link.fd, link));
}

static int
conn_wait_ms(const struct conn *c)
{
	int64_t at[] = { c->phase_at, c->message_at, c->idle_at, c->ping_at,
		c->timer_at, c->tally.due_at,
		c->turn.busy_at != 0 ? c->now_ms + 1 : 0, /* not ours yet */
		c->out.len > 0 ? c->write_ms + (int64_t)c->settings.write_ms
			       : 0 };
	int64_t first = 0;
	size_t i;

	if (c->busy)
		return (0);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (at[i] != 0 && (first == 0 || at[i] < first))
			first = at[i];
	if (first == 0)
		return (-1);
	first -= c->now_ms;
	return (first < 0 ? 0 : first > 3600000 ? 3600000 : (int)first);
}

static void
conn_timers(struct conn *c)
{
	int64_t now = c->now_ms;

	if (c->out.len > 0 &&
	    now >= c->write_ms + (int64_t)c->settings.write_ms) {
		log_debug("%s: takes nothing", c->peer);
		conn_drop(c);
	}
	if (c->phase_at != 0 && now >= c->phase_at)
		conn_phase_over(c);
	if (c->ping_at != 0 && now >= c->ping_at)
		conn_ping_due(c);
	if (c->phase != CONN_WS)
		c->message_at = c->idle_at = 0;
	if (c->message_at != 0 && now >= c->message_at) {
		c->message_at = 0;
		conn_close(c, WS_CODE_POLICY, "message unfinished");
	}
	if (c->idle_at != 0 && now >= c->idle_at) {
		c->idle_at = 0;
		conn_close(c, WS_CODE_NORMAL, "idle");
	}
	if (c->tally.due_at != 0 && now >= c->tally.due_at)
		tally_send(c);
	if (c->timer_at != 0 && now >= c->timer_at) {
		c->timer_at = 0;
		if (c->dialect != NULL && c->dialect->timer != NULL)
			c->dialect->timer(c);
	}
}

static void
conn_phase_over(struct conn *c)
{
	c->phase_at = 0;
	if (!c->welcome) {
		link_fail(c, "no welcome");
		return;
	}
	switch (c->phase) {
	case CONN_HEAD:
		if (c->dialect == NULL)
			c->end = SOURCE_LATE;
		if (c->exchange == NULL) { /* between requests */
			conn_phase(c, CONN_DRAIN, CONN_CLOSE_MS);
			break;
		}
		conn_phase(c, CONN_WAIT, 0);
		c->exchange->close = 1;
		reply_bare(c, 408);
		break;
	case CONN_BODY:
	case CONN_WAIT:
		if (c->exchange->answered) {
			conn_drop(c);
			break;
		}
		reply_bare(c, c->phase == CONN_BODY ? 408 : 503);
		break;
	default:
		conn_drop(c);
	}
}

/* A client that we do not read, or that does not read us, is not asked. */
static void
conn_ping_due(struct conn *c)
{
	if (c->phase != CONN_WS) {
		c->ping_at = 0;
		return;
	}
	c->ping_at = c->now_ms + (int64_t)c->settings.ping_ms;
	if (conn_blocked(c) || c->out.len > 0 || c->frame_left > 0) {
		c->missed = 0;
		return;
	}
	if (c->missed >= CONN_MISSED) {
		log_debug("%s: silent", c->peer);
		conn_drop(c);
		return;
	}
	c->missed++;
	conn_ping(c, BYTES_NONE);
}

/* A request that is being answered is answered first. */
static void
conn_terminate(struct conn *c)
{
	c->ending = 1;
	if (c->phase == CONN_HEAD || c->phase == CONN_WS)
		conn_kicked(c, CODE_SHUTDOWN, WS_CODE_AWAY);
}
