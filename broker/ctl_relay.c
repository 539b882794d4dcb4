/*
 * quirectl listen and send: the smallest client there can be, to see a relay
 * work.  It knows the names of the sds dialect's frames and nothing else of any
 * dialect.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/hex.h"
#include "common/log.h"
#include "common/utf8.h"
#include "broker/ctl.h"
#include "broker/ctl_ws.h"

#define CTL_RELAY_MS 30000

/* Of sds, by their first octet. */
static const char *const ctl_relay_names[] = { NULL, "PATCH", "VALUE",
	"REQ_VALUE", "PRESENCE", "VALUE_CHUNK", "SYNC_REQ" };

#define CTL_RELAY_NAMES (sizeof(ctl_relay_names) / sizeof(ctl_relay_names[0]))
#define CTL_RELAY_PATCH 1

static int ctl_relay_open(struct ctl_ws *, const char *, int *);
static int ctl_relay_is_sds(const char *);
static int ctl_relay_print(const struct ctl_ws_message *, int);
static int ctl_relay_payload(struct bytes);
static int ctl_relay_printable(struct bytes);
static int ctl_relay_closed(const struct ctl_ws_message *);
static int ctl_relay_lost(const struct ctl_ws *);
static int ctl_relay_put(struct ctl_ws *, struct bytes, int);
static int ctl_relay_lines(struct ctl_ws *);
static int ctl_relay_part(struct ctl_ws *);

int
ctl_listen(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_ws_message m;
	struct ctl_ws c;
	int status, sds;

	(void)ctl;
	if (argc != 2)
		return (ctl_usage(argv[0]));
	if ((status = ctl_relay_open(&c, argv[1], &sds)) != 0)
		return (status);
	for (;;) {
		if (ctl_ws_next(&c, &m, -1) != 1) {
			ctl_relay_lost(&c);
			status = 1;
			break;
		}
		if (m.opcode == WS_CLOSE) {
			status = ctl_relay_closed(&m) == 0 ? 0 : 1;
			ctl_ws_send(&c, WS_CLOSE, BYTES_NONE, CTL_RELAY_MS);
			break;
		}
		if (m.opcode != WS_PONG && ctl_relay_print(&m, sds) == -1) {
			status = EX_IOERR;
			break;
		}
	}
	ctl_ws_close(&c);
	return (status);
}

int
ctl_send(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_ws c;
	int status, sds, lines;

	(void)ctl;
	if (argc != 3)
		return (ctl_usage(argv[0]));
	lines = strcmp(argv[1], "-x") == 0;
	if ((status = ctl_relay_open(&c, argv[1 + lines], &sds)) != 0)
		return (status);
	if (lines)
		status = ctl_relay_lines(&c);
	else if (ctl_relay_put(&c, bytes_str(argv[2]), sds) != 1)
		status = ctl_relay_lost(&c);
	if (status == 0)
		status = ctl_relay_part(&c);
	ctl_ws_close(&c);
	return (status);
}

/* 0 and whether the URL is of sds, or what to exit with. */
static int
ctl_relay_open(struct ctl_ws *c, const char *text, int *sds)
{
	struct ctl_url url;
	const char *wrong;

	if ((wrong = ctl_url_parse(&url, text)) != NULL) {
		log_warnx("url: %s", wrong);
		return (EX_USAGE);
	}
	ctl_ws_init(c);
	if (ctl_ws_dial(c, &url, CTL_RELAY_MS) != 1 ||
	    ctl_ws_upgrade(c, &url, BYTES_NONE, CTL_RELAY_MS) != 1) {
		log_warnx("%s:%s: %s", url.host, url.port,
		    c->why == NULL ? "no answer in time" : c->why);
		ctl_ws_close(c);
		return (EX_UNAVAILABLE);
	}
	*sds = ctl_relay_is_sds(url.target);
	return (0);
}

static int
ctl_relay_is_sds(const char *target)
{
	return (strncmp(target, "/ws/", 4) == 0);
}

static int
ctl_relay_print(const struct ctl_ws_message *m, int sds)
{
	struct bytes data = m->data;
	uint8_t type;

	if (m->opcode == WS_TEXT)
		fputs("text ", stdout);
	else if (!sds || data.n == 0)
		fputs("binary ", stdout);
	else {
		type = data.p[0];
		data = bytes_skip(data, 1);
		if (type < CTL_RELAY_NAMES && ctl_relay_names[type] != NULL)
			printf("%s ", ctl_relay_names[type]);
		else
			printf("%02x ", type);
	}
	return (ctl_relay_payload(data));
}

static int
ctl_relay_payload(struct bytes data)
{
	char digits[128];
	struct bytes piece;

	if (ctl_relay_printable(data))
		fwrite(data.n == 0 ? "" : (const char *)data.p, 1, data.n,
		    stdout);
	else
		for (; data.n > 0; data = bytes_skip(data, piece.n)) {
			piece = data;
			if (piece.n > sizeof(digits) / 2)
				piece.n = sizeof(digits) / 2;
			fwrite(digits, 1, hex_encode(digits, piece), stdout);
		}
	putchar('\n');
	if (fflush(stdout) == EOF) {
		log_warn("standard output");
		return (-1);
	}
	return (0);
}

/* Text that cannot move a terminal's cursor: no C0 or C1 control. */
static int
ctl_relay_printable(struct bytes data)
{
	size_t i;

	for (i = 0; i < data.n; i++)
		if (data.p[i] < 0x20 || data.p[i] == 0x7f ||
		    (data.p[i] == 0xc2 && i + 1 < data.n &&
			data.p[i + 1] < 0xa0))
			return (0);
	return (utf8_valid(data));
}

/* Says how the server closed; the status of it. */
static int
ctl_relay_closed(const struct ctl_ws_message *m)
{
	char reason[4 * WS_CONTROL_MAX + 1];

	log_quote(reason, sizeof(reason), m->data);
	fprintf(stderr, "quirectl: closed: %u %s\n", m->code, reason);
	switch (m->code) {
	case WS_CODE_NORMAL:
	case WS_CODE_AWAY:
		return (0);
	case 4001:
	case 4003:
	case WS_CODE_POLICY:
		return (EX_NOPERM);
	case WS_CODE_PROTOCOL:
	case WS_CODE_UTF8:
	case WS_CODE_SIZE:
		return (EX_DATAERR);
	default:
		return (EX_UNAVAILABLE);
	}
}

static int
ctl_relay_lost(const struct ctl_ws *c)
{
	log_warnx("%s", c->why == NULL ? "no answer in time" : c->why);
	return (EX_UNAVAILABLE);
}

static int
ctl_relay_put(struct ctl_ws *c, struct bytes text, int sds)
{
	struct buf frame = BUF_INIT;
	int r;

	if (!sds)
		return (ctl_ws_send(c, WS_TEXT, text, CTL_RELAY_MS));
	buf_add_u8(&frame, CTL_RELAY_PATCH);
	buf_add_bytes(&frame, text);
	if (frame.failed) {
		c->why = "no memory";
		r = -1;
	} else
		r = ctl_ws_send(c, WS_BINARY, buf_bytes(&frame), CTL_RELAY_MS);
	buf_free(&frame);
	return (r);
}

/* Standard input's lines, each a binary message in hexadecimal. */
static int
ctl_relay_lines(struct ctl_ws *c)
{
	char *line = NULL;
	unsigned long number;
	size_t size = 0;
	ssize_t n;
	int status = 0;

	for (number = 1; status == 0 && (n = getline(&line, &size, stdin)) > 0;
	     number++) {
		if (line[n - 1] == '\n')
			n--;
		/* No octet is written before its digits were read. */
		n = hex_decode((uint8_t *)line, (size_t)n,
		    bytes_of(line, (size_t)n));
		if (n == -1) {
			log_warnx("line %lu: not octets in hexadecimal",
			    number);
			status = EX_DATAERR;
		} else if (ctl_ws_send(c, WS_BINARY, bytes_of(line, (size_t)n),
			       CTL_RELAY_MS) != 1)
			status = ctl_relay_lost(c);
	}
	free(line);
	if (status == 0 && ferror(stdin)) {
		log_warn("standard input");
		status = EX_IOERR;
	}
	return (status);
}

/*
 * The server answers a close only after what came before it is stored and
 * passed on.  It repeats our code; another one is its own word.
 */
static int
ctl_relay_part(struct ctl_ws *c)
{
	uint8_t payload[WS_CONTROL_MAX];
	struct ctl_ws_message m;
	size_t n;

	n = ws_close_payload(payload, WS_CODE_NORMAL, BYTES_NONE);
	if (ctl_ws_send(c, WS_CLOSE, bytes_of(payload, n), CTL_RELAY_MS) != 1)
		return (ctl_relay_lost(c));
	do
		if (ctl_ws_next(c, &m, CTL_RELAY_MS) != 1)
			return (ctl_relay_lost(c));
	while (m.opcode != WS_CLOSE);
	if (m.code == WS_CODE_NORMAL)
		return (0);
	/* Going away in the middle is no success here. */
	n = (size_t)ctl_relay_closed(&m);
	return (n == 0 ? EX_UNAVAILABLE : (int)n);
}
