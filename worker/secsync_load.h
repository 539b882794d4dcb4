/*
 * Messages that are made from what is stored: the document (secsync.md, section
 * 6), the payload of a refused snapshot, an entry too large for the ring.  One
 * job at a time; the ring's reader stands still meanwhile.  Long ones leave in
 * fragments as the client takes them, and are never here as a whole.
 *
 * What other clients wrote is spliced, never parsed: a record is a finished
 * piece of JSON text, and what is selected by stands before it.
 */
#ifndef QUIRE_SECSYNC_LOAD_H
#define QUIRE_SECSYNC_LOAD_H

#include "common/secsync.h"
#include "common/utf8.h"
#include "worker/conn.h"
#include "worker/pull.h"

enum secsync_form {
	SECSYNC_FORM_DOCUMENT,
	SECSYNC_FORM_OUTDATED, /* snapshot-save-failed with the same */
	SECSYNC_FORM_MISSES,   /* and with the updates only */
	SECSYNC_FORM_RELAY,  /* one record, as it would have been in the ring */
	SECSYNC_FORM_SIGNAL, /* an ephemeral message, likewise */
};

enum secsync_load_step {
	SECSYNC_LOAD_IDLE,
	SECSYNC_LOAD_KNOWN, /* which number has the snapshot it knows? */
	SECSYNC_LOAD_CHAIN,
	SECSYNC_LOAD_LOG,
};

/* What a client says it has. */
struct secsync_known {
	struct buf id;	   /* empty: nothing */
	struct buf clocks; /* as struct secsync_items has it */
	int delta;
};

struct secsync_load {
	struct conn *conn;
	enum secsync_load_step step;
	enum secsync_form form;
	const struct secsync_known *known;
	uint64_t head;	/* number of the active snapshot */
	uint64_t after; /* records after < number <= upto are still to come */
	uint64_t upto;
	int trim;    /* only updates newer than the known clocks */
	int updates; /* already in the frame */
	int records; /* links of the chain already in the frame */
	int last;    /* this page is the last one */
	struct buf cursor;
	struct buf page; /* entries; those before used are done with */
	size_t used;
	struct pull pull;
	const char *close; /* what ends the record whose blob is pulled */
	struct buf frame;  /* what of the message is still to be sent */
	struct utf8 utf8;
	int begun;   /* a fragment was sent: nothing else may be */
	int waiting; /* for secsync_load_drained */
};

void secsync_load_init(struct secsync_load *, struct conn *);
void secsync_load_free(struct secsync_load *);

/*
 * Jobs, each begun at once; only while idle.  head: NULL where there is no
 * snapshot: that frame is sent at once.  upto: newest number visible.  known
 * must stay until the end.
 */
enum code secsync_load_document(struct secsync_load *,
    const struct secsync_head *, uint64_t upto,
    const struct secsync_known *known);
void secsync_load_outdated(struct secsync_load *, const struct secsync_head *,
    uint64_t upto, const struct secsync_known *known);
void secsync_load_misses(struct secsync_load *, uint64_t head, uint64_t upto);
void secsync_load_record(struct secsync_load *, uint64_t seq);
void secsync_load_signal(struct secsync_load *, const struct entry *);

/*
 * An answer of the broker.  CODE_OK, or why the client must go; COMPACTED: what
 * was to be relayed has been dropped since.  When the step is idle again the
 * message has been sent and the reader goes on.
 */
enum code secsync_load_fetched(struct secsync_load *,
    const struct fetched_in *);
/* The client takes more. */
void secsync_load_drained(struct secsync_load *);

#endif
