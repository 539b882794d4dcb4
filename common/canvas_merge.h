/*
 * What patches do to components (canvas.md, sections 5 and 6), in memory: the
 * components that a request touches are loaded when they are met, all of the
 * request is applied or refused, and what changed is the caller's to write.
 *
 * The broker merges the document, a worker its own client's presence.
 */
#ifndef QUIRE_CANVAS_MERGE_H
#define QUIRE_CANVAS_MERGE_H

#include "common/canvas.h"

struct canvas_part {
	struct canvas_field f;
	uint8_t *own; /* what f.value points at if a delta made it */
};

struct canvas_component {
	struct bytes key; /* of the first item that named it, or a card's */
	struct canvas_order order;
	int there;   /* it has been heard of: live or a tombstone */
	int changed; /* by the request */
	struct canvas_part *part;
	size_t n, cap;
	size_t hint; /* where the next field is likely to be */
	struct buf loaded;
};

struct canvas_limits {
	uint64_t delta_max; /* elements that a delta makes */
	uint64_t fill_max;  /* of those, the ones it leaves to be zero */
};

/* 1 and the stored form in *stored; 0: never heard of; -1: failed. */
typedef int canvas_load(void *arg, struct bytes key, struct buf *stored);
/* Called now and then in what goes through millions of items. */
typedef void canvas_rest(void *arg);
#define CANVAS_REST_ITEMS 1024

struct canvas_merge {
	struct canvas_limits limits;
	canvas_load *load; /* NULL: there is nothing to load */
	canvas_rest *rest; /* NULL: nobody waits */
	void *arg;
	uint64_t items; /* gone through */
	uint64_t work;	/* elements that deltas may still move */
	struct canvas_component **component; /* in the order they were met */
	size_t n, cap;
	size_t *slot; /* keyed hash: place + 1, or 0 */
	size_t slots;
};

enum canvas_merged {
	CANVAS_MERGED = 0,
	CANVAS_MALFORMED = -1, /* the items, or beyond a limit */
	CANVAS_FAILED = -2     /* no memory, or load failed */
};

void canvas_merge_init(struct canvas_merge *, const struct canvas_limits *,
    canvas_load *, void *arg);
/* So many components may come: room for them in the index.  0, -1. */
int canvas_merge_expect(struct canvas_merge *, size_t);
void canvas_merge_free(struct canvas_merge *);
/*
 * items must stay until canvas_merge_free, and their values be good, whoever
 * has looked at them; stamp is what fields are given.
 */
enum canvas_merged canvas_merge(struct canvas_merge *, struct bytes items,
    uint64_t stamp);
/* Found or loaded; NULL: failed. */
struct canvas_component *canvas_merge_find(struct canvas_merge *,
    struct bytes key);

/* An item or element more. */
void canvas_merge_rest(struct canvas_merge *);

/* canvas_delta.c: replaces the field's value; takes off work. */
enum canvas_merged canvas_delta_apply(struct canvas_merge *,
    struct canvas_part *, struct bytes delta);

int canvas_component_live(const struct canvas_component *);
/* A little at a time. */
int canvas_component_pack(struct canvas_merge *, struct buf *,
    const struct canvas_component *);

#endif
