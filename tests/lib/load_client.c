/* Connections, frames, and the words of each kind of server. */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/load_client.h"

#define LOAD_WAIT_MS	60000
#define LOAD_READ_BYTES ((size_t)65536)
#define LOAD_FLOOD	64 /* handshakes at a time */
#define LOAD_MARK	"\001quire-load:"
#define LOAD_MARK_BYTES (sizeof(LOAD_MARK) - 1)
#define LOAD_DIGITS	16
#define LOAD_HEAD_BYTES (LOAD_MARK_BYTES + LOAD_DIGITS)
#define LOAD_SUBJECT	"quire.load"

struct load_peer {
	const char *name;
	int opcode; /* of what is sent */
	void (*upgraded)(struct load_client *);
	void (*message)(struct load *, struct load_client *, struct bytes);
	void (*dress)(struct buf *, struct bytes);
};

static void load_ready(struct load_client *);
static void load_nats_upgraded(struct load_client *);
static void load_payload(struct load *, struct load_client *, struct bytes);
static void load_nats_message(struct load *, struct load_client *,
    struct bytes);
static size_t load_nats_word(struct load *, struct load_client *);
static void load_plain(struct buf *, struct bytes);
static void load_nats_dress(struct buf *, struct bytes);
static void load_frame(struct load_client *, int opcode, struct bytes);
static void load_read(struct load *, struct load_client *, size_t most);
static void load_upgraded(struct load *, struct load_client *);
static size_t load_frame_take(struct load *, struct load_client *,
    struct bytes);
static const char *load_need(const char *name);

static const struct load_peer load_peers[] = {
	{ "quire", 2, load_ready, load_payload, load_plain },
	{ "ws", 2, load_ready, load_payload, load_plain },
	{ "nchan", 1, load_ready, load_payload, load_plain },
	{ "nats", 2, load_nats_upgraded, load_nats_message, load_nats_dress },
};

void
load_init(struct load *l)
{
	const char *name = load_need("LOAD_PEER");
	size_t i;

	memset(l, 0, sizeof(*l));
	l->host = "127.0.0.1";
	l->port = load_need("LOAD_PORT");
	l->hear = load_need("LOAD_TARGET");
	if ((l->say = getenv("LOAD_SEND")) == NULL)
		l->say = l->hear;
	for (i = 0; i < sizeof(load_peers) / sizeof(load_peers[0]); i++)
		if (strcmp(name, load_peers[i].name) == 0)
			l->peer = &load_peers[i];
	if (l->peer == NULL)
		errx(2, "LOAD_PEER: %s is none", name);
	if ((l->ep = epoll_create1(0)) == -1)
		err(1, "epoll");
}

static const char *
load_need(const char *name)
{
	const char *v = getenv(name);

	if (v == NULL)
		errx(2, "%s is not set: tests/bench/README", name);
	return (v);
}

void
load_open(struct load *l, struct load_client *c, const char *target)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	struct buf head = BUF_INIT;
	int one = 1;

	memset(c, 0, sizeof(*c));
	sin.sin_port = htons((uint16_t)atoi(l->port));
	if (inet_pton(AF_INET, l->host, &sin.sin_addr) != 1 ||
	    (c->fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(c->fd, (const struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	buf_printf(&head,
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    target, l->host);
	if (write(c->fd, buf_bytes(&head).p, head.len) != (ssize_t)head.len)
		err(1, "write");
	buf_free(&head);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(l->ep, EPOLL_CTL_ADD, c->fd, &ev);
}

struct load_client *
load_open_all(struct load *l, size_t n, const char *target)
{
	struct load_client *c;
	size_t i, ready = 0;

	if ((c = calloc(n, sizeof(*c))) == NULL)
		err(1, "memory");
	for (i = 0; i < n || ready < n;) {
		while (i < n && i < ready + LOAD_FLOOD)
			load_open(l, &c[i++], target);
		while (ready < i && c[ready].ready)
			ready++;
		if (ready < n && (i == n || i >= ready + LOAD_FLOOD))
			load_turn(l);
	}
	return (c);
}

void
load_turn(struct load *l)
{
	if (load_wait(l, LOAD_WAIT_MS) == 0)
		errx(1, "%s: nothing arrived for %d ms", l->peer->name,
		    LOAD_WAIT_MS);
}

int
load_wait(struct load *l, int time_ms)
{
	struct epoll_event ev[512];
	int i, n;

	n = epoll_wait(l->ep, ev, 512, time_ms);
	for (i = 0; i < n; i++)
		load_read(l, ev[i].data.ptr, LOAD_READ_BYTES);
	return (n);
}

void
load_send(struct load *l, struct load_client *c, uint64_t number, size_t bytes)
{
	static uint8_t body[1 << 20];
	struct buf out = BUF_INIT;
	char head[LOAD_HEAD_BYTES + 1];

	if (bytes < LOAD_HEAD_BYTES)
		bytes = LOAD_HEAD_BYTES;
	if (bytes > sizeof(body))
		errx(2, "too large");
	snprintf(head, sizeof(head), LOAD_MARK "%016" PRIx64, number);
	memset(body, '.', bytes);
	memcpy(body, head, LOAD_HEAD_BYTES);
	l->peer->dress(&out, bytes_of(body, bytes));
	load_frame(c, l->peer->opcode, buf_bytes(&out));
	buf_free(&out);
}

void
load_deafen(struct load *l, const struct load_client *c)
{
	epoll_ctl(l->ep, EPOLL_CTL_DEL, c->fd, NULL);
}

void
load_sip(struct load *l, struct load_client *c, size_t bytes)
{
	load_read(l, c, bytes);
}

void
load_close(struct load_client *c)
{
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->text);
}

static void
load_ready(struct load_client *c)
{
	c->ready = 1;
}

/* Its PONG says that the subscription stands. */
static void
load_nats_upgraded(struct load_client *c)
{
	load_frame(c, 2,
	    BYTES_LIT("CONNECT {\"verbose\":false,\"pedantic\":false,"
		      "\"echo\":false}\r\nSUB " LOAD_SUBJECT " 1\r\nPING\r\n"));
}

/* A zero mask is a mask. */
static void
load_frame(struct load_client *c, int opcode, struct bytes body)
{
	static const uint8_t mask[4];
	struct buf out = BUF_INIT;
	uint8_t head[10];
	size_t n = 2;

	head[0] = (uint8_t)(0x80 | opcode);
	if (body.n < 126) {
		head[1] = (uint8_t)(0x80 | body.n);
	} else if (body.n < 65536) {
		head[1] = 0x80 | 126;
		head[2] = (uint8_t)(body.n >> 8);
		head[3] = (uint8_t)body.n;
		n = 4;
	} else {
		head[1] = 0x80 | 127;
		be64_put(head + 2, body.n);
		n = 10;
	}
	buf_add(&out, head, n);
	buf_add(&out, mask, sizeof(mask));
	buf_add(&out, body.p, body.n);
	if (write(c->fd, buf_bytes(&out).p, out.len) != (ssize_t)out.len)
		err(1, "send");
	buf_free(&out);
}

static void
load_plain(struct buf *out, struct bytes body)
{
	buf_add(out, body.p, body.n);
}

static void
load_nats_dress(struct buf *out, struct bytes body)
{
	buf_printf(out, "PUB " LOAD_SUBJECT " %zu\r\n", body.n);
	buf_add(out, body.p, body.n);
	buf_add(out, "\r\n", 2);
}

static void
load_read(struct load *l, struct load_client *c, size_t most)
{
	size_t used;
	uint8_t *to;
	ssize_t n;

	if ((to = buf_room(&c->in, most)) == NULL)
		err(1, "memory");
	n = read(c->fd, to, most);
	if (n == 0)
		errx(1, "%s hung up", l->peer->name);
	if (n == -1) {
		if (errno == EAGAIN)
			return;
		err(1, "read");
	}
	buf_grow(&c->in, (size_t)n);
	c->bytes += (uint64_t)n;
	if (!c->upgraded)
		load_upgraded(l, c);
	while (c->upgraded &&
	    (used = load_frame_take(l, c, buf_bytes(&c->in))) > 0)
		buf_drop(&c->in, used);
}

static void
load_upgraded(struct load *l, struct load_client *c)
{
	struct bytes b = buf_bytes(&c->in);
	const uint8_t *end;

	if ((end = memmem(b.p, b.n, "\r\n\r\n", 4)) == NULL)
		return;
	if (memmem(b.p, b.n, " 101 ", 5) == NULL)
		errx(1, "%s refused: %.60s", l->peer->name, (const char *)b.p);
	buf_drop(&c->in, (size_t)(end + 4 - b.p));
	c->upgraded = 1;
	l->peer->upgraded(c);
}

/* Octets of a whole frame, or 0. */
static size_t
load_frame_take(struct load *l, struct load_client *c, struct bytes b)
{
	uint64_t len;
	size_t at = 2;

	if (b.n < 2)
		return (0);
	len = b.p[1] & 0x7f;
	if (len >= 126)
		at = len == 126 ? 4 : 10;
	if (b.n < at)
		return (0);
	if (at == 4)
		len = (uint64_t)b.p[2] << 8 | b.p[3];
	else if (at == 10)
		len = be64_get(b.p + 2);
	if (b.n < at + len)
		return (0);
	if ((b.p[0] & 0x0f) == 8)
		errx(1, "%s closed a connection: %.*s", l->peer->name,
		    len > 2 ? (int)len - 2 : 0, (const char *)b.p + at + 2);
	if ((b.p[0] & 0x0f) < 8) {
		c->greeted = 1;
		l->peer->message(l, c, bytes_of(b.p + at, (size_t)len));
	} else if ((b.p[0] & 0x0f) == 9)
		load_frame(c, 10, bytes_of(b.p + at, (size_t)len));
	return (at + (size_t)len);
}

/* What has no marker is a word to the sender, or a greeting. */
static void
load_payload(struct load *l, struct load_client *c, struct bytes b)
{
	char digits[LOAD_DIGITS + 1];
	uint64_t number;

	if (b.n < LOAD_HEAD_BYTES ||
	    memcmp(b.p, LOAD_MARK, LOAD_MARK_BYTES) != 0)
		return;
	memcpy(digits, b.p + LOAD_MARK_BYTES, LOAD_DIGITS);
	digits[LOAD_DIGITS] = '\0';
	number = strtoull(digits, NULL, 16);
	if (c->in_order && number != c->number + 1)
		errx(1, "%s: message %" PRIu64 " where %" PRIu64 " was due",
		    l->peer->name, number, c->number + 1);
	c->number = number;
	c->got++;
	if (c->watched && l->delivered != NULL)
		l->delivered(c, number);
}

static void
load_nats_message(struct load *l, struct load_client *c, struct bytes b)
{
	size_t used;

	if (buf_add(&c->text, b.p, b.n) == -1)
		err(1, "memory");
	while ((used = load_nats_word(l, c)) > 0)
		buf_drop(&c->text, used);
}

/* One operation of its protocol; octets, or 0 for more. */
static size_t
load_nats_word(struct load *l, struct load_client *c)
{
	struct bytes b = buf_bytes(&c->text);
	const uint8_t *end;
	size_t line, size;

	if (b.n == 0 || (end = memmem(b.p, b.n, "\r\n", 2)) == NULL)
		return (0);
	line = (size_t)(end + 2 - b.p);
	if (b.n >= 4 && memcmp(b.p, "MSG ", 4) == 0) {
		while (end > b.p && end[-1] != ' ')
			end--;
		size = strtoul((const char *)end, NULL, 10);
		if (b.n < line + size + 2)
			return (0);
		load_payload(l, c, bytes_of(b.p + line, size));
		return (line + size + 2);
	}
	if (memcmp(b.p, "PONG", 4) == 0)
		c->ready = 1;
	else if (memcmp(b.p, "PING", 4) == 0)
		load_frame(c, 2, BYTES_LIT("PONG\r\n"));
	else if (b.p[0] == '-')
		errx(1, "nats: %.*s", (int)line, (const char *)b.p);
	return (line);
}
