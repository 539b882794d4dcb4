/*
 * What the broker tells a worker in WELCOME: the rows of common/settings.def
 * as a struct.  A worker reads no file.
 */
#ifndef QUIRE_SETTINGS_H
#define QUIRE_SETTINGS_H

#include "common/bytes.h"

struct settings {
#define NUMBER(name) uint64_t name;
#define TEXT(name)   char *name;
#define LIST(name)   char **name; /* NULL at the end */
#include "common/settings.def"
#undef NUMBER
#undef TEXT
#undef LIST
	char *text; /* owns what the pointers point at, unless that is lent */
	size_t text_n;
	int lent;
};

/* "name value" lines.  0, or -1: unknown name, not a number, no memory. */
int settings_parse(struct settings *, struct bytes text);
/*
 * 1: the text says what `known' (or NULL) was made of, which is lent and must
 * live on; 0: it does not.  A worker that is told what its listener was told
 * needs no memory of its own for it.
 */
int settings_lend(struct settings *, const struct settings *known,
    struct bytes text);
void settings_free(struct settings *);

#endif
