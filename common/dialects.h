/* The dialects of dialects.def as an enum and as names. */
#ifndef QUIRE_DIALECTS_H
#define QUIRE_DIALECTS_H

#include "common/bytes.h"

enum dialect_id {
	DIALECT_NONE = 0,
#define DIALECT(no, NAME, name)	      DIALECT_##NAME = (no),
#define DIALECT_NAMED(no, NAME, name) DIALECT_##NAME = (no),
#include "common/dialects.def"
#undef DIALECT
	DIALECT_COUNT
};

const char *dialect_name(unsigned int);	    /* "sds"; "none" outside */
enum dialect_id dialect_find(struct bytes); /* DIALECT_NONE: no such */

#endif
