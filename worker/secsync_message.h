/*
 * The three messages of a secsync client (secsync.md, sections 4 and 11), read
 * strictly into typed fields.  Checked here is what needs neither a key nor the
 * document's state; signatures are in secsync_verify.h.
 */
#ifndef QUIRE_SECSYNC_MESSAGE_H
#define QUIRE_SECSYNC_MESSAGE_H

#include "common/buf.h"
#include "common/secsync.h"
#include "common/json.h"

#define SECSYNC_DEPTH_MAX 8

enum secsync_kind {
	SECSYNC_KIND_NONE, /* no JSON: nothing can be said about it */
	SECSYNC_KIND_SNAPSHOT,
	SECSYNC_KIND_UPDATE,
	SECSYNC_KIND_EPHEMERAL,
};

/*
 * known and the first three point into the text that was parsed, the rest into
 * data. Zeroed is empty and good for secsync_message_free.
 */
struct secsync_message {
	enum secsync_kind kind;
	struct bytes ciphertext; /* base64url */
	struct bytes nonce;
	struct bytes signature;
	struct bytes doc;    /* docId, raw JSON without quotes */
	struct bytes key;    /* pubKey */
	struct bytes id;     /* snapshotId or refSnapshotId */
	struct bytes parent; /* parentSnapshotId, empty for the first */
	struct bytes proof;  /* parentSnapshotProof */
	struct bytes known;  /* knownSnapshotId, empty: none */
	uint64_t clock;
	struct buf clocks; /* as struct secsync_items has it */
	struct buf data; /* publicData, canonical: what is signed and relayed */
	/* refSnapshotId and clock as they came, to be echoed in a refusal. */
	struct json echo_id;
	struct json echo_clock;
};

/*
 * 0, or -1: not acceptable (or no memory).  kind and the echoes are set either
 * way.  text must stay as long as the message is used.  extra: the setting
 * secsync_extra.
 */
int secsync_message_parse(struct secsync_message *, struct bytes text,
    char *const *extra);
void secsync_message_free(struct secsync_message *);

/* Appends what is stored and relayed: see common/secsync.h.  0 or -1. */
int secsync_message_body(struct buf *, const struct secsync_message *);

/* A set of clocks {"key":number,...} as a sorted list.  0 or -1. */
int secsync_clocks_pack(struct buf *, const struct json *object);

#endif
