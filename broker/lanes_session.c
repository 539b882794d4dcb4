/*
 * A session's lane goes through these states: it waits while fan-out takes no
 * more at the moment, is asked (fan-out has the socket, its answer is awaited),
 * then the session has it, then there is none again.
 */
#include <unistd.h>

#include "broker/lanes_parts.h"
#include "broker/trace.h"
#include "common/lane.h"
#include "common/log.h"

static int lanes_enter(struct session *);
static int lanes_doc(struct lanes *, struct doc *);
static void lanes_drop(struct lanes *, struct session *);
static void lanes_ready(struct session *);
static void lanes_answer(struct session *, int fd, int on);

int
handle_lane(struct session *s, const struct msg *m)
{
	struct lanes *l = s->broker->lanes;
	int fd = chan_take_fd(&s->chan);

	(void)m;
	s->chan.takes_fds = 0; /* one each document */
	if (fd == -1 || l == NULL || l->fd == -1 || s->doc == NULL ||
	    s->lane != SESSION_LANE_NONE) {
		if (fd != -1)
			close(fd);
		lanes_answer(s, -1, 0);
		return (0);
	}
	s->lane = SESSION_LANE_WAITS;
	s->lane_fd = fd;
	TAILQ_INSERT_TAIL(&l->waiting, s, lane_entry);
	lanes_room(l);
	return (0);
}

void
lanes_expect(struct session *s)
{
	struct lanes *l = s->broker->lanes;

	s->chan.takes_fds = l != NULL && l->fd != -1;
}

int
lanes_publish(struct broker *b, struct doc *d)
{
	if (d->lanes == 0)
		return (1);
	lanes_say(b->lanes, FANOUT_RUNG, d->lane_doc, 0);
	return (d->lanes < d->nsessions);
}

void
lanes_leave(struct session *s)
{
	struct lanes *l = s->broker->lanes;
	int known = s->lane > SESSION_LANE_WAITS;

	s->chan.takes_fds = 0;
	if (s->lane == SESSION_LANE_NONE)
		return;
	/* First: a word too many ends fan-out, and with it all lanes. */
	lanes_drop(l, s);
	if (!known)
		return;
	lanes_say(l, FANOUT_LEAVE, 0, s->id);
	lanes_flush(s->broker);
}

void
lanes_forget(struct broker *b, struct doc *d)
{
	struct session *s;

	if (d->lane_doc != 0)
		lanes_say(b->lanes, FANOUT_GONE, d->lane_doc, 0);
	d->lane_doc = 0;
	TAILQ_FOREACH(s, &d->sessions, doc_entry) {
		if (s->lane != SESSION_LANE_NONE)
			lanes_drop(b->lanes, s);
		lanes_expect(s);
	}
}

void
lanes_room(struct lanes *l)
{
	struct session *s;
	int r = 1;

	while (r != 0 && (s = TAILQ_FIRST(&l->waiting)) != NULL) {
		r = lanes_enter(s);
		/* It may just have been found that there is no fan-out. */
		if (r == -1 && s->lane == SESSION_LANE_WAITS) {
			lanes_drop(l, s);
			lanes_answer(s, -1, 0);
		}
	}
}

/* A session may have gone, or left its document, since it was said. */
void
lanes_word(struct lanes *l, const struct fanout_word *w)
{
	struct session *s = l->sessions[w->session % LANES_BUCKETS];

	while (s != NULL && s->id != w->session)
		s = s->lane_next;
	if (s == NULL)
		return;
	switch (w->what) {
	case FANOUT_READY:
		if (s->lane == SESSION_LANE_ASKED)
			lanes_ready(s);
		break;
	case FANOUT_REFUSED:
		lanes_drop(l, s);
		lanes_answer(s, -1, 0);
		break;
	default:
		lanes_answer(s, -1, 1);
	}
}

void
lanes_lost(struct lanes *l)
{
	struct session *s;
	size_t i;

	while ((s = TAILQ_FIRST(&l->waiting)) != NULL) {
		lanes_drop(l, s);
		lanes_answer(s, -1, 0);
	}
	for (i = 0; i < LANES_BUCKETS; i++)
		while ((s = l->sessions[i]) != NULL) {
			s->doc->lane_doc = 0;
			lanes_drop(l, s);
			lanes_answer(s, -1, 0);
		}
}

/* As lanes_send; 1: asked. */
static int
lanes_enter(struct session *s)
{
	struct lanes *l = s->broker->lanes;
	struct fanout_word w = { .what = FANOUT_LANE, .session = s->id };
	struct session **at = &l->sessions[s->id % LANES_BUCKETS];
	int fds[FANOUT_FDS] = { s->lane_fd, -1 };
	int r;

	if ((r = lanes_doc(l, s->doc)) != 1)
		return (r);
	if ((fds[1] = lane_create()) == -1)
		return (-1);
	w.doc = s->doc->lane_doc;
	if ((r = lanes_send(l, &w, fds)) != 1) {
		close(fds[1]);
		return (r);
	}
	TAILQ_REMOVE(&l->waiting, s, lane_entry);
	close(s->lane_fd);
	s->lane = SESSION_LANE_ASKED;
	s->lane_fd = fds[1];
	s->doc->lanes++;
	s->lane_next = *at;
	*at = s;
	return (1);
}

/* As lanes_send; 1: fan-out knows it. */
static int
lanes_doc(struct lanes *l, struct doc *d)
{
	struct fanout_word w = { .what = FANOUT_DOC,
		.spare = d->id.dialect,
		.bytes = d->ring.bytes };
	int fds[FANOUT_FDS] = { d->reader_fd, d->bell.ring_fd };
	int r;

	if (d->lane_doc != 0)
		return (1);
	w.doc = ++l->next_doc;
	if ((r = lanes_send(l, &w, fds)) == 1)
		d->lane_doc = w.doc;
	return (r);
}

/* The end of a session's lane on this side. */
static void
lanes_drop(struct lanes *l, struct session *s)
{
	struct session **at = &l->sessions[s->id % LANES_BUCKETS];

	if (s->lane == SESSION_LANE_WAITS) {
		TAILQ_REMOVE(&l->waiting, s, lane_entry);
	} else {
		while (*at != s)
			at = &(*at)->lane_next;
		*at = s->lane_next;
		s->doc->lanes--;
	}
	if (s->lane == SESSION_LANE_HAS)
		s->broker->count.lanes--;
	s->lane = SESSION_LANE_NONE;
	if (s->lane_fd != -1)
		close(s->lane_fd);
	s->lane_fd = -1;
}

static void
lanes_ready(struct session *s)
{
	int fd = s->lane_fd;

	s->lane = SESSION_LANE_HAS;
	s->broker->count.lanes++;
	s->lane_fd = -1;
	lanes_answer(s, fd, 1);
	close(fd);
}

/* on without a descriptor: a worker looks at its lane whatever wakes it. */
static void
lanes_answer(struct session *s, int fd, int on)
{
	struct msg m = MSG(LANED);

	m.f[laned_on].u = (uint64_t)on;
	if (fd == -1)
		session_send(s, &m);
	else if (chan_send_fds(&s->chan, &m, &fd, 1) == -1) {
		log_warn("session %llu: lane", (unsigned long long)s->id);
		session_close(s);
		return;
	} else
		trace(s, &m, TRACE_OUT);
	session_flush(s);
}
