/* What a request's head says: route, token, this server's address. */
#include "common/limits.h"
#include "worker/logseq.h"
#include "worker/url.h"

#define REQUEST_BEARER "Bearer "

static void request_token(struct logseq_web *, const struct http_request *);
static void request_origin(struct logseq_web *, const struct http_request *);

/* What the head says that is of use to every route.  -1: no memory. */
int
logseq_request_read(struct logseq_web *w, const struct http_request *r)
{
	struct bytes path;

	buf_add_bytes(&w->target, r->target);
	url_split(buf_bytes(&w->target), &path, &w->query);
	w->route = logseq_route_find(w, r->method, path);
	w->body_length = r->chunked ? 0 : r->length;
	w->gzip = http_header_has(r, "accept-encoding", "gzip");
	request_token(w, r);
	request_origin(w, r);
	if (!w->target.failed && !w->names.failed && !w->token.failed &&
	    !w->origin.failed)
		return (0);
	conn_drop(w->conn);
	return (-1);
}

/* "Bearer " to the letter, or else the query. */
static void
request_token(struct logseq_web *w, const struct http_request *r)
{
	struct bytes b = http_header_get(r, "authorization");
	struct bytes raw;
	char text[TOKEN_MAX_BYTES];
	ssize_t n;

	if (bytes_start(b, BYTES_LIT(REQUEST_BEARER))) {
		buf_add_bytes(&w->token,
		    bytes_skip(b, sizeof(REQUEST_BEARER) - 1));
	} else if ((n = logseq_query(w, "token", text, sizeof(text))) > 0) {
		buf_add(&w->token, text, (size_t)n);
		w->token_in_query = 1;
		octets_wipe(text, (size_t)n);
		if (url_query_find(w->query, "token", 0, &raw))
			octets_wipe(w->target.mem + (raw.p - w->target.mem),
			    raw.n);
	}
}

/* Where clients reach us, for links: the operator's word, or the request's. */
static void
request_origin(struct logseq_web *w, const struct http_request *r)
{
	struct bytes url = bytes_str(conn_settings(w->conn)->public_url);
	struct bytes proto = http_header_get(r, "x-forwarded-proto");

	buf_clear(&w->origin);
	while (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	if (url.n > 0) {
		buf_add_bytes(&w->origin, url);
		return;
	}
	buf_add_str(&w->origin,
	    http_eq(proto, "https") ? "https://" : "http://");
	buf_add_bytes(&w->origin, http_header_get(r, "host"));
}

/* Requests that everybody may make of any path, and of some. */
int
logseq_request_bare(const struct logseq_web *w, const struct http_request *r)
{
	struct bytes path = buf_bytes(&w->target);

	return (bytes_eq(r->method, BYTES_LIT("OPTIONS")) ||
	    (bytes_eq(r->method, BYTES_LIT("HEAD")) &&
		(bytes_start(path, BYTES_LIT("/graphs")) ||
		    bytes_start(path, BYTES_LIT("/e2ee/")))));
}

ssize_t
logseq_query(const struct logseq_web *w, const char *name, char *out,
    size_t size)
{
	ssize_t n = url_query_get(w->query, name, URL_REPLACE | URL_PLUS,
	    (uint8_t *)out, size);

	return (n < 0 ? -1 : n);
}
