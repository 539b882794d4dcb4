/*
 * A session: the broker's end of one worker's link.  It reads what came, hands
 * whole messages to the gate, and stops reading while too much is undone, so
 * that a flood waits in the flooder's own socket.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "broker/area.h"
#include "broker/lanes.h"
#include "broker/trace.h"
#include "common/log.h"

/* Until descriptors are tried again that the kernel did not take. */
#define SESSION_AGAIN_MS 20

static void session_watch(struct session *, struct event *);
static void session_readable(evutil_socket_t, short, void *);
static void session_writable(evutil_socket_t, short, void *);
static void session_expired(evutil_socket_t, short, void *);
static void session_try_again(struct session *);
static void session_gone(struct session *);
static void session_leave(struct session *);
static int session_full(const struct session *);

void
session_new(struct broker *b, int fd, int kept)
{
	struct session *s;

	if (b->stopping || b->nsessions >= (size_t)b->conf->sessions_max ||
	    (s = calloc(1, sizeof(*s))) == NULL) {
		log_warnx("session refused: %zu of %lld are there",
		    b->nsessions, (long long)b->conf->sessions_max);
		(void)shutdown(fd, SHUT_RDWR);
		close(fd);
		return;
	}
	s->broker = b;
	s->kept = kept;
	s->id = b->next_session++;
	s->refs = 1;
	s->state = IPC_NEW;
	s->since_s = (int64_t)time(NULL);
	s->lane_fd = -1;
	chan_init(&s->chan, fd, IPC_FROM_WORKER, 0);
	event_assign(&s->read_ev, b->base, fd, EV_READ | EV_PERSIST,
	    session_readable, s);
	event_assign(&s->write_ev, b->base, fd, EV_WRITE, session_writable, s);
	evtimer_assign(&s->expiry_ev, b->base, session_expired, s);
	event_priority_set(&s->read_ev, 0);
	TAILQ_INSERT_TAIL(&b->sessions, s, entry);
	b->nsessions++;
	b->count.sessions_total++;
	session_watch(s, &s->read_ev);
}

/* One that cannot be watched would never be heard of again. */
static void
session_watch(struct session *s, struct event *ev)
{
	if (event_add(ev, NULL) == 0)
		return;
	log_warnx("session %llu: no memory", (unsigned long long)s->id);
	session_close(s);
}

void
session_expire(struct session *s, const struct timeval *after)
{
	if (event_add(&s->expiry_ev, after) == -1)
		event_active(&s->expiry_ev, EV_TIMEOUT, 0);
}

void
session_close(struct session *s)
{
	struct broker *b = s->broker;

	if (s->dead)
		return;
	s->dead = 1;
	event_del(&s->read_ev);
	event_del(&s->write_ev);
	event_del(&s->expiry_ev);
	/* One that parts is the keeper's to pass on. */
	if (s->kept && !s->parting)
		(void)shutdown(s->chan.fd, SHUT_RDWR);
	chan_close(&s->chan);
	TAILQ_REMOVE(&b->sessions, s, entry);
	b->nsessions -= !s->listener;
	session_leave(s);
	log_debug("session %llu closed", (unsigned long long)s->id);
	session_unref(s);
}

void
session_unref(struct session *s)
{
	if (--s->refs > 0)
		return;
	subject_set(&s->broker->subjects, s, BYTES_NONE);
	claims_free(&s->claims);
	free(s->leaving);
	blob_forget(s);
	staging_end(s);
	buf_free(&s->card);
	area_free(s);
	free(s);
}

void
session_kick(struct session *s, enum code code)
{
	const struct timeval wait = { SESSION_KICK_WAIT_S, 0 };
	struct msg m = MSG(KICK);

	if (s->dead || s->kicked)
		return;
	s->broker->metrics.kicks[code < CODE_COUNT ? code : CODE_OK]++;
	log_info("session %llu kicked code=%s", (unsigned long long)s->id,
	    code_name(code));
	s->kicked = 1;
	s->scope = SCOPE_NONE;
	m.f[kick_code].u = code;
	s->refs++;
	session_send(s, &m);
	session_flush(s);
	if (!s->dead) {
		session_leave(s);
		session_expire(s, &wait);
	}
	session_unref(s);
}

int
session_ended(const struct session *s, int64_t now_s)
{
	return (s->until_s != 0 && now_s >= s->until_s);
}

const struct bounds *
session_bounds(const struct session *s)
{
	static const struct bounds none;

	return (s->subject == NULL ? &none : &s->subject->bounds);
}

uint64_t
session_message_max(const struct session *s, const struct doc *d)
{
	const uint64_t may[] = { s->claims.message_max,
		(uint64_t)session_bounds(s)->message,
		d == NULL ? 0 : (uint64_t)d->bounds.message };
	uint64_t least = 0;
	size_t i;

	for (i = 0; i < sizeof(may) / sizeof(may[0]); i++)
		if (may[i] != 0 && (least == 0 || may[i] < least))
			least = may[i];
	return (least);
}

void
session_send(struct session *s, const struct msg *m)
{
	struct buf none = BUF_INIT;

	session_send_body(s, m, &none);
}

/* As chan_send_body; an empty one has no room in front. */
void
session_send_body(struct session *s, const struct msg *m, struct buf *body)
{
	if (s->dead || s->mute)
		return;
	trace(s, m, TRACE_OUT);
	if (chan_send_body(&s->chan, m, body) == -1) {
		log_warn("session %llu: %s", (unsigned long long)s->id,
		    ipc_name(m->type));
		session_close(s);
	}
}

/* Descriptors go one set at a time: these may have to wait for others. */
void
session_give_ring(struct session *s)
{
	struct msg m = MSG(RING);
	int fds[2];

	s->ring_due = 0;
	if (s->dead || s->mute || s->doc == NULL)
		return;
	m.f[ring_position].u = s->doc->begin;
	m.f[ring_ring].u = s->doc->ring.bytes;
	fds[0] = s->doc->reader_fd;
	fds[1] = s->doc->bell.wait_fd;
	if (chan_send_fds(&s->chan, &m, fds, 2) == 0) {
		trace(s, &m, TRACE_OUT);
		session_flush(s);
	} else if (errno == EAGAIN) {
		s->ring_due = 1;
	} else {
		log_warn("session %llu: descriptors",
		    (unsigned long long)s->id);
		session_close(s);
	}
}

void
session_flush(struct session *s)
{
	if (s->dead || s->mute)
		return;
	switch (chan_flush(&s->chan)) {
	case 0:
		s->untold = 0;
		if (s->ring_due)
			session_give_ring(s);
		break;
	case 1:
		session_watch(s, &s->write_ev);
		break;
	default:
		if (errno == ETOOMANYREFS) {
			session_try_again(s);
			break;
		}
		s->mute = 1; /* reading on to the end tells the rest */
		event_del(&s->write_ev);
		session_resume(s); /* what was not taken holds up no more */
	}
}

/* Descriptors under way are counted for all processes of a user together, and
 * no event says that there are fewer. */
static void
session_try_again(struct session *s)
{
	const struct timeval wait = { 0, SESSION_AGAIN_MS * 1000 };
	struct broker *b = s->broker;

	s->again = 1;
	if (!b->again)
		b->again = event_base_once(b->base, -1, EV_TIMEOUT,
			       sessions_again, b, &wait) == 0;
}

void
session_resume(struct session *s)
{
	if (s->dead || s->parting || !s->stalled || session_full(s))
		return;
	s->stalled = 0;
	if (!s->eof)
		session_watch(s, &s->read_ev);
	if (s->dead)
		return;
	/* Whole messages may wait in the buffer already. */
	event_active(&s->read_ev, EV_READ, 0);
}

static void
session_readable(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	int r;

	(void)fd;
	(void)what;
	s->refs++;
	r = s->eof ? 0 : chan_read(&s->chan);
	session_process(s);
	if (!s->dead && (r == -1 || s->eof))
		session_gone(s);
	session_unref(s);
}

void
session_process(struct session *s)
{
	struct msg m;
	int r;

	while (!s->dead && !(s->stalled = session_full(s))) {
		if ((r = chan_next(&s->chan, &m)) == 0)
			break;
		if (r == -1) {
			log_warnx("session %llu: not a message of ours",
			    (unsigned long long)s->id);
			session_kick(s, CODE_BAD_MESSAGE);
		}
		if (r == -1 || dispatch(s, &m) == -1) {
			session_close(s);
			return;
		}
	}
	if (s->stalled && !s->dead)
		event_del(&s->read_ev);
	/* A GRANT goes with what was asked under it. */
	if (s->opening == NULL)
		session_flush(s);
}

/* The peer is gone.  What it sent and we have not read yet still counts. */
static void
session_gone(struct session *s)
{
	s->eof = s->mute = 1;
	event_del(&s->write_ev);
	if (!s->stalled)
		session_close(s);
}

static void
session_writable(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)what;
	s->refs++;
	session_flush(s);
	session_resume(s);
	session_unref(s);
}

/* The grant has ended; or the time to go for one that was told to. */
static void
session_expired(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)what;
	if (s->kicked)
		session_close(s);
	else
		session_kick(s, CODE_EXPIRED);
}

/* Its place in the document goes in order, in a batch. */
static void
session_leave(struct session *s)
{
	struct op *op = s->leaving;

	if (s->doc == NULL)
		return;
	lanes_leave(s);
	if (op == NULL) /* it is under way */
		return;
	s->leaving = NULL;
	batch_put(s->broker, s, s->doc, op);
	op->leave = 1;
	batch_kick(s->broker);
}

/* Nor is it read while one of its operations is decided apart, which looks at
 * its claims. */
static int
session_full(const struct session *s)
{
	return ((s->doc != NULL && s->doc->apart != NULL &&
		    s->doc->apart->session == s) ||
	    s->ops >= SESSION_OPS_MAX ||
	    s->ops_bytes >= SESSION_OPS_MAX_BYTES ||
	    (!s->mute &&
		(s->untold >= SESSION_UNTOLD_MAX ||
		    chan_pending(&s->chan) >= SESSION_OUT_MAX_BYTES)));
}
