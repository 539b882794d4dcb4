/*
 * What a token lets its bearer do.  Scopes are ordered: each covers those
 * before it.
 */
#ifndef QUIRE_SCOPE_H
#define QUIRE_SCOPE_H

#include "common/bytes.h"

enum scope { SCOPE_NONE, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN };

/* "none", "read", "write", "admin"; "?" for a number that is no scope. */
const char *scope_name(enum scope);

/*
 * The scope that a token names: exactly read, write or admin.  SCOPE_NONE for
 * everything else, "none" included: no token grants nothing.
 */
enum scope scope_parse(struct bytes);

/* have is as much as want, or more; numbers that are no scope cover nothing. */
int scope_covers(enum scope have, enum scope want);

#endif
