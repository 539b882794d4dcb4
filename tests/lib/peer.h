/*
 * A worker of a test's own making: the words of ipc.def, in any order, to a
 * broker that runs.  What cannot go wrong in a test that works is fatal.
 */
#ifndef QUIRE_PEER_H
#define QUIRE_PEER_H

#include "common/chan.h"
#include "common/codes.h"
#include "common/ring.h"
#include "common/scope.h"
#include "tests/lib/server.h"

#define PEER_MS 20000

struct peer {
	struct chan chan;
	struct msg m; /* the last one */
	struct ring ring;
	int bell; /* owned, -1 none */
	uint64_t session;
	uint64_t position;
};

/* Connects and says nothing. */
void peer_dial(struct peer *, const struct server *);
/* The same, or -1 when nobody listens. */
int peer_try(struct peer *, const struct server *);
void peer_hello(struct peer *, const struct server *);
/* The same, as one of another kind (enum hello_kind). */
void peer_hello_as(struct peer *, const struct server *, uint64_t kind);
/* Logs in to sds with a token for store; its type is what answers. */
unsigned int peer_login(struct peer *, const struct server *, const char *store,
    const char *scope, int64_t ttl_s);
enum code peer_open(struct peer *, const char *name, struct bytes card);
/* All three, and all must go well. */
void peer_join(struct peer *, const struct server *, const char *store,
    const char *scope);

void peer_send(struct peer *, const struct msg *);
/* Octets as they are; returns how many the broker's socket took. */
size_t peer_raw(struct peer *, struct bytes);
/* The next message: its type, or 0 when the broker has closed. */
unsigned int peer_next(struct peer *);
/* The next one is of that type. */
void peer_want(struct peer *, unsigned int type);
/* The next verdict has that code. */
void peer_verdict(struct peer *, enum code);
/* A KICK with that code comes, then the end; closes the peer. */
void peer_kicked(struct peer *, enum code);
void peer_close(struct peer *);

#endif
