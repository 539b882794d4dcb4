/*
 * The poller over pselect, for systems with neither epoll nor kqueue.  It knows
 * no edges, and a bell that stays readable would never let it sleep: while one
 * is watched, the ring is looked at every POLLER_LOOK_MS instead.
 */
#include <sys/select.h>

#include <errno.h>
#include <string.h>
#include <time.h>

#include "worker/poller.h"

#define POLLER_LOOK_MS 20

int
poller_open(struct poller *p)
{
	int i;

	memset(p, 0, sizeof(*p));
	p->fd = -1;
	for (i = 0; i < POLLER_SLOTS; i++)
		p->slot_fd[i] = -1;
	return (0);
}

int
poller_set(struct poller *p, enum poller_slot slot, int fd, unsigned want)
{
	if (fd >= FD_SETSIZE) {
		errno = EMFILE;
		return (-1);
	}
	p->slot_fd[slot] = fd;
	p->want[slot] = want;
	return (0);
}

int
poller_wait(struct poller *p, int timeout_ms, const sigset_t *mask)
{
	struct timespec ts;
	fd_set r, w;
	int i, fd, top = -1;

	memset(p->ready, 0, sizeof(p->ready));
	if (p->slot_fd[POLLER_BELL] != -1 &&
	    (timeout_ms == -1 || timeout_ms > POLLER_LOOK_MS))
		timeout_ms = POLLER_LOOK_MS;
	ts.tv_sec = timeout_ms / 1000;
	ts.tv_nsec = (long)(timeout_ms % 1000) * 1000000;
	FD_ZERO(&r);
	FD_ZERO(&w);
	for (i = 0; i < POLLER_BELL; i++) {
		if ((fd = p->slot_fd[i]) == -1)
			continue;
		if ((p->want[i] & POLLER_READ) != 0)
			FD_SET(fd, &r);
		if ((p->want[i] & POLLER_WRITE) != 0)
			FD_SET(fd, &w);
		top = fd > top ? fd : top;
	}
	if (pselect(top + 1, &r, &w, NULL, timeout_ms == -1 ? NULL : &ts,
		mask) == -1)
		return (errno == EINTR ? 0 : -1);
	for (i = 0; i < POLLER_BELL; i++) {
		if ((fd = p->slot_fd[i]) == -1)
			continue;
		p->ready[i] = (FD_ISSET(fd, &r) ? POLLER_READ : 0u) |
		    (FD_ISSET(fd, &w) ? POLLER_WRITE : 0u);
	}
	return (0);
}
