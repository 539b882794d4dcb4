/*
 * tx/batch (logseq.md, section 4): from JSON and Transit to the entries of a
 * SUBMIT, and from its outcome to the client's answer.  The same over HTTP and
 * WebSocket, for both generations of entries.
 */
#ifndef QUIRE_LOGSEQ_TX_H
#define QUIRE_LOGSEQ_TX_H

#include "common/json.h"
#include "worker/logseq.h"

enum logseq_tx_shape {
	LOGSEQ_TX_OK,
	LOGSEQ_TX_SHAPE,    /* no tx/batch at all */
	LOGSEQ_TX_NEGATIVE, /* t-before: see logseq_tx_negative */
	LOGSEQ_TX_MEMORY
};

struct logseq_tx {
	uint64_t t_before;
	int seed;	  /* entries came as strings */
	struct buf items; /* as LOGSEQ_TX wants them */
	struct buf body;
};

/* The message stays untouched; the caller frees what became of it. */
enum logseq_tx_shape logseq_tx_read(struct logseq_tx *, const struct json *);
void logseq_tx_free(struct logseq_tx *);
void logseq_tx_submit(struct logseq_web *, const struct logseq_tx *,
    uint32_t tag);

/* Messages, appended; a failure stays in the buffer. */
void logseq_tx_reply(struct buf *, const struct logseq_outcome *, int seed);
void logseq_tx_negative(struct buf *);
/* ,"checksum":"…" when it is known */
void logseq_tx_sum(struct buf *, struct bytes sum);

#endif
