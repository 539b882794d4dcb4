/*
 * The client's side of a WebSocket, over one socket, with a time limit on
 * every wait: for quirectl, and for the tests, which also want to send what no
 * decent client would.  ws:// only: TLS is a proxy's work.
 */
#ifndef QUIRE_CTL_WS_H
#define QUIRE_CTL_WS_H

#include "broker/ctl_url.h"
#include "common/buf.h"
#include "worker/ws.h"

/* Octets; memory is taken only as they are read. */
#define CTL_WS_MESSAGE_MAX ((uint64_t)1 << 32)

struct ctl_ws {
	int fd; /* -1 when closed */
	struct ws ws;
	struct buf in;	    /* read, not yet looked at */
	struct buf message; /* the message being put together */
	uint8_t control[WS_CONTROL_MAX];
	const char *why; /* after -1: what went wrong, in words */
};

struct ctl_ws_message {
	enum ws_opcode opcode; /* TEXT, BINARY, PONG or CLOSE */
	struct bytes data;     /* valid until the next call; a close's reason */
	uint16_t code;	       /* of a close */
};

/* Readies a struct that ctl_ws_close takes; no socket yet. */
void ctl_ws_init(struct ctl_ws *);
void ctl_ws_close(struct ctl_ws *); /* also when closed */

/*
 * All of these: -1 and why on failure (a broken connection, its end, a peer
 * that breaks the protocol), 0 when time_ms ran out.
 */

/* Connects the socket.  1 when it is. */
int ctl_ws_dial(struct ctl_ws *, const struct ctl_url *, int time_ms);

/* Sends the handshake with `glued' octets behind it, and reads the answer:
 * 1 when frames follow. */
int ctl_ws_upgrade(struct ctl_ws *, const struct ctl_url *, struct bytes glued,
    int time_ms);

/* Reads a response head up to and with its empty line: 1 and *head.  */
int ctl_ws_head(struct ctl_ws *, struct buf *head, int time_ms);

/* Reads until `in' holds n octets: 1. */
int ctl_ws_want(struct ctl_ws *, size_t n, int time_ms);

/* The next message: 1.  Pings are answered on the way. */
int ctl_ws_next(struct ctl_ws *, struct ctl_ws_message *, int time_ms);

/* One frame, masked; and octets as they are.  1 when the kernel has them;
 * what arrives meanwhile is kept for ctl_ws_next. */
int ctl_ws_send(struct ctl_ws *, enum ws_opcode, struct bytes, int time_ms);
int ctl_ws_write(struct ctl_ws *, struct bytes, int time_ms);

#endif
