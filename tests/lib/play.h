/*
 * A wire script while it is played: tests/wire/wsplay.c has the language, the
 * lines that need no client and the table of them all; here is what the others
 * are made of.  Whatever is not as the script says ends the process.
 */
#ifndef QUIRE_PLAY_H
#define QUIRE_PLAY_H

#include "broker/ctl_ws.h"
#include "tests/lib/script.h"
#include "tests/lib/server.h"

#define PLAY_MS	     10000
#define PLAY_CLIENTS 26

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

/* A line of a script, behind its word; no client: NULL. */
typedef void play_fn(struct play *, struct play_client *, char *);

/* play_send.c: what a client does and sends */
play_fn play_connect, play_refused, play_glue, play_header, play_drop;
play_fn play_send_bin, play_send_text, play_send_ping, play_send_big,
    play_send_close, play_send_raw, play_send_request;

/* play_want.c: what it must receive */
play_fn play_want_bin, play_want_text, play_want_utf8, play_want_pong,
    play_want_big, play_want_close, play_want_last, play_want_until,
    play_want_none, play_want_end, play_want_http, play_want_field,
    play_want_token, play_want_has, play_want_hasnt, play_want_keep;

/* Names file and line, and exits. */
void play_fail(const struct play *, const char *, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
/* Sets a variable; takes value over. */
void play_keep(struct play *, const char *name, char *value);
void play_url(struct play *, struct ctl_url *, const char *target);
/* Connects TCP, unless it is connected. */
void play_dial(struct play *, struct play_client *);
/* Appends what a script writes as octets, or as BEGIN SIZE [FROM]. */
void play_octets(struct play *, const char *text, struct buf *out);
void play_big(struct play *, char *rest, struct buf *out);
/* Fails unless the result of a ctl_ws function is good. */
void play_sent(struct play *, struct play_client *, int result);

#endif
