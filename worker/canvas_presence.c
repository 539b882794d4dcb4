/* Tombstones are not kept: who comes later has nothing to remove. */
#include "common/limits.h"
#include "common/json.h"
#include "common/wire.h"
#include "worker/canvas_presence.h"

/* Presence has no numbers; a stamp must be one. */
#define PRESENCE_STAMP 1

static int presence_sound(struct bytes);
static int presence_load(void *, struct bytes key, struct buf *);
static int presence_pack(struct buf *, struct canvas_merge *,
    struct bytes client);

int
canvas_presence_begin(struct buf *card, struct bytes client)
{
	buf_clear(card);
	return (list_add(card, client));
}

int
canvas_presence_merge(struct buf *card, struct bytes items,
    const struct canvas_limits *limits)
{
	struct bytes all = buf_bytes(card), client, in, key, component;
	struct canvas_merge m;
	struct buf made = BUF_INIT;
	int r = -1;

	if (list_next(&all, &client) != 1)
		return (-1);
	canvas_merge_init(&m, limits, presence_load, &all);
	for (in = all; canvas_card_next(&in, &key, &component) == 1;)
		if (canvas_merge_find(&m, key) == NULL)
			goto end;
	if (canvas_merge(&m, items, PRESENCE_STAMP) != CANVAS_MERGED ||
	    presence_pack(&made, &m, client) == -1)
		goto end;
	buf_clear(card);
	r = buf_add_bytes(card, buf_bytes(&made));
end:
	canvas_merge_free(&m);
	buf_free(&made);
	return (r);
}

/* A card is as another worker made it: what cannot be spliced is left out. */
void
canvas_presence_text(struct buf *b, struct bytes card, struct bytes client)
{
	struct bytes key, component;
	size_t start;

	if (list_next(&card, &key) != 1 || bytes_eq(key, client))
		return;
	while (canvas_card_next(&card, &key, &component) == 1) {
		start = b->len;
		if (start > 0)
			buf_add_u8(b, ',');
		if (canvas_component_text(b, key, component, 0, UINT64_MAX) !=
			1 ||
		    !presence_sound(
			bytes_skip(buf_bytes(b), start + (start > 0))))
			buf_trunc(b, start);
	}
}

static int
presence_sound(struct bytes members)
{
	struct json_scan s;
	struct json t;
	int r;

	json_scan_members(&s, members, JSON_DEPTH_MAX);
	while ((r = json_scan_next(&s, &t)) == 1)
		continue;
	return (r == 0);
}

static int
presence_load(void *arg, struct bytes key, struct buf *stored)
{
	struct bytes in = *(struct bytes *)arg, k, component;

	while (canvas_card_next(&in, &k, &component) == 1)
		if (bytes_eq(k, key))
			return (
			    buf_add_bytes(stored, component) == -1 ? -1 : 1);
	return (0);
}

static int
presence_pack(struct buf *card, struct canvas_merge *m, struct bytes client)
{
	struct buf component = BUF_INIT;
	size_t i, n = 0;

	list_add(card, client);
	for (i = 0; i < m->n && card->len <= CARD_MAX_BYTES; i++) {
		if (!canvas_component_live(m->component[i]))
			continue;
		buf_clear(&component);
		canvas_component_pack(m, &component, m->component[i]);
		canvas_card_add(card, m->component[i]->key,
		    buf_bytes(&component));
		card->failed |= component.failed;
		n++;
	}
	buf_free(&component);
	return (
	    card->failed || card->len > CARD_MAX_BYTES || n > CANVAS_PRESENT_MAX
		? -1
		: 0);
}
