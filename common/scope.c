/*
 * The scopes' names and their order.  Which message needs which scope is the
 * message catalogue's business, not this file's.
 */
#include "common/scope.h"

static const char *const scope_names[] = { "none", "read", "write", "admin" };

#define SCOPE_COUNT (sizeof(scope_names) / sizeof(scope_names[0]))

const char *
scope_name(enum scope s)
{
	return ((size_t)s < SCOPE_COUNT ? scope_names[s] : "?");
}

enum scope
scope_parse(struct bytes word)
{
	size_t i;

	for (i = SCOPE_READ; i < SCOPE_COUNT; i++)
		if (bytes_eq(word, bytes_str(scope_names[i])))
			return ((enum scope)i);
	return (SCOPE_NONE);
}

int
scope_covers(enum scope have, enum scope want)
{
	return ((size_t)have < SCOPE_COUNT && (size_t)want < SCOPE_COUNT &&
	    have >= want);
}
