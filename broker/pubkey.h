/*
 * Public keys of an issuer elsewhere: RSA and P-256, which libsodium does not
 * have, by libcrypto.  A build without it has none (pubkey_other.c).
 *
 * Few keys are good enough: RSA with a modulus of 2048, 3072 or 4096 bits and
 * the exponent 65537, and points of P-256 (RFC 7518 sections 3.3, 3.4, 6).
 */
#ifndef QUIRE_PUBKEY_H
#define QUIRE_PUBKEY_H

#include <stdbool.h>

#include "common/bytes.h"

#define PUBKEY_P256_BYTES 32 /* of a coordinate, and of half a signature */

enum pubkey_alg { PUBKEY_RS256, PUBKEY_ES256, PUBKEY_ALG_COUNT };

struct pubkey;

/* Whether this build has them. */
bool pubkey_supported(void);

/* The header's alg, exactly. */
const char *pubkey_alg_name(enum pubkey_alg);

/* NULL if it is no key of the kinds above.  The caller frees. */
struct pubkey *pubkey_rsa(struct bytes modulus);
struct pubkey *pubkey_p256(struct bytes x, struct bytes y);
void pubkey_free(struct pubkey *); /* NULL is fine */

enum pubkey_alg pubkey_alg(const struct pubkey *);

/*
 * Whether signature is this key's over text: of as many octets as the modulus
 * (RSASSA-PKCS1-v1_5), or r and s of 32 octets each and no DER (ECDSA); both
 * with SHA-256.
 */
bool pubkey_verify(const struct pubkey *, struct bytes text,
    struct bytes signature);

#endif
