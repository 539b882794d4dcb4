/* Names and texts of the refusal codes, from their table. */

#include "common/codes.h"

static const struct {
	const char *name;
	const char *text;
} codes[CODE_COUNT] = {
#define CODE(no, NAME, name, text) [no] = { #name, text },
#include "common/codes.def"
#undef CODE
};

const char *
code_name(unsigned int c)
{
	return (c < CODE_COUNT ? codes[c].name : "unknown");
}

const char *
code_text(unsigned int c)
{
	return (c < CODE_COUNT ? codes[c].text : "unknown");
}
