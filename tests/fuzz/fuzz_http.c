/*
 * HTTP requests.  A drip feed must end as the whole does, slices must lie in
 * the buffer and in order, what was accepted must not contain what is refused,
 * and the octets behind a chunked head must decode alike however they arrive.
 */
#include "worker/http.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_drip(struct bytes, const struct http_request *, ssize_t);
static void fuzz_slices(struct bytes, const struct http_request *);
static void fuzz_upgrade(const struct http_request *);
static void fuzz_chunked(struct bytes);
static uint64_t fuzz_unchunk(struct http_chunked *, struct bytes, size_t,
    size_t *);

static const struct http_limits limits = { 2048, 1024, 16 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct http_request r;
	ssize_t used;

	http_request_init(&r);
	used = http_request_parse(&r, in, &limits);
	must(used >= -1 && used <= (ssize_t)size);
	must((used == -1) == (r.status != 0));
	fuzz_drip(in, &r, used);
	if (used > 0) {
		fuzz_slices(bytes_of(data, (size_t)used), &r);
		fuzz_upgrade(&r);
		in = bytes_skip(in, (size_t)used);
	}
	fuzz_chunked(in);
	return (0);
}

static void
fuzz_drip(struct bytes in, const struct http_request *whole, ssize_t used)
{
	struct http_request r;
	ssize_t got = 0;
	size_t n;

	http_request_init(&r);
	for (n = 0; n <= in.n && got == 0; n++)
		got = http_request_parse(&r, bytes_of(in.p, n), &limits);
	must(got == used && r.status == whole->status);
	must(got <= 0 || got == (ssize_t)n - 1);
	if (got == -1)
		must(strcmp(r.reason, whole->reason) == 0);
	if (got > 0)
		must(
		    memcmp(r.headers, whole->headers, sizeof(r.headers)) == 0 &&
		    r.length == whole->length && r.chunked == whole->chunked &&
		    r.keep_alive == whole->keep_alive);
}

static const uint8_t *
fuzz_inside(struct bytes b, const uint8_t *from, struct bytes in)
{
	must(b.p >= from && b.p + b.n <= in.p + in.n);
	must(b.n == 0 ||
	    (memchr(b.p, '\r', b.n) == NULL && memchr(b.p, '\n', b.n) == NULL &&
		memchr(b.p, 0, b.n) == NULL));
	return (b.p + b.n);
}

static void
fuzz_slices(struct bytes in, const struct http_request *r)
{
	const uint8_t *at = in.p;
	unsigned i;

	must(in.n >= 4 && memcmp(in.p + in.n - 4, "\r\n\r\n", 4) == 0);
	must(http_is_token(r->method) && r->target.p[0] == '/');
	at = fuzz_inside(r->method, at, in);
	at = fuzz_inside(r->target, at, in);
	for (i = 0; i < r->headers_len; i++) {
		must(http_is_token(r->headers[i].name));
		at = fuzz_inside(r->headers[i].name, at, in);
		at = fuzz_inside(r->headers[i].value, at, in);
	}
	must(!(r->has_length && r->chunked));
	must(http_header_count(r, "host") == (unsigned)r->has_host);
	must(http_header_count(r, "content-length") == (unsigned)r->has_length);
	must(http_header_count(r, "transfer-encoding") == (unsigned)r->chunked);
}

static void
fuzz_upgrade(const struct http_request *r)
{
	struct http_upgrade u;
	int rc = http_upgrade_check(&u, r, (int)(r->target.n & 3));

	must(rc == 0 ? u.status == 101 : u.status >= 400);
	must((strlen(u.accept) == HTTP_ACCEPT_LEN) == (rc == 0));
}

static void
fuzz_chunked(struct bytes in)
{
	struct http_chunked whole, drip;
	size_t used, fed;
	uint64_t sum;

	http_chunked_init(&whole, 512);
	http_chunked_init(&drip, 512);
	sum = fuzz_unchunk(&whole, in, in.n, &used);
	must(fuzz_unchunk(&drip, in, 1, &fed) == sum);
	must(whole.status == drip.status && whole.total == drip.total);
	must(http_chunked_done(&whole) == http_chunked_done(&drip));
	must(whole.status != 0 || used == fed);
	must(whole.total <= 512);
}

/* A checksum of the body, which pieces cannot change. */
static uint64_t
fuzz_unchunk(struct http_chunked *c, struct bytes in, size_t step, size_t *used)
{
	struct bytes part, piece;
	uint64_t sum = 0;
	ssize_t n = 1;
	size_t i;

	for (*used = 0; *used < in.n && n > 0; *used += (size_t)n) {
		part = bytes_skip(in, *used);
		if (part.n > step)
			part.n = step;
		if ((n = http_chunked_feed(c, part, &piece)) == -1)
			break;
		must(n <= (ssize_t)part.n && piece.n <= (size_t)n);
		for (i = 0; i < piece.n; i++)
			sum = sum * 31 + piece.p[i];
	}
	return (sum);
}
