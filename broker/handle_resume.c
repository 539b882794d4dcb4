/*
 * RESUME: the session of an earlier broker goes on in this one.  The token in
 * the ticket is verified as at its LOGIN, by the keys and revocations of now,
 * but by the clock of then: what has ended since is the expiry's.
 */
#include "broker/outcome.h"
#include "broker/trace.h"
#include "common/clock.h"
#include "common/log.h"

/* For the last step of a worker that came in time. */
#define RESUME_GRACE_MS 10000

static enum code resume_check(struct session *, const struct msg *,
    uint64_t *id);
static void resume_done(struct session *, struct bytes verdicts);
static int resume_refused(struct session *, enum code);
static int resume_is_here(const struct broker *, uint64_t id);

int
handle_resume(struct session *s, const struct msg *m)
{
	struct buf verdicts = BUF_INIT;
	uint64_t from = m->f[resume_from].u, id = 0;
	enum code code = resume_check(s, m, &id);
	int known = 0;

	if (code == CODE_OK) {
		known = outcomes_claim(s->broker, s, id, from, &verdicts);
		code = known == -1 ? CODE_STORAGE : CODE_OK;
	}
	if (code == CODE_OK) {
		log_debug("session %llu resumes session %llu",
		    (unsigned long long)s->id, (unsigned long long)id);
		s->id = id;
		s->submits = from - 1 + (uint64_t)known;
		s->among = m->f[resume_members].u;
		resume_done(s, buf_bytes(&verdicts));
	}
	buf_free(&verdicts);
	return (code == CODE_OK ? 0 : resume_refused(s, code));
}

int
broker_resumes(const struct broker *b)
{
	return (clock_ms() < b->resume_ms);
}

void
broker_resumes_from(struct broker *b)
{
	int64_t wait_ms = b->conf->broker_wait_ms + RESUME_GRACE_MS;

	b->resume_ms = clock_ms() + wait_ms;
	absent_start(b, wait_ms);
}

static void
resume_done(struct session *s, struct bytes verdicts)
{
	struct msg r = MSG(RESUMED);

	s->state = IPC_GRANTED;
	s->scope = s->claims.scope;
	login_expiry(s);
	r.f[resumed_session].u = s->id;
	r.f[resumed_verdicts].b = verdicts;
	session_send(s, &r);
	/* What an earlier broker said may hold there. */
	s->watch.level = UINT64_MAX;
	trace_watch(s);
}

static int
resume_refused(struct session *s, enum code code)
{
	struct msg r = MSG(RESUMED);

	log_info("session %llu: resume refused code=%s",
	    (unsigned long long)s->id, code_name(code));
	metrics_refused(s->broker, code);
	r.f[resumed_code].u = code;
	session_send(s, &r);
	if (++s->refusals < SESSION_REFUSALS_MAX)
		return (0);
	session_kick(s, code);
	return (-1);
}

static enum code
resume_check(struct session *s, const struct msg *m, uint64_t *id)
{
	struct ticket t;
	enum code code = CODE_BAD_TOKEN;

	if (!s->waits || m->f[resume_from].u == 0 || !broker_resumes(s->broker))
		return (CODE_BAD_STATE);
	if (ticket_open(s->broker->ticket_key, m->f[resume_ticket].b, &t) ==
		0 &&
	    !resume_is_here(s->broker, t.session)) {
		*id = t.session;
		code = login_check(s, &t.login, t.login_s);
	}
	ticket_free(&t);
	return (code);
}

static int
resume_is_here(const struct broker *b, uint64_t id)
{
	const struct session *s;

	TAILQ_FOREACH(s, &b->sessions, entry)
		if (s->id == id)
			return (1);
	return (0);
}
