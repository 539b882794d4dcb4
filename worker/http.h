/*
 * HTTP/1.1 requests, strictly (RFC 9110, RFC 9112): the request head, chunked
 * bodies, and the check of a WebSocket handshake.  Everything is a slice of the
 * caller's buffer; nothing is allocated, no descriptor touched.
 *
 * What differs between two readers of the same octets is what smuggling lives
 * on, so there is no lenient mode.  Refused are: bare CR or LF, NUL and other
 * control characters, line folding, a blank before the colon, names that are
 * not tokens, all targets but origin-form and http://host/path (whose path the
 * target then is), a fragment, a second Host, a second or unclear
 * Content-Length, any Transfer-Encoding but exactly "chunked" once, and both of
 * them together.
 *
 * After a refusal the connection must be closed; what follows in the buffer is
 * never a request.
 */
#ifndef QUIRE_HTTP_H
#define QUIRE_HTTP_H

#include <sys/types.h>

#include "common/bytes.h"

#define HTTP_HEADERS_MAX   64
#define HTTP_METHOD_MAX	   32
#define HTTP_BODY_MAX	   ((uint64_t)1 << 53)
#define HTTP_PROTOCOLS_MAX 16

/* In octets, line ends counted; headers_max may not exceed HTTP_HEADERS_MAX. */
struct http_limits {
	size_t head_max;
	size_t line_max; /* secsync request lines reach 64 KiB */
	unsigned headers_max;
};

#define HTTP_LIMITS_DEFAULT                                                    \
	{                                                                      \
		(size_t)96 * 1024, (size_t)80 * 1024, HTTP_HEADERS_MAX         \
	}

/* The value without the blanks around it; it may be empty. */
struct http_header {
	struct bytes name;
	struct bytes value;
};

struct http_request {
	struct bytes method; /* any token: whether it is known, others say */
	struct bytes target; /* begins with '/', visible ASCII, no '#' */
	struct http_header headers[HTTP_HEADERS_MAX];
	unsigned headers_len;
	int minor; /* HTTP/1.minor: 0 or 1 */

	int has_host;	     /* the caller answers 400 where it must be there */
	int has_length;	     /* a Content-Length was given */
	int chunked;	     /* the body is for struct http_chunked */
	int expect_continue; /* the client waits for 100 Continue */
	int keep_alive;	     /* the client wants the connection kept */
	uint64_t length;     /* of the body unless chunked; 0 without one */

	int status;	    /* of the answer to a refused request, else 0 */
	const char *reason; /* one short phrase for the log and the body */

	size_t seen; /* progress of the parser */
	size_t line;
};

/* Makes ready for a new request. */
void http_request_init(struct http_request *);

/*
 * Parses the head at the front of in.  Octets used, 0 for more, -1 for never
 * with status and reason set.  After 0 the same octets must come again with
 * more behind them, at any address; a drip feed is linear.  The slices are
 * valid once the head is complete and as long as the octets stay in place.
 */
ssize_t http_request_parse(struct http_request *, struct bytes in,
    const struct http_limits *);

/* Names and tokens compare without regard to case. */
unsigned http_header_count(const struct http_request *, const char *name);

/* The first value of that name; p is NULL if there is none. */
struct bytes http_header_get(const struct http_request *, const char *name);

/* Whether a comma-separated list, over all headers of that name, has token. */
int http_header_has(const struct http_request *, const char *name,
    const char *token);

/* Takes the next item, blanks removed, off a list.  1, or 0 at the end. */
int http_list_next(struct bytes *list, struct bytes *item);

int http_eq(struct bytes, const char *); /* without regard to case */
int http_is_token(struct bytes);

/*
 * A chunked body (RFC 9112, section 7.1), fed as it arrives.  Extensions and
 * trailers are checked, bounded and forgotten.
 */
struct http_chunked {
	uint64_t body_max;
	uint64_t total;	 /* octets of body delivered so far */
	uint64_t left;	 /* of the current chunk */
	size_t overhead; /* octets of extensions and trailers so far */
	unsigned digits; /* of the current chunk's size */
	unsigned state;
	int status; /* 400 or 413 once refused */
	const char *reason;
};

#define HTTP_OVERHEAD_MAX 8192

void http_chunked_init(struct http_chunked *, uint64_t body_max);

/*
 * Takes octets off the front of in: framing, and at most one piece of body,
 * which *piece then is (else empty).  Octets used; 0 when there is nothing to
 * take, that is, in is empty or the body is done; -1 for never.  So: call until
 * it returns 0.  What follows the body is left alone.
 */
ssize_t http_chunked_feed(struct http_chunked *, struct bytes in,
    struct bytes *piece);

int http_chunked_done(const struct http_chunked *);

/*
 * The handshake of RFC 6455, section 4.2.  Host and Origin are not looked at:
 * what to demand of them is the dialect's and the operator's word.
 */
enum {
	HTTP_UPGRADE_HTTP10 = 1, /* accept it from HTTP/1.0, as sds must */
	HTTP_UPGRADE_V8 = 2,	 /* accept version 8 beside 13, as sds must */
};

#define HTTP_ACCEPT_LEN 28

struct http_upgrade {
	int status;	     /* 101, 400, 405 or 426 */
	const char *reason;  /* empty with 101 */
	const char *headers; /* lines the answer needs, each with CRLF, or "" */
	char accept[HTTP_ACCEPT_LEN + 1]; /* Sec-WebSocket-Accept, with 101 */
	struct bytes protocols[HTTP_PROTOCOLS_MAX]; /* offered, in order */
	unsigned protocols_len;
};

/* Whether the request asks for it at all: the question of a router. */
int http_upgrade_wanted(const struct http_request *);

/* 0 and status 101, or -1 and the status of the refusal. */
int http_upgrade_check(struct http_upgrade *, const struct http_request *,
    int options);

/* The answer to a key; out is given its NUL. */
void http_accept_key(char out[HTTP_ACCEPT_LEN + 1], struct bytes key);

#endif
