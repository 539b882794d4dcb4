/*
 * HELLO, LINK, LOGIN, MINT, CLOSE and BYE: who a session is and what it may do.
 * Answered at once; nothing here touches a document.
 */
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "broker/broker.h"
#include "broker/token.h"
#include "broker/trace.h"
#include "common/limits.h"
#include "common/log.h"

#define EXP_MAX_S ((int64_t)100 * 365 * 24 * 3600)

static enum code login_genuine(const struct broker *, const struct msg *,
    int64_t now_s, struct claims *, const char **why);
static enum code login_allowed(const struct session *, const struct msg *,
    const struct claims *);
static bool login_aud_exact(const struct broker *, unsigned int dialect);
static int login_refused(struct session *, enum code);
static int login_enforced(const struct session *);

int
handle_hello(struct session *s, const struct msg *m)
{
	struct msg w = MSG(WELCOME);
	struct buf *text = &s->broker->settings;

	if (m->f[hello_version].u != IPC_VERSION) {
		log_warnx("session %llu: worker of another version",
		    (unsigned long long)s->id);
		return (-1);
	}
	log_quote(s->peer, sizeof(s->peer), m->f[hello_peer].b);
	if (m->f[hello_kind].u == HELLO_LISTENER) {
		if (s->kept) /* a worker's, which has met its client */
			return (-1);
		s->listener = s->chan.takes_fds = 1;
		s->broker->nsessions--;
	}
	s->waits = m->f[hello_kind].u == HELLO_WAITS &&
	    s->broker->conf->broker_wait_ms != 0;
	if (text->len == 0 && settings_pack(s->broker->conf, text) == -1) {
		buf_free(text);
		return (-1);
	}
	w.f[welcome_session].u = s->id;
	w.f[welcome_settings].b = buf_bytes(text);
	session_send(s, &w);
	s->state = IPC_GREETED;
	s->watch.level = (uint64_t)s->broker->conf->log_level; /* so WELCOME */
	trace_watch(s);
	return (0);
}

/* Only a listener's descriptors were let in. */
int
handle_link(struct session *s, const struct msg *m)
{
	int fd = chan_take_fd(&s->chan);

	(void)m;
	if (fd == -1)
		return (-1);
	session_new(s->broker, fd, 1);
	return (0);
}

int
handle_login(struct session *s, const struct msg *m)
{
	struct msg g = MSG(GRANT);
	struct buf told = BUF_INIT, ticket = BUF_INIT;
	int64_t now = (int64_t)time(NULL);
	const struct rule *r;
	enum code code;

	if (s->listener)
		return (-1);
	if ((code = login_check(s, m, now)) != CODE_OK)
		return (login_refused(s, code));
	if (s->state == IPC_GREETED)
		s->state = IPC_GRANTED;
	s->scope = s->claims.scope;
	login_expiry(s);
	s->refusals = 0;
	r = rule_find(s->dialect);
	if ((r->claims != NULL && r->claims(&s->claims, &told) == -1) ||
	    (s->waits &&
		ticket_seal(s->broker->ticket_key, s->id, now, m, &ticket) ==
		    -1)) {
		buf_free(&told);
		return (-1);
	}
	g.f[grant_subject].b = s->claims.sub;
	g.f[grant_scope].u = s->scope;
	g.f[grant_until].u = s->until_s < 0 ? 1 : (uint64_t)s->until_s;
	g.f[grant_claims].b = buf_bytes(&told);
	g.f[grant_message_max].u =
	    session_message_max(s, s->state == IPC_OPEN_STATE ? s->doc : NULL);
	g.f[grant_ticket].b = buf_bytes(&ticket);
	session_send(s, &g);
	buf_free(&told);
	buf_free(&ticket);
	return (0);
}

/* A better token replaces the session's claims; a worse one leaves them. */
enum code
login_check(struct session *s, const struct msg *m, int64_t now_s)
{
	unsigned int dialect = (unsigned int)m->f[login_dialect].u;
	struct claims c;
	const char *why;
	enum code code;

	if (m->f[login_dialect].u >= DIALECT_COUNT ||
	    rule_find(dialect) == NULL)
		return (CODE_DISABLED);
	if (s->doc != NULL && s->dialect != dialect)
		return (CODE_BAD_STATE);
	code = login_genuine(s->broker, m, now_s, &c, &why);
	if (code == CODE_OK) {
		code = login_allowed(s, m, &c);
		why = code_name(code);
		if (code != CODE_OK)
			claims_free(&c);
	}
	if (code != CODE_OK) {
		log_info("login refused peer=%s dialect=%s why=%s", s->peer,
		    dialect_name(dialect), why);
		return (code);
	}
	if (subject_set(&s->broker->subjects, s, c.sub) == -1) {
		claims_free(&c);
		return (CODE_BUSY);
	}
	claims_free(&s->claims);
	s->claims = c;
	s->dialect = (enum dialect_id)dialect;
	s->grants++;
	return (CODE_OK);
}

/* The token by itself: one of ours or of an issuer whom we know, in time. */
static enum code
login_genuine(const struct broker *b, const struct msg *m, int64_t now_s,
    struct claims *c, const char **why)
{
	unsigned int dialect = (unsigned int)m->f[login_dialect].u;
	const struct oidc oidc = {
		.keys = b->jwks,
		.issuer = b->conf->oidc_issuer,
		.audience = &b->conf->oidc_audience,
	};
	const struct token_rules rules = {
		.issuer = b->conf->issuer,
		.skew_s = b->conf->skew,
		.exp_required = b->conf->exp_required,
		.sub_empty = dialect == DIALECT_SDS,
		.aud_string = login_aud_exact(b, dialect),
		.oidc =
		    dialect == DIALECT_LOGSEQ && b->jwks != NULL ? &oidc : NULL,
	};
	int result;

	if (m->f[login_mac].b.n == 0 && token_is_plain(m->f[login_input].b))
		result = statics_verify(b->statics, m->f[login_input].b, c);
	else
		result = token_verify(b->keys, &rules, m->f[login_input].b,
		    m->f[login_mac].b, m->f[login_kid].b, now_s, c);
	*why = token_result_name(result);
	if (result == TOKEN_OK)
		return (CODE_OK);
	return (result == TOKEN_EXPIRED ? CODE_EXPIRED : CODE_BAD_TOKEN);
}

/* A token that is genuine, here and now. */
static enum code
login_allowed(const struct session *s, const struct msg *m,
    const struct claims *c)
{
	const struct broker *b = s->broker;
	unsigned int dialect = (unsigned int)m->f[login_dialect].u;
	struct bytes store = m->f[login_store].b;
	bool exact = login_aud_exact(b, dialect);

	if ((c->dialects & 1u << dialect) == 0)
		return (CODE_BAD_TOKEN);
	if (store.n > 0 && !claims_allow_store(c, dialect, store, exact))
		return (CODE_WRONG_STORE);
	/* Its scope would be taken in the document that is open. */
	if (s->state == IPC_OPEN_STATE &&
	    !claims_allow_store(c, dialect, s->doc->id.name, exact))
		return (CODE_WRONG_STORE);
	if (dialect == DIALECT_LOGSEQ && b->conf->logseq_allow.n > 0 &&
	    !claims_allow_person(c, &b->conf->logseq_allow))
		return (CODE_NO_SCOPE);
	if (revocations_hold(b->revocations, c, (int64_t)time(NULL)))
		return (CODE_REVOKED);
	return (CODE_OK);
}

static bool
login_aud_exact(const struct broker *b, unsigned int dialect)
{
	return (dialect == DIALECT_SDS && b->conf->sds_aud_exact);
}

/* sds clients expect to outlive their token unless the operator says no. */
static int
login_enforced(const struct session *s)
{
	return (s->dialect != DIALECT_SDS || s->broker->conf->sds_enforce_exp);
}

/* On time, not up to a second later. */
void
login_expiry(struct session *s)
{
	struct timeval tv = { 0, 0 };
	struct timespec now;
	int64_t left;

	clock_gettime(CLOCK_REALTIME, &now);
	left = s->claims.exp - (int64_t)now.tv_sec + s->broker->conf->skew;
	if (left > EXP_MAX_S)
		left = EXP_MAX_S;
	event_del(&s->expiry_ev);
	s->until_s = 0;
	if (!s->claims.exp_given || !login_enforced(s))
		return;
	tv.tv_sec = left < 0 ? 0 : left;
	if (tv.tv_sec > 0 && now.tv_nsec >= 1000) {
		tv.tv_sec--;
		tv.tv_usec = 1000000 - now.tv_nsec / 1000;
	}
	s->until_s = (int64_t)now.tv_sec + left;
	session_expire(s, &tv);
}

static int
login_refused(struct session *s, enum code code)
{
	struct msg m = MSG(REFUSED);

	metrics_refused(s->broker, code);
	m.f[refused_code].u = code;
	session_send(s, &m);
	if (++s->refusals >= SESSION_REFUSALS_MAX) {
		session_kick(s, code);
		return (-1);
	}
	return (0);
}

int
handle_mint(struct session *s, const struct msg *m)
{
	struct msg t = MSG(TOKEN);
	struct buf text = BUF_INIT;
	int64_t now = (int64_t)time(NULL);
	uint64_t ttl = m->f[mint_ttl].u;
	struct token_mint mint = {
		.sub = m->f[mint_subject].b,
		.aud = s->claims.aud.v,
		.aud_n = s->claims.aud.n,
		.scope = scope_parse(m->f[mint_scope].b),
		.iat = now,
		.exp = now +
		    (ttl > (uint64_t)EXP_MAX_S ? EXP_MAX_S : (int64_t)ttl),
		.iss = s->broker->conf->issuer,
	};

	if (token_mint(s->broker->keys, NULL, &mint, &text) == -1)
		t.f[token_code].u = CODE_INVALID;
	else
		log_info("token minted peer=%s scope=%s", s->peer,
		    scope_name(mint.scope));
	t.f[token_text].b = buf_bytes(&text);
	session_send(s, &t);
	buf_wipe(&text);
	return (0);
}

int
handle_bye(struct session *s, const struct msg *m)
{
	(void)s;
	(void)m;
	return (-1);
}

/* What comes behind it is not for the document, which is left in a batch. */
int
handle_close(struct session *s, const struct msg *m)
{
	s->state = IPC_GRANTED;
	return (handle_queue(s, m));
}
