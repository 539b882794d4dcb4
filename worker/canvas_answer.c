/*
 * The answer as steps.  While it is gathered the room goes on: a component that
 * changes moves to the end of the index, so it is met again, and the number of
 * the last page is the number of the whole.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/canvas.h"
#include "worker/canvas_answer.h"
#include "worker/canvas_presence.h"

struct canvas_found {
	struct canvas_order order;
	size_t place; /* in the order they were fetched */
	size_t off, n;
};

static void answer_begin(struct canvas_answer *);
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
static int answer_sort(const void *, const void *);
static void answer_frame(struct canvas_answer *);
static void answer_components(struct canvas_answer *);
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
	buf_free(&a->text);
	buf_free(&a->present);
	buf_free(&a->frame);
	free(a->found);
	a->found = NULL;
	a->nfound = a->cap = 0;
}

void
canvas_answer_reconnect(struct canvas_answer *a, uint64_t since)
{
	answer_begin(a);
	a->step = CANVAS_STEP_ROSTER;
	a->synced = 1;
	a->since = a->after = since;
	conn_fetch(a->conn, 0, FETCH_ROSTER, 0, 0, BYTES_NONE, BYTES_NONE);
}

void
canvas_answer_record(struct canvas_answer *a, uint64_t seq)
{
	answer_begin(a);
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
		answer_done(a);
}

static void
answer_begin(struct canvas_answer *a)
{
	struct conn *c = a->conn;
	struct bytes client = a->client;

	canvas_answer_free(a);
	canvas_answer_init(a, c, client);
	conn_pause(c);
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
		conn_fetch(a->conn, 0, FETCH_ROSTER, a->cards, 0, BYTES_NONE,
		    BYTES_NONE);
		return (CODE_OK);
	}
	a->step = CANVAS_STEP_FIELDS;
	answer_ask(a);
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
	if (a->last && !a->missed)
		answer_frame(a);
	else
		answer_ask(a);
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
	struct canvas_found *grown,
	    found = { .place = a->nfound, .off = a->text.len };
	struct bytes in = stored;
	size_t cap;

	if (a->nfound == a->cap) {
		cap = a->cap == 0 ? 64 : a->cap * 2;
		if ((grown = realloc(a->found, cap * sizeof(*grown))) == NULL)
			return (CODE_BUSY);
		a->found = grown;
		a->cap = cap;
	}
	if (canvas_order_take(&in, &found.order) == -1 ||
	    canvas_component_text(&a->text, a->key, stored, a->since) == -1)
		return (CODE_STORAGE);
	found.n = a->text.len - found.off;
	if (found.n > 0)
		a->found[a->nfound++] = found;
	return (CODE_OK);
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
	a->step = CANVAS_STEP_SEND;
	conn_begin(a->conn, WS_TEXT, a->frame.len);
	canvas_answer_run(a);
	return (CODE_OK);
}

/* By age, and of one that was met twice the newer first. */
static int
answer_sort(const void *va, const void *vb)
{
	const struct canvas_found *a = va, *b = vb;

	if (a->order.stamp != b->order.stamp)
		return (a->order.stamp < b->order.stamp ? -1 : 1);
	if (a->order.place != b->order.place)
		return (a->order.place < b->order.place ? -1 : 1);
	return ((a->place < b->place) - (a->place > b->place));
}

static void
answer_frame(struct canvas_answer *a)
{
	buf_free(&a->page);
	a->step = CANVAS_STEP_SEND;
	if (a->nfound + a->present.len == 0) {
		answer_done(a);
		return;
	}
	buf_add_str(&a->frame, "{\"type\":\"patch\",\"clientId\":\"\"");
	if (a->nfound > 0)
		answer_components(a);
	if (a->present.len > 0) {
		buf_add_str(&a->frame, ",\"ephemeralPatches\":[{");
		buf_add_bytes(&a->frame, buf_bytes(&a->present));
		buf_add_str(&a->frame, "}]");
	}
	buf_add_u8(&a->frame, '}');
	if (a->frame.failed) {
		conn_drop(a->conn);
		return;
	}
	conn_begin(a->conn, WS_TEXT, a->frame.len);
	canvas_answer_run(a);
}

static void
answer_components(struct canvas_answer *a)
{
	const struct canvas_found *f, *before = NULL;
	size_t i;

	qsort(a->found, a->nfound, sizeof(*a->found), answer_sort);
	buf_add_str(&a->frame, ",\"documentPatches\":[{");
	for (i = 0; i < a->nfound; i++) {
		f = &a->found[i];
		if (before != NULL && before->order.stamp == f->order.stamp &&
		    before->order.place == f->order.place)
			continue;
		if (before != NULL)
			buf_add_u8(&a->frame, ',');
		buf_add(&a->frame, buf_bytes(&a->text).p + f->off, f->n);
		before = f;
	}
	buf_printf(&a->frame, "}],\"timestamp\":%llu",
	    (unsigned long long)a->seq);
	buf_free(&a->text);
}

static void
answer_done(struct canvas_answer *a)
{
	char text[64];
	int n;

	if (a->synced) {
		n = snprintf(text, sizeof(text),
		    "{\"type\":\"synced\",\"timestamp\":%llu}",
		    (unsigned long long)a->seq);
		conn_send(a->conn, WS_TEXT, bytes_of(text, (size_t)n));
	}
	conn_live(a->conn, a->seq);
	canvas_answer_free(a);
	a->step = CANVAS_STEP_IDLE;
}
