/*
 * Request targets as slices, and the few things that must be written out.
 */
#include "common/hex.h"
#include "common/utf8.h"
#include "worker/url.h"

/* Where url_decode writes; left counts down and never wraps. */
struct url_out {
	uint8_t *p;
	size_t left;
	int full;
};

static void url_put(struct url_out *, struct bytes);
static int url_octet(struct bytes *, int, uint8_t *);
static int url_is_escape(struct bytes);
static void url_run_literal(struct url_out *, struct bytes *);
static void url_run_replace(struct url_out *, struct bytes *, int);
static int url_name_is(struct bytes, const char *, int);
static size_t url_segment_len(struct bytes);
static int url_dots(struct bytes);

void
url_split(struct bytes target, struct bytes *path, struct bytes *query)
{
	const uint8_t *mark = NULL;

	if (target.n > 0)
		mark = memchr(target.p, '?', target.n);
	*path = target;
	*query = BYTES_NONE;
	if (mark == NULL)
		return;
	path->n = (size_t)(mark - target.p);
	*query = bytes_of(mark + 1, target.n - path->n - 1);
}

ssize_t
url_decode(uint8_t *out, size_t size, struct bytes in, int how)
{
	struct url_out o = { out, size, 0 };
	uint8_t c;

	while (in.n > 0 && !o.full) {
		if ((how & URL_MODE) == URL_LITERAL && url_is_escape(in)) {
			url_run_literal(&o, &in);
		} else if ((how & URL_MODE) == URL_REPLACE) {
			url_run_replace(&o, &in, how);
		} else {
			url_octet(&in, how, &c);
			url_put(&o, bytes_of(&c, 1));
		}
	}
	return (o.full ? -1 : (ssize_t)(size - o.left));
}

int
url_query_next(struct bytes *query, struct bytes *name, struct bytes *value)
{
	const uint8_t *mark;
	struct bytes piece;

	while (query->n > 0 && query->p[0] == '&')
		*query = bytes_skip(*query, 1);
	if (query->n == 0)
		return (0);
	mark = memchr(query->p, '&', query->n);
	piece = *query;
	if (mark != NULL)
		piece.n = (size_t)(mark - query->p);
	*query = bytes_skip(*query, piece.n);
	*name = piece;
	*value = BYTES_NONE;
	if ((mark = memchr(piece.p, '=', piece.n)) != NULL) {
		name->n = (size_t)(mark - piece.p);
		*value = bytes_of(mark + 1, piece.n - name->n - 1);
	}
	return (1);
}

int
url_query_find(struct bytes query, const char *name, int how,
    struct bytes *value)
{
	struct bytes key;

	while (url_query_next(&query, &key, value))
		if (url_name_is(key, name, how))
			return (1);
	*value = BYTES_NONE;
	return (0);
}

ssize_t
url_query_get(struct bytes query, const char *name, int how, uint8_t *out,
    size_t size)
{
	struct bytes value;

	if (!url_query_find(query, name, how, &value))
		return (URL_ABSENT);
	return (url_decode(out, size, value, how));
}

ssize_t
url_path_resolve(uint8_t *out, size_t size, struct bytes path)
{
	struct bytes seg;
	size_t at = 0, n = 0;
	int dots;

	if (path.n == 0 || path.p[0] != '/' || size < path.n)
		return (-1);
	while (at < path.n) {
		seg = bytes_of(path.p + at + 1, path.n - at - 1);
		seg.n = url_segment_len(seg);
		at += 1 + seg.n;
		dots = url_dots(seg);
		if (dots == 2)
			while (n > 0 && out[--n] != '/')
				;
		if (dots > 0 && at < path.n)
			continue;
		out[n++] = '/';
		if (dots == 0 && seg.n > 0) {
			memcpy(out + n, seg.p, seg.n);
			n += seg.n;
		}
	}
	return ((ssize_t)n);
}

int
url_segment_next(struct bytes *path, struct bytes *segment)
{
	const uint8_t *mark = NULL;

	if (path->n == 0 || path->p[0] != '/')
		return (0);
	*segment = bytes_of(path->p + 1, path->n - 1);
	if (segment->n > 0)
		mark = memchr(segment->p, '/', segment->n);
	if (mark != NULL)
		segment->n = (size_t)(mark - segment->p);
	*path = bytes_skip(*path, segment->n + 1);
	return (1);
}

static void
url_put(struct url_out *o, struct bytes b)
{
	if (b.n > o->left) {
		o->full = 1;
		return;
	}
	if (b.n > 0)
		memcpy(o->p, b.p, b.n);
	o->p += b.n;
	o->left -= b.n;
}

/* Takes one decoded octet off the front; 0 at the end. */
static int
url_octet(struct bytes *in, int how, uint8_t *c)
{
	if (in->n == 0)
		return (0);
	if (url_is_escape(*in)) {
		*c = (uint8_t)(hex_digit(in->p[1]) << 4 | hex_digit(in->p[2]));
		*in = bytes_skip(*in, 3);
		return (1);
	}
	*c = in->p[0];
	if (*c == '+' && (how & URL_PLUS) != 0)
		*c = ' ';
	*in = bytes_skip(*in, 1);
	return (1);
}

static int
url_is_escape(struct bytes in)
{
	return (in.n >= 3 && in.p[0] == '%' && hex_digit(in.p[1]) != -1 &&
	    hex_digit(in.p[2]) != -1);
}

/* A run of %XX is decoded as a whole or not at all: decodeURIComponent. */
static void
url_run_literal(struct url_out *o, struct bytes *in)
{
	struct utf8 u = { 0, 0, 0 };
	struct bytes rest = *in, run = *in;
	uint8_t c;

	while (url_is_escape(rest)) {
		url_octet(&rest, 0, &c);
		(void)utf8_feed(&u, bytes_of(&c, 1));
	}
	run.n = in->n - rest.n;
	*in = rest;
	if (!utf8_done(&u)) {
		url_put(o, run);
		return;
	}
	while (url_octet(&run, 0, &c))
		url_put(o, bytes_of(&c, 1));
}

/* One character, or one U+FFFD for what the WHATWG decoder gives up on. */
static void
url_run_replace(struct url_out *o, struct bytes *in, int how)
{
	struct bytes rest = *in;
	uint8_t c[4];
	size_t n = 0;
	int seq = 0;

	while (seq == 0 && n < sizeof(c) && url_octet(&rest, how, &c[n]))
		seq = utf8_seq(bytes_of(c, ++n));
	if (seq > 0)
		url_put(o, bytes_of(c, n));
	else
		url_put(o, BYTES_LIT("\xef\xbf\xbd"));
	/* The octet that broke a sequence begins the next one. */
	if (seq < 0)
		n = (size_t)-seq;
	while (n-- > 0)
		(void)url_octet(in, how, &c[0]);
}

static int
url_name_is(struct bytes key, const char *name, int how)
{
	uint8_t c;

	while (url_octet(&key, how, &c)) {
		if (c == '\0' || c != (uint8_t)*name)
			return (0);
		name++;
	}
	return (*name == '\0');
}

static size_t
url_segment_len(struct bytes path)
{
	size_t n = 0;

	while (n < path.n && path.p[n] != '/' && path.p[n] != '\\')
		n++;
	return (n);
}

/* 1 for "." and 2 for "..", however their dots are spelled; else 0. */
static int
url_dots(struct bytes seg)
{
	int dots = 0;

	while (seg.n > 0 && dots < 3) {
		if (seg.p[0] == '.')
			seg = bytes_skip(seg, 1);
		else if (seg.n >= 3 && memcmp(seg.p, "%2", 2) == 0 &&
		    (seg.p[2] | 0x20) == 'e')
			seg = bytes_skip(seg, 3);
		else
			return (0);
		dots++;
	}
	return (dots > 2 ? 0 : dots);
}
