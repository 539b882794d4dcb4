/*
 * The answer as steps.  While it is gathered the room goes on: a component that
 * changes moves to the end of the index, so it is met again, and the number of
 * the last page is the number of the whole.
 */
#include <stdio.h>

#include "common/canvas.h"
#include "worker/canvas_answer.h"
#include "worker/canvas_presence.h"

static void answer_begin(struct canvas_answer *, enum canvas_answer_kind,
    uint64_t since);
static void answer_ask_roster(struct canvas_answer *);
static enum code answer_roster(struct canvas_answer *,
    const struct fetched_in *);
static enum code answer_fields(struct canvas_answer *,
    const struct fetched_in *);
static enum code answer_record(struct canvas_answer *,
    const struct fetched_in *);
static void answer_ask(struct canvas_answer *);
static enum code answer_page(struct canvas_answer *);
static void answer_pull(struct canvas_answer *, const struct entry *);
static enum code answer_pulled(struct canvas_answer *,
    const struct fetched_in *);
static enum code answer_found(struct canvas_answer *, struct bytes stored);
static enum code answer_patch(struct canvas_answer *);
static void answer_send(struct canvas_answer *);
static int answer_components(struct canvas_answer *, uint64_t upto);
static void answer_sent(struct canvas_answer *);
static void answer_done(struct canvas_answer *);

void
canvas_answer_init(struct canvas_answer *a, struct conn *c, struct bytes client)
{
	memset(a, 0, sizeof(*a));
	a->conn = c;
	a->client = client;
}

void
canvas_answer_free(struct canvas_answer *a)
{
	buf_free(&a->from);
	buf_free(&a->page);
	buf_free(&a->pulled);
	buf_free(&a->present);
	buf_free(&a->frame);
	canvas_parts_free(&a->parts);
}

void
canvas_answer_reconnect(struct canvas_answer *a, uint64_t since)
{
	answer_begin(a, CANVAS_ANSWER_RECONNECT, since);
	a->step = CANVAS_STEP_FIELDS;
	answer_ask(a);
}

void
canvas_answer_level(struct canvas_answer *a, uint64_t since, uint64_t position)
{
	answer_begin(a, CANVAS_ANSWER_LEVEL, since);
	a->lost = position;
	a->step = CANVAS_STEP_FIELDS;
	answer_ask(a);
}

void
canvas_answer_record(struct canvas_answer *a, uint64_t seq)
{
	answer_begin(a, CANVAS_ANSWER_RECORD, seq - 1);
	a->step = CANVAS_STEP_RECORD;
	a->seq = seq;
	conn_fetch(a->conn, 0, FETCH_LOG, seq - 1, seq, BYTES_NONE, BYTES_NONE);
}

enum code
canvas_answer_fetched(struct canvas_answer *a, const struct fetched_in *f)
{
	if (f->code != CODE_OK)
		return (f->code);
	if (pull_active(&a->pull))
		return (answer_pulled(a, f));
	switch (a->step) {
	case CANVAS_STEP_ROSTER:
		return (answer_roster(a, f));
	case CANVAS_STEP_FIELDS:
		return (answer_fields(a, f));
	case CANVAS_STEP_RECORD:
		return (answer_record(a, f));
	default:
		return (CODE_OK);
	}
}

void
canvas_answer_run(struct canvas_answer *a)
{
	struct bytes left;

	if (a->step != CANVAS_STEP_SEND)
		return;
	while (
	    a->sent < a->frame.len && conn_queued(a->conn) < CONN_LOW_BYTES) {
		left = bytes_skip(buf_bytes(&a->frame), a->sent);
		if (left.n > CONN_LOW_BYTES)
			left.n = CONN_LOW_BYTES;
		a->sent += left.n;
		conn_write(a->conn, left);
	}
	if (a->sent == a->frame.len)
		answer_sent(a);
}

/* Presence stands in the last frame. */
void
canvas_answer_part(struct canvas_answer *a, uint64_t upto)
{
	struct buf *b = &a->frame;
	int some;

	buf_free(b);
	a->sent = 0;
	buf_add_str(b, "{\"type\":\"patch\",\"clientId\":\"\"");
	some = answer_components(a, upto);
	a->since = upto;
	if (upto == a->seq && a->present.len > 0) {
		some |= 1;
		buf_add_str(b, ",\"ephemeralPatches\":[{");
		buf_add_bytes(b, buf_bytes(&a->present));
		buf_add_str(b, "}]");
	}
	buf_add_u8(b, '}');
	if (some == -1 || b->failed)
		conn_drop(a->conn);
	else if (some)
		answer_send(a);
	else
		answer_sent(a);
}

static void
answer_begin(struct canvas_answer *a, enum canvas_answer_kind kind,
    uint64_t since)
{
	struct conn *c = a->conn;
	struct bytes client = a->client;

	canvas_answer_free(a);
	canvas_answer_init(a, c, client);
	a->kind = kind;
	a->since = a->after = since;
	conn_pause(c);
}

/*
 * After the fields: a card is there before the patch that came with it, so what
 * the reader will skip by its number has its presence here.
 */
static void
answer_ask_roster(struct canvas_answer *a)
{
	uint8_t position[8];

	be64_put(position, a->lost);
	conn_fetch(a->conn, 0, FETCH_ROSTER, a->cards, 0, BYTES_NONE,
	    a->kind == CANVAS_ANSWER_LEVEL
		? bytes_of(position, sizeof(position))
		: BYTES_NONE);
}

static enum code
answer_roster(struct canvas_answer *a, const struct fetched_in *f)
{
	struct bytes in = f->entries;
	struct entry e;

	for (; entry_unpack(&in, &e) == 1; a->cards++)
		canvas_presence_text(&a->present, e.body, a->client);
	if (a->present.failed)
		return (CODE_BUSY);
	if (f->more) {
		answer_ask_roster(a);
		return (CODE_OK);
	}
	a->step = CANVAS_STEP_PARTS;
	if (a->kind == CANVAS_ANSWER_RECONNECT)
		canvas_answer_part(a, a->seq);
	return (CODE_OK);
}

static enum code
answer_fields(struct canvas_answer *a, const struct fetched_in *f)
{
	buf_clear(&a->page);
	a->used = 0;
	a->last = !f->more;
	a->missed = 0;
	a->seq = f->seq;
	if (buf_add_bytes(&a->page, f->entries) == -1)
		return (CODE_BUSY);
	return (answer_page(a));
}

static enum code
answer_record(struct canvas_answer *a, const struct fetched_in *f)
{
	struct bytes in = f->entries;
	struct entry e;

	if (entry_unpack(&in, &e) != 1)
		return (CODE_STORAGE);
	if (buf_add_bytes(&a->pulled, e.body) == -1)
		return (CODE_BUSY);
	if ((e.flags & ENTRY_BLOB) == 0)
		return (answer_patch(a));
	answer_pull(a, &e);
	return (CODE_OK);
}

static void
answer_ask(struct canvas_answer *a)
{
	conn_fetch(a->conn, 0, FETCH_FIELDS, a->after, 0, BYTES_NONE,
	    buf_bytes(&a->from));
}

/* Goes on in the page; where the next one begins is told by its last entry. */
static enum code
answer_page(struct canvas_answer *a)
{
	struct bytes all = buf_bytes(&a->page), in;
	struct entry e;
	enum code code;
	int r;

	for (;;) {
		in = bytes_skip(all, a->used);
		if ((r = entry_unpack(&in, &e)) != 1)
			break;
		a->used = all.n - in.n;
		a->after = e.seq - 1;
		a->key = e.key;
		buf_clear(&a->from);
		buf_add_bytes(&a->from, e.key);
		if ((e.flags & ENTRY_BLOB) != 0) {
			buf_clear(&a->pulled);
			answer_pull(a, &e);
			return (CODE_OK);
		}
		if ((code = answer_found(a, e.body)) != CODE_OK)
			return (code);
	}
	if (r == -1)
		return (CODE_STORAGE);
	if (a->last) {
		a->after = a->seq;
		buf_clear(&a->from);
	}
	if (a->last && !a->missed) {
		buf_free(&a->page);
		a->step = CANVAS_STEP_ROSTER;
		answer_ask_roster(a);
	} else {
		answer_ask(a);
	}
	return (CODE_OK);
}

static void
answer_pull(struct canvas_answer *a, const struct entry *e)
{
	a->pull = (struct pull){ .blob = e->blob, .size = e->size };
	pull_ask(&a->pull, a->conn, 0);
}

/* A component's blob that is gone was replaced: a later page has the new one.
 */
static enum code
answer_pulled(struct canvas_answer *a, const struct fetched_in *f)
{
	struct bytes slice;
	enum code code;

	if (pull_take(&a->pull, f, &slice) == -1) {
		a->pull.blob = 0;
		a->missed = 1;
		return (a->step == CANVAS_STEP_FIELDS ? answer_page(a)
						      : CODE_STORAGE);
	}
	if (buf_add_bytes(&a->pulled, slice) == -1)
		return (CODE_BUSY);
	if (pull_active(&a->pull)) {
		pull_ask(&a->pull, a->conn, 0);
		return (CODE_OK);
	}
	if (a->step == CANVAS_STEP_RECORD)
		return (answer_patch(a));
	code = answer_found(a, buf_bytes(&a->pulled));
	return (code != CODE_OK ? code : answer_page(a));
}

static enum code
answer_found(struct canvas_answer *a, struct bytes stored)
{
	return (canvas_parts_add(&a->parts, a->key, stored) == -1 ? CODE_STORAGE
								  : CODE_OK);
}

static enum code
answer_patch(struct canvas_answer *a)
{
	struct bytes items = buf_bytes(&a->pulled), client;

	buf_add_str(&a->frame, "{\"type\":\"patch\",\"clientId\":\"");
	if (list_next(&items, &client) != 1)
		return (CODE_STORAGE);
	buf_add_bytes(&a->frame, client);
	buf_add_str(&a->frame, "\",\"documentPatches\":");
	if (canvas_items_text(&a->frame, items) == -1)
		return (CODE_STORAGE);
	buf_printf(&a->frame, ",\"timestamp\":%llu}",
	    (unsigned long long)a->seq);
	if (a->frame.failed)
		return (CODE_BUSY);
	buf_free(&a->pulled);
	answer_send(a);
	return (CODE_OK);
}

static void
answer_send(struct canvas_answer *a)
{
	a->step = CANVAS_STEP_SEND;
	conn_begin(a->conn, WS_TEXT, a->frame.len);
	canvas_answer_run(a);
}

/* 1; 0: nothing changed; -1. */
static int
answer_components(struct canvas_answer *a, uint64_t upto)
{
	size_t start = a->frame.len;
	int r;

	buf_add_str(&a->frame, ",\"documentPatches\":[{");
	r = canvas_parts_text(&a->parts, &a->frame, a->since, upto);
	if (r == 1)
		buf_printf(&a->frame, "}],\"timestamp\":%llu",
		    (unsigned long long)upto);
	else
		buf_trunc(&a->frame, start);
	return (r);
}

static void
answer_sent(struct canvas_answer *a)
{
	if (a->kind == CANVAS_ANSWER_LEVEL && a->since < a->seq)
		a->step = CANVAS_STEP_PARTS;
	else
		answer_done(a);
}

/* Who was passed over may have missed the newest count, too. */
static void
answer_done(struct canvas_answer *a)
{
	char text[64];
	int n = 0;

	if (a->kind == CANVAS_ANSWER_RECONNECT)
		n = snprintf(text, sizeof(text),
		    "{\"type\":\"synced\",\"timestamp\":%llu}",
		    (unsigned long long)a->seq);
	else if (a->kind == CANVAS_ANSWER_LEVEL)
		n = snprintf(text, sizeof(text),
		    "{\"type\":\"clientCount\",\"count\":%llu}",
		    (unsigned long long)a->cards);
	if (n > 0)
		conn_send(a->conn, WS_TEXT, bytes_of(text, (size_t)n));
	conn_live(a->conn, a->seq);
	canvas_answer_free(a);
	a->step = CANVAS_STEP_IDLE;
}
