/* Names of the dialects, from their table. */
#include "common/dialects.h"

static const char *const names[DIALECT_COUNT] = {
	"none",
#define DIALECT(no, NAME, name) [no] = #name,
#include "common/dialects.def"
#undef DIALECT
};

const char *
dialect_name(unsigned int d)
{
	return (names[d < DIALECT_COUNT ? d : DIALECT_NONE]);
}

enum dialect_id
dialect_find(struct bytes name)
{
	unsigned int d;

	for (d = 1; d < DIALECT_COUNT; d++)
		if (bytes_eq(name, bytes_str(names[d])))
			return ((enum dialect_id)d);
	return (DIALECT_NONE);
}
