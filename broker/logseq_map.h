/*
 * A small hash table from octets to a number, for the time of one decision.
 * Keys are copied; strangers choose them, so the hash is keyed.
 */
#ifndef QUIRE_LOGSEQ_MAP_H
#define QUIRE_LOGSEQ_MAP_H

#include "common/buf.h"

struct map_row {
	size_t at, n; /* the key in keys */
	uint64_t value;
	int used;
};

/* Zeroed: empty. */
struct map {
	struct map_row *rows;
	size_t n, cap;
	struct buf keys;
};

/* The value's place, valid until the next map_at; NULL: absent. */
uint64_t *map_find(const struct map *, struct bytes key);
/* The same, made as 0 when absent, told in *fresh; NULL: no memory. */
uint64_t *map_at(struct map *, struct bytes key, int *fresh);
/* The same for numbers as keys. */
uint64_t *map_find_u64(const struct map *, uint64_t key);
uint64_t *map_at_u64(struct map *, uint64_t key, int *fresh);
/* Row i of those below cap, for going through all; NULL: unused. */
const struct map_row *map_row(const struct map *, size_t i);
struct bytes map_key(const struct map *, const struct map_row *);
void map_clear(struct map *); /* empties, keeps the memory */
void map_free(struct map *);

#endif
