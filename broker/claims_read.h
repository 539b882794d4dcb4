/*
 * For the files that read claims (claims.c, claims_secsync.c): what a JSON
 * value is asked for, and where the copies go.  -1 is "not of that kind".
 */
#ifndef QUIRE_CLAIMS_READ_H
#define QUIRE_CLAIMS_READ_H

#include <jansson.h>

#include "broker/claims.h"

/* Where the copies of strings go; as large as the payload, which bounds them */
struct claims_arena {
	uint8_t *p;
};

#define CLAIMS_ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The string's own octets, which end with the JSON. */
int claims_string(const json_t *, struct bytes *out);
/* Of a list; a string counts as a list of one. */
int claims_item(const json_t *, size_t i, struct bytes *out);
/* Copies of 1 to CLAIMS_LIST_MAX strings, none empty; *out owns its array. */
int claims_list(const json_t *, struct claims_list *out, struct claims_arena *);

/* A number, rounded down; absent, *out stays as it is.  NULL, or the name. */
const char *claims_limit(const json_t *object, const char *name, uint64_t *out);

/*
 * Claims secsync and cnf of the payload, in this order, as cnf's key must be
 * among secsync's.  NULL, or the name of what was wrong.
 */
const char *claims_secsync(const json_t *root, struct claims *,
    struct claims_arena *);
const char *claims_cnf(const json_t *root, struct claims *,
    struct claims_arena *);

#endif
