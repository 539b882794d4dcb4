/*
 * What claims allow: stores, people and keys.  Reading them is claims.c.
 */
#include <strings.h>

#include "common/conf.h"
#include "broker/claims.h"

static bool claims_match(const struct claims_list *, struct bytes, bool);

bool
claims_allow_store(const struct claims *c, unsigned int dialect,
    struct bytes name, bool exact)
{
	if (dialect >= DIALECT_COUNT || (c->dialects & 1u << dialect) == 0)
		return (false);
	if (dialect == DIALECT_SECSYNC && c->secsync.docs_given)
		return (claims_match(&c->secsync.docs, name, false));
	return (claims_match(&c->aud, name, exact && !c->aud_wild));
}

void
claims_any_store(struct claims *c)
{
	c->aud.v[0] = BYTES_LIT("*");
	c->aud.n = 1;
}

bool
claims_allow_person(const struct claims *c, const struct conf_list *list)
{
	struct bytes name;
	size_t i;

	for (i = 0; i < list->n; i++) {
		name = bytes_str(list->v[i]);
		if (strchr(list->v[i], '@') == NULL
			? bytes_eq(name, c->sub)
			: c->email_verified && name.n == c->email.n &&
			    strncasecmp(list->v[i], (const char *)c->email.p,
				name.n) == 0)
			return (true);
	}
	return (false);
}

bool
claims_allow_key(const struct claims *c, struct bytes key64)
{
	return (!c->secsync.keys_given ||
	    claims_match(&c->secsync.keys, key64, true));
}

static bool
claims_match(const struct claims_list *list, struct bytes name, bool exact)
{
	struct bytes want;
	size_t i;

	for (i = 0; i < list->n; i++) {
		want = list->v[i];
		if (bytes_eq(want, name))
			return (true);
		if (exact || want.n == 0 || want.p[want.n - 1] != '*')
			continue;
		want.n--;
		if (bytes_start(name, want))
			return (true);
	}
	return (false);
}
