/*
 * What can be said of a public key without any library.
 */
#include "broker/pubkey.h"

static const char *const pubkey_names[] = {
	[PUBKEY_RS256] = "RS256",
	[PUBKEY_ES256] = "ES256",
};

const char *
pubkey_alg_name(enum pubkey_alg alg)
{
	return (pubkey_names[alg]);
}
