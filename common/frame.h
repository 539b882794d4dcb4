/*
 * The header of a WebSocket frame as a server sends it (RFC 6455, section
 * 5.2).  Both sides write it: the broker for the ring, a worker for its own
 * answers.
 */
#ifndef QUIRE_FRAME_H
#define QUIRE_FRAME_H

#include "common/bytes.h"

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

/* Writes the shortest header there is and returns its length. */
size_t ws_header(uint8_t out[10], enum ws_opcode, int fin, uint64_t len);

#endif
