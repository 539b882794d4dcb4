/*
 * What the operator has taken back of tokens that are good by their signature:
 * one token by its jti, or what was issued to one subject, or to all, up to a
 * moment.  Kept among the store's own registers.
 */
#ifndef QUIRE_REVOKE_H
#define QUIRE_REVOKE_H

#include "broker/claims.h"
#include "broker/kv.h"

#define REVOKE_TEXT_MAX 255u

enum revoke_kind {
	REVOKE_JTI,	/* the token with that jti */
	REVOKE_SUBJECT, /* the subject's tokens issued up to before */
	REVOKE_ALL,	/* all tokens issued up to before */
	REVOKE_KINDS
};

struct revocation {
	enum revoke_kind kind;
	struct bytes text; /* jti or subject, or empty */
	int64_t before;	   /* unix time; a token that does not say counts */
	int64_t made;
	int64_t until; /* forgotten then; 0: never */
};

struct revocations;

/* Reads them and erases those whose time is over.  NULL: the store failed. */
struct revocations *revocations_load(struct kv *, int64_t now);
void revocations_free(struct revocations *); /* NULL is fine */

/*
 * Durable on return; text is copied.  One of the same kind and text is replaced
 * by the further one: the later before, the later until.  0, -1: nothing
 * happened.  No transaction may be open.
 */
int revocations_add(struct revocations *, const struct revocation *);
/* Takes it back: 1, 0: there is none, -1. */
int revocations_drop(struct revocations *, enum revoke_kind, struct bytes text);
/* Erases those whose time is over: 0, -1. */
int revocations_expire(struct revocations *, int64_t now);

/* Whether one of them holds for the token. */
bool revocations_hold(const struct revocations *, const struct claims *,
    int64_t now);
/* Whether this one does. */
bool revocation_holds(const struct revocation *, const struct claims *);

typedef void revocation_each(const struct revocation *, void *arg);
void revocations_each(const struct revocations *, revocation_each *, void *);

/* "jti", "subject", "all"; REVOKE_KINDS: another word. */
const char *revoke_kind_name(enum revoke_kind);
enum revoke_kind revoke_kind_find(struct bytes);

#endif
