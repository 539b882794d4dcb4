/*
 * Lines of wire scripts in which a client acts or sends.
 */
#include <stdlib.h>

#include "tests/lib/play.h"

void
play_connect(struct play *play, struct play_client *c, char *rest)
{
	struct ctl_url url;

	play_url(play, &url, rest);
	ctl_ws_close(&c->ws);
	play_sent(play, c, ctl_ws_dial(&c->ws, &url, PLAY_MS));
	play_sent(play, c,
	    ctl_ws_upgrade(&c->ws, &url, buf_bytes(&c->glue), PLAY_MS));
	buf_free(&c->glue);
}

void
play_refused(struct play *play, struct play_client *c, char *rest)
{
	struct buf request = BUF_INIT;
	char *target = script_word(&rest);

	buf_printf(&request, "GET %s", target);
	buf_add_u8(&request, '\0');
	buf_add_str(&c->header,
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n");
	ctl_ws_close(&c->ws);
	play_send_request(play, c, (char *)request.mem);
	play_want_http(play, c, rest);
	buf_free(&request);
}

void
play_glue(struct play *play, struct play_client *c, char *rest)
{
	play_octets(play, rest, &c->glue);
}

void
play_header(struct play *play, struct play_client *c, char *rest)
{
	(void)play;
	buf_printf(&c->header, "%s\r\n", rest);
}

void
play_drop(struct play *play, struct play_client *c, char *rest)
{
	(void)play;
	(void)rest;
	ctl_ws_close(&c->ws);
}

void
play_send_bin(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_BINARY, buf_bytes(&data), PLAY_MS));
	buf_free(&data);
}

void
play_send_text(struct play *play, struct play_client *c, char *rest)
{
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_TEXT, bytes_str(rest), PLAY_MS));
}

void
play_send_ping(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_PING, buf_bytes(&data), PLAY_MS));
	buf_free(&data);
}

void
play_send_big(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_big(play, rest, &data);
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_BINARY, buf_bytes(&data), PLAY_MS));
	buf_free(&data);
}

void
play_send_close(struct play *play, struct play_client *c, char *rest)
{
	uint8_t payload[WS_CONTROL_MAX];
	char *code = script_word(&rest);
	size_t n;

	n = ws_close_payload(payload,
	    *code == '\0' ? WS_CODE_NONE : (unsigned)atoi(code),
	    bytes_str(rest));
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_CLOSE, bytes_of(payload, n), PLAY_MS));
}

void
play_send_raw(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_dial(play, c);
	play_sent(play, c, ctl_ws_write(&c->ws, buf_bytes(&data), PLAY_MS));
	buf_free(&data);
}

void
play_send_request(struct play *play, struct play_client *c, char *rest)
{
	char *method = script_word(&rest), *target = script_word(&rest);
	struct buf out = BUF_INIT;

	play_dial(play, c);
	buf_printf(&out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", method,
	    target, play->server.port);
	buf_add_bytes(&out, buf_bytes(&c->header));
	if (*rest != '\0')
		buf_printf(&out, "Content-Length: %zu\r\n", strlen(rest));
	buf_printf(&out, "\r\n%s", rest);
	play_sent(play, c, ctl_ws_write(&c->ws, buf_bytes(&out), PLAY_MS));
	buf_free(&out);
	buf_free(&c->header);
}
