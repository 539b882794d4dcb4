/* Names of the dialects, from their table. */
#include "common/dialects.h"

static const char *const names[DIALECT_COUNT] = {
#define DIALECT(no, NAME, name)	      [no] = #name,
#define DIALECT_NAMED(no, NAME, name) [no] = #name,
#include "common/dialects.def"
#undef DIALECT
};

const char *
dialect_name(unsigned int d)
{
	return (d < DIALECT_COUNT && names[d] != NULL ? names[d] : "none");
}

enum dialect_id
dialect_find(struct bytes name)
{
	unsigned int d;

	for (d = 1; d < DIALECT_COUNT; d++)
		if (names[d] != NULL && bytes_eq(name, bytes_str(names[d])))
			return ((enum dialect_id)d);
	return (DIALECT_NONE);
}
