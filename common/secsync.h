/*
 * What the secsync dialect (worker) and the secsync rule (broker) share: the
 * verbs, what the fields of a SUBMIT mean, what the log and the registers hold,
 * and the two hashes that chain snapshots (secsync.md, section 2).
 *
 * Nothing here parses what a client wrote.
 */
#ifndef QUIRE_COMMON_SECSYNC_H
#define QUIRE_COMMON_SECSYNC_H

#include "common/buf.h"
#include "common/bytes.h"
#include "common/dialects.h"

#define SECSYNC_DIALECT ((enum dialect_id)2) /* its row in dialects.def */

#define SECSYNC_KEY_LEN	   43	/* characters of an author's key */
#define SECSYNC_HASH_LEN   43	/* characters of H(x) */
#define SECSYNC_ID_MAX	   256	/* octets of a snapshot's id */
#define SECSYNC_DOC_MAX	   256	/* octets of a document's id */
#define SECSYNC_CLOCKS_MAX 5000 /* authors in one set of clocks */

/*
 * The fields of a SUBMIT or SIGNAL.  author is always the writer's key.  body
 * is the message as every receiver gets it, without the braces around it:
 *     "ciphertext":"…","nonce":"…","publicData":{…},"signature":"…"
 *
 * SNAPSHOT   ref: parentSnapshotId; items: see secsync_items
 * UPDATE     ref: refSnapshotId; clock
 * PROBE      as UPDATE, no body: would it be taken?  Nothing is written.
 * EPHEMERAL  a signal
 *
 * STALE and MISSES_UPDATES for a SNAPSHOT come with a secsync_head in the info
 * of the verdict; to an OPEN it is in the info unless there is no snapshot yet.
 */
enum secsync_verb {
	SECSYNC_SNAPSHOT = 1,
	SECSYNC_UPDATE = 2,
	SECSYNC_PROBE = 3,
	SECSYNC_EPHEMERAL = 4
};

/* The items of a SNAPSHOT: a list of these strings, in this order. */
struct secsync_items {
	struct bytes id;     /* snapshotId */
	struct bytes proof;  /* parentSnapshotProof */
	struct bytes hash;   /* of the ciphertext */
	struct bytes clocks; /* parentSnapshotUpdateClocks: a list of key and
			      * be64 clock in turn, sorted by key */
};

/* The active snapshot, as register "s" holds it. */
struct secsync_head {
	struct bytes id;
	struct bytes proof;
	struct bytes hash;
	uint64_t seq;	  /* its number in the log */
	uint64_t updates; /* on it */
	uint64_t authors; /* that wrote them */
};

/*
 * The log holds snapshots and updates, their kind is the verb.  An update's
 * record begins with a stamp: the author's key and the clock as be64; what
 * follows, and all of a snapshot's record, is the body above.
 */
#define SECSYNC_STAMP_LEN (SECSYNC_KEY_LEN + 8)

/*
 * Registers:
 *     "s"               the head
 *     "n" id            be64 number of the snapshot with that id
 *     "k" be64 number   list of id, proof, hash: the chain in its order
 *     "c" key           be64 newest clock of that author on the active snapshot
 */
#define SECSYNC_REG_HEAD  's'
#define SECSYNC_REG_ID	  'n'
#define SECSYNC_REG_CHAIN 'k'
#define SECSYNC_REG_CLOCK 'c'

/*
 * What GRANT says of the claims: what a worker needs to judge ephemeral
 * messages, for which there is no verdict, and how fast it may read.  A list:
 * be64 whether they are allowed, be64 messages a second, be64 whether keys are
 * given, the keys.
 */
struct secsync_grant {
	uint64_t ephemeral;
	uint64_t rate; /* UINT64_MAX: no limit */
	uint64_t keys_given;
	struct bytes keys; /* the rest of the list */
};

int secsync_grant_pack(struct buf *, const struct secsync_grant *);
int secsync_grant_unpack(struct bytes, struct secsync_grant *);

/* Both 0, or -1: no memory, or malformed. */
int secsync_head_pack(struct buf *, const struct secsync_head *);
int secsync_head_unpack(struct bytes, struct secsync_head *);
int secsync_items_pack(struct buf *, const struct secsync_items *);
int secsync_items_unpack(struct bytes, struct secsync_items *);

/*
 * Whether text may be a snapshot's id here: 1 to SECSYNC_ID_MAX visible ASCII
 * characters that need no escape in JSON.  (The client makes 32 base64url
 * characters.)
 */
int secsync_id_ok(struct bytes);

/* H(text): BLAKE2b-256 in base64url. */
void secsync_hash(char out[SECSYNC_HASH_LEN], struct bytes text);

/*
 * What the child of snapshot id (with this proof and hash) must give as its
 * parentSnapshotProof; three empty strings for the first one.
 */
void secsync_proof(char out[SECSYNC_HASH_LEN], struct bytes id,
    struct bytes proof, struct bytes hash);

#endif
