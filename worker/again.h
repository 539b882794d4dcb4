/*
 * Going on with the next broker when one has gone, the client connected all
 * the while: what is remembered for it, and the steps.
 *
 * A client between requests needs a new link and no more.  One with a document
 * open comes back to its session (RESUME) and opens the document again; what it
 * asked and was not answered is answered from what the broker has kept of it,
 * or asked anew in the same order; what it missed is fetched (missed.c).
 * Everything else, an exchange of HTTP, a login or an opening under way, cannot
 * be told from the outside, and is closed as where nobody waits.
 */
#ifndef QUIRE_AGAIN_H
#define QUIRE_AGAIN_H

#include "worker/kept.h"

struct conn;
struct opened_in;

enum again_step {
	AGAIN_NOT,
	AGAIN_MEETING, /* HELLO was sent, and RESUME if there is a ticket */
	AGAIN_OPENING  /* OPEN was */
};

struct again {
	int kept; /* by a keeper; 0: there is no way back */
	enum again_step step;
	int64_t until_ms;      /* for the next broker, with a step */
	struct buf ticket;     /* of the last GRANT */
	unsigned int logins;   /* without an answer */
	int inexact;	       /* what is unanswered is not known any more */
	uint64_t submits;      /* sent, over all links */
	struct kept_list open; /* the OPEN, with the card of now */
	struct kept_list sent; /* SUBMIT, SYNC, FETCH without an answer */
};

void again_init(struct again *, int kept);

/* 1: the next broker is awaited, and what is for it waits. */
int again_waits(const struct conn *);
/* The link has ended.  1: it goes on in another; 0: this was the last. */
int again_lost(struct conn *);
/* The wait is over. */
void again_late(struct conn *);

/* What goes over the link and comes back, in the order it does. */
void again_sending(struct conn *, const struct msg *);
void again_sent(struct conn *, struct kept *); /* off its list; taken over */
void again_answered(struct conn *, const struct msg *);
void again_granted(struct conn *, const struct msg *);

/* Handlers of the steps: 0, or -1: the broker's word makes no sense. */
int again_welcome(struct conn *, const struct msg *);
int again_resumed(struct conn *, const struct msg *);
int again_opened(struct conn *, const struct msg *);
void again_back(struct conn *); /* the document is open again */

#endif
