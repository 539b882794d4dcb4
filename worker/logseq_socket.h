/*
 * A client's WebSocket on a graph: one message at a time, each answered before
 * the next is read.
 */
#ifndef QUIRE_LOGSEQ_SOCKET_H
#define QUIRE_LOGSEQ_SOCKET_H

#include "worker/logseq_pull.h"

struct logseq_socket {
	int online_due; /* a list of users was missed in a pull */
	int open;	/* the upgrade was accepted */
	int seed;	/* the batch under way came as strings */
	uint64_t t_was; /* and is based on this */
	struct logseq_pull pull;
};

extern const struct logseq_steps logseq_socket_steps;

/* 0, or -1 without memory; goes with the steps' free. */
int logseq_socket_new(struct logseq_web *);
/* The graph is open, the upgrade is to be answered. */
void logseq_socket_opened(struct logseq_web *);
void logseq_socket_kicked(struct logseq_web *, enum code);

/* Hooks of struct dialect. */
void logseq_socket_message(struct conn *, unsigned int opcode, uint8_t *,
    size_t);
void logseq_socket_behind(struct conn *, uint64_t seq);
void logseq_socket_again(struct conn *, uint64_t seq);
void logseq_socket_stub(struct conn *, const struct entry *);
void logseq_socket_timer(struct conn *);

#endif
