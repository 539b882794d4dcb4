/*
 * What lanes.c (the process and the words to it) and lanes_session.c (a
 * session's lane) share.
 */
#ifndef QUIRE_LANES_PARTS_H
#define QUIRE_LANES_PARTS_H

#include "broker/fanout_words.h"
#include "broker/lanes.h"

#define LANES_BUCKETS 4096

struct lanes {
	struct broker *broker;
	int fd; /* -1: it has died */
	pid_t pid;
	struct fanout_count *count; /* shared with it */
	struct buf out;		    /* words that have not been sent */
	uint64_t next_doc;
	struct session *sessions[LANES_BUCKETS]; /* with a lane, or asked */
	TAILQ_HEAD(, session) waiting;
	struct event read_ev;
	struct event write_ev;
};

/* --- lanes.c --- */
void lanes_say(struct lanes *, enum fanout_what, uint64_t doc,
    uint64_t session);
/*
 * A word with descriptors: now, behind all else.  1: it went; 0: there is no
 * room now, lanes_room will be called; -1: not at all.
 */
int lanes_send(struct lanes *, const struct fanout_word *, const int *fds);

/* --- lanes_session.c --- */
/* Fan-out takes more: who waits is next. */
void lanes_room(struct lanes *);
/* What fan-out says of a session. */
void lanes_word(struct lanes *, const struct fanout_word *);
/* Fan-out is gone, and nobody has a lane. */
void lanes_lost(struct lanes *);

#endif
