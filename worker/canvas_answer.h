/*
 * Frames that are made from what is stored: the answer to a reconnect
 * (canvas.md, section 8), a patch too large for the ring, and what one missed
 * that the ring has passed over.  One at a time; the ring's reader stands still
 * meanwhile.
 */
#ifndef QUIRE_CANVAS_ANSWER_H
#define QUIRE_CANVAS_ANSWER_H

#include "worker/canvas_parts.h"
#include "worker/conn.h"
#include "worker/pull.h"

enum canvas_step {
	CANVAS_STEP_IDLE,
	CANVAS_STEP_FIELDS, /* what changed */
	CANVAS_STEP_ROSTER, /* who else shows something */
	CANVAS_STEP_RECORD, /* the patch */
	CANVAS_STEP_PARTS,  /* all is there: canvas_answer_part is due */
	CANVAS_STEP_SEND
};

enum canvas_answer_kind {
	CANVAS_ANSWER_RECONNECT,
	CANVAS_ANSWER_RECORD,
	CANVAS_ANSWER_LEVEL
};

struct canvas_answer {
	struct conn *conn;
	struct bytes client; /* whose presence is left out */
	enum canvas_step step;
	enum canvas_answer_kind kind;
	uint64_t since; /* the client has what is stamped up to it */
	uint64_t seq;	/* the room as of this number */
	uint64_t
	    lost; /* LEVEL: the position in the ring that was passed over */
	uint64_t cards;
	uint64_t after; /* where the next page begins */
	struct buf from;
	struct buf page; /* entries; those before used are done with */
	size_t used;
	int last;   /* this page is the last one */
	int missed; /* a component changed while it was fetched */
	struct pull pull;
	struct bytes key; /* of the component that is pulled, in page */
	struct buf pulled;
	struct canvas_parts parts;
	struct buf present;
	struct buf frame;
	size_t sent;
};

void canvas_answer_init(struct canvas_answer *, struct conn *,
    struct bytes client);
void canvas_answer_free(struct canvas_answer *);

/* They begin at once; while idle, or in PARTS.  since: fields stamped after. */
void canvas_answer_reconnect(struct canvas_answer *, uint64_t since);
void canvas_answer_record(struct canvas_answer *, uint64_t seq);
/*
 * CODE_COMPACTED comes of it where somebody's presence ended behind the
 * position: nobody can tell whose.  What is gathered is sent by
 * canvas_answer_part, so that acknowledgements can stand in between.
 */
void canvas_answer_level(struct canvas_answer *, uint64_t since,
    uint64_t position);
/* In PARTS: sends what is stamped up to a number; with seq it is all. */
void canvas_answer_part(struct canvas_answer *, uint64_t upto);

/*
 * An answer of the broker, or room in the output.  CODE_OK, or why the client
 * must go.  When the step is idle again all was said and the reader goes on.
 */
enum code canvas_answer_fetched(struct canvas_answer *,
    const struct fetched_in *);
void canvas_answer_run(struct canvas_answer *);

#endif
