/*
 * Who a token says somebody is, as other clients of his graphs are shown it.
 */
#include "broker/claims.h"
#include "broker/logseq_verbs.h"

static void person_add(struct buf *, const char *name, struct bytes);

void
logseq_person(const struct claims *c, struct buf *out)
{
	struct bytes username = c->preferred_username;

	if (username.p == NULL)
		username = c->cognito_username;
	if (username.p == NULL)
		username = c->username;
	person_add(out, "email", c->email);
	person_add(out, "username", username);
	person_add(out, "name", c->name);
}

static void
person_add(struct buf *out, const char *name, struct bytes text)
{
	if (text.p == NULL)
		return;
	buf_printf(out, ",\"%s\":", name);
	logseq_json_string(out, text);
}
