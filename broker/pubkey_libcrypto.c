/*
 * Public keys by libcrypto (OpenSSL from 1.1, LibreSSL).  Keys reach it as
 * SubjectPublicKeyInfo (RFC 3279, RFC 5480) that we write, since that is the
 * one way in that all of its versions share; so do ECDSA's signatures, which a
 * token carries bare.  Only fixed lengths are written, so there is little to
 * write.
 */
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "broker/pubkey.h"

#define PUBKEY_RSA_MAX_BYTES 512
#define PUBKEY_DER_MAX_BYTES (PUBKEY_RSA_MAX_BYTES + 64)
/* SEQUENCE, and two INTEGERs with a zero in front. */
#define PUBKEY_ECDSA_DER_MAX_BYTES (2 + 2 * (3 + PUBKEY_P256_BYTES))

struct pubkey {
	enum pubkey_alg alg;
	size_t signature_n;
	EVP_PKEY *evp;
};

static struct pubkey *pubkey_new(enum pubkey_alg, size_t, struct bytes);
static int pubkey_modulus_ok(struct bytes);
static size_t pubkey_der_integer(uint8_t *, struct bytes);
static size_t pubkey_ecdsa_der(uint8_t *, struct bytes);

bool
pubkey_supported(void)
{
	return (true);
}

struct pubkey *
pubkey_rsa(struct bytes modulus)
{
	/* The lengths, at 2, 21, 26 and 30, are those of 256 octets. */
	static const uint8_t head[] = { 0x30, 0x82, 0x01, 0x22, 0x30, 0x0d,
		0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
		0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82,
		0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00 };
	static const uint8_t exponent[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
	static const size_t lengths[] = { 2, 21, 26, 30 };
	uint8_t der[PUBKEY_DER_MAX_BYTES];
	size_t i, more, n;

	if (!pubkey_modulus_ok(modulus))
		return (NULL);
	memcpy(der, head, sizeof(head));
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		more = modulus.n - 256 + der[lengths[i] + 1];
		der[lengths[i]] = (uint8_t)(der[lengths[i]] + (more >> 8));
		der[lengths[i] + 1] = (uint8_t)more;
	}
	n = sizeof(head);
	memcpy(der + n, modulus.p, modulus.n);
	n += modulus.n;
	memcpy(der + n, exponent, sizeof(exponent));
	n += sizeof(exponent);
	return (pubkey_new(PUBKEY_RS256, modulus.n, bytes_of(der, n)));
}

struct pubkey *
pubkey_p256(struct bytes x, struct bytes y)
{
	static const uint8_t head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07,
		0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
		0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
		0x04 };
	uint8_t der[sizeof(head) + 2 * PUBKEY_P256_BYTES];

	if (x.n != PUBKEY_P256_BYTES || y.n != PUBKEY_P256_BYTES)
		return (NULL);
	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), x.p, x.n);
	memcpy(der + sizeof(head) + x.n, y.p, y.n);
	return (pubkey_new(PUBKEY_ES256, 2 * PUBKEY_P256_BYTES,
	    bytes_of(der, sizeof(der))));
}

void
pubkey_free(struct pubkey *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->evp);
	free(key);
}

enum pubkey_alg
pubkey_alg(const struct pubkey *key)
{
	return (key->alg);
}

bool
pubkey_verify(const struct pubkey *key, struct bytes text,
    struct bytes signature)
{
	uint8_t der[PUBKEY_ECDSA_DER_MAX_BYTES];
	EVP_MD_CTX *ctx;
	bool good;

	if (signature.n != key->signature_n)
		return (false);
	if (key->alg == PUBKEY_ES256)
		signature = bytes_of(der, pubkey_ecdsa_der(der, signature));
	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return (false);
	good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->evp) ==
		1 &&
	    EVP_DigestVerify(ctx, signature.p, signature.n, text.p, text.n) ==
		1;
	EVP_MD_CTX_free(ctx);
	return (good);
}

/* The library refuses a point that is not on the curve. */
static struct pubkey *
pubkey_new(enum pubkey_alg alg, size_t signature_n, struct bytes der)
{
	const unsigned char *p = der.p;
	struct pubkey *key;

	if ((key = calloc(1, sizeof(*key))) == NULL)
		return (NULL);
	key->alg = alg;
	key->signature_n = signature_n;
	key->evp = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (key->evp != NULL && p == der.p + der.n)
		return (key);
	pubkey_free(key);
	return (NULL);
}

/* Of the full length that it claims, and no even number. */
static int
pubkey_modulus_ok(struct bytes n)
{
	return ((n.n == 256 || n.n == 384 || n.n == PUBKEY_RSA_MAX_BYTES) &&
	    (n.p[0] & 0x80) != 0 && (n.p[n.n - 1] & 1) != 0);
}

/* r and s are positive; whether they are below the order, the library sees. */
static size_t
pubkey_ecdsa_der(uint8_t *der, struct bytes rs)
{
	size_t n = 2;

	n += pubkey_der_integer(der + n, bytes_of(rs.p, PUBKEY_P256_BYTES));
	n += pubkey_der_integer(der + n, bytes_skip(rs, PUBKEY_P256_BYTES));
	der[0] = 0x30;
	der[1] = (uint8_t)(n - 2);
	return (n);
}

static size_t
pubkey_der_integer(uint8_t *der, struct bytes value)
{
	size_t zero;

	while (value.n > 1 && value.p[0] == 0)
		value = bytes_skip(value, 1);
	zero = value.p[0] >> 7;
	der[0] = 0x02;
	der[1] = (uint8_t)(value.n + zero);
	der[2] = 0;
	memcpy(der + 2 + zero, value.p, value.n);
	return (2 + zero + value.n);
}
