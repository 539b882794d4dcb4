/*
 * The decisions of the secsync dialect (protocols: secsync.md sections 5, 6, 9
 * and 11): which snapshot is the active one, whose clock stands where, and who
 * may write.  What the registers and the log hold is told in common/secsync.h.
 *
 * Content is never looked at.  Signatures were checked by the worker; that a
 * message is for this document is so because there is no other in reach.
 */
#include "broker/claims.h"
#include "broker/config.h"
#include "broker/rule.h"
#include "broker/rule_secsync_state.h"
#include "common/secsync.h"
#include "common/wire.h"

#define PERM_WRITER (PERM_READ | PERM_SNAPSHOT | PERM_UPDATE | PERM_EPHEMERAL)

static enum code rule_open(struct txn *);
static enum code rule_snapshot(struct txn *, const struct submit *);
static enum code rule_update(struct txn *, const struct submit *);
static enum code rule_probe(struct txn *, const struct submit *);
static enum code rule_ephemeral(struct txn *, const struct submit *);
static int rule_claims(const struct claims *, struct buf *);

static enum code snapshot_check(struct txn *, const struct submit *,
    const struct secsync_items *, const struct secsync_head *);
static enum code snapshot_first(const struct txn *, const struct submit *,
    const struct secsync_items *);
static enum code snapshot_refuse(struct txn *, const struct secsync_head *,
    enum code);
static enum code snapshot_store(struct txn *, const struct submit *,
    const struct secsync_items *);
static void snapshot_chain(struct txn *, const struct secsync_items *,
    uint64_t seq);

static enum code update_check(struct txn *, const struct submit *,
    struct secsync_head *, struct buf *);
static enum code update_store(struct txn *, const struct submit *,
    struct secsync_head *);

static enum code may(const struct txn *, const struct submit *,
    enum claims_perm, uint64_t size_max);
static enum code may_say(struct txn *, const struct submit *, enum claims_perm,
    uint64_t size_max);
static unsigned int may_perms(const struct txn *);
static uint64_t may_max(const struct claims *, enum claims_perm);

static enum code relay(struct txn *, const struct submit *, const char *before,
    const char *after, uint64_t seq);
static enum code done(const struct txn *, enum code);

static const struct rule_verb secsync_verbs[] = {
	{ "snapshot", SECSYNC_SNAPSHOT, SCOPE_WRITE, VERB_LENGTHY,
	    rule_snapshot },
	{ "update", SECSYNC_UPDATE, SCOPE_WRITE, VERB_LENGTHY, rule_update },
	{ "probe", SECSYNC_PROBE, SCOPE_WRITE, 1, rule_probe },
	{ "ephemeral", SECSYNC_EPHEMERAL, SCOPE_WRITE, 0, rule_ephemeral },
	{ NULL, 0, SCOPE_NONE, 0, NULL },
};

const struct rule rule_secsync = {
	.dialect = SECSYNC_DIALECT,
	.verbs = secsync_verbs,
	.open = rule_open,
	.claims = rule_claims,
	.compact = &compact_secsync,
};

/* A document without a snapshot needs no row, but the permission to begin one.
 */
static enum code
rule_open(struct txn *t)
{
	struct buf val = BUF_INIT;
	struct secsync_head head;
	enum code code = CODE_OK;

	if ((may_perms(t) & PERM_READ) == 0)
		return (CODE_NO_SCOPE);
	if (secsync_head_get(t, &val, &head) == 1)
		txn_info(t, buf_bytes(&val));
	else if ((may_perms(t) & PERM_CREATE) == 0)
		code = CODE_NOT_FOUND;
	buf_free(&val);
	return (done(t, code));
}

static enum code
rule_snapshot(struct txn *t, const struct submit *s)
{
	struct buf val = BUF_INIT;
	struct secsync_items items;
	struct secsync_head head;
	enum code code;

	code = may_say(t, s, PERM_SNAPSHOT,
	    (uint64_t)t->conf->secsync_snapshot_max);
	if (code != CODE_OK)
		return (code);
	if (secsync_items_unpack(s->items, &items) == -1 ||
	    !secsync_id_ok(items.id) || items.hash.n != SECSYNC_HASH_LEN)
		return (CODE_INVALID);
	if (secsync_head_get(t, &val, &head) == 1)
		code = snapshot_check(t, s, &items, &head);
	else
		code = snapshot_first(t, s, &items);
	buf_free(&val);
	if (code != CODE_OK)
		return (done(t, code));
	return (snapshot_store(t, s, &items));
}

static enum code
rule_update(struct txn *t, const struct submit *s)
{
	struct buf val = BUF_INIT;
	struct secsync_head head;
	enum code code;

	code =
	    may_say(t, s, PERM_UPDATE, (uint64_t)t->conf->secsync_update_max);
	if (code == CODE_OK)
		code = update_check(t, s, &head, &val);
	if (code == CODE_OK)
		code = update_store(t, s, &head);
	buf_free(&val);
	return (done(t, code));
}

static enum code
rule_probe(struct txn *t, const struct submit *s)
{
	struct buf val = BUF_INIT;
	struct secsync_head head;
	enum code code;

	code = may(t, s, PERM_UPDATE, 0);
	if (code == CODE_OK)
		code = update_check(t, s, &head, &val);
	buf_free(&val);
	return (done(t, code));
}

static enum code
rule_ephemeral(struct txn *t, const struct submit *s)
{
	enum code code;

	code = may_say(t, s, PERM_EPHEMERAL,
	    (uint64_t)t->conf->secsync_ephemeral_max);
	if (code != CODE_OK)
		return (code);
	return (relay(t, s, "{\"type\":\"ephemeral-message\",", "}", 0));
}

static int
rule_claims(const struct claims *c, struct buf *out)
{
	struct secsync_grant g = { .keys_given = c->secsync.keys_given,
		.rate = c->secsync.rate_max };
	struct buf keys = BUF_INIT;
	size_t i;
	int rc;

	if (c->secsync.perms_given)
		g.ephemeral = (c->secsync.perms & PERM_EPHEMERAL) != 0;
	else
		g.ephemeral = scope_covers(c->scope, SCOPE_WRITE) != 0;
	for (i = 0; i < c->secsync.keys.n; i++)
		list_add(&keys, c->secsync.keys.v[i]);
	g.keys = buf_bytes(&keys);
	rc = keys.failed ? -1 : secsync_grant_pack(out, &g);
	buf_free(&keys);
	return (rc);
}

/* The order matters to the client: outdated before missing updates. */
static enum code
snapshot_check(struct txn *t, const struct submit *s,
    const struct secsync_items *items, const struct secsync_head *head)
{
	struct buf val = BUF_INIT;
	char proof[SECSYNC_HASH_LEN];
	enum code code = CODE_OK;

	if (!bytes_eq(s->ref, head->id))
		return (snapshot_refuse(t, head, CODE_STALE));
	if (!secsync_clocks_equal(t, items->clocks))
		return (snapshot_refuse(t, head, CODE_MISSES_UPDATES));
	secsync_proof(proof, head->id, head->proof, head->hash);
	if (!bytes_eq(items->proof, bytes_of(proof, sizeof(proof))))
		return (CODE_INVALID);
	if (secsync_reg_get(t, SECSYNC_REG_ID, items->id, &val) == 1)
		code = CODE_EXISTS;
	buf_free(&val);
	return (code);
}

static enum code
snapshot_first(const struct txn *t, const struct submit *s,
    const struct secsync_items *items)
{
	char proof[SECSYNC_HASH_LEN];

	if ((may_perms(t) & PERM_CREATE) == 0)
		return (CODE_NO_SCOPE);
	secsync_proof(proof, BYTES_NONE, BYTES_NONE, BYTES_NONE);
	if (s->ref.n > 0 || items->clocks.n > 0 ||
	    !bytes_eq(items->proof, bytes_of(proof, sizeof(proof))))
		return (CODE_INVALID);
	return (CODE_OK);
}

static enum code
snapshot_refuse(struct txn *t, const struct secsync_head *head, enum code code)
{
	struct buf info = BUF_INIT;

	if (secsync_head_pack(&info, head) == -1 ||
	    txn_info(t, buf_bytes(&info)) == -1)
		code = CODE_STORAGE;
	buf_free(&info);
	return (code);
}

static enum code
snapshot_store(struct txn *t, const struct submit *s,
    const struct secsync_items *items)
{
	struct secsync_head head = { items->id, items->proof, items->hash, 0, 0,
		0 };

	if (txn_append(t, SECSYNC_SNAPSHOT, &s->body.b, 1, s->body.blob,
		s->body.size, &head.seq) == -1)
		return (CODE_STORAGE);
	secsync_clocks_drop(t);
	snapshot_chain(t, items, head.seq);
	if (secsync_head_put(t, &head) == -1)
		return (CODE_STORAGE);
	return (relay(t, s, "{\"type\":\"snapshot\",\"snapshot\":{", "}}",
	    head.seq));
}

/* Kept for ever, about 150 octets each: clients may know any old snapshot. */
static void
snapshot_chain(struct txn *t, const struct secsync_items *items, uint64_t seq)
{
	struct buf link = BUF_INIT;
	uint8_t number[8];

	be64_put(number, seq);
	secsync_reg_put(t, SECSYNC_REG_ID, items->id,
	    bytes_of(number, sizeof(number)));
	list_add(&link, items->id);
	list_add(&link, items->proof);
	list_add(&link, items->hash);
	if (link.failed)
		t->failed = 1;
	secsync_reg_put(t, SECSYNC_REG_CHAIN, bytes_of(number, sizeof(number)),
	    buf_bytes(&link));
	buf_free(&link);
}

static enum code
update_check(struct txn *t, const struct submit *s, struct secsync_head *head,
    struct buf *val)
{
	uint64_t clock = 0;
	int found;

	if (secsync_head_get(t, val, head) != 1 || !bytes_eq(s->ref, head->id))
		return (CODE_STALE);
	found = secsync_clock_get(t, s->author, &clock);
	if (s->clock != (found == 1 ? clock + 1 : 0))
		return (CODE_GAP);
	if (head->updates >= (uint64_t)t->conf->secsync_updates_max)
		return (CODE_NEEDS_SNAPSHOT);
	if (found == 1)
		return (CODE_OK);
	if (head->authors >= (uint64_t)t->conf->secsync_clocks_max ||
	    head->authors >= SECSYNC_CLOCKS_MAX)
		return (CODE_NEEDS_SNAPSHOT);
	head->authors++;
	return (CODE_OK);
}

static enum code
update_store(struct txn *t, const struct submit *s, struct secsync_head *head)
{
	uint8_t stamp[SECSYNC_STAMP_LEN];
	struct bytes piece[2] = { { stamp, sizeof(stamp) }, s->body.b };
	uint64_t seq;

	memcpy(stamp, s->author.p, SECSYNC_KEY_LEN);
	be64_put(stamp + SECSYNC_KEY_LEN, s->clock);
	head->updates++;
	if (txn_append(t, SECSYNC_UPDATE, piece, 2, s->body.blob, s->body.size,
		&seq) == -1 ||
	    secsync_clock_put(t, s->author, s->clock) == -1 ||
	    secsync_head_put(t, head) == -1)
		return (CODE_STORAGE);
	return (relay(t, s, "{\"type\":\"update\",", "}", seq));
}

/* Permission, key and size; size_max is the operator's, 0 with no body. */
static enum code
may(const struct txn *t, const struct submit *s, enum claims_perm perm,
    uint64_t size_max)
{
	const struct claims *c = t->who.claims;
	uint64_t size = s->body.b.n + s->body.size;

	if ((may_perms(t) & (unsigned int)perm) == 0)
		return (CODE_NO_SCOPE);
	if (s->author.n != SECSYNC_KEY_LEN)
		return (CODE_INVALID);
	if (c != NULL && !claims_allow_key(c, s->author))
		return (CODE_NO_SCOPE);
	if (size > size_max || (c != NULL && size > may_max(c, perm)))
		return (CODE_TOO_LARGE);
	return (CODE_OK);
}

/* The same of what is kept or relayed. */
static enum code
may_say(struct txn *t, const struct submit *s, enum claims_perm perm,
    uint64_t size_max)
{
	enum code code = may(t, s, perm, size_max);

	return (
	    code == CODE_OK && !secsync_body_ok(t, s) ? CODE_INVALID : code);
}

static unsigned int
may_perms(const struct txn *t)
{
	const struct claims *c = t->who.claims;

	if (c != NULL && c->secsync.perms_given)
		return (c->secsync.perms);
	if (!scope_covers(t->who.scope, SCOPE_WRITE))
		return (PERM_READ);
	return (
	    t->conf->secsync_create ? PERM_WRITER | PERM_CREATE : PERM_WRITER);
}

static uint64_t
may_max(const struct claims *c, enum claims_perm perm)
{
	if (perm == PERM_SNAPSHOT)
		return (c->secsync.snapshot_max);
	if (perm == PERM_UPDATE)
		return (c->secsync.update_max);
	return (c->secsync.ephemeral_max);
}

static enum code
relay(struct txn *t, const struct submit *s, const char *before,
    const char *after, uint64_t seq)
{
	struct publish p = { .flags = PUBLISH_SKIP_SELF,
		.kind = (unsigned int)s->verb,
		.opcode = 1,
		.seq = seq,
		.piece = { bytes_str(before), s->body.b, bytes_str(after) },
		.n = 3,
		.blob = s->body.blob,
		.blob_size = s->body.size };

	txn_publish(t, &p);
	return (done(t, CODE_OK));
}

static enum code
done(const struct txn *t, enum code code)
{
	return (t->failed ? CODE_STORAGE : code);
}
