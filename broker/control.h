/*
 * Commands of the operator's socket that are jobs.
 */
#ifndef QUIRE_CONTROL_H
#define QUIRE_CONTROL_H

#include "broker/broker.h"

struct bufferevent;

/* Takes the connection over; words: what followed the command. */
typedef void control_job(struct broker *, struct bufferevent *,
    const char *words);

control_job control_metrics;	/* control_metrics.c */
control_job control_verify;	/* control_verify.c */
control_job control_stores;	/* control_stores.c */
control_job control_compact;	/* compact.c */
control_job control_backup;	/* control_backup.c */
control_job control_quarantine; /* quarantine.c */
/* control_revoke.c */
control_job control_revoke, control_forgive, control_revocations;
control_job control_trace;		       /* trace.c */
control_job control_reload;		       /* control_reload.c */
control_job control_connections, control_kick; /* control_connections.c */
/* control_store.c */
control_job control_export, control_import, control_delete;

/* Writes out what was said, and closes. */
void control_answered(struct bufferevent *);
/* What was said goes out, and then come the callbacks; or it is freed. */
void control_send(struct bufferevent *);
/* Says `error why' and closes. */
void control_refuse(struct bufferevent *, const char *why);

#endif
