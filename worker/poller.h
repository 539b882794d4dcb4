/*
 * Waiting for a worker's descriptors: the client, the link to the broker, and
 * the bell of the document.  The bell is edge-triggered and never read, since
 * every worker of a document shares it; the others are level-triggered.
 */
#ifndef QUIRE_POLLER_H
#define QUIRE_POLLER_H

#include <signal.h>

enum poller_slot { POLLER_CLIENT, POLLER_LINK, POLLER_BELL, POLLER_SLOTS };

enum poller_event { POLLER_READ = 1, POLLER_WRITE = 2, POLLER_GONE = 4 };

struct poller {
	int fd;			   /* epoll or kqueue, -1 where there is none */
	int slot_fd[POLLER_SLOTS]; /* watched, -1 none; not owned */
	unsigned want[POLLER_SLOTS];  /* of READ and WRITE */
	unsigned ready[POLLER_SLOTS]; /* what the last wait found */
};

int poller_open(struct poller *);

/*
 * Watches fd in that slot for those events (the bell: always READ, by edge); fd
 * -1 empties the slot, which must happen before the descriptor is closed.  A
 * descriptor without wanted events still reports POLLER_GONE.
 */
int poller_set(struct poller *, enum poller_slot, int fd, unsigned want);

/*
 * Waits at most timeout_ms (-1: for ever) with the signal mask given, so that a
 * signal that is blocked otherwise ends the wait and none is missed.  0, or -1
 * with errno; a signal is no error.
 */
int poller_wait(struct poller *, int timeout_ms, const sigset_t *);

#endif
