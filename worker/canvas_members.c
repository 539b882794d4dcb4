/* Duplicates are found by sorting: an object may have 100,000 members. */
#include <stdlib.h>

#include "common/wire.h"
#include "worker/canvas_members.h"

static void members_forget(struct canvas_members *);
static int members_add(struct canvas_members *, struct bytes raw,
    const struct json *);
static int members_name(struct canvas_member *, struct bytes raw);
static int members_unique(struct canvas_members *);
static int members_compare(const void *, const void *);
static int text_value(struct buf *, const struct json *);
static int text_token(struct buf *, const struct json *);
static int text_number(struct buf *, const struct json *);

int
canvas_members_read(struct canvas_members *m, const struct json *object)
{
	struct json_iter it;
	struct json value;
	struct bytes raw;

	members_forget(m);
	json_iter_init(&it, object);
	while (json_iter_next(&it, &raw, &value))
		if (members_add(m, raw, &value) == -1)
			return (-1);
	return (m->n < 2 ? 0 : members_unique(m));
}

void
canvas_members_free(struct canvas_members *m)
{
	members_forget(m);
	free(m->v);
	*m = (struct canvas_members){ 0 };
}

int
canvas_text_raw(struct buf *b, struct bytes raw)
{
	struct buf plain = BUF_INIT, quoted = BUF_INIT;

	if (json_raw_plain(raw))
		return (buf_add_bytes(b, raw));
	json_raw_append(&plain, raw);
	if (plain.failed || json_quote(&quoted, buf_bytes(&plain)) == -1)
		b->failed = 1;
	else
		buf_add(b, buf_bytes(&quoted).p + 1, quoted.len - 2);
	buf_free(&plain);
	buf_free(&quoted);
	return (b->failed ? -1 : 0);
}

static int
text_value(struct buf *b, const struct json *v)
{
	struct json_scan scan;
	struct json token;
	int comma = 0;

	if (v->type != JSON_ARRAY && v->type != JSON_OBJECT)
		return (text_token(b, v));
	json_scan_init(&scan, v->text, JSON_DEPTH_MAX);
	while (json_scan_next(&scan, &token) == 1) {
		if (comma && token.type != JSON_CLOSE)
			buf_add_u8(b, ',');
		text_token(b, &token);
		comma = token.type != JSON_KEY && token.type != JSON_ARRAY &&
		    token.type != JSON_OBJECT;
	}
	return (b->failed ? -1 : 0);
}

int
canvas_text_field(struct buf *b, const struct json *v)
{
	struct buf text = BUF_INIT;
	struct json_iter it;
	struct json e;

	if (v->type != JSON_ARRAY)
		return (text_value(b, v));
	json_iter_init(&it, v);
	while (json_iter_next(&it, NULL, &e)) {
		buf_clear(&text);
		if (text_value(&text, &e) == -1)
			b->failed = 1;
		list_add(b, buf_bytes(&text));
	}
	buf_free(&text);
	return (b->failed ? -1 : 0);
}

static void
members_forget(struct canvas_members *m)
{
	while (m->n > 0)
		free(m->v[--m->n].own);
}

static int
members_add(struct canvas_members *m, struct bytes raw,
    const struct json *value)
{
	struct canvas_member *grown, *it;
	size_t cap;

	if (m->n == m->cap) {
		cap = m->cap == 0 ? 16 : m->cap * 2;
		if ((grown = realloc(m->v, cap * sizeof(*grown))) == NULL)
			return (-1);
		m->v = grown;
		m->cap = cap;
	}
	it = &m->v[m->n];
	*it = (struct canvas_member){ .value = *value, .place = m->n };
	if (members_name(it, raw) == -1)
		return (-1);
	m->n++;
	return (0);
}

static int
members_name(struct canvas_member *it, struct bytes raw)
{
	struct buf b = BUF_INIT;

	it->name = raw;
	if (json_raw_plain(raw))
		return (0);
	if (canvas_text_raw(&b, raw) == -1) {
		buf_free(&b);
		return (-1);
	}
	it->own = b.mem;
	it->name = buf_bytes(&b);
	return (0);
}

static int
members_unique(struct canvas_members *m)
{
	struct canvas_member **by, *first;
	size_t i;

	if ((by = malloc(m->n * sizeof(struct canvas_member *))) == NULL)
		return (-1);
	for (i = 0; i < m->n; i++)
		by[i] = &m->v[i];
	qsort(by, m->n, sizeof(*by), members_compare);
	for (first = by[0], i = 1; i < m->n; i++) {
		if (!bytes_eq(first->name, by[i]->name)) {
			first = by[i];
			continue;
		}
		first->value = by[i]->value;
		by[i]->gone = 1;
	}
	free(by);
	return (0);
}

static int
members_compare(const void *va, const void *vb)
{
	const struct canvas_member *a = *(struct canvas_member *const *)va;
	const struct canvas_member *b = *(struct canvas_member *const *)vb;
	int c = bytes_cmp(a->name, b->name);

	return (c != 0 ? c : (a->place > b->place) - (a->place < b->place));
}

static int
text_token(struct buf *b, const struct json *t)
{
	if (t->type == JSON_NUMBER)
		return (text_number(b, t));
	if (t->type != JSON_STRING && t->type != JSON_KEY)
		return (buf_add_bytes(b, t->text));
	buf_add_u8(b, '"');
	canvas_text_raw(b, json_raw(t));
	return (buf_add_str(b, t->type == JSON_KEY ? "\":" : "\""));
}

static int
text_number(struct buf *b, const struct json *t)
{
	double d;

	/* Without an exponent it takes 309 digits to get there. */
	if (t->text.n > 300 || memchr(t->text.p, 'e', t->text.n) != NULL ||
	    memchr(t->text.p, 'E', t->text.n) != NULL)
		if (json_double(t, &d) == -1)
			return (buf_add_str(b, "null"));
	return (buf_add_bytes(b, t->text));
}
