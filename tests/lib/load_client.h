/*
 * Clients of the load generator: WebSockets to our relay and to those it is
 * compared with, each spoken to as it wants to be.  Every message carries a
 * marker and a number; a delivery is a marker that arrived, and on a client
 * that is in order, the number after the last one.  Anything else ends the
 * program.
 */
#ifndef QUIRE_TESTS_LOAD_CLIENT_H
#define QUIRE_TESTS_LOAD_CLIENT_H

#include "common/buf.h"

struct load_peer;

struct load_client {
	int fd;
	struct buf in;
	struct buf text; /* nats: what its frames held, joined */
	uint64_t got;	 /* deliveries */
	uint64_t bytes;	 /* octets read */
	uint64_t number; /* of the last delivery */
	int upgraded;
	int ready;    /* hears what is sent from now on */
	int greeted;  /* a message has come */
	int watched;  /* delivered is called */
	int in_order; /* numbers must come one after the other */
};

struct load {
	int ep;
	const char *host, *port;
	const char *hear; /* target of receivers, also of senders if none: */
	const char *say;
	const struct load_peer *peer;
	/* Called for each delivery to who is watched; may be NULL. */
	void (*delivered)(struct load_client *, uint64_t number);
};

/* From the environment: LOAD_PEER (quire, ws, nchan, nats), LOAD_PORT,
 * LOAD_TARGET, LOAD_SEND. */
void load_init(struct load *);
/* Connects and asks for the upgrade. */
void load_open(struct load *, struct load_client *, const char *target);
/* n receivers, all ready. */
struct load_client *load_open_all(struct load *, size_t n, const char *target);
/* Waits for events and reads; exits when nothing comes for a minute. */
void load_turn(struct load *);
/* The same for so long at most; 0: nothing came. */
int load_wait(struct load *, int time_ms);
void load_send(struct load *, struct load_client *, uint64_t number,
    size_t bytes);
/* Not read from any more. */
void load_deafen(struct load *, const struct load_client *);
/* Reads so many octets at most. */
void load_sip(struct load *, struct load_client *, size_t bytes);
void load_close(struct load_client *);

#endif
