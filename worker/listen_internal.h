/*
 * The inside of the listener, for listen.c (the loop) and listen_begin.c (what
 * comes before it), and for nobody else.
 */
#ifndef QUIRE_LISTEN_INTERNAL_H
#define QUIRE_LISTEN_INTERNAL_H

#include <poll.h>

#include "worker/away.h"
#include "worker/conn_internal.h"
#include "worker/listen.h"
#include "worker/places.h"

struct listener_state {
	const struct listen_config *config;
	struct pollfd poll[LISTEN_SOCKETS_MAX + 1]; /* the last: signals */
	int nsockets;
	const char *broker;	    /* as it is called from where we stay */
	struct sandbox_plan worker; /* what is left for a child to do */
	int spare;  /* given up to answer one client when there are no more */
	int keeper; /* keeper.h, -1 none */
	struct settings settings;
	struct places *places;
	uint64_t refused;      /* clients, since the start */
	struct conn_news news; /* for the next worker */
	struct away away;
	int64_t refused_ms; /* when that was last logged */
	int64_t trouble_ms; /* the same, of trouble of our own */
};

/*
 * From options to sockets that listen, inside of the sandbox, and signals that
 * are octets to poll for: 't' to stop, 'c' when a child has ended.  Fatal.
 */
void listen_begin(struct listener_state *);
int listen_signalled(int fd);	 /* 1: one of them was to stop */
void listen_signals_close(void); /* in a child */
/* A descriptor for nothing but to be given up; -1: none. */
int listen_spare(void);

#endif
