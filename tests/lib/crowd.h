/*
 * Clients of a model's document who do as a worker does, each at its own pace:
 * they send without waiting, read the ring now or later, and keep what came
 * before the model knows of it.
 */
#ifndef QUIRE_CROWD_H
#define QUIRE_CROWD_H

#include "tests/lib/model.h"
#include "tests/lib/peer.h"

#define CROWD_CLIENTS 5
#define CROWD_DUE     64
#define CROWD_SEEN    4096

/* An entry of a ring that is newer than the model. */
struct crowd_seen {
	uint64_t seq;
	uint64_t origin;
	unsigned int kind;
	int stub;
	struct buf frame;
};

/* An answer that is due. */
struct crowd_due {
	unsigned int type;
	uint64_t tag;
	uint64_t after; /* FETCHED */
};

/* Entries that were fetched while others wrote. */
struct crowd_fetched {
	uint64_t after;
	uint64_t seq;
	uint64_t oldest;
	int more;
	struct buf entries;
};

struct crowd_client {
	struct peer peer;
	int up;
	int lags;	 /* does not read its ring */
	uint64_t seq;	 /* it has all up to here */
	uint64_t answer; /* newest number it was told in a verdict */
	uint32_t signals;
	struct {
		uint64_t session;
		uint32_t number;
	} heard[CROWD_CLIENTS]; /* of the signals of the others */
	struct crowd_due due[CROWD_DUE];
	size_t ndue, due_at;
	struct crowd_seen seen[CROWD_SEEN];
	size_t nseen;
	struct crowd_fetched fetched[CROWD_DUE];
	size_t nfetched;
};

struct crowd {
	struct model model;
	const char *name;
	enum dialect_id dialect;
	struct server *server;
	int ill; /* the broker was told to fail now and then */
	struct model_op *ops;
	uint32_t *nops;
	struct crowd_client client[CROWD_CLIENTS];
	struct crowd_client auditor; /* reads the log and says nothing */
};

/*
 * Each returns 0, or -1 when the broker has gone or has ended this client,
 * which is down then; who calls decides whether that may be.
 */
int crowd_join(struct crowd *, struct crowd_client *, const char *scope);
/* Takes what is due, all of it, and checks what can be checked at once. */
int crowd_take(struct crowd *, struct crowd_client *);
/* A message, and what will answer it (NULL: nothing). */
void crowd_say(struct crowd_client *, const struct msg *,
    const struct crowd_due *);
/* What was sent before the end counts as well; then it is down. */
void crowd_end(struct crowd *, struct crowd_client *);
/* Hangs up, whatever is due. */
void crowd_drop(struct crowd_client *);
/* Reads the ring, unless it has fallen behind: then it lags. */
void crowd_glance(struct crowd *, struct crowd_client *);
/* Reads the ring; one who fell behind fetches, and nothing may be due. */
int crowd_read(struct crowd *, struct crowd_client *);
/* All entries of the log after a number, as they should be. */
int crowd_catch_up(struct crowd *, struct crowd_client *, uint64_t after);

/* What came before the model knew, now that it does. */
void crowd_settle(struct crowd *, struct crowd_client *);
void crowd_signal_text(const struct crowd *, const struct crowd_client *,
    uint32_t number, struct buf *);
/* Who is level has heard all signals. */
void crowd_heard(struct crowd *, struct crowd_client *);

/* The auditor asks; -1: it has been ended, as may be where things fail. */
int crowd_ask(struct crowd *, struct msg *);
/* Each newest value, whole, in the order of their numbers. */
void crowd_check_values(struct crowd *);
/* One of each author, and of nobody else. */
void crowd_check_clocks(struct crowd *);

#endif
