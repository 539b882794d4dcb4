/*
 * starve DISK FIRST STEP: workers whose allocations fail.
 *
 * A short life of a client of each dialect (connect, write, read, close) is
 * lived again and again; each time another allocation of the listener and its
 * workers finds no memory, until there are no more of them.  The client may be
 * refused or closed, and then the log says so; nobody waits in vain, no worker
 * is ended by a signal, and two others beside it notice nothing.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/client.h"
#include "tests/lib/honest.h"
#include "tests/lib/script.h"
#include "tests/lib/starve.h"

#define STARVE_LINES_MAX 2 /* of the log, for one client */
#define STARVE_STEPS	 12
#define STARVE_TRIES	 250

/*
 * connect TARGET; text WORDS and bin OCTETS are sent; hear waits for a message;
 * close is a close frame and its answer; ask METHOD TARGET BODY is a request
 * and its answer.
 */
struct life {
	const char *name;
	const char *steps[STARVE_STEPS];
};

static const struct life lives[] = {
	{ "sds",
	    { "connect /ws/demo?token=$WRITE", "bin 02 61*32 68 65", "close",
		"connect /ws/demo?token=$READ", "hear", "close" } },
	{ "sds signal",
	    { "connect /signal/demo?token=$READ", "text {}", "close" } },
	{ "sds token",
	    { "ask POST /api/token {\"sub\":\"a\",\"scope\":\"read\"}" } },
	{ "secsync",
	    { "connect /secsync/demo?sessionKey=$WRITE", "hear",
		"text {$SNAPSHOT}", "hear", "close",
		"connect /secsync/demo?sessionKey=$READ", "hear", "close" } },
	{ "canvas",
	    { "connect /canvas?roomId=demo&clientId=a&token=$WRITE", "hear",
		"text {\"type\":\"patch\",\"messageId\":\"1\","
		"\"documentPatches\":[{\"e/c\":{\"_exists\":true,\"x\":1}}]}",
		"hear",
		"text {\"type\":\"reconnect\",\"lastTimestamp\":0,"
		"\"protocolVersion\":2}",
		"hear", "close" } },
	{ "logseq",
	    { "connect /sync/$G?token=$ANN", "hear",
		/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma) */
		"text {\"type\":\"tx/batch\",\"t-before\":0,\"txs\":[{\"tx\":"
		"\"[[\\\"~:db/"
		"add\\\",\\\"$U\\\",\\\"~:block/uuid\\\",\\\"~u$U\\\"]]"
		"\",\"outliner-op\":\"create-page\"}]}",
		"hear", "text {\"type\":\"pull\",\"since\":0}", "hear", "close",
		"ask GET /graphs?token=$ANN" } },
	{ "echo", { "connect /echo", "text hello", "hear", "close" } },
};

struct starved {
	struct honest honest; /* with a listener of their own */
	struct server hungry;
	struct starve starve;
	struct script_vars vars;
	struct ctl_ws c;
	int log; /* the listener's and its workers' */
	const char *life;
	unsigned long refused;
};

static void starved_start(struct starved *, const char *disk);
static void starved_snapshot(struct starved *);
static void starved_user(struct starved *);
static unsigned long starved_life(struct starved *, const struct life *,
    uint64_t first, uint64_t step);
static int starved_live(struct starved *, const struct life *);
static int starved_step(struct starved *, const char *);
static int starved_connect(struct starved *, char *target);
static int starved_say(struct starved *, enum ws_opcode, const char *);
static int starved_hear(struct starved *, enum ws_opcode);
static int starved_ask(struct starved *, char *words, struct buf *answer);
static int starved_came(const struct starved *, int);
static void starved_log(const struct starved *, off_t before, int refused);

int
main(int argc, char **argv)
{
	static struct starved s;
	size_t i, n = sizeof(lives) / sizeof(lives[0]);
	unsigned long count;

	log_init("starve", LOG_TO_STDERR, LOG_LEVEL_INFO);
	if (argc != 4)
		return (64);
	starved_start(&s, argv[1]);
	printf("1..%zu\n", n);
	for (i = 0; i < n; i++) {
		count = starved_life(&s, &lives[i], strtoull(argv[2], NULL, 10),
		    strtoull(argv[3], NULL, 10));
		printf("ok %zu - %s: %lu allocations failed, %lu refused\n",
		    i + 1, lives[i].name, count, s.refused);
		fflush(stdout);
	}
	ctl_ws_close(&s.honest.reader);
	ctl_ws_close(&s.honest.writer);
	server_stop(&s.hungry, SERVER_LISTENER, 0);
	server_stop(&s.honest.server, SERVER_ALL, 0);
	starved_log(&s, 0, 0);
	server_remove(&s.honest.server);
	script_free(&s.vars);
	return (0);
}

static void
starved_start(struct starved *s, const char *disk)
{
	struct server *server = &s->honest.server;
	char *path, *token, preload[600];
	int err;

	server_make(server);
	server_setting(server, "log_level warn\necho yes");
	server_start(server, SERVER_ALL);
	server_beside(&s->hungry, server);
	path = server_path(server, "count");
	starve_make(&s->starve, path);
	free(path);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", disk);
	s->hungry.listener_environment[0] = preload;
	s->hungry.listener_environment[1] = s->starve.setting;
	path = server_path(server, "log");
	s->log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (s->log == -1 || (err = dup(STDERR_FILENO)) == -1)
		fatal(1, "%s", path);
	free(path);
	dup2(s->log, STDERR_FILENO);
	server_start(&s->hungry, SERVER_LISTENER);
	dup2(err, STDERR_FILENO);
	close(err);
	client_connect(&s->honest.reader, server, "honest", "read");
	client_connect(&s->honest.writer, server, "honest", "write");
	token = server_token(server, "demo", "read", 3600);
	script_set(&s->vars, "READ", token);
	free(token);
	token = server_token(server, "demo", "write", 3600);
	script_set(&s->vars, "WRITE", token);
	free(token);
	starved_snapshot(s);
	starved_user(s);
}

/* One that is signed. */
static void
starved_snapshot(struct starved *s)
{
	static const char path[] = "tests/wire/secsync_write.wire",
			  set[] = "set SNAPSHOT ";
	char line[4096];
	FILE *f = fopen(path, "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, set, strlen(set)) == 0) {
			line[strcspn(line, "\n")] = '\0';
			script_set(&s->vars, "SNAPSHOT", line + strlen(set));
		}
	if (f == NULL || fclose(f) == EOF)
		fatal(1, "%s", path);
}

/* With a graph to sync. */
static void
starved_user(struct starved *s)
{
	char *token = server_user(&s->honest.server,
		 "aaaaaaaa-0000-4000-8000-000000000001",
		 "{\"email\":\"ann@b.example\",\"name\":\"Ann\"}"),
	     target[4096], id[37];
	struct buf answer = BUF_INIT;
	const char *at;

	script_set(&s->vars, "ANN", token);
	script_set(&s->vars, "U", "11111111-1111-4111-8111-111111111111");
	snprintf(target, sizeof(target),
	    "POST /graphs?token=%s {\"graph-name\":\"notes\","
	    "\"graph-e2ee?\":false}",
	    token);
	free(token);
	if (!starved_ask(s, target, &answer))
		fatalx(1, "no graph");
	buf_add_u8(&answer, 0);
	at = strstr((const char *)buf_bytes(&answer).p, "\"graph-id\":\"");
	if (at == NULL || sscanf(at + 12, "%36[0-9a-f-]", id) != 1)
		fatalx(1, "no graph: %s", (const char *)buf_bytes(&answer).p);
	script_set(&s->vars, "G", id);
	buf_free(&answer);
}

/* How many allocations failed. */
static unsigned long
starved_life(struct starved *s, const struct life *life, uint64_t first,
    uint64_t step)
{
	unsigned long before = s->starve.reached;
	struct stat st;
	int reached, ok;

	s->life = life->name;
	s->refused = 0;
	if (!starved_live(s, life))
		fatalx(1, "%s: refused with all the memory there is",
		    life->name);
	s->starve.turn = first - 1;
	do {
		if (fstat(s->log, &st) == -1)
			fatal(1, "log");
		starve_begin(&s->starve);
		ok = starved_live(s, life);
		s->refused += !ok;
		reached = starve_end(&s->starve);
		s->starve.turn += step - 1;
		if (!ok)
			starved_log(s, st.st_size, 1);
		honest_traffic(&s->honest);
	} while (reached);
	return (s->starve.reached - before);
}

/* 1: it went well to its end. */
static int
starved_live(struct starved *s, const struct life *life)
{
	size_t i;
	int ok = 1;

	ctl_ws_init(&s->c);
	for (i = 0; ok && i < STARVE_STEPS && life->steps[i] != NULL; i++)
		ok = starved_step(s, life->steps[i]);
	ctl_ws_close(&s->c);
	return (ok);
}

static int
starved_step(struct starved *s, const char *step)
{
	struct buf line = BUF_INIT, answer = BUF_INIT;
	char *rest;
	const char *word;
	int ok;

	if (script_expand(&s->vars, step, &line) == -1)
		fatalx(1, "%s", step);
	rest = (char *)line.mem;
	word = script_word(&rest);
	if (strcmp(word, "connect") == 0)
		ok = starved_connect(s, rest);
	else if (strcmp(word, "text") == 0)
		ok = starved_say(s, WS_TEXT, rest);
	else if (strcmp(word, "bin") == 0)
		ok = starved_say(s, WS_BINARY, rest);
	else if (strcmp(word, "hear") == 0)
		ok = starved_hear(s, WS_TEXT);
	else if (strcmp(word, "close") == 0)
		ok = starved_say(s, WS_CLOSE, "\x03\xe8") &&
		    starved_hear(s, WS_CLOSE);
	else
		ok = starved_ask(s, rest, &answer);
	buf_free(&line);
	buf_free(&answer);
	return (ok);
}

static int
starved_connect(struct starved *s, char *target)
{
	struct ctl_url url = { .host = "127.0.0.1", .target = target };

	ctl_ws_close(&s->c);
	snprintf(url.port, sizeof(url.port), "%u", s->hungry.port);
	ctl_ws_init(&s->c);
	return (starved_came(s, ctl_ws_dial(&s->c, &url, CLIENT_MS)) &&
	    starved_came(s,
		ctl_ws_upgrade(&s->c, &url, BYTES_NONE, CLIENT_MS)));
}

static int
starved_say(struct starved *s, enum ws_opcode opcode, const char *words)
{
	struct buf octets = BUF_INIT;
	int r;

	if (opcode == WS_BINARY && script_octets(words, &octets) == -1)
		fatalx(1, "%s", words);
	r = ctl_ws_send(&s->c, opcode,
	    opcode == WS_BINARY ? buf_bytes(&octets) : bytes_str(words),
	    CLIENT_MS);
	buf_free(&octets);
	return (starved_came(s, r));
}

/* Any message; or, past all others, the answer to a close. */
static int
starved_hear(struct starved *s, enum ws_opcode opcode)
{
	struct ctl_ws_message m;

	do {
		if (!starved_came(s, ctl_ws_next(&s->c, &m, CLIENT_MS)))
			return (0);
	} while (opcode == WS_CLOSE && m.opcode != WS_CLOSE);
	return (opcode == WS_CLOSE ? m.code == 1000 : m.opcode != WS_CLOSE);
}

/* words: method, target, body. */
static int
starved_ask(struct starved *s, char *words, struct buf *answer)
{
	struct ctl_url url = { .host = "127.0.0.1", .target = "/" };
	struct buf out = BUF_INIT;
	const char *method = script_word(&words), *target = script_word(&words);
	size_t n = 1;
	int ok;

	snprintf(url.port, sizeof(url.port), "%u", s->hungry.port);
	buf_printf(&out,
	    "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    method, target, strlen(words), words);
	ctl_ws_close(&s->c);
	ctl_ws_init(&s->c);
	ok = starved_came(s, ctl_ws_dial(&s->c, &url, CLIENT_MS)) &&
	    starved_came(s, ctl_ws_write(&s->c, buf_bytes(&out), CLIENT_MS)) &&
	    starved_came(s, ctl_ws_head(&s->c, answer, CLIENT_MS));
	while (ok && starved_came(s, ctl_ws_want(&s->c, n, CLIENT_MS)))
		n = s->c.in.len + 1;
	buf_add_bytes(answer, buf_bytes(&s->c.in));
	buf_free(&out);
	return (ok &&
	    strncmp((const char *)buf_bytes(answer).p, "HTTP/1.1 5", 10) != 0);
}

/* What tools/ctl_ws say: 0 is a wait in vain. */
static int
starved_came(const struct starved *s, int r)
{
	if (r == 0)
		fatalx(1, "%s, allocation %llu: the client waits in vain",
		    s->life, (unsigned long long)s->starve.turn);
	return (r == 1);
}

/* What was written since: a line or two if a client was refused, which may come
 * a moment after its connection has ended. */
static void
starved_log(const struct starved *s, off_t before, int refused)
{
	const struct timespec moment = { 0, 20000000 };
	char text[65536];
	int lines = 0, tries = 0;
	ssize_t n, i;

	do {
		if (tries > 0)
			nanosleep(&moment, NULL);
		if ((n = pread(s->log, text, sizeof(text) - 1, before)) == -1)
			fatal(1, "log");
	} while (n == 0 && refused && ++tries < STARVE_TRIES);
	text[n] = '\0';
	for (i = 0; i < n; i++)
		lines += text[i] == '\n';
	if (strstr(text, "warn: worker ") != NULL)
		fatalx(1, "%s, allocation %llu: a worker crashed: %s", s->life,
		    (unsigned long long)s->starve.turn, text);
	if (refused && (lines == 0 || lines > STARVE_LINES_MAX))
		fatalx(1, "%s, allocation %llu: %d lines in the log: %s",
		    s->life, (unsigned long long)s->starve.turn, lines, text);
}
