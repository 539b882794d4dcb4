/*
 * Frames that are made from what is stored: the answer to a reconnect
 * (canvas.md, section 8), and a patch too large for the ring.  One at a time;
 * the ring's reader stands still meanwhile.
 */
#ifndef QUIRE_CANVAS_ANSWER_H
#define QUIRE_CANVAS_ANSWER_H

#include "worker/conn.h"
#include "worker/pull.h"

enum canvas_step {
	CANVAS_STEP_IDLE,
	CANVAS_STEP_ROSTER, /* who else shows something */
	CANVAS_STEP_FIELDS, /* what changed */
	CANVAS_STEP_RECORD, /* the patch */
	CANVAS_STEP_SEND
};

struct canvas_found; /* a component's text */

struct canvas_answer {
	struct conn *conn;
	struct bytes client; /* whose presence is left out */
	enum canvas_step step;
	int synced; /* it is the answer to a reconnect */
	uint64_t since;
	uint64_t seq; /* the room as of this number */
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
	struct canvas_found *found;
	size_t nfound, cap;
	struct buf text; /* of the components found */
	struct buf present;
	struct buf frame;
	size_t sent;
};

void canvas_answer_init(struct canvas_answer *, struct conn *,
    struct bytes client);
void canvas_answer_free(struct canvas_answer *);

/* Both begin at once; only while idle.  since: fields stamped after it. */
void canvas_answer_reconnect(struct canvas_answer *, uint64_t since);
void canvas_answer_record(struct canvas_answer *, uint64_t seq);

/*
 * An answer of the broker, or room in the output.  CODE_OK, or why the client
 * must go.  When the step is idle again all was said and the reader goes on.
 */
enum code canvas_answer_fetched(struct canvas_answer *,
    const struct fetched_in *);
void canvas_answer_run(struct canvas_answer *);

#endif
