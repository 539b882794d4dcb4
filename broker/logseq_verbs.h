/*
 * The verbs of the logseq rule that the engine decides, and what they share.
 * The table is in rule_logseq.c; the words are told in common/logseq.h.
 */
#ifndef QUIRE_LOGSEQ_VERBS_H
#define QUIRE_LOGSEQ_VERBS_H

#include "broker/logseq_edit.h"

/* Registers or records freed beside a TX, and by a SWEEP. */
#define SWEEP_A_LITTLE 64
#define SWEEP_A_LOT    500

enum code logseq_state(struct txn *, const struct submit *);
enum code logseq_tx(struct txn *, const struct submit *);
enum code logseq_reset(struct txn *, const struct submit *);
enum code logseq_upload_begin(struct txn *, const struct submit *);
enum code logseq_upload_rows(struct txn *, const struct submit *);
enum code logseq_upload_walk(struct txn *, const struct submit *);
enum code logseq_upload_schema(struct txn *, const struct submit *);
enum code logseq_upload_datoms(struct txn *, const struct submit *);
enum code logseq_upload_sum(struct txn *, const struct submit *);
enum code logseq_upload_finish(struct txn *, const struct submit *);
enum code logseq_pin(struct txn *, const struct submit *);
enum code logseq_unpin(struct txn *, const struct submit *);
enum code logseq_sweep(struct txn *, const struct submit *);
enum code logseq_online(struct txn *, const struct submit *);

/* --- logseq_person.c --- */
/* Members of a JSON object, each with a comma in front. */
void logseq_person(const struct claims *, struct buf *);

/* --- logseq_state.c --- */
/* Says a struct logseq_state. */
void logseq_tell_state(struct graph *, const struct logseq_graph *);

/* --- logseq_online.c --- */
void logseq_changed(struct txn *, uint64_t t);
void logseq_join(struct txn *);
void logseq_leave(struct txn *);
void logseq_card(struct txn *);

/* --- logseq_pin.c --- */
void graph_unpin(struct graph *, uint64_t session);
/* Pins of sessions that a crash took. */
void graph_pins_check(struct graph *);

/* --- logseq_sweep.c --- */
/* Frees up to n; 1: there is more. */
int graph_sweep(struct graph *, size_t n);
void graph_drop(struct graph *);
/* An upload that will not be finished; fine when there is none. */
void graph_drop_upload(struct graph *);

#endif
