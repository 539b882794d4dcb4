/*
 * Work of one document over several transactions, all of it or none: what a
 * key held before is written down in the transaction that changes it, so that
 * all can be taken back, at the latest when the store is next opened.  One
 * such work at a time.
 *
 * Not taken back are the store's own registers and counters (kv.h), which
 * others read and change meanwhile: a number stays taken and a quota counted.
 * One that is changed must have been read just before, in the same part.
 *
 * Among the store's own registers (kv.h), be64 0, 'u', page be32: page 0 is
 * empty and there while the work is not done; the others hold, change by
 * change, a table octet, an octet that is 1 when the key was there, be32
 * length and key, be32 length and value.
 */
#ifndef QUIRE_KV_UNDO_H
#define QUIRE_KV_UNDO_H

#include "broker/kv.h"

struct kv_undo {
	/*
	 * What the work is given: begin and commit are those of one part of
	 * it, and flush, compact and close are not for it.
	 */
	struct kv kv;
	struct kv *base;
	/* Called now and then where the part could end. */
	void (*pause)(void *);
	void *arg;
	unsigned int scans; /* under way: no pause */
	uint32_t pages;
	uint64_t bytes; /* written; the caller sets it back */
	int failed;	/* a part was not kept: all is to be taken back */
	struct buf page, old;
};

void kv_undo_init(struct kv_undo *, struct kv *base, void (*pause)(void *),
    void *arg);
void kv_undo_free(struct kv_undo *);
/* A work begins; what an earlier one wrote down is gone. */
void kv_undo_start(struct kv_undo *);
/* It stays as it is, once the caller's transaction of base is kept.  0, -1. */
int kv_undo_keep(struct kv_undo *);

#define KV_UNDO_STEP_BYTES 131072u
/*
 * In transactions of their own, of about so many octets each: takes
 * changes back, the last ones first; erases what was written down of a work
 * that is done.  1: there may be more; 0; -1.
 */
int kv_undo_back(struct kv *base);
int kv_undo_erase(struct kv *base);
/* All that a crash left: 0, -1. */
int kv_undo_recover(struct kv *base);

#endif
