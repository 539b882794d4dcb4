/*
 * The scanner: a text that a stranger wrote, looked at once and checked.
 */
#include "common/utf8.h"
#include "common/json_inside.h"

enum json_state {
	SCAN_VALUE, /* a value must come */
	SCAN_KEY,   /* a key must come */
	SCAN_FIRST, /* behind an opening bracket */
	SCAN_AFTER, /* behind a value in a container */
	SCAN_DONE,  /* behind the outermost value */
};

static int scan_all(struct json_scan *, struct json *);
static size_t scan_end(struct json_scan *);
static int scan_blank(struct json_scan *);
static int scan_in_object(const struct json_scan *);
static int scan_key(struct json_scan *, int, struct json *);
static int scan_value(struct json_scan *, int, struct json *);
static int scan_open(struct json_scan *, int, struct json *);
static int scan_close(struct json_scan *, int, struct json *);
static int scan_word(struct json_scan *, enum json_type, struct json *);
static int scan_number(struct json_scan *, struct json *);
static size_t scan_digits(struct json_scan *);
static int scan_peek(const struct json_scan *, const char *);
static int scan_string(struct json_scan *);
static int scan_special(struct json_scan *);
static void scan_emit(struct json_scan *, struct json *, enum json_type,
    size_t);
static int scan_refuse(struct json_scan *, const char *);
static size_t scan_run(struct bytes);

static const struct bytes scan_words[] = {
	[JSON_NULL] = { (const uint8_t *)"null", 4 },
	[JSON_FALSE] = { (const uint8_t *)"false", 5 },
	[JSON_TRUE] = { (const uint8_t *)"true", 4 },
};

int
json_parse(struct json *v, struct bytes text, unsigned depth_max,
    struct json_report *report)
{
	struct json_scan s;
	int rc;

	json_scan_init(&s, text, depth_max);
	rc = scan_all(&s, v);
	*report = s.report;
	return (rc);
}

int
json_parse_resting(struct json *v, struct bytes text, unsigned depth_max,
    struct json_report *report, json_rest *rest, void *arg)
{
	struct json_scan s;
	int rc;

	json_scan_init(&s, text, depth_max);
	s.rest = rest;
	s.rest_arg = arg;
	s.rest_at = JSON_REST_OCTETS;
	rc = scan_all(&s, v);
	*report = s.report;
	return (rc);
}

void
json_scan_init(struct json_scan *s, struct bytes text, unsigned depth_max)
{
	/* A bit of objects is set before it is read. */
	s->in = text;
	s->depth_max = depth_max > JSON_DEPTH_MAX ? JSON_DEPTH_MAX : depth_max;
	s->report = (struct json_report){ 0 };
	s->depth = s->floor = 0;
	s->state = SCAN_VALUE;
	s->rest = NULL;
	s->rest_at = SIZE_MAX;
}

void
json_scan_members(struct json_scan *s, struct bytes text, unsigned depth_max)
{
	json_scan_init(s, text, depth_max);
	s->depth = s->floor = 1;
	s->objects[0] = 1;
	s->state = SCAN_FIRST;
}

int
json_scan_next(struct json_scan *s, struct json *t)
{
	int c;

	if (s->report.reason != NULL)
		return (-1);
	(void)scan_end(s);
	c = scan_blank(s);
	if (s->state == SCAN_DONE)
		return (c == -1 ? 0 : scan_refuse(s, "text behind the value"));
	if (c == -1 && s->depth == s->floor &&
	    (s->state == SCAN_AFTER || s->state == SCAN_FIRST))
		return (0);
	if (s->state == SCAN_AFTER && c != ',')
		return (scan_close(s, c, t));
	if (s->state == SCAN_FIRST && (c == '}' || c == ']'))
		return (scan_close(s, c, t));
	if (s->state == SCAN_AFTER) {
		s->report.at++;
		c = scan_blank(s);
	}
	if (s->state != SCAN_VALUE)
		s->state = scan_in_object(s) ? SCAN_KEY : SCAN_VALUE;
	if (s->state == SCAN_KEY)
		return (scan_key(s, c, t));
	return (scan_value(s, c, t));
}

int
json_raw_ok(struct bytes raw)
{
	struct json_scan s;

	json_scan_init(&s, raw, 0);
	for (;;) {
		s.report.at += scan_run(bytes_skip(raw, s.report.at));
		if (s.report.at >= raw.n)
			return (1);
		if (raw.p[s.report.at] == '"' || scan_special(&s) == -1)
			return (0);
	}
}

static int
scan_all(struct json_scan *s, struct json *v)
{
	const uint8_t *end = NULL;
	struct json t;
	int rc;

	*v = (struct json){ JSON_NONE, BYTES_NONE };
	while ((rc = json_scan_next(s, &t)) == 1) {
		if (v->type == JSON_NONE)
			*v = t;
		end = t.text.p + t.text.n;
	}
	if (rc == -1)
		*v = (struct json){ JSON_NONE, BYTES_NONE };
	else
		v->text.n = (size_t)(end - v->text.p);
	return (rc);
}

/* How far to go before others have their turn; they have it here. */
static size_t
scan_end(struct json_scan *s)
{
	if (s->report.at >= s->rest_at) {
		s->rest(s->rest_arg);
		s->rest_at = s->report.at + JSON_REST_OCTETS;
	}
	return (s->in.n < s->rest_at ? s->in.n : s->rest_at);
}

/* Skips blanks: the octet behind them, or -1 at the end. */
static int
scan_blank(struct json_scan *s)
{
	uint8_t c;

	while (s->report.at < s->in.n) {
		c = s->in.p[s->report.at];
		if (c > ' ' ||
		    (c != ' ' && c != '\t' && c != '\r' && c != '\n'))
			return (c);
		s->report.at++;
	}
	return (-1);
}

static int
scan_in_object(const struct json_scan *s)
{
	unsigned level = s->depth - 1;

	return ((int)(s->objects[level / 64] >> level % 64 & 1));
}

/* A key with its colon, which the token leaves out. */
static int
scan_key(struct json_scan *s, int c, struct json *t)
{
	size_t start = s->report.at;

	if (c != '"')
		return (scan_refuse(s, "member name expected"));
	if (scan_string(s) == -1)
		return (-1);
	scan_emit(s, t, JSON_KEY, start);
	if (scan_blank(s) != ':')
		return (scan_refuse(s, "colon expected"));
	s->report.at++;
	s->state = SCAN_VALUE;
	return (1);
}

static int
scan_value(struct json_scan *s, int c, struct json *t)
{
	size_t start = s->report.at;
	enum json_type type;

	if (c == -1)
		return (scan_refuse(s, "text is cut off"));
	switch (type = json_type_of((uint8_t)c)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return (scan_open(s, c, t));
	case JSON_STRING:
		if (scan_string(s) == -1)
			return (-1);
		scan_emit(s, t, JSON_STRING, start);
		return (1);
	case JSON_NUMBER:
		return (scan_number(s, t));
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		return (scan_word(s, type, t));
	default:
		return (scan_refuse(s, "value expected"));
	}
}

static int
scan_open(struct json_scan *s, int c, struct json *t)
{
	uint64_t bit = (uint64_t)1 << s->depth % 64;
	uint64_t *level = &s->objects[s->depth / 64];

	if (s->depth == s->depth_max)
		return (scan_refuse(s, "nested too deeply"));
	*level = c == '{' ? *level | bit : *level & ~bit;
	if (++s->depth > s->report.depth)
		s->report.depth = s->depth;
	s->report.at++;
	scan_emit(s, t, c == '{' ? JSON_OBJECT : JSON_ARRAY, s->report.at - 1);
	s->state = SCAN_FIRST;
	return (1);
}

static int
scan_close(struct json_scan *s, int c, struct json *t)
{
	if (c == -1)
		return (scan_refuse(s, "text is cut off"));
	if (s->depth == s->floor)
		return (scan_refuse(s, "text behind the members"));
	if (c != (scan_in_object(s) ? '}' : ']'))
		return (scan_refuse(s, "comma or bracket expected"));
	s->depth--;
	s->report.at++;
	scan_emit(s, t, JSON_CLOSE, s->report.at - 1);
	return (1);
}

static int
scan_word(struct json_scan *s, enum json_type type, struct json *t)
{
	struct bytes word = scan_words[type];
	size_t start = s->report.at;

	if (!bytes_start(bytes_skip(s->in, start), word))
		return (scan_refuse(s, "value expected"));
	s->report.at += word.n;
	scan_emit(s, t, type, start);
	return (1);
}

static int
scan_number(struct json_scan *s, struct json *t)
{
	size_t start = s->report.at;
	int power = 0;
	double d;

	s->report.at += (size_t)scan_peek(s, "-");
	if (scan_peek(s, "0"))
		s->report.at++;
	else if (scan_digits(s) == 0)
		return (scan_refuse(s, "malformed number"));
	if (scan_peek(s, ".")) {
		s->report.at++;
		if (scan_digits(s) == 0)
			return (scan_refuse(s, "malformed number"));
	}
	if (scan_peek(s, "eE")) {
		power = 1;
		s->report.at++;
		s->report.at += (size_t)scan_peek(s, "+-");
		if (scan_digits(s) == 0)
			return (scan_refuse(s, "malformed number"));
	}
	scan_emit(s, t, JSON_NUMBER, start);
	/* Without a power it takes 309 digits to leave the doubles. */
	if (s->rest == NULL && (power || t->text.n > 308) &&
	    json_double(t, &d) == -1)
		s->report.flags |= JSON_HAS_HUGE;
	return (1);
}

static size_t
scan_digits(struct json_scan *s)
{
	size_t start = s->report.at, at = start;

	while (at < s->in.n && s->in.p[at] >= '0' && s->in.p[at] <= '9')
		at++;
	s->report.at = at;
	return (at - start);
}

/* Whether the next octet is one of these. */
static int
scan_peek(const struct json_scan *s, const char *set)
{
	for (; *set != '\0'; set++)
		if (s->report.at < s->in.n &&
		    s->in.p[s->report.at] == (uint8_t)*set)
			return (1);
	return (0);
}

/* From one quote to behind the other. */
static int
scan_string(struct json_scan *s)
{
	size_t end;

	s->report.at++;
	for (;;) {
		end = scan_end(s);
		s->report.at += scan_run(
		    bytes_of(s->in.p + s->report.at, end - s->report.at));
		if (s->report.at >= s->in.n)
			return (scan_refuse(s, "text is cut off"));
		if (s->report.at >= end)
			continue;
		if (s->in.p[s->report.at] == '"')
			break;
		if (scan_special(s) == -1)
			return (-1);
	}
	s->report.at++;
	return (0);
}

/* In a string: an escape, a character beyond ASCII, or a control one. */
static int
scan_special(struct json_scan *s)
{
	struct bytes in = bytes_skip(s->in, s->report.at);
	uint32_t cp;
	int n;

	if (in.p[0] < 0x20)
		return (scan_refuse(s, "control character in string"));
	if (in.p[0] == '\\') {
		if ((n = json_escape(in, &cp)) == -1)
			return (scan_refuse(s, "malformed escape"));
		if (cp >= 0xd800 && cp <= 0xdfff)
			s->report.flags |= JSON_HAS_LONE;
		s->report.at += (size_t)n;
		return (0);
	}
	/* Text that is not ASCII seldom is so for one character only. */
	while (in.n > 0 && in.p[0] >= 0x80 && s->report.at < s->rest_at) {
		if ((n = utf8_seq(in)) <= 0)
			return (scan_refuse(s, "invalid UTF-8"));
		s->report.at += (size_t)n;
		in = bytes_skip(in, (size_t)n);
	}
	return (0);
}

static void
scan_emit(struct json_scan *s, struct json *t, enum json_type type,
    size_t start)
{
	t->type = type;
	t->text = bytes_of(s->in.p + start, s->report.at - start);
	s->state = s->depth == 0 ? SCAN_DONE : SCAN_AFTER;
}

static int
scan_refuse(struct json_scan *s, const char *reason)
{
	s->report.reason = reason;
	return (-1);
}

/*
 * The run of octets a string may hold as they are: ASCII from the blank up, no
 * quote, no backslash.  In a word whose octets are all ASCII a subtraction sets
 * a top bit only where an octet is below what is subtracted, or behind such a
 * one: enough to tell that there is one.
 */
static size_t
scan_run(struct bytes in)
{
	size_t i = 0;
	uint64_t w, odd;

	for (; in.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, in.p + i, sizeof(w));
		odd = w | (w - JSON_EVERY(0x20)) |
		    ((w ^ JSON_EVERY('"')) - JSON_EVERY(1)) |
		    ((w ^ JSON_EVERY('\\')) - JSON_EVERY(1));
		if ((odd & JSON_EVERY(0x80)) != 0)
			break;
	}
	while (i < in.n && in.p[i] >= 0x20 && in.p[i] < 0x80 &&
	    in.p[i] != '"' && in.p[i] != '\\')
		i++;
	return (i);
}
