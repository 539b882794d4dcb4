/*
 * A canvas room and the file in which the original server keeps it: one JSON
 * object with timestamp, state and timestamps (canvas.md, section 11).
 */
#ifndef QUIRE_CTL_CANVAS_H
#define QUIRE_CTL_CANVAS_H

#include "broker/txn.h"

/* What is done with the room: NULL, or what is wrong. */
typedef const char *ctl_canvas_work(struct txn *, void *arg);

/* arg: the text, a struct buf; the room must be new. */
ctl_canvas_work ctl_canvas_import;
/* To standard output. */
ctl_canvas_work ctl_canvas_export;

#endif
