/*
 * Transactions as text (logseq.md, section 4.1) into typed items.
 */
#ifndef QUIRE_LOGSEQ_ITEMS_H
#define QUIRE_LOGSEQ_ITEMS_H

#include "common/logseq.h"
#include "worker/transit.h"

/* Kept between transactions: large, and not for the stack. */
struct logseq_items {
	struct transit_reader reader;
	struct transit_reader inner; /* of a value read twice */
	struct buf copy;	     /* that value */
	struct buf e, v;	     /* payloads of the item being read */
	struct buf key, ref;	     /* parts of a lookup */
	struct buf attr;
	struct buf item;
};

struct logseq_items *logseq_items_new(void);
void logseq_items_free(struct logseq_items *);

/*
 * Appends one string an item to a list.  0; -1: text is no transaction, and
 * what was appended must be taken back; no memory shows in the buffer.
 */
int logseq_items_read(struct logseq_items *, struct bytes text,
    struct buf *list);

/* One value, whose first token was just read; the payload goes to store. */
int logseq_items_value(struct logseq_items *, const struct transit *,
    struct buf *store, struct logseq_value *);

#endif
