/*
 * WebSocket frames (RFC 6455, sections 5 and 7), both roles, without a socket.
 *
 * Reading: ws_feed takes one event at a time off the front of a buffer.  The
 * payload of a message is handed out in pieces as it arrives, unmasked where it
 * lies, so that a message of 100 MiB is copied once at most; a control frame is
 * handed out whole.  A violation is refused at the first octet that shows it,
 * with the close code to answer.
 *
 * Writing: headers and close frames; the payload is the caller's.
 */
#ifndef QUIRE_WS_H
#define QUIRE_WS_H

#include <sys/types.h>

#include "common/bytes.h"
#include "common/frame.h"
#include "common/utf8.h"

enum ws_code {
	WS_CODE_NORMAL = 1000,
	WS_CODE_AWAY = 1001,
	WS_CODE_PROTOCOL = 1002,
	WS_CODE_NONE = 1005, /* stands for a close frame without a code */
	WS_CODE_UTF8 = 1007,
	WS_CODE_POLICY = 1008,
	WS_CODE_SIZE = 1009,
	WS_CODE_ERROR = 1011,
	WS_CODE_RESTART = 1012,
};

#define WS_CONTROL_MAX	 125
#define WS_REASON_MAX	 123 /* octets of a close reason */
#define WS_FRAGMENTS_MAX 16384
#define WS_HEADER_MAX	 14 /* octets of any frame's header */

/* What the reader's buffer must be able to hold: a whole control frame. */
#define WS_FEED_MIN (WS_HEADER_MAX + WS_CONTROL_MAX)

struct ws {
	/* Set by ws_init; the caller may change them before the first feed. */
	int client;		/* we are the client: frames come unmasked */
	int lengths_any;	/* lengths need not be minimal (sds) */
	uint64_t message_max;	/* octets of a message, exactly that is fine */
	uint32_t fragments_max; /* frames of a message */

	/* After -1. */
	uint16_t code;	    /* the close code to send */
	const char *reason; /* and its reason */

	/* Private: the frame and the message being read. */
	uint8_t opcode;
	uint8_t fin;
	uint8_t mask[4];
	uint8_t closed;
	uint8_t in_payload;
	uint8_t message; /* WS_TEXT, WS_BINARY, or 0 between messages */
	uint64_t at;	 /* octets of this frame's payload delivered */
	uint64_t len;	 /* and their number when it is whole */
	uint64_t total;	 /* octets of the message delivered */
	uint32_t fragments;
	struct utf8 text;
};

/* What was read; data points into the buffer given to ws_feed. */
struct ws_event {
	enum ws_opcode opcode; /* TEXT, BINARY, CLOSE, PING or PONG */
	int first;	       /* the first piece of its message */
	int last;	       /* the last one: the message is complete */
	struct bytes data;     /* a piece (may be empty), or a control payload;
				* of a CLOSE the reason */
	uint64_t declared;     /* octets of the message announced so far */
	uint64_t total;	       /* octets of it delivered, data included */
	uint16_t code;	       /* of a CLOSE, WS_CODE_NONE if it has none */
};

void ws_init(struct ws *, int client, uint64_t message_max);
/* 1: the rest of a message is still to come. */
int ws_amid(const struct ws *);

/*
 * Reads the n octets at p, which it may unmask in place.  Returns the octets
 * used, with *ev telling what they were; 0 for more, nothing changed; -1 for
 * never, with code and reason set.  After a CLOSE event everything is used up
 * in events of opcode WS_CONTINUATION, which mean nothing.
 *
 * The frame header always comes with an event of its own or with the first
 * piece, so declared is known before the payload is: room can be made in time.
 */
ssize_t ws_feed(struct ws *, uint8_t *p, size_t n, struct ws_event *ev);

/* Whether a code may stand in a close frame (RFC 6455, section 7.4). */
int ws_code_valid(unsigned code);

/* Exclusive-or with the key; at is the offset of p[0] in the payload. */
void ws_mask(uint8_t *p, size_t n, const uint8_t key[4], uint64_t at);

/* As ws_header (common/frame.h), with the mask that a client needs. */
size_t ws_header_masked(uint8_t out[WS_HEADER_MAX], enum ws_opcode, int fin,
    uint64_t len, const uint8_t key[4]);

/*
 * The payload of a close frame: the code, and the reason cut to what fits at a
 * UTF-8 boundary.  WS_CODE_NONE gives the empty one.  Returns its length.
 */
size_t ws_close_payload(uint8_t out[WS_CONTROL_MAX], unsigned code,
    struct bytes reason);

/* The whole frame as a server sends it. */
size_t ws_close_frame(uint8_t out[2 + WS_CONTROL_MAX], unsigned code,
    struct bytes reason);

#endif
