/*
 * Signs with libcrypto (OpenSSL 3).
 */
#include <stdlib.h>
#include <sysexits.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/log.h"
#include "tests/lib/signer.h"

struct signer {
	EVP_PKEY *key;
	size_t half; /* octets of r and of s; 0: RSA */
};

static struct signer *signer_new(EVP_PKEY *, size_t);
static void signer_raw(struct bytes, size_t, struct buf *);
static void signer_must(int);

struct signer *
signer_rsa(unsigned int bits)
{
	return (signer_new(EVP_RSA_gen(bits), 0));
}

struct signer *
signer_ec(const char *curve)
{
	return (signer_new(EVP_EC_gen(curve),
	    strcmp(curve, "P-256") == 0 ? 32 : 48));
}

void
signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(s->key);
	free(s);
}

void
signer_sign(const struct signer *s, enum signer_how how, struct bytes text,
    struct buf *out)
{
	const EVP_MD *md = how == SIGNER_SHA512 ? EVP_sha512() : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	uint8_t sig[1024];
	size_t n = sizeof(sig);

	signer_must(EVP_DigestSignInit(ctx, &pctx, md, NULL, s->key));
	if (how == SIGNER_PSS)
		signer_must(
		    EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING));
	signer_must(EVP_DigestSign(ctx, sig, &n, text.p, text.n));
	EVP_MD_CTX_free(ctx);
	if (s->half == 0 || how == SIGNER_DER)
		buf_add(out, sig, n);
	else
		signer_raw(bytes_of(sig, n), s->half, out);
}

void
signer_number(const struct signer *s, char name, struct buf *out)
{
	const char *param = name == 'n' ? OSSL_PKEY_PARAM_RSA_N
	    : name == 'x'		? OSSL_PKEY_PARAM_EC_PUB_X
					: OSSL_PKEY_PARAM_EC_PUB_Y;
	BIGNUM *number = NULL;
	uint8_t octets[1024];
	int n;

	signer_must(EVP_PKEY_get_bn_param(s->key, param, &number));
	n = s->half == 0 ? BN_num_bytes(number) : (int)s->half;
	signer_must(BN_bn2binpad(number, octets, n) == n);
	BN_free(number);
	buf_add(out, octets, (size_t)n);
}

void
signer_public(const struct signer *s, int pem, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	signer_must(pem ? PEM_write_bio_PUBKEY(bio, s->key)
			: i2d_PUBKEY_bio(bio, s->key));
	n = BIO_get_mem_data(bio, &text);
	buf_add(out, text, (size_t)n);
	BIO_free(bio);
}

static struct signer *
signer_new(EVP_PKEY *key, size_t half)
{
	struct signer *s = calloc(1, sizeof(*s));

	signer_must(s != NULL && key != NULL);
	s->key = key;
	s->half = half;
	return (s);
}

static void
signer_raw(struct bytes der, size_t half, struct buf *out)
{
	const unsigned char *p = der.p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	uint8_t octets[128];

	signer_must(sig != NULL);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), octets, (int)half);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), octets + half, (int)half);
	ECDSA_SIG_free(sig);
	buf_add(out, octets, 2 * half);
}

static void
signer_must(int good)
{
	if (good != 1)
		fatalx(EX_SOFTWARE, "the issuer cannot sign");
}
