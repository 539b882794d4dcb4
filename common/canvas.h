/*
 * What the canvas dialect (worker) and the canvas rule (broker) share: the
 * verbs, how a patch travels, what the log, the registers and the cards hold,
 * and how all of it is written as JSON text (canvas.md).
 *
 * Nothing here parses JSON.  A worker cuts what its client sent into items
 * once; from then on texts are spliced.
 */
#ifndef QUIRE_COMMON_CANVAS_H
#define QUIRE_COMMON_CANVAS_H

#include "common/buf.h"
#include "common/bytes.h"

#define CANVAS_KEY_MAX	   1024u /* octets of a component's key, as below */
#define CANVAS_NAME_MAX	   1024u /* octets of a field's name */
#define CANVAS_FIELDS_MAX  512u	 /* fields of a component */
#define CANVAS_CLIENT_MAX  1024u /* octets of a clientId */
#define CANVAS_PRESENT_MAX 256u	 /* components in one session's presence */

/*
 * PATCH     body: items of the document; extra: items of presence, or empty
 * PRESENCE  body: items of presence; a signal
 *
 * Who speaks is told by the session's card.  The log holds PATCHes: the
 * clientId as a string of a list, then the items.
 */
enum canvas_verb { CANVAS_PATCH = 1, CANVAS_PRESENCE = 2 };

/* What is in the ring. */
enum canvas_kind {
	CANVAS_KIND_PATCH = 1,
	CANVAS_KIND_PRESENCE = 2,
	CANVAS_KIND_COUNT = 3
};

/*
 * Keys, names and clientIds are what stands between the quotes in the JSON text
 * that ECMAScript would write, so that equal texts are equal octets and
 * splicing needs no escaping.
 */
enum canvas_type {
	CANVAS_TEXT = 1, /* data: JSON text, no array */
	CANVAS_ARRAY,	 /* data: a list of the elements' JSON texts */
	CANVAS_DELTA	 /* data: see canvas_delta_begin */
};

struct canvas_value {
	enum canvas_type type;
	struct bytes data;
};

/* Patches: each OBJECT begins one, each KEY a component of it. */
enum canvas_kind_of_item {
	CANVAS_ITEM_OBJECT = 1,
	CANVAS_ITEM_KEY, /* name: the component's */
	CANVAS_ITEM_FIELD
};

struct canvas_item {
	enum canvas_kind_of_item kind;
	struct bytes name;
	struct canvas_value value;
};

int canvas_item_add(struct buf *, const struct canvas_item *);
/* 1: taken from the front; 0: empty; -1: malformed, UTF-8 and sizes too. */
int canvas_item_next(struct bytes *in, struct canvas_item *);
/* The same without a look into its value, which may be long. */
int canvas_item_take(struct bytes *in, struct canvas_item *);

/*
 * A delta of an array (canvas.md, section 6): the resulting length, then runs
 * of an offset and a list of elements.
 */
struct canvas_run {
	int64_t offset;
	struct bytes elements; /* a list */
};

int canvas_delta_begin(struct buf *, uint64_t len);
int canvas_delta_add(struct buf *, const struct canvas_run *);
int canvas_delta_open(struct bytes *data, uint64_t *len);	/* 0, -1 */
int canvas_delta_next(struct bytes *data, struct canvas_run *); /* 1, 0, -1 */

/* JSON text: "[{...},{...}]" of items, and one value.  0, -1: malformed. */
int canvas_items_text(struct buf *, struct bytes items);
int canvas_value_text(struct buf *, const struct canvas_value *);

/*
 * A component as stamped register KEY holds it, and a card: which of all was
 * there first (ECMAScript keeps that order, and so do the frames), then fields.
 */
struct canvas_field {
	struct bytes name;
	uint64_t stamp;
	struct canvas_value value;
};

struct canvas_order {
	uint64_t stamp; /* when it was first heard of */
	uint64_t place; /* in that request */
};

int canvas_order_add(struct buf *, const struct canvas_order *);
int canvas_order_take(struct bytes *in, struct canvas_order *); /* 0, -1 */
int canvas_field_add(struct buf *, const struct canvas_field *);
/* The same without its value's octets, which are to follow. */
int canvas_field_begin(struct buf *, const struct canvas_field *);
int canvas_field_next(struct bytes *in, struct canvas_field *); /* 1, 0, -1 */

/*
 * Appends "key":{...} with the fields after < stamp <= upto.  1; 0: there is
 * none, nothing appended; -1: malformed.
 */
int canvas_component_text(struct buf *, struct bytes key, struct bytes stored,
    uint64_t after, uint64_t upto);

/* A card: the clientId, then a key and a component in turn. */
int canvas_card_add(struct buf *, struct bytes key, struct bytes component);
/* 1, 0, -1; after list_next took the clientId. */
int canvas_card_next(struct bytes *in, struct bytes *key,
    struct bytes *component);

#endif
