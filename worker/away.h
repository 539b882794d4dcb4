/*
 * The few processes that tell clients above a ceiling to come back later, each
 * in its dialect's way (unserved.c).  There are so many at once and so many a
 * second and no more: who floods the listener costs no more than that.  Clients
 * for whom there is none now wait their turn, as many as there is room for.
 */
#ifndef QUIRE_AWAY_H
#define QUIRE_AWAY_H

#include <sys/types.h>

#include <stdint.h>

#define AWAY_MAX       8
#define AWAY_PER_S_MAX 16
/* Those of sds come again every two seconds, and so many are told by then. */
#define AWAY_WAIT_MAX 256

struct away {
	pid_t pid[AWAY_MAX]; /* 0: free */
	int64_t second;
	unsigned int begun;	 /* in that second */
	int killed;		 /* all of them */
	int wait[AWAY_WAIT_MAX]; /* descriptors, a ring */
	unsigned int first;
	unsigned int waiting;
};

/* 1: one more may be forked now. */
int away_may(struct away *, int64_t now_ms);
/* Behind a 1 of away_may. */
void away_took(struct away *, pid_t);
/* Of any process that has ended.  1: away_kill has ended it. */
int away_left(struct away *, pid_t);
void away_kill(struct away *);

/* The client waits.  0, or -1: there is no room, and it stays the caller's. */
int away_put(struct away *, int fd);
/* Who has waited longest, the caller's again; -1: nobody waits. */
int away_take(struct away *);
/* Until one that waits may be told, but for away_left: -1: none. */
int away_wait_ms(const struct away *, int64_t now_ms);
/* In a child: none of them is its own. */
void away_close(struct away *);

#endif
