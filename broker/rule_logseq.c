/*
 * The logseq dialect to the broker: its verbs in one table, who may open what.
 * Graphs are decided in logseq_*.c, the index (who owns and joins them, keys,
 * assets) in rule_logseq_index*.c.
 */
#include "broker/logseq_index.h"
#include "broker/logseq_verbs.h"

static enum code rule_open(struct txn *);
static enum code rule_fetch(struct txn *, uint64_t, struct bytes);

/* A full graph can still be emptied. */
#define RULE_KIND(verb)                                                        \
	((verb) == LOGSEQ_GRAPH_DROP || (verb) == LOGSEQ_MEMBER_DROP ||        \
		    (verb) == LOGSEQ_ASSET_DROP                                \
		? VERB_FREES                                                   \
		: VERB_SUBMIT)

static const struct rule_verb logseq_verbs[] = {
	{ "state", LOGSEQ_STATE, SCOPE_READ, 1, logseq_state },
	{ "tx", LOGSEQ_TX, SCOPE_WRITE, VERB_LENGTHY, logseq_tx },
	{ "reset", LOGSEQ_RESET, SCOPE_WRITE, VERB_FREES, logseq_reset },
	{ "upload_begin", LOGSEQ_UPLOAD_BEGIN, SCOPE_WRITE, 1,
	    logseq_upload_begin },
	{ "upload_rows", LOGSEQ_UPLOAD_ROWS, SCOPE_WRITE, 1,
	    logseq_upload_rows },
	{ "upload_walk", LOGSEQ_UPLOAD_WALK, SCOPE_WRITE, 1,
	    logseq_upload_walk },
	{ "upload_schema", LOGSEQ_UPLOAD_SCHEMA, SCOPE_WRITE, 1,
	    logseq_upload_schema },
	{ "upload_datoms", LOGSEQ_UPLOAD_DATOMS, SCOPE_WRITE, 1,
	    logseq_upload_datoms },
	{ "upload_sum", LOGSEQ_UPLOAD_SUM, SCOPE_WRITE, 1, logseq_upload_sum },
	{ "upload_finish", LOGSEQ_UPLOAD_FINISH, SCOPE_WRITE, 1,
	    logseq_upload_finish },
	{ "pin", LOGSEQ_PIN, SCOPE_READ, 1, logseq_pin },
	{ "unpin", LOGSEQ_UNPIN, SCOPE_READ, 1, logseq_unpin },
	{ "sweep", LOGSEQ_SWEEP, SCOPE_READ, 1, logseq_sweep },
	{ "online", LOGSEQ_ONLINE, SCOPE_READ, 1, logseq_online },
#define LOGSEQ_INDEX_VERB(no, NAME, name, room, need, scope)                   \
	{ #name, LOGSEQ_##NAME, SCOPE_##scope, RULE_KIND(LOGSEQ_##NAME),       \
		logseq_index_decide },
#include "common/logseq_index.def"
#undef LOGSEQ_INDEX_VERB
	{ NULL, 0, SCOPE_NONE, 0, NULL },
};

const struct rule rule_logseq = {
	.dialect = LOGSEQ_DIALECT,
	.verbs = logseq_verbs,
	.open = rule_open,
	.join = logseq_join,
	.leave = logseq_leave,
	.card = logseq_card,
	.fetch = rule_fetch,
};

/* Also the moment to notice downloads that a crash cut off. */
static enum code
rule_open(struct txn *t)
{
	struct logseq_graph access;
	struct graph g;
	enum code code;

	if (t->name.room == LOGSEQ_ROOM_INDEX)
		return (logseq_index_open(t));
	if (t->name.room != LOGSEQ_ROOM_GRAPH)
		return (CODE_INVALID);
	if (logseq_index_access(t, &access) != 1)
		return (t->failed ? CODE_STORAGE : CODE_NO_SCOPE);
	if (graph_begin(&g, t) == 0) {
		if (g.m.pins > 0) {
			graph_pins_check(&g);
			graph_save(&g);
		}
		logseq_tell_state(&g, &access);
	}
	code = graph_code(&g, CODE_OK);
	graph_end(&g);
	return (code);
}

static enum code
rule_fetch(struct txn *t, uint64_t what, struct bytes prefix)
{
	(void)what;
	(void)prefix;
	return (t->name.room == LOGSEQ_ROOM_GRAPH ? CODE_OK : CODE_NO_SCOPE);
}
