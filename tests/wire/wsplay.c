/*
 * wsplay SCRIPT ...: plays wire scripts, each in a process and against a relay
 * of its own.  A script says what clients (one capital letter each) send and
 *must receive, in order; what is not as it says ends it with the line's number.
 * Nothing waits for time to pass: an expectation is met by a message, or fails
 * after ten seconds.
 *
 *	setting NAME VALUE	for the configuration; before all that connects
 *	token VAR STORE SCOPE [SECONDS]		good for so long; 0: for ever
 *	user VAR SUBJECT [JSON]	a token for all stores, with more claims
 *	issuer			makes tokens of an issuer elsewhere, who becomes
 *				the relay's: RS256, ES256, OTHER, STRANGER; see
 *				tests/lib/issuer.h.  Skips the script without
 *	set VAR VALUE
 *	restart broker|worker|all [kill]	and wait until it is ready
 *
 *	A connect TARGET	opens a WebSocket; also in place of an old one
 *	A refused TARGET STATUS	the upgrade is answered with that instead
 *	A glue OCTETS		sent with the next handshake, in one write
 *	A header LINE		sent with the next request
 *	A drop			closes TCP
 *	A> bin OCTETS		A> text TEXT		A> ping OCTETS
 *	A> big BEGIN SIZE [FROM]	a binary message of SIZE octets:
 *				BEGIN without blanks, then a pattern from there
 *	A> close [CODE [REASON]]
 *	A> raw OCTETS		not a frame, just octets; and this:
 *	A> request METHOD TARGET [BODY]		both connect where none is
 *	A< bin OCTETS		A< text TEXT		A< pong OCTETS
 *	A< big BEGIN SIZE [FROM]		A< utf8 OCTETS	of a text
 *	A< close [CODE [REASON]]		no code: the frame has none
 *	A< none			nothing came before the answer to a ping; who
 *				has just connected is in the store by then
 *	A< end			TCP ends
 *	A< http STATUS [BODY]	BODY may end in *
 *	A< field NAME: VALUE	of the answer's head
 *	A< token VAR		keeps the token that the answer carries
 *	A< has TEXT		somewhere in the body of the last answer
 *	A< hasnt TEXT
 *	A< keep VAR MEMBER	the text of that member of the last answer
 *
 * $VAR and ${VAR} stand for values; '#' begins a comment line.  READ, WRITE and
 * ADMIN are tokens for the store demo.
 */
#include <sys/wait.h>

#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "broker/ctl_ws.h"
#include "tests/lib/issuer.h"
#include "tests/lib/script.h"
#include "tests/lib/server.h"
#include "worker/http.h"
#include "common/json.h"

#define PLAY_MS	     10000
#define PLAY_CLIENTS 26
#define PLAY_SKIP    77 /* what a script's process exits with */

struct play_client {
	char name;
	struct ctl_ws ws;
	struct buf glue;
	struct buf header;
	struct buf head; /* of the last answer */
	struct buf body;
	int status;
};

struct play {
	const char *file;
	unsigned int line;
	int started;
	struct server server;
	struct script_vars vars;
	struct play_client clients[PLAY_CLIENTS];
};

typedef void play_fn(struct play *, struct play_client *, char *);

static play_fn play_set, play_setting, play_token, play_user, play_issuer,
    play_restart;
static play_fn play_connect, play_refused, play_glue, play_header, play_drop;
static play_fn send_bin, send_text, send_ping, send_big, send_close, send_raw,
    send_request;
static play_fn want_bin, want_text, want_utf8, want_pong, want_big, want_close,
    want_none, want_end, want_http, want_field, want_token, want_has,
    want_hasnt, want_keep;

/* kind: '-' for no client, ' ' the client acts, '>' sends, '<' must receive */
static const struct play_row {
	char kind;
	const char *word;
	play_fn *run;
} play_rows[] = {
	{ '-', "set", play_set },
	{ '-', "setting", play_setting },
	{ '-', "token", play_token },
	{ '-', "user", play_user },
	{ '-', "issuer", play_issuer },
	{ '-', "restart", play_restart },
	{ ' ', "connect", play_connect },
	{ ' ', "refused", play_refused },
	{ ' ', "glue", play_glue },
	{ ' ', "header", play_header },
	{ ' ', "drop", play_drop },
	{ '>', "bin", send_bin },
	{ '>', "text", send_text },
	{ '>', "ping", send_ping },
	{ '>', "big", send_big },
	{ '>', "close", send_close },
	{ '>', "raw", send_raw },
	{ '>', "request", send_request },
	{ '<', "bin", want_bin },
	{ '<', "text", want_text },
	{ '<', "utf8", want_utf8 },
	{ '<', "pong", want_pong },
	{ '<', "big", want_big },
	{ '<', "close", want_close },
	{ '<', "none", want_none },
	{ '<', "end", want_end },
	{ '<', "http", want_http },
	{ '<', "field", want_field },
	{ '<', "token", want_token },
	{ '<', "has", want_has },
	{ '<', "hasnt", want_hasnt },
	{ '<', "keep", want_keep },
};

#define PLAY_ROWS (sizeof(play_rows) / sizeof(play_rows[0]))

static void play_file(const char *);
static void play_open(struct play *);
static void play_close(struct play *);
static void play_line(struct play *, char *);
static void play_fail(const struct play *, const char *, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
static void play_keep(struct play *, const char *, char *);
static void play_url(struct play *, struct ctl_url *, const char *);
static void play_dial(struct play *, struct play_client *);
static void play_octets(struct play *, const char *, struct buf *);
static void play_big(struct play *, char *, struct buf *);
static void play_sent(struct play *, struct play_client *, int);
static void play_next(struct play *, struct play_client *,
    struct ctl_ws_message *);
static void play_differs(struct play *, struct play_client *,
    const struct ctl_ws_message *) __attribute__((noreturn));
static void play_want(struct play *, struct play_client *, enum ws_opcode,
    struct bytes);
static void play_body(struct play *, struct play_client *);
static void play_chunks(struct play *, struct play_client *);

int
main(int argc, char **argv)
{
	int i, status, skipped, failed = 0;
	pid_t pid;

	log_init("wsplay", LOG_TO_STDERR, LOG_LEVEL_INFO);
	printf("1..%d\n", argc - 1);
	for (i = 1; i < argc; i++) {
		fflush(stdout);
		if ((pid = fork()) == -1)
			fatal(1, "fork");
		if (pid == 0) {
			play_file(argv[i]);
			return (0);
		}
		if (waitpid(pid, &status, 0) == -1)
			fatal(1, "wait");
		skipped = WIFEXITED(status) && WEXITSTATUS(status) == PLAY_SKIP;
		printf("%s %d - %s%s\n",
		    status == 0 || skipped ? "ok" : "not ok", i, argv[i],
		    skipped ? " # SKIP" : "");
		failed |= status != 0 && !skipped;
	}
	return (failed);
}

static void
play_file(const char *path)
{
	struct play play = { .file = path };
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL)
		fatal(1, "%s", path);
	play_open(&play);
	while ((n = getline(&text, &size, f)) != -1) {
		play.line++;
		if (n > 0 && text[n - 1] == '\n')
			text[n - 1] = '\0';
		if (text[0] != '#' && text[0] != '\0')
			play_line(&play, text);
	}
	free(text);
	fclose(f);
	play_close(&play);
}

static void
play_open(struct play *play)
{
	int i;

	server_make(&play->server);
	for (i = 0; i < PLAY_CLIENTS; i++) {
		play->clients[i].name = (char)('A' + i);
		ctl_ws_init(&play->clients[i].ws);
	}
	play_keep(play, "READ",
	    server_token(&play->server, "demo", "read", 3600));
	play_keep(play, "WRITE",
	    server_token(&play->server, "demo", "write", 3600));
	play_keep(play, "ADMIN",
	    server_token(&play->server, "demo", "admin", 3600));
}

/*
 * The relay is told to stop while clients are still there, on purpose; they
 * leave then, instead of its waiting for answers that none of them gives.
 */
static void
play_close(struct play *play)
{
	struct play_client *c;

	if (play->server.listener > 0)
		kill(play->server.listener, SIGTERM);
	for (c = play->clients; c < play->clients + PLAY_CLIENTS; c++)
		ctl_ws_close(&c->ws);
	server_stop(&play->server, SERVER_ALL, 0);
	server_remove(&play->server);
	for (c = play->clients; c < play->clients + PLAY_CLIENTS; c++) {
		buf_free(&c->glue);
		buf_free(&c->header);
		buf_free(&c->head);
		buf_free(&c->body);
	}
	script_free(&play->vars);
}

static void
play_line(struct play *play, char *line)
{
	struct play_client *c = NULL;
	struct buf text = BUF_INIT;
	char kind = '-', *rest, *word;
	size_t i;

	if (script_expand(&play->vars, line, &text) == -1)
		play_fail(play, "a variable that is not set");
	rest = (char *)text.mem + text.off;
	if (isupper((unsigned char)rest[0]) &&
	    (rest[1] == ' ' || rest[1] == '>' || rest[1] == '<')) {
		c = &play->clients[rest[0] - 'A'];
		kind = rest[1];
		rest += 2;
	}
	word = script_word(&rest);
	for (i = 0; i < PLAY_ROWS; i++)
		if (play_rows[i].kind == kind &&
		    strcmp(play_rows[i].word, word) == 0)
			break;
	if (i == PLAY_ROWS)
		play_fail(play, "what is \"%s\"?", word);
	if (c != NULL && !play->started) {
		server_start(&play->server, SERVER_ALL);
		play->started = 1;
	}
	play_rows[i].run(play, c, rest);
	buf_free(&text);
}

static void
play_fail(const struct play *play, const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s:%u: ", play->file, play->line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* Takes value over. */
static void
play_keep(struct play *play, const char *name, char *value)
{
	if (script_set(&play->vars, name, value) == -1)
		play_fail(play, "too many variables");
	free(value);
}

/* --- what needs no client ------------------------------------------------- */

static void
play_set(struct play *play, struct play_client *c, char *rest)
{
	char *name = script_word(&rest);

	(void)c;
	play_keep(play, name, strdup(rest));
}

static void
play_setting(struct play *play, struct play_client *c, char *rest)
{
	(void)c;
	if (play->started)
		play_fail(play, "the relay already runs");
	server_setting(&play->server, rest);
}

static void
play_token(struct play *play, struct play_client *c, char *rest)
{
	char *name = script_word(&rest), *store = script_word(&rest);
	char *scope = script_word(&rest);

	(void)c;
	play_keep(play, name,
	    server_token(&play->server, store, scope,
		*rest == '\0' ? 3600 : atoi(rest)));
}

static void
play_user(struct play *play, struct play_client *c, char *rest)
{
	char *name = script_word(&rest), *subject = script_word(&rest);

	(void)c;
	play_keep(play, name, server_user(&play->server, subject, rest));
}

static void
play_issuer(struct play *play, struct play_client *c, char *rest)
{
	char line[sizeof(play->server.dir) + 32], *path = line + 10;
	struct issuer issuer;

	(void)c;
	(void)rest;
	snprintf(line, sizeof(line), "oidc_jwks %s/jwks.json",
	    play->server.dir);
	if (issuer_make(&issuer, path) == -1) {
		play_close(play);
		exit(PLAY_SKIP);
	}
	server_setting(&play->server, line);
	server_setting(&play->server, "oidc_issuer " ISSUER_NAME);
	server_setting(&play->server, "oidc_audience " ISSUER_AUDIENCE);
	play_keep(play, "RS256", issuer.rs256);
	play_keep(play, "ES256", issuer.es256);
	play_keep(play, "OTHER", issuer.other);
	play_keep(play, "STRANGER", issuer.stranger);
}

static void
play_restart(struct play *play, struct play_client *c, char *rest)
{
	char *which = script_word(&rest);
	enum server_part parts = SERVER_ALL;

	(void)c;
	if (strcmp(which, "broker") == 0)
		parts = SERVER_BROKER;
	else if (strcmp(which, "worker") == 0)
		parts = SERVER_LISTENER;
	else if (strcmp(which, "all") != 0)
		play_fail(play, "restart what?");
	server_stop(&play->server, parts, strcmp(rest, "kill") == 0);
	server_start(&play->server, parts);
}

/* --- what a client does --------------------------------------------------- */

static void
play_url(struct play *play, struct ctl_url *url, const char *target)
{
	snprintf(url->host, sizeof(url->host), "127.0.0.1");
	snprintf(url->port, sizeof(url->port), "%u", play->server.port);
	url->target = target;
}

static void
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

static void
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
	send_request(play, c, (char *)request.mem);
	want_http(play, c, rest);
	buf_free(&request);
}

static void
play_glue(struct play *play, struct play_client *c, char *rest)
{
	play_octets(play, rest, &c->glue);
}

static void
play_header(struct play *play, struct play_client *c, char *rest)
{
	(void)play;
	buf_printf(&c->header, "%s\r\n", rest);
}

static void
play_drop(struct play *play, struct play_client *c, char *rest)
{
	(void)play;
	(void)rest;
	ctl_ws_close(&c->ws);
}

/* --- what a client sends -------------------------------------------------- */

static void
send_bin(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_BINARY, buf_bytes(&data), PLAY_MS));
	buf_free(&data);
}

static void
send_text(struct play *play, struct play_client *c, char *rest)
{
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_TEXT, bytes_str(rest), PLAY_MS));
}

static void
send_ping(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_PING, buf_bytes(&data), PLAY_MS));
	buf_free(&data);
}

static void
send_big(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_big(play, rest, &data);
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_BINARY, buf_bytes(&data), PLAY_MS));
	buf_free(&data);
}

static void
send_close(struct play *play, struct play_client *c, char *rest)
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

static void
send_raw(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_dial(play, c);
	play_sent(play, c, ctl_ws_write(&c->ws, buf_bytes(&data), PLAY_MS));
	buf_free(&data);
}

static void
send_request(struct play *play, struct play_client *c, char *rest)
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

/* --- what it must receive ------------------------------------------------- */

static void
want_bin(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_want(play, c, WS_BINARY, buf_bytes(&data));
	buf_free(&data);
}

static void
want_text(struct play *play, struct play_client *c, char *rest)
{
	play_want(play, c, WS_TEXT, bytes_str(rest));
}

static void
want_pong(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_want(play, c, WS_PONG, buf_bytes(&data));
	buf_free(&data);
}

static void
want_utf8(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_octets(play, rest, &data);
	play_want(play, c, WS_TEXT, buf_bytes(&data));
	buf_free(&data);
}

static void
want_big(struct play *play, struct play_client *c, char *rest)
{
	struct buf data = BUF_INIT;

	play_big(play, rest, &data);
	play_want(play, c, WS_BINARY, buf_bytes(&data));
	buf_free(&data);
}

static void
want_close(struct play *play, struct play_client *c, char *rest)
{
	struct ctl_ws_message m;
	char *code = script_word(&rest);

	play_next(play, c, &m);
	if (m.opcode != WS_CLOSE ||
	    m.code != (*code == '\0' ? WS_CODE_NONE : atoi(code)) ||
	    (*rest != '\0' && !bytes_eq(m.data, bytes_str(rest))))
		play_differs(play, c, &m);
}

static void
want_none(struct play *play, struct play_client *c, char *rest)
{
	static const char octets[] = "none";

	(void)rest;
	play_sent(play, c,
	    ctl_ws_send(&c->ws, WS_PING, bytes_str(octets), PLAY_MS));
	play_want(play, c, WS_PONG, bytes_str(octets));
}

static void
want_end(struct play *play, struct play_client *c, char *rest)
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

static void
want_http(struct play *play, struct play_client *c, char *rest)
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

static void
want_field(struct play *play, struct play_client *c, char *rest)
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

static void
want_token(struct play *play, struct play_client *c, char *rest)
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

static void
want_has(struct play *play, struct play_client *c, char *rest)
{
	if (memmem(buf_bytes(&c->body).p, c->body.len, rest, strlen(rest)) ==
	    NULL)
		play_fail(play, "%c: body %.*s", c->name, (int)c->body.len,
		    (const char *)buf_bytes(&c->body).p);
}

static void
want_hasnt(struct play *play, struct play_client *c, char *rest)
{
	if (memmem(buf_bytes(&c->body).p, c->body.len, rest, strlen(rest)) !=
	    NULL)
		play_fail(play, "%c: body %.*s", c->name, (int)c->body.len,
		    (const char *)buf_bytes(&c->body).p);
}

static void
want_keep(struct play *play, struct play_client *c, char *rest)
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

/* --- helpers -------------------------------------------------------------- */

/* Unless it is connected. */
static void
play_dial(struct play *play, struct play_client *c)
{
	struct ctl_url url;

	play_url(play, &url, "/");
	if (c->ws.fd == -1)
		play_sent(play, c, ctl_ws_dial(&c->ws, &url, PLAY_MS));
}

static void
play_octets(struct play *play, const char *text, struct buf *out)
{
	if (script_octets(text, out) == -1)
		play_fail(play, "these are no octets: %s", text);
}

/* The beginning, then octets that repeat at no power of two, counted on from
 * one of them. */
static void
play_big(struct play *play, char *rest, struct buf *out)
{
	char *begin = script_word(&rest), *end;
	unsigned long size = strtoul(rest, &end, 10);
	unsigned long from = strtoul(end, NULL, 10);

	play_octets(play, begin, out);
	if (out->len == 0 || size < out->len)
		play_fail(play, "no size");
	while (out->len < size)
		buf_add_u8(out, (uint8_t)(from++ % 251));
	if (out->failed)
		play_fail(play, "no memory");
}

static void
play_sent(struct play *play, struct play_client *c, int result)
{
	if (result == 0)
		play_fail(play, "%c: no progress for %d s", c->name,
		    PLAY_MS / 1000);
	if (result == -1)
		play_fail(play, "%c: %s", c->name, c->ws.why);
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
