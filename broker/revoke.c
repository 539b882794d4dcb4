/*
 * Revocations: a hash in memory, a register each in the store.
 *
 *   document 0, "revoked/" kind octet text -> before be64, made be64, until
 * be64
 *
 * Who is told to go when there is a new one is control_revoke.c's.
 */
#include <sys/queue.h>

#include <stdlib.h>

#include "broker/revoke.h"
#include "broker/txn_key.h"

#define REVOKE_NAME    "revoked/"
#define REVOKE_BUCKETS 1024u
#define REVOKE_NUMBERS 3u

struct revoked {
	struct revocation r;
	SLIST_ENTRY(revoked) entry;
	uint8_t text[]; /* what r.text is */
};
SLIST_HEAD(revoked_list, revoked);

struct revocations {
	struct kv *kv;
	int64_t now; /* while it is read */
	int stale;   /* something read was over */
	struct revoked_list buckets[REVOKE_BUCKETS];
};

static kv_each revoke_read;
static struct revoked_list *revoke_bucket(const struct revocations *,
    enum revoke_kind, struct bytes);
static struct revoked *revoke_find(const struct revocations *, enum revoke_kind,
    struct bytes);
static struct revoked *revoke_new(const struct revocation *);
static int revoke_key(struct buf *, enum revoke_kind, struct bytes);
static int revoke_store(struct kv *, const struct revocation *, int put);
static int revoke_durable(struct kv *, int r);
static bool revoke_holds(const struct revocations *, enum revoke_kind,
    struct bytes, const struct claims *, int64_t);

static const char revoke_octets[] = "jsa";
static const char *const revoke_names[] = { "jti", "subject", "all" };

struct revocations *
revocations_load(struct kv *kv, int64_t now)
{
	struct revocations *rs = calloc(1, sizeof(*rs));
	struct buf from = BUF_INIT, to = BUF_INIT;
	int r = -1;

	if (rs == NULL)
		return (NULL);
	rs->kv = kv;
	rs->now = now;
	key_reg(&from, 0, KEY_PLAIN, BYTES_LIT(REVOKE_NAME));
	key_reg(&to, 0, KEY_PLAIN, BYTES_LIT(REVOKE_NAME));
	key_after(&to);
	if (!from.failed && !to.failed)
		r = kv->ops->scan(kv, KV_REG, buf_bytes(&from), buf_bytes(&to),
		    0, revoke_read, rs);
	buf_free(&from);
	buf_free(&to);
	if (r == -1 || (rs->stale && revocations_expire(rs, now) == -1)) {
		revocations_free(rs);
		return (NULL);
	}
	return (rs);
}

void
revocations_free(struct revocations *rs)
{
	struct revoked *e;
	size_t i;

	for (i = 0; rs != NULL && i < REVOKE_BUCKETS; i++)
		while ((e = SLIST_FIRST(&rs->buckets[i])) != NULL) {
			SLIST_REMOVE_HEAD(&rs->buckets[i], entry);
			free(e);
		}
	free(rs);
}

int
revocations_add(struct revocations *rs, const struct revocation *r)
{
	struct revoked *old = revoke_find(rs, r->kind, r->text), *e;

	if (r->text.n > REVOKE_TEXT_MAX || (e = revoke_new(r)) == NULL)
		return (-1);
	if (old != NULL) {
		if (old->r.before > e->r.before)
			e->r.before = old->r.before;
		if (old->r.until == 0 ||
		    (e->r.until != 0 && old->r.until > e->r.until))
			e->r.until = old->r.until;
	}
	if (revoke_store(rs->kv, &e->r, 1) == -1) {
		free(e);
		return (-1);
	}
	if (old != NULL)
		old->r = (struct revocation){ r->kind, old->r.text, e->r.before,
			e->r.made, e->r.until };
	if (old != NULL)
		free(e);
	else
		SLIST_INSERT_HEAD(revoke_bucket(rs, r->kind, r->text), e,
		    entry);
	return (0);
}

int
revocations_drop(struct revocations *rs, enum revoke_kind kind,
    struct bytes text)
{
	struct revoked *e = revoke_find(rs, kind, text);

	if (e == NULL)
		return (0);
	if (revoke_store(rs->kv, &e->r, 0) == -1)
		return (-1);
	SLIST_REMOVE(revoke_bucket(rs, kind, text), e, revoked, entry);
	free(e);
	return (1);
}

int
revocations_expire(struct revocations *rs, int64_t now)
{
	struct revoked *e, *next;
	size_t i;

	for (i = 0; i < REVOKE_BUCKETS; i++)
		for (e = SLIST_FIRST(&rs->buckets[i]); e != NULL; e = next) {
			next = SLIST_NEXT(e, entry);
			if (e->r.until != 0 && e->r.until <= now &&
			    revocations_drop(rs, e->r.kind, e->r.text) == -1)
				return (-1);
		}
	return (0);
}

bool
revocations_hold(const struct revocations *rs, const struct claims *c,
    int64_t now)
{
	return (rs != NULL &&
	    ((c->jti.n > 0 && revoke_holds(rs, REVOKE_JTI, c->jti, c, now)) ||
		revoke_holds(rs, REVOKE_SUBJECT, c->sub, c, now) ||
		revoke_holds(rs, REVOKE_ALL, BYTES_NONE, c, now)));
}

bool
revocation_holds(const struct revocation *r, const struct claims *c)
{
	switch (r->kind) {
	case REVOKE_JTI:
		return (c->jti.n > 0 && bytes_eq(c->jti, r->text));
	case REVOKE_SUBJECT:
		return (bytes_eq(c->sub, r->text) && c->iat <= r->before);
	default:
		return (c->iat <= r->before);
	}
}

void
revocations_each(const struct revocations *rs, revocation_each *each, void *arg)
{
	const struct revoked *e;
	size_t i;

	for (i = 0; i < REVOKE_BUCKETS; i++)
		SLIST_FOREACH(e, &rs->buckets[i], entry)
			each(&e->r, arg);
}

const char *
revoke_kind_name(enum revoke_kind kind)
{
	return (revoke_names[kind]);
}

enum revoke_kind
revoke_kind_find(struct bytes word)
{
	unsigned int i = 0;

	while (i < REVOKE_KINDS && !bytes_eq(word, bytes_str(revoke_names[i])))
		i++;
	return ((enum revoke_kind)i);
}

static int
revoke_read(struct bytes key, struct bytes val, void *arg)
{
	const size_t head = KEY_REG_HEAD_BYTES + sizeof(REVOKE_NAME) - 1;
	struct revocations *rs = arg;
	struct revocation r;
	struct revoked *e;
	const char *kind;

	if (key.n <= head || val.n != 8 * REVOKE_NUMBERS ||
	    (kind = memchr(revoke_octets, key.p[head], REVOKE_KINDS)) == NULL)
		return (-1);
	r = (struct revocation){ (enum revoke_kind)(kind - revoke_octets),
		bytes_skip(key, head + 1), (int64_t)be64_get(val.p),
		(int64_t)be64_get(val.p + 8), (int64_t)be64_get(val.p + 16) };
	if ((e = revoke_new(&r)) == NULL)
		return (-1);
	SLIST_INSERT_HEAD(revoke_bucket(rs, r.kind, r.text), e, entry);
	rs->stale |= r.until != 0 && r.until <= rs->now;
	return (0);
}

/* FNV-1a: an operator's own words, nobody's attack. */
static struct revoked_list *
revoke_bucket(const struct revocations *rs, enum revoke_kind kind,
    struct bytes text)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind;
	size_t i;

	for (i = 0; i < text.n; i++)
		h = (h ^ text.p[i]) * 16777619u;
	return (
	    (struct revoked_list *)(uintptr_t)&rs->buckets[h % REVOKE_BUCKETS]);
}

static struct revoked *
revoke_find(const struct revocations *rs, enum revoke_kind kind,
    struct bytes text)
{
	struct revoked *e;

	SLIST_FOREACH(e, revoke_bucket(rs, kind, text), entry)
		if (e->r.kind == kind && bytes_eq(e->r.text, text))
			return (e);
	return (NULL);
}

static struct revoked *
revoke_new(const struct revocation *r)
{
	struct revoked *e = malloc(sizeof(*e) + r->text.n);

	if (e == NULL)
		return (NULL);
	e->r = *r;
	if (r->text.n > 0)
		memcpy(e->text, r->text.p, r->text.n);
	e->r.text = bytes_of(e->text, r->text.n);
	return (e);
}

static int
revoke_key(struct buf *key, enum revoke_kind kind, struct bytes text)
{
	key_reg(key, 0, KEY_PLAIN, BYTES_LIT(REVOKE_NAME));
	buf_add_u8(key, (uint8_t)revoke_octets[kind]);
	buf_add_bytes(key, text);
	return (key->failed ? -1 : 0);
}

static int
revoke_store(struct kv *kv, const struct revocation *r, int put)
{
	struct buf key = BUF_INIT;
	uint8_t val[8 * REVOKE_NUMBERS];
	int rc = -1;

	be64_put(val, (uint64_t)r->before);
	be64_put(val + 8, (uint64_t)r->made);
	be64_put(val + 16, (uint64_t)r->until);
	if (revoke_key(&key, r->kind, r->text) == 0 &&
	    kv->ops->begin(kv) == 0) {
		rc = put ? kv->ops->put(kv, KV_REG, buf_bytes(&key),
			       bytes_of(val, sizeof(val)))
			 : kv->ops->del(kv, KV_REG, buf_bytes(&key));
		rc = revoke_durable(kv, rc);
	}
	buf_free(&key);
	return (rc);
}

static int
revoke_durable(struct kv *kv, int r)
{
	if (r == -1) {
		kv->ops->abort(kv);
		return (-1);
	}
	return (kv->ops->commit(kv) == -1 ? -1 : kv->ops->flush(kv));
}

static bool
revoke_holds(const struct revocations *rs, enum revoke_kind kind,
    struct bytes text, const struct claims *c, int64_t now)
{
	const struct revoked *e = revoke_find(rs, kind, text);

	return (e != NULL && (e->r.until == 0 || e->r.until > now) &&
	    revocation_holds(&e->r, c));
}
