/*
 * The poller over kqueue.  It has no wait with a signal mask: SIGTERM is a
 * filter of its own, which reports the signal even while it is blocked, and is
 * then delivered by opening the mask for a moment.
 */
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#include <errno.h>
#include <string.h>

#include "worker/poller.h"

#define POLLER_EVENTS 8

static int poller_change(struct poller *, enum poller_slot, int fd, short,
    int on);
static void poller_found(struct poller *, const struct kevent *);

int
poller_open(struct poller *p)
{
	struct kevent ev;
	int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < POLLER_SLOTS; i++)
		p->slot_fd[i] = -1;
	if ((p->fd = kqueue()) == -1)
		return (-1);
	EV_SET(&ev, SIGTERM, EVFILT_SIGNAL, EV_ADD, 0, 0, 0);
	return (kevent(p->fd, &ev, 1, NULL, 0, NULL) == -1 ? -1 : 0);
}

int
poller_set(struct poller *p, enum poller_slot slot, int fd, unsigned want)
{
	static const short filter[2] = { EVFILT_READ, EVFILT_WRITE };
	int i, old = p->slot_fd[slot];
	unsigned bit, had = old == -1 ? 0 : p->want[slot];

	if (fd == -1)
		want = 0;
	for (i = 0; i < 2; i++) {
		bit = i == 0 ? POLLER_READ : POLLER_WRITE;
		if ((had & bit) != 0 && (old != fd || (want & bit) == 0))
			poller_change(p, slot, old, filter[i], 0);
		if ((want & bit) != 0 && (old != fd || (had & bit) == 0) &&
		    poller_change(p, slot, fd, filter[i], 1) == -1)
			return (-1);
	}
	p->slot_fd[slot] = fd;
	p->want[slot] = want;
	return (0);
}

int
poller_wait(struct poller *p, int timeout_ms, const sigset_t *mask)
{
	struct timespec ts = { timeout_ms / 1000,
		(long)(timeout_ms % 1000) * 1000000 };
	struct kevent ev[POLLER_EVENTS];
	sigset_t old;
	int i, n;

	memset(p->ready, 0, sizeof(p->ready));
	n = kevent(p->fd, NULL, 0, ev, POLLER_EVENTS,
	    timeout_ms == -1 ? NULL : &ts);
	if (n == -1)
		return (errno == EINTR ? 0 : -1);
	for (i = 0; i < n; i++)
		poller_found(p, &ev[i]);
	sigprocmask(SIG_SETMASK, mask, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return (0);
}

static int
poller_change(struct poller *p, enum poller_slot slot, int fd, short filter,
    int on)
{
	struct kevent ev;
	unsigned short flags = EV_DELETE;

	if (on)
		flags = slot == POLLER_BELL ? EV_ADD | EV_CLEAR : EV_ADD;
	EV_SET(&ev, (uintptr_t)fd, filter, flags, 0, 0, 0);
	return (kevent(p->fd, &ev, 1, NULL, 0, NULL));
}

static void
poller_found(struct poller *p, const struct kevent *ev)
{
	int i;

	if (ev->filter == EVFILT_SIGNAL)
		return;
	for (i = 0; i < POLLER_SLOTS; i++) {
		if (p->slot_fd[i] != (int)ev->ident)
			continue;
		p->ready[i] |=
		    ev->filter == EVFILT_READ ? POLLER_READ : POLLER_WRITE;
		if ((ev->flags & EV_EOF) != 0 && ev->filter == EVFILT_WRITE)
			p->ready[i] |= POLLER_GONE;
	}
}
