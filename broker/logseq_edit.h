/*
 * One entry of a tx/batch on its way into the graph: typed items, temp ids,
 * what went wrong.
 */
#ifndef QUIRE_LOGSEQ_EDIT_H
#define QUIRE_LOGSEQ_EDIT_H

#include "broker/logseq_graph.h"

enum edit_error {
	EDIT_OK,
	EDIT_BAD,     /* cannot be applied */
	EDIT_MISSING, /* names what does not exist */
	EDIT_CYCLE
};

struct edit_item {
	struct logseq_item i;
	struct graph_attr *a; /* NULL: of the entity as a whole */
	uint64_t eid;	      /* != 0: the entity, found by us */
	int drop;
};

struct edit {
	struct graph *g;
	struct logseq_entry in;
	struct edit_item *items;
	size_t n, cap;
	int deletes;	  /* its op deletes blocks or a page */
	int lenient;	  /* missing things make it nothing, not a failure */
	int drops_gone;	  /* retractEntity of what is gone is dropped */
	int cleaned;	  /* items are not those of the client any more */
	struct map temps; /* temp id to entity, 0: not yet one */
	struct buf text;  /* the transaction as it is to be logged, JSON */
};

/* --- logseq_edit.c --- */
/* BAD or OK; then always edit_free. */
enum edit_error edit_read(struct edit *, struct graph *,
    const struct logseq_entry *);
struct edit_item *edit_item_add(struct edit *);
void edit_free(struct edit *);
/* Transit of the items that are left, as a JSON string. */
void edit_text(struct edit *);

/* --- logseq_clean.c --- */
void edit_clean(struct edit *);

/* --- logseq_resolve.c --- */
/* Without temp ids.  1, 0 (no such entity), -1. */
int edit_find(struct graph *, const struct logseq_value *, uint64_t *e);
int edit_is_lookup(const struct logseq_value *, const char *attr,
    struct logseq_lookup *);
enum edit_error edit_bind(struct edit *);
/* For an ADD: temp ids become entities. */
enum edit_error edit_entity(struct edit *, const struct edit_item *,
    uint64_t *e);
/* What is stored; out and room stay valid with the item. */
enum edit_error edit_value(struct edit *, const struct edit_item *,
    uint8_t room[8], struct logseq_value *out);
/* List of uuids that items name and that do not exist. */
void edit_missing(struct edit *, struct buf *list);

/* --- logseq_apply.c --- */
enum edit_error edit_apply(struct edit *);

/* --- logseq_cycle.c --- */
/* Did the entry close one?  *a: by which attribute. */
int edit_cycle(struct edit *, struct graph_attr **a);
/* What a seed client must know of it, as Transit. */
void edit_cycle_data(struct edit *, struct graph_attr *, struct buf *);

#endif
