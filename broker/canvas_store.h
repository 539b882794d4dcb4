/*
 * How a component of a canvas room is kept: a stamped register with its packed
 * form (common/canvas.h), in a blob where that is too large for an entry.
 */
#ifndef QUIRE_CANVAS_STORE_H
#define QUIRE_CANVAS_STORE_H

#include <sys/types.h>

#include "broker/txn.h"
#include "common/canvas_merge.h"

int canvas_store_put(struct txn *, struct bytes key, uint64_t stamp,
    struct bytes stored);
/* 1, 0 or -1; replaces *stored. */
int canvas_store_get(struct txn *, struct bytes key, struct buf *stored);
/* The octets of a register that was found otherwise: 0, -1. */
int canvas_store_read(struct txn *, const struct field *, struct buf *stored);

/*
 * canvas_check.c: items that can be spliced into JSON: how many components they
 * name, or -1.
 */
ssize_t canvas_items_check(struct bytes items, canvas_rest *, void *arg);

#endif
