/*
 * The outside of a JSON Web Token (RFC 7515 compact form): where its parts
 * are and which key it names.  What the worker needs to ask the broker; nothing
 * here is trusted, nothing needs a key, a claim is never read.
 */
#ifndef QUIRE_JWT_H
#define QUIRE_JWT_H

#include <sys/types.h>

#include "common/bytes.h"

/* Octets of a decoded MAC or signature: HS256 has 32, RS256 up to 512. */
#define JWT_MAC_MAX 512
/* Octets of a key's name. */
#define JWT_KID_MAX 64
/* Nesting of objects and arrays in header and payload. */
#define JWT_DEPTH_MAX 16

/*
 * Cuts a token at its two dots: input is "header.payload", mac64 the third
 * part, both inside token and still encoded.  -1 if there are not exactly three
 * parts, the first or second is empty or input is longer than
 * TOKEN_MAX_BYTES.
 */
int token_split(struct bytes token, struct bytes *input, struct bytes *mac64);

/*
 * A static token has no parts: TOKEN_PLAIN_MIN to TOKEN_PLAIN_MAX octets, each
 * a letter, a digit, - or _.
 */
#define TOKEN_PLAIN_MIN 32
#define TOKEN_PLAIN_MAX 128
int token_is_plain(struct bytes token);

/*
 * The kid of an encoded header, copied NUL-terminated to kid.  Returns its
 * length, 0 if there is none, or -1 if the header is no JSON object, kid
 * stands there twice, is no string of 1 to JWT_KID_MAX (and below size) octets
 * of printable ASCII, or is spelt with escapes.  Only as strict as finding a
 * key demands: the broker reads the header again, in full, after the MAC.
 */
ssize_t jwt_header_kid(struct bytes header64, char *kid, size_t size);

#endif
