/*
 * The client's side of a WebSocket.  Frames are worker/ws.c's, addresses
 * ctl_url.c's; here are the socket, the handshake and the waiting.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "common/base64url.h"
#include "common/clock.h"
#include "worker/http.h"
#include "broker/ctl_ws.h"

#define CTL_READ_BYTES (64u * 1024u)
#define CTL_HEAD_MAX   (64u * 1024u)

static int64_t ctl_ws_until(int);
static int ctl_ws_fail(struct ctl_ws *, const char *);
static int ctl_ws_wait(struct ctl_ws *, short, int64_t, short *);
static int ctl_ws_read(struct ctl_ws *);
static int ctl_ws_fill(struct ctl_ws *, int64_t);
static int ctl_ws_connect(struct ctl_ws *, const struct addrinfo *, int64_t);
static int ctl_ws_request(struct buf *, const struct ctl_url *, struct bytes,
    char *);
static int ctl_ws_accepted(struct ctl_ws *, const struct buf *, const char *);
static int ctl_ws_event(struct ctl_ws *, struct ctl_ws_message *);
static int ctl_ws_control(struct ctl_ws *, const struct ws_event *,
    struct ctl_ws_message *);

void
ctl_ws_init(struct ctl_ws *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	ws_init(&c->ws, 1, CTL_WS_MESSAGE_MAX);
}

void
ctl_ws_close(struct ctl_ws *c)
{
	if (c->fd != -1)
		close(c->fd);
	buf_free(&c->in);
	buf_free(&c->message);
	ctl_ws_init(c);
}

int
ctl_ws_dial(struct ctl_ws *c, const struct ctl_url *url, int time_ms)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	int64_t until = ctl_ws_until(time_ms);
	int r;

	if ((r = getaddrinfo(url->host, url->port, &hints, &list)) != 0)
		return (ctl_ws_fail(c, gai_strerror(r)));
	r = -1;
	for (a = list; a != NULL && r == -1; a = a->ai_next)
		r = ctl_ws_connect(c, a, until);
	freeaddrinfo(list);
	return (r);
}

int
ctl_ws_upgrade(struct ctl_ws *c, const struct ctl_url *url, struct bytes glued,
    int time_ms)
{
	char accept[HTTP_ACCEPT_LEN + 1];
	struct buf out = BUF_INIT, head = BUF_INIT;
	int r;

	if (ctl_ws_request(&out, url, glued, accept) == -1)
		r = ctl_ws_fail(c, strerror(ENOMEM));
	else
		r = ctl_ws_write(c, buf_bytes(&out), time_ms);
	if (r == 1 && (r = ctl_ws_head(c, &head, time_ms)) == 1)
		r = ctl_ws_accepted(c, &head, accept);
	buf_wipe(&out);
	buf_free(&head);
	return (r);
}

int
ctl_ws_head(struct ctl_ws *c, struct buf *head, int time_ms)
{
	int64_t until = ctl_ws_until(time_ms);
	struct bytes in;
	const uint8_t *end;
	int r;

	for (;;) {
		in = buf_bytes(&c->in);
		if (in.n > 0 &&
		    (end = memmem(in.p, in.n, "\r\n\r\n", 4)) != NULL)
			break;
		if (in.n > CTL_HEAD_MAX)
			return (ctl_ws_fail(c, "an endless answer"));
		if ((r = ctl_ws_fill(c, until)) != 1)
			return (r);
	}
	in.n = (size_t)(end + 4 - in.p);
	if (buf_add_bytes(head, in) == -1)
		return (ctl_ws_fail(c, strerror(errno)));
	buf_drop(&c->in, in.n);
	return (1);
}

int
ctl_ws_want(struct ctl_ws *c, size_t n, int time_ms)
{
	int64_t until = ctl_ws_until(time_ms);
	int r;

	while (c->in.len < n)
		if ((r = ctl_ws_fill(c, until)) != 1)
			return (r);
	return (1);
}

int
ctl_ws_next(struct ctl_ws *c, struct ctl_ws_message *m, int time_ms)
{
	int64_t until = ctl_ws_until(time_ms);
	int r;

	for (;;) {
		if ((r = ctl_ws_event(c, m)) != 0)
			return (r);
		if ((r = ctl_ws_fill(c, until)) != 1)
			return (r);
	}
}

int
ctl_ws_send(struct ctl_ws *c, enum ws_opcode opcode, struct bytes data,
    int time_ms)
{
	uint8_t header[WS_HEADER_MAX], key[4], *p;
	struct buf out = BUF_INIT;
	size_t n;
	int r;

	randombytes_buf(key, sizeof(key));
	n = ws_header_masked(header, opcode, 1, data.n, key);
	if ((p = buf_room(&out, n + data.n)) == NULL)
		return (ctl_ws_fail(c, strerror(errno)));
	memcpy(p, header, n);
	if (data.n > 0)
		memcpy(p + n, data.p, data.n);
	ws_mask(p + n, data.n, key, 0);
	buf_grow(&out, n + data.n);
	r = ctl_ws_write(c, buf_bytes(&out), time_ms);
	buf_free(&out);
	return (r);
}

/* Reads while it waits to write: the peer may be doing the same. */
int
ctl_ws_write(struct ctl_ws *c, struct bytes data, int time_ms)
{
	int64_t until = ctl_ws_until(time_ms);
	ssize_t n;
	short got;
	int r;

	while (data.n > 0) {
		if ((r = ctl_ws_wait(c, POLLIN | POLLOUT, until, &got)) != 1)
			return (r);
		if ((got & POLLIN) != 0 && ctl_ws_read(c) == -1)
			return (-1);
		if ((got & POLLOUT) == 0)
			continue;
		n = send(c->fd, data.p, data.n, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return (ctl_ws_fail(c, strerror(errno)));
		if (n > 0)
			data = bytes_skip(data, (size_t)n);
	}
	return (1);
}

/* When a wait of time_ms ends; -1 is never. */
static int64_t
ctl_ws_until(int time_ms)
{
	return (time_ms == -1 ? INT64_MAX : clock_ms() + time_ms);
}

static int
ctl_ws_fail(struct ctl_ws *c, const char *why)
{
	c->why = why;
	return (-1);
}

/* 1 and what the socket is ready for, or 0 when the time is over. */
static int
ctl_ws_wait(struct ctl_ws *c, short want, int64_t until, short *got)
{
	struct pollfd p = { c->fd, want, 0 };
	int64_t left;
	int r;

	do {
		left = until == INT64_MAX ? -1 : until - clock_ms();
		if (until != INT64_MAX && left < 0)
			left = 0;
		r = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
	} while (r == -1 && errno == EINTR);
	if (r == -1)
		return (ctl_ws_fail(c, strerror(errno)));
	/* The call that follows tells which error it is. */
	if ((p.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		p.revents = (short)(p.revents | want);
	*got = p.revents;
	return (r);
}

/* Takes what is there. 0, or -1. */
static int
ctl_ws_read(struct ctl_ws *c)
{
	uint8_t *p;
	ssize_t n;

	if ((p = buf_room(&c->in, CTL_READ_BYTES)) == NULL)
		return (ctl_ws_fail(c, strerror(errno)));
	if ((n = recv(c->fd, p, CTL_READ_BYTES, 0)) == 0)
		return (ctl_ws_fail(c, "connection closed without a word"));
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		return (ctl_ws_fail(c, strerror(errno)));
	if (n > 0)
		buf_grow(&c->in, (size_t)n);
	return (0);
}

static int
ctl_ws_fill(struct ctl_ws *c, int64_t until)
{
	short got;
	int r;

	if ((r = ctl_ws_wait(c, POLLIN, until, &got)) != 1)
		return (r);
	return (ctl_ws_read(c) == -1 ? -1 : 1);
}

static int
ctl_ws_connect(struct ctl_ws *c, const struct addrinfo *a, int64_t until)
{
	int one = 1, error = 0, r = 1;
	socklen_t size = sizeof(error);
	short got;

	c->fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
	if (c->fd == -1)
		return (ctl_ws_fail(c, strerror(errno)));
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(c->fd, F_SETFD, FD_CLOEXEC) == -1)
		goto err;
	if (connect(c->fd, a->ai_addr, a->ai_addrlen) == -1) {
		if (errno != EINPROGRESS)
			goto err;
		r = ctl_ws_wait(c, POLLOUT, until, &got);
		if (r == 1 &&
		    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) ==
			-1)
			goto err;
	}
	if (error != 0) {
		errno = error;
		goto err;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return (r);
err:
	ctl_ws_fail(c, strerror(errno));
	close(c->fd);
	c->fd = -1;
	return (-1);
}

static int
ctl_ws_request(struct buf *out, const struct ctl_url *url, struct bytes glued,
    char *accept)
{
	uint8_t nonce[16];
	char key[BASE64_LEN(sizeof(nonce)) + 1];
	int six = strchr(url->host, ':') != NULL;

	if (sodium_init() == -1)
		return (-1);
	randombytes_buf(nonce, sizeof(nonce));
	key[base64_encode(key, bytes_of(nonce, sizeof(nonce)))] = '\0';
	http_accept_key(accept, bytes_str(key));
	buf_printf(out, "GET %s%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n",
	    *url->target == '/' ? "" : "/", url->target, six ? "[" : "",
	    url->host, six ? "]" : "", url->port);
	buf_printf(out,
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
	    key);
	buf_add_bytes(out, glued);
	return (out->failed ? -1 : 0);
}

static int
ctl_ws_accepted(struct ctl_ws *c, const struct buf *head, const char *accept)
{
	static const char name[] = "\r\nsec-websocket-accept:";
	struct bytes h = buf_bytes(head);
	const char *p;
	char *text;
	int r = -1;

	if ((text = strndup((const char *)h.p, h.n)) == NULL)
		return (ctl_ws_fail(c, strerror(errno)));
	if (strncmp(text, "HTTP/1.1 101 ", 13) != 0)
		ctl_ws_fail(c, "the server does not upgrade");
	else if ((p = strcasestr(text, name)) == NULL ||
	    (p += sizeof(name) - 1 + strspn(p + sizeof(name) - 1, " \t"),
		strncmp(p, accept, HTTP_ACCEPT_LEN) != 0) ||
	    p[HTTP_ACCEPT_LEN] != '\r')
		ctl_ws_fail(c, "the server's Sec-WebSocket-Accept is wrong");
	else
		r = 1;
	free(text);
	return (r);
}

/* Looks at what is there: 1 a message, 0 more is needed, -1. */
static int
ctl_ws_event(struct ctl_ws *c, struct ctl_ws_message *m)
{
	struct ws_event ev;
	ssize_t n;
	int r = 0;

	while (r == 0 && c->in.len > 0) {
		n = ws_feed(&c->ws, c->in.mem + c->in.off, c->in.len, &ev);
		if (n == -1)
			return (ctl_ws_fail(c, c->ws.reason));
		if (n == 0)
			return (0);
		if (ev.opcode == WS_TEXT || ev.opcode == WS_BINARY) {
			if (ev.first)
				buf_clear(&c->message);
			if (buf_add_bytes(&c->message, ev.data) == -1)
				return (ctl_ws_fail(c, strerror(errno)));
			if ((r = ev.last)) {
				m->opcode = ev.opcode;
				m->data = buf_bytes(&c->message);
			}
		} else
			r = ctl_ws_control(c, &ev, m);
		buf_drop(&c->in, (size_t)n);
	}
	return (r);
}

static int
ctl_ws_control(struct ctl_ws *c, const struct ws_event *ev,
    struct ctl_ws_message *m)
{
	if (ev->opcode == WS_CONTINUATION)
		return (0);
	if (ev->data.n > 0)
		memcpy(c->control, ev->data.p, ev->data.n);
	m->opcode = ev->opcode;
	m->data = bytes_of(c->control, ev->data.n);
	m->code = ev->code;
	if (ev->opcode != WS_PING)
		return (1);
	/* A frame of at most 131 octets finds room, or the line is dead. */
	return (ctl_ws_send(c, WS_PONG, m->data, 10000) == 1
		? 0
		: ctl_ws_fail(c, "no answer to a ping could be sent"));
}
