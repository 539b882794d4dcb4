/* Transit, written: marks put on, codes where the text has a cache. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "worker/transit.h"

/* Numbers that every client holds exactly; the others go as text. */
#define WRITE_SAFE ((int64_t)1 << 53)

static void write_place(struct transit_writer *, int *key);
static void write_end(struct transit_writer *);
static void write_open(struct transit_writer *, const struct transit *);
static void write_scalar(struct transit_writer *, const struct transit *,
    int key);
static void write_word(struct transit_writer *, int key, const char *word,
    const char *mark);
static void write_integer(struct transit_writer *, int key,
    const struct transit *);
static void write_double(struct transit_writer *, int key, double);
static const char *write_escape(struct bytes);
static void write_marked(struct transit_writer *, int key, const char *mark,
    struct bytes);

void
transit_writer_init(struct transit_writer *w, struct buf *out,
    struct transit_cache *cache)
{
	w->out = out;
	w->cache = cache;
	w->depth = 0;
	w->text = (struct buf)BUF_INIT;
	w->failed = 0;
	if (cache != NULL)
		transit_cache_clear(cache);
}

int
transit_writer_done(struct transit_writer *w)
{
	int failed = w->failed || w->depth != 0 || w->out->failed ||
	    w->text.failed || (w->cache != NULL && w->cache->text.failed);

	buf_free(&w->text);
	return (failed ? -1 : 0);
}

void
transit_write(struct transit_writer *w, const struct transit *t)
{
	int key;

	if (t->type == TRANSIT_END) {
		write_end(w);
		return;
	}
	write_place(w, &key);
	if (t->type >= TRANSIT_ARRAY)
		write_open(w, t);
	else
		write_scalar(w, t, key);
}

void
transit_open(struct transit_writer *w, enum transit_type type)
{
	struct transit t = { .type = type };

	transit_write(w, &t);
}

void
transit_close(struct transit_writer *w)
{
	write_end(w);
}

void
transit_write_int(struct transit_writer *w, int64_t i)
{
	struct transit t = { .type = TRANSIT_INT, .i = i };

	transit_write(w, &t);
}

void
transit_write_text(struct transit_writer *w, enum transit_type type,
    struct bytes text)
{
	struct transit t = { .type = type, .text = text };

	transit_write(w, &t);
}

int
transit_copy(struct transit_reader *r, const struct transit *first,
    struct buf *out)
{
	struct transit_writer w;
	struct transit t = *first;
	int n = 1;

	transit_writer_init(&w, out, NULL);
	do
		transit_write(&w, &t);
	while (w.depth > 0 && (n = transit_next(r, &t)) == 1);
	return (transit_writer_done(&w) == -1 || n != 1 ? -1 : 0);
}

static void
write_place(struct transit_writer *w, int *key)
{
	struct transit_level *l;

	*key = 0;
	if (w->depth == 0)
		return;
	l = &w->level[w->depth - 1];
	*key = l->type == TRANSIT_MAP && l->n % 2 == 0;
	/* The mark of a map or tag is an element that n does not count. */
	if (l->n++ > 0 || l->type != TRANSIT_ARRAY)
		buf_add_u8(w->out, ',');
}

static void
write_end(struct transit_writer *w)
{
	if (w->depth == 0) {
		w->failed = 1;
		return;
	}
	w->depth--;
	buf_add_u8(w->out, ']');
}

static void
write_open(struct transit_writer *w, const struct transit *t)
{
	if (w->depth == TRANSIT_DEPTH_MAX) {
		w->failed = 1;
		return;
	}
	w->level[w->depth++] = (struct transit_level){ (uint8_t)t->type, 0 };
	buf_add_u8(w->out, '[');
	if (t->type == TRANSIT_MAP)
		buf_add_str(w->out, "\"^ \"");
	if (t->type == TRANSIT_TAG)
		write_marked(w, 0, "~#", t->text);
}

static void
write_scalar(struct transit_writer *w, const struct transit *t, int key)
{
	const char mark[3] = { '~', (char)t->letter, '\0' };

	switch (t->type) {
	case TRANSIT_NULL:
		write_word(w, key, "null", "~_");
		break;
	case TRANSIT_BOOL:
		write_word(w, key, t->i ? "true" : "false",
		    t->i ? "~?t" : "~?f");
		break;
	case TRANSIT_INT:
	case TRANSIT_INSTANT:
		write_integer(w, key, t);
		break;
	case TRANSIT_FLOAT:
		write_double(w, key, t->d);
		break;
	case TRANSIT_STRING:
		write_marked(w, key, write_escape(t->text), t->text);
		break;
	case TRANSIT_KEYWORD:
		write_marked(w, key, "~:", t->text);
		break;
	case TRANSIT_UUID:
		write_marked(w, key, "~u", t->text);
		break;
	default:
		write_marked(w, key, mark, t->text);
		break;
	}
}

/* JSON's word, or where only a string may stand the mark for it. */
static void
write_word(struct transit_writer *w, int key, const char *word,
    const char *mark)
{
	if (key)
		write_marked(w, key, mark, BYTES_NONE);
	else
		buf_add_str(w->out, word);
}

static void
write_integer(struct transit_writer *w, int key, const struct transit *t)
{
	char digits[32];

	(void)snprintf(digits, sizeof(digits), "%" PRId64, t->i);
	if (t->type == TRANSIT_INSTANT)
		write_marked(w, key, "~m", bytes_str(digits));
	else if (key || t->i > WRITE_SAFE || t->i < -WRITE_SAFE)
		write_marked(w, key, "~i", bytes_str(digits));
	else
		buf_add_str(w->out, digits);
}

/* The fewest digits that read back as the same. */
static void
write_double(struct transit_writer *w, int key, double d)
{
	char digits[40];
	int n;

	for (n = 15; n <= 17; n++) {
		(void)snprintf(digits, sizeof(digits), "%.*g", n, d);
		if (strtod(digits, NULL) == d)
			break;
	}
	/* An integer beyond the exact ones must not look like one. */
	if (strpbrk(digits, ".e") == NULL)
		(void)snprintf(digits, sizeof(digits), "%.17e", d);
	if (key)
		write_marked(w, key, "~d", bytes_str(digits));
	else
		buf_add_str(w->out, digits);
}

static const char *
write_escape(struct bytes text)
{
	if (text.n > 0 &&
	    (text.p[0] == '~' || text.p[0] == '^' || text.p[0] == '`'))
		return ("~");
	return ("");
}

static void
write_marked(struct transit_writer *w, int key, const char *mark,
    struct bytes text)
{
	char code[TRANSIT_CODE_MAX];
	size_t n = 0;

	buf_clear(&w->text);
	buf_add_str(&w->text, mark);
	buf_add_bytes(&w->text, text);
	if (w->cache != NULL)
		n = transit_cache_write(w->cache, buf_bytes(&w->text), key,
		    code);
	if (n > 0) {
		buf_add_u8(w->out, '"');
		buf_add(w->out, code, n);
		buf_add_u8(w->out, '"');
	} else if (json_quote(w->out, buf_bytes(&w->text)) == -1)
		w->failed = 1;
}
