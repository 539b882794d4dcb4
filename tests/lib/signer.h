/*
 * An issuer elsewhere: keys that sign as RS256 and ES256 do, and wrongly on
 * request.  Without libcrypto there is none, and who needs one skips.
 */
#ifndef QUIRE_SIGNER_H
#define QUIRE_SIGNER_H

#include "common/buf.h"

enum signer_how {
	SIGNER_RIGHT, /* RSASSA-PKCS1-v1_5 or r and s, with SHA-256 */
	SIGNER_SHA512,
	SIGNER_PSS, /* RSA alone */
	SIGNER_DER  /* ECDSA alone: as most libraries give it */
};

struct signer;

/* NULL: no libcrypto here.  Whatever else fails ends the program. */
struct signer *signer_rsa(unsigned int bits);
struct signer *signer_ec(const char *curve); /* "P-256", "P-384" */
void signer_free(struct signer *);

/* Appends a signature's octets. */
void signer_sign(const struct signer *, enum signer_how, struct bytes text,
    struct buf *out);
/* Appends a number of the public key: 'n', 'x' or 'y'. */
void signer_number(const struct signer *, char, struct buf *out);
/* Appends the public key as SubjectPublicKeyInfo, in DER or PEM. */
void signer_public(const struct signer *, int pem, struct buf *out);

#endif
