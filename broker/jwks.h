/*
 * The keys of an issuer elsewhere, from a JSON Web Key Set (RFC 7517 section 5)
 * that the operator has put in a file; nothing is ever fetched.
 */
#ifndef QUIRE_JWKS_H
#define QUIRE_JWKS_H

#include "common/jwt.h"
#include "broker/pubkey.h"

#define JWKS_KEYS_MAX 16

struct jwks_key {
	char kid[JWT_KID_MAX + 1];
	struct pubkey *pub;
	uint64_t mark; /* tells it from others, also from our own; not 0 */
};

struct jwks {
	size_t n;
	struct jwks_key keys[JWKS_KEYS_MAX];
};

/*
 * Keys for anything but checking RS256 or ES256 signatures are passed over.
 * What is left must be at least one key, each with a kid of its own, sound and
 * of an allowed size; and nothing private may stand in the file.  The file is
 * checked as a key file is, but others may read it.  NULL with errno, the log
 * says why.
 */
struct jwks *jwks_load(const char *path);
/* The same from a descriptor, which stays open; name is for the log. */
struct jwks *jwks_load_fd(int fd, const char *name);
void jwks_free(struct jwks *); /* NULL is fine */

/* The same from text; name stands for the file in the log. */
struct jwks *jwks_parse(const char *name, struct bytes text);

/* NULL: there is no key of that name. */
const struct jwks_key *jwks_find(const struct jwks *, struct bytes kid);
/* Whether it holds the key of that mark.  NULL holds none. */
bool jwks_marked(const struct jwks *, uint64_t mark);

#endif
