/* The poller over epoll. */
#include <sys/epoll.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "worker/poller.h"

static uint32_t poller_events(enum poller_slot, unsigned);
static unsigned poller_found(uint32_t);

int
poller_open(struct poller *p)
{
	int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < POLLER_SLOTS; i++)
		p->slot_fd[i] = -1;
	return ((p->fd = epoll_create1(EPOLL_CLOEXEC)) == -1 ? -1 : 0);
}

int
poller_set(struct poller *p, enum poller_slot slot, int fd, unsigned want)
{
	struct epoll_event ev = { .events = poller_events(slot, want),
		.data = { .u32 = slot } };
	int old = p->slot_fd[slot];

	if (old == fd && (fd == -1 || p->want[slot] == want))
		return (0);
	p->slot_fd[slot] = fd;
	p->want[slot] = want;
	if (old == fd)
		return (epoll_ctl(p->fd, EPOLL_CTL_MOD, fd, &ev));
	if (old != -1)
		epoll_ctl(p->fd, EPOLL_CTL_DEL, old, NULL);
	return (fd == -1 ? 0 : epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &ev));
}

int
poller_wait(struct poller *p, int timeout_ms, const sigset_t *mask)
{
	struct epoll_event ev[POLLER_SLOTS];
	int i, n;

	memset(p->ready, 0, sizeof(p->ready));
	n = epoll_pwait(p->fd, ev, POLLER_SLOTS, timeout_ms, mask);
	if (n == -1)
		return (errno == EINTR ? 0 : -1);
	for (i = 0; i < n; i++)
		p->ready[ev[i].data.u32] = poller_found(ev[i].events);
	return (0);
}

static uint32_t
poller_events(enum poller_slot slot, unsigned want)
{
	if (slot == POLLER_BELL)
		return (EPOLLIN | EPOLLET);
	return (((want & POLLER_READ) != 0 ? (uint32_t)EPOLLIN : 0) |
	    ((want & POLLER_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0));
}

static unsigned
poller_found(uint32_t events)
{
	return (((events & EPOLLIN) != 0 ? (unsigned)POLLER_READ : 0) |
	    ((events & EPOLLOUT) != 0 ? (unsigned)POLLER_WRITE : 0) |
	    ((events & (EPOLLHUP | EPOLLERR)) != 0 ? (unsigned)POLLER_GONE
						   : 0));
}
