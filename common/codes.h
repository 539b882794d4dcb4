/* The refusal codes of codes.def as an enum and as names. */
#ifndef QUIRE_CODES_H
#define QUIRE_CODES_H

enum code {
#define CODE(no, NAME, name, text) CODE_##NAME = (no),
#include "common/codes.def"
#undef CODE
	CODE_COUNT
};

const char *code_name(unsigned int); /* "stale"; "unknown" outside the table */
const char *code_text(unsigned int); /* one sentence for people */

#endif
