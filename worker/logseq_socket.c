/*
 * What clients say on their socket (logseq.md, section 3).  Presence and
 * "changed" come ready-made through the ring; pulls and transactions are
 * logseq_pull.c's and logseq_tx.c's.
 */
#include <stdlib.h>

#include "worker/logseq_pull.h"
#include "worker/logseq_socket.h"
#include "worker/logseq_tx.h"

#define SOCKET_DEPTH   16
#define SOCKET_EDITING 64 /* octets of a block's uuid */

enum socket_tag { SOCKET_HELLO = 1, SOCKET_BEHIND, SOCKET_ONLINE, SOCKET_TX };

struct socket_word {
	const char *type;
	void (*take)(struct logseq_web *, const struct json *);
};

static void socket_pong_later(struct conn *);
static void socket_take(struct logseq_web *, const struct json *);
static void socket_hello(struct logseq_web *, const struct json *);
static void socket_ping(struct logseq_web *, const struct json *);
static void socket_presence(struct logseq_web *, const struct json *);
static void socket_pull(struct logseq_web *, const struct json *);
static void socket_tx(struct logseq_web *, const struct json *);
static void socket_start(struct logseq_web *);
static void socket_verdict(struct logseq_web *, const struct verdict_in *);
static void socket_missed(struct logseq_web *, const struct verdict_in *);
static void socket_online(struct logseq_web *, const struct verdict_in *);
static void socket_ask_online(struct logseq_web *);
static void socket_pulled(struct logseq_web *);
static void socket_fetched(struct logseq_web *, const struct fetched_in *);
static void socket_drained(struct logseq_web *);
static void socket_free(void *);
static void socket_ask(struct logseq_web *, enum socket_tag);
static void socket_say_hello(struct logseq_web *, struct bytes info);
static void socket_say_changed(struct logseq_web *, uint64_t t);
static void socket_say_outcome(struct logseq_web *, struct bytes info);
static void socket_error(struct logseq_web *, const char *text);
static void socket_say(struct logseq_web *, struct buf *);

static const struct socket_word socket_words[] = {
	{ "hello", socket_hello },
	{ "ping", socket_ping },
	{ "presence", socket_presence },
	{ "pull", socket_pull },
	{ "tx/batch", socket_tx },
};

const struct logseq_steps logseq_socket_steps = {
	.start = socket_start,
	.verdict = socket_verdict,
	.fetched = socket_fetched,
	.drained = socket_drained,
	.free = socket_free,
};

int
logseq_socket_new(struct logseq_web *w)
{
	if ((w->job = calloc(1, sizeof(struct logseq_socket))) == NULL)
		return (-1);
	w->socket = w->job;
	logseq_pull_init(&w->socket->pull, w);
	return (0);
}

void
logseq_socket_opened(struct logseq_web *w)
{
	const struct ws_options options = {
		conn_settings(w->conn)->logseq_message_max, 0
	};

	if (!w->state.ready) {
		logseq_refuse(w, CODE_NOT_READY);
		return;
	}
	conn_accept(w->conn, BYTES_NONE, &options);
	w->socket->open = 1;
	conn_hold(w->conn, 0);
	conn_live(w->conn, 0);
	socket_pong_later(w->conn);
}

void
logseq_socket_kicked(struct logseq_web *w, enum code code)
{
	switch (code) {
	case CODE_NOT_FOUND:
		conn_close(w->conn, WS_CODE_NORMAL, "graph deleted");
		break;
	case CODE_SHUTDOWN:
		conn_close(w->conn, WS_CODE_RESTART, "service restart");
		break;
	default:
		conn_close(w->conn, WS_CODE_POLICY, code_text(code));
		break;
	}
}

/* Binary frames with the same text are as good. */
void
logseq_socket_message(struct conn *c, unsigned int opcode, uint8_t *p, size_t n)
{
	struct logseq_web *w = conn_state(c);
	struct bytes text = bytes_of(p, n);
	struct json_report report;
	struct json message;

	(void)opcode;
	if (bytes_eq(text, BYTES_LIT("ping")))
		conn_send(c, WS_TEXT, BYTES_LIT("pong"));
	else if (json_parse(&message, text, SOCKET_DEPTH, &report) == -1 ||
	    message.type != JSON_OBJECT)
		socket_error(w, "invalid request");
	else
		socket_take(w, &message);
}

/* What was missed can only have been news of what the graph is now, and of who
 * is here. */
void
logseq_socket_behind(struct conn *c, uint64_t seq)
{
	socket_ask_online(conn_state(c));
	logseq_socket_again(c, seq);
}

/* Who is here is told to all with each that comes back. */
void
logseq_socket_again(struct conn *c, uint64_t seq)
{
	struct submit_out out = { .tag = SOCKET_BEHIND, .verb = LOGSEQ_STATE };

	(void)seq;
	logseq_submit(conn_state(c), &out);
	conn_live(c, conn_seq(c));
}

/* Only a list of users is ever too large for the ring. */
void
logseq_socket_stub(struct conn *c, const struct entry *e)
{
	(void)e;
	socket_ask_online(conn_state(c));
	conn_live(c, conn_seq(c));
}

void
logseq_socket_timer(struct conn *c)
{
	struct logseq_web *w = conn_state(c);

	if (!logseq_pull_writing(&w->socket->pull))
		conn_send(c, WS_TEXT, BYTES_LIT("{\"type\":\"pong\"}"));
	socket_pong_later(c);
}

static void
socket_pong_later(struct conn *c)
{
	uint64_t ms = conn_settings(c)->logseq_pong_ms;

	if (ms != 0)
		conn_timer(c, conn_now_ms(c) + (int64_t)ms);
}

static void
socket_take(struct logseq_web *w, const struct json *message)
{
	struct json type;
	size_t i;

	json_find(message, "type", &type);
	if (type.type != JSON_STRING) {
		socket_error(w, "invalid request");
		return;
	}
	for (i = 0; i < sizeof(socket_words) / sizeof(*socket_words); i++)
		if (json_raw_eq(json_raw(&type),
			bytes_str(socket_words[i].type))) {
			socket_words[i].take(w, message);
			return;
		}
	socket_error(w, "unknown type");
}

static void
socket_hello(struct logseq_web *w, const struct json *message)
{
	struct json client;

	json_find(message, "client", &client);
	if (client.type == JSON_STRING)
		socket_ask(w, SOCKET_HELLO);
	else
		socket_error(w, "invalid request");
}

static void
socket_ping(struct logseq_web *w, const struct json *message)
{
	(void)message;
	conn_send(w->conn, WS_TEXT, BYTES_LIT("{\"type\":\"pong\"}"));
}

static void
socket_presence(struct logseq_web *w, const struct json *message)
{
	uint8_t text[SOCKET_EDITING];
	struct buf card = BUF_INIT;
	struct json v;
	ssize_t n = 0, i;

	json_find(message, "editing-block-uuid", &v);
	if (v.type == JSON_STRING)
		n = json_raw_decode(text, sizeof(text), json_raw(&v));
	else if (v.type != JSON_NONE && v.type != JSON_NULL)
		n = -1;
	if (n == -1) {
		socket_error(w, "invalid request");
		return;
	}
	for (i = 0; i < n && strchr(" \t\r\n", text[i]) != NULL; i++)
		continue;
	list_add(&card, bytes_of(text, i == n ? 0 : (size_t)n));
	if (card.failed)
		conn_drop(w->conn);
	else
		conn_card(w->conn, buf_bytes(&card));
	buf_free(&card);
}

static void
socket_pull(struct logseq_web *w, const struct json *message)
{
	int64_t since = 0;
	struct json v;

	json_find(message, "since", &v);
	if (v.type != JSON_NONE && json_safe_int(&v, &since) == -1)
		socket_error(w, "invalid request");
	else if (since < 0)
		socket_error(w, "invalid since");
	else {
		conn_hold(w->conn, 1);
		logseq_pull_begin(&w->socket->pull, (uint64_t)since);
	}
}

static void
socket_tx(struct logseq_web *w, const struct json *message)
{
	struct logseq_tx tx;
	struct buf reply = BUF_INIT;

	switch (logseq_tx_read(&tx, message)) {
	case LOGSEQ_TX_SHAPE:
		socket_error(w, "invalid request");
		break;
	case LOGSEQ_TX_NEGATIVE:
		logseq_tx_negative(&reply);
		socket_say(w, &reply);
		break;
	case LOGSEQ_TX_MEMORY:
		conn_drop(w->conn);
		break;
	case LOGSEQ_TX_OK:
		w->socket->seed = tx.seed;
		w->socket->t_was = tx.t_before;
		conn_hold(w->conn, 1);
		logseq_tx_submit(w, &tx, SOCKET_TX);
		break;
	}
	logseq_tx_free(&tx);
}

/* A request for it that is no upgrade. */
static void
socket_start(struct logseq_web *w)
{
	logseq_error(w, 404, "not found");
}

static void
socket_verdict(struct logseq_web *w, const struct verdict_in *v)
{
	if (v->tag >= LOGSEQ_PULL_TAG) {
		logseq_pull_verdict(&w->socket->pull, v);
		socket_pulled(w);
		return;
	}
	if (v->tag == SOCKET_BEHIND) {
		socket_missed(w, v);
		return;
	}
	if (v->tag == SOCKET_ONLINE) {
		socket_online(w, v);
		return;
	}
	conn_hold(w->conn, 0);
	if (v->code == CODE_STORAGE || v->code == CODE_BUSY ||
	    v->code == CODE_QUOTA || v->code == CODE_INVALID)
		socket_error(w, "server error");
	else if (v->code != CODE_OK)
		logseq_socket_kicked(w, v->code);
	else if (v->tag == SOCKET_TX)
		socket_say_outcome(w, v->info);
	else
		socket_say_hello(w, v->info);
}

/* It comes between others: nobody is held for it. */
static void
socket_missed(struct logseq_web *w, const struct verdict_in *v)
{
	struct logseq_state state;

	if (v->code != CODE_OK || logseq_state_unpack(v->info, &state) == -1)
		conn_close(w->conn, WS_CODE_ERROR, "server error");
	else if (logseq_pull_writing(&w->socket->pull))
		w->socket->pull.news = state.t;
	else
		socket_say_changed(w, state.t);
}

/* Not between the parts of a pull, but behind it. */
static void
socket_online(struct logseq_web *w, const struct verdict_in *v)
{
	if (v->code != CODE_OK)
		conn_close(w->conn, WS_CODE_ERROR, "server error");
	else if (logseq_pull_writing(&w->socket->pull))
		w->socket->online_due = 1;
	else
		conn_send(w->conn, WS_TEXT, v->info);
}

static void
socket_ask_online(struct logseq_web *w)
{
	struct submit_out out = { .tag = SOCKET_ONLINE, .verb = LOGSEQ_ONLINE };

	w->socket->online_due = 0;
	logseq_submit(w, &out);
}

/* The pull is further, or done. */
static void
socket_pulled(struct logseq_web *w)
{
	if (w->socket->online_due && !logseq_pull_writing(&w->socket->pull))
		socket_ask_online(w);
}

static void
socket_fetched(struct logseq_web *w, const struct fetched_in *f)
{
	logseq_pull_fetched(&w->socket->pull, f);
	socket_pulled(w);
}

static void
socket_drained(struct logseq_web *w)
{
	logseq_pull_drained(&w->socket->pull);
	socket_pulled(w);
}

static void
socket_free(void *job)
{
	struct logseq_socket *s = job;

	logseq_pull_free(&s->pull);
	free(s);
}

static void
socket_ask(struct logseq_web *w, enum socket_tag tag)
{
	struct submit_out out = { .tag = tag, .verb = LOGSEQ_STATE };

	conn_hold(w->conn, 1);
	logseq_submit(w, &out);
}

static void
socket_say_hello(struct logseq_web *w, struct bytes info)
{
	struct buf reply = BUF_INIT;

	if (logseq_state_unpack(info, &w->state) == -1) {
		socket_error(w, "server error");
		return;
	}
	buf_printf(&reply, "{\"type\":\"hello\",\"t\":%llu",
	    (unsigned long long)w->state.t);
	logseq_tx_sum(&reply, w->state.sum);
	buf_add_u8(&reply, '}');
	socket_say(w, &reply);
}

static void
socket_say_changed(struct logseq_web *w, uint64_t t)
{
	struct buf reply = BUF_INIT;

	buf_printf(&reply, "{\"type\":\"changed\",\"t\":%llu}",
	    (unsigned long long)t);
	socket_say(w, &reply);
}

/* A writer whose entries went in before a bad one is behind its own work. */
static void
socket_say_outcome(struct logseq_web *w, struct bytes info)
{
	struct logseq_outcome o;
	struct buf reply = BUF_INIT;

	if (logseq_outcome_unpack(info, &o) == -1) {
		socket_error(w, "server error");
		return;
	}
	logseq_tx_reply(&reply, &o, w->socket->seed);
	socket_say(w, &reply);
	if ((o.result == LOGSEQ_FAILED || o.result == LOGSEQ_FAILED_SEED ||
		o.result == LOGSEQ_CYCLE) &&
	    o.t > w->socket->t_was)
		socket_say_changed(w, o.t);
}

static void
socket_error(struct logseq_web *w, const char *text)
{
	struct buf reply = BUF_INIT;

	buf_add_str(&reply, "{\"type\":\"error\",\"message\":");
	json_quote(&reply, bytes_str(text));
	buf_add_u8(&reply, '}');
	socket_say(w, &reply);
}

static void
socket_say(struct logseq_web *w, struct buf *reply)
{
	if (reply->failed)
		conn_drop(w->conn);
	else
		conn_send(w->conn, WS_TEXT, buf_bytes(reply));
	buf_free(reply);
}
