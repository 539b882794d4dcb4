/*
 * SHA-1 (FIPS 180-4), for the answer to a WebSocket handshake (RFC 6455,
 * section 1.3), which asks for it and needs no security of it.  Nothing else
 * may use it.
 */
#ifndef QUIRE_SHA1_H
#define QUIRE_SHA1_H

#include "common/bytes.h"

#define SHA1_BYTES 20

void sha1(uint8_t out[SHA1_BYTES], struct bytes);

#endif
