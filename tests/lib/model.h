/*
 * A model of what a store is, small enough to be believed: a log, values with
 * the number at which they were set (sds), and a chain of snapshots with the
 * clocks of their authors, each a compare-and-set (secsync).  It knows nothing
 * of batches, rings, sessions and disks.
 *
 * An operation is made whole before it is sent; the broker is right when it
 * decides as model_decide does, in the order of its own numbers.
 */
#ifndef QUIRE_MODEL_H
#define QUIRE_MODEL_H

#include "common/buf.h"
#include "common/codes.h"
#include "common/ipc.h"
#include "common/secsync.h"
#include "common/wire.h"

#define MODEL_OPS     60000
#define MODEL_KEYS    5 /* values of a store */
#define MODEL_AUTHORS 4 /* of a chain */
#define MODEL_UPDATES 6 /* on a snapshot: secsync_updates_max */

/* What stands around the text of a secsync message. */
#define MODEL_BEFORE "\"ciphertext\":\""
#define MODEL_AFTER  "\",\"nonce\":\"n\",\"publicData\":{},\"signature\":\"s\""

enum model_kind { MODEL_STORE, MODEL_CHAIN };
enum model_verb { MODEL_PATCH, MODEL_VALUE, MODEL_UPDATE, MODEL_SNAPSHOT };
enum model_fate {
	MODEL_SENT,    /* nothing heard of it */
	MODEL_TAKEN,   /* a verdict said so */
	MODEL_REFUSED, /* likewise */
	MODEL_LOST     /* whoever might have done it is no more */
};

struct model_op {
	uint32_t number; /* its own, from 1 */
	enum model_verb verb;
	unsigned int key; /* of a VALUE; else who is the author */
	uint64_t clock;
	uint32_t on; /* UPDATE, SNAPSHOT: on which snapshot, 0: none */
	uint32_t id; /* SNAPSHOT: the one whose name it takes */
	uint64_t clocks[MODEL_AUTHORS]; /* SNAPSHOT: as of what it replaces,
					 * one more than each; 0: none */
	char proof[SECSYNC_HASH_LEN];
	size_t size; /* of its body */

	uint64_t session; /* that sent it */
	int ill;	  /* to a broker that was told to fail */
	enum model_fate fate;
	enum code code; /* of the verdict */
	uint64_t seq;	/* likewise, or where it was found */
	uint64_t head;	/* number of the snapshot that the verdict told */
	int found;	/* in the log */
};

struct model {
	enum model_kind kind;
	uint64_t seq; /* newest */
	const struct model_op *log[MODEL_OPS + 1];
	uint8_t may_go[MODEL_OPS + 1]; /* a compaction may have dropped it */
	/* values: the number at which each was set; 0: never */
	uint64_t value[MODEL_KEYS];
	/* the chain: its head, and one more than each author's clock */
	const struct model_op *head;
	uint64_t head_seq;
	uint64_t updates;
	uint64_t clocks[MODEL_AUTHORS];
	uint8_t ids[MODEL_OPS + 1];
};

/* What must come of it, as things stand.  Changes nothing. */
enum code model_decide(const struct model *, const struct model_op *);
/* It is done, under the next number. */
void model_apply(struct model *, const struct model_op *);
/* A compaction begins: what nobody needs may be gone from now on. */
void model_compact(struct model *);

/* What the child of a snapshot (NULL: there is none) says as its proof. */
void model_proof(const struct model_op *, char out[SECSYNC_HASH_LEN]);

/* The SUBMIT that says it; its octets live in scratch. */
void model_submit(const struct model_op *, struct msg *, struct buf *scratch);
/* What others are sent of it, and what the log and the field hold. */
void model_frame(const struct model_op *, struct buf *);
void model_record(const struct model_op *, struct buf *);
void model_body(const struct model_op *, struct buf *);
/* What an entry of the log calls it. */
unsigned int model_kind_of(const struct model_op *);
void model_key(unsigned int key, uint8_t out[32]);
/* An author's name. */
void model_author(unsigned int author, char out[SECSYNC_KEY_LEN]);

#endif
