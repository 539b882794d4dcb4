/*
 * The keeper: a listener's process that holds a line to each of its workers
 * and, when the broker has gone and there is another, hands each a connection
 * to that one.  A worker cannot make one itself: it has no names and no sockets
 * to make.  The keeper parses nothing that a client sends, and nothing of what
 * a broker says but that it has come up.
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
 * For a worker about to be forked: its end of the line in *worker, the keeper's
 * as the result; -1: neither.
 */
int keeper_line(int *worker);
/* The worker runs; line is handed over.  pid only, -1: it has ended. */
void keeper_tell(int keeper, pid_t, int line);

/*
 * In the worker: a connection to the broker that is there now.  A descriptor,
 * non-blocking; -1 with EAGAIN: none yet; -1: the keeper is gone.
 */
int keeper_take(int line);

#endif
