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
	char *text; /* owns what the pointers point at */
};

/* "name value" lines.  0, or -1: unknown name, not a number, no memory. */
int settings_parse(struct settings *, struct bytes text);
void settings_free(struct settings *);

#endif
