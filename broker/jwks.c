/*
 * Reads a key set.  What a key can do is pubkey.h's business, which tokens are
 * checked with it oidc.c's.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/base64url.h"
#include "common/log.h"
#include "broker/jwks.h"
#include "broker/keyring.h"

#define JWKS_NUMBER_MAX 512 /* octets of an RSA modulus */

/* Why a key cannot stay; or NULL, and the key. */
typedef const char *jwks_read_fn(const json_t *, struct pubkey **);

static const char *jwks_read(struct jwks *, struct bytes);
static const char *jwks_add(struct jwks *, const json_t *);
static uint64_t jwks_mark(const json_t *);
static const char *jwks_private(const json_t *);
static bool jwks_for_signatures(const json_t *, enum pubkey_alg);
static bool jwks_is(const json_t *, const char *, const char *);
static ssize_t jwks_number(const json_t *, const char *, uint8_t *, size_t);
static jwks_read_fn jwks_read_rsa, jwks_read_p256;

static const struct {
	const char *kty;
	const char *crv; /* NULL: the kind has none */
	enum pubkey_alg alg;
	jwks_read_fn *read;
} jwks_kinds[] = {
	{ "RSA", NULL, PUBKEY_RS256, jwks_read_rsa },
	{ "EC", "P-256", PUBKEY_ES256, jwks_read_p256 },
};

struct jwks *
jwks_load(const char *path)
{
	struct jwks *set;
	int fd, saved;

	if ((fd = keyring_open(path)) == -1)
		return (NULL);
	set = jwks_load_fd(fd, path);
	saved = errno;
	close(fd);
	errno = saved;
	return (set);
}

struct jwks *
jwks_load_fd(int fd, const char *name)
{
	struct jwks *set;
	struct stat st;
	uint8_t *text;
	int saved;

	if ((text = keyring_read(fd, name, &st)) == NULL)
		return (NULL);
	set = jwks_parse(name, bytes_of(text, (size_t)st.st_size));
	saved = errno;
	sodium_free(text);
	errno = saved;
	return (set);
}

struct jwks *
jwks_parse(const char *name, struct bytes text)
{
	const char *wrong = "memory";
	struct jwks *set;

	if (!pubkey_supported())
		wrong = "this build cannot check such keys: no libcrypto";
	else if ((set = calloc(1, sizeof(*set))) != NULL) {
		if ((wrong = jwks_read(set, text)) == NULL)
			return (set);
		jwks_free(set);
	}
	log_warnx("%s: %s", name, wrong);
	errno = EINVAL;
	return (NULL);
}

void
jwks_free(struct jwks *set)
{
	size_t i;

	if (set == NULL)
		return;
	for (i = 0; i < set->n; i++)
		pubkey_free(set->keys[i].pub);
	free(set);
}

const struct jwks_key *
jwks_find(const struct jwks *set, struct bytes kid)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (bytes_eq(bytes_str(set->keys[i].kid), kid))
			return (&set->keys[i]);
	return (NULL);
}

bool
jwks_marked(const struct jwks *set, uint64_t mark)
{
	size_t i;

	for (i = 0; set != NULL && i < set->n; i++)
		if (set->keys[i].mark == mark)
			return (true);
	return (false);
}

static const char *
jwks_read(struct jwks *set, struct bytes text)
{
	const char *wrong = NULL;
	json_error_t error;
	json_t *root, *list;
	size_t i;

	root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES,
	    &error);
	list = json_object_get(root, "keys");
	if (!json_is_array(list))
		wrong = "is no JSON object with an array \"keys\"";
	for (i = 0; wrong == NULL && i < json_array_size(list); i++)
		wrong = jwks_add(set, json_array_get(list, i));
	if (wrong == NULL && set->n == 0)
		wrong = "holds no key for RS256 or ES256 signatures";
	json_decref(root);
	return (wrong);
}

static const char *
jwks_add(struct jwks *set, const json_t *jwk)
{
	struct jwks_key *key = &set->keys[set->n];
	const char *kid = json_string_value(json_object_get(jwk, "kid"));
	const char *wrong;
	size_t i;

	if ((wrong = jwks_private(jwk)) != NULL)
		return (wrong);
	for (i = 0; i < sizeof(jwks_kinds) / sizeof(jwks_kinds[0]); i++)
		if (jwks_is(jwk, "kty", jwks_kinds[i].kty) &&
		    (jwks_kinds[i].crv == NULL ||
			jwks_is(jwk, "crv", jwks_kinds[i].crv)) &&
		    jwks_for_signatures(jwk, jwks_kinds[i].alg))
			break;
	if (i == sizeof(jwks_kinds) / sizeof(jwks_kinds[0]))
		return (NULL);
	if (set->n == JWKS_KEYS_MAX)
		return ("holds more than 16 keys");
	if (kid == NULL || !keyring_kid_ok(bytes_str(kid)))
		return ("a key's kid is not 1 to 64 printable characters");
	if (jwks_find(set, bytes_str(kid)) != NULL)
		return ("a kid stands there twice");
	if ((wrong = jwks_kinds[i].read(jwk, &key->pub)) != NULL)
		return (wrong);
	memcpy(key->kid, kid, strlen(kid) + 1);
	key->mark = jwks_mark(jwk);
	set->n++;
	return (NULL);
}

/* Of what was read: the numbers have one way to be written. */
static uint64_t
jwks_mark(const json_t *jwk)
{
	static const char *const members[] = { "kid", "n", "x", "y" };
	uint8_t hash[crypto_generichash_BYTES];
	crypto_generichash_state st;
	const char *value;
	size_t i;

	crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		value = json_string_value(json_object_get(jwk, members[i]));
		if (value != NULL)
			crypto_generichash_update(&st, (const uint8_t *)value,
			    strlen(value) + 1);
	}
	crypto_generichash_final(&st, hash, sizeof(hash));
	return (be64_get(hash) | 1);
}

/* Whoever put a secret here should hear of it. */
static const char *
jwks_private(const json_t *jwk)
{
	if (json_object_get(jwk, "d") != NULL ||
	    json_object_get(jwk, "k") != NULL)
		return ("holds a secret: public keys belong here");
	return (NULL);
}

/* What use, key_ops and alg leave out, they leave open. */
static bool
jwks_for_signatures(const json_t *jwk, enum pubkey_alg alg)
{
	const json_t *ops = json_object_get(jwk, "key_ops");
	size_t i;

	if ((json_object_get(jwk, "use") != NULL &&
		!jwks_is(jwk, "use", "sig")) ||
	    (json_object_get(jwk, "alg") != NULL &&
		!jwks_is(jwk, "alg", pubkey_alg_name(alg))))
		return (false);
	if (ops == NULL)
		return (true);
	for (i = 0; i < json_array_size(ops); i++)
		if (json_is_string(json_array_get(ops, i)) &&
		    strcmp(json_string_value(json_array_get(ops, i)),
			"verify") == 0)
			return (true);
	return (false);
}

static bool
jwks_is(const json_t *jwk, const char *member, const char *want)
{
	const char *value = json_string_value(json_object_get(jwk, member));

	return (value != NULL && strcmp(value, want) == 0);
}

static const char *
jwks_read_rsa(const json_t *jwk, struct pubkey **out)
{
	uint8_t n[JWKS_NUMBER_MAX];
	ssize_t len;

	if (!jwks_is(jwk, "e", "AQAB"))
		return ("an RSA key's exponent is not 65537");
	if ((len = jwks_number(jwk, "n", n, sizeof(n))) == -1 ||
	    (*out = pubkey_rsa(bytes_of(n, (size_t)len))) == NULL)
		return ("an RSA key's modulus is not 2048, 3072 or 4096 bits");
	return (NULL);
}

static const char *
jwks_read_p256(const json_t *jwk, struct pubkey **out)
{
	uint8_t x[PUBKEY_P256_BYTES], y[PUBKEY_P256_BYTES];

	if (jwks_number(jwk, "x", x, sizeof(x)) != sizeof(x) ||
	    jwks_number(jwk, "y", y, sizeof(y)) != sizeof(y) ||
	    (*out = pubkey_p256(bytes_of(x, sizeof(x)),
		 bytes_of(y, sizeof(y)))) == NULL)
		return ("a P-256 key is not a point of the curve");
	return (NULL);
}

static ssize_t
jwks_number(const json_t *jwk, const char *member, uint8_t *out, size_t size)
{
	const char *value = json_string_value(json_object_get(jwk, member));

	return (
	    value == NULL ? -1 : base64url_decode(out, size, bytes_str(value)));
}
