/*
 * What the lines of a wire script are made of: variables, and octets in
 * hexadecimal.
 */
#ifndef QUIRE_SCRIPT_H
#define QUIRE_SCRIPT_H

#include "common/buf.h"

#define SCRIPT_VARS_MAX 64

struct script_vars {
	size_t n;
	struct {
		char *name; /* owned */
		char *value;
	} v[SCRIPT_VARS_MAX];
};

/* Sets or replaces.  0, or -1: too many, or no memory. */
int script_set(struct script_vars *, const char *name, const char *value);
void script_free(struct script_vars *);

/* Appends text and a NUL, with $NAME and ${NAME} replaced ("$$" is a dollar);
 * -1 for a name that is not set. */
int script_expand(const struct script_vars *, const char *text, struct buf *);

/* Appends "01 68656c aa*32": pairs of digits, blanks or commas between them
 * where one likes, *N repeats the octet before it.  -1 if it is not that. */
int script_octets(const char *text, struct buf *);

/* Cuts the next word off *text and the blanks around it; "" at the end. */
char *script_word(char **text);

#endif
