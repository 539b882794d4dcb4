/*
 * Who is here and what they edit, as Logseq clients are told: whole frames,
 * written from cards and claims.  A user with two devices is listed once.
 */
#include <inttypes.h>

#include "broker/claims.h"
#include "broker/logseq_verbs.h"
#include "common/logseq_index.h"
#include "common/limits.h"
#include "common/wire.h"

/* Who comes after so many octets is not in the list: it goes in an info. */
#define ONLINE_MAX_BYTES (INFO_MAX_BYTES / 2)

static void online_publish(struct txn *);
static size_t online_list(struct txn *, struct buf *);
static void online_user(struct buf *, const struct txn_card *, struct map *);
static int online_card(struct bytes card, struct bytes *editing);
static void online_frame(struct txn *, const struct buf *, enum logseq_kind,
    unsigned int flags);

void
logseq_changed(struct txn *t, uint64_t now)
{
	struct buf out = BUF_INIT;

	buf_printf(&out, "{\"type\":\"changed\",\"t\":%" PRIu64 "}", now);
	online_frame(t, &out, LOGSEQ_KIND_CHANGED, PUBLISH_SKIP_SELF);
	buf_free(&out);
}

void
logseq_join(struct txn *t)
{
	if (t->name.room == LOGSEQ_ROOM_GRAPH && t->who.card.n > 0)
		online_publish(t);
}

void
logseq_leave(struct txn *t)
{
	struct graph g;

	if (t->name.room != LOGSEQ_ROOM_GRAPH)
		return;
	if (graph_begin(&g, t) == 0 && g.m.pins > 0) {
		graph_unpin(&g, t->who.session);
		graph_save(&g);
	}
	graph_end(&g);
	if (t->who.card.n > 0)
		online_publish(t);
}

void
logseq_card(struct txn *t)
{
	struct bytes editing;
	struct buf out = BUF_INIT;

	if (t->name.room != LOGSEQ_ROOM_GRAPH ||
	    !online_card(t->who.card, &editing))
		return;
	buf_add_str(&out, "{\"type\":\"presence\",\"editing-block-uuid\":");
	if (editing.n == 0)
		buf_add_str(&out, "null");
	else
		logseq_json_string(&out, editing);
	buf_add_str(&out, ",\"user-id\":");
	logseq_json_string(&out, t->who.subject);
	buf_add_u8(&out, '}');
	online_frame(t, &out, LOGSEQ_KIND_PRESENCE, PUBLISH_SKIP_SELF);
	buf_free(&out);
}

enum code
logseq_online(struct txn *t, const struct submit *s)
{
	struct buf out = BUF_INIT;

	(void)s;
	if (t->name.room != LOGSEQ_ROOM_GRAPH)
		return (CODE_INVALID);
	(void)online_list(t, &out);
	txn_info(t, buf_bytes(&out));
	buf_free(&out);
	return (CODE_OK);
}

/* That nobody is left only those could hear who are on their way out. */
static void
online_publish(struct txn *t)
{
	struct buf out = BUF_INIT;

	if (online_list(t, &out) > 0)
		online_frame(t, &out, LOGSEQ_KIND_ONLINE, 0);
	buf_free(&out);
}

/* How many users are in it. */
static size_t
online_list(struct txn *t, struct buf *out)
{
	struct map seen = { 0 };
	struct txn_card c;
	size_t i;

	buf_add_str(out, "{\"type\":\"online-users\",\"online-users\":[");
	for (i = 0; out->len < ONLINE_MAX_BYTES && txn_card(t, i, &c) == 0; i++)
		online_user(out, &c, &seen);
	buf_add_str(out, "]}");
	if (out->failed)
		t->failed = 1;
	i = seen.n;
	map_free(&seen);
	return (i);
}

static void
online_user(struct buf *out, const struct txn_card *c, struct map *seen)
{
	struct bytes editing;
	int fresh;

	if (c->claims == NULL || !online_card(c->card, &editing) ||
	    map_at(seen, c->claims->sub, &fresh) == NULL || !fresh)
		return;
	if (seen->n > 1)
		buf_add_u8(out, ',');
	buf_add_str(out, "{\"user-id\":");
	logseq_json_string(out, c->claims->sub);
	logseq_person(c->claims, out);
	if (editing.n > 0) {
		buf_add_str(out, ",\"editing-block-uuid\":");
		logseq_json_string(out, editing);
	}
	buf_add_u8(out, '}');
}

/* Sessions of HTTP have no card.  A block is a uuid or it is none. */
static int
online_card(struct bytes card, struct bytes *editing)
{
	if (list_next(&card, editing) != 1)
		return (0);
	if (!logseq_uuid_ok(*editing))
		*editing = BYTES_NONE;
	return (1);
}

static void
online_frame(struct txn *t, const struct buf *out, enum logseq_kind kind,
    unsigned int flags)
{
	struct publish p = { .flags = flags,
		.kind = kind,
		.opcode = 1,
		.piece = { buf_bytes(out) },
		.n = 1 };

	if (out->failed)
		t->failed = 1;
	txn_publish(t, &p);
}
