/*
 * The keeper: a listener's process that gives the broker its end of each
 * worker's link, and keeps that descriptor too.  When the broker has gone and
 * there is another, it hands each worker a link to that one, through the link
 * that the first one left.  A worker cannot make one itself: it has no names
 * and no sockets to make.  The keeper parses nothing that a client sends, reads
 * nothing of what a worker says, and of what a broker says only that it has
 * come up.
 */
#ifndef QUIRE_KEEPER_H
#define QUIRE_KEEPER_H

#include <sys/types.h>

/*
 * Starts it, in the sandbox of the caller, a listener, and closes there what is
 * the listener's.  The descriptor through which it is told of workers; -1:
 * there is none, and no worker will wait.
 */
int keeper_start(const char *broker, void (*closes)(void *), void *arg);

/*
 * For a worker about to be forked: its end of the link in *worker, the broker's
 * as the result; -1: neither, and it connects by itself.
 */
int keeper_link(int *worker);
/*
 * The worker runs, and the broker's end is sent (the caller keeps its own).
 * Where the keeper has ended, *keeper is closed and -1 from then on.
 */
void keeper_tell(int *keeper, pid_t, int link);
/* These have ended, at most KEEPER_ENDED_MAX.  *keeper as above, and may be -1.
 */
#define KEEPER_ENDED_MAX 64
void keeper_ended(int *keeper, const pid_t *, size_t n);

#endif
