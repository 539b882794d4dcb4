/* Makes a token, and reads it as who checks it will. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "common/base64url.h"
#include "common/limits.h"
#include "broker/token_parts.h"

static size_t token_sign(uint8_t[64], const struct key *, struct bytes);
static json_t *token_mint_header(const struct key *);
static json_t *token_mint_payload(const struct token_mint *);
static int token_mint_extra(json_t *, struct bytes);
static json_t *token_mint_aud(const struct token_mint *);
static json_t *token_mint_text(struct bytes);
static int token_mint_part(struct buf *, json_t *, bool);
static int token_base64(struct buf *, struct bytes);

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
