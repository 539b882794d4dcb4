/*
 * Bodies of the routes that take a small JSON object and give one, for
 * logseq_graphs.c, logseq_members.c and logseq_e2ee.c.
 */
#ifndef QUIRE_LOGSEQ_BODY_H
#define QUIRE_LOGSEQ_BODY_H

#include "worker/logseq.h"

/* A check step: such a body is small. */
int logseq_body_check(struct logseq_web *, const struct http_request *);

/* 0 and the object in w->body, or -1: it has answered 400. */
int logseq_body_object(struct logseq_web *, struct json *object);
/* 400 "invalid body". */
void logseq_body_invalid(struct logseq_web *);

/*
 * Members of an object; nothing else may be where one is wanted: -1.  string:
 * appends, at most max octets decoded; 0: absent or null, 1.  bool: what is
 * absent stays as it is.  role: "manager" or "member"; absent stays.
 */
int logseq_body_string(const struct json *, const char *name, size_t max,
    struct buf *);
int logseq_body_bool(const struct json *, const char *name, uint64_t *);
int logseq_body_role(const struct json *, uint64_t *role);

/* ,"name":"text", without the comma after a bracket; empty text is null. */
void logseq_body_add(struct buf *, const char *name, struct bytes text);
void logseq_body_add_u64(struct buf *, const char *name, uint64_t);
void logseq_body_add_bool(struct buf *, const char *name, uint64_t);
void logseq_body_add_role(struct buf *, uint64_t role);
/* Sends it, or drops the connection for want of memory. */
void logseq_body_reply(struct logseq_web *, const struct buf *);

/* A verdict step of a verb that has nothing to say. */
void logseq_body_done(struct logseq_web *, const struct verdict_in *);

#endif
