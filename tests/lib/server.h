/*
 * A relay of a test's own: quired and quire-worker -l as they are shipped, from
 * $QUIRE_B, on a free port of 127.0.0.1, everything else in a new directory
 * below /tmp.  What cannot go wrong in a test that works is fatal.
 */
#ifndef QUIRE_SERVER_H
#define QUIRE_SERVER_H

#include <sys/types.h>

#include "common/buf.h"

struct server {
	char dir[64];
	unsigned int port;
	const char *environment[8]; /* NAME=value, for the broker alone */
	const char *listener_environment[8]; /* likewise */
	pid_t broker;			     /* -1: does not run */
	pid_t listener; /* likewise; its workers are in its process group */
};

enum server_part { SERVER_BROKER = 1, SERVER_LISTENER = 2, SERVER_ALL = 3 };

/* Makes directory, key and configuration; starts nothing. */
void server_make(struct server *);

/* A listener beside the first, on a port of its own, for the same broker, which
 * stays the first one's to stop. */
void server_beside(struct server *, const struct server *first);

/* Adds a line to the configuration. */
void server_setting(const struct server *, const char *line);

/*
 * Starts the parts and returns when they are ready.  A broker with an
 * environment of its own may fail to: broker stays -1.
 */
void server_start(struct server *, enum server_part);

/* 1: the broker has ended by itself. */
int server_gone(struct server *);
/* Waits for the broker, which the caller has killed. */
void server_reap(struct server *);

/*
 * Ends those parts that run: SIGTERM and an exit status of 0 is demanded, or
 * (kill) SIGKILL to each and all of its children.
 */
void server_stop(struct server *, enum server_part, int kill);

/* Removes the directory.  Nothing may run. */
void server_remove(struct server *);

/* A token, with NUL, in memory that the caller frees.  ttl_s 0: for ever;
 * negative: expired so long ago. */
char *server_token(const struct server *, const char *store, const char *scope,
    int64_t ttl_s);

/*
 * One that may write every store, of that subject, with further claims (a JSON
 * object, or "").
 */
char *server_user(const struct server *, const char *subject,
    const char *extra);

/* dir/name in memory that the caller frees. */
char *server_path(const struct server *, const char *name);

/* Resident memory of a process in KiB; 0 where /proc does not tell. */
uint64_t server_rss_kib(pid_t);

#endif
