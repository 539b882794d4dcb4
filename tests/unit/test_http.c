/*
 * HTTP requests: what is read, what is refused (the smuggling list), that a
 * drip feed equals the whole, chunked bodies, and the WebSocket handshake.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "common/buf.h"
#include "worker/http.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOST	 "Host: h\r\n"
#define GET	 "GET / HTTP/1.1\r\n" HOST

static const struct http_limits limits = HTTP_LIMITS_DEFAULT;

static ssize_t
parse(struct http_request *r, struct bytes in)
{
	http_request_init(r);
	return (http_request_parse(r, in, &limits));
}

/* The whole text must be one good head. */
static void
parse_good(struct http_request *r, const char *text)
{
	assert_int_equal(parse(r, bytes_str(text)), strlen(text));
	assert_int_equal(r->status, 0);
}

/* Octet by octet, each time at another address. */
static ssize_t
parse_drip(struct http_request *r, struct bytes in, size_t *fed)
{
	uint8_t *copy = NULL;
	ssize_t used = 0;
	size_t n;

	http_request_init(r);
	for (n = 1; n <= in.n && used == 0; n++) {
		uint8_t *old = copy;

		copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, in.p, n);
		free(old);
		used = http_request_parse(r, bytes_of(copy, n), &limits);
		*fed = n;
	}
	if (used > 0)
		assert_in_range((size_t)(r->method.p - copy), 0, 2);
	free(copy);
	return (used);
}

static void
a_request_is_cut_into_slices(void **state)
{
	static const char text[] = "GET /ws/a?token=x HTTP/1.1\r\n"
				   "Host: example.org:3000\r\n"
				   "X-Empty:\r\n"
				   "x-blank: \t a b\t \r\n"
				   "\r\nrest";
	struct http_request r;

	(void)state;
	assert_int_equal(parse(&r, bytes_str(text)), sizeof(text) - 5);
	assert_true(bytes_eq(r.method, BYTES_LIT("GET")));
	assert_true(bytes_eq(r.target, BYTES_LIT("/ws/a?token=x")));
	assert_int_equal(r.minor, 1);
	assert_int_equal(r.headers_len, 3);
	assert_true(r.has_host);
	assert_true(r.keep_alive);
	assert_false(r.has_length || r.chunked || r.expect_continue);
	assert_true(bytes_eq(http_header_get(&r, "X-BLANK"), BYTES_LIT("a b")));
	assert_non_null(http_header_get(&r, "x-empty").p);
	assert_int_equal(http_header_get(&r, "x-empty").n, 0);
	assert_null(http_header_get(&r, "x-absent").p);
	assert_ptr_equal(r.method.p, text);
}

static void
of_an_absolute_form_the_path_is_the_target(void **state)
{
	static const struct {
		const char *text;
		const char *target;
	} rows[] = {
		{ "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "/" },
		{ "GET HTTP://u@h:1/a?b HTTP/1.1\r\nHost: h\r\n\r\n", "/a?b" },
		{ "GET http://h//a HTTP/1.1\r\nHost: h\r\n\r\n", "//a" },
	};
	struct http_request r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(parse(&r, bytes_str(rows[i].text)) > 0);
		assert_true(bytes_eq(r.target, bytes_str(rows[i].target)));
	}
}

static void
every_octet_until_the_last_asks_for_more(void **state)
{
	static const char text[] = "\r\nPOST /api/token HTTP/1.1\r\nHost: h\r\n"
				   "Content-Length: 5\r\n\r\n";
	struct http_request r;
	size_t fed = 0;

	(void)state;
	assert_int_equal(parse_drip(&r, bytes_str(text), &fed),
	    sizeof(text) - 1);
	assert_int_equal(fed, sizeof(text) - 1);
	assert_int_equal(r.length, 5);
	assert_int_equal(r.headers_len, 2);
}

static void
version_and_connection_say_whether_to_keep_alive(void **state)
{
	struct http_request r;

	(void)state;
	parse_good(&r, GET "\r\n");
	assert_true(r.keep_alive);
	parse_good(&r, GET "Connection: foo, Close\r\n\r\n");
	assert_false(r.keep_alive);
	parse_good(&r, "GET / HTTP/1.0\r\n\r\n");
	assert_int_equal(r.minor, 0);
	assert_false(r.keep_alive);
	assert_false(r.has_host);
	parse_good(&r, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
	assert_true(r.keep_alive);
	parse_good(&r,
	    "GET / HTTP/1.0\r\nConnection: close\r\n"
	    "Connection: keep-alive\r\n\r\n");
	assert_false(r.keep_alive);
}

static void
bodies_are_announced(void **state)
{
	struct http_request r;

	(void)state;
	parse_good(&r, GET "Content-Length: 0\r\n\r\n");
	assert_true(r.has_length);
	assert_int_equal(r.length, 0);
	parse_good(&r, GET "Content-Length: 9007199254740992\r\n\r\n");
	assert_int_equal(r.length, HTTP_BODY_MAX);
	parse_good(&r, GET "Transfer-Encoding: chunked\r\n\r\n");
	assert_true(r.chunked);
	parse_good(&r, GET "transfer-encoding:CHUNKED \r\n\r\n");
	assert_true(r.chunked);
	parse_good(&r, GET "Expect: 100-Continue\r\n\r\n");
	assert_true(r.expect_continue);
	parse_good(&r, "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
	assert_false(r.expect_continue);
}

/* The attack list, each with the status of its refusal. */
static const struct refusal {
	int status;
	const char *text;
} refusals[] = {
	/* Line ends and control characters. */
	{ 400, "GET / HTTP/1.1\nHost: h\n\n" },
	{ 400, "GET / HTTP/1.1\r\nHost: h\n\r\n" },
	{ 400, "GET / HTTP/1.1\r\nHost: h\r\n\n" },
	{ 400, "\nGET / HTTP/1.1\r\n\r\n" },
	{ 400, "GET /\r HTTP/1.1\r\n\r\n" },
	{ 400, GET "X: a\rb\r\n\r\n" },
	{ 400, GET "X: a\r\r\n\r\n" },
	{ 400, GET "X: a\x01\r\n\r\n" },
	{ 400, GET "X: a\x7f\r\n\r\n" },
	{ 400, GET "X: a\x0b\r\n\r\n" },
	{ 400, "\x16\x03\x01\x02" },
	{ 400, "\r\n\r\nGET / HTTP/1.1\r\n\r\n" },
	/* Header lines. */
	{ 400, GET "X: a\r\n b\r\n\r\n" },
	{ 400, GET "X: a\r\n\tb\r\n\r\n" },
	{ 400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n" },
	{ 400, GET "X : a\r\n\r\n" },
	{ 400, GET "X\t: a\r\n\r\n" },
	{ 400, GET ": a\r\n\r\n" },
	{ 400, GET "no colon\r\n\r\n" },
	{ 400, GET "X Y: a\r\n\r\n" },
	{ 400, GET "X(: a\r\n\r\n" },
	{ 400, GET "\xc3\xa9: a\r\n\r\n" },
	{ 400, GET "Host: h\r\n\r\n" },
	{ 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" },
	{ 400, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n" },
	{ 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" },
	{ 400, "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n" },
	/* Lengths. */
	{ 400, GET "Content-Length: +0\r\n\r\n" },
	{ 400, GET "Content-Length: -1\r\n\r\n" },
	{ 400, GET "Content-Length:\r\n\r\n" },
	{ 400, GET "Content-Length: 0x5\r\n\r\n" },
	{ 400, GET "Content-Length: 5 5\r\n\r\n" },
	{ 400, GET "Content-Length: 5,5\r\n\r\n" },
	{ 400, GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n" },
	{ 400, GET "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" },
	{ 400, GET "content-length: 0\r\nCONTENT-LENGTH: 0\r\n\r\n" },
	{ 400, GET "Content-Length: 9007199254740993\r\n\r\n" },
	{ 400, GET "Content-Length: 12345678901234567890\r\n\r\n" },
	{ 400, GET "Content-Length: 18446744073709551616\r\n\r\n" },
	{ 400, GET "Content-Length: 00000000000000000\r\n\r\n" },
	{ 400, GET "Content-Length: 5\xa0\r\n\r\n" },
	/* Codings. */
	{ 400, GET "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" },
	{ 400, GET "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ 400,
	    GET "Transfer-Encoding: chunked\r\n"
		"Transfer-Encoding: chunked\r\n\r\n" },
	{ 400, GET "Transfer-Encoding: chunked, chunked\r\n\r\n" },
	{ 400, GET "Transfer-Encoding: gzip, chunked\r\n\r\n" },
	{ 400, GET "Transfer-Encoding: chunked, identity\r\n\r\n" },
	{ 400, GET "Transfer-Encoding: xchunked\r\n\r\n" },
	{ 400, GET "Transfer-Encoding: \"chunked\"\r\n\r\n" },
	{ 400, GET "Transfer-Encoding: chunked;q=1\r\n\r\n" },
	{ 400,
	    GET "Transfer-Encoding: \x0b"
		"chunked\r\n\r\n" },
	{ 400, GET "Transfer-Encoding : chunked\r\n\r\n" },
	{ 400, GET "Transfer-Encoding:\r\n chunked\r\n\r\n" },
	{ 400, GET "Transfer-Encoding:\r\n\r\n" },
	{ 400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ 501, GET "Transfer-Encoding: gzip\r\n\r\n" },
	{ 501, GET "Transfer-Encoding: identity\r\n\r\n" },
	{ 417, GET "Expect: 200-ok\r\n\r\n" },
	/* Request lines. */
	{ 400, "GET /\r\n\r\n" },
	{ 400, "GET\r\n\r\n" },
	{ 400, "GARBAGE\r\n" },
	{ 400, " GET / HTTP/1.1\r\n\r\n" },
	{ 400, "GET  / HTTP/1.1\r\n\r\n" },
	{ 400, "GET /  HTTP/1.1\r\n\r\n" },
	{ 400, "GET / HTTP/1.1 \r\n\r\n" },
	{ 400, "GET\t/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET /a\tb HTTP/1.1\r\n\r\n" },
	{ 400, "GET /a b HTTP/1.1\r\n\r\n" },
	{ 400, "G(T / HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://h HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://h?/ HTTP/1.1\r\n\r\n" },
	{ 400, "GET http:///a HTTP/1.1\r\n\r\n" },
	{ 400, "GET http:/h/a HTTP/1.1\r\n\r\n" },
	{ 400, "GET ftp://h/a HTTP/1.1\r\n\r\n" },
	{ 400, "GET http://h/a#b HTTP/1.1\r\n\r\n" },
	{ 400, "CONNECT h:443 HTTP/1.1\r\n\r\n" },
	{ 400, "OPTIONS * HTTP/1.1\r\n\r\n" },
	{ 400, "GET /a#b HTTP/1.1\r\n\r\n" },
	{ 400, "GET /\xc3\xa9 HTTP/1.1\r\n\r\n" },
	{ 400, "GET / http/1.1\r\n\r\n" },
	{ 400, "GET / HTTP/1.10\r\n\r\n" },
	{ 400, "GET / HTTP/11\r\n\r\n" },
	{ 400, "GET / HTTP/x.1\r\n\r\n" },
	{ 400, "GET / ICAP/1.0\r\n\r\n" },
	{ 505, "GET / HTTP/2.0\r\n\r\n" },
	{ 505, "GET / HTTP/1.2\r\n\r\n" },
	{ 505, "GET / HTTP/0.9\r\n\r\n" },
	{ 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
	{ 501, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n\r\n" },
};

static void
the_attack_list_is_refused(void **state)
{
	struct http_request r;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refusals); i++) {
		if (parse(&r, bytes_str(refusals[i].text)) != -1 ||
		    r.status != refusals[i].status)
			fail_msg("status %d for %s", r.status,
			    refusals[i].text);
		assert_non_null(r.reason);
		assert_int_equal(http_request_parse(&r, BYTES_LIT(GET "\r\n"),
				     &limits),
		    -1);
	}
}

static void
a_nul_is_refused_everywhere(void **state)
{
	static const char good[] = GET "X: abc\r\n\r\n";
	uint8_t text[sizeof(good) - 1];
	struct http_request r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		memcpy(text, good, sizeof(text));
		text[i] = 0;
		assert_int_equal(parse(&r, bytes_of(text, sizeof(text))), -1);
		assert_int_equal(r.status, 400);
	}
}

static void
a_drip_feed_is_refused_like_the_whole(void **state)
{
	struct http_request r;
	const char *reason;
	size_t i, fed;

	(void)state;
	for (i = 0; i < COUNT(refusals); i++) {
		parse(&r, bytes_str(refusals[i].text));
		reason = r.reason;
		assert_int_equal(parse_drip(&r, bytes_str(refusals[i].text),
				     &fed),
		    -1);
		assert_int_equal(r.status, refusals[i].status);
		assert_string_equal(r.reason, reason);
	}
}

static void
nonsense_is_refused_before_the_head_ends(void **state)
{
	struct http_request r;

	(void)state;
	assert_int_equal(parse(&r, BYTES_LIT("GET / HTTP/1.1\n")), -1);
	assert_int_equal(parse(&r, BYTES_LIT("SSH-2.0-OpenSSH\r\n")), -1);
	assert_int_equal(parse(&r, BYTES_LIT(GET "bad name: x\r\n")), -1);
	assert_int_equal(parse(&r, BYTES_LIT(GET " folded: x\r\n")), -1);
	assert_string_equal(r.reason, "folded header");
	assert_int_equal(parse(&r, BYTES_LIT(GET "good: x\r\n")), 0);
}

/* Fills with 'a' between the two texts up to n octets in all. */
static struct bytes
padded(uint8_t *out, const char *before, const char *after, size_t n)
{
	struct bytes b = bytes_str(before), a = bytes_str(after);

	memcpy(out, b.p, b.n);
	memset(out + b.n, 'a', n - b.n - a.n);
	memcpy(out + n - a.n, a.p, a.n);
	return (bytes_of(out, n));
}

static void
limits_are_kept_to_the_octet(void **state)
{
	static const struct http_limits small = { 200, 100, 3 };
	static const struct http_limits head = { 120, 100, 3 };
	static const char two[] = "GET / HTTP/1.1\r\nX: one\r\nY:";
	static const char tail[] = " HTTP/1.1\r\n";
	struct http_request r;
	uint8_t t[256];

	(void)state;
	http_request_init(&r);
	assert_int_equal(http_request_parse(&r, padded(t, "GET /", tail, 100),
			     &small),
	    0);
	http_request_init(&r);
	assert_int_equal(http_request_parse(&r, padded(t, "GET /", tail, 101),
			     &small),
	    -1);
	assert_int_equal(r.status, 414);
	http_request_init(&r);
	assert_int_equal(http_request_parse(&r,
			     padded(t, "GET / HTTP/1.1\r\nX:", "a", 117),
			     &small),
	    -1);
	assert_int_equal(r.status, 431);
	http_request_init(&r);
	assert_int_equal(http_request_parse(&r, padded(t, two, "\r\n\r\n", 120),
			     &head),
	    120);
	http_request_init(&r);
	assert_int_equal(http_request_parse(&r, padded(t, two, "\r\n\r\n", 121),
			     &head),
	    -1);
	assert_int_equal(r.status, 431);
}

static void
headers_are_counted(void **state)
{
	static const struct http_limits three = { 4096, 4096, 3 };
	struct buf text = BUF_INIT;
	struct http_request r;
	size_t i;

	(void)state;
	http_request_init(&r);
	assert_int_equal(http_request_parse(&r,
			     BYTES_LIT(GET "A: 1\r\nB: 2\r\nC: 3\r\n\r\n"),
			     &three),
	    -1);
	assert_int_equal(r.status, 431);
	buf_add_str(&text, "GET / HTTP/1.1\r\n");
	for (i = 0; i < HTTP_HEADERS_MAX; i++)
		buf_add_str(&text, "A: 1\r\n");
	assert_int_equal(parse(&r, buf_bytes(&text)), 0);
	assert_int_equal(r.headers_len, HTTP_HEADERS_MAX);
	buf_add_str(&text, "A: 1\r\n");
	assert_int_equal(parse(&r, buf_bytes(&text)), -1);
	assert_int_equal(r.status, 431);
	buf_free(&text);
}

static void
a_request_line_of_64_kib_is_read(void **state)
{
	static uint8_t text[66000];
	struct http_request r;
	struct bytes in;

	(void)state;
	in = padded(text, "GET /doc?knownSnapshotUpdateClocks=",
	    " HTTP/1.1\r\nHost: h\r\n\r\n", sizeof(text));
	assert_int_equal(parse(&r, in), in.n);
}

static void
lists_are_walked_over_all_headers_of_a_name(void **state)
{
	struct http_request r;
	struct bytes list = BYTES_LIT(" , a,, b c ,\t"), item;

	(void)state;
	parse_good(&r,
	    GET "Connection: keep-alive , Upgrade\r\n"
		"CONNECTION: x,,y\r\nAccept: upgraded\r\n\r\n");
	assert_int_equal(http_header_count(&r, "connection"), 2);
	assert_true(http_header_has(&r, "connection", "upgrade"));
	assert_true(http_header_has(&r, "Connection", "KEEP-ALIVE"));
	assert_true(http_header_has(&r, "connection", "y"));
	assert_false(http_header_has(&r, "connection", "keep"));
	assert_false(http_header_has(&r, "connection", ""));
	assert_false(http_header_has(&r, "accept", "upgrade"));
	assert_int_equal(http_list_next(&list, &item), 1);
	assert_true(bytes_eq(item, BYTES_LIT("a")));
	assert_int_equal(http_list_next(&list, &item), 1);
	assert_true(bytes_eq(item, BYTES_LIT("b c")));
	assert_int_equal(http_list_next(&list, &item), 0);
}

/* --- chunked bodies ------------------------------------------------------ */

/* Feeds step octets at a time; the body is gathered in out. */
static int
unchunk(struct http_chunked *c, struct bytes in, size_t step, char *out,
    size_t *used)
{
	struct bytes piece, part;
	ssize_t n = 1;

	*used = 0;
	out[0] = '\0';
	while (n > 0 && *used < in.n) {
		part = bytes_skip(in, *used);
		if (part.n > step)
			part.n = step;
		if ((n = http_chunked_feed(c, part, &piece)) == -1)
			return (-1);
		if (piece.n > 0)
			strncat(out, (const char *)piece.p, piece.n);
		*used += (size_t)n;
	}
	return (http_chunked_done(c));
}

static void
a_chunked_body_is_delivered_however_it_arrives(void **state)
{
	struct bytes in = BYTES_LIT("4\r\nWiki\r\n6;a=\"b\"\r\npedia \r\n"
				    "00E\r\nin \r\n\r\nchunks.\r\n"
				    "0\r\nX-Trailer: 1\r\nY: 2\r\n\r\nGET /");
	struct http_chunked c;
	size_t step, used;
	char out[64];

	(void)state;
	for (step = 1; step <= in.n; step++) {
		http_chunked_init(&c, 24);
		assert_int_equal(unchunk(&c, in, step, out, &used), 1);
		assert_string_equal(out, "Wikipedia in \r\n\r\nchunks.");
		assert_int_equal(used, in.n - 5);
		assert_int_equal(c.total, 24);
	}
}

static void
malformed_chunks_are_refused(void **state)
{
	static const struct refusal rows[] = {
		{ 400, "\r\n" },
		{ 400, ";\r\n" },
		{ 400, "g\r\n" },
		{ 400, "+1\r\na\r\n" },
		{ 400, " 1\r\na\r\n" },
		{ 400, "1 \r\na\r\n" },
		{ 400, "0x1\r\na\r\n" },
		{ 400, "1\na\r\n" },
		{ 400, "1 \na\r\n" },
		{ 400, "1\r\nab\r\n" },
		{ 400, "1\r\na\n" },
		{ 400, "1\r\na\rX" },
		{ 400, "1\rX" },
		{ 400, "1;a\nb\r\na\r\n" },
		{ 400, "1;a\x01\r\na\r\n" },
		{ 400, "00000000000000001\r\n" },
		{ 413, "fffffffffffffffff\r\n" },
		{ 413, "10000000000000000\r\n" },
		{ 413, "b\r\n" },
		{ 413, "a\r\n0123456789\r\n1" },
		{ 400, "0\r\nX: 1\n" },
		{ 400, "0\r\n folded\r\n" },
		{ 400, "0\r\n: x\r\n" },
		{ 400, "0\r\n\n" },
		{ 400, "0\r\n\rX" },
		{ 400, "0\r\nX\x01\r\n" },
	};
	struct http_chunked c;
	size_t i, step, used;
	char out[64];

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		for (step = 1; step < 20; step += 18) {
			http_chunked_init(&c, 10);
			if (unchunk(&c, bytes_str(rows[i].text), step, out,
				&used) != -1 ||
			    c.status != rows[i].status)
				fail_msg("%d for %s", c.status, rows[i].text);
			assert_int_equal(unchunk(&c, BYTES_LIT("0\r\n\r\n"), 9,
					     out, &used),
			    -1);
		}
}

static void
what_surrounds_the_chunks_is_bounded(void **state)
{
	struct http_chunked c;
	struct bytes piece;
	size_t i;

	(void)state;
	http_chunked_init(&c, 10);
	assert_int_equal(http_chunked_feed(&c, BYTES_LIT("1;"), &piece), 2);
	for (i = 0; i < HTTP_OVERHEAD_MAX; i++)
		assert_int_equal(http_chunked_feed(&c, BYTES_LIT("x"), &piece),
		    1);
	assert_int_equal(http_chunked_feed(&c, BYTES_LIT("x"), &piece), -1);
	assert_int_equal(c.status, 400);
}

/* --- handshake ----------------------------------------------------------- */

#define UP   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V(n) "Sec-WebSocket-Version: " #n "\r\n"

static int
upgrade(struct http_upgrade *u, const char *text, int options)
{
	static struct http_request r;

	parse_good(&r, text);
	return (http_upgrade_check(u, &r, options));
}

static void
the_handshake_of_the_rfc_is_accepted(void **state)
{
	struct http_upgrade u;

	(void)state;
	assert_int_equal(upgrade(&u,
			     "GET /chat HTTP/1.1\r\n"
			     "Host: server.example.com\r\n"
			     "Upgrade: websocket\r\n"
			     "Connection: Upgrade\r\n" KEY
			     "Origin: http://example.com\r\n"
			     "Sec-WebSocket-Protocol: chat, superchat\r\n" V(
				 13) "\r\n",
			     0),
	    0);
	assert_int_equal(u.status, 101);
	assert_string_equal(u.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_string_equal(u.headers, "");
	assert_int_equal(u.protocols_len, 2);
	assert_true(bytes_eq(u.protocols[0], BYTES_LIT("chat")));
	assert_true(bytes_eq(u.protocols[1], BYTES_LIT("superchat")));
}

static void
variants_that_clients_send_are_accepted(void **state)
{
	struct http_upgrade u;

	(void)state;
	assert_int_equal(upgrade(&u,
			     GET "UPGRADE: h2c, WebSocket\r\n"
				 "connection: keep-alive, UPGRADE\r\n" KEY V(
				     13) "Content-Length: 0\r\n\r\n",
			     0),
	    0);
	assert_int_equal(upgrade(&u, "GET / HTTP/1.0\r\n" UP KEY V(13) "\r\n",
			     HTTP_UPGRADE_HTTP10),
	    0);
	assert_int_equal(upgrade(&u, GET UP KEY V(8) "\r\n", HTTP_UPGRADE_V8),
	    0);
	assert_int_equal(u.protocols_len, 0);
}

static void
a_bad_handshake_is_refused_with_its_status(void **state)
{
	static const struct refusal rows[] = {
		{ 405, "POST / HTTP/1.1\r\n" UP KEY V(13) "\r\n" },
		{ 405, "get / HTTP/1.1\r\n" UP KEY V(13) "\r\n" },
		{ 400, "GET / HTTP/1.0\r\n" UP KEY V(13) "\r\n" },
		{ 400, GET "Connection: Upgrade\r\n" KEY V(13) "\r\n" },
		{ 400, GET "Upgrade: websocket\r\n" KEY V(13) "\r\n" },
		{ 400,
		    GET "Upgrade: websockets\r\nConnection: Upgrade\r\n" KEY V(
			13) "\r\n" },
		{ 400,
		    GET "Upgrade: websocket\r\nConnection: close\r\n" KEY V(
			13) "\r\n" },
		{ 400, GET UP V(13) "\r\n" },
		{ 400, GET UP KEY KEY V(13) "\r\n" },
		{ 400, GET UP "Sec-WebSocket-Key: x\r\n" V(13) "\r\n" },
		{ 400, GET UP "Sec-WebSocket-Key:\r\n" V(13) "\r\n" },
		{ 400, GET UP KEY V(13) V(13) "\r\n" },
		{ 400, GET UP KEY V(13) "Content-Length: 4\r\n\r\n" },
		{ 400, GET UP KEY V(13) "Transfer-Encoding: chunked\r\n\r\n" },
		{ 400, GET UP KEY V(13) "Sec-WebSocket-Protocol: a b\r\n\r\n" },
		{ 400,
		    GET UP KEY V(13) "Sec-WebSocket-Protocol: a\r\n"
				     "Sec-WebSocket-Protocol: b,a\r\n\r\n" },
		{ 400,
		    GET UP KEY V(
			13) "Sec-WebSocket-Protocol: a,b,c,d,e,f,g,h,i,j,k,l,m,"
			    "n,o,p,q\r\n\r\n" },
		{ 426, GET UP KEY "\r\n" },
		{ 426, GET UP KEY V(8) "\r\n" },
		{ 426, GET UP KEY V(14) "\r\n" },
		{ 426, GET UP KEY V(013) "\r\n" },
		{ 426, GET UP KEY "Sec-WebSocket-Version: 13, 8\r\n\r\n" },
	};
	struct http_upgrade u;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (upgrade(&u, rows[i].text, 0) != -1 ||
		    u.status != rows[i].status)
			fail_msg("%d for %s", u.status, rows[i].text);
		assert_true(u.reason[0] != '\0');
		assert_int_equal(u.accept[0], '\0');
	}
}

static void
a_refusal_names_what_would_do(void **state)
{
	struct http_upgrade u;

	(void)state;
	assert_int_equal(upgrade(&u, GET UP KEY V(7) "\r\n", 0), -1);
	assert_string_equal(u.headers, "Sec-WebSocket-Version: 13\r\n");
	assert_int_equal(upgrade(&u, GET UP KEY V(7) "\r\n", HTTP_UPGRADE_V8),
	    -1);
	assert_string_equal(u.headers, "Sec-WebSocket-Version: 13, 8\r\n");
	assert_int_equal(upgrade(&u, "PUT / HTTP/1.1\r\n\r\n", 0), -1);
	assert_string_equal(u.headers, "Allow: GET\r\n");
}

static void
a_router_can_tell_who_wants_a_websocket(void **state)
{
	struct http_request r;

	(void)state;
	parse_good(&r, GET "Upgrade: WEBSOCKET\r\n\r\n");
	assert_true(http_upgrade_wanted(&r));
	parse_good(&r, GET "Upgrade: h2c\r\n\r\n");
	assert_false(http_upgrade_wanted(&r));
	parse_good(&r, GET "\r\n");
	assert_false(http_upgrade_wanted(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_cut_into_slices),
		cmocka_unit_test(of_an_absolute_form_the_path_is_the_target),
		cmocka_unit_test(every_octet_until_the_last_asks_for_more),
		cmocka_unit_test(
		    version_and_connection_say_whether_to_keep_alive),
		cmocka_unit_test(bodies_are_announced),
		cmocka_unit_test(the_attack_list_is_refused),
		cmocka_unit_test(a_nul_is_refused_everywhere),
		cmocka_unit_test(a_drip_feed_is_refused_like_the_whole),
		cmocka_unit_test(nonsense_is_refused_before_the_head_ends),
		cmocka_unit_test(limits_are_kept_to_the_octet),
		cmocka_unit_test(headers_are_counted),
		cmocka_unit_test(a_request_line_of_64_kib_is_read),
		cmocka_unit_test(lists_are_walked_over_all_headers_of_a_name),
		cmocka_unit_test(
		    a_chunked_body_is_delivered_however_it_arrives),
		cmocka_unit_test(malformed_chunks_are_refused),
		cmocka_unit_test(what_surrounds_the_chunks_is_bounded),
		cmocka_unit_test(the_handshake_of_the_rfc_is_accepted),
		cmocka_unit_test(variants_that_clients_send_are_accepted),
		cmocka_unit_test(a_bad_handshake_is_refused_with_its_status),
		cmocka_unit_test(a_refusal_names_what_would_do),
		cmocka_unit_test(a_router_can_tell_who_wants_a_websocket),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
