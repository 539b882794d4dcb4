/*
 * One Logseq graph over a store in memory: the rule alone, a transaction a
 * submit, fed with the clients' own text by the worker's reader.
 */
#ifndef QUIRE_LOGSEQ_RIG_H
#define QUIRE_LOGSEQ_RIG_H

#include "broker/claims.h"
#include "broker/config.h"
#include "broker/rule.h"
#include "common/logseq.h"
#include "worker/logseq_items.h"

#define RIG_GRAPH "11111111-2222-4333-8444-555555555555"
#define RIG_USER  "99999999-2222-4333-8444-555555555555"

struct rig_entry {
	const char *tx; /* Transit */
	const char *op; /* outliner-op, or NULL */
	const char *id; /* tx-id, or NULL */
	int seed;
};

/* What the last submit said, and the frames that it published, as lines. */
struct rig {
	struct kv *kv;
	struct config conf;
	struct logseq_items *reader;
	struct claims claims;
	struct bytes subject;
	uint64_t session;
	struct bytes card;
	int (*cards)(void *, size_t, struct txn_card *); /* NULL: nobody */
	int64_t now_ms;
	enum code code;
	uint64_t t; /* after the last rig_tx that could tell */
	struct buf info;
	struct buf frames;
	struct logseq_outcome out;
};

int rig_new(struct rig *);
int rig_new_on(struct rig *, struct kv *); /* which it closes */
void rig_free(struct rig *);

/* All fields as given; aborts the test program when the store fails. */
enum code rig_submit(struct rig *, unsigned int room, const char *name,
    const struct submit *);
enum code rig_verb(struct rig *, uint64_t verb);
/* Hooks of the rule, with the graph open. */
enum code rig_open(struct rig *);
void rig_join(struct rig *);
void rig_leave(struct rig *);
void rig_card(struct rig *);

/* Appends an entry to the items and the body of a TX. */
void rig_entry_pack(struct rig *, const struct rig_entry *, struct buf *items,
    struct buf *body);
/* A tx/batch at t_before; the outcome is in out. */
enum code rig_batch(struct rig *, uint64_t t_before, const struct rig_entry *,
    size_t n);
/* One entry at the current t; the result. */
enum logseq_result rig_tx(struct rig *, const char *op, const char *tx);
struct logseq_state rig_state(struct rig *);
/* Everything below a prefix: calls each register. */
int rig_scan(struct rig *, struct bytes prefix, txn_each_reg *, void *);
/* The same behind the key from. */
int rig_page(struct rig *, struct bytes prefix, struct bytes from,
    txn_each_reg *, void *);
/* Live datoms in the order of EAVT (or another kind), "e a value" a line. */
void rig_dump(struct rig *, char kind, struct buf *);
/*
 * Aborts unless EAVT and AEVT hold the same number of datoms, that which the
 * graph thinks it has, and the checksum (if known) is that of the content
 * computed anew.
 */
void rig_check(struct rig *);
/* The log's bodies, a line each. */
void rig_log(struct rig *, struct buf *);

#endif
