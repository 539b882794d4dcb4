/*
 * Base64 of RFC 4648.  The URL-safe alphabet without padding is read and
 * written, canonical forms only, so that every octet string has exactly one
 * spelling; the standard alphabet is only written, and only for the WebSocket
 * handshake.  Not constant in time: nothing secret passes here.
 */
#ifndef QUIRE_BASE64URL_H
#define QUIRE_BASE64URL_H

#include <sys/types.h>

#include "common/bytes.h"

/* Characters that n octets become, without and with padding; no NUL. */
#define BASE64URL_LEN(n) ((n) / 3 * 4 + ((n) % 3 * 4 + 2) / 3)
#define BASE64_LEN(n)	 (((n) + 2) / 3 * 4)

/*
 * Writes the octets of text to out.  Their number; -1 if text is not canonical
 * (padding, another character, a length of 1 mod 4, tail bits that are not
 * zero) or if out is too small.
 */
ssize_t base64url_decode(uint8_t *out, size_t size, struct bytes text);

/* What base64url_decode would return with room enough, nothing written. */
ssize_t base64url_check(struct bytes text);

/* Write BASE64URL_LEN(n) or BASE64_LEN(n) characters and return that number. */
size_t base64url_encode(char *out, struct bytes);
size_t base64_encode(char *out, struct bytes);

/*
 * Whether text is a Sec-WebSocket-Key: 22 characters of the standard alphabet
 * and "==".  The four tail bits may be anything, as RFC 6455 and the ws library
 * have it: the key is hashed as text and never decoded.
 */
int base64_is_ws_key(struct bytes text);

#endif
