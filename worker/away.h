/*
 * The few processes that tell clients above a ceiling to come back later, each
 * in its dialect's way (unserved.c).  There are so many at once and so many a
 * second and no more: who floods the listener costs no more than that.
 */
#ifndef QUIRE_AWAY_H
#define QUIRE_AWAY_H

#include <sys/types.h>

#include <stdint.h>

#define AWAY_MAX       8
#define AWAY_PER_S_MAX 16

struct away {
	pid_t pid[AWAY_MAX]; /* 0: free */
	int64_t second;
	unsigned int begun; /* in that second */
};

/* 1: one more may be forked now. */
int away_may(struct away *, int64_t now_ms);
/* Behind a 1 of away_may. */
void away_took(struct away *, pid_t);
void away_left(struct away *, pid_t); /* of any process that has ended */
void away_kill(const struct away *);

#endif
