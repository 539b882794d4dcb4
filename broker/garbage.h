/*
 * Documents that no name leads to any more, and large blobs that were dropped:
 * marked among the store's own registers, erased beside live traffic, also
 * after a crash.
 */
#ifndef QUIRE_GARBAGE_H
#define QUIRE_GARBAGE_H

#include "broker/kv.h"

/* In an open transaction: 0, -1. */
int garbage_mark(struct kv *, uint64_t doc);
int garbage_unmark(struct kv *, uint64_t doc);
int garbage_mark_blob(struct kv *, uint64_t doc, uint64_t blob);
/* Erases some, in a transaction of its own.  1: there may be more; 0; -1. */
int garbage_erase(struct kv *);

struct broker;
/* A job that erases all there is, unless there is one; at the start, and after
 * each marking.  0, -1: no memory. */
int garbage_start(struct broker *);

#endif
