/*
 * The engine of the logseq dialect: one graph as a set of datoms in the
 * registers of its document, seen for the time of one decision.  What the
 * registers are is told in common/logseq.h, what the engine must do in
 * logseq.md section 7.
 *
 * Every function that touches the store marks the transaction failed when it
 * fails, so that callers may go on and look once at the end (txn.h).
 */
#ifndef QUIRE_LOGSEQ_GRAPH_H
#define QUIRE_LOGSEQ_GRAPH_H

#include "broker/logseq_map.h"
#include "broker/rule.h"
#include "common/logseq.h"

/* Numbers of one generation of content.  All members are uint64_t. */
struct graph_content {
	uint64_t gen;
	uint64_t max_eid;
	uint64_t max_tx;
	uint64_t datoms;
	uint64_t indexed;
	uint64_t sum_known;
	uint64_t h1, h2; /* of 32 bits */
};

/* Register "m".  All members are uint64_t. */
struct graph_meta {
	uint64_t gens;	     /* given away so far */
	uint64_t base;	     /* t is the log's number less this */
	uint64_t log_low;    /* records up to this are dropped */
	uint64_t tx_ids;     /* counts those remembered, ever */
	uint64_t pins;	     /* downloads under way */
	uint64_t change;     /* newest number of a change */
	uint64_t changes;    /* oldest number there may still be */
	uint64_t dead;	     /* registers 'G' there are */
	uint64_t upload;     /* gen of the rows of an upload, 0: none */
	uint64_t upload_ms;  /* when it was last heard of */
	uint64_t upload_eid; /* the checksum has come so far */
	struct graph_content live, staged;
	uint64_t upload_bytes; /* of rows so far; a store may not have it yet */
};

/* An attribute as this decision knows it. */
struct graph_attr {
	struct graph_attr *next;
	unsigned int flags; /* enum logseq_flag */
	struct buf key;	    /* as registers have it */
	struct buf name;
};

/* One datom that came or went. */
struct graph_change {
	int added;
	uint64_t e;
	struct graph_attr *a;
	uint64_t tx;
	size_t at, n; /* its packed value in values */
};

struct graph_journal {
	struct graph_change *c;
	size_t n, cap;
	struct buf values;
};

struct graph {
	struct txn *t;
	struct graph_meta m;
	struct graph_content *c; /* what is worked on: live or staged */
	struct map attrs;	 /* name to struct graph_attr */
	struct graph_attr *attrs_list;
	uint64_t tx;		 /* transaction number that new datoms get */
	uint64_t work, work_max; /* registers gone through; 0: no bound */
	size_t busy;		 /* octets since others had their turn */
	uint64_t fresh;		 /* entities from here on are the entry's own */
	struct map written;  /* of those: entity and attribute, once written */
	struct map found[2]; /* idents and lookups, as long as they hold */
	struct graph_journal journal;
	/* The checksum: entities whose tuples are out of it, see logseq_sum.c
	 */
	struct map touched_from; /* with all that refer to them */
	struct map touched;
	uint64_t classes[4]; /* entities that make a page, 0: none */
	int classes_known;
	int e2ee; /* of the data; -1: not looked at yet */
	/* Scratch, each of the module that names it. */
	struct buf key, val, sort;
};

/* --- logseq_meta.c --- */
int graph_begin(struct graph *, struct txn *); /* then always graph_end */
void graph_save(struct graph *);
void graph_end(struct graph *);
uint64_t graph_t(const struct graph *);
int graph_uploading(const struct graph *);
/* 16 digits into out, or BYTES_NONE when unknown. */
struct bytes graph_sum(const struct graph *, char out[LOGSEQ_SUM_LEN + 1]);
/* Content that is no more: to be swept. */
void graph_dead(struct graph *, uint64_t gen);
void graph_dead_kind(struct graph *, uint64_t gen, char kind);
enum code graph_code(const struct graph *, enum code);

/* --- logseq_attr.c --- */
struct graph_attr *graph_attr(struct graph *, struct bytes name);
struct graph_attr *graph_attr_str(struct graph *, const char *name);
/* The same by its key in a register. */
struct graph_attr *graph_attr_key(struct graph *, struct bytes key);
int graph_attr_is(const struct graph_attr *, const char *name);
void graph_attr_upload(struct graph *, struct bytes name, unsigned int flags);
/* A datom of the schema came or went. */
int graph_attr_teaches(const struct graph_attr *);
void graph_attr_learn(struct graph *, uint64_t e, const struct graph_attr *,
    const struct logseq_value *);

/* --- logseq_store.c --- */
/*
 * Puts or takes away in all registers; 1: it was a change, 0, -1.  put_new is
 * for what is known not to be there.
 */
int graph_put_new(struct graph *, uint64_t e, struct graph_attr *,
    const struct logseq_value *, uint64_t tx);
int graph_put(struct graph *, uint64_t e, struct graph_attr *,
    const struct logseq_value *, uint64_t tx);
int graph_del(struct graph *, uint64_t e, struct graph_attr *,
    const struct logseq_value *, uint64_t *tx); /* that it had */
int graph_has(struct graph *, uint64_t e, struct graph_attr *,
    const struct logseq_value *); /* 1, 0, -1 */
/* The first value; borrows from the buffer.  1, 0, -1. */
int graph_get(struct graph *, uint64_t e, struct graph_attr *, struct buf *,
    struct logseq_value *);
/* Who has that value of an indexed attribute.  1, 0, -1. */
int graph_owner(struct graph *, struct graph_attr *,
    const struct logseq_value *, uint64_t *e);
/* Appends a list of the packed datoms of e (of attribute a, if not NULL). */
int graph_datoms(struct graph *, uint64_t e, struct graph_attr *,
    struct buf *list);
/* Appends be64 of those that refer to e (by attribute a, if not NULL). */
int graph_referrers(struct graph *, uint64_t e, struct graph_attr *,
    struct buf *eids);
/* Every datom that refers to e, as graph_datoms. */
int graph_references(struct graph *, uint64_t e, struct buf *list);

/* So many octets were gone through without the store. */
void graph_rest(struct graph *, size_t octets);

/* A register below a kind and generation: key holds what follows. */
int graph_reg_get(struct graph *, char kind, uint64_t gen, struct bytes key,
    struct buf *);
int graph_reg_put(struct graph *, char kind, uint64_t gen, struct bytes key,
    struct bytes val);
int graph_reg_del(struct graph *, char kind, uint64_t gen, struct bytes key);

/* --- logseq_journal.c: datoms that can be taken back --- */
/* The datom is not there. */
void graph_add(struct graph *, uint64_t e, struct graph_attr *,
    const struct logseq_value *);
void graph_remove(struct graph *, uint64_t e, struct graph_attr *,
    const struct logseq_value *);
int graph_changed(struct graph *); /* anything, all in all? */
/* From here on entities are new; everything before is settled. */
void graph_entry_begin(struct graph *);
void graph_undo(struct graph *, const struct graph_content *was);
/* For those who download; then the journal is empty. */
void graph_keep_changes(struct graph *);

/* --- logseq_sum.c --- */
void graph_sum_touch(struct graph *, uint64_t e, const struct graph_attr *,
    const struct logseq_value *);
void graph_sum_settle(struct graph *);
void graph_sum_forget(struct graph *);
/* Adds (sign 1) or takes out (-1) all tuples of e. */
void graph_sum_entity(struct graph *, uint64_t e, int sign);
/* Adds those of some entities behind *after, and moves it; 1: there are more.
 */
int graph_sum_step(struct graph *, uint64_t *after);

#define VALUE_OF(type_, bytes_) ((struct logseq_value){ (type_), (bytes_) })
/* uuid text of an entity, borrowed from the buffer; 1, 0, -1. */
int graph_uuid(struct graph *, uint64_t e, struct buf *, struct bytes *);
/* Entity with that :db/ident; 1, 0, -1. */
int graph_ident(struct graph *, struct bytes name, uint64_t *e);

#endif
