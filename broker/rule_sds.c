/*
 * The decisions of the sds dialect (protocols: sds.md sections 6 to 8 and 13):
 * what is kept, what is only passed on, and to whom.
 *
 * Patches are a log and values are registers, so neither can ever erase the
 * other.  Sequence numbers order both; no clock does.
 */
#include "broker/config.h"
#include "broker/rule.h"
#include "common/sds.h"
#include "common/utf8.h"

#define SDS_PRUNE_AT_ONCE 256

struct sds_numbers {
	uint64_t seq[SDS_PRUNE_AT_ONCE];
	size_t n;
};

static enum code sds_open(struct txn *);
static enum code sds_patch(struct txn *, const struct submit *);
static enum code sds_value(struct txn *, const struct submit *);
static enum code sds_chunk_begin(struct txn *, const struct submit *);
static enum code sds_signal(struct txn *, const struct submit *);
static enum code sds_signal_write(struct txn *, const struct submit *);
static enum code sds_stores(const struct txn *);
static enum code sds_relay_text(struct txn *, const struct submit *);
static enum code sds_relay(struct txn *, unsigned int kind, unsigned int opcode,
    const struct bytes *head, size_t, const struct submit *);
static enum code sds_prune(struct txn *, uint64_t below);
static int sds_prune_each(const struct record *, void *);
static enum code sds_done(const struct txn *);

static const struct rule_verb sds_verbs[] = {
	{ "patch", SDS_VERB_PATCH, SCOPE_WRITE, 1, sds_patch },
	{ "value", SDS_VERB_VALUE, SCOPE_WRITE, 1, sds_value },
	{ "chunk_begin", SDS_VERB_CHUNK_BEGIN, SCOPE_WRITE, 1,
	    sds_chunk_begin },
	{ "signal", SDS_VERB_SIGNAL, SCOPE_READ, 0, sds_signal },
	{ "signal_write", SDS_VERB_SIGNAL_WRITE, SCOPE_WRITE, 0,
	    sds_signal_write },
	{ NULL, 0, SCOPE_NONE, 0, NULL },
};

const struct rule rule_sds = {
	.dialect = DIALECT_SDS,
	.verbs = sds_verbs,
	.open = sds_open,
	.compact = &compact_sds,
};

static enum code
sds_open(struct txn *t)
{
	return (t->name.room > SDS_ROOM_SIGNAL ? CODE_INVALID : CODE_OK);
}

static enum code
sds_patch(struct txn *t, const struct submit *s)
{
	static const uint8_t type = SDS_PATCH;
	struct publish p = { .flags = PUBLISH_SKIP_SELF,
		.kind = SDS_KIND_PATCH,
		.opcode = 2,
		.piece = { { &type, 1 }, s->body.b },
		.n = 2,
		.blob = s->body.blob,
		.blob_size = s->body.size };
	enum code code;

	if ((code = sds_stores(t)) != CODE_OK)
		return (code);
	if (txn_append(t, SDS_KIND_PATCH, &s->body.b, 1, s->body.blob,
		s->body.size, &p.seq) == -1 ||
	    txn_publish(t, &p) == -1)
		return (CODE_STORAGE);
	return (sds_done(t));
}

/*
 * The log keeps the number's place and the key; the octets are in the field, of
 * which there is only the newest.
 */
static enum code
sds_value(struct txn *t, const struct submit *s)
{
	static const uint8_t type = SDS_VALUE;
	int chunked = s->clock != 0;
	struct publish p = { .flags = PUBLISH_SKIP_SELF,
		.kind = chunked ? SDS_KIND_VALUE_CHUNKED : SDS_KIND_VALUE,
		.opcode = 2,
		.since = s->clock,
		.piece = { { &type, 1 }, s->ref, s->body.b },
		.n = 3,
		.blob = s->body.blob,
		.blob_size = s->body.size };
	enum code code;

	if ((code = sds_stores(t)) != CODE_OK)
		return (code);
	if (s->ref.n != SDS_KEY_BYTES)
		return (CODE_INVALID);
	if (chunked)
		p.flags |= PUBLISH_SEEN;
	if (txn_append(t, p.kind, &s->ref, 1, 0, 0, &p.seq) == -1 ||
	    txn_field_put(t, s->ref, p.seq, &s->body) == -1 ||
	    txn_publish(t, &p) == -1)
		return (CODE_STORAGE);
	return (t->conf->sds_prune ? sds_prune(t, p.seq) : sds_done(t));
}

/*
 * Whoever reads from this batch's position on sees every chunk.  One more than
 * the position, because 0 stands for a value that did not come in chunks;
 * positions are multiples of eight, so nobody is between the two.
 */
static enum code
sds_chunk_begin(struct txn *t, const struct submit *s)
{
	uint8_t clock[8];
	enum code code;

	(void)s;
	if ((code = sds_stores(t)) != CODE_OK)
		return (code);
	be64_put(clock, t->position + 1);
	return (txn_info(t, bytes_of(clock, sizeof(clock))) == -1 ? CODE_STORAGE
								  : CODE_OK);
}

static enum code
sds_signal(struct txn *t, const struct submit *s)
{
	uint8_t type;

	if (s->ref.n != 1)
		return (CODE_INVALID);
	if (t->name.room == SDS_ROOM_SIGNAL)
		return (sds_relay_text(t, s));
	type = s->ref.p[0];
	if (type == SDS_PATCH || type == SDS_VALUE || type == SDS_VALUE_CHUNK)
		return (CODE_NO_SCOPE);
	return (sds_relay(t, type, 2, &s->ref, 1, s));
}

static enum code
sds_signal_write(struct txn *t, const struct submit *s)
{
	if (s->ref.n != 1 || t->name.room == SDS_ROOM_SIGNAL)
		return (CODE_INVALID);
	return (sds_relay(t, s->ref.p[0], 2, &s->ref, 1, s));
}

static enum code
sds_stores(const struct txn *t)
{
	if (t->name.room == SDS_ROOM_SIGNAL)
		return (CODE_INVALID);
	return (t->conf->sds_persist ? CODE_OK : CODE_DISABLED);
}

/*
 * Text that is in a blob is not looked at here: the worker that fetches it does
 * before it sends it on.
 */
static enum code
sds_relay_text(struct txn *t, const struct submit *s)
{
	unsigned int opcode = s->ref.p[0];

	if (opcode != 1 && opcode != 2)
		return (CODE_INVALID);
	if (opcode == 1 && s->body.blob == 0 && !utf8_valid(s->body.b))
		return (CODE_INVALID);
	return (sds_relay(t, opcode, opcode, NULL, 0, s));
}

static enum code
sds_relay(struct txn *t, unsigned int kind, unsigned int opcode,
    const struct bytes *head, size_t nhead, const struct submit *s)
{
	struct publish p = { .flags = PUBLISH_SKIP_SELF,
		.kind = kind,
		.opcode = opcode,
		.blob = s->body.blob,
		.blob_size = s->body.size };

	if (nhead == 1)
		p.piece[p.n++] = *head;
	p.piece[p.n++] = s->body.b;
	return (txn_publish(t, &p) == -1 ? CODE_STORAGE : CODE_OK);
}

/* As the first sds servers did, for who wants it (setting sds_prune). */
static enum code
sds_prune(struct txn *t, uint64_t below)
{
	struct sds_numbers old;
	size_t i;

	do {
		old.n = 0;
		if (txn_log_scan(t, 0, below, sds_prune_each, &old) == -1)
			return (CODE_STORAGE);
		for (i = 0; i < old.n; i++)
			if (txn_log_drop(t, old.seq[i]) == -1)
				return (CODE_STORAGE);
	} while (old.n == SDS_PRUNE_AT_ONCE);
	return (sds_done(t));
}

static int
sds_prune_each(const struct record *r, void *arg)
{
	struct sds_numbers *old = arg;

	if (r->kind == SDS_KIND_PATCH)
		old->seq[old->n++] = r->seq;
	return (old->n == SDS_PRUNE_AT_ONCE);
}

static enum code
sds_done(const struct txn *t)
{
	return (t->failed ? CODE_STORAGE : CODE_OK);
}
