/*
 * The members of a JSON object, each name once: the last value counts, at the
 * place of the first, as in ECMAScript.
 */
#ifndef QUIRE_CANVAS_MEMBERS_H
#define QUIRE_CANVAS_MEMBERS_H

#include "common/json.h"

struct canvas_member {
	struct bytes name; /* as it can be spliced between quotes */
	struct json value;
	size_t place;
	uint8_t *own; /* where name is if it is not in the text */
	int gone;     /* a later one of that name counts */
};

struct canvas_members {
	struct canvas_member *v;
	size_t n, cap;
};

/* Replaces what was there.  0, or -1 without memory. */
int canvas_members_read(struct canvas_members *, const struct json *object);
void canvas_members_free(struct canvas_members *);

/*
 * Appends the raw text of a string, or a whole value, as ECMAScript writes it,
 * except that numbers stay as they are spelt; one beyond the doubles is null.
 */
int canvas_text_raw(struct buf *, struct bytes raw);
/* Of an array a list of its elements' texts. */
int canvas_text_field(struct buf *, const struct json *);

#endif
