/*
 * All sessions, one after the other: told to go, tried again, stopped.  What is
 * done with one may close it, and others as well.
 */
#include "broker/broker.h"

/* At the end; more than a socket holds. */
#define SESSION_LAST_READS 64

struct kick_each {
	session_match *match; /* NULL: all */
	const void *arg;
	enum code code;
	size_t n;
};

static session_each sessions_kick, sessions_try, sessions_last, sessions_leave;
static session_match sessions_stays;

void
sessions_each(struct broker *b, session_each *each, void *arg)
{
	struct session *s = TAILQ_FIRST(&b->sessions), *next;

	while (s != NULL) {
		s->refs++;
		each(s, arg);
		next =
		    s->dead ? TAILQ_FIRST(&b->sessions) : TAILQ_NEXT(s, entry);
		session_unref(s);
		s = next;
	}
}

size_t
session_kick_each(struct broker *b, session_match *match, const void *arg,
    enum code code)
{
	struct kick_each k = { match, arg, code, 0 };

	sessions_each(b, sessions_kick, &k);
	return (k.n);
}

void
sessions_again(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd;
	(void)what;
	b->again = 0;
	sessions_each(b, sessions_try, NULL);
}

void
sessions_stop(struct broker *b)
{
	struct session *s;

	TAILQ_FOREACH(s, &b->sessions, entry)
		s->parting = s->waits || s->state == IPC_NEW;
	session_kick_each(b, sessions_stays, NULL, CODE_SHUTDOWN);
	sessions_each(b, sessions_last, NULL);
}

void
sessions_part(struct broker *b)
{
	sessions_each(b, sessions_leave, NULL);
}

static void
sessions_kick(struct session *s, void *arg)
{
	struct kick_each *k = arg;

	if (s->kicked || s->listener)
		return;
	if (k->match != NULL && (s->state == IPC_NEW || !k->match(s, k->arg)))
		return;
	session_kick(s, k->code);
	k->n++;
}

static void
sessions_try(struct session *s, void *arg)
{
	(void)arg;
	if (!s->again)
		return;
	s->again = 0;
	session_flush(s);
	session_resume(s);
}

static int
sessions_stays(const struct session *s, const void *arg)
{
	(void)arg;
	return (!s->parting);
}

/* What came before is not lost, as far as there is room; and who says ever
 * more does not hold up the end. */
static void
sessions_last(struct session *s, void *arg)
{
	int n;

	(void)arg;
	if (!s->parting)
		return;
	for (n = 0; n < SESSION_LAST_READS && !s->dead && !s->stalled &&
	     chan_read(&s->chan) == 1;
	     n++)
		session_process(s);
	if (!s->dead)
		event_del(&s->read_ev);
}

static void
sessions_leave(struct session *s, void *arg)
{
	(void)arg;
	if (s->parting && s->ops == 0 &&
	    (s->mute || chan_pending(&s->chan) == 0))
		session_close(s);
}
