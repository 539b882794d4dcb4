/*
 * Components as they were fetched for one client, and the texts that are made
 * of them: all that changed, or what changed between two numbers.
 */
#ifndef QUIRE_CANVAS_PARTS_H
#define QUIRE_CANVAS_PARTS_H

#include "common/canvas.h"

struct canvas_part_found; /* one component */

/* Zeroed is none. */
struct canvas_parts {
	struct canvas_part_found *found;
	size_t n, cap;
	struct buf octets; /* their keys and stored forms */
};

/* One that was met before replaces it.  0; -1: malformed, or no memory. */
int canvas_parts_add(struct canvas_parts *, struct bytes key,
    struct bytes stored);
/*
 * Appends the members of a patch object: fields after < stamp <= upto, the
 * components by age.  1; 0: there are none; -1: malformed, or no memory.
 */
int canvas_parts_text(struct canvas_parts *, struct buf *, uint64_t after,
    uint64_t upto);
void canvas_parts_free(struct canvas_parts *);

#endif
