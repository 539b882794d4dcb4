/*
 * The first look at a store: is it of our format, and how often was it opened?
 */
#ifndef QUIRE_BOOT_H
#define QUIRE_BOOT_H

#include "broker/kv.h"

/* Of tables, rows and records together; another one is refused. */
#define STORE_FORMAT 4

/*
 * 0: ours, or new and empty, and what a crash left half done is taken back
 * (kv_undo.h); -1: *why has it in words.
 */
int boot_format(struct kv *, char *why, size_t size);
/*
 * Counts this start and marks a new store with the format, durably.  Session
 * ids never repeat because *boot stands above them.  0, -1.
 */
int boot_count(struct kv *, uint64_t *boot);

#endif
