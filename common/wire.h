/*
 * Packed lists inside IPC fields: typed items on the way up, entries on the
 * way down.  A list is a run of octet strings, each with its length in front
 * as LEB128; what the strings mean is fixed by their place.
 */
#ifndef QUIRE_WIRE_H
#define QUIRE_WIRE_H

#include "common/buf.h"
#include "common/bytes.h"

/* What FETCH asks for. */
enum fetch_what {
	FETCH_LOG = 1, /* log records with after < number <= upto, in order */
	FETCH_FIELDS =
	    2, /* stamped registers with after < stamp <= upto, by stamp */
	FETCH_FIELD = 3,   /* the stamped register named by prefix */
	FETCH_RECORDS = 4, /* plain registers below prefix, by key */
	FETCH_BLOB =
	    5, /* upto octets of blob `after`, from the offset in from (be64) */
	FETCH_ROSTER = 6 /* the cards of all sessions but the first `after`: key
			  * be64 session, body card.  from: empty, or a position
			  * in the ring (be64): refused where what a card showed
			  * was taken away behind it */
};

enum entry_flag {
	ENTRY_BLOB = 1 /* the body is blob `blob` of `size` octets: fetch it */
};

/* One fetched thing. */
struct entry {
	uint64_t seq;	  /* number, stamp, or 0 */
	uint64_t origin;  /* session that wrote it, 0 unknown */
	uint64_t time_ms; /* when it was written, unix time; 0 unknown */
	uint8_t kind;	  /* what the rule called it */
	uint8_t flags;	  /* enum entry_flag */
	struct bytes key; /* register key, or empty */
	struct bytes
	    body; /* inline body, or the head that goes before the blob */
	uint64_t blob;
	uint64_t size;
};

int entry_pack(struct buf *, const struct entry *);
/* 1: one was taken from the front of *in; 0: empty; -1: malformed. */
int entry_unpack(struct bytes *in, struct entry *);

/* One string of a list.  0, or -1 with buf's failure. */
int list_add(struct buf *, struct bytes);
/* 1: taken from the front of *in; 0: empty; -1: malformed. */
int list_next(struct bytes *in, struct bytes *out);

#endif
