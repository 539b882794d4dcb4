/*
 * wsplay SCRIPT ...: plays wire scripts, each in a process and against a relay
 * of its own.  A script says what clients (one capital letter each) send and
 * must receive, in order; what is not as it says ends it with the number of the
 * line.  Nothing waits for time to pass: an expectation is met by a message, or
 * fails after ten seconds.
 *
 *	setting NAME VALUE	for the configuration; before all that connects
 *	token VAR STORE SCOPE [SECONDS]		good for so long; 0: for ever
 *	user VAR SUBJECT [JSON]	a token for all stores, with more claims
 *	issuer			makes tokens of an issuer elsewhere, who becomes
 *				the relay's: RS256, ES256, OTHER, STRANGER; see
 *				tests/lib/issuer.h.  Skips the script without.
 *				Once the relay runs: by other keys in the file
 *	set VAR VALUE
 *	restart broker|worker|all [kill]	and wait until it is ready
 *	reload [NAME VALUE]	the configuration, with that setting more
 *	hangup			SIGHUP for the broker, and no wait
 *	forgotten TOKEN		nothing of it is in the relay's memory.  Skips
 *				the script where that cannot be seen
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
 *	A< last [CODE [REASON]]	a close, and before it whatever there is
 *	A< until TEXT		this text, and before it whatever there is
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tests/lib/asleep.h"
#include "tests/lib/issuer.h"
#include "tests/lib/play.h"
#include "tests/lib/traces.h"

#define PLAY_SKIP 77 /* what a script's process exits with */

static play_fn play_set, play_setting, play_token, play_user, play_issuer,
    play_hangup, play_forgotten, play_restart, play_reload;

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
	{ '-', "hangup", play_hangup },
	{ '-', "forgotten", play_forgotten },
	{ '-', "reload", play_reload },
	{ ' ', "connect", play_connect },
	{ ' ', "refused", play_refused },
	{ ' ', "glue", play_glue },
	{ ' ', "header", play_header },
	{ ' ', "drop", play_drop },
	{ '>', "bin", play_send_bin },
	{ '>', "text", play_send_text },
	{ '>', "ping", play_send_ping },
	{ '>', "big", play_send_big },
	{ '>', "close", play_send_close },
	{ '>', "raw", play_send_raw },
	{ '>', "request", play_send_request },
	{ '<', "bin", play_want_bin },
	{ '<', "text", play_want_text },
	{ '<', "utf8", play_want_utf8 },
	{ '<', "pong", play_want_pong },
	{ '<', "big", play_want_big },
	{ '<', "close", play_want_close },
	{ '<', "last", play_want_last },
	{ '<', "until", play_want_until },
	{ '<', "none", play_want_none },
	{ '<', "end", play_want_end },
	{ '<', "http", play_want_http },
	{ '<', "field", play_want_field },
	{ '<', "token", play_want_token },
	{ '<', "has", play_want_has },
	{ '<', "hasnt", play_want_hasnt },
	{ '<', "keep", play_want_keep },
};

#define PLAY_ROWS (sizeof(play_rows) / sizeof(play_rows[0]))

static void play_file(const char *);
static void play_open(struct play *);
static void play_close(struct play *);
static void play_line(struct play *, char *);

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
	if (!play->started) {
		server_setting(&play->server, line);
		server_setting(&play->server, "oidc_issuer " ISSUER_NAME);
		server_setting(&play->server, "oidc_audience " ISSUER_AUDIENCE);
	}
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
	int killed;

	(void)c;
	if (strcmp(which, "broker") == 0)
		parts = SERVER_BROKER;
	else if (strcmp(which, "worker") == 0)
		parts = SERVER_LISTENER;
	else if (strcmp(which, "all") != 0)
		play_fail(play, "restart what?");
	killed = strcmp(rest, "kill") == 0;
	/* Who is killed between a write and its note of it has its client go,
	 * and a client may have read already what is not noted yet. */
	if (killed && parts != SERVER_LISTENER)
		asleep_children(play->server.broker);
	server_stop(&play->server, parts, killed);
	server_start(&play->server, parts);
}

static void
play_hangup(struct play *play, struct play_client *c, char *rest)
{
	(void)c;
	(void)rest;
	kill(play->server.broker, SIGHUP);
}

static void
play_forgotten(struct play *play, struct play_client *c, char *rest)
{
	int r = traces_of(&play->server, script_word(&rest));

	(void)c;
	if (r == 1)
		play_fail(play, "it is there");
	if (r == 0)
		return;
	play_close(play);
	exit(PLAY_SKIP);
}

static void
play_reload(struct play *play, struct play_client *c, char *rest)
{
	const char *b = getenv("QUIRE_B");
	char *conf = server_path(&play->server, "conf"), command[512];

	(void)c;
	if (*rest != '\0')
		server_setting(&play->server, rest);
	snprintf(command, sizeof(command), "%s/quirectl -f %s reload >&2",
	    b == NULL ? ".build" : b, conf);
	free(conf);
	if (system(command) != 0)
		play_fail(play, "the reload failed");
}

/* --- helpers -------------------------------------------------------------- */
