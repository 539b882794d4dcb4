/*
 * The handle through which a rule sees one document: the six primitives
 * (sequence number, log, register, stamped register, blob, session card) and
 * what is to happen once the batch is durable (frames to publish, the words
 * of the verdict).
 *
 * A rule checks first and writes after; a refusal leaves nothing behind.  Any
 * failing call also marks the handle failed: the batch is thrown away whatever
 * the rule answers, so a rule may check once at its end.
 */
#ifndef QUIRE_TXN_H
#define QUIRE_TXN_H

#include "broker/kv.h"
#include "common/codes.h"
#include "common/dialects.h"
#include "common/scope.h"

struct claims;

/* Octets that are here, or in a blob, or first the one and then the other. */
struct body {
	struct bytes b;
	uint64_t blob; /* 0: none */
	uint64_t size; /* octets in the blob */
};

#define BODY_OF(bytes_) ((struct body){ (bytes_), 0, 0 })

/* Who asks. */
struct txn_who {
	uint64_t session; /* 0: the broker itself */
	enum scope scope;
	struct bytes subject;
	const struct claims *claims; /* NULL: none */
	struct bytes card;
};

struct doc_id {
	enum dialect_id dialect;
	unsigned int room;
	struct bytes name;
};

enum publish_flag {
	PUBLISH_SKIP_SELF = 1, /* not to the session that caused it */
	PUBLISH_SEEN = 2, /* stub only for those who were not live at since */
	PUBLISH_TAKES = 4 /* what was shown and is stored nowhere is no more */
};

#define PUBLISH_PIECES_MAX 8
struct publish {
	unsigned int flags;
	unsigned int kind;   /* the rule's own, shown to workers */
	unsigned int opcode; /* 1 text, 2 binary */
	uint64_t seq;	     /* 0: a signal */
	uint64_t since;	     /* with PUBLISH_SEEN: from txn_position */
	struct bytes piece[PUBLISH_PIECES_MAX]; /* copied at the call */
	size_t n;
	uint64_t blob; /* != 0: body too large, workers fetch seq or blob */
	uint64_t blob_size;
};

/* What is to be done when the batch is durable; owned by the batch. */
struct effect {
	struct effect *next;
	struct publish p; /* pieces are one: the copy below */
	uint64_t origin;
	enum code kick; /* not OK: nothing is published, data is a subject */
	struct buf data;
};

struct txn_card {
	uint64_t session;
	const struct claims *claims;
	struct bytes card;
};

#define CHAIN_BYTES 32u

/* What may be done with a document: damage is kept from spreading. */
enum row_closed { ROW_OPEN, ROW_READ_ONLY, ROW_CLOSED };

/* What a document's row remembers beside its id and newest number. */
struct txn_row {
	uint64_t oldest;  /* every record up to this number is dropped */
	uint64_t records; /* in the log */
	uint64_t bytes;	  /* in log, registers, fields and their blobs */
	uint64_t fresh;	  /* of them, that compaction has yet to look at */
	uint64_t looked;  /* when it last did, unix seconds */
	uint64_t closed;  /* enum row_closed */
	uint8_t chain[CHAIN_BYTES]; /* of the log, see chain.h */
};

struct txn {
	struct kv *kv;
	struct doc_id name;
	uint64_t doc; /* store id, 0: nothing stored yet */
	uint64_t seq; /* newest number, moved by txn_append */
	struct txn_row row;
	int row_later;	   /* the caller writes the row: txn_row_save */
	int row_dirty;	   /* it is not as in the store */
	uint64_t position; /* ring position where this batch's frames begin */
	int64_t now_ms;	   /* unix time */
	struct txn_who who;
	int full; /* the disk is: SUBMITs are refused */
	int failed;
	int garbage;	    /* something was left for garbage.h */
	size_t wanted;	    /* octets of the log that a scan is for; 0: all */
	struct txn *parent; /* txn_other's: fails when this one does */
	struct effect *effects, **effects_end;
	struct buf info;
	/* The handle's own: what was read last, a key, what is written. */
	struct buf tmp, key, pack;
	/* cards of the document's sessions, oldest first */
	int (*cards)(void *arg, size_t i, struct txn_card *);
	void *cards_arg;
	/* txn_other is about to read this document's row: write it */
	int (*settle)(void *arg, const struct doc_id *);
	void *settle_arg;
	/* limits of the configuration that rules need, see config.h */
	const struct config *conf;
};

void txn_init(struct txn *, struct kv *, const struct doc_id *);
void txn_done(struct txn *); /* frees; harmless twice */
/* Finds the document in the store: fills doc and seq.  1, 0 (new), -1. */
int txn_load(struct txn *);
/*
 * Makes sure the document has a row in the store.  When the batch is thrown
 * away, doc, seq and row of the handle are wrong: load it again.
 */
int txn_create(struct txn *);
/*
 * The next document of the store after the one whose key is in *at, which is
 * replaced; empty: the first.  id->name borrows from it.  1, 0: no more, -1.
 */
int txn_doc_next(struct kv *, struct buf *at, struct doc_id *id);
/* The name leads nowhere any more; all else is the caller's.  0, -1. */
int txn_row_drop(struct txn *);
/*
 * The document is no more; all of it is erased beside live traffic (garbage.h).
 * The handle is then one of a document that is new.  0, -1.
 */
int txn_drop(struct txn *);
/* Writes the row if it is dirty: by itself after each change, or row_later. */
int txn_row_save(struct txn *);
/*
 * Another document of the same dialect, in the same transaction; it is loaded
 * and the caller's to txn_done.  Publishing belongs to the first: here it
 * fails.  name must live as long as the handle.
 */
int txn_other(struct txn *, struct txn *other, unsigned int room,
    struct bytes name);

/* A record of the log as rules and fetches see it. */
struct record {
	uint64_t seq;
	uint64_t origin;
	uint64_t time_ms;
	uint8_t kind;
	uint8_t gone;	/* a stub in the place of what was dropped: record.h */
	uint64_t first; /* of the numbers that it stands for */
	struct body body;
};

/* Appends under the next number, which is returned in *seq.  The blob of the
 * body is adopted (no longer thrown away with its session). */
int txn_append(struct txn *, unsigned int kind, const struct bytes *piece,
    size_t n, uint64_t blob, uint64_t blob_size, uint64_t *seq);
/* Makes a new document whose numbers go on after seq, as if all up to it had
 * been dropped.  0, -1. */
int txn_log_begin(struct txn *, uint64_t seq);
/* 1: found; r borrows from the handle until the next read; 0; -1. */
int txn_log_get(struct txn *, uint64_t seq, struct record *r);
typedef int txn_each_record(const struct record *, void *arg); /* as kv_each */
int txn_log_scan(struct txn *, uint64_t after, uint64_t upto, txn_each_record *,
    void *arg);
/* The same, and stubs as well. */
int txn_log_walk(struct txn *, uint64_t after, uint64_t upto, txn_each_record *,
    void *arg);
/* Record and its blob; what is not there is fine. */
int txn_log_drop(struct txn *, uint64_t seq);
/*
 * Stubs only stand from first to last: makes them one.  chain: what it is
 * after the last.
 */
int txn_log_squash(struct txn *, uint64_t first, uint64_t last,
    const uint8_t chain[CHAIN_BYTES]);
/* The digest of a record with number, wherever its body is: 0, -1. */
int txn_log_digest(struct txn *, const struct record *,
    uint8_t out[CHAIN_BYTES]);

/* Registers: compare-and-set is get and put in one transaction. */
int txn_reg_get(struct txn *, struct bytes key, struct buf *val); /* 1, 0, -1 */
int txn_reg_put(struct txn *, struct bytes key, struct bytes val);
/* The same where there is none: nothing is looked up that it might replace. */
int txn_reg_put_new(struct txn *, struct bytes key, struct bytes val);
int txn_reg_del(struct txn *, struct bytes key);
typedef int txn_each_reg(struct bytes key, struct bytes val, void *arg);
/* Keys below prefix and after `from` (empty: from the first). */
int txn_reg_scan(struct txn *, struct bytes prefix, struct bytes from,
    txn_each_reg *, void *arg);

/* Stamped registers: a value and the number at which it was set. */
struct field {
	struct bytes key;
	uint64_t stamp;
	struct body body;
};
int txn_field_put(struct txn *, struct bytes key, uint64_t stamp,
    const struct body *);
/* 1: found, value (or the head before the blob) in *val; 0; -1. */
int txn_field_get(struct txn *, struct bytes key, struct buf *val,
    struct field *);
int txn_field_del(struct txn *, struct bytes key);
typedef int txn_each_field(const struct field *, void *arg);
/* By stamp, then key: after < stamp <= upto; from: last key seen at stamp
 * after+1, or empty. */
int txn_field_scan(struct txn *, uint64_t after, uint64_t upto,
    struct bytes from, txn_each_field *, void *arg);

/* Blobs: staged by a session in slices, adopted by append or field_put. */
int txn_blob_new(struct txn *, uint64_t *blob); /* staged, empty */
/* Only while staged, slices in order: what was adopted does not change. */
int txn_blob_slice(struct txn *, uint64_t blob, uint32_t slice, struct bytes);
/* No longer thrown away with its session; fine when it was kept before. */
int txn_blob_keep(struct txn *, uint64_t blob);
/* 1: nothing has adopted it yet; 0: it is kept, or there is none; -1. */
int txn_blob_staged(struct txn *, uint64_t blob);
/* Slices and mark, large ones later; fine when there are none. */
int txn_blob_drop(struct txn *, uint64_t blob);
/* Reads up to n octets from off (a multiple of BLOB_SLICE_BYTES). */
int txn_blob_read(struct txn *, uint64_t blob, uint64_t off, size_t n,
    struct buf *out);
/* As it was when its last slice came; zeros: there is no such blob.  0, -1. */
int txn_blob_digest(struct txn *, uint64_t blob, uint8_t out[CHAIN_BYTES]);
/* Throws away every blob that a crash left staged. */
int txn_blob_sweep(struct kv *);

/* 0 and *c filled, or -1 after the last. */
int txn_card(struct txn *, size_t i, struct txn_card *c);

/* In the middle of much that reads and writes nothing: others may go on. */
void txn_rest(struct txn *);

/* Queues a frame for when the batch is durable. */
int txn_publish(struct txn *, const struct publish *);
/*
 * When the batch is durable, ends with this code the document's sessions of
 * that subject (empty: of everybody), but not the one that asks.
 */
int txn_kick(struct txn *, struct bytes subject, enum code);
/* Frees a list of effects, and what they hold. */
void effect_free(struct effect *);
/* The verdict's words; several calls append.  At most INFO_MAX_BYTES. */
int txn_info(struct txn *, struct bytes);

#endif
