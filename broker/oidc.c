/*
 * What a token of an issuer elsewhere must be.  The keys are jwks.c's, the
 * arithmetic is a library's, times and header are judged as those of our own.
 */
#include <jansson.h>

#include "broker/oidc.h"
#include "broker/token_parts.h"

static bool oidc_header_ok(struct bytes, enum pubkey_alg, struct bytes);
static bool oidc_audience_ok(const struct oidc *, const struct claims *);

int
oidc_verify(const struct oidc *oidc, const struct jwks_key *key, int64_t skew_s,
    struct bytes input, struct bytes signature, struct bytes kid, int64_t now,
    struct claims *out)
{
	const struct token_rules rules = {
		.issuer = oidc->issuer,
		.skew_s = skew_s,
		.exp_required = true,
	};
	struct bytes header, payload;
	int result;

	if (!pubkey_verify(key->pub, input, signature))
		return (TOKEN_BAD_MAC);
	if (!token_parts(input, &header, &payload))
		return (TOKEN_BAD_SHAPE);
	if (!oidc_header_ok(header, pubkey_alg(key->pub), kid))
		return (TOKEN_BAD_HEADER);
	result = token_payload(payload, claims_parse_oidc, out);
	if (result == TOKEN_OK)
		result = token_claims_check(&rules, now, out);
	if (result == TOKEN_OK && !oidc_audience_ok(oidc, out))
		result = TOKEN_BAD_AUDIENCE;
	if (result != TOKEN_OK) {
		claims_free(out);
		return (result);
	}
	claims_any_store(out);
	out->key = key->mark;
	return (TOKEN_OK);
}

/*
 * Our own issuer's headers may mention keys, which we do not look at; one that
 * signs for the whole world has no reason to.
 */
static bool
oidc_header_ok(struct bytes text64, enum pubkey_alg alg, struct bytes kid)
{
	static const char *const strange[] = { "jwk", "jku", "x5c", "x5u",
		"zip", "enc" };
	json_t *root = token_header(text64, pubkey_alg_name(alg), kid);
	bool ok = root != NULL;
	size_t i;

	for (i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		if (json_object_get(root, strange[i]) != NULL)
			ok = false;
	json_decref(root);
	return (ok);
}

static bool
oidc_audience_ok(const struct oidc *oidc, const struct claims *c)
{
	size_t i, j;

	for (i = 0; i < c->aud.n; i++)
		for (j = 0; j < oidc->audience->n; j++)
			if (bytes_eq(c->aud.v[i],
				bytes_str(oidc->audience->v[j])))
				return (true);
	return (false);
}
