/*
 * `connections': the sessions, a line each, and `kick HOW WHAT': ends those
 * that a number, subject, store or address names.
 *
 * A line is `id dialect scope lane since "address" "subject" "store"', since
 * in unix seconds, each text as log_quote writes it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "broker/control.h"
#include "broker/doc_name.h"
#include "common/log.h"

/* What is looked for. */
struct kick {
	uint64_t id;
	struct bytes text;
	struct doc_id doc;
};

static void connections_line(const struct session *, struct evbuffer *);
static const char *connections_lane(const struct session *);
static int kick_read(struct kick *, const char *how, const char *what,
    struct buf *mem);
static session_match kick_id, kick_subject, kick_store, kick_address;

static const struct {
	const char *how;
	session_match *match;
} kicks[] = {
	{ "id", kick_id },
	{ "subject", kick_subject },
	{ "store", kick_store },
	{ "address", kick_address },
};

#define KICKS (sizeof(kicks) / sizeof(kicks[0]))

void
control_connections(struct broker *b, struct bufferevent *bev,
    const char *words)
{
	const struct session *s;

	(void)words;
	TAILQ_FOREACH(s, &b->sessions, entry)
		if (s->state != IPC_NEW && !s->listener)
			connections_line(s, bufferevent_get_output(bev));
	control_answered(bev);
}

void
control_kick(struct broker *b, struct bufferevent *bev, const char *words)
{
	size_t i, n = strcspn(words, " ");
	struct buf mem = BUF_INIT;
	struct kick kick;

	for (i = 0; i < KICKS; i++)
		if (strlen(kicks[i].how) == n &&
		    memcmp(kicks[i].how, words, n) == 0)
			break;
	if (i == KICKS || words[n] == '\0')
		control_refuse(bev, "kick by id, subject, store or address");
	else if (kick_read(&kick, kicks[i].how, words + n + 1, &mem) == -1)
		control_refuse(bev, "that names no connection");
	else {
		evbuffer_add_printf(bufferevent_get_output(bev), "%zu\ndone\n",
		    session_kick_each(b, kicks[i].match, &kick, CODE_KICKED));
		control_answered(bev);
	}
	buf_free(&mem);
}

static void
connections_line(const struct session *s, struct evbuffer *out)
{
	char subject[4 * CLAIMS_SUB_MAX + 1], store[DOC_NAME_TEXT_BYTES] = "";
	int known = s->state == IPC_GRANTED || s->state == IPC_OPEN_STATE;

	log_quote(subject, sizeof(subject), s->claims.sub);
	if (s->doc != NULL)
		doc_name_text(store, sizeof(store), &s->doc->id);
	evbuffer_add_printf(out,
	    "%" PRIu64 " %s %s %s %" PRId64 " \"%s\" \"%s\" \"%s\"\n", s->id,
	    known ? dialect_name(s->dialect) : "-", scope_name(s->scope),
	    connections_lane(s), s->since_s, s->peer, subject, store);
}

/* Who writes to the client: the fan-out process may, or its worker alone. */
static const char *
connections_lane(const struct session *s)
{
	return (s->lane == SESSION_LANE_HAS ? "fast" : "worker");
}

static int
kick_read(struct kick *k, const char *how, const char *what, struct buf *mem)
{
	char *end = NULL;

	if (strcmp(how, "store") == 0)
		return (doc_name_parse(bytes_str(what), mem, &k->doc));
	if (strcmp(how, "id") == 0) {
		k->id = strtoull(what, &end, 10);
		return (*what < '0' || *what > '9' || *end != '\0' ? -1 : 0);
	}
	doc_name_unquote(bytes_str(what), mem);
	k->text = buf_bytes(mem);
	return (mem->failed ? -1 : 0);
}

static int
kick_id(const struct session *s, const void *arg)
{
	const struct kick *k = arg;

	return (s->id == k->id);
}

/* Before its login a session has no subject, not the empty one. */
static int
kick_subject(const struct session *s, const void *arg)
{
	const struct kick *k = arg;

	return (s->claims.sub.p != NULL && bytes_eq(s->claims.sub, k->text));
}

static int
kick_store(const struct session *s, const void *arg)
{
	const struct kick *k = arg;
	const struct doc_id *id = s->doc == NULL ? NULL : &s->doc->id;

	return (id != NULL && id->dialect == k->doc.dialect &&
	    id->room == k->doc.room && bytes_eq(id->name, k->doc.name));
}

static int
kick_address(const struct session *s, const void *arg)
{
	const struct kick *k = arg;

	return (bytes_eq(bytes_str(s->peer), k->text));
}
