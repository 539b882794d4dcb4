/* Transit, read: the JSON scanner's tokens, codes resolved, marks taken off. */
#include "common/hex.h"
#include "worker/transit.h"

#define FLOAT_MAX 64 /* octets of a ~d */

/* Scalars that have a type of their own: ~, a letter, a text. */
struct read_mark {
	uint8_t letter;
	int (*read)(struct transit_reader *, struct transit *);
};

static int read_raw(struct transit_reader *, struct json *);
static int read_place(struct transit_reader *, struct transit *);
static int read_close(struct transit_reader *, struct transit *);
static int read_array(struct transit_reader *, struct transit *);
static int read_push(struct transit_reader *, struct transit *,
    enum transit_type);
static int read_code(struct transit_reader *, struct json *, int key);
static int read_value(struct transit_reader *, const struct json *,
    struct transit *);
static int read_number(struct transit_reader *, const struct json *,
    struct transit *);
static int read_string(struct transit_reader *, struct bytes raw,
    struct transit *);
static int read_text(struct transit_reader *, struct bytes raw, struct bytes *);
static int read_mark(struct transit_reader *, struct transit *);
static int read_name(struct transit_reader *, struct transit *);
static int read_uuid(struct transit_reader *, struct transit *);
static int read_integer(struct transit_reader *, struct transit *);
static int read_float(struct transit_reader *, struct transit *);
static int read_bool(struct transit_reader *, struct transit *);
static int read_null(struct transit_reader *, struct transit *);
static int read_refuse(struct transit_reader *, const char *);

static const struct read_mark read_marks[] = {
	{ ':', read_name },
	{ 'u', read_uuid },
	{ 'i', read_integer },
	{ 'm', read_integer },
	{ 'd', read_float },
	{ '?', read_bool },
	{ '_', read_null },
};

void
transit_reader_init(struct transit_reader *r, struct bytes text)
{
	json_scan_init(&r->scan, text, TRANSIT_DEPTH_MAX);
	transit_codes_init(&r->codes);
	r->depth = 0;
	r->pending.type = JSON_NONE;
	r->text = (struct buf)BUF_INIT;
	r->reason = NULL;
}

void
transit_reader_free(struct transit_reader *r)
{
	buf_free(&r->text);
}

int
transit_next(struct transit_reader *r, struct transit *t)
{
	int ahead = r->pending.type != JSON_NONE;
	struct json j = r->pending;
	int n;

	if (r->reason != NULL)
		return (-1);
	*t = (struct transit){ .type = TRANSIT_NULL };
	r->pending.type = JSON_NONE;
	if (!ahead && (n = read_raw(r, &j)) != 1)
		return (n);
	if (j.type == JSON_CLOSE)
		return (read_close(r, t));
	if (read_place(r, t) == -1)
		return (-1);
	if (j.type == JSON_ARRAY)
		return (read_array(r, t));
	if (!ahead && read_code(r, &j, t->key) == -1)
		return (-1);
	return (read_value(r, &j, t));
}

int
transit_skip(struct transit_reader *r, const struct transit *open)
{
	unsigned depth = r->depth;
	struct transit t;

	if (open->type < TRANSIT_ARRAY || open->type == TRANSIT_END)
		return (0);
	while (transit_next(r, &t) == 1)
		if (t.type == TRANSIT_END && r->depth < depth)
			return (0);
	return (-1);
}

int
transit_uuid(char out[TRANSIT_UUID_LEN], struct bytes text)
{
	size_t i;

	if (text.n != TRANSIT_UUID_LEN)
		return (-1);
	for (i = 0; i < TRANSIT_UUID_LEN; i++) {
		out[i] = (char)text.p[i];
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (out[i] != '-')
				return (-1);
		} else if (hex_digit(text.p[i]) == -1)
			return (-1);
		else if (out[i] >= 'A' && out[i] <= 'F')
			out[i] = (char)(out[i] - 'A' + 'a');
	}
	return (0);
}

static int
read_raw(struct transit_reader *r, struct json *j)
{
	int n = json_scan_next(&r->scan, j);

	if (n == -1)
		return (read_refuse(r, r->scan.report.reason));
	if (n == 1 && j->type == JSON_OBJECT)
		return (read_refuse(r, "an object"));
	return (n);
}

/* What the place of the next value says of it. */
static int
read_place(struct transit_reader *r, struct transit *t)
{
	struct transit_level *l;

	if (r->depth == 0)
		return (0);
	l = &r->level[r->depth - 1];
	if (l->type == TRANSIT_TAG && l->n == 1)
		return (read_refuse(r, "a tag with two values"));
	t->key = l->type == TRANSIT_MAP && l->n % 2 == 0;
	l->n++;
	return (0);
}

static int
read_close(struct transit_reader *r, struct transit *t)
{
	const struct transit_level *l = &r->level[--r->depth];

	if (l->type == TRANSIT_MAP && l->n % 2 != 0)
		return (read_refuse(r, "a key without a value"));
	if (l->type == TRANSIT_TAG && l->n != 1)
		return (read_refuse(r, "a tag without a value"));
	t->type = TRANSIT_END;
	return (1);
}

/* What an array is, its first string says. */
static int
read_array(struct transit_reader *r, struct transit *t)
{
	struct json j;

	if (t->key)
		return (read_refuse(r, "a key that is no scalar"));
	if (read_raw(r, &j) != 1 || read_code(r, &j, 0) == -1)
		return (-1);
	if (j.type == JSON_STRING && bytes_eq(j.text, BYTES_LIT("^ ")))
		return (read_push(r, t, TRANSIT_MAP));
	if (j.type == JSON_STRING && bytes_start(j.text, BYTES_LIT("~#"))) {
		if (read_text(r, bytes_skip(j.text, 2), &t->text) == -1)
			return (-1);
		return (read_push(r, t, TRANSIT_TAG));
	}
	r->pending = j;
	return (read_push(r, t, TRANSIT_ARRAY));
}

static int
read_push(struct transit_reader *r, struct transit *t, enum transit_type type)
{
	/* The scanner has refused what is deeper. */
	r->level[r->depth++] = (struct transit_level){ (uint8_t)type, 0 };
	t->type = type;
	return (1);
}

/* A string becomes what is between its quotes, or what its code stands for. */
static int
read_code(struct transit_reader *r, struct json *j, int key)
{
	if (j->type != JSON_STRING)
		return (0);
	j->text = json_raw(j);
	if (transit_codes_read(&r->codes, &j->text, key) == -1)
		return (read_refuse(r, "an unknown code"));
	return (0);
}

static int
read_value(struct transit_reader *r, const struct json *j, struct transit *t)
{
	switch (j->type) {
	case JSON_STRING:
		return (read_string(r, j->text, t));
	case JSON_NUMBER:
		return (read_number(r, j, t));
	case JSON_NULL:
		t->type = TRANSIT_NULL;
		return (1);
	default:
		t->type = TRANSIT_BOOL;
		t->i = j->type == JSON_TRUE;
		return (1);
	}
}

/* Clients have one kind of number: 1.0 is 1. */
static int
read_number(struct transit_reader *r, const struct json *j, struct transit *t)
{
	t->type = TRANSIT_INT;
	if (json_int64(j, &t->i) == 0 || json_safe_int(j, &t->i) == 0)
		return (1);
	t->type = TRANSIT_FLOAT;
	if (json_double(j, &t->d) == -1)
		return (read_refuse(r, "a number too large"));
	if (memchr(j->text.p, '.', j->text.n) == NULL &&
	    memchr(j->text.p, 'e', j->text.n) == NULL &&
	    memchr(j->text.p, 'E', j->text.n) == NULL)
		return (read_refuse(r, "an integer too large"));
	return (1);
}

/* "~~", "~^" and "~`" are strings that begin so. */
static int
read_string(struct transit_reader *r, struct bytes raw, struct transit *t)
{
	if (read_text(r, raw, &t->text) == -1)
		return (-1);
	t->type = TRANSIT_STRING;
	if (t->text.n > 0 && t->text.p[0] == '^')
		return (read_refuse(r, "a code out of place"));
	if (t->text.n == 0 || t->text.p[0] != '~')
		return (1);
	if (t->text.n == 1 || t->text.p[1] == '#' || t->text.p[1] == '\0')
		return (read_refuse(r, "a mark without a meaning"));
	if (strchr("~^`", t->text.p[1]) != NULL) {
		t->text = bytes_skip(t->text, 1);
		return (1);
	}
	return (read_mark(r, t));
}

static int
read_text(struct transit_reader *r, struct bytes raw, struct bytes *text)
{
	*text = raw;
	if (json_raw_plain(raw))
		return (0);
	buf_clear(&r->text);
	if (json_raw_append(&r->text, raw) == -1)
		return (read_refuse(r, "no memory"));
	*text = buf_bytes(&r->text);
	return (0);
}

static int
read_mark(struct transit_reader *r, struct transit *t)
{
	size_t i;

	t->type = TRANSIT_SCALAR;
	t->letter = t->text.p[1];
	t->text = bytes_skip(t->text, 2);
	for (i = 0; i < sizeof(read_marks) / sizeof(*read_marks); i++)
		if (read_marks[i].letter == t->letter) {
			if (read_marks[i].read(r, t) == 0)
				return (1);
			return (read_refuse(r, "a mark with a wrong text"));
		}
	return (1);
}

static int
read_name(struct transit_reader *r, struct transit *t)
{
	(void)r;
	t->type = TRANSIT_KEYWORD;
	return (t->text.n > 0 ? 0 : -1);
}

static int
read_uuid(struct transit_reader *r, struct transit *t)
{
	if (transit_uuid(r->uuid, t->text) == -1)
		return (-1);
	t->type = TRANSIT_UUID;
	t->text = bytes_of(r->uuid, TRANSIT_UUID_LEN);
	return (0);
}

static int
read_integer(struct transit_reader *r, struct transit *t)
{
	struct json digits = { JSON_NUMBER, t->text };

	(void)r;
	if (t->text.n == 0 || t->text.p[t->text.n - 1] == '-' ||
	    json_int64(&digits, &t->i) == -1)
		return (-1);
	t->type = t->letter == 'i' ? TRANSIT_INT : TRANSIT_INSTANT;
	return (0);
}

static int
read_float(struct transit_reader *r, struct transit *t)
{
	struct json_report report;
	struct json j;

	(void)r;
	if (t->text.n > FLOAT_MAX ||
	    json_parse(&j, t->text, 0, &report) == -1 ||
	    json_double(&j, &t->d) == -1)
		return (-1);
	t->type = TRANSIT_FLOAT;
	if (json_safe_int(&j, &t->i) == 0)
		t->type = TRANSIT_INT;
	return (0);
}

static int
read_bool(struct transit_reader *r, struct transit *t)
{
	(void)r;
	if (t->text.n != 1 || (t->text.p[0] != 't' && t->text.p[0] != 'f'))
		return (-1);
	t->type = TRANSIT_BOOL;
	t->i = t->text.p[0] == 't';
	return (0);
}

static int
read_null(struct transit_reader *r, struct transit *t)
{
	(void)r;
	t->type = TRANSIT_NULL;
	return (t->text.n == 0 ? 0 : -1);
}

static int
read_refuse(struct transit_reader *r, const char *reason)
{
	r->reason = reason;
	return (-1);
}
