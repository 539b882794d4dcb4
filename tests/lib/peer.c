/*
 * The worker's side of the IPC, without a worker's manners.
 */
#include <sys/socket.h>

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base64url.h"
#include "common/dialects.h"
#include "common/jwt.h"
#include "common/limits.h"
#include "common/log.h"
#include "tests/lib/peer.h"

static void peer_wait(const struct peer *, short events);

void
peer_dial(struct peer *p, const struct server *s)
{
	if (peer_try(p, s) == -1)
		fatal(1, "%s/broker.sock", s->dir);
}

int
peer_try(struct peer *p, const struct server *s)
{
	char *path = server_path(s, "broker.sock");
	int fd = chan_connect(path);

	memset(p, 0, sizeof(*p));
	p->ring.fd = p->bell = p->chan.fd = -1;
	if (fd != -1)
		chan_init(&p->chan, fd, IPC_FROM_BROKER, 1);
	free(path);
	return (fd == -1 ? -1 : 0);
}

void
peer_hello(struct peer *p, const struct server *s)
{
	peer_hello_as(p, s, HELLO_WORKER);
}

void
peer_hello_as(struct peer *p, const struct server *s, uint64_t kind)
{
	struct msg m = MSG(HELLO);

	peer_dial(p, s);
	m.f[hello_version].u = IPC_VERSION;
	m.f[hello_peer].b = BYTES_LIT("hostile");
	m.f[hello_kind].u = kind;
	peer_send(p, &m);
	peer_want(p, IPC_WELCOME);
	p->session = p->m.f[welcome_session].u;
}

unsigned int
peer_login(struct peer *p, const struct server *s, const char *store,
    const char *scope, int64_t ttl_s)
{
	char *token = server_token(s, store, scope, ttl_s);
	struct bytes input, mac64;
	struct msg m = MSG(LOGIN);
	uint8_t mac[64];
	ssize_t n;

	if (token_split(bytes_str(token), &input, &mac64) == -1 ||
	    (n = base64url_decode(mac, sizeof(mac), mac64)) == -1)
		fatalx(1, "token for %s", store);
	m.f[login_dialect].u = DIALECT_SDS;
	m.f[login_input].b = input;
	m.f[login_mac].b = bytes_of(mac, (size_t)n);
	m.f[login_store].b = bytes_str(store);
	peer_send(p, &m);
	free(token);
	return (peer_next(p));
}

enum code
peer_open(struct peer *p, const char *name, struct bytes card)
{
	struct msg m = MSG(OPEN);

	m.f[open_dialect].u = DIALECT_SDS;
	m.f[open_name].b = bytes_str(name);
	m.f[open_card].b = card;
	peer_send(p, &m);
	peer_want(p, IPC_OPENED);
	if (p->m.f[opened_code].u != CODE_OK)
		return ((enum code)p->m.f[opened_code].u);
	p->position = p->m.f[opened_position].u;
	if (ring_attach(&p->ring, chan_take_fd(&p->chan),
		(size_t)p->m.f[opened_ring].u) == -1)
		fatal(1, "ring");
	p->bell = chan_take_fd(&p->chan);
	return (CODE_OK);
}

void
peer_join(struct peer *p, const struct server *s, const char *store,
    const char *scope)
{
	peer_hello(p, s);
	if (peer_login(p, s, store, scope, 3600) != IPC_GRANT ||
	    peer_open(p, store, BYTES_NONE) != CODE_OK)
		fatalx(1, "%s cannot be joined", store);
}

void
peer_send(struct peer *p, const struct msg *m)
{
	if (chan_send(&p->chan, m) == -1)
		fatal(1, "send %s", ipc_name(m->type));
	/* A broker that hung up already may have said why. */
	while (chan_flush(&p->chan) == 1)
		peer_wait(p, POLLOUT);
}

size_t
peer_raw(struct peer *p, struct bytes b)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < b.n &&
	    (n = send(p->chan.fd, b.p + sent, b.n - sent, MSG_NOSIGNAL)) > 0)
		sent += (size_t)n;
	return (sent);
}

unsigned int
peer_next(struct peer *p)
{
	int r;

	for (;;) {
		/* How much to log is nobody's concern here. */
		if ((r = chan_next(&p->chan, &p->m)) == 1 &&
		    p->m.type == IPC_WATCH)
			continue;
		if (r == 1)
			return (p->m.type);
		if (r == -1)
			fatalx(1, "the broker breaks the protocol");
		peer_wait(p, POLLIN);
		if (chan_read(&p->chan) == -1) {
			/* The last answer is none to what was asked since. */
			memset(&p->m, 0, sizeof(p->m));
			return (0);
		}
	}
}

void
peer_want(struct peer *p, unsigned int type)
{
	unsigned int came = peer_next(p);

	if (came != type)
		fatalx(1, "%s came for %s", came == 0 ? "end" : ipc_name(came),
		    ipc_name(type));
}

void
peer_verdict(struct peer *p, enum code code)
{
	peer_want(p, IPC_VERDICT);
	if (p->m.f[verdict_code].u != code)
		fatalx(1, "verdict %s, not %s",
		    code_name((unsigned int)p->m.f[verdict_code].u),
		    code_name(code));
}

void
peer_kicked(struct peer *p, enum code code)
{
	peer_want(p, IPC_KICK);
	if (p->m.f[kick_code].u != code)
		fatalx(1, "kicked for %s, not %s",
		    code_name((unsigned int)p->m.f[kick_code].u),
		    code_name(code));
	if (peer_next(p) != 0)
		fatalx(1, "%s comes behind a kick", ipc_name(p->m.type));
	peer_close(p);
}

void
peer_close(struct peer *p)
{
	chan_close(&p->chan);
	ring_close(&p->ring);
	if (p->bell != -1)
		close(p->bell);
	p->bell = -1;
}

static void
peer_wait(const struct peer *p, short events)
{
	struct pollfd pfd = { p->chan.fd, events, 0 };

	if (poll(&pfd, 1, PEER_MS) != 1)
		fatalx(1, "the broker does nothing");
}
