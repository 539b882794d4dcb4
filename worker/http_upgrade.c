/*
 * The opening handshake of a WebSocket, the server's half of the checking.
 * Writing the answer is the caller's.
 */
#include "common/base64url.h"
#include "common/sha1.h"
#include "worker/http.h"

#define UPGRADE_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

static int upgrade_shape(struct http_upgrade *, const struct http_request *,
    int);
static int upgrade_version(struct http_upgrade *, const struct http_request *,
    int);
static int upgrade_protocols(struct http_upgrade *,
    const struct http_request *);
static int upgrade_protocol(struct http_upgrade *, struct bytes);
static int upgrade_refuse(struct http_upgrade *, int, const char *,
    const char *);

int
http_upgrade_wanted(const struct http_request *r)
{
	return (http_header_has(r, "upgrade", "websocket"));
}

int
http_upgrade_check(struct http_upgrade *u, const struct http_request *r,
    int options)
{
	struct bytes key = http_header_get(r, "sec-websocket-key");

	memset(u, 0, sizeof(*u));
	if (upgrade_shape(u, r, options) == -1 ||
	    upgrade_version(u, r, options) == -1)
		return (-1);
	if (http_header_count(r, "sec-websocket-key") != 1 ||
	    !base64_is_ws_key(key))
		return (upgrade_refuse(u, 400, "bad Sec-WebSocket-Key", ""));
	if (upgrade_protocols(u, r) == -1)
		return (
		    upgrade_refuse(u, 400, "bad Sec-WebSocket-Protocol", ""));
	http_accept_key(u->accept, key);
	u->status = 101;
	u->reason = "";
	u->headers = "";
	return (0);
}

void
http_accept_key(char out[HTTP_ACCEPT_LEN + 1], struct bytes key)
{
	uint8_t text[24 + sizeof(UPGRADE_GUID) - 1], digest[SHA1_BYTES];
	size_t n = key.n > 24 ? 24 : key.n;

	if (n > 0)
		memcpy(text, key.p, n);
	memcpy(text + n, UPGRADE_GUID, sizeof(UPGRADE_GUID) - 1);
	sha1(digest, bytes_of(text, n + sizeof(UPGRADE_GUID) - 1));
	out[base64_encode(out, bytes_of(digest, sizeof(digest)))] = '\0';
}

static int
upgrade_shape(struct http_upgrade *u, const struct http_request *r, int options)
{
	if (!bytes_eq(r->method, BYTES_LIT("GET")))
		return (upgrade_refuse(u, 405, "method not allowed",
		    "Allow: GET\r\n"));
	if (r->minor == 0 && (options & HTTP_UPGRADE_HTTP10) == 0)
		return (upgrade_refuse(u, 400, "HTTP/1.1 needed", ""));
	if (!http_upgrade_wanted(r))
		return (upgrade_refuse(u, 400, "bad Upgrade", ""));
	if (!http_header_has(r, "connection", "upgrade"))
		return (upgrade_refuse(u, 400, "bad Connection", ""));
	/* Where a body would end is what a smuggler bets on. */
	if (r->chunked || r->length > 0)
		return (upgrade_refuse(u, 400, "upgrade with a body", ""));
	return (0);
}

static int
upgrade_version(struct http_upgrade *u, const struct http_request *r,
    int options)
{
	int v8 = (options & HTTP_UPGRADE_V8) != 0;
	struct bytes v = http_header_get(r, "sec-websocket-version");

	if (http_header_count(r, "sec-websocket-version") > 1)
		return (
		    upgrade_refuse(u, 400, "bad Sec-WebSocket-Version", ""));
	if (bytes_eq(v, BYTES_LIT("13")) || (v8 && bytes_eq(v, BYTES_LIT("8"))))
		return (0);
	return (upgrade_refuse(u, 426, "bad Sec-WebSocket-Version",
	    v8 ? "Sec-WebSocket-Version: 13, 8\r\n"
	       : "Sec-WebSocket-Version: 13\r\n"));
}

static int
upgrade_protocols(struct http_upgrade *u, const struct http_request *r)
{
	struct bytes list, item;
	unsigned i;

	for (i = 0; i < r->headers_len; i++) {
		if (!http_eq(r->headers[i].name, "sec-websocket-protocol"))
			continue;
		list = r->headers[i].value;
		while (http_list_next(&list, &item))
			if (upgrade_protocol(u, item) == -1)
				return (-1);
	}
	return (0);
}

/* Each must be a token and stand there once (RFC 6455, section 4.1). */
static int
upgrade_protocol(struct http_upgrade *u, struct bytes item)
{
	unsigned i;

	if (u->protocols_len == HTTP_PROTOCOLS_MAX || !http_is_token(item))
		return (-1);
	for (i = 0; i < u->protocols_len; i++)
		if (bytes_eq(u->protocols[i], item))
			return (-1);
	u->protocols[u->protocols_len++] = item;
	return (0);
}

static int
upgrade_refuse(struct http_upgrade *u, int status, const char *reason,
    const char *headers)
{
	u->status = status;
	u->reason = reason;
	u->headers = headers;
	return (-1);
}
