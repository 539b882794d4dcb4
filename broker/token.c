/*
 * Is this token genuine, in time and ours?  What its claims mean is claims.c,
 * which keys there are is keyring.c, how it is cut is common/jwt.c, and one is
 * made in token_mint.c.
 */
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "common/base64url.h"
#include "common/limits.h"
#include "common/log.h"
#include "broker/token_parts.h"

static int token_find_key(const struct keyring *, struct bytes, struct bytes,
    struct bytes, const struct key **);
static bool token_mac_ok(const struct key *, struct bytes, struct bytes);
static bool token_crit_free(const json_t *);

static const char *const token_names[] = {
#define TOKEN_NAME(name, word) word,
	TOKEN_RESULTS(TOKEN_NAME)
#undef TOKEN_NAME
};

const char *
token_result_name(int result)
{
	return (result >= 0 && result < TOKEN_RESULT_COUNT ? token_names[result]
							   : "?");
}

int
token_verify(const struct keyring *ring, const struct token_rules *rules,
    struct bytes input, struct bytes mac, struct bytes kid, int64_t now,
    struct claims *out)
{
	const struct jwks_key *theirs = NULL;
	struct bytes header, payload;
	const struct key *key;
	json_t *root;
	int result;

	memset(out, 0, sizeof(*out));
	if (input.n == 0 || input.n > TOKEN_MAX_BYTES || mac.n > JWT_MAC_MAX)
		return (TOKEN_BAD_SHAPE);
	if (rules->oidc != NULL)
		theirs = jwks_find(rules->oidc->keys, kid);
	if (theirs != NULL)
		return (oidc_verify(rules->oidc, theirs, rules->skew_s, input,
		    mac, kid, now, out));
	result = token_find_key(ring, kid, input, mac, &key);
	if (result != TOKEN_OK)
		return (result);
	if (!token_parts(input, &header, &payload))
		return (TOKEN_BAD_SHAPE);
	root = token_header(header, key_alg_name(key->alg), kid);
	if (root == NULL)
		return (TOKEN_BAD_HEADER);
	json_decref(root);
	if ((result = token_payload(payload, claims_parse, out)) == TOKEN_OK)
		result = token_claims_check(rules, now, out);
	if (result != TOKEN_OK)
		claims_free(out);
	else
		out->key = key->mark;
	return (result);
}

/* The key with which the MAC is right; all this sees is octets. */
static int
token_find_key(const struct keyring *ring, struct bytes kid, struct bytes input,
    struct bytes mac, const struct key **out)
{
	const struct key *key;

	if (ring->named == 0)
		kid = BYTES_NONE;
	if ((key = keyring_next(ring, kid, NULL)) == NULL)
		return (TOKEN_BAD_KEY);
	for (; key != NULL; key = keyring_next(ring, kid, key)) {
		if (!token_mac_ok(key, input, mac))
			continue;
		*out = key;
		return (TOKEN_OK);
	}
	return (TOKEN_BAD_MAC);
}

static bool
token_mac_ok(const struct key *key, struct bytes input, struct bytes mac)
{
	uint8_t want[crypto_auth_hmacsha256_BYTES];
	bool same;

	if (key->alg == KEY_EDDSA)
		return (mac.n == crypto_sign_BYTES &&
		    crypto_sign_verify_detached(mac.p, input.p, input.n,
			key->public) == 0);
	if (mac.n != sizeof(want))
		return (false);
	token_hmac(want, key, input);
	same = sodium_memcmp(want, mac.p, sizeof(want)) == 0;
	sodium_memzero(want, sizeof(want));
	return (same);
}

void
token_hmac(uint8_t mac[32], const struct key *key, struct bytes input)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key->secret, key->secret_n);
	crypto_auth_hmacsha256_update(&st, input.p, input.n);
	crypto_auth_hmacsha256_final(&st, mac);
	sodium_memzero(&st, sizeof(st));
}

bool
token_parts(struct bytes input, struct bytes *header64, struct bytes *payload64)
{
	const uint8_t *dot = memchr(input.p, '.', input.n);

	if (dot == NULL)
		return (false);
	*header64 = bytes_of(input.p, (size_t)(dot - input.p));
	*payload64 = bytes_skip(input, header64->n + 1);
	return (true);
}

/*
 * Signed, so it is what a holder of the key wrote; it must still say what the
 * key is for.  jku, x5u, jwk, x5c and the rest are never looked at here.
 */
struct json_t *
token_header(struct bytes header64, const char *alg, struct bytes kid)
{
	uint8_t text[TOKEN_MAX_BYTES];
	const char *says, *named;
	json_t *root, *value;
	ssize_t n;

	if ((n = base64url_decode(text, sizeof(text), header64)) == -1 ||
	    (root = claims_json(bytes_of(text, (size_t)n), 0)) == NULL)
		return (NULL);
	says = json_string_value(json_object_get(root, "alg"));
	value = json_object_get(root, "kid");
	named = value == NULL ? "" : json_string_value(value);
	if (says != NULL && strcmp(says, alg) == 0 && named != NULL &&
	    bytes_eq(bytes_str(named), kid) && token_crit_free(root))
		return (root);
	json_decref(root);
	return (NULL);
}

/*
 * We understand no extension, so whatever must be understood refuses; but for
 * b64 (RFC 7797), which is true where nothing is said.
 */
static bool
token_crit_free(const json_t *root)
{
	const json_t *b64 = json_object_get(root, "b64");
	const json_t *crit = json_object_get(root, "crit");
	const char *word = json_string_value(json_array_get(crit, 0));

	if (b64 != NULL && !json_is_true(b64))
		return (false);
	return (crit == NULL ||
	    (b64 != NULL && json_array_size(crit) == 1 && word != NULL &&
		strcmp(word, "b64") == 0));
}

int
token_payload(struct bytes payload64, token_claims_fn *parse,
    struct claims *out)
{
	uint8_t text[TOKEN_MAX_BYTES];
	const char *wrong;
	ssize_t n;

	if ((n = base64url_decode(text, sizeof(text), payload64)) == -1)
		return (TOKEN_BAD_SHAPE);
	if ((wrong = parse(bytes_of(text, (size_t)n), out)) == NULL)
		return (TOKEN_OK);
	log_debug("token refused: claim=%s", wrong);
	return (TOKEN_BAD_CLAIMS);
}

int
token_claims_check(const struct token_rules *rules, int64_t now,
    const struct claims *c)
{
	int64_t skew = rules->skew_s;

	if (skew < 0)
		skew = 0;
	if (skew > TOKEN_SKEW_MAX_S)
		skew = TOKEN_SKEW_MAX_S;
	if (rules->issuer != NULL && rules->issuer[0] != '\0' &&
	    !bytes_eq(c->iss, bytes_str(rules->issuer)))
		return (TOKEN_BAD_ISSUER);
	if (c->nbf > now + skew)
		return (TOKEN_NOT_YET);
	if (c->exp <= now - skew)
		return (TOKEN_EXPIRED);
	if ((rules->exp_required && !c->exp_given) ||
	    (!rules->sub_empty && c->sub.n == 0) ||
	    (rules->aud_string && c->aud_list))
		return (TOKEN_BAD_CLAIMS);
	return (TOKEN_OK);
}
