/*
 * How conf.c reads and writes a value, by its type.
 */
#ifndef QUIRE_CONF_TYPES_H
#define QUIRE_CONF_TYPES_H

#include "common/conf.h"

/*
 * Puts a value, trimmed and free of control characters, into the member.
 * NULL, or what is wrong with it: the member is then as it was.
 */
typedef const char *conf_get_fn(const struct conf_row *, struct bytes value,
    void *member);
/* Writes the setting's lines so that they read back the same. */
typedef void conf_put_fn(const struct conf_row *, const void *member, FILE *);

struct conf_unit {
	const char *suffix;
	int64_t factor;
};

struct conf_how {
	conf_get_fn *get;
	conf_put_fn *put;
	const struct conf_unit *units; /* NULL: not a number */
};

extern const struct conf_how conf_types[]; /* by enum conf_type */

#endif
