/* A listening Unix socket with a check of who connects. */
#ifndef QUIRE_LISTEN_H
#define QUIRE_LISTEN_H

#include <sys/types.h>

#include <event2/event.h>

struct listener;

/*
 * Takes the path over (an old socket there is removed).  allowed: a user who
 * may connect beside root and our own.  accepted gets the descriptor to keep,
 * non-blocking and close-on-exec.  NULL with errno.
 */
struct listener *listener_new(struct event_base *, const char *path,
    unsigned int mode, uid_t allowed, void (*accepted)(void *, int), void *);
void listener_free(struct listener *); /* removes the path; NULL is fine */

#endif
