/*
 * What a dialect is to the broker: decisions over typed fields and a
 * transaction handle.  No I/O, no client bytes parsed, no state of its own:
 * same registers and fields, same answer.
 */
#ifndef QUIRE_RULE_H
#define QUIRE_RULE_H

#include "broker/txn.h"
#include "common/codes.h"

/* A SUBMIT or SIGNAL as the rule sees it; bytes borrow. */
struct submit {
	uint64_t verb;
	struct bytes ref;
	struct bytes author;
	uint64_t clock;
	struct bytes items; /* a list, see common/wire.h */
	struct body body;
	struct bytes extra;
	struct bytes whole; /* of a signal whose body is a blob: that */
};

/*
 * What is refused when a store is full: what may grow it, so no verb of
 * SCOPE_READ, and none that frees.
 *
 * A SUBMIT that is LENGTHY may go through many rows.  When it does it is
 * decided a few milliseconds at a time, while its document waits and all others
 * go on (apart.h).  The rule does nothing for that, but in other documents it
 * may read and not write, and between two calls of the handle it takes no more
 * than a moment.
 */
enum verb_kind { VERB_SIGNAL, VERB_SUBMIT, VERB_FREES, VERB_LENGTHY };

struct rule_verb {
	const char *name; /* NULL ends the table */
	uint64_t verb;
	enum scope scope; /* the gate's */
	int stores;	  /* enum verb_kind */
	enum code (*decide)(struct txn *, const struct submit *);
};

/*
 * What of the log nobody needs any more.  A pass goes along it from the
 * beginning, in steps between which the document may change.
 */
struct rule_compact {
	size_t size; /* of the state of a pass, which begins as zeros */
	/* At the beginning, NULL: nothing.  Replaced before this time counts;
	 * 0, -1. */
	int (*begin)(struct txn *, uint64_t before_ms, void *state);
	/* 1: the record may go; 0; -1.  Nothing may be changed in it. */
	int (*droppable)(struct txn *, const struct record *, void *state);
};

struct rule {
	enum dialect_id dialect;
	const struct rule_verb *verbs;
	/* May refuse an OPEN, and say something in txn_info; NULL: all welcome.
	 */
	enum code (*open)(struct txn *);
	/* After a session was added, before it is; may publish.  NULL: nothing.
	 */
	void (*join)(struct txn *);
	void (*leave)(struct txn *); /* who is the one that left */
	void (*card)(struct txn *);  /* who.card was just replaced */
	/* May refuse a FETCH (enum fetch_what, its prefix); NULL: none. */
	enum code (*fetch)(struct txn *, uint64_t what, struct bytes prefix);
	/* What of the claims the worker is told in GRANT; NULL: nothing. */
	int (*claims)(const struct claims *, struct buf *);
	/* 1: clients show one another until they are told that one has left. */
	int shown;
	const struct rule_compact *compact; /* NULL: nothing is dropped */
};

extern const struct rule_compact compact_sds, compact_secsync, compact_canvas;

#define DIALECT(no, NAME, name) extern const struct rule rule_##name;
#include "common/dialects.def"
#undef DIALECT

/* The rule of a dialect, NULL when there is none. */
const struct rule *rule_find(unsigned int dialect);
const struct rule_verb *rule_verb_find(const struct rule *, uint64_t verb);

#endif
