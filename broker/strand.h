/*
 * A stack of its own for work that is done a little at a time: it runs where
 * and while its caller waits, so nothing needs a lock between the two.  A
 * thread that the two hand the turn to each other with, because C has no
 * other portable way.
 */
#ifndef QUIRE_STRAND_H
#define QUIRE_STRAND_H

struct strand;

/* NULL with errno. */
struct strand *strand_new(void);
/* Nothing is under way. */
void strand_free(struct strand *);
/* The next strand_go begins it.  Nothing is under way. */
void strand_start(struct strand *, void (*work)(void *), void *arg);
/* Goes on until the work pauses (1) or has ended (0). */
int strand_go(struct strand *);
/* By the work itself. */
void strand_pause(struct strand *);

#endif
