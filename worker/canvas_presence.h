/*
 * What a session shows of itself (canvas.md, section 9): its card, which the
 * broker shows to who comes later and takes away with the session.
 */
#ifndef QUIRE_CANVAS_PRESENCE_H
#define QUIRE_CANVAS_PRESENCE_H

#include "common/canvas_merge.h"

/* A card that shows nothing; client as it can be spliced.  0, -1. */
int canvas_presence_begin(struct buf *card, struct bytes client);
/*
 * What the patch makes of the card.  0, or -1: malformed, or larger than a
 * card may be; nothing changed.
 */
int canvas_presence_merge(struct buf *card, struct bytes items,
    const struct canvas_limits *);
/*
 * Appends the members of one patch object, "key":{...} with commas between and
 * before when there are some already, unless the card is client's.
 */
void canvas_presence_text(struct buf *, struct bytes card, struct bytes client);

#endif
