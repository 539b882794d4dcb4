/*
 * A connection's loop: one wait, and all that can be done then.  What comes in
 * is read here and taken apart elsewhere; conn_internal.h says where.
 */
#include <sys/socket.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/conn_internal.h"
#include "worker/memory.h"

/* Steps between two looks at the clock and the descriptors. */
#define CONN_STEPS 256

static void conn_rest(struct conn *);
static void conn_events(struct conn *);
static void conn_read(struct conn *);
static ssize_t conn_read_small(struct conn *) __attribute__((noinline));
static ssize_t conn_read_large(struct conn *);
static int conn_reads(const struct conn *);
static void conn_pump(struct conn *);
static int conn_step(struct conn *);
static int conn_drained(struct conn *);
static void conn_settle(struct conn *);
static void conn_ended(struct conn *);
static void conn_linger(struct conn *);
static int conn_watch(struct conn *);
static void conn_terminate(struct conn *);
static void conn_finish(struct conn *);

void
conn_loop(struct conn *c, const sigset_t *mask,
    const volatile sig_atomic_t *stop)
{
	conn_pump(c);
	while (c->phase != CONN_DEAD) {
		if (conn_watch(c) == -1 ||
		    poller_wait(&c->poller, conn_wait_ms(c), mask) == -1) {
			log_warn("%s: wait", c->peer);
			return;
		}
		c->now_ms = clock_ms();
		if (!turn_take(c))
			continue;
		if (*stop && !c->ending)
			conn_terminate(c);
		else if (conn_finished(c) &&
		    (c->poller.ready[POLLER_CLIENT] & POLLER_READ) == 0)
			conn_finish(c);
		errno = 0;
		conn_events(c);
		conn_timers(c);
		do
			conn_pump(c);
		while (turn_give(c));
		if (errno == ENOMEM || buf_failures > 0)
			conn_starved(c);
		conn_rest(c);
	}
}

/* A bell rings once when it is put up: it does not wake who has come to rest.
 */
static void
conn_rest(struct conn *c)
{
	if (c->rested)
		return;
	c->rung |= c->poller.ready[POLLER_BELL] != 0;
	if (c->rung && c->reader.live) {
		c->rested = 1;
		memory_rest(buf_large);
	}
}

void
conn_kicked(struct conn *c, enum code code, unsigned close_code)
{
	if (c->phase >= CONN_CLOSING)
		return;
	if (!c->welcome) {
		unserved(c);
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

void
conn_starved(struct conn *c)
{
	if (!c->starved)
		log_warnx("%s: no memory", c->peer);
	c->starved = 1;
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
	return (c->held || c->leaving || again_waits(c) ||
	    !TAILQ_EMPTY(&c->ops) ||
	    c->out.len + c->later.len > CONN_HIGH_BYTES ||
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

uint64_t
conn_session(struct conn *c)
{
	return (c->session);
}

void
conn_hold(struct conn *c, int hold)
{
	c->held = hold;
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
		link_end(c, "end");
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
	ssize_t n;

	/* In the middle of something larger reads pay. */
	if (c->in.len > 0 || c->message.len > 0 || c->many)
		n = conn_read_large(c);
	else
		n = conn_read_small(c);
	if (n > 0) {
		tally_add(c, tally_bytes_in, (uint64_t)n);
		c->missed = 0;
	} else if (n == 0)
		c->eof = 1;
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		conn_drop(c);
	if (c->phase == CONN_LINGER || c->phase == CONN_DRAIN)
		buf_free(&c->in);
}

/* A heap that grows and shrinks with each read costs more than a copy. */
static ssize_t
conn_read_small(struct conn *c)
{
	uint8_t octets[CONN_FIRST_BYTES];
	ssize_t n;

	while (
	    (n = read(c->fd, octets, sizeof(octets))) == -1 && errno == EINTR)
		continue;
	c->many = n == (ssize_t)sizeof(octets);
	if (n > 0 && buf_add(&c->in, octets, (size_t)n) == -1)
		conn_drop(c);
	if (n > 0 && c->phase == CONN_HEAD)
		octets_wipe(octets, (size_t)n); /* a token may be in it */
	return (n);
}

static ssize_t
conn_read_large(struct conn *c)
{
	size_t want = c->in.len + CONN_READ_BYTES;
	uint8_t *p;
	ssize_t n;

	if (c->message.len > 0)
		want = CONN_INPUT_BYTES;
	if (want > CONN_INPUT_BYTES && c->phase >= CONN_WS)
		want = CONN_INPUT_BYTES;
	want -= want > c->in.len ? c->in.len : 0;
	c->many = 0;
	if ((p = buf_room(&c->in, want)) == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	while ((n = read(c->fd, p, want)) == -1 && errno == EINTR)
		continue;
	if (n > 0) {
		c->many = (size_t)n >= CONN_FIRST_BYTES;
		buf_grow(&c->in, (size_t)n);
		/* What stays for good would come to lie behind it. */
		if (c->in.len < CONN_SMALL_BYTES)
			buf_fit(&c->in);
	}
	return (n);
}

static int
conn_reads(const struct conn *c)
{
	if (c->eof || !c->welcome || c->phase == CONN_DEAD)
		return (0);
	/* The parser knows its own limit, when it is called. */
	if (c->phase == CONN_HEAD && !again_waits(c))
		return (1);
	return (!conn_blocked(c) && c->in.len < CONN_INPUT_BYTES);
}

int
conn_finished(const struct conn *c)
{
	if (!c->finishing || c->phase != CONN_WS)
		return (0);
	return (c->lost || again_waits(c) ||
	    (c->reader.submits == 0 && !conn_blocked(c) && c->in.len == 0 &&
		!ws_amid(&c->ws)));
}

static void
conn_pump(struct conn *c)
{
	int i;

	for (i = 0; i < CONN_STEPS && c->phase != CONN_DEAD; i++) {
		if (conn_step(c))
			continue;
		/* The broker can be at work while the client is written to. */
		link_flush(c);
		output_flush(c);
		if (!conn_drained(c) && !conn_step(c))
			break;
	}
	c->busy = i == CONN_STEPS;
	link_flush(c);
	output_flush(c);
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

	/* What is watched stays so until there is something not to be read. */
	if (conn_reads(c) ||
	    (c->poller.want[POLLER_CLIENT] & ~c->poller.ready[POLLER_CLIENT] &
		POLLER_READ) != 0)
		client |= POLLER_READ;
	if (c->out.len > 0)
		client |= POLLER_WRITE;
	if (poller_set(&c->poller, POLLER_CLIENT, c->fd, client) == -1)
		return (-1);
	if (c->lost || c->link.fd == -1)
		return (0);
	if (chan_pending(&c->link) > 0)
		link |= POLLER_WRITE;
	return (poller_set(&c->poller, POLLER_LINK, c->link.fd, link));
}

/* A request that is being answered is answered first, and so is a message. */
static void
conn_terminate(struct conn *c)
{
	c->ending = 1;
	if (c->phase == CONN_HEAD) {
		conn_kicked(c, CODE_SHUTDOWN, WS_CODE_RESTART);
	} else if (c->phase == CONN_WS) {
		c->finishing = 1;
		conn_phase(c, CONN_WS, CONN_CLOSE_MS);
	}
}

static void
conn_finish(struct conn *c)
{
	c->finishing = 0;
	conn_kicked(c, CODE_SHUTDOWN, WS_CODE_RESTART);
}
