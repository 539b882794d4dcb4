/*
 * Is this token genuine, in time and ours; and: make one.  What its claims mean
 * is claims.c, which keys there are is keyring.c, how it is cut is
 * common/jwt.c.
 */
#include <errno.h>
#include <stdlib.h>

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
static void token_hmac(uint8_t[32], const struct key *, struct bytes);
static size_t token_sign(uint8_t[64], const struct key *, struct bytes);
static json_t *token_mint_header(const struct key *);
static json_t *token_mint_payload(const struct token_mint *);
static int token_mint_extra(json_t *, struct bytes);
static json_t *token_mint_aud(const struct token_mint *);
static json_t *token_mint_text(struct bytes);
static int token_mint_part(struct buf *, json_t *, bool);
static int token_base64(struct buf *, struct bytes);

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
	const struct pubkey *theirs = NULL;
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

int
token_mint(const struct keyring *ring, const char *kid,
    const struct token_mint *m, struct buf *out)
{
	const struct key *key;
	uint8_t mac[JWT_MAC_MAX];
	struct bytes input;
	size_t at = out->len;
	int saved;

	if ((key = keyring_signer(ring, kid)) == NULL) {
		errno = ENOENT;
		return (-1);
	}
	if (token_mint_part(out, token_mint_header(key), false) == -1 ||
	    buf_add_u8(out, '.') == -1 ||
	    token_mint_part(out, token_mint_payload(m), true) == -1)
		goto err;
	input = bytes_skip(buf_bytes(out), at);
	if (input.n > TOKEN_MAX_BYTES) {
		errno = EMSGSIZE;
		goto err;
	}
	if (buf_add_u8(out, '.') == -1)
		goto err;
	/* The append may have moved the text. */
	input = bytes_of(buf_bytes(out).p + at, input.n);
	if (token_base64(out, bytes_of(mac, token_sign(mac, key, input))) == -1)
		goto err;
	return (0);
err:
	saved = errno;
	buf_trunc(out, at);
	errno = saved;
	return (-1);
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

static void
token_hmac(uint8_t mac[32], const struct key *key, struct bytes input)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key->secret, key->secret_n);
	crypto_auth_hmacsha256_update(&st, input.p, input.n);
	crypto_auth_hmacsha256_final(&st, mac);
	sodium_memzero(&st, sizeof(st));
}

static size_t
token_sign(uint8_t mac[64], const struct key *key, struct bytes input)
{
	if (key->alg == KEY_EDDSA) {
		crypto_sign_detached(mac, NULL, input.p, input.n, key->secret);
		return (crypto_sign_BYTES);
	}
	token_hmac(mac, key, input);
	return (crypto_auth_hmacsha256_BYTES);
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

static json_t *
token_mint_header(const struct key *key)
{
	json_t *root = json_object();

	if (json_object_set_new(root, "alg",
		json_string(key_alg_name(key->alg))) == -1 ||
	    (key->kid[0] != '\0' &&
		json_object_set_new(root, "kid", json_string(key->kid)) == -1))
		goto err;
	return (root);
err:
	json_decref(root);
	errno = ENOMEM;
	return (NULL);
}

/* jansson writes members in the order in which they were set. */
static json_t *
token_mint_payload(const struct token_mint *m)
{
	json_t *root = json_object();
	bool iss = m->iss != NULL && m->iss[0] != '\0';

	errno = EINVAL;
	if (json_object_set_new(root, "sub", token_mint_text(m->sub)) == -1 ||
	    json_object_set_new(root, "aud", token_mint_aud(m)) == -1 ||
	    json_object_set_new(root, "scope",
		json_string(scope_name(m->scope))) == -1 ||
	    json_object_set_new(root, "iat", json_integer(m->iat)) == -1)
		goto err;
	if ((m->exp != INT64_MAX &&
		json_object_set_new(root, "exp", json_integer(m->exp)) == -1) ||
	    (iss &&
		json_object_set_new(root, "iss", json_string(m->iss)) == -1) ||
	    (m->jti.n != 0 &&
		json_object_set_new(root, "jti", token_mint_text(m->jti)) ==
		    -1))
		goto err;
	if (m->extra.n != 0 && token_mint_extra(root, m->extra) == -1)
		goto err;
	return (root);
err:
	json_decref(root);
	return (NULL);
}

static int
token_mint_extra(json_t *root, struct bytes text)
{
	static const char *const fixed[] = { "sub", "aud", "scope", "iat",
		"exp", "iss", "jti" };
	json_t *extra = claims_json(text, 0);
	size_t i;
	int rc = extra == NULL ? -1 : 0;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (json_object_get(extra, fixed[i]) != NULL)
			rc = -1;
	if (rc == 0)
		rc = json_object_update(root, extra);
	json_decref(extra);
	errno = EINVAL;
	return (rc);
}

static json_t *
token_mint_aud(const struct token_mint *m)
{
	json_t *list;
	size_t i;

	if (m->aud_n == 1)
		return (token_mint_text(m->aud[0]));
	list = json_array();
	for (i = 0; i < m->aud_n; i++) {
		if (json_array_append_new(list, token_mint_text(m->aud[i])) ==
		    0)
			continue;
		json_decref(list);
		return (NULL);
	}
	return (list);
}

/* NULL if the octets are not UTF-8. */
static json_t *
token_mint_text(struct bytes text)
{
	return (json_stringn(text.n == 0 ? "" : (const char *)text.p, text.n));
}

/* Consumes root.  checked: it is a payload and must pass the reader. */
static int
token_mint_part(struct buf *out, json_t *root, bool checked)
{
	struct claims claims;
	char *text;
	int rc = 0;

	if (root == NULL)
		return (-1);
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	if (strlen(text) > TOKEN_MAX_BYTES) {
		errno = EMSGSIZE;
		rc = -1;
	} else if (checked && claims_parse(bytes_str(text), &claims) != NULL) {
		errno = EINVAL;
		rc = -1;
	} else if (checked)
		claims_free(&claims);
	if (rc == 0)
		rc = token_base64(out, bytes_str(text));
	free(text);
	return (rc);
}

static int
token_base64(struct buf *out, struct bytes octets)
{
	size_t n = BASE64URL_LEN(octets.n);
	uint8_t *p = buf_room(out, n);

	if (p == NULL)
		return (-1);
	buf_grow(out, base64url_encode((char *)p, octets));
	return (0);
}
