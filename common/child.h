/*
 * A process of a daemon's own, with a pair of sockets between the two that keep
 * messages apart.  It inherits what there is: a broker's must be made before
 * keys are read and the store is opened.
 */
#ifndef QUIRE_CHILD_H
#define QUIRE_CHILD_H

#include <sys/types.h>

/*
 * 1: this is the child, which SIGINT, SIGTERM and SIGHUP do not end: the daemon
 * does, when it ends.  0: this is the daemon.  -1 with errno.  *fd is the end
 * of who looks.
 */
int child_start(pid_t *, int *fd);
/* Waits for its end, which is due once the daemon's end is closed. */
void child_wait(pid_t);

#endif
