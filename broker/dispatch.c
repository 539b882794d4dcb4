/*
 * The gate: direction, session state and scope of every message are checked
 * here, from the table, before any handler runs.  The walker has checked shape
 * and field lengths already.  What does not pass ends the session.
 */
#include <time.h>

#include "broker/lanes.h"
#include "broker/trace.h"
#include "common/log.h"

static int (*const handlers[IPC_COUNT])(struct session *,
    const struct msg *) = {
	[IPC_HELLO] = handle_hello,
	[IPC_LOGIN] = handle_login,
	[IPC_RESUME] = handle_resume,
	[IPC_OPEN] = handle_queue,
	[IPC_SUBMIT] = handle_queue,
	[IPC_SIGNAL] = handle_queue,
	[IPC_CARD] = handle_queue,
	[IPC_FETCH] = handle_queue,
	[IPC_BLOB_PUT] = handle_blob_put,
	[IPC_BLOB_DATA] = handle_blob_data,
	[IPC_BLOB_DONE] = handle_blob_done,
	[IPC_MINT] = handle_mint,
	[IPC_BYE] = handle_bye,
	[IPC_SYNC] = handle_queue,
	[IPC_CLOSE] = handle_close,
	[IPC_LANE] = handle_lane,
	[IPC_TALLY] = handle_tally,
	[IPC_HEARD] = handle_told,
	[IPC_SAID] = handle_told,
	[IPC_LINK] = handle_link,
};

static int dispatch_vain(const struct session *, const struct msg *);
static unsigned int dispatch_states(const struct session *);
static int dispatch_refuse(struct session *, const struct msg *, enum code);
static int dispatch_verb_ok(const struct session *, const struct msg *);

int
dispatch(struct session *s, const struct msg *m)
{
	const struct ipc_row *row = ipc_row(m->type);

	log_debug("session %llu > %s", (unsigned long long)s->id,
	    ipc_name(m->type));
	trace(s, m, TRACE_IN);
	if ((s->kicked && m->type != IPC_BYE && m->type != IPC_TALLY) ||
	    dispatch_vain(s, m))
		return (0); /* sent before it could know */
	if (session_ended(s, (int64_t)time(NULL))) {
		/* Before the timer, which does not count a machine's sleep. */
		session_kick(s, CODE_EXPIRED);
		return (0);
	}
	if (row == NULL || row->sender != IPC_FROM_WORKER ||
	    handlers[m->type] == NULL)
		return (dispatch_refuse(s, m, CODE_BAD_MESSAGE));
	if ((row->states & dispatch_states(s)) == 0)
		return (dispatch_refuse(s, m, CODE_BAD_STATE));
	if (row->scope != SCOPE_NONE &&
	    !scope_covers(s->scope, (enum scope)row->scope))
		return (dispatch_refuse(s, m, CODE_NO_SCOPE));
	if ((m->type == IPC_SUBMIT || m->type == IPC_SIGNAL) &&
	    !dispatch_verb_ok(s, m))
		return (dispatch_refuse(s, m, CODE_NO_SCOPE));
	return (handlers[m->type](s, m));
}

/* Behind a LOGIN that was refused may come what it was to lead to. */
static int
dispatch_vain(const struct session *s, const struct msg *m)
{
	return (s->state == IPC_GREETED && s->refusals > 0 &&
	    (m->type == IPC_OPEN || m->type == IPC_FETCH));
}

static unsigned int
dispatch_states(const struct session *s)
{
	return (s->state | (s->opening != NULL ? (unsigned)IPC_OPENING : 0));
}

/* The second table: a rule's verbs, each with its scope. */
static int
dispatch_verb_ok(const struct session *s, const struct msg *m)
{
	const struct rule *r = rule_find(s->dialect);
	const struct rule_verb *v;
	int stores = m->type == IPC_SUBMIT;

	if (r == NULL ||
	    (v = rule_verb_find(r,
		 m->f[stores ? (int)submit_verb : (int)signal_verb].u)) == NULL)
		return (0);
	return ((v->stores != VERB_SIGNAL) == stores &&
	    scope_covers(s->scope, v->scope));
}

static int
dispatch_refuse(struct session *s, const struct msg *m, enum code code)
{
	metrics_refused(s->broker, code);
	log_warnx("session %llu: %s refused code=%s state=%u scope=%s",
	    (unsigned long long)s->id, ipc_name(m->type), code_name(code),
	    s->state, scope_name(s->scope));
	session_kick(s, code);
	return (-1);
}
