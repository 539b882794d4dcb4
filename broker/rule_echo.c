/*
 * The broker's half of the echo dialect, the smallest rule there is: what
 * somebody says, everybody in the room hears, the speaker too.  Nothing is
 * kept.  quire-dialects.7 explains it line by line.
 */
#include "broker/rule.h"
#include "common/utf8.h"

#define ECHO_VERB_SAY 1 /* ref: the opcode, one octet; body: the message */

static enum code echo_say(struct txn *, const struct submit *);

static const struct rule_verb echo_verbs[] = {
	{ "say", ECHO_VERB_SAY, SCOPE_READ, 0, echo_say },
	{ NULL, 0, SCOPE_NONE, 0, NULL },
};

const struct rule rule_echo = {
	.dialect = DIALECT_ECHO,
	.verbs = echo_verbs,
};

static enum code
echo_say(struct txn *t, const struct submit *s)
{
	struct publish p = { .piece = { s->body.b },
		.n = 1,
		.blob = s->body.blob,
		.blob_size = s->body.size };

	if (s->ref.n != 1 || (s->ref.p[0] != 1 && s->ref.p[0] != 2))
		return (CODE_INVALID);
	/* Text in a blob is checked by the workers that fetch it. */
	if (s->ref.p[0] == 1 && p.blob == 0 && !utf8_valid(s->body.b))
		return (CODE_INVALID);
	p.kind = p.opcode = s->ref.p[0];
	return (txn_publish(t, &p) == -1 ? CODE_STORAGE : CODE_OK);
}
