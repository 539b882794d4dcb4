/*
 * The head of an HTTP/1.1 request.  Each line is parsed when it is complete, so
 * that nonsense is refused at once; a head that came in several pieces is
 * parsed again when it is whole, because the buffer may have moved meanwhile.
 * Bodies are in http_chunked.c, the WebSocket handshake in http_upgrade.c.
 */
#include "worker/http.h"

struct http_known {
	const char *name;
	int (*apply)(struct http_request *, struct bytes value);
};

static ssize_t http_head(struct http_request *, struct bytes,
    const struct http_limits *);
static int http_octet(struct http_request *, struct bytes);
static int http_line(struct http_request *, struct bytes,
    const struct http_limits *);
static int http_line_request(struct http_request *, struct bytes);
static int http_line_target(struct bytes *);
static int http_line_version(struct http_request *, struct bytes);
static int http_line_header(struct http_request *, struct bytes,
    const struct http_limits *);
static int http_meaning(struct http_request *);
static int http_apply_host(struct http_request *, struct bytes);
static int http_apply_length(struct http_request *, struct bytes);
static int http_apply_coding(struct http_request *, struct bytes);
static int http_apply_expect(struct http_request *, struct bytes);
static int http_refuse(struct http_request *, int, const char *);
static int http_all_in(struct bytes, const uint32_t[4]);
static struct bytes http_trim(struct bytes);
static uint8_t http_lower(uint8_t);

/* Headers that change how the request is read; the rest is the caller's. */
static const struct http_known http_known[] = {
	{ "host", http_apply_host },
	{ "content-length", http_apply_length },
	{ "transfer-encoding", http_apply_coding },
	{ "expect", http_apply_expect },
};

#define HTTP_KNOWN (sizeof(http_known) / sizeof(*http_known))

/* Transfer codings that exist (RFC 9112, section 7) and are not for us. */
static const char *const http_codings[] = { "gzip", "x-gzip", "deflate",
	"compress", "x-compress", "identity" };

/* Sets of ASCII characters, a bit each. */
static const uint32_t http_set_token[4] = { 0, 0x03ff6cfa, 0xc7fffffe,
	0x57ffffff };
static const uint32_t http_set_target[4] = { 0, 0xfffffff6, 0xffffffff,
	0x7fffffff };
static const uint32_t http_set_host[4] = { 0, 0x2fff6ff2, 0xaffffffe,
	0x47fffffe };

void
http_request_init(struct http_request *r)
{
	memset(r, 0, sizeof(*r));
}

ssize_t
http_request_parse(struct http_request *r, struct bytes in,
    const struct http_limits *lim)
{
	int again = r->seen > 0;
	ssize_t used;

	if (r->status != 0)
		return (-1);
	used = http_head(r, in, lim);
	if (used > 0 && again) {
		http_request_init(r);
		used = http_head(r, in, lim);
	}
	if (used > 0 && http_meaning(r) == -1)
		return (-1);
	return (used);
}

unsigned
http_header_count(const struct http_request *r, const char *name)
{
	unsigned i, n = 0;

	for (i = 0; i < r->headers_len; i++)
		if (http_eq(r->headers[i].name, name))
			n++;
	return (n);
}

struct bytes
http_header_get(const struct http_request *r, const char *name)
{
	unsigned i;

	for (i = 0; i < r->headers_len; i++)
		if (http_eq(r->headers[i].name, name))
			return (r->headers[i].value);
	return (BYTES_NONE);
}

int
http_header_has(const struct http_request *r, const char *name,
    const char *token)
{
	struct bytes list, item;
	unsigned i;

	for (i = 0; i < r->headers_len; i++) {
		if (!http_eq(r->headers[i].name, name))
			continue;
		list = r->headers[i].value;
		while (http_list_next(&list, &item))
			if (http_eq(item, token))
				return (1);
	}
	return (0);
}

int
http_list_next(struct bytes *list, struct bytes *item)
{
	const uint8_t *comma;

	while (list->n > 0) {
		comma = memchr(list->p, ',', list->n);
		*item = *list;
		if (comma != NULL)
			item->n = (size_t)(comma - list->p);
		*list = bytes_skip(*list, item->n + 1);
		*item = http_trim(*item);
		if (item->n > 0)
			return (1);
	}
	return (0);
}

/* Of ASCII, whatever the locale. */
int
http_eq(struct bytes b, const char *s)
{
	size_t i;

	for (i = 0; i < b.n && s[i] != '\0'; i++)
		if (http_lower(b.p[i]) != http_lower((uint8_t)s[i]))
			return (0);
	return (i == b.n && s[i] == '\0');
}

static uint8_t
http_lower(uint8_t c)
{
	return (c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
}

int
http_is_token(struct bytes b)
{
	return (b.n > 0 && http_all_in(b, http_set_token));
}

/* Reads on from r->seen: octets used, 0 for more, -1 for never. */
static ssize_t
http_head(struct http_request *r, struct bytes in,
    const struct http_limits *lim)
{
	struct bytes line;
	int rc;

	for (; r->seen < in.n; r->seen++) {
		if (r->seen - r->line >= lim->line_max)
			return (r->method.p == NULL
				? http_refuse(r, 414, "request line too long")
				: http_refuse(r, 431, "header too long"));
		if (r->seen >= lim->head_max)
			return (http_refuse(r, 431, "head too long"));
		if (http_octet(r, in) == -1)
			return (-1);
		if (in.p[r->seen] != '\n')
			continue;
		line = bytes_of(in.p + r->line, r->seen - 1 - r->line);
		if ((rc = http_line(r, line, lim)) != 0)
			return (rc == -1 ? -1 : (ssize_t)r->seen + 1);
		r->line = r->seen + 1;
	}
	return (0);
}

/* Whether the octet at r->seen may stand behind the one before it. */
static int
http_octet(struct http_request *r, struct bytes in)
{
	uint8_t c = in.p[r->seen];
	int after_cr = r->seen > r->line && in.p[r->seen - 1] == '\r';

	if (c == '\n' && !after_cr)
		return (http_refuse(r, 400, "bare line feed"));
	if (c != '\n' && after_cr)
		return (http_refuse(r, 400, "bare carriage return"));
	if (c == 0x7f || (c < 0x20 && c != '\r' && c != '\n' && c != '\t'))
		return (http_refuse(r, 400, "control character"));
	return (0);
}

/* 1 if this line ends the head, 0 if not, -1 if it is refused. */
static int
http_line(struct http_request *r, struct bytes line,
    const struct http_limits *lim)
{
	if (r->method.p != NULL)
		return (line.n == 0 ? 1 : http_line_header(r, line, lim));
	/* One empty line before the request is forgiven (RFC 9112, 2.2). */
	if (line.n == 0 && r->line == 0)
		return (0);
	return (http_line_request(r, line));
}

static int
http_line_request(struct http_request *r, struct bytes line)
{
	const uint8_t *blank = NULL;
	struct bytes method = line, target;

	if (line.n > 0)
		blank = memchr(line.p, ' ', line.n);
	if (blank == NULL)
		return (http_refuse(r, 400, "malformed request line"));
	method.n = (size_t)(blank - line.p);
	target = bytes_skip(line, method.n + 1);
	if (target.n > 0)
		blank = memchr(target.p, ' ', target.n);
	if (target.n == 0 || blank == NULL || !http_is_token(method))
		return (http_refuse(r, 400, "malformed request line"));
	line = bytes_skip(target, (size_t)(blank - target.p) + 1);
	target.n = (size_t)(blank - target.p);
	if (http_line_version(r, line) == -1)
		return (-1);
	if (method.n > HTTP_METHOD_MAX)
		return (http_refuse(r, 501, "method too long"));
	if (http_line_target(&target) == -1)
		return (http_refuse(r, 400, "target is no path"));
	if (!http_all_in(target, http_set_target))
		return (http_refuse(r, 400, "bad character in target"));
	r->method = method;
	r->target = target;
	return (0);
}

/* Of an absolute-form the path; whose host it names makes no difference. */
static int
http_line_target(struct bytes *target)
{
	struct bytes rest = bytes_of(target->p, target->n < 7 ? target->n : 7);

	if (target->n > 0 && target->p[0] == '/')
		return (0);
	if (!http_eq(rest, "http://"))
		return (-1);
	rest = bytes_skip(*target, rest.n);
	if (rest.n == 0 || rest.p[0] == '/')
		return (-1);
	while (rest.n > 0 && rest.p[0] != '/' && rest.p[0] != '?')
		rest = bytes_skip(rest, 1);
	if (rest.n == 0 || rest.p[0] != '/')
		return (-1);
	*target = rest;
	return (0);
}

static int
http_line_version(struct http_request *r, struct bytes v)
{
	if (v.n != 8 || !bytes_start(v, BYTES_LIT("HTTP/")) || v.p[6] != '.' ||
	    v.p[5] < '0' || v.p[5] > '9' || v.p[7] < '0' || v.p[7] > '9')
		return (http_refuse(r, 400, "malformed version"));
	if (v.p[5] != '1' || v.p[7] > '1')
		return (http_refuse(r, 505, "version not supported"));
	r->minor = v.p[7] - '0';
	return (0);
}

static int
http_line_header(struct http_request *r, struct bytes line,
    const struct http_limits *lim)
{
	const uint8_t *colon = memchr(line.p, ':', line.n);
	struct http_header *h = &r->headers[r->headers_len];

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return (http_refuse(r, 400, "folded header"));
	if (colon == NULL)
		return (http_refuse(r, 400, "header without colon"));
	if (r->headers_len >= lim->headers_max ||
	    r->headers_len >= HTTP_HEADERS_MAX)
		return (http_refuse(r, 431, "too many headers"));
	h->name = bytes_of(line.p, (size_t)(colon - line.p));
	h->value = http_trim(bytes_of(colon + 1, line.n - h->name.n - 1));
	if (!http_is_token(h->name))
		return (http_refuse(r, 400, "malformed header name"));
	r->headers_len++;
	return (0);
}

/* What the complete head says about itself. */
static int
http_meaning(struct http_request *r)
{
	const struct http_known *k;
	unsigned i;

	for (i = 0; i < r->headers_len; i++)
		for (k = http_known; k < http_known + HTTP_KNOWN; k++)
			if (http_eq(r->headers[i].name, k->name) &&
			    k->apply(r, r->headers[i].value) == -1)
				return (-1);
	r->keep_alive = !http_header_has(r, "connection", "close") &&
	    (r->minor == 1 || http_header_has(r, "connection", "keep-alive"));
	if (r->chunked && r->has_length)
		return (http_refuse(r, 400, "both length and chunked"));
	if (r->chunked && r->minor == 0)
		return (http_refuse(r, 400, "chunked in HTTP/1.0"));
	return (0);
}

static int
http_apply_host(struct http_request *r, struct bytes value)
{
	if (r->has_host)
		return (http_refuse(r, 400, "second Host"));
	if (!http_all_in(value, http_set_host))
		return (http_refuse(r, 400, "malformed Host"));
	r->has_host = 1;
	return (0);
}

static int
http_apply_length(struct http_request *r, struct bytes value)
{
	size_t i;

	if (r->has_length)
		return (http_refuse(r, 400, "second Content-Length"));
	if (value.n == 0 || value.n > 16)
		return (http_refuse(r, 400, "malformed Content-Length"));
	for (i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return (
			    http_refuse(r, 400, "malformed Content-Length"));
		r->length = r->length * 10 + (uint64_t)(value.p[i] - '0');
	}
	if (r->length > HTTP_BODY_MAX)
		return (http_refuse(r, 400, "malformed Content-Length"));
	r->has_length = 1;
	return (0);
}

static int
http_apply_coding(struct http_request *r, struct bytes value)
{
	size_t i;

	for (i = 0; i < sizeof(http_codings) / sizeof(*http_codings); i++)
		if (http_eq(value, http_codings[i]))
			return (http_refuse(r, 501, "transfer coding unknown"));
	if (r->chunked || !http_eq(value, "chunked"))
		return (http_refuse(r, 400, "malformed Transfer-Encoding"));
	r->chunked = 1;
	return (0);
}

static int
http_apply_expect(struct http_request *r, struct bytes value)
{
	if (!http_eq(value, "100-continue"))
		return (http_refuse(r, 417, "unknown expectation"));
	/* A client of 1.0 cannot mean it (RFC 9110, section 10.1.1). */
	r->expect_continue = r->minor == 1;
	return (0);
}

static int
http_refuse(struct http_request *r, int status, const char *reason)
{
	r->status = status;
	r->reason = reason;
	return (-1);
}

static int
http_all_in(struct bytes b, const uint32_t set[4])
{
	size_t i;

	for (i = 0; i < b.n; i++)
		if (b.p[i] >= 0x80 ||
		    (set[b.p[i] >> 5] >> (b.p[i] & 31) & 1) == 0)
			return (0);
	return (1);
}

static struct bytes
http_trim(struct bytes b)
{
	while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = bytes_of(b.p + 1, b.n - 1);
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	return (b);
}
