/* HTTP answers: status lines, headers, bodies whole and in pieces. */
#include <sys/socket.h>

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "worker/conn_internal.h"

struct reply_row {
	unsigned status;
	const char *text;
};

static const struct reply_row reply_rows[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

static const char *reply_phrase(unsigned status);
static int reply_may_begin(const struct conn *);
static void reply_head(struct conn *, unsigned, const char *type,
    const char *headers);
static void reply_size(struct conn *, unsigned status, uint64_t size);
static void reply_send(struct conn *, struct buf *);
static void reply_discard(int fd);

void
conn_http_reply(struct conn *c, unsigned int status, const char *type,
    const char *headers, struct bytes body, int close)
{
	if (!reply_may_begin(c))
		return;
	c->exchange->close |= close;
	reply_head(c, status, type, headers);
	reply_size(c, status, body.n);
	if (!c->exchange->is_head)
		output_add(c, body);
	c->exchange->finished = 1;
}

void
conn_http_begin(struct conn *c, unsigned int status, const char *type,
    const char *headers, uint64_t size)
{
	struct exchange *x = c->exchange;

	if (!reply_may_begin(c))
		return;
	/* HTTP/1.0 has no chunks: the end of the connection ends the body. */
	if (size == UINT64_MAX && x->request.minor == 0)
		x->close = 1;
	else if (size == UINT64_MAX)
		x->pieces = 1;
	reply_head(c, status, type, headers);
	if (x->pieces)
		output_add(c, BYTES_LIT("Transfer-Encoding: chunked\r\n\r\n"));
	else if (size == UINT64_MAX)
		output_add(c, BYTES_LIT("\r\n"));
	else
		reply_size(c, status, size);
}

void
conn_http_data(struct conn *c, struct bytes b)
{
	struct exchange *x = c->exchange;
	char size[24];

	if (x == NULL || !x->answered || x->finished || x->is_head || b.n == 0)
		return;
	if (x->pieces) {
		snprintf(size, sizeof(size), "%zx\r\n", b.n);
		output_add(c, bytes_str(size));
	}
	output_add(c, b);
	if (x->pieces)
		output_add(c, BYTES_LIT("\r\n"));
}

void
conn_http_end(struct conn *c, int close)
{
	struct exchange *x = c->exchange;

	if (x == NULL || !x->answered || x->finished)
		return;
	if (x->pieces && !x->is_head)
		output_add(c, BYTES_LIT("0\r\n\r\n"));
	x->close |= close;
	x->finished = 1;
}

void
reply_text(struct conn *c, unsigned status, const char *text)
{
	conn_http_reply(c, status, "text/plain; charset=UTF-8", NULL,
	    bytes_str(text), 0);
}

void
reply_bare(struct conn *c, unsigned status)
{
	struct buf b = BUF_INIT;

	if (!reply_may_begin(c))
		return;
	buf_printf(&b,
	    "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	    status, reply_phrase(status));
	reply_send(c, &b);
	note_said(c, 0, 0);
	c->exchange->close = c->exchange->finished = 1;
	c->exchange->answered = 1;
}

void
reply_switch(struct conn *c, struct bytes protocol)
{
	struct buf b = BUF_INIT;

	buf_add_str(&b,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	buf_add_str(&b, c->exchange->upgrade.accept);
	buf_add_str(&b, "\r\n");
	if (protocol.n > 0) {
		buf_add_str(&b, "Sec-WebSocket-Protocol: ");
		buf_add_bytes(&b, protocol);
		buf_add_str(&b, "\r\n");
	}
	buf_add_str(&b, "\r\n");
	reply_send(c, &b);
}

/*
 * What the client has sent is read and thrown away first: closing over unread
 * octets resets the connection, and the answer with it.
 */
void
reply_unavailable(int fd, int wait_ms)
{
	static const char text[] =
	    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
	    "Content-Length: 0\r\nRetry-After: 5\r\n\r\n";
	struct pollfd p = { .fd = fd, .events = POLLIN };

	reply_discard(fd);
	if (send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0 &&
	    shutdown(fd, SHUT_WR) == 0 && wait_ms > 0 &&
	    poll(&p, 1, wait_ms) == 1)
		reply_discard(fd);
	close(fd);
}

static const char *
reply_phrase(unsigned status)
{
	size_t i;

	for (i = 0; i < sizeof(reply_rows) / sizeof(reply_rows[0]); i++)
		if (reply_rows[i].status == status)
			return (reply_rows[i].text);
	return ("Unknown");
}

static int
reply_may_begin(const struct conn *c)
{
	return ((c->phase == CONN_BODY || c->phase == CONN_WAIT) &&
	    c->exchange != NULL && !c->exchange->answered);
}

/*
 * All but the length and the empty line.  A client that waits with its body may
 * or may not send it after this: what comes next on the connection is unknown.
 */
static void
reply_head(struct conn *c, unsigned status, const char *type,
    const char *headers)
{
	struct exchange *x = c->exchange;
	struct buf b = BUF_INIT;
	time_t now = time(NULL);
	struct tm tm;
	char date[64];

	x->answered = 1;
	x->close |= x->waits;
	note_said(c, 0, 0);
	gmtime_r(&now, &tm);
	/* The C locale's names, which are the ones HTTP wants. */
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_printf(&b, "HTTP/1.1 %u %s\r\nDate: %s\r\n", status,
	    reply_phrase(status), date);
	/* No answer of ours is a page, whatever a browser makes of it. */
	buf_add_str(&b,
	    "X-Content-Type-Options: nosniff\r\n"
	    "Content-Security-Policy: default-src 'none'; "
	    "frame-ancestors 'none'\r\n"
	    "Referrer-Policy: no-referrer\r\n");
	if (type != NULL)
		buf_printf(&b, "Content-Type: %s\r\n", type);
	if (headers != NULL)
		buf_add_str(&b, headers);
	if (x->close)
		buf_add_str(&b, "Connection: close\r\n");
	else if (x->request.minor == 0)
		buf_add_str(&b, "Connection: keep-alive\r\n");
	reply_send(c, &b);
}

static void
reply_size(struct conn *c, unsigned status, uint64_t size)
{
	struct buf b = BUF_INIT;

	if (status != 204 && status != 304)
		buf_printf(&b, "Content-Length: %llu\r\n",
		    (unsigned long long)size);
	buf_add_str(&b, "\r\n");
	reply_send(c, &b);
}

static void
reply_send(struct conn *c, struct buf *b)
{
	if (b->failed)
		conn_drop(c);
	else
		output_add(c, buf_bytes(b));
	buf_free(b);
}

static void
reply_discard(int fd)
{
	char junk[4096];
	int i;

	for (i = 0; i < 32; i++)
		if (recv(fd, junk, sizeof(junk), MSG_DONTWAIT) <= 0)
			return;
}
