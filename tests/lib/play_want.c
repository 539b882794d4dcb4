/*
 * Lines of wire scripts that say what a client must receive.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/log.h"
#include "worker/http.h"
#include "tests/lib/play.h"

static void play_next(struct play *, struct play_client *,
    struct ctl_ws_message *);
static void play_differs(struct play *, struct play_client *,
    const struct ctl_ws_message *) __attribute__((noreturn));
static void play_closes(struct play *, struct play_client *,
    const struct ctl_ws_message *, char *);
static void play_want(struct play *, struct play_client *, enum ws_opcode,
    struct bytes);
static void play_body(struct play *, struct play_client *);
static void play_chunks(struct play *, struct play_client *);

void
play_want_bin(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_want(play, c, WS_BINARY, buf_bytes(&data));
	buf_free(&data);
}

void
play_want_text(struct play *play, struct play_client *c, char *rest)
{
	play_want(play, c, WS_TEXT, bytes_str(rest));
}

void
play_want_utf8(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_want(play, c, WS_TEXT, buf_bytes(&data));
	buf_free(&data);
}

void
play_want_pong(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_want(play, c, WS_PONG, buf_bytes(&data));
	buf_free(&data);
}

void
play_want_big(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_big(play, rest, &data);
	play_want(play, c, WS_BINARY, buf_bytes(&data));
	buf_free(&data);
}

void
play_want_close(struct play *play, struct play_client *c, char *rest)
{
	struct ctl_ws_message m;

	play_next(play, c, &m);
	play_closes(play, c, &m, rest);
}

void
play_want_until(struct play *play, struct play_client *c, char *rest)
{
	struct ctl_ws_message m;

	do {
		play_next(play, c, &m);
		if (m.opcode == WS_CLOSE)
			play_differs(play, c, &m);
	} while (m.opcode != WS_TEXT || !bytes_eq(m.data, bytes_str(rest)));
}

void
play_want_last(struct play *play, struct play_client *c, char *rest)
{
	struct ctl_ws_message m;

	do
		play_next(play, c, &m);
	while (m.opcode != WS_CLOSE);
	play_closes(play, c, &m, rest);
}

static void
play_closes(struct play *play, struct play_client *c,
    const struct ctl_ws_message *m, char *rest)
{
	const char *code = script_word(&rest);

	if (m->opcode != WS_CLOSE ||
	    m->code != (*code == '\0' ? WS_CODE_NONE : atoi(code)) ||
	    (*rest != '\0' && !bytes_eq(m->data, bytes_str(rest))))
		play_differs(play, c, m);
}

void
play_want_none(struct play *play, struct play_client *c, char *rest)
{
	static const char octets[] = "none";

	(void)rest;
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_PING, bytes_str(octets), PLAY_MS));
	play_want(play, c, WS_PONG, bytes_str(octets));
}

void
play_want_end(struct play *play, struct play_client *c, char *rest)
{
	struct ctl_ws_message m;

	(void)rest;
	switch (ctl_ws_next(&c->ws, &m, PLAY_MS)) {
	case 0:
		play_fail(play, "%c: the connection stays", c->name);
	case 1:
		play_differs(play, c, &m);
	}
	if (c->ws.ws.code != 0)
		play_fail(play, "%c: %s", c->name, c->ws.why);
	ctl_ws_close(&c->ws);
}

void
play_want_http(struct play *play, struct play_client *c, char *rest)
{
	char *status = script_word(&rest);
	size_t n = strlen(rest);
	struct bytes body;

	play_body(play, c);
	body = buf_bytes(&c->body);
	if (c->status != atoi(status))
		play_fail(play, "%c: status %d", c->name, c->status);
	if (n == 0)
		return;
	if (rest[n - 1] == '*' && body.n >= --n)
		body.n = n;
	if (!bytes_eq(body, bytes_of(rest, n)))
		play_fail(play, "%c: body %.*s", c->name, (int)c->body.len,
		    (const char *)c->body.mem + c->body.off);
}

void
play_want_field(struct play *play, struct play_client *c, char *rest)
{
	struct buf line = BUF_INIT;

	buf_printf(&line, "\r\n%s\r\n", rest);
	buf_add_u8(&line, '\0');
	if (c->head.len == 0 ||
	    strcasestr((char *)c->head.mem + c->head.off, (char *)line.mem) ==
		NULL)
		play_fail(play, "%c: no such header field", c->name);
	buf_free(&line);
}

void
play_want_token(struct play *play, struct play_client *c, char *rest)
{
	static const char start[] = "{\"token\":\"", end[] = "\"}";
	struct bytes body;

	play_body(play, c);
	body = buf_bytes(&c->body);
	if (c->status != 200 || !bytes_start(body, bytes_str(start)) ||
	    body.n < sizeof(start) + sizeof(end) - 2 ||
	    memcmp(body.p + body.n - 2, end, 2) != 0)
		play_fail(play, "%c: status %d and no token", c->name,
		    c->status);
	body = bytes_skip(body, sizeof(start) - 1);
	play_keep(play, script_word(&rest),
	    strndup((const char *)body.p, body.n - 2));
}

void
play_want_has(struct play *play, struct play_client *c, char *rest)
{
	if (memmem(buf_bytes(&c->body).p, c->body.len, rest, strlen(rest)) ==
	    NULL)
		play_fail(play, "%c: body %.*s", c->name, (int)c->body.len,
		    (const char *)buf_bytes(&c->body).p);
}

void
play_want_hasnt(struct play *play, struct play_client *c, char *rest)
{
	if (memmem(buf_bytes(&c->body).p, c->body.len, rest, strlen(rest)) !=
	    NULL)
		play_fail(play, "%c: body %.*s", c->name, (int)c->body.len,
		    (const char *)buf_bytes(&c->body).p);
}

void
play_want_keep(struct play *play, struct play_client *c, char *rest)
{
	char *name = script_word(&rest), *text;
	struct json_report report;
	struct json object, value = { .type = JSON_NONE };
	struct bytes raw;

	if (json_parse(&object, buf_bytes(&c->body), JSON_DEPTH_MAX, &report) ==
	    0)
		json_find(&object, rest, &value);
	raw = json_raw(&value);
	if (value.type != JSON_STRING ||
	    (text = strndup((const char *)raw.p, raw.n)) == NULL)
		play_fail(play, "%c: no text %s", c->name, rest);
	play_keep(play, name, text);
}

static void
play_next(struct play *play, struct play_client *c, struct ctl_ws_message *m)
{
	if (c->ws.fd == -1)
		play_fail(play, "%c: is not connected", c->name);
	switch (ctl_ws_next(&c->ws, m, PLAY_MS)) {
	case 0:
		play_fail(play, "%c: nothing came for %d s", c->name,
		    PLAY_MS / 1000);
	case -1:
		play_fail(play, "%c: %s", c->name, c->ws.why);
	}
}

static void
play_differs(struct play *play, struct play_client *c,
    const struct ctl_ws_message *m)
{
	char shown[256];

	log_quote(shown, sizeof(shown), m->data);
	if (m->opcode == WS_CLOSE)
		play_fail(play, "%c: close %u %s", c->name, m->code, shown);
	play_fail(play, "%c: opcode %d, %zu octets: %s", c->name,
	    (int)m->opcode, m->data.n, shown);
}

static void
play_want(struct play *play, struct play_client *c, enum ws_opcode opcode,
    struct bytes data)
{
	struct ctl_ws_message m;

	play_next(play, c, &m);
	if (m.opcode != opcode || !bytes_eq(m.data, data))
		play_differs(play, c, &m);
}

/* Reads an answer: its head, with a NUL behind it, and its body. */
static void
play_body(struct play *play, struct play_client *c)
{
	static const char name[] = "\r\ncontent-length:";
	size_t size = 0;
	char *field;

	buf_clear(&c->head);
	buf_clear(&c->body);
	play_sent(play, c, ctl_ws_head(&c->ws, &c->head, PLAY_MS));
	buf_add_u8(&c->head, '\0');
	field = (char *)c->head.mem + c->head.off;
	if (sscanf(field, "HTTP/1.1 %d ", &c->status) != 1)
		play_fail(play, "%c: not HTTP/1.1", c->name);
	if (strcasestr(field, "\r\ntransfer-encoding: chunked") != NULL) {
		play_chunks(play, c);
		return;
	}
	if ((field = strcasestr(field, name)) != NULL)
		size = strtoul(field + sizeof(name) - 1, NULL, 10);
	play_sent(play, c, ctl_ws_want(&c->ws, size, PLAY_MS));
	buf_add_bytes(&c->body, bytes_of(buf_bytes(&c->ws.in).p, size));
	buf_drop(&c->ws.in, size);
}

static void
play_chunks(struct play *play, struct play_client *c)
{
	struct http_chunked chunks;
	struct bytes piece;
	ssize_t n;

	http_chunked_init(&chunks, SIZE_MAX);
	for (;;) {
		n = http_chunked_feed(&chunks, buf_bytes(&c->ws.in), &piece);
		if (n == -1)
			play_fail(play, "%c: %s", c->name, chunks.reason);
		buf_add_bytes(&c->body, piece);
		buf_drop(&c->ws.in, (size_t)n);
		if (http_chunked_done(&chunks))
			return;
		if (n == 0)
			play_sent(play, c,
			    ctl_ws_want(&c->ws, c->ws.in.len + 1, PLAY_MS));
	}
}
