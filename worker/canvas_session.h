/*
 * One canvas client's session: what it said and has not been answered yet, in
 * order, and what it shows.  How it came in is dialect_canvas.c's.
 */
#ifndef QUIRE_CANVAS_SESSION_H
#define QUIRE_CANVAS_SESSION_H

#include <sys/queue.h>

#include "worker/canvas_answer.h"
#include "worker/canvas_message.h"

enum canvas_phase {
	CANVAS_OPENING, /* no answer to the upgrade yet */
	CANVAS_READY,
	CANVAS_OVER
};

enum canvas_due {
	CANVAS_DUE_ACK,
	CANVAS_DUE_ANSWER, /* to a reconnect */
	CANVAS_DUE_VERSION /* its version is not ours */
};

/* What is to be said when its verdict comes. */
struct canvas_wait {
	STAILQ_ENTRY(canvas_wait) entry;
	enum canvas_due due;
	struct buf id;
	uint64_t since;
	int wrote; /* the verdict's number is its own */
	size_t octets;
};

struct canvas {
	struct conn *conn;
	enum canvas_phase phase;
	struct buf room;
	struct buf client; /* clientId, to be spliced */
	struct buf card;
	enum scope scope;
	int refreshing;	   /* a new token is being looked at */
	enum code refused; /* it was: the end, once all before is answered */
	struct canvas_answer answer;
	STAILQ_HEAD(, canvas_wait) waits;
	size_t nwaits, wait_bytes;
	int answering; /* a reconnect: what follows it waits for the answer */
};

void canvas_session_message(struct canvas *, struct bytes);
void canvas_session_verdict(struct canvas *, const struct verdict_in *);
/* The ring has passed over what the client has not been sent. */
void canvas_session_behind(struct canvas *, uint64_t seq);
/* After a step of the answer: what is to be said between two of its parts. */
void canvas_session_parts(struct canvas *);
/* After a step of the answer, or a token. */
void canvas_session_settle(struct canvas *);
void canvas_session_free(struct canvas *);
/* The end, in the way that fits the code. */
void canvas_end(struct canvas *, enum code);

#endif
