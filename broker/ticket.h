/*
 * Tickets: with one a worker whose broker has gone comes back to the next one
 * in the name of the session it had.  A ticket is the LOGIN of that session,
 * sealed with a key that only the store has: its holder can neither read it nor
 * change it, and it is worth no more than the token in it, which is verified
 * anew.
 */
#ifndef QUIRE_TICKET_H
#define QUIRE_TICKET_H

#include "broker/kv.h"
#include "common/ipc.h"

#define TICKET_KEY_BYTES 32u

struct ticket {
	uint64_t session;
	int64_t login_s;  /* when the token was verified, unix time */
	struct msg login; /* borrows from plain */
	struct buf plain; /* secret: ticket_free */
};

/* The store's key, made with the first start.  0, -1: the store failed. */
int ticket_key(struct kv *, uint8_t key[TICKET_KEY_BYTES]);
/* Appends a ticket; login is an IPC_LOGIN.  0, -1: no memory. */
int ticket_seal(const uint8_t key[TICKET_KEY_BYTES], uint64_t session,
    int64_t login_s, const struct msg *login, struct buf *out);
/* 0, or -1: not a ticket of this key.  *t is to be freed either way. */
int ticket_open(const uint8_t key[TICKET_KEY_BYTES], struct bytes,
    struct ticket *t);
void ticket_free(struct ticket *);

#endif
