/*
 * A message that must wait: a copy of a struct msg with the bytes it borrowed.
 * Used for verdicts until the ring was read far enough, and for what goes to
 * the broker behind a large body.
 */
#ifndef QUIRE_KEPT_H
#define QUIRE_KEPT_H

#include <sys/queue.h>

#include "common/ipc.h"

struct kept {
	TAILQ_ENTRY(kept) entry;
	struct msg m;	  /* the owner's to change */
	struct msg whole; /* as it came */
	struct buf own;	  /* what the fields of m point into */
};

TAILQ_HEAD(kept_list, kept);

/* A copy at the end of the list; NULL: no memory. */
struct kept *kept_add(struct kept_list *, const struct msg *);
void kept_remove(struct kept_list *, struct kept *); /* and frees it */
void kept_free(struct kept *); /* one that is on no list */
void kept_clear(struct kept_list *);

#endif
