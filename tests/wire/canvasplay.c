/*
 * canvasplay FILE ...: plays recordings of the original canvas-store server
 * (vectors/canvas/x.jsonl), each against a relay of its own: what clients sent
 * then is sent, and what they were sent must come, octet for octet and in each
 * client's order.
 *
 * Between clients a recording has no order but this: who was answered before
 * another spoke is answered before it speaks here.
 */
#include <sys/wait.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/log.h"
#include "tests/lib/client.h"

#define PLAY_CLIENTS 8

struct play_client {
	char name[32];
	struct ctl_ws ws;
	json_t *got; /* texts that came and were not asked for yet */
	int closed;
	uint16_t code;
	char reason[128];
};

struct play {
	const char *file;
	json_t *events;
	size_t at;
	struct server server;
	int running;
	struct play_client clients[PLAY_CLIENTS];
	size_t n;
};

typedef void play_fn(struct play *, json_t *);

/*
 * What this relay does otherwise: frames that hold a text are not sent, or with
 * another text there.  The first row that fits counts.
 */
static const struct {
	const char *file;
	const char *conn; /* NULL: any */
	const char *text;
	const char *instead; /* NULL: no frame */
} differs[] = {
	/* Tombstones of presence are not kept: a newcomer has nothing to remove
	 * (section 9). */
	{ "eph-delete-own", "__peek1", "\"_exists\":false", NULL },
	/* What is malformed is ignored as a whole (section 17): no broadcast,
	 * no ack, and no number. */
	{ "hostile-buf-offset", NULL, "\"clientId\":\"mallory\"", NULL },
	{ "hostile-buf-offset", NULL, "\"messageId\":\"x\"", NULL },
	{ "hostile-buf-offset", NULL, "\"timestamp\":2", "\"timestamp\":1" },
	{ "hostile-buf-offset", NULL, "\"timestamp\":3", "\"timestamp\":2" },
	{ "hostile-doc-string", NULL, "\"clientId\":\"mallory\"", NULL },
	{ "hostile-doc-string", NULL, "\"messageId\":\"x\"", NULL },
	{ "hostile-doc-string", NULL, "\"timestamp\":2", "\"timestamp\":1" },
	{ "hostile-doc-string", NULL, "\"timestamp\":3", "\"timestamp\":2" },
};

static play_fn play_import, play_server, play_open, play_send, play_refresh,
    play_close, play_closed, play_receive;

static const struct {
	const char *name;
	play_fn *play;
} plays[] = {
	{ "import", play_import },
	{ "server", play_server },
	{ "open", play_open },
	{ "c>s", play_send },
	{ "auth-refresh", play_refresh },
	{ "close", play_close },
	{ "closed", play_closed },
	{ "s>c", play_receive },
};

static int play_file(const char *, size_t number);
static void play_all(const char *);
static void play_load(struct play *);
static int play_differs(const struct play *, json_t *event);
static char *play_instead(const char *text, size_t row);
static void play_up(struct play *);
static void play_wrong(struct play *, const char *, ...)
    __attribute__((format(printf, 2, 3), noreturn));
static struct play_client *play_client(struct play *, const json_t *);
static char *play_token(const struct play *, const json_t *open,
    const json_t *);
static char *play_target(const struct play *, const json_t *);
static void play_escape(struct buf *, const char *);
static void play_settle(struct play *, struct play_client *, const char *sent);
static int play_comes(const struct play *, const json_t *conn, const char *type,
    const char *id);
static int play_came(const struct play_client *, const char *type,
    const char *id);
static int play_is(const char *text, const char *type, const char *id);
static void play_next(struct play *, struct play_client *);
static const char *text_of(const json_t *, const char *);

int
main(int argc, char **argv)
{
	int i, failed = 0;

	log_init("canvasplay", LOG_TO_STDERR, LOG_LEVEL_WARN);
	printf("1..%d\n", argc - 1);
	for (i = 1; i < argc; i++)
		failed |= play_file(argv[i], (size_t)i);
	return (failed);
}

/* A process each: what is wrong ends it. */
static int
play_file(const char *file, size_t number)
{
	const char *name = strrchr(file, '/');
	int status, ok;
	pid_t pid;

	name = name == NULL ? file : name + 1;
	fflush(stdout);
	if ((pid = fork()) == 0) {
		play_all(file);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	printf("%s %zu - %s\n", ok ? "ok" : "not ok", number, name);
	return (!ok);
}

static void
play_all(const char *file)
{
	struct play play = { .file = file };
	json_t *event;
	const char *name;
	size_t i;

	play_load(&play);
	server_make(&play.server);
	server_setting(&play.server, "root canvas");
	for (play.at = 0; play.at < json_array_size(play.events); play.at++) {
		event = json_array_get(play.events, play.at);
		name = text_of(event, "ev");
		for (i = 0; strcmp(plays[i].name, name) != 0;)
			if (++i == sizeof(plays) / sizeof(plays[0]))
				play_wrong(&play, "%s: not known", name);
		plays[i].play(&play, event);
	}
	for (i = 0; i < play.n; i++)
		ctl_ws_close(&play.clients[i].ws);
	server_stop(&play.server, SERVER_ALL, 0);
	server_remove(&play.server);
	json_decref(play.events);
}

static void
play_load(struct play *p)
{
	FILE *f = fopen(p->file, "r");
	json_t *event;

	if (f == NULL || (p->events = json_array()) == NULL)
		fatal(1, "%s", p->file);
	while ((event = json_loadf(f, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL,
		    NULL)) != NULL)
		if (play_differs(p, event))
			json_decref(event);
		else
			json_array_append_new(p->events, event);
	fclose(f);
}

/* 1: there is no such frame here. */
static int
play_differs(const struct play *p, json_t *event)
{
	const char *text = text_of(event, "text");
	char *instead;
	size_t i;

	for (i = 0; i < sizeof(differs) / sizeof(differs[0]); i++) {
		if (strstr(p->file, differs[i].file) == NULL ||
		    strcmp(text_of(event, "ev"), "s>c") != 0 ||
		    strstr(text, differs[i].text) == NULL ||
		    (differs[i].conn != NULL &&
			strcmp(text_of(event, "conn"), differs[i].conn) != 0))
			continue;
		if (differs[i].instead == NULL)
			return (1);
		instead = play_instead(text, i);
		json_object_set_new(event, "text", json_string(instead));
		free(instead);
		break;
	}
	return (0);
}

static char *
play_instead(const char *text, size_t row)
{
	const char *at = strstr(text, differs[row].text);
	char *instead;

	if (asprintf(&instead, "%.*s%s%s", (int)(at - text), text,
		differs[row].instead, at + strlen(differs[row].text)) == -1)
		fatal(1, "no memory");
	return (instead);
}

static void
play_up(struct play *p)
{
	if (!p->running)
		server_start(&p->server, SERVER_ALL);
	p->running = 1;
}

static void
play_wrong(struct play *p, const char *format, ...)
{
	va_list ap;

	printf("# %s:%zu: ", p->file, p->at + 1);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	server_stop(&p->server, SERVER_ALL, 1);
	server_remove(&p->server);
	_exit(1);
}

/* The room's file, as the original kept it, given to quirectl. */
static void
play_import(struct play *p, json_t *event)
{
	char *file = server_path(&p->server, "room.json"), *command;
	const char *b = getenv("QUIRE_B");

	if (json_dump_file(json_object_get(event, "snapshot"), file, 0) == -1 ||
	    asprintf(&command,
		"%s/quirectl -f %s/conf import -c %s %s >/dev/null",
		b == NULL ? ".build" : b, p->server.dir,
		text_of(event, "roomId"), file) == -1)
		fatalx(1, "import");
	if (system(command) != 0)
		play_wrong(p, "%s failed", command);
	free(command);
	free(file);
}

static void
play_server(struct play *p, json_t *event)
{
	if (strcmp(text_of(event, "op"), "start") == 0) {
		play_up(p);
		return;
	}
	server_stop(&p->server, SERVER_ALL, 0);
	p->running = 0;
}

static void
play_open(struct play *p, json_t *event)
{
	struct ctl_url url = { .host = "127.0.0.1" };
	struct play_client *c;
	char *target;

	play_up(p);
	if (p->n == PLAY_CLIENTS)
		play_wrong(p, "too many clients");
	c = &p->clients[p->n++];
	snprintf(c->name, sizeof(c->name), "%s", text_of(event, "conn"));
	c->got = json_array();
	target = play_target(p, event);
	url.target = target;
	snprintf(url.port, sizeof(url.port), "%u", p->server.port);
	ctl_ws_init(&c->ws);
	if (ctl_ws_dial(&c->ws, &url, CLIENT_MS) != 1 ||
	    ctl_ws_upgrade(&c->ws, &url, BYTES_NONE, CLIENT_MS) != 1)
		play_wrong(p, "%s", c->ws.why);
	free(target);
	play_settle(p, c, NULL);
}

static void
play_send(struct play *p, json_t *event)
{
	struct play_client *c = play_client(p, event);
	const char *text = text_of(event, "text");
	uint8_t octets[512];
	size_t n = 0;

	if (json_object_get(event, "b64") != NULL) {
		if (sodium_base642bin(octets, sizeof(octets),
			text_of(event, "b64"), strlen(text_of(event, "b64")),
			NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) == -1)
			play_wrong(p, "base64");
		ctl_ws_send(&c->ws,
		    json_is_true(json_object_get(event, "binary")) ? WS_BINARY
								   : WS_TEXT,
		    bytes_of(octets, n), CLIENT_MS);
		return;
	}
	n = json_string_length(json_object_get(event, "text"));
	ctl_ws_send(&c->ws, WS_TEXT, bytes_of(text, n), CLIENT_MS);
	play_settle(p, c, text);
}

static void
play_refresh(struct play *p, json_t *event)
{
	struct play_client *c = play_client(p, event);
	json_t *open;
	size_t i;
	char *token, *text;

	for (i = 0;; i++) {
		open = json_array_get(p->events, i);
		if (strcmp(text_of(open, "ev"), "open") == 0 &&
		    strcmp(text_of(open, "conn"), c->name) == 0)
			break;
	}
	token = play_token(p, open, event);
	if (asprintf(&text, "{\"type\":\"auth-refresh\",\"token\":\"%s\"}",
		token) == -1)
		fatal(1, "no memory");
	ctl_ws_send(&c->ws, WS_TEXT, bytes_str(text), CLIENT_MS);
	free(text);
	free(token);
}

static void
play_close(struct play *p, json_t *event)
{
	ctl_ws_send(&play_client(p, event)->ws, WS_CLOSE, BYTES_NONE,
	    CLIENT_MS);
}

/* Where the original ended without a code, ours may tell why. */
static void
play_closed(struct play *p, json_t *event)
{
	struct play_client *c = play_client(p, event);
	long code = (long)json_integer_value(json_object_get(event, "code"));

	while (!c->closed)
		play_next(p, c);
	if (json_array_size(c->got) > 0)
		play_wrong(p, "%s: %s before the close", c->name,
		    json_string_value(json_array_get(c->got, 0)));
	if (code != 1005 && code != c->code)
		play_wrong(p, "%s: code %u, wanted %ld", c->name, c->code,
		    code);
	if (code == 1008 && strcmp(c->reason, text_of(event, "reason")) != 0)
		play_wrong(p, "%s: reason %s", c->name, c->reason);
	c->name[0] = '\0';
	ctl_ws_close(&c->ws);
	json_decref(c->got);
}

static void
play_receive(struct play *p, json_t *event)
{
	struct play_client *c = play_client(p, event);
	const char *want = text_of(event, "text"), *got;

	while (json_array_size(c->got) == 0 && !c->closed)
		play_next(p, c);
	got = c->closed ? "the end"
			: json_string_value(json_array_get(c->got, 0));
	if (strcmp(got, want) != 0)
		play_wrong(p, "%s: %s\n# wanted %s", c->name, got, want);
	json_array_remove(c->got, 0);
}

static struct play_client *
play_client(struct play *p, const json_t *event)
{
	const char *name = text_of(event, "conn");
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->clients[i].name, name) == 0)
			return (&p->clients[i]);
	play_wrong(p, "no client %s", name);
}

static char *
play_token(const struct play *p, const json_t *open, const json_t *rights)
{
	const char *room = text_of(open, "tokenRoom");

	if (!json_is_true(json_object_get(rights, "valid")))
		return (strdup("a.b.c"));
	return (server_token(&p->server,
	    room[0] == '\0' ? text_of(open, "roomId") : room,
	    strcmp(text_of(rights, "permission"), "readwrite") == 0 ? "write"
								    : "read",
	    3600));
}

static char *
play_target(const struct play *p, const json_t *event)
{
	const char *raw = text_of(event, "rawPath"), *gap;
	char *token = play_token(p, event, event);
	struct buf b = BUF_INIT;

	if (raw[0] != '\0') {
		gap = strstr(raw, "{TOKEN}");
		buf_add(&b, raw,
		    gap == NULL ? strlen(raw) : (size_t)(gap - raw));
		if (gap != NULL) {
			buf_add_str(&b, token);
			buf_add_str(&b, gap + 7);
		}
	} else {
		buf_add_str(&b, "/?roomId=");
		play_escape(&b, text_of(event, "roomId"));
		buf_add_str(&b, "&clientId=");
		play_escape(&b, text_of(event, "clientId"));
		buf_printf(&b, "&token=%s", token);
	}
	buf_add_u8(&b, 0);
	free(token);
	return ((char *)b.mem);
}

static void
play_escape(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++)
		buf_printf(b, "%%%02x", (unsigned char)*text);
}

/* Waits for the answer to what was sent, or to coming in, if there was one. */
static void
play_settle(struct play *p, struct play_client *c, const char *sent)
{
	json_t *event = json_array_get(p->events, p->at), *v = NULL;
	const char *type = "clientCount";
	const char *id = "";

	if (sent != NULL) {
		v = json_loads(sent, 0, NULL);
		id = text_of(v, "messageId");
		type = strcmp(text_of(v, "type"), "reconnect") == 0 ? "synced"
								    : "ack";
	}
	if (play_comes(p, json_object_get(event, "conn"), type, id))
		while (!play_came(c, type, id))
			play_next(p, c);
	json_decref(v);
}

/* Whether the recording has it before that client says more. */
static int
play_comes(const struct play *p, const json_t *conn, const char *type,
    const char *id)
{
	json_t *e;
	size_t i;

	for (i = p->at + 1; i < json_array_size(p->events); i++) {
		e = json_array_get(p->events, i);
		if (!json_equal(json_object_get(e, "conn"), conn))
			continue;
		if (strcmp(text_of(e, "ev"), "s>c") != 0)
			return (0);
		if (play_is(text_of(e, "text"), type, id))
			return (1);
	}
	return (0);
}

static int
play_came(const struct play_client *c, const char *type, const char *id)
{
	json_t *text;
	size_t i;

	json_array_foreach(c->got, i,
	    text) if (play_is(json_string_value(text), type, id)) return (1);
	return (c->closed);
}

static int
play_is(const char *text, const char *type, const char *id)
{
	json_t *v = json_loads(text, 0, NULL);
	int is = strcmp(text_of(v, "type"), type) == 0 &&
	    strcmp(text_of(v, "messageId"), id) == 0;

	json_decref(v);
	return (is);
}

static void
play_next(struct play *p, struct play_client *c)
{
	struct ctl_ws_message m;
	int r = ctl_ws_next(&c->ws, &m, CLIENT_MS);

	if (r != 1)
		play_wrong(p, "%s: %s", c->name,
		    r == 0 ? "nothing came" : c->ws.why);
	if (m.opcode == WS_TEXT) {
		json_array_append_new(c->got,
		    json_stringn_nocheck((const char *)m.data.p, m.data.n));
	} else if (m.opcode == WS_CLOSE) {
		c->closed = 1;
		c->code = m.code;
		snprintf(c->reason, sizeof(c->reason), "%.*s", (int)m.data.n,
		    (const char *)m.data.p);
	}
}

/* A member that is a text, or "". */
static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return (text == NULL ? "" : text);
}
