/*
 * The decisions of the canvas dialect (protocols: canvas.md sections 4, 5, 7, 9
 * and 16): what a patch does to the room, and who hears of it and of whom.
 *
 * A room is a stamped register a component, so that its newest stamp finds it,
 * and the log of all patches.  Presence is in the cards of sessions.
 */
#include "broker/canvas_store.h"
#include "broker/claims.h"
#include "broker/config.h"
#include "broker/rule.h"
#include "common/canvas.h"
#include "common/canvas_merge.h"
#include "common/json.h"
#include "common/limits.h"
#include "common/wire.h"

/* A patch that takes more of the ring is fetched. */
#define CANVAS_RING_SHARE 32

static enum code canvas_open(struct txn *);
static void canvas_count(struct txn *);
static void canvas_leave(struct txn *);
static enum code canvas_patch(struct txn *, const struct submit *);
static enum code canvas_presence(struct txn *, const struct submit *);

static enum code canvas_may(const struct txn *);
static struct bytes canvas_client(struct bytes card);
static int canvas_whole(struct txn *, const struct body *, struct buf *);
static canvas_rest canvas_pause;
static enum code canvas_store(struct txn *, struct bytes items);
static enum code canvas_write(struct txn *, struct canvas_merge *);
static int canvas_put(struct txn *, struct canvas_merge *,
    const struct canvas_component *);
static canvas_load canvas_get;
static enum code canvas_relay(struct txn *, const struct submit *,
    uint64_t seq);
static enum code canvas_relay_presence(struct txn *, struct bytes items);
static unsigned int canvas_takes(struct bytes items);
static void canvas_say(struct txn *, unsigned int flags, unsigned int kind,
    uint64_t seq, struct buf *);
static int canvas_held(struct txn *, struct bytes client, struct bytes key);

static const struct rule_verb canvas_verbs[] = {
	{ "patch", CANVAS_PATCH, SCOPE_WRITE, VERB_LENGTHY, canvas_patch },
	{ "presence", CANVAS_PRESENCE, SCOPE_WRITE, 0, canvas_presence },
	{ NULL, 0, SCOPE_NONE, 0, NULL },
};

const struct rule rule_canvas = {
	.dialect = DIALECT_CANVAS,
	.verbs = canvas_verbs,
	.open = canvas_open,
	.join = canvas_count,
	.leave = canvas_leave,
	.shown = 1,
	.compact = &compact_canvas,
};

/* Where nothing can be written, a client that would write is told to wait. */
static enum code
canvas_open(struct txn *t)
{
	enum code code = canvas_may(t);

	if (code != CODE_OK)
		return (code);
	if (t->full && scope_covers(t->who.scope, SCOPE_WRITE))
		return (CODE_STORAGE);
	return (CODE_OK);
}

/* Sessions, not clients, and those that only read as well. */
static void
canvas_count(struct txn *t)
{
	struct buf text = BUF_INIT;
	struct txn_card c;
	size_t n = 0;

	while (txn_card(t, n, &c) == 0)
		n++;
	buf_printf(&text, "{\"type\":\"clientCount\",\"count\":%zu}", n);
	canvas_say(t, 0, CANVAS_KIND_COUNT, 0, &text);
}

/*
 * What the client shows from another connection stays: it may have come back
 * before its old socket died.
 */
static void
canvas_leave(struct txn *t)
{
	struct buf text = BUF_INIT;
	struct bytes card = t->who.card, client = canvas_client(card);
	struct bytes key, component;
	size_t n = 0;

	buf_add_str(&text, "{\"type\":\"patch\",\"ephemeralPatches\":[{");
	list_next(&card, &key);
	while (canvas_card_next(&card, &key, &component) == 1) {
		if (!json_raw_ok(key) || canvas_held(t, client, key))
			continue;
		buf_add_str(&text, n++ > 0 ? ",\"" : "\"");
		buf_add_bytes(&text, key);
		buf_add_str(&text, "\":{\"_exists\":false}");
	}
	buf_add_str(&text, "}],\"clientId\":\"");
	buf_add_bytes(&text, client);
	buf_add_str(&text, "\"}");
	if (n > 0)
		canvas_say(t, PUBLISH_SKIP_SELF | PUBLISH_TAKES,
		    CANVAS_KIND_PRESENCE, 0, &text);
	buf_free(&text);
	canvas_count(t);
}

/*
 * The log gets the patch as it came, the registers what it makes of the room.
 * A blob is read whole: a request counts as a whole or not at all.
 */
static enum code
canvas_patch(struct txn *t, const struct submit *s)
{
	struct buf whole = BUF_INIT, head = BUF_INIT;
	struct bytes items = s->body.b, piece[2];
	uint64_t seq = 0;
	enum code code;

	if ((code = canvas_may(t)) != CODE_OK)
		return (code);
	if (canvas_items_check(s->extra, canvas_pause, t) == -1)
		return (CODE_INVALID);
	if (s->body.size > 2 * (uint64_t)t->conf->canvas_message_max)
		return (CODE_TOO_LARGE);
	if (s->body.blob != 0 && canvas_whole(t, &s->body, &whole) == 0)
		items = buf_bytes(&whole);
	code = canvas_store(t, items);
	buf_free(&whole);
	if (code != CODE_OK)
		return (code);
	list_add(&head, canvas_client(t->who.card));
	piece[0] = buf_bytes(&head);
	piece[1] = s->body.b;
	if (head.failed ||
	    txn_append(t, CANVAS_KIND_PATCH, piece, 2, s->body.blob,
		s->body.size, &seq) == -1)
		t->failed = 1;
	buf_free(&head);
	return (canvas_relay(t, s, seq));
}

static enum code
canvas_presence(struct txn *t, const struct submit *s)
{
	enum code code = canvas_may(t);

	if (code != CODE_OK)
		return (code);
	if (s->body.blob != 0)
		return (CODE_TOO_LARGE);
	if (canvas_items_check(s->body.b, canvas_pause, t) == -1)
		return (CODE_INVALID);
	return (canvas_relay_presence(t, s->body.b));
}

/* Who a client says it is may be bound to its token, as of now. */
static enum code
canvas_may(const struct txn *t)
{
	struct bytes client = canvas_client(t->who.card), only = BYTES_NONE;

	if (t->who.claims != NULL)
		only = t->who.claims->canvas_client;
	if (client.n == 0)
		return (CODE_INVALID);
	return (
	    only.p == NULL || bytes_eq(client, only) ? CODE_OK : CODE_NO_SCOPE);
}

/* A card is as its worker made it: empty if it cannot be spliced. */
static struct bytes
canvas_client(struct bytes card)
{
	struct bytes client;

	if (list_next(&card, &client) != 1 || client.n > CANVAS_CLIENT_MAX ||
	    !json_raw_ok(client))
		return (BYTES_NONE);
	return (client);
}

/* The rule is asked to come back to the handle in between (rule.h). */
static int
canvas_whole(struct txn *t, const struct body *body, struct buf *whole)
{
	uint64_t off;

	if (buf_room(whole, (size_t)body->size) == NULL) {
		t->failed = 1;
		return (-1);
	}
	for (off = 0; off < body->size; off += BLOB_SLICE_BYTES)
		if (txn_blob_read(t, body->blob, off, BLOB_SLICE_BYTES,
			whole) == -1)
			return (-1);
	return (0);
}

static void
canvas_pause(void *arg)
{
	txn_rest(arg);
}

/* All of it is merged in memory before any of it is written. */
static enum code
canvas_store(struct txn *t, struct bytes items)
{
	const struct canvas_limits limits = {
		(uint64_t)t->conf->canvas_delta_max,
		(uint64_t)t->conf->canvas_fill_max
	};
	ssize_t keys = canvas_items_check(items, canvas_pause, t);
	struct canvas_merge m;
	enum code code;

	if (items.n == 0 || keys == -1 || keys > t->conf->canvas_components_max)
		return (CODE_INVALID);
	canvas_merge_init(&m, &limits, canvas_get, t);
	m.rest = canvas_pause;
	switch (canvas_merge_expect(&m, (size_t)keys) == -1
		? CANVAS_FAILED
		: canvas_merge(&m, items, t->seq + 1)) {
	case CANVAS_MERGED:
		code = canvas_write(t, &m);
		break;
	case CANVAS_MALFORMED:
		code = CODE_INVALID;
		break;
	default:
		t->failed = 1;
		code = CODE_STORAGE;
	}
	canvas_merge_free(&m);
	return (code);
}

static enum code
canvas_write(struct txn *t, struct canvas_merge *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->component[i]->changed &&
		    canvas_put(t, m, m->component[i]) == -1)
			return (CODE_STORAGE);
	return (CODE_OK);
}

static int
canvas_put(struct txn *t, struct canvas_merge *m,
    const struct canvas_component *c)
{
	struct buf stored = BUF_INIT;
	int r = canvas_component_pack(m, &stored, c);

	if (r == 0)
		r = canvas_store_put(t, c->key, t->seq + 1, buf_bytes(&stored));
	buf_free(&stored);
	if (r == -1)
		t->failed = 1;
	return (r);
}

static int
canvas_get(void *arg, struct bytes key, struct buf *stored)
{
	return (canvas_store_get(arg, key, stored));
}

/*
 * One frame, unless it would take much of the ring: all in the room may say
 * something large at once, as after an outage.  Then the patch is fetched from
 * the log, where presence is not, so that goes by itself.
 */
static enum code
canvas_relay(struct txn *t, const struct submit *s, uint64_t seq)
{
	const struct publish stub = { .flags = PUBLISH_SKIP_SELF | PUBLISH_SEEN,
		.kind = CANVAS_KIND_PATCH,
		.opcode = 1,
		.seq = seq,
		.blob = s->body.blob,
		.blob_size = s->body.size };
	struct buf text = BUF_INIT;

	if (s->body.blob != 0 ||
	    s->body.b.n + s->extra.n >
		(size_t)t->conf->ring_bytes / CANVAS_RING_SHARE) {
		txn_publish(t, &stub);
		return (s->extra.n == 0 ? CODE_OK
					: canvas_relay_presence(t, s->extra));
	}
	buf_add_str(&text, "{\"type\":\"patch\",\"clientId\":\"");
	buf_add_bytes(&text, canvas_client(t->who.card));
	buf_add_str(&text, "\",\"documentPatches\":");
	canvas_items_text(&text, s->body.b);
	buf_printf(&text, ",\"timestamp\":%llu", (unsigned long long)seq);
	if (s->extra.n > 0) {
		buf_add_str(&text, ",\"ephemeralPatches\":");
		canvas_items_text(&text, s->extra);
	}
	buf_add_u8(&text, '}');
	canvas_say(t, PUBLISH_SKIP_SELF | canvas_takes(s->extra),
	    CANVAS_KIND_PATCH, seq, &text);
	return (t->failed ? CODE_STORAGE : CODE_OK);
}

static enum code
canvas_relay_presence(struct txn *t, struct bytes items)
{
	struct buf text = BUF_INIT;

	buf_add_str(&text, "{\"type\":\"patch\",\"clientId\":\"");
	buf_add_bytes(&text, canvas_client(t->who.card));
	buf_add_str(&text, "\",\"ephemeralPatches\":");
	canvas_items_text(&text, items);
	buf_add_u8(&text, '}');
	canvas_say(t, PUBLISH_SKIP_SELF | canvas_takes(items),
	    CANVAS_KIND_PRESENCE, 0, &text);
	return (t->failed ? CODE_STORAGE : CODE_OK);
}

/* Whether the items of presence end something that was shown. */
static unsigned int
canvas_takes(struct bytes items)
{
	struct canvas_item i;

	while (canvas_item_next(&items, &i) == 1)
		if (i.kind == CANVAS_ITEM_FIELD &&
		    bytes_eq(i.name, BYTES_LIT("_exists")) &&
		    bytes_eq(i.value.data, BYTES_LIT("false")))
			return (PUBLISH_TAKES);
	return (0);
}

/* Publishes the text and frees it; counts are for everybody. */
static void
canvas_say(struct txn *t, unsigned int flags, unsigned int kind, uint64_t seq,
    struct buf *text)
{
	struct publish p = { .flags = flags,
		.kind = kind,
		.opcode = 1,
		.seq = seq,
		.piece = { buf_bytes(text) },
		.n = 1 };

	if (text->failed || txn_publish(t, &p) == -1)
		t->failed = 1;
	buf_free(text);
}

/* Whether another session of that client shows the component. */
static int
canvas_held(struct txn *t, struct bytes client, struct bytes key)
{
	struct bytes card, k, component;
	struct txn_card c;
	size_t i;

	for (i = 0; txn_card(t, i, &c) == 0; i++) {
		card = c.card;
		if (c.session == t->who.session || list_next(&card, &k) != 1 ||
		    !bytes_eq(k, client))
			continue;
		while (canvas_card_next(&card, &k, &component) == 1)
			if (bytes_eq(k, key))
				return (1);
	}
	return (0);
}
