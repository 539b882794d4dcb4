/* The header of an unmasked WebSocket frame. */
#include "common/frame.h"

size_t
ws_header(uint8_t out[10], enum ws_opcode opcode, int fin, uint64_t len)
{
	out[0] = (uint8_t)((fin ? 0x80u : 0u) | (unsigned)opcode);
	if (len < 126) {
		out[1] = (uint8_t)len;
		return (2);
	}
	if (len <= 0xffff) {
		out[1] = 126;
		out[2] = (uint8_t)(len >> 8);
		out[3] = (uint8_t)len;
		return (4);
	}
	out[1] = 127;
	be64_put(out + 2, len);
	return (10);
}
