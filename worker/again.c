/*
 * Steps and memory of a return; see again.h.  Of the SUBMITs without a verdict
 * the broker tells those that it had decided, the first of them in their order;
 * the rest it never had.
 */
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/wire.h"
#include "worker/conn_internal.h"

/* What a broker says of a SUBMIT: broker/outcome.h. */
#define AGAIN_TOLD_BYTES 17u

static int again_able(const struct conn *);
static int again_keeps(const struct conn *);
static void again_wait(struct conn *);
static void again_meet(struct conn *, int fd);
static void again_end(struct conn *, enum code);
static void again_done(struct conn *);
static uint64_t again_from(const struct conn *);
static int again_verdicts(struct conn *, struct bytes list);
static int again_told(struct conn *, struct bytes head, struct bytes info);
static int again_asks(const struct msg *);
static int again_is_answer(const struct msg *asked, const struct msg *m);

void
again_init(struct again *a, int kept)
{
	a->kept = kept;
	TAILQ_INIT(&a->open);
	TAILQ_INIT(&a->sent);
}

int
again_waits(const struct conn *c)
{
	return (c->again.step != AGAIN_NOT);
}

int
again_lost(struct conn *c)
{
	struct again *a = &c->again;
	int fd = chan_take_next(&c->link);

	if (fd == -1 || (a->step == AGAIN_NOT && !again_able(c))) {
		if (fd != -1)
			close(fd);
		a->step = AGAIN_NOT;
		return (0);
	}
	poller_set(&c->poller, POLLER_LINK, -1, 0);
	chan_close(&c->link);
	if (a->step == AGAIN_NOT)
		again_wait(c);
	again_meet(c, fd);
	return (1);
}

void
again_late(struct conn *c)
{
	log_info("%s: no broker came", c->peer);
	again_end(c, CODE_SHUTDOWN);
}

void
again_sending(struct conn *c, const struct msg *m)
{
	struct again *a = &c->again;
	struct kept *open = TAILQ_FIRST(&a->open), *k;
	struct msg carded;

	if (!a->kept)
		return;
	switch (m->type) {
	case IPC_LOGIN:
		a->logins++;
		return;
	case IPC_OPEN:
		kept_clear(&a->open);
		k = kept_add(&a->open, m);
		break;
	case IPC_CARD:
		if (open == NULL)
			return;
		carded = open->m;
		carded.f[open_card].b = m->f[card_body].b;
		if ((k = kept_add(&a->open, &carded)) != NULL)
			kept_remove(&a->open, open);
		break;
	default:
		a->submits += m->type == IPC_SUBMIT;
		if (!again_keeps(c) || !again_asks(m))
			return;
		k = kept_add(&a->sent, m);
	}
	if (k == NULL)
		conn_drop(c);
}

void
again_sent(struct conn *c, struct kept *k)
{
	struct again *a = &c->again;

	k->m = k->whole;
	if (again_keeps(c) && again_asks(&k->m)) {
		a->submits += k->m.type == IPC_SUBMIT;
		TAILQ_INSERT_TAIL(&a->sent, k, entry);
		return;
	}
	again_sending(c, &k->m);
	kept_free(k);
}

/* The broker answers in the order it is asked. */
void
again_answered(struct conn *c, const struct msg *m)
{
	struct kept *k = TAILQ_FIRST(&c->again.sent);

	if (k == NULL)
		return;
	if (again_is_answer(&k->m, m))
		kept_remove(&c->again.sent, k);
	else
		c->again.inexact = 1;
}

void
again_granted(struct conn *c, const struct msg *m)
{
	struct again *a = &c->again;

	if (a->logins > 0)
		a->logins--;
	if (m->type != IPC_GRANT || !a->kept)
		return;
	buf_free(&a->ticket);
	if (buf_add_bytes(&a->ticket, m->f[grant_ticket].b) == -1)
		buf_free(&a->ticket);
}

int
again_welcome(struct conn *c, const struct msg *m)
{
	if (c->again.step != AGAIN_MEETING)
		return (-1);
	if (c->again.ticket.len > 0 && c->document)
		return (0);
	c->session = m->f[welcome_session].u;
	again_done(c);
	return (0);
}

int
again_resumed(struct conn *c, const struct msg *m)
{
	struct again *a = &c->again;
	enum code code = (enum code)m->f[resumed_code].u;

	if (a->step != AGAIN_MEETING)
		return (-1);
	if (code != CODE_OK) {
		log_info("%s: not taken back: %s", c->peer,
		    code_name((unsigned)code));
		again_end(c, code);
		return (0);
	}
	if (m->f[resumed_session].u != c->session ||
	    again_verdicts(c, m->f[resumed_verdicts].b) == -1)
		return (-1);
	a->step = AGAIN_OPENING;
	return (chan_send(&c->link, &TAILQ_FIRST(&a->open)->m));
}

/* A document that is older than what the client has seen is another one. */
int
again_opened(struct conn *c, const struct msg *m)
{
	enum code code = (enum code)m->f[opened_code].u;
	int ring = -1, bell = -1;

	if (code == CODE_OK) {
		ring = chan_take_fd(&c->link);
		bell = chan_take_fd(&c->link);
		poller_set(&c->poller, POLLER_BELL, -1, 0);
		if (reader_again(&c->reader, ring, bell, m->f[opened_ring].u,
			m->f[opened_position].u, m->f[opened_seq].u,
			m->f[opened_oldest].u) == -1 ||
		    poller_set(&c->poller, POLLER_BELL, c->reader.bell,
			POLLER_READ) == -1)
			return (-1);
	}
	if (code != CODE_OK || m->f[opened_seq].u < c->reader.seq) {
		again_end(c, code == CODE_OK ? CODE_SHUTDOWN : code);
		return (0);
	}
	conn_message_limit(c, m->f[opened_message_max].u);
	again_back(c);
	return (0);
}

/* What is left comes before all that was said meanwhile. */
void
again_back(struct conn *c)
{
	struct again *a = &c->again;
	const struct kept *k;

	TAILQ_FOREACH(k, &a->sent, entry)
		a->submits -= k->m.type == IPC_SUBMIT;
	TAILQ_CONCAT(&a->sent, &c->ops, entry);
	TAILQ_CONCAT(&c->ops, &a->sent, entry);
	again_done(c);
}

/*
 * Between requests, or with a document and nothing under way that is not kept,
 * or where the broker was never needed.
 */
static int
again_able(const struct conn *c)
{
	const struct again *a = &c->again;

	if (c->settings.broker_wait_ms == 0 || !c->welcome || c->ending ||
	    a->inexact || a->logins > 0)
		return (0);
	if (c->phase == CONN_HEAD)
		return (c->exchange == NULL && !c->document);
	return (c->phase == CONN_WS &&
	    (!c->document ||
		(a->ticket.len > 0 && !TAILQ_EMPTY(&a->open) &&
		    (c->reader.open || c->opening == 1))));
}

/*
 * HTTP is not resumed, so that its large bodies need not be kept.  An upgrade
 * may be over when what was asked meanwhile is not answered.
 */
static int
again_keeps(const struct conn *c)
{
	return (c->again.kept && c->settings.broker_wait_ms != 0 &&
	    (c->phase == CONN_WS ||
		(c->phase == CONN_WAIT && c->exchange != NULL &&
		    c->exchange->is_upgrade)));
}

/* A large body that was on its way begins anew. */
static void
again_wait(struct conn *c)
{
	struct kept *k = TAILQ_FIRST(&c->ops);
	struct again *a = &c->again;

	log_debug("%s: waits for a broker", c->peer);
	a->until_ms = c->now_ms + (int64_t)c->settings.broker_wait_ms;
	if (k != NULL)
		k->m = k->whole;
	c->blob.tag = 0;
	turn_leave(c);
	if (c->leaving)
		c->phase_at = a->until_ms;
}

static void
again_meet(struct conn *c, int fd)
{
	struct msg hello = MSG(HELLO), resume = MSG(RESUME);
	struct again *a = &c->again;

	a->step = AGAIN_MEETING;
	c->watched = 0;
	chan_init(&c->link, fd, IPC_FROM_BROKER, 1);
	hello.f[hello_version].u = IPC_VERSION;
	hello.f[hello_peer].b = bytes_str(c->peer);
	hello.f[hello_kind].u = HELLO_WAITS;
	resume.f[resume_ticket].b = buf_bytes(&a->ticket);
	resume.f[resume_from].u = again_from(c);
	resume.f[resume_members].u = reader_members(&c->reader);
	if (chan_send(&c->link, &hello) == -1 ||
	    (c->document && chan_send(&c->link, &resume) == -1))
		conn_drop(c);
}

static void
again_end(struct conn *c, enum code code)
{
	c->again.step = AGAIN_NOT;
	c->lost = 1;
	poller_set(&c->poller, POLLER_LINK, -1, 0);
	conn_kicked(c, code, link_close_code(code));
}

static void
again_done(struct conn *c)
{
	struct again *a = &c->again;

	log_debug("%s: has a broker again", c->peer);
	a->step = AGAIN_NOT;
	a->until_ms = 0;
	if (c->leaving)
		conn_phase(c, CONN_WS, CONN_CLOSE_MS);
}

/* The number of the first SUBMIT without a verdict. */
static uint64_t
again_from(const struct conn *c)
{
	const struct kept *k;
	uint64_t from = c->again.submits + 1;

	TAILQ_FOREACH(k, &c->again.sent, entry)
		from -= k->m.type == IPC_SUBMIT;
	return (from);
}

static int
again_verdicts(struct conn *c, struct bytes list)
{
	struct bytes head, info;
	int r;

	while ((r = list_next(&list, &head)) == 1)
		if (head.n != AGAIN_TOLD_BYTES ||
		    list_next(&list, &info) != 1 ||
		    again_told(c, head, info) == -1)
			return (-1);
	return (r);
}

/*
 * The next SUBMIT that waits has this verdict.  A SYNC before it was decided
 * before it, and so is answered; a FETCH is asked anew.
 */
static int
again_told(struct conn *c, struct bytes head, struct bytes info)
{
	struct again *a = &c->again;
	struct msg v = MSG(VERDICT);
	struct kept *k, *next;
	enum code code = (enum code)head.p[0];
	uint64_t seq = be64_get(head.p + 9);
	int found = 0;

	if (be64_get(head.p + 1) != again_from(c))
		return (-1);
	for (k = TAILQ_FIRST(&a->sent); k != NULL && !found; k = next) {
		next = TAILQ_NEXT(k, entry);
		if (k->m.type == IPC_FETCH)
			continue;
		found = k->m.type == IPC_SUBMIT;
		v.f[verdict_tag].u =
		    found ? k->m.f[submit_tag].u : k->m.f[sync_tag].u;
		v.f[verdict_code].u = found ? code : CODE_OK;
		v.f[verdict_seq].u = seq - (!found && code == CODE_OK);
		v.f[verdict_info].b = found ? info : BYTES_NONE;
		kept_remove(&a->sent, k);
		if (reader_told(c, &v) == -1)
			return (-1);
	}
	return (found ? 0 : -1);
}

static int
again_asks(const struct msg *m)
{
	return (m->type == IPC_SUBMIT || m->type == IPC_SYNC ||
	    m->type == IPC_FETCH);
}

static int
again_is_answer(const struct msg *asked, const struct msg *m)
{
	if (m->type == IPC_FETCHED)
		return (asked->type == IPC_FETCH &&
		    asked->f[fetch_tag].u == m->f[fetched_tag].u);
	if (asked->type == IPC_SUBMIT)
		return (asked->f[submit_tag].u == m->f[verdict_tag].u);
	return (asked->type == IPC_SYNC &&
	    asked->f[sync_tag].u == m->f[verdict_tag].u);
}
