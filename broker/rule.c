/* The rules by dialect, from the table of dialects. */
#include "broker/rule.h"

static const struct rule *const rules[DIALECT_COUNT] = {
#define DIALECT(no, NAME, name) [no] = &rule_##name,
#include "common/dialects.def"
#undef DIALECT
};

const struct rule *
rule_find(unsigned int dialect)
{
	return (dialect < DIALECT_COUNT ? rules[dialect] : NULL);
}

const struct rule_verb *
rule_verb_find(const struct rule *r, uint64_t verb)
{
	const struct rule_verb *v;

	for (v = r->verbs; v != NULL && v->name != NULL; v++)
		if (v->verb == verb)
			return (v);
	return (NULL);
}
