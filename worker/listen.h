/*
 * The accept-and-fork loop of `quire-worker -l`, where no inetd of any kind
 * does it: addresses, ceilings checked before the fork, an end in order.
 */
#ifndef QUIRE_WORKER_LISTEN_H
#define QUIRE_WORKER_LISTEN_H

#include <sys/types.h>
#include <sys/socket.h>

#include "common/ready.h"
#include "common/sandbox.h"
#include "worker/settings.h"

#define LISTEN_SOCKETS_MAX 16
#define LISTEN_PEER_MAX	   64 /* of listen_peer's text, with its NUL */

struct listen_config {
	const char *address[LISTEN_SOCKETS_MAX]; /* "host:port", "[v6]:port" */
	int naddresses;
	/* Sockets that listen already, in place of the addresses. */
	int inherited[LISTEN_SOCKETS_MAX];
	int ninherited;
	/* Connections at once, and of one IPv4 address or IPv6 /64; 0: as the
	 * broker says. */
	unsigned max;
	unsigned per_address;
	const char *broker;
	struct sandbox_plan sandbox;
	struct ready ready; /* said when clients may come */
};

/* Serves until SIGTERM or SIGINT; returns an exit status. */
int listen_run(struct listen_config *);

/* Asks the broker for its settings; the caller frees them.  -1: no answer. */
int listen_ask(const char *broker, struct settings *);

/* An address for people, without its port. */
void listen_peer(char out[LISTEN_PEER_MAX], const struct sockaddr_storage *);

#endif
