/*
 * An OpenID Connect issuer elsewhere, for a relay under test: its key set in a
 * file, and tokens of one person, dan@b.example, good for a quarter of an hour.
 */
#ifndef QUIRE_ISSUER_H
#define QUIRE_ISSUER_H

#define ISSUER_NAME	"https://id.example"
#define ISSUER_AUDIENCE "client"

struct issuer {
	char *rs256; /* all owned */
	char *es256;
	char *other;	/* for another audience */
	char *stranger; /* as if of this issuer, by a key of somebody else */
};

/* 0; -1: there is no libcrypto here.  What else fails ends the program. */
int issuer_make(struct issuer *, const char *jwks_path);

#endif
