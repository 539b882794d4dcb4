/*
 * reattach ROUNDS [SEED]: clients of every dialect write and read while their
 * broker is killed or told to stop, again and again.
 *
 * No socket may close.  Every client hears of every write of every other one,
 * once and in its order; what was acknowledged is there at the end, and so is,
 * since nobody went away, everything that was sent.  In canvas acknowledgements
 * and patches together are all the numbers there are.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "tests/lib/reattach.h"

#define TURNS_MAX    40
#define DOWN_TURNS   20 /* while there is no broker */
#define SETTLE_TURNS 10000

static struct server server;
static char *graph;

static struct client clients[KINDS][CLIENTS];

static void reattach_connect(struct client *, const struct kind *, unsigned);
static void reattach_graph(void);
static void reattach_turn(int writing);
static int reattach_owed(const struct client *);
static void reattach_settle(void);
static void reattach_break(void);
static void reattach_end(void);

int
main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 6;
	unsigned int seed =
	    argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)time(NULL);
	uint64_t total = 0;
	unsigned int i, j, turns;

	log_init("reattach", LOG_TO_STDERR, LOG_LEVEL_INFO);
	printf("seed %u\n", seed);
	fflush(stdout);
	srandom(seed);
	if (sodium_init() == -1)
		return (1);
	server_make(&server);
	server_setting(&server, "echo yes");
	server_setting(&server, "log_level warn");
	server_setting(&server, "secsync_updates_max 1000000");
	server_start(&server, SERVER_ALL);
	reattach_graph();
	for (i = 0; i < KINDS; i++)
		for (j = 0; j < CLIENTS; j++)
			reattach_connect(&clients[i][j], &reattach_kinds[i], j);
	for (i = 0; i < rounds; i++) {
		for (turns = (unsigned)random() % TURNS_MAX; turns > 0; turns--)
			reattach_turn(1);
		reattach_break();
	}
	reattach_settle();
	reattach_end();
	for (i = 0; i < KINDS; i++)
		for (j = 0; j < CLIENTS; j++) {
			total += clients[i][j].sent;
			ctl_ws_close(&clients[i][j].ws);
			buf_free(&clients[i][j].first);
		}
	server_stop(&server, SERVER_ALL, 0);
	server_remove(&server);
	free(graph);
	printf("%u brokers, %" PRIu64 " writes, no connection closed\n",
	    rounds + 1, total);
	if (total < rounds * KINDS)
		fatalx(1, "hardly anything was written: this proves nothing");
	return (0);
}

static void
reattach_connect(struct client *c, const struct kind *k, unsigned int id)
{
	struct ctl_url url = { .host = "127.0.0.1" };
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	char *target;

	c->server = &server;
	c->graph = graph;
	c->peers = clients[k - reattach_kinds];
	c->kind = k;
	c->id = id;
	c->writes = id < CLIENTS - 1;
	crypto_sign_keypair(public, c->key);
	base64url_encode(c->name, bytes_of(public, sizeof(public)));
	target = k->target(c);
	snprintf(url.port, sizeof(url.port), "%u", server.port);
	url.target = target;
	ctl_ws_init(&c->ws);
	if (ctl_ws_dial(&c->ws, &url, CLIENT_MS) != 1 ||
	    ctl_ws_upgrade(&c->ws, &url, BYTES_NONE, CLIENT_MS) != 1)
		fatalx(1, "%s %u: connect", k->name, id);
	free(target);
	if (k->first != NULL)
		k->first(c);
}

/* One graph, of everybody's. */
static void
reattach_graph(void)
{
	static const char body[] =
	    "{\"graph-name\":\"notes\",\"graph-e2ee?\":false}";
	struct ctl_url url = { .host = "127.0.0.1" };
	char *token =
	    server_user(&server, "ann", "{\"email\":\"a@b.example\"}");
	char request[TEXT_MAX];
	struct buf head = BUF_INIT;
	struct ctl_ws ws;
	char *at;

	snprintf(url.port, sizeof(url.port), "%u", server.port);
	snprintf(request, sizeof(request),
	    "POST /graphs?token=%s HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
	    token, sizeof(body) - 1, body);
	ctl_ws_init(&ws);
	if (ctl_ws_dial(&ws, &url, CLIENT_MS) != 1 ||
	    ctl_ws_write(&ws, bytes_str(request), CLIENT_MS) != 1 ||
	    ctl_ws_head(&ws, &head, CLIENT_MS) != 1)
		fatalx(1, "no graph");
	ctl_ws_want(&ws, 2000, 1000);
	buf_add_u8(&ws.in, '\0');
	at = strstr((const char *)buf_bytes(&ws.in).p, "\"graph-id\":\"");
	if (at == NULL)
		fatalx(1, "no graph: %s", (const char *)buf_bytes(&ws.in).p);
	graph = strndup(at + 12, 36);
	ctl_ws_close(&ws);
	buf_free(&head);
	free(token);
}

/* Whoever may writes one, and all that has come is taken. */
static void
reattach_turn(int writing)
{
	struct client *c;
	size_t i;

	for (i = 0; i < KINDS * CLIENTS; i++) {
		c = &clients[i / CLIENTS][i % CLIENTS];
		if (writing && c->writes && c->sent - c->done < c->kind->ahead)
			c->kind->say(c);
	}
	for (i = 0; i < KINDS * CLIENTS; i++)
		while (reattach_take(&clients[i / CLIENTS][i % CLIENTS], 0))
			continue;
	poll(NULL, 0, 1);
}

/* 1: it has yet to hear something. */
static int
reattach_owed(const struct client *c)
{
	const struct client *all = c->peers;
	unsigned int i;

	if (c->done < c->sent || c->said)
		return (1);
	for (i = 0; i < CLIENTS; i++)
		if (c->kind->heard && i != c->id && c->seen[i] < all[i].sent)
			return (1);
	return (0);
}

static void
reattach_settle(void)
{
	struct client *c = NULL;
	size_t i, owed = 1;
	int turns;

	for (turns = 0; owed > 0 && turns < SETTLE_TURNS; turns++) {
		reattach_turn(0);
		for (i = owed = 0; i < KINDS * CLIENTS; i++)
			if (reattach_owed(&clients[i / CLIENTS][i % CLIENTS])) {
				c = &clients[i / CLIENTS][i % CLIENTS];
				owed++;
			}
		if (owed > 0)
			poll(NULL, 0, 1);
	}
	if (owed > 0)
		fatalx(1,
		    "%s %u: %" PRIu64 " of %" PRIu64
		    " acknowledged, nothing more comes",
		    c->kind->name, c->id, c->done, c->sent);
}

/*
 * Clients write on while it is away.  What dies is the broker alone: where
 * fan-out is killed as well, a client that it was writing to is closed.
 */
static void
reattach_break(void)
{
	int turns;

	if (random() % 2 == 0) {
		kill(server.broker, SIGKILL);
		server_reap(&server);
	} else
		server_stop(&server, SERVER_BROKER, 0);
	for (turns = (int)(random() % DOWN_TURNS); turns > 0; turns--)
		reattach_turn(1);
	server_start(&server, SERVER_BROKER);
}

/* What the store itself has: by those who come late. */
static void
reattach_end(void)
{
	struct client late;
	size_t i;

	for (i = 0; i < KINDS; i++) {
		if (reattach_kinds[i].late == NULL)
			continue;
		memset(&late, 0, sizeof(late));
		reattach_connect(&late, &reattach_kinds[i], CLIENTS);
		reattach_kinds[i].late(&late, clients[i]);
		ctl_ws_close(&late.ws);
		buf_free(&late.first);
	}
}
