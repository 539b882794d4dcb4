/*
 * What the worker's and the broker's half of the sds dialect say to each
 * other: rooms, verbs, kinds.  The frames are those of sds clients, with the
 * first octet as their type.
 *
 * A type octet and a VALUE's key never stand in a body: they come in ref, and
 * the rule sets them in front of what it publishes.  So a read grant cannot
 * send a PATCH under another name, however large.
 */
#ifndef QUIRE_SDS_H
#define QUIRE_SDS_H

#define SDS_KEY_BYTES 32u

enum sds_room {
	SDS_ROOM_STORE, /* /ws/:store */
	SDS_ROOM_SIGNAL /* /signal/:store: text and binary, never stored */
};

enum sds_type {
	SDS_PATCH = 1,
	SDS_VALUE = 2,
	SDS_REQ_VALUE = 3,
	SDS_PRESENCE = 4,
	SDS_VALUE_CHUNK = 5
};

/*
 * patch        body: the PATCH
 * value        ref: the key; body: the octets; clock: what chunk_begin said
 *              if the room has seen them in chunks, else 0
 * chunk_begin  stores nothing; the verdict's info is the clock for value, be64
 * signal       ref: one octet, the type, or the opcode in SDS_ROOM_SIGNAL;
 *              body: the rest
 * signal_write the same, for the types that change a store
 */
enum sds_verb {
	SDS_VERB_PATCH = 1,
	SDS_VERB_VALUE,
	SDS_VERB_CHUNK_BEGIN,
	SDS_VERB_SIGNAL,
	SDS_VERB_SIGNAL_WRITE
};

/*
 * Kinds of what is stored, in the log and in the ring.  A signal's kind is its
 * ref instead; signals have no number.
 */
enum sds_kind {
	SDS_KIND_PATCH = 1,
	SDS_KIND_VALUE = 2,	   /* log: the key; the octets are in a field */
	SDS_KIND_VALUE_CHUNKED = 3 /* the same; it came in chunks */
};

#endif
