/*
 * Limits that both sides of the IPC must agree on.  What an operator may
 * change is in broker/config.def instead and reaches a worker in WELCOME.
 */
#ifndef QUIRE_LIMITS_H
#define QUIRE_LIMITS_H

#define KIB 1024u
#define MIB (1024u * 1024u)

/* Bump on any change of ipc.def: the two sides must be of one build. */
#define IPC_VERSION 9

/*
 * The largest body (body, items and extra together) that travels inside one
 * message.  Anything larger is streamed first as a blob.
 */
#define INLINE_MAX_BYTES (256u * KIB)
/* One frame of the IPC, header of four octets apart. */
#define IPC_FRAME_MAX_BYTES (INLINE_MAX_BYTES + 64u * KIB)
/* A blob travels and is stored in slices of this size, the last one shorter. */
#define BLOB_SLICE_BYTES (64u * KIB)
/* How much one FETCH may bring back. */
#define FETCH_MAX_BYTES (256u * KIB)
/*
 * How much of anything but a blob comes by the socket: such an answer is one
 * write for the broker, as the link's socket takes it whole, and costs the
 * store little that it read too far (broker/kv_bdb_scan.c).
 */
#define FETCH_PAGE_BYTES (144u * KIB)
/* And by an area, a page with its wake-ups for each. */
#define FETCH_AREA_BYTES (512u * KIB)

#define STORE_NAME_MAX_BYTES 1024u
#define CARD_MAX_BYTES	     (64u * KIB)
#define INFO_MAX_BYTES	     (256u * KIB)
#define TOKEN_MAX_BYTES	     (8u * KIB)

/* An entry over this share of its ring goes as a stub and is fetched. */
#define RING_STUB_SHARE 4

#endif
