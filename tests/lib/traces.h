/*
 * Whether a relay still has a token in memory that is done with it: by the
 * memory of its processes, as /proc has it.
 */
#ifndef QUIRE_TESTS_TRACES_H
#define QUIRE_TESTS_TRACES_H

#include "tests/lib/server.h"

/*
 * Waits until the workers sleep.  0: no trace; 1: there is one, of which
 * standard error tells; -1: that cannot be seen here.
 */
int traces_of(const struct server *, const char *token);

#endif
