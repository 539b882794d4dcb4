/*
 * greedy: clients who say much more than is their turn to say.  The relay stops
 * reading them, so that what they say waits in their own kernel and not in the
 * relay's memory; and goes on with them when it is their turn again.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tests/lib/client.h"

#define GREEDY_MOST_BYTES  (64u * 1024 * 1024) /* several kernels full */
#define GREEDY_STOPPED_MS  500
#define GREEDY_VALUE_BYTES (16u * 1024 * 1024)

static void greedy_pushes(const char *what, int fd, struct bytes again);
static void greedy_heads(struct server *);
static void greedy_pings(struct server *);

int
main(void)
{
	static struct server s;

	log_init("greedy", LOG_TO_STDERR, LOG_LEVEL_INFO);
	server_make(&s);
	server_setting(&s, "log_level warn");
	server_start(&s, SERVER_ALL);
	greedy_pings(&s);
	greedy_heads(&s);
	server_stop(&s, SERVER_ALL, 0);
	server_remove(&s);
	return (0);
}

/* Until the relay reads no more. */
static void
greedy_pushes(const char *what, int fd, struct bytes again)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	size_t sent = 0, at = 0;
	ssize_t n;

	while (poll(&p, 1, GREEDY_STOPPED_MS) == 1) {
		n = send(fd, again.p + at, again.n - at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN)
			fatal(1, "%s", what);
		if (n == -1)
			continue;
		at = (at + (size_t)n) % again.n;
		if ((sent += (size_t)n) > GREEDY_MOST_BYTES)
			fatalx(1, "%s: %zu octets are taken", what, sent);
	}
	printf("%s: stopped after %zu octets\n", what, sent);
	fflush(stdout);
}

/* Requests while there is no broker who could say what is to be answered. */
static void
greedy_heads(struct server *s)
{
	static const char first[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct ctl_url url = { .host = "127.0.0.1" };
	struct buf many = BUF_INIT, head = BUF_INIT;
	struct ctl_ws c;

	while (many.len < 65536)
		buf_add_str(&many, first);
	snprintf(url.port, sizeof(url.port), "%u", s->port);
	ctl_ws_init(&c);
	if (ctl_ws_dial(&c, &url, CLIENT_MS) != 1 ||
	    ctl_ws_write(&c, bytes_str(first), CLIENT_MS) != 1 ||
	    ctl_ws_head(&c, &head, CLIENT_MS) != 1)
		fatalx(1, "connect: %s", c.why == NULL ? "late" : c.why);
	server_stop(s, SERVER_BROKER, 1);
	greedy_pushes("requests", c.fd, buf_bytes(&many));
	server_start(s, SERVER_BROKER);
	buf_free(&head);
	if (ctl_ws_head(&c, &head, CLIENT_MS) != 1)
		fatalx(1, "not answered: %s", c.why == NULL ? "late" : c.why);
	ctl_ws_close(&c);
	buf_free(&head);
	buf_free(&many);
}

/* Pings inside of a frame, which no pong may stand in. */
static void
greedy_pings(struct server *s)
{
	uint8_t ping[WS_HEADER_MAX + WS_CONTROL_MAX] = { 0 };
	static const uint8_t mask[4] = { 0 };
	size_t n = ws_header_masked(ping, WS_PING, 1, WS_CONTROL_MAX, mask) +
	    WS_CONTROL_MAX;
	struct buf value = BUF_INIT, many = BUF_INIT;
	struct ctl_ws reader, writer;
	struct ctl_ws_message m;
	struct pollfd begun = { .events = POLLIN };
	size_t i;

	buf_add_u8(&value, 2);
	for (i = 0; i < GREEDY_VALUE_BYTES; i++)
		buf_add_u8(&value, (uint8_t)(i % 251));
	while (many.len < 65536)
		buf_add(&many, ping, n);
	client_connect(&reader, s, "demo", "write");
	client_connect(&writer, s, "demo", "write");
	client_send(&writer, buf_bytes(&value));
	begun.fd = reader.fd;
	if (poll(&begun, 1, CLIENT_MS) != 1)
		fatalx(1, "the value does not come");
	greedy_pushes("pings", reader.fd, buf_bytes(&many));
	do
		client_next(&reader, &m);
	while (m.opcode == WS_PONG);
	if (m.opcode != WS_BINARY || !bytes_eq(m.data, buf_bytes(&value)))
		fatalx(1, "the value is not what came");
	ctl_ws_close(&reader);
	ctl_ws_close(&writer);
	buf_free(&value);
	buf_free(&many);
}
