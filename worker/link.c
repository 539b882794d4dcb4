/*
 * The link to the broker: what dialects ask, packed; what it says, unpacked and
 * handed to them.  Large bodies are submit.c's, the ring is reader.c's.
 */
#include <poll.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "worker/conn_internal.h"
#include "worker/proxy.h"

#define LINK_BYE_MS 2000

static void link_bye(struct conn *);
static int link_welcome(struct conn *, const struct msg *);
static int link_grant(struct conn *, const struct msg *);
static int link_refused(struct conn *, const struct msg *);
static int link_opened(struct conn *, const struct msg *);
static void link_drop_fd(int fd);
static int link_verdict(struct conn *, const struct msg *);
static int link_fetched(struct conn *, const struct msg *);
static int link_token(struct conn *, const struct msg *);
static int link_kick(struct conn *, const struct msg *);
static int link_ring(struct conn *, const struct msg *);
static int link_area(struct conn *, const struct msg *);

/* 0, or -1: the broker's word makes no sense. */
static int (*const link_handlers[IPC_COUNT])(struct conn *,
    const struct msg *) = {
	[IPC_WELCOME] = link_welcome,
	[IPC_GRANT] = link_grant,
	[IPC_REFUSED] = link_refused,
	[IPC_OPENED] = link_opened,
	[IPC_VERDICT] = link_verdict,
	[IPC_FETCHED] = link_fetched,
	[IPC_TOKEN] = link_token,
	[IPC_KICK] = link_kick,
	[IPC_LANED] = turn_laned,
	[IPC_RING] = link_ring,
	[IPC_AREA] = link_area,
	[IPC_RESUMED] = again_resumed,
	[IPC_WATCH] = note_watch,
};

int
link_open(struct conn *c, const char *path, int fd)
{
	struct msg m = MSG(HELLO);

	if (fd == -1 && (fd = chan_connect(path)) == -1)
		return (-1);
	chan_init(&c->link, fd, IPC_FROM_BROKER, 1);
	m.f[hello_version].u = IPC_VERSION;
	m.f[hello_peer].b = bytes_str(c->peer);
	m.f[hello_kind].u = c->again.kept ? HELLO_WAITS : HELLO_WORKER;
	return (chan_send(&c->link, &m));
}

int
link_step(struct conn *c)
{
	struct msg m;
	int got;

	if (c->link.fd == -1)
		return (0);
	if ((got = chan_next(&c->link, &m)) == 0)
		return (0);
	if (got == -1)
		link_fail(c, "malformed message");
	else if (m.type != IPC_WELCOME && !c->welcome)
		link_fail(c, "message before welcome");
	else if (m.type >= IPC_COUNT || link_handlers[m.type] == NULL)
		link_fail(c, "message not for a worker");
	else if (link_handlers[m.type](c, &m) == -1)
		link_fail(c, ipc_name(m.type));
	return (1);
}

void
link_flush(struct conn *c)
{
	if (c->link.fd == -1 || chan_pending(&c->link) == 0 ||
	    chan_flush(&c->link) != -1)
		return;
	/* What the broker said before it went is still to be read. */
	while (c->link.fd != -1 && chan_read(&c->link) == 1)
		while (!c->lost && link_step(c))
			continue;
	link_end(c, "write");
}

void
link_end(struct conn *c, const char *why)
{
	/* Without memory it may be there still: no other will come. */
	if (!c->lost && (buf_failures > 0 || !again_lost(c)))
		link_fail(c, why);
}

/* The session is gone with its socket; the client is told once. */
void
link_fail(struct conn *c, const char *why)
{
	if (c->lost)
		return;
	c->lost = 1;
	log_info("%s: broker lost: %s", c->peer, why);
	poller_set(&c->poller, POLLER_LINK, -1, 0);
	conn_kicked(c, CODE_SHUTDOWN, WS_CODE_RESTART);
}

void
link_send(struct conn *c, const struct msg *m)
{
	if (c->lost || (c->link.fd == -1 && !again_waits(c)))
		return;
	if (!TAILQ_EMPTY(&c->ops) || again_waits(c) ||
	    chan_pending(&c->link) > CONN_HIGH_BYTES) {
		if (kept_add(&c->ops, m) == NULL)
			conn_drop(c);
		return;
	}
	if (chan_send(&c->link, m) == -1 && c->phase != CONN_DEAD) {
		log_warn("%s: %s not sent", c->peer, ipc_name(m->type));
		conn_drop(c);
		return;
	}
	again_sending(c, m);
}

void
link_close(struct conn *c)
{
	struct pollfd p = { .fd = c->link.fd, .events = POLLOUT };
	int tries;

	if (!c->lost && c->link.fd != -1) {
		tally_send(c);
		link_bye(c);
		for (tries = 0; tries < 8 && chan_flush(&c->link) == 1; tries++)
			if (poll(&p, 1, LINK_BYE_MS / 8) == -1)
				break;
	}
	chan_close(&c->link);
}

void
conn_open(struct conn *c, enum dialect_id dialect, unsigned int room,
    struct bytes name, struct bytes card)
{
	struct msg m = MSG(OPEN);

	m.f[open_dialect].u = dialect;
	m.f[open_room].u = room;
	m.f[open_name].b = name;
	m.f[open_card].b = card;
	c->document = 1;
	c->opening++;
	link_send(c, &m);
}

void
conn_leave(struct conn *c)
{
	struct msg m = MSG(CLOSE);

	if (!c->document)
		return;
	c->document = 0;
	turn_leave(c);
	poller_set(&c->poller, POLLER_BELL, -1, 0);
	reader_detach(&c->reader);
	link_send(c, &m);
}

void
conn_card(struct conn *c, struct bytes body)
{
	struct msg m = MSG(CARD);

	m.f[card_body].b = body;
	link_send(c, &m);
}

void
conn_fetch(struct conn *c, uint64_t tag, enum fetch_what what, uint64_t after,
    uint64_t upto, struct bytes prefix, struct bytes from)
{
	struct msg m = MSG(FETCH);
	int area =
	    lent_ask(&c->lent) && (what == FETCH_LOG || what == FETCH_FIELDS);

	m.f[fetch_tag].u = tag;
	m.f[fetch_what].u = what;
	m.f[fetch_after].u = after;
	m.f[fetch_upto].u = upto;
	m.f[fetch_limit].u = area ? FETCH_AREA_BYTES
	    : what == FETCH_BLOB  ? FETCH_MAX_BYTES
				  : FETCH_PAGE_BYTES;
	m.f[fetch_area].u = (uint64_t)area;
	m.f[fetch_prefix].b = prefix;
	m.f[fetch_from].b = from;
	link_send(c, &m);
}

void
conn_mint(struct conn *c, struct bytes subject, struct bytes scope,
    uint64_t ttl_s)
{
	struct msg m = MSG(MINT);

	m.f[mint_subject].b = subject;
	m.f[mint_scope].b = scope;
	m.f[mint_ttl].u = ttl_s;
	link_send(c, &m);
}

static void
link_bye(struct conn *c)
{
	struct msg m = MSG(BYE);

	if (c->welcome)
		link_send(c, &m);
}

static int
link_welcome(struct conn *c, const struct msg *m)
{
	struct bytes text = m->f[welcome_settings].b;

	if (c->welcome)
		return (again_welcome(c, m));
	if (!settings_lend(&c->settings, c->news->settings, text) &&
	    settings_parse(&c->settings, text) == -1)
		return (-1);
	if (note_level(c->settings.log_level) == -1 || confine(c) == -1)
		return (-1);
	c->welcome = 1;
	tally_send(c); /* a listener's news: nothing of the client was read */
	c->session = m->f[welcome_session].u;
	c->proxied = proxy_listed(c->settings.proxy, c->peer);
	conn_phase(c, CONN_HEAD, (int64_t)c->settings.handshake_ms);
	return (0);
}

static int
link_grant(struct conn *c, const struct msg *m)
{
	struct grant_in g = { m->f[grant_subject].b,
		(enum scope)m->f[grant_scope].u, m->f[grant_until].u,
		m->f[grant_claims].b };

	again_granted(c, m);
	c->until_s = (int64_t)g.until;
	conn_message_limit(c, m->f[grant_message_max].u);
	c->granted = 1;
	if (c->dialect != NULL && c->dialect->grant != NULL)
		c->dialect->grant(c, &g);
	return (0);
}

static int
link_refused(struct conn *c, const struct msg *m)
{
	again_granted(c, m);
	c->end = SOURCE_REFUSED;
	if (c->dialect != NULL && c->dialect->refused != NULL)
		c->dialect->refused(c, (enum code)m->f[refused_code].u);
	return (0);
}

/* Descriptors come with a document only, and an answer to a document left
 * meanwhile is nobody's. */
static int
link_opened(struct conn *c, const struct msg *m)
{
	struct opened_in o = { (enum code)m->f[opened_code].u,
		m->f[opened_seq].u, m->f[opened_oldest].u,
		m->f[opened_roster].b, m->f[opened_info].b };
	struct reader *r = &c->reader;
	int ring = -1, bell = -1;

	if (c->again.step == AGAIN_OPENING && c->opening == 0)
		return (again_opened(c, m));
	if (c->again.step == AGAIN_OPENING)
		again_back(c);
	if (o.code == CODE_OK) {
		ring = chan_take_fd(&c->link);
		bell = chan_take_fd(&c->link);
	}
	if (c->opening > 0)
		c->opening--;
	if (!c->document || c->opening > 0) {
		link_drop_fd(ring);
		link_drop_fd(bell);
		return (0);
	}
	if (o.code != CODE_OK) { /* then there is none to leave */
		c->document = 0;
	} else {
		turn_leave(c);
		conn_message_limit(c, m->f[opened_message_max].u);
		poller_set(&c->poller, POLLER_BELL, -1, 0);
		if (reader_attach(r, ring, bell, m->f[opened_ring].u,
			m->f[opened_position].u) == -1 ||
		    poller_set(&c->poller, POLLER_BELL, r->bell, POLLER_READ) ==
			-1)
			return (-1);
	}
	if (c->dialect != NULL && c->dialect->opened != NULL)
		c->dialect->opened(c, &o);
	return (0);
}

static void
link_drop_fd(int fd)
{
	if (fd != -1)
		close(fd);
}

static int
link_verdict(struct conn *c, const struct msg *m)
{
	if (submit_verdict(c, m))
		return (0);
	again_answered(c, m);
	return (reader_verdict(c, m));
}

static int
link_fetched(struct conn *c, const struct msg *m)
{
	struct fetched_in f = { m->f[fetched_tag].u,
		(enum code)m->f[fetched_code].u, m->f[fetched_more].u != 0,
		m->f[fetched_seq].u, m->f[fetched_entries].b };

	if (lent_answer(&c->lent, m->f[fetched_area].u, &f.entries) == -1)
		return (-1);
	again_answered(c, m);
	if (f.tag == MISSED_TAG)
		missed_fetched(c, &f);
	else if (c->dialect != NULL && c->dialect->fetched != NULL)
		c->dialect->fetched(c, &f);
	lent_answered(&c->lent, f.more);
	return (0);
}

static int
link_area(struct conn *c, const struct msg *m)
{
	return (
	    lent_attach(&c->lent, chan_take_fd(&c->link), m->f[area_size].u));
}

static int
link_token(struct conn *c, const struct msg *m)
{
	if (c->dialect != NULL && c->dialect->token != NULL)
		c->dialect->token(c, (enum code)m->f[token_code].u,
		    m->f[token_text].b);
	return (0);
}

static int
link_ring(struct conn *c, const struct msg *m)
{
	int ring = chan_take_fd(&c->link), bell = chan_take_fd(&c->link);

	turn_leave(c);
	return (reader_move(&c->reader, ring, bell, m->f[ring_ring].u,
	    m->f[ring_position].u));
}

static int
link_kick(struct conn *c, const struct msg *m)
{
	enum code why = (enum code)m->f[kick_code].u;

	log_debug("%s: closed by the broker: %s", c->peer,
	    code_name((unsigned)why));
	conn_kicked(c, why, link_close_code(why));
	return (0);
}

unsigned
link_close_code(enum code why)
{
	static const unsigned code[CODE_COUNT] = {
		[CODE_SHUTDOWN] = WS_CODE_RESTART,
		[CODE_BUSY] = 1013,
		[CODE_STORAGE] = WS_CODE_ERROR,
	};

	return (
	    why < CODE_COUNT && code[why] != 0 ? code[why] : WS_CODE_POLICY);
}
