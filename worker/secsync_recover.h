/*
 * What a connection does after it refused an update (secsync.md, section 7).
 *
 * The client answers any refusal by merging all its unacknowledged updates into
 * one, but others may be under way already; to acknowledge one of those would
 * lose the content of the refused one for good.  So after a refusal a PING goes
 * around.  What arrives before it is back was sent before the client saw the
 * refusal, and is forgotten: it will be in the merged one.  What arrives then
 * may still have been, where the client was busy, and is held until it has been
 * quiet for a while.  No quiet counts before: a round trip may take long.
 *
 * No socket, no clock, no broker: the caller says what happened and does what
 * it is told.
 */
#ifndef QUIRE_SECSYNC_RECOVER_H
#define QUIRE_SECSYNC_RECOVER_H

#include "common/buf.h"
#include "common/secsync.h"

#define SECSYNC_QUIET_MS      400
#define SECSYNC_HELD_MAX      ((size_t)4 * 1024 * 1024) /* octets, or one update */
#define SECSYNC_REFUSALS_FREE 3	 /* in a row before they are delayed */
#define SECSYNC_REFUSALS_MAX  30 /* in a row before the connection ends */
#define SECSYNC_DELAY_MS      100
#define SECSYNC_DELAY_MAX_MS  5000

struct secsync_update {
	struct bytes id; /* refSnapshotId */
	struct bytes key;
	uint64_t clock;
	struct bytes body;
};

/* Zeroed is the normal state; secsync_recover_free gives the memory back. */
struct secsync_recover {
	int on;
	int pong;	   /* the newest refusal's PING has come back */
	unsigned refusals; /* in a row, without a commit */
	int64_t due_ms;	   /* when recovery ends; 0: not before the pong */
	struct buf held;   /* a list: id, key, clock, body, and the next */
	size_t held_count;
	size_t taken; /* octets of held already taken */
	struct {
		uint8_t id[SECSYNC_ID_MAX];
		size_t id_len;
		uint8_t key[SECSYNC_KEY_LEN];
		uint64_t clock; /* of the first that is held */
	} first;
};

enum secsync_act {
	SECSYNC_ACT_COMMIT,	 /* submit it */
	SECSYNC_ACT_NOTHING,	 /* it is held, or may be forgotten */
	SECSYNC_ACT_REFUSE,	 /* refuse it */
	SECSYNC_ACT_REFUSE_HELD, /* refuse the first that was held, see
				  * secsync_recover_first; forget this one */
};

/* A valid update came; acceptable: the document would take it now. */
enum secsync_act secsync_recover_update(struct secsync_recover *,
    const struct secsync_update *, int acceptable, int64_t now_ms);

/*
 * How long to wait before the next refusal is sent, -1: send document-error and
 * close instead.
 */
int secsync_recover_delay_ms(const struct secsync_recover *);
/* A refusal and the PING before it were sent. */
void secsync_recover_refused(struct secsync_recover *);
/* Something of this connection was committed. */
void secsync_recover_committed(struct secsync_recover *);
/* That PING came back. */
void secsync_recover_pong(struct secsync_recover *, int64_t now_ms);
/*
 * A snapshot came: recovery is over.  1: refuse the first that was held before
 * the snapshot is looked at; 0: nothing was held.
 */
int secsync_recover_snapshot(struct secsync_recover *);
/*
 * due_ms has passed: recovery is over; take what was held in order and submit
 * it.  At the first that is not acceptable: secsync_recover_forget and refuse.
 */
void secsync_recover_expire(struct secsync_recover *);
/* 1 and the next one, good until the next call; 0 after the last. */
int secsync_recover_take(struct secsync_recover *, struct secsync_update *);
void secsync_recover_forget(struct secsync_recover *);
/* The first that is or was last held: id, key and clock. */
void secsync_recover_first(const struct secsync_recover *,
    struct secsync_update *);
void secsync_recover_free(struct secsync_recover *);

#endif
