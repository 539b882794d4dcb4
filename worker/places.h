/*
 * The places of a listener: its workers, where their clients come from, and
 * whether there is one for another client (source.h has the rules).
 */
#ifndef QUIRE_PLACES_H
#define QUIRE_PLACES_H

#include "worker/source.h"

/* A client that has stayed longer than this had something to say. */
#define PLACES_FRESH_MS 10000

struct places;

/* NULL: no memory. */
struct places *places_new(unsigned int max, unsigned int per_address);
void places_free(struct places *);

/*
 * NULL when there is a place, else why there is none, for the log.  many: 1:
 * the source stands for many clients (a proxy): neither the ceiling of one
 * address nor penalties are for it.
 */
const char *places_full(struct places *, const struct source *, int many,
    int64_t now_ms);
/* Behind a NULL of places_full. */
void places_take(struct places *, pid_t, const struct source *, int many,
    int64_t now_ms);
/* The worker has ended.  1: its source is turned away from now on. */
int places_leave(struct places *, pid_t, enum source_end, int64_t now_ms);
unsigned int places_used(const struct places *);
void places_kill(const struct places *, int sig);

#endif
