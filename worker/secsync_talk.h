/*
 * A secsync connection once its document is open: what becomes of each message,
 * of each verdict, and what is said when something was refused (secsync.md,
 * sections 5, 7 and 13).
 *
 * One question at a time is put to the broker and the client is not read
 * meanwhile: an update behind one that is refused must not be committed.
 */
#ifndef QUIRE_SECSYNC_TALK_H
#define QUIRE_SECSYNC_TALK_H

#include "worker/conn.h"
#include "worker/secsync_load.h"
#include "worker/secsync_message.h"
#include "worker/secsync_recover.h"

#define SECSYNC_BAD_MAX 30 /* messages that no honest client sends */

enum secsync_phase {
	SECSYNC_OPENING, /* no document yet, and no 101 */
	SECSYNC_LOADING, /* a frame is being made */
	SECSYNC_READY,
	SECSYNC_ASKED,	 /* a verdict is awaited */
	SECSYNC_DELAYED, /* a refusal waits for its time */
	SECSYNC_OVER,
};

/* The state of one connection. */
struct secsync {
	enum secsync_phase phase;
	struct buf doc; /* the document's id */
	struct secsync_known known;
	struct secsync_load load;
	struct secsync_recover recover;
	struct buf grant; /* what GRANT said */
	uint64_t rate;	  /* messages a second, UINT64_MAX: any */
	int64_t paid_us;  /* up to when the messages so far are paid for */
	int64_t delay_ms; /* the end of DELAYED */
	/* The question that was asked. */
	unsigned int asked; /* enum secsync_verb */
	struct buf id;	    /* snapshotId or refSnapshotId */
	struct buf key;
	uint64_t clock;
	struct buf body;		  /* of a probe */
	struct secsync_known asked_known; /* by the author of a snapshot */
	int draining;			  /* what was held is being submitted */
	int needs_told; /* requiresNewSnapshot was said, no snapshot came */
	unsigned bad;
	uint32_t pings; /* number in the newest refusal's PING */
};

/* Reads the client again, now or when its rate allows. */
void secsync_ready(struct conn *, struct secsync *);
/* Goes on after an entry that was fetched in between. */
void secsync_resume(struct conn *, struct secsync *);
/* Says {"type":type} as the last thing; in the middle of a message, nothing. */
void secsync_last(struct conn *, struct secsync *, const char *type);
/* The same, and closes. */
void secsync_end(struct conn *, struct secsync *, const char *type);
/* Closes without a word, after which the client comes back. */
void secsync_leave(struct conn *, struct secsync *);
/* What the client is told when the broker refuses the connection. */
const char *secsync_end_type(enum code);

/* Hooks of the dialect. */
void secsync_message(struct conn *, unsigned int, uint8_t *, size_t);
void secsync_verdict(struct conn *, const struct verdict_in *);
void secsync_pong(struct conn *, struct bytes);
void secsync_timer(struct conn *);

#endif
