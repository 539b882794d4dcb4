/*
 * Listening sockets that whoever started us had open already: those of
 * systemd's socket units, by the variables of sd_listen_fds(3), and the one on
 * standard input of inetd's "wait" and of programs that bind and then run
 * another.
 */
#ifndef QUIRE_INHERIT_H
#define QUIRE_INHERIT_H

/*
 * How many descriptors from 3 on were passed by LISTEN_FDS to this very
 * process, 0 for none, max at most; more, or a number that is none, is fatal.
 * The variables are removed.
 */
int inherit_count(int max);

/* 1: a stream socket that listens. */
int inherit_listens(int fd);

/*
 * Makes it what listen_run expects: close-on-exec and without waiting.  Fatal
 * when it is no listening socket.
 */
void inherit_take(int fd);

#endif
