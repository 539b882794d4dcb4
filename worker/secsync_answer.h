/* What is said about a message: accepted or refused (secsync.md, section 4). */
#ifndef QUIRE_SECSYNC_ANSWER_H
#define QUIRE_SECSYNC_ANSWER_H

#include "worker/conn.h"
#include "worker/secsync_message.h"

/* The ids need no escape: secsync_id_ok. */
void secsync_answer_snapshot_saved(struct conn *, struct bytes id);
void secsync_answer_update_saved(struct conn *, struct bytes id,
    uint64_t clock);
void secsync_answer_update_failed(struct conn *, struct bytes id,
    uint64_t clock, int needs_snapshot);

/* Refuses an update with the values in it as they were, whatever they were. */
void secsync_answer_echo(struct conn *, const struct secsync_message *);

#endif
