/*
 * What a canvas client says (canvas.md, sections 2, 5 and 6), taken apart: JSON
 * becomes items, once and for all.  Either all of a message is sound or none of
 * it counts.
 */
#ifndef QUIRE_CANVAS_MESSAGE_H
#define QUIRE_CANVAS_MESSAGE_H

#include "common/canvas.h"

enum canvas_said {
	CANVAS_SAID_NOTHING, /* not for us, or malformed: no answer */
	CANVAS_SAID_PATCH,
	CANVAS_SAID_RECONNECT,
	CANVAS_SAID_REFRESH
};

struct canvas_shape {
	unsigned depth_max;
	uint64_t delta_max;
};

struct canvas_message {
	enum canvas_said said;
	struct buf id;	    /* messageId, to be spliced */
	struct buf token;   /* decoded */
	int version_ok;	    /* the client speaks our version */
	uint64_t since;	    /* fields stamped after it are wanted */
	struct buf doc;	    /* items; empty: there were none */
	struct buf present; /* items of presence */
};

/* 0, or -1 without memory. */
int canvas_message_parse(struct canvas_message *, struct bytes text,
    const struct canvas_shape *);
void canvas_message_free(struct canvas_message *);

/* Appends decoded text as it can be spliced between quotes: 0, -1. */
int canvas_quote(struct buf *, struct bytes text);

#endif
