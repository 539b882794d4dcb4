/*
 * A build without libcrypto: there is no such key.
 */
#include <stddef.h>

#include "broker/pubkey.h"

bool
pubkey_supported(void)
{
	return (false);
}

struct pubkey *
pubkey_rsa(struct bytes modulus)
{
	(void)modulus;
	return (NULL);
}

struct pubkey *
pubkey_p256(struct bytes x, struct bytes y)
{
	(void)x;
	(void)y;
	return (NULL);
}

void
pubkey_free(struct pubkey *key)
{
	(void)key;
}

enum pubkey_alg
pubkey_alg(const struct pubkey *key)
{
	(void)key;
	return (PUBKEY_RS256);
}

bool
pubkey_verify(const struct pubkey *key, struct bytes text,
    struct bytes signature)
{
	(void)key;
	(void)text;
	(void)signature;
	return (false);
}
