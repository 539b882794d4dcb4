/*
 * The echo dialect: whatever a client says at /echo comes back.  The worked
 * example of quire-dialects.7, and what WebSocket conformance suites talk to.
 *
 * Without a token a message goes from the frame code straight back to it.  With
 * one it goes the way of every dialect: to the broker, through rule_echo.c into
 * the ring, and from there to everybody in the room, its sender too.
 */
#include <stdlib.h>

#include "common/utf8.h"
#include "worker/pull.h"
#include "worker/url.h"

#define ECHO_VERB_SAY 1 /* see rule_echo.c */
#define ECHO_ROOM     BYTES_LIT("echo")

struct echo {
	int room; /* messages go through the broker */
	struct pull pull;
	unsigned int opcode; /* of what is pulled */
	struct buf pulled;
};

static void echo_end(struct conn *, enum code);
static void echo_pull(struct conn *, struct echo *);

static int
echo_match(const struct settings *settings, const struct http_request *r)
{
	struct bytes path, query;

	(void)settings;
	url_split(r->target, &path, &query);
	return (bytes_eq(path, BYTES_LIT("/echo")));
}

static void
echo_upgrade(struct conn *c, const struct http_request *r)
{
	const struct http_upgrade *wrong = conn_upgrade_problem(c);
	struct ws_options options = { conn_settings(c)->echo_message_max, 0 };
	struct bytes path, query;
	struct echo *e;
	int found;

	if (wrong != NULL) {
		conn_http_reply(c, (unsigned)wrong->status, "text/plain",
		    wrong->headers, bytes_str(wrong->reason), 1);
		return;
	}
	if ((e = calloc(1, sizeof(*e))) == NULL) {
		conn_drop(c);
		return;
	}
	conn_set_state(c, e);
	conn_accept(c, BYTES_NONE, &options);
	url_split(r->target, &path, &query);
	e->room = 1;
	conn_hold(c, 1);
	found = conn_login_query(c, DIALECT_ECHO, query, "token", ECHO_ROOM);
	if (found == -1)
		echo_end(c, CODE_BAD_TOKEN);
	if (found == URL_ABSENT)
		conn_hold(c, e->room = 0);
}

static void
echo_grant(struct conn *c, const struct grant_in *g)
{
	(void)g;
	conn_open(c, DIALECT_ECHO, 0, ECHO_ROOM, BYTES_NONE);
}

static void
echo_opened(struct conn *c, const struct opened_in *o)
{
	if (o->code != CODE_OK) {
		echo_end(c, o->code);
		return;
	}
	conn_live(c, o->seq);
	conn_hold(c, 0);
}

static void
echo_message(struct conn *c, unsigned int opcode, uint8_t *p, size_t n)
{
	struct echo *e = conn_state(c);
	uint8_t octet = (uint8_t)opcode;

	if (e->room)
		conn_signal(c, ECHO_VERB_SAY, bytes_of(&octet, 1), BYTES_NONE,
		    bytes_of(p, n));
	else
		conn_send(c, opcode, bytes_of(p, n));
}

/* Too large for the ring: fetched, and the ring waits. */
static void
echo_stub(struct conn *c, const struct entry *stub)
{
	struct echo *e = conn_state(c);

	e->pull = (struct pull){ stub->blob, stub->size, 0 };
	e->opcode = stub->kind;
	echo_pull(c, e);
}

static void
echo_fetched(struct conn *c, const struct fetched_in *f)
{
	struct echo *e = conn_state(c);
	struct bytes slice;

	if (f->code != CODE_OK || pull_take(&e->pull, f, &slice) == -1 ||
	    buf_add_bytes(&e->pulled, slice) == -1) {
		conn_close(c, WS_CODE_ERROR, "message lost");
		return;
	}
	echo_pull(c, e);
}

static void
echo_pull(struct conn *c, struct echo *e)
{
	if (pull_active(&e->pull)) {
		pull_ask(&e->pull, c, 0);
		return;
	}
	/* The broker does not look into what is too large for a message. */
	if (e->opcode != WS_TEXT || utf8_valid(buf_bytes(&e->pulled)))
		conn_send(c, e->opcode, buf_bytes(&e->pulled));
	buf_free(&e->pulled);
	conn_live(c, conn_seq(c));
}

static void
echo_end(struct conn *c, enum code code)
{
	conn_close(c, code == CODE_SHUTDOWN ? WS_CODE_RESTART : WS_CODE_POLICY,
	    code_text(code));
}

static void
echo_closed(struct conn *c)
{
	struct echo *e = conn_state(c);

	if (e != NULL)
		buf_free(&e->pulled);
	free(e);
	conn_set_state(c, NULL);
}

const struct dialect dialect_echo = {
	.id = DIALECT_ECHO,
	.match = echo_match,
	.upgrade = echo_upgrade,
	.message = echo_message,
	.grant = echo_grant,
	.refused = echo_end,
	.opened = echo_opened,
	.fetched = echo_fetched,
	.stub = echo_stub,
	.kicked = echo_end,
	.closed = echo_closed,
};
