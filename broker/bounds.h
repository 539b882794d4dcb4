/*
 * What one store or one subject may, by the settings: those for all of them,
 * and over these the first line of store_limits or subject_limits that its name
 * matches.  Found when a store is opened and when a subject comes, and anew at
 * a reload; who decides looks at the struct.  What a bound means is where it is
 * asked for: space, quota, rate, session, decide_join.
 */
#ifndef QUIRE_BOUNDS_H
#define QUIRE_BOUNDS_H

#include "common/bytes.h"

struct broker;
struct config;
struct doc_id;

/* 0: no limit. */
struct bounds {
#define BOUND(name, store, subject) int64_t name;
#include "broker/bounds.def"
#undef BOUND
};

void bounds_of_store(const struct config *, const struct doc_id *,
    struct bounds *);
void bounds_of_subject(const struct config *, struct bytes name,
    struct bounds *);
/* The settings are others: of all that are here. */
void bounds_renew(struct broker *);

/* Of a line, as conf_check_fn. */
const char *bounds_check_store(struct bytes *line);
const char *bounds_check_subject(struct bytes *line);

#endif
