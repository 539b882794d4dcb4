/*
 * What the worker's and the broker's half of the logseq dialect say to each
 * other (protocols: logseq.md, strategy B): rooms, verbs and what each field
 * of a SUBMIT means for them, the typed form of transactions and values, what
 * the registers and the log of a graph hold.
 *
 * Transit and JSON are read by the worker alone.  The broker sees typed items,
 * and writes text only from them.  A "list" is a packed list of common/wire.h.
 * Numbers inside lists are be64 unless said otherwise; uuids are their 36
 * lower-case characters; flags are one octet, 0 or 1.
 *
 * Who is who in the tree:
 *     engine   broker/rule_logseq.c, broker/logseq_*.c
 *     index    broker/rule_logseq_index*.c: graphs, members, keys, assets;
 *              the fields of its verbs are told in common/logseq_index.h
 *     web      worker/dialect_logseq.c, worker/logseq_*.c, worker/transit*.c
 */
#ifndef QUIRE_LOGSEQ_H
#define QUIRE_LOGSEQ_H

#include "common/buf.h"
#include "common/bytes.h"
#include "common/dialects.h"

#define LOGSEQ_DIALECT ((enum dialect_id)4) /* its row in dialects.def */

/*
 * Rooms.  A session opens one document at a time: everything about one graph
 * (sync, members, keys, assets) is asked with its GRAPH open, the rest with
 * the INDEX open.  A verb of the graph reaches the index through txn_other;
 * registers only, so that no number of another document moves.
 *
 * GRAPH  name: the graph's id.  Open refuses with NO_SCOPE who has no access
 *        (and for unknown graphs), else says a struct logseq_state.  An empty
 *        card: an HTTP request, not shown to others; see LOGSEQ_CARD.
 * INDEX  name: LOGSEQ_INDEX_NAME.  Nothing in it can be fetched: its answers
 *        are in the verdicts' info, because it holds what is of others.
 */
enum logseq_room { LOGSEQ_ROOM_GRAPH, LOGSEQ_ROOM_INDEX };

#define LOGSEQ_INDEX_NAME "index"

#define LOGSEQ_UUID_LEN	       36
#define LOGSEQ_SUM_LEN	       16
#define LOGSEQ_ATTR_MAX	       512     /* octets of an attribute's name */
#define LOGSEQ_OP_MAX	       128     /* octets of an outliner-op */
#define LOGSEQ_ENTRIES_MAX     1000    /* entries of one tx/batch */
#define LOGSEQ_ITEMS_MAX       20000   /* items of one tx/batch */
#define LOGSEQ_DATOMS_MAX      250     /* datoms of one UPLOAD_DATOMS */
#define LOGSEQ_VALUE_MAX       196608  /* octets of a packed value */
#define LOGSEQ_CHANGES_MAX     100000  /* datoms that one entry may change */
#define LOGSEQ_WORK_MAX	       3000000 /* registers that a TX may go through */
#define LOGSEQ_TX_IDS_MAX      10000   /* remembered, newest */
#define LOGSEQ_TX0	       536870912u /* transaction number of t = 0 */
#define LOGSEQ_UPLOAD_IDLE_MS  120000 /* then an upload counts as given up */
#define LOGSEQ_ROW_PIECE_BYTES 65536u

/*
 * The verbs.  Where nothing is said a field is empty and the verdict has no
 * info.  Codes: NO_SCOPE (role), NOT_READY, INVALID (the worker broke this
 * contract), STORAGE.  What a Logseq client must be told of its transactions is
 * no refusal but a result in the info, because entries before a bad one stay.
 *
 * STATE     read.  info: struct logseq_state.  Take t and checksum of hello
 *           and pull/ok from here and fetch the log up to base + t.
 * TX        write.  clock: t-before.  items: list of entries (see struct
 *           logseq_entry).  body: the clients' transactions, one after the
 *           other, each as it is to stand in JSON: a string with its quotes.
 *           info: struct logseq_outcome.  The rule publishes {"type":"changed"}
 *           to all sessions but this; a writer that is told FAILED though t
 *           grew sends itself one.
 * RESET     write, manager.  Drops content, log and t.  Sockets are closed.
 *
 * Uploads are staged beside the graph and take its place in one step:
 *
 * UPLOAD_BEGIN   write, manager.  Throws away what was staged before.  A graph
 *           without content becomes not ready; one with content stays as it
 *           is, but TX is told UPLOADING until the end (or for
 *           LOGSEQ_UPLOAD_IDLE_MS after the last word of the upload).  info:
 *           a struct logseq_state with the new upload.
 *
 * UPLOAD_ROWS    write, manager.  items: list of addr, addresses (text or
 *           empty), content, in turn.  Rows are kept as they are, the last of
 *           an addr wins.
 *
 * On the finishing request the worker walks the staged rows from the root by
 * FETCH (see LOGSEQ_REG_ROW) and hands over what is live:
 *
 * UPLOAD_WALK    write, manager.  A walk begins; what an earlier one that was
 *           cut off handed over is forgotten.  info: be64, the octets of the
 *           items of all UPLOAD_ROWS so far.
 *
 * UPLOAD_SCHEMA  write, manager.  items: list of attribute name, flags octet
 *           (enum logseq_flag) in turn, from the root's :schema.  Before
 *           UPLOAD_DATOMS; may be left out.
 *
 * UPLOAD_DATOMS  write, manager.  ref: empty, or "tail" for datoms of the tail:
 *           there an ADD replaces, and RETRACT takes back.  items: list of
 *           datoms, see logseq_datom_pack; values of refs are LOGSEQ_INT.
 *           Datoms of :db/ident, :db/valueType, :db/cardinality, :db/index,
 *           :db/unique go first, in a pass of their own (twice is harmless):
 *           they say what is a ref.  At most LOGSEQ_DATOMS_MAX a SUBMIT, so
 *           that others get their turn.
 *
 * UPLOAD_SUM     write, manager.  One step of the staged checksum.  info: one
 *           octet, 1: again.  Needed only when the client gave no checksum.
 *
 * UPLOAD_FINISH  write, manager.  ref: the client's checksum, or empty.  t is
 *           0, the graph is ready.
 *
 * A TX after an upload was given up ends it: what it staged is gone.
 *
 * All but BEGIN take in clock the number of the upload as state.staged tells
 * it; STALE: it is not the one under way any more.
 *
 * PIN       read.  Begins a download.  info: struct logseq_pin.
 *
 * UNPIN     read.  Ends it.  STALE: the graph was replaced meanwhile, what was
 *           sent is worthless.  A session that leaves unpins.
 *
 * SWEEP     read.  Frees some of what RESET, an upload or a download left.
 *           info: one octet, 1: again.  For when a worker has time after its
 *           answer; every TX does a little of it as well.
 *
 * ONLINE    read.  info: the frame online-users as it is now, for those who
 * missed one.
 *
 * Index verbs: see common/logseq_index.h.  They take the numbers from
 * LOGSEQ_INDEX_VERBS on.
 */
enum logseq_verb {
	LOGSEQ_STATE = 1,
	LOGSEQ_TX,
	LOGSEQ_RESET,
	LOGSEQ_UPLOAD_BEGIN,
	LOGSEQ_UPLOAD_ROWS,
	LOGSEQ_UPLOAD_WALK,
	LOGSEQ_UPLOAD_SCHEMA,
	LOGSEQ_UPLOAD_DATOMS,
	LOGSEQ_UPLOAD_SUM,
	LOGSEQ_UPLOAD_FINISH,
	LOGSEQ_PIN,
	LOGSEQ_UNPIN,
	LOGSEQ_SWEEP,
	LOGSEQ_ONLINE,
	LOGSEQ_INDEX_VERBS = 32
};

/*
 * A card: who has one is shown in online-users.  A list of one string: the uuid
 * of the block being edited, or what is none.  Who that is the rule takes from
 * the claims.  It publishes online-users on join and leave to all, once a user,
 * and presence to the others when a card changes.
 */

/* Types of values; the octet in front of a packed value. */
enum logseq_type {
	LOGSEQ_NULL = 'n',    /* nothing; never stored */
	LOGSEQ_BOOL = 'b',    /* one octet */
	LOGSEQ_INT = 'i',     /* be64 of the number with the top bit flipped */
	LOGSEQ_FLOAT = 'f',   /* be64 of the IEEE double; all bits flipped when
			       * negative, else the top bit.  Never integral
			       * below 2^53: that is an INT */
	LOGSEQ_KEYWORD = 'k', /* name without the colon */
	LOGSEQ_UUID = 'u',    /* 36 lower-case characters */
	LOGSEQ_STRING = 's',  /* UTF-8; as entity or value of a ref: temp id */
	LOGSEQ_INSTANT = 'm', /* as INT, milliseconds */
	LOGSEQ_REF = 'r', /* be64 of the entity; stored only, never sent up */
	LOGSEQ_OPAQUE = 'o', /* Transit without cache codes */
	LOGSEQ_LOOKUP = 'l'  /* never stored: a list of attribute's name, packed
			      * value, and the whole as OPAQUE has it */
};

/* A packed value is type octet and payload; this is the same taken apart. */
struct logseq_value {
	enum logseq_type type;
	struct bytes b;
};

enum logseq_op {
	LOGSEQ_OP_ADD = 1,
	LOGSEQ_OP_RETRACT = 2,	     /* value NULL type: all of the attribute */
	LOGSEQ_OP_RETRACT_ENTITY = 3 /* neither attribute nor value */
};

/*
 * One item of a transaction as it came: a list of op (one octet), packed entity
 * (KEYWORD: an ident, STRING: a temp id, LOOKUP), attribute's name (without the
 * colon), packed value.
 */
struct logseq_item {
	enum logseq_op op;
	struct logseq_value e;
	struct bytes a;
	struct logseq_value v;
};

/*
 * One entry of a tx/batch: a list of the strings below, then one string an
 * item.
 */
struct logseq_entry {
	int seed;	    /* came as a string, not as a map */
	int broken;	    /* no Transit, no list of lists, unknown operation:
			     * it fails in its turn; no items follow */
	struct bytes tx_id; /* uuid or empty */
	struct bytes op;    /* outliner-op, or empty */
	struct bytes op_json; /* the same for JSON: quoted, or null */
	uint64_t text;	      /* octets of its transaction in the body */
	struct bytes items;   /* the rest of the list */
};

enum logseq_result {
	LOGSEQ_DONE,	    /* tx/batch/ok */
	LOGSEQ_STALE,	    /* t-before is not t */
	LOGSEQ_EMPTY,	    /* no entries */
	LOGSEQ_UPLOADING,   /* snapshot upload in progress */
	LOGSEQ_FAILED,	    /* a map entry: db transact failed */
	LOGSEQ_FAILED_SEED, /* a string entry: invalid tx */
	LOGSEQ_CYCLE	    /* a string entry: cycle; with data */
};

/*
 * What became of a TX: a list of result (be64), t, checksum (or empty), failed
 * tx-id (or empty), list of tx-ids done before it, list of missing uuids, and
 * for CYCLE the data as Transit text.
 */
struct logseq_outcome {
	enum logseq_result result;
	uint64_t t; /* now */
	struct bytes sum;
	struct bytes failed_id;
	struct bytes done_ids;
	struct bytes missing;
	struct bytes data;
};

enum logseq_role { LOGSEQ_NOBODY, LOGSEQ_MEMBER, LOGSEQ_MANAGER };

/* A list of these, in this order; sum empty: unknown. */
struct logseq_state {
	uint64_t role;
	uint64_t ready;
	uint64_t e2ee; /* as the index says */
	uint64_t t;
	uint64_t base; /* number in the log = base + t */
	uint64_t uploading;
	uint64_t gen; /* the generation of content that is live */
	struct bytes sum;
	uint64_t staged; /* the upload under way: gen of its rows; 0: none */
};

/*
 * A download reads LOGSEQ_REG_EAVT, _AEVT and _AVET of generation gen with
 * FETCH_RECORDS, page by page, while others write.  What they change meanwhile
 * is kept as LOGSEQ_REG_CHANGE and becomes the tail (addr 1) of the snapshot,
 * read last: adding what is there and taking away what is not are harmless, so
 * tree and tail together are the graph at the t at which the tail was read.
 * The root (addr 0) is sent at the end, with the counts of what was sent.
 */
struct logseq_pin {
	uint64_t gen;
	uint64_t t;
	uint64_t datoms;  /* about: in EAVT and in AEVT */
	uint64_t indexed; /* about: in AVET */
	uint64_t max_eid;
	uint64_t max_tx;
	uint64_t change; /* changes come after this number */
};

enum logseq_flag {
	LOGSEQ_FLAG_REF = 1,
	LOGSEQ_FLAG_MANY = 2,
	LOGSEQ_FLAG_INDEX = 4,
	LOGSEQ_FLAG_UNIQUE = 8
};

/*
 * Registers of a GRAPH.  gen is be32, eid be64; attr is namespace NUL name NUL;
 * a sort value orders as Datascript does (numbers, UTF-16 code units) and is
 * cut with a hash when long: take datoms apart with logseq_datom_unpack.
 *
 *     "m"                          the engine's numbers
 *     'E' gen eid attr sort        datom
 *     'A' gen attr eid sort        the same
 *     'V' gen attr sort eid        the same, of ref, index and unique ones
 *     'R' gen target attr eid      nothing: who refers to target
 *     'S' gen attr                 flags octet learned, flags octet uploaded
 *     'N' gen number               a packed datom with its op: change
 *     'W' gen addr piece(be16)     a staged row: list of addresses, content,
 *                                  cut into LOGSEQ_ROW_PIECE_BYTES
 *     'X' 'Y'                      transaction ids and their order
 *     'P' session                  pins
 *     'G' gen kind                 to be swept
 *     'i' …                        of the index half: assets
 */
#define LOGSEQ_REG_META	  'm'
#define LOGSEQ_REG_EAVT	  'E'
#define LOGSEQ_REG_AEVT	  'A'
#define LOGSEQ_REG_AVET	  'V'
#define LOGSEQ_REG_REV	  'R'
#define LOGSEQ_REG_SCHEMA 'S'
#define LOGSEQ_REG_CHANGE 'N'
#define LOGSEQ_REG_ROW	  'W'
#define LOGSEQ_REG_TX_ID  'X'
#define LOGSEQ_REG_TX_SEQ 'Y'
#define LOGSEQ_REG_PIN	  'P'
#define LOGSEQ_REG_DEAD	  'G'
#define LOGSEQ_REG_INDEX  'i'

/*
 * The log: one record a row of t, kind LOGSEQ_KIND_TX.  The body is what
 * follows {"t":N, in pull/ok: "tx":"…","outliner-op":"…"}  (over
 * LOGSEQ_LOG_INLINE_MAX it is a blob).  t is the record's number less base.
 */
#define LOGSEQ_KIND_TX	      1
#define LOGSEQ_LOG_INLINE_MAX (192u * 1024u)

/* Kinds of what is published; all are whole text frames and signals. */
enum logseq_kind {
	LOGSEQ_KIND_CHANGED = 2,
	LOGSEQ_KIND_ONLINE,
	LOGSEQ_KIND_PRESENCE
};

struct logseq_datom {
	enum logseq_op op; /* ADD but in changes and uploads */
	uint64_t e;
	struct bytes a; /* name; unpacked from a register: attr, see above */
	struct logseq_value v;
	uint64_t tx;
};

/* All: 0; packing -1: no memory; unpacking -1: malformed. */
int logseq_value_pack(struct buf *, const struct logseq_value *);
int logseq_value_unpack(struct bytes, struct logseq_value *);
/* The payload of a LOOKUP. */
struct logseq_lookup {
	struct bytes a; /* attribute's name */
	struct logseq_value v;
	struct bytes text; /* all of it as OPAQUE */
};

int logseq_lookup_unpack(struct bytes, struct logseq_lookup *);
int logseq_item_pack(struct buf *, const struct logseq_item *);
int logseq_item_unpack(struct bytes, struct logseq_item *);
int logseq_entry_pack(struct buf *, const struct logseq_entry *);
int logseq_entry_unpack(struct bytes, struct logseq_entry *);
int logseq_outcome_pack(struct buf *, const struct logseq_outcome *);
int logseq_outcome_unpack(struct bytes, struct logseq_outcome *);
int logseq_state_pack(struct buf *, const struct logseq_state *);
int logseq_state_unpack(struct bytes, struct logseq_state *);
int logseq_pin_pack(struct buf *, const struct logseq_pin *);
int logseq_pin_unpack(struct bytes, struct logseq_pin *);
/* A list: op octet, e, a, packed value, tx. */
int logseq_datom_pack(struct buf *, const struct logseq_datom *);
int logseq_datom_unpack(struct bytes, struct logseq_datom *);
/* From a register below 'E', 'A' or 'V'; borrows from both. */
int logseq_datom_of_reg(struct bytes key, struct bytes val,
    struct logseq_datom *);

void logseq_int_put(uint8_t out[8], int64_t);
int64_t logseq_int_get(struct bytes);
void logseq_float_put(uint8_t out[8], double);
double logseq_float_get(struct bytes);

/* The prefix of registers of one kind in one generation. */
#define LOGSEQ_PREFIX_LEN 5
void logseq_prefix(uint8_t out[LOGSEQ_PREFIX_LEN], char kind, uint64_t gen);

/* attr, as registers have it, of a name; -1: no name of an attribute. */
int logseq_attr_key(struct buf *, struct bytes name);
/* The sort value. */
int logseq_sort_key(struct buf *, const struct logseq_value *);

/*
 * Text from typed things: the name of an attr as it stands in a register
 * ("ns/name"); a value as Transit without cache codes (REF as a number); a
 * string in JSON, with its quotes, '~', '^' and '`' untouched; a number as
 * JavaScript prints it (a power of two may have a digit more).
 */
int logseq_attr_name(struct buf *, struct bytes attr);
int logseq_value_text(struct buf *, const struct logseq_value *);
int logseq_json_string(struct buf *, struct bytes);
int logseq_number_text(struct buf *, double);

/*
 * Between engine and index (broker).  The index half brings what is missing of
 * the contract for both: txn_kick(txn, subject or empty for all, code), which
 * closes the sessions of the document once the batch is durable, and a hook of
 * the rule that refuses FETCH (all of INDEX; 'i' of a GRAPH as it decides).
 *
 * The functions take the transaction of the graph.  access: 1 and *g filled, 0:
 * no access or no such graph, -1.
 */
struct logseq_graph {
	enum logseq_role role; /* of who asks */
	int ready;
	int e2ee;
};
struct txn;
int logseq_index_access(struct txn *graph, struct logseq_graph *);
int logseq_index_ready(struct txn *graph, int ready);

#endif
