/*
 * What the checks of our own tokens (token.c) and of an issuer's (oidc.c)
 * share, for after the MAC or signature was found right; and what is shared
 * with their making (token_mint.c).
 */
#ifndef QUIRE_TOKEN_PARTS_H
#define QUIRE_TOKEN_PARTS_H

#include "broker/token.h"

struct json_t;

/* HMAC-SHA256 with the key's octets. */
void token_hmac(uint8_t mac[32], const struct key *, struct bytes);

/* Cuts "header.payload" at its dot. */
bool token_parts(struct bytes input, struct bytes *header64,
    struct bytes *payload64);

/*
 * The header, if it names this algorithm and key and demands no extension;
 * else NULL.  The caller releases with json_decref.
 */
struct json_t *token_header(struct bytes header64, const char *alg,
    struct bytes kid);

/* TOKEN_OK fills *out; else a reason, and *out is empty. */
typedef const char *token_claims_fn(struct bytes json, struct claims *out);
int token_payload(struct bytes payload64, token_claims_fn *, struct claims *);

/* Issuer, times and what else the rules ask; the claims stay as they are. */
int token_claims_check(const struct token_rules *, int64_t now,
    const struct claims *);

#endif
