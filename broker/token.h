/*
 * Checks and makes JSON Web Tokens (RFC 7519; RFC 8725 for what to refuse).
 *
 * The order is the point: the MAC or signature is checked over the text as it
 * arrived, with a key and an algorithm that we chose, and only then is a single
 * octet of header or payload decoded.
 */
#ifndef QUIRE_TOKEN_H
#define QUIRE_TOKEN_H

#include "common/buf.h"
#include "broker/claims.h"
#include "broker/keyring.h"
#include "broker/oidc.h"

#define TOKEN_SKEW_MAX_S 60

/* What the configuration and the dialect ask of a token beside a good MAC. */
struct token_rules {
	const char *issuer; /* iss must equal it; NULL or "": any */
	int64_t skew_s;	    /* clocks may differ by so much, at most 60 */
	bool exp_required;
	bool sub_empty;	 /* "" will do (sds) */
	bool aud_string; /* aud must be one string, no list (sds) */
	/* NULL: none but our own tokens; else who speaks for others (logseq) */
	const struct oidc *oidc;
};

/* TOKEN(name of the code, word for the log) */
#define TOKEN_RESULTS(TOKEN)                                                   \
	TOKEN(OK, "ok")                                                        \
	TOKEN(BAD_SHAPE, "bad-shape")                                          \
	TOKEN(BAD_KEY, "unknown-key")                                          \
	TOKEN(BAD_MAC, "bad-mac")                                              \
	TOKEN(BAD_HEADER, "bad-header")                                        \
	TOKEN(BAD_CLAIMS, "bad-claims")                                        \
	TOKEN(BAD_ISSUER, "bad-issuer")                                        \
	TOKEN(BAD_AUDIENCE, "bad-audience")                                    \
	TOKEN(EXPIRED, "expired")                                              \
	TOKEN(NOT_YET, "not-yet-valid")

enum token_result {
#define TOKEN_ENUM(name, word) TOKEN_##name,
	TOKEN_RESULTS(TOKEN_ENUM)
#undef TOKEN_ENUM
	    TOKEN_RESULT_COUNT
};

const char *token_result_name(int);

/*
 * input: "header.payload" as received; mac: the third part, decoded; kid: what
 * the worker read in the header, or empty; now: unix seconds.  TOKEN_OK fills
 * *out, which the caller frees with claims_free; anything else leaves it empty.
 *
 * Which key: the one named by kid.  Without kid, the keys without kid, each in
 * turn.  A kid that the ring does not have is refused, unless no key of the
 * ring has a name: then a kid tells nothing and is ignored, as the original
 * sds server does with its one secret.  Before all that, rules.oidc: a kid of
 * its key set chooses that key and no other.
 *
 * aud is read but not compared: claims_allow_store.
 */
int token_verify(const struct keyring *, const struct token_rules *,
    struct bytes input, struct bytes mac, struct bytes kid, int64_t now,
    struct claims *out);

struct token_mint {
	struct bytes sub;
	const struct bytes *aud; /* one becomes a string, several a list */
	size_t aud_n;
	enum scope scope;
	int64_t iat;
	int64_t exp;	  /* INT64_MAX: never, no claim exp */
	const char *iss;  /* NULL or "": none */
	struct bytes jti; /* empty: none */
	struct bytes
	    extra; /* a JSON object whose members are added, or empty */
};

/*
 * Appends a token to out, made with the key of that kid ("": the first without
 * one; NULL: the first that can sign).  The header is {"alg":...}, and kid if
 * the key has one; the payload sub, aud, scope, iat, exp, iss, jti and then
 * extra, without spaces: byte for byte what the sds server issues.
 *
 * 0, or -1 with errno: ENOENT no such key that can sign; EINVAL sub, scope,
 * aud or extra would be refused by token_verify, or extra redefines a claim;
 * EMSGSIZE the token would be longer than TOKEN_MAX_BYTES; ENOMEM.
 */
int token_mint(const struct keyring *, const char *kid,
    const struct token_mint *, struct buf *out);

#endif
