/* What the clients of each dialect say and hear. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tests/lib/reattach.h"

#define CIPHERTEXT                                                             \
	"dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1"
#define NONCE	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PAGE	    "%08u-0000-4000-8000-%012" PRIu64
#define FIRST_PROOF "k_CZR7BveaeM7FOc0TYtEtTtTi0ElwG9XrDVLxb9tR0"

static char *sds_target(const struct client *);
static void sds_say(struct client *);
static void sds_hear(struct client *, const char *, struct bytes);
static void sds_late(struct client *, const struct client *);
static char *secsync_target(const struct client *);
static void secsync_say(struct client *);
static void secsync_hear(struct client *, const char *, struct bytes);
static void secsync_late(struct client *, const struct client *);
static char *canvas_target(const struct client *);
static void canvas_say(struct client *);
static void canvas_hear(struct client *, const char *, struct bytes);
static void canvas_late(struct client *, const struct client *);
static char *logseq_target(const struct client *);
static void logseq_say(struct client *);
static void logseq_hear(struct client *, const char *, struct bytes);
static void logseq_late(struct client *, const struct client *);
static char *echo_target(const struct client *);
static void echo_say(struct client *);
static void echo_hear(struct client *, const char *, struct bytes);
static void sds_first(struct client *);
static void secsync_first(struct client *);
static void secsync_send(struct client *, const char *domain, const char *data);
static void one_first(struct client *);
static char *reattach_target(const struct client *, const char *path,
    const char *query, const char *scope);
static void say(struct client *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
static int starts(const char *text, const char *with);
static void strange(const struct client *, const char *)
    __attribute__((noreturn));
static void heard(struct client *, unsigned int id, uint64_t number);

const struct kind reattach_kinds[KINDS] = {
	{ "sds", 20, 1, sds_target, sds_say, sds_hear, sds_first, sds_late },
	{ "secsync", 1, 1, secsync_target, secsync_say, secsync_hear,
	    secsync_first, secsync_late },
	{ "canvas", 8, 1, canvas_target, canvas_say, canvas_hear, one_first,
	    canvas_late },
	{ "logseq", 1, 0, logseq_target, logseq_say, logseq_hear, one_first,
	    logseq_late },
	{ "echo", 8, 0, echo_target, echo_say, echo_hear, NULL, NULL },
};

int
reattach_take(struct client *c, int time_ms)
{
	struct ctl_ws_message m;
	char text[TEXT_MAX];
	int r = ctl_ws_next(&c->ws, &m, time_ms);

	if (r == 0)
		return (0);
	if (r == -1)
		fatalx(1, "%s %u: %s", c->kind->name, c->id, c->ws.why);
	if (m.opcode == WS_CLOSE)
		fatalx(1, "%s %u: closed: %u %.*s", c->kind->name, c->id,
		    m.code, (int)m.data.n, (const char *)m.data.p);
	snprintf(text, sizeof(text), "%.*s", (int)m.data.n,
	    (const char *)m.data.p);
	c->kind->hear(c, text, m.data);
	return (1);
}

static char *
sds_target(const struct client *c)
{
	return (reattach_target(c, "/ws/demo", "token",
	    c->writes ? "write" : "read"));
}

/* Its pong comes behind the opening. */
static void
sds_first(struct client *c)
{
	struct ctl_ws_message m;

	if (ctl_ws_send(&c->ws, WS_PING, BYTES_NONE, CLIENT_MS) != 1)
		fatalx(1, "sds %u: %s", c->id, c->ws.why);
	do {
		client_next(&c->ws, &m);
		if (m.opcode == WS_BINARY)
			sds_hear(c, "", m.data);
	} while (m.opcode != WS_PONG);
}

static void
sds_say(struct client *c)
{
	struct buf patch = BUF_INIT;

	patch_make(&patch, c->id, (uint32_t)++c->sent,
	    PATCH_MIN + (size_t)random() % 3000);
	client_send(&c->ws, buf_bytes(&patch));
	buf_free(&patch);
}

/* What the one that only reads has heard is as good as acknowledged. */
static void
sds_hear(struct client *c, const char *text, struct bytes data)
{
	uint32_t id, number;

	if (patch_read(data, &id, &number) == -1)
		strange(c, text);
	heard(c, id, number);
	if (c->id == CLIENTS - 1)
		c->peers[id].done = number;
}

static void
sds_late(struct client *c, const struct client *all)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		while (c->seen[i] < all[i].sent)
			if (!reattach_take(c, CLIENT_MS))
				fatalx(1,
				    "%s: %" PRIu64 " of %" PRIu64 " stored",
				    c->kind->name, c->seen[i], all[i].sent);
}

static char *
secsync_target(const struct client *c)
{
	return (reattach_target(c, "/secsync/demo", "sessionKey",
	    c->writes ? "write" : "read"));
}

/* The first client makes the snapshot. */
static void
secsync_first(struct client *c)
{
	struct ctl_ws_message m;
	char data[TEXT_MAX];

	client_next(&c->ws, &m);
	buf_add_bytes(&c->first, m.data);
	buf_add_u8(&c->first, 0);
	if (c->id != 0)
		return;
	snprintf(data, sizeof(data),
	    "{\"docId\":\"demo\",\"parentSnapshotId\":\"\","
	    "\"parentSnapshotProof\":\"" FIRST_PROOF "\","
	    "\"parentSnapshotUpdateClocks\":{},\"pubKey\":\"%s\","
	    "\"snapshotId\":\"first\"}",
	    c->name);
	secsync_send(c, "secsync_snapshot", data);
	client_next(&c->ws, &m);
}

static void
secsync_say(struct client *c)
{
	char data[TEXT_MAX];

	snprintf(data, sizeof(data),
	    "{\"clock\":%" PRIu64 ",\"docId\":\"demo\",\"pubKey\":\"%s\","
	    "\"refSnapshotId\":\"first\"}",
	    c->sent++, c->name);
	secsync_send(c, "secsync_update", data);
}

/* Signs as a client does: the data stands there in its canonical form. */
static void
secsync_send(struct client *c, const char *domain, const char *data)
{
	static const char cipher[] =
	    "\"ciphertext\":\"" CIPHERTEXT "\",\"nonce\":\"" NONCE "\"";
	char data64[BASE64URL_LEN(TEXT_MAX) + 1] = "", text[3 * TEXT_MAX];
	uint8_t sign[crypto_sign_BYTES];
	char sign64[BASE64URL_LEN(crypto_sign_BYTES) + 1] = "";

	base64url_encode(data64, bytes_str(data));
	snprintf(text, sizeof(text), "%s{%s,\"publicData\":\"%s\"}", domain,
	    cipher, data64);
	crypto_sign_detached(sign, NULL, (const uint8_t *)text, strlen(text),
	    c->key);
	base64url_encode(sign64, bytes_of(sign, sizeof(sign)));
	say(c, "{%s,\"publicData\":%s,\"signature\":\"%s\"}", cipher, data,
	    sign64);
}

static void
secsync_hear(struct client *c, const char *text, struct bytes data)
{
	const struct client *all = c->peers;
	const char *clock = strstr(text, "\"clock\":");
	uint64_t number;
	unsigned int i;

	(void)data;
	if (clock == NULL)
		strange(c, text);
	number = strtoull(clock + 8, NULL, 10) + 1;
	if (starts(text, "{\"type\":\"update-saved\"")) {
		if (number != ++c->done)
			strange(c, text);
		return;
	}
	if (!starts(text, "{\"type\":\"update\""))
		strange(c, text);
	for (i = 0; i < CLIENTS && strstr(text, all[i].name) == NULL; i++)
		continue;
	heard(c, i, number);
}

static void
secsync_late(struct client *c, const struct client *all)
{
	const char *at = (const char *)buf_bytes(&c->first).p;
	unsigned int i;

	while ((at = strstr(at, "\"clock\":")) != NULL) {
		for (i = 0; i < CLIENTS; i++)
			if (strncmp(strstr(at, "\"pubKey\":\"") + 10,
				all[i].name, strlen(all[i].name)) == 0)
				heard(c, i, strtoull(at + 8, NULL, 10) + 1);
		at++;
	}
	sds_late(c, all);
}

static char *
canvas_target(const struct client *c)
{
	char query[64];

	snprintf(query, sizeof(query), "roomId=demo&clientId=w%u&token", c->id);
	return (
	    reattach_target(c, "/canvas", query, c->writes ? "write" : "read"));
}

static void
canvas_say(struct client *c)
{
	c->sent++;
	say(c,
	    "{\"type\":\"patch\",\"messageId\":\"%" PRIu64
	    "\",\"documentPatches\":[{\"w%u/c\":{\"_exists\":true,"
	    "\"n\":%" PRIu64 "}}]}",
	    c->sent, c->id, c->sent);
}

static void
canvas_hear(struct client *c, const char *text, struct bytes data)
{
	uint64_t number, stamp;
	unsigned int id, twice;

	(void)data;
	if (starts(text, "{\"type\":\"clientCount\""))
		return;
	if (sscanf(text,
		"{\"type\":\"ack\",\"messageId\":\"%" SCNu64
		"\",\"timestamp\":%" SCNu64 "}",
		&number, &stamp) == 2) {
		if (number != ++c->done)
			strange(c, text);
	} else if (sscanf(text,
		       "{\"type\":\"patch\",\"clientId\":\"w%u\","
		       "\"documentPatches\":[{\"w%u/c\":{\"_exists\":true,"
		       "\"n\":%" SCNu64 "}}],\"timestamp\":%" SCNu64 "}",
		       &id, &twice, &number, &stamp) == 4) {
		heard(c, id, number);
	} else
		strange(c, text);
	if (stamp != ++c->stamp)
		fatalx(1,
		    "canvas %u: number %" PRIu64 " in the place of %" PRIu64,
		    c->id, stamp, c->stamp);
}

/* Only the last write of each is left, and the count of all. */
static void
canvas_late(struct client *c, const struct client *all)
{
	struct ctl_ws_message m;
	char want[TEXT_MAX];
	uint64_t total = 0;
	unsigned int i;

	say(c,
	    "{\"type\":\"reconnect\",\"lastTimestamp\":0,"
	    "\"protocolVersion\":2}");
	do
		client_next(&c->ws, &m);
	while (memmem(m.data.p, m.data.n, "clientCount", 11) != NULL);
	for (i = 0; i < CLIENTS; i++) {
		total += all[i].sent;
		snprintf(want, sizeof(want),
		    "\"w%u/c\":{\"_exists\":true,\"n\":%" PRIu64 "}", i,
		    all[i].sent);
		if (all[i].sent > 0 &&
		    memmem(m.data.p, m.data.n, want, strlen(want)) == NULL)
			fatalx(1, "canvas: no %s", want);
	}
	client_next(&c->ws, &m);
	snprintf(want, sizeof(want),
	    "{\"type\":\"synced\",\"timestamp\":%" PRIu64 "}", total);
	if (!bytes_eq(m.data, bytes_str(want)))
		fatalx(1, "canvas: no %s", want);
}

static char *
logseq_target(const struct client *c)
{
	char *token =
	    server_user(c->server, "ann", "{\"email\":\"a@b.example\"}");
	char *target;

	(void)c;
	if (asprintf(&target, "/sync/%s?token=%s", c->graph, token) == -1)
		fatal(1, "no memory");
	free(token);
	return (target);
}

/* A page of its own each time. */
static void
logseq_say(struct client *c)
{
	if (c->said)
		return;
	c->sent += c->sent == c->done;
	c->said = 1;
	say(c,
	    "{\"type\":\"tx/batch\",\"t-before\":%" PRIu64
	    ",\"txs\":[{\"tx\":\"[[\\\"~:db/add\\\",\\\"p\\\","
	    "\\\"~:block/uuid\\\",\\\"~u" PAGE "\\\"]]\"}]}",
	    c->stamp, c->id, c->sent);
}

static void
logseq_hear(struct client *c, const char *text, struct bytes data)
{
	const char *t = strstr(text, "\"t\":");
	uint64_t stamp = t == NULL ? 0 : strtoull(t + 4, NULL, 10);

	(void)data;
	if (starts(text, "{\"type\":\"online-users\""))
		return;
	if (t == NULL)
		strange(c, text);
	c->stamp = stamp > c->stamp ? stamp : c->stamp;
	if (starts(text, "{\"type\":\"changed\""))
		return;
	if (starts(text, "{\"type\":\"tx/batch/ok\""))
		c->done++;
	else if (strstr(text, "\"reason\":\"stale\"") == NULL)
		strange(c, text);
	if (!c->said)
		strange(c, text);
	c->said = 0;
	if (c->done < c->sent) /* who was late tries again */
		logseq_say(c);
}

static void
logseq_late(struct client *c, const struct client *all)
{
	struct ctl_ws_message m;
	char page[64];
	uint64_t n;
	unsigned int i;
	const uint8_t *at, *end, *next;

	say(c, "{\"type\":\"pull\",\"since\":0}");
	do
		client_next(&c->ws, &m);
	while (memmem(m.data.p, m.data.n, "pull/ok", 7) == NULL);
	end = m.data.p + m.data.n;
	for (i = 0; i < CLIENTS; i++)
		for (n = 1, at = m.data.p; n <= all[i].sent; n++, at = next) {
			snprintf(page, sizeof(page), "~u" PAGE, i, n);
			next =
			    memmem(at, (size_t)(end - at), page, strlen(page));
			if (next++ == NULL ||
			    memmem(next, (size_t)(end - next), page,
				strlen(page)) != NULL)
				fatalx(1, "logseq: %s not once in its place",
				    page);
		}
}

static char *
echo_target(const struct client *c)
{
	(void)c;
	return (strdup("/echo"));
}

static void
echo_say(struct client *c)
{
	say(c, "%" PRIu64, ++c->sent);
}

static void
echo_hear(struct client *c, const char *text, struct bytes data)
{
	(void)data;
	if (strtoull(text, NULL, 10) != ++c->done)
		strange(c, text);
}

/* Who has heard something is in the document by then. */
static void
one_first(struct client *c)
{
	struct ctl_ws_message m;

	client_next(&c->ws, &m);
}

static char *
reattach_target(const struct client *c, const char *path, const char *query,
    const char *scope)
{
	char *token = server_token(c->server, "demo", scope, 0), *target;

	if (asprintf(&target, "%s?%s=%s", path, query, token) == -1)
		fatal(1, "no memory");
	free(token);
	return (target);
}

static void
say(struct client *c, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (ctl_ws_send(&c->ws, WS_TEXT, bytes_str(text), CLIENT_MS) != 1)
		fatalx(1, "%s %u: %s", c->kind->name, c->id, c->ws.why);
}

static int
starts(const char *text, const char *with)
{
	return (strncmp(text, with, strlen(with)) == 0);
}

static void
strange(const struct client *c, const char *text)
{
	fatalx(1, "%s %u: strange: %.200s", c->kind->name, c->id, text);
}

/* The next one of that writer's. */
static void
heard(struct client *c, unsigned int id, uint64_t number)
{
	if (id >= CLIENTS || number != c->seen[id] + 1)
		fatalx(1, "%s %u: number %" PRIu64 " of %u behind %" PRIu64,
		    c->kind->name, c->id, number, id,
		    id < CLIENTS ? c->seen[id] : 0);
	c->seen[id] = number;
}
