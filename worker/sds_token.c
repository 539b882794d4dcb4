/*
 * The token API, check by check in the order that clients know: header, token,
 * scope, body.
 */
#include <stdlib.h>

#include "common/json.h"
#include "common/limits.h"
#include "worker/sds_token.h"

#define SDS_TTL_DEFAULT_S ((uint64_t)24 * 3600)
#define SDS_TTL_MAX_S	  ((uint64_t)100 * 365 * 24 * 3600)
#define SDS_SUB_MAX_BYTES 255 /* what a token may say when it comes back */

struct sds_token {
	struct conn *conn;
	struct buf bearer;
	struct buf body;
};

static void sds_token_mint(struct sds_token *, const struct json *);
static int sds_token_text(struct buf *, const struct json *);
static int sds_token_exp(struct buf *, const struct json *);
static void sds_token_error(struct conn *, unsigned int, const char *);

struct sds_token *
sds_token_new(struct conn *c, const struct http_request *r)
{
	struct bytes value = http_header_get(r, "authorization");
	struct sds_token *t;

	if (!bytes_start(value, BYTES_LIT("Bearer "))) {
		sds_token_error(c, 401, "missing token");
		return (NULL);
	}
	value = bytes_skip(value, strlen("Bearer "));
	if (value.n > 2 * TOKEN_MAX_BYTES) {
		sds_token_error(c, 401, "invalid token");
		return (NULL);
	}
	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    buf_add_bytes(&t->bearer, value) == -1) {
		sds_token_free(t);
		conn_drop(c);
		return (NULL);
	}
	t->conn = c;
	return (t);
}

void
sds_token_free(struct sds_token *t)
{
	if (t == NULL)
		return;
	buf_wipe(&t->bearer);
	buf_free(&t->body);
	free(t);
}

/* For which store is not asked: the new token will be for the same. */
void
sds_token_body(struct sds_token *t, struct bytes body)
{
	if (buf_add_bytes(&t->body, body) == -1) {
		conn_drop(t->conn);
		return;
	}
	conn_login(t->conn, DIALECT_SDS, buf_bytes(&t->bearer), BYTES_NONE);
	buf_wipe(&t->bearer);
}

void
sds_token_grant(struct sds_token *t, const struct grant_in *g)
{
	struct bytes text = buf_bytes(&t->body);
	struct json_report report;
	struct json json;

	if (!scope_covers(g->scope, SCOPE_ADMIN)) {
		sds_token_error(t->conn, 403, "admin scope required");
		return;
	}
	if (bytes_start(text, BYTES_LIT("\xef\xbb\xbf")))
		text = bytes_skip(text, 3);
	if (json_parse(&json, text, JSON_DEPTH_MAX, &report) == -1 ||
	    report.flags != 0) {
		sds_token_error(t->conn, 400, "invalid JSON body");
		return;
	}
	sds_token_mint(t, &json);
}

void
sds_token_refused(struct sds_token *t, enum code code)
{
	if (code == CODE_BUSY || code == CODE_STORAGE || code == CODE_SHUTDOWN)
		sds_token_error(t->conn, 503, "try again later");
	else
		sds_token_error(t->conn, 401, "invalid token");
}

void
sds_token_minted(struct sds_token *t, enum code code, struct bytes text)
{
	struct buf b = BUF_INIT;

	if (code != CODE_OK) {
		sds_token_error(t->conn, 503, "try again later");
		return;
	}
	buf_add_str(&b, "{\"token\":\"");
	buf_add_bytes(&b, text);
	if (buf_add_str(&b, "\"}") == -1)
		conn_drop(t->conn);
	else
		conn_http_reply(t->conn, 200, "application/json", NULL,
		    buf_bytes(&b), 0);
	buf_wipe(&b);
}

uint64_t
sds_token_ttl(struct bytes text)
{
	static const char units[] = "smhd";
	static const uint64_t unit_s[] = { 1, 60, 3600, 86400 };
	const char *unit;
	uint64_t n = 0;
	size_t i;

	if (text.n < 2 || text.p[text.n - 1] == '\0' ||
	    (unit = strchr(units, text.p[text.n - 1])) == NULL)
		return (SDS_TTL_DEFAULT_S);
	for (i = 0; i < text.n - 1; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return (SDS_TTL_DEFAULT_S);
		n = n * 10 + (uint64_t)(text.p[i] - '0');
		if (n > SDS_TTL_MAX_S)
			n = SDS_TTL_MAX_S;
	}
	n *= unit_s[unit - units];
	return (n > SDS_TTL_MAX_S ? SDS_TTL_MAX_S : n);
}

static void
sds_token_mint(struct sds_token *t, const struct json *json)
{
	enum { SUB, SCOPE, EXP, NAMES };
	static const char *const names[] = { "sub", "scope", "exp" };
	struct json v[NAMES];
	struct buf sub = BUF_INIT, scope = BUF_INIT, exp = BUF_INIT;

	json_find_all(json, names, v, NAMES);
	if (!sds_token_text(&sub, &v[SUB]) ||
	    !sds_token_text(&scope, &v[SCOPE]))
		sds_token_error(t->conn, 400, "sub and scope required");
	else if (scope_parse(buf_bytes(&scope)) == SCOPE_NONE)
		sds_token_error(t->conn, 400, "invalid scope");
	else if (sub.len > SDS_SUB_MAX_BYTES)
		sds_token_error(t->conn, 400, "sub too long");
	else if (sub.len > 0 &&
	    memchr(buf_bytes(&sub).p, '\0', sub.len) != NULL)
		sds_token_error(t->conn, 400, "invalid JSON body");
	else {
		sds_token_exp(&exp, &v[EXP]);
		conn_mint(t->conn, buf_bytes(&sub), buf_bytes(&scope),
		    sds_token_ttl(buf_bytes(&exp)));
	}
	buf_free(&sub);
	buf_free(&scope);
	buf_free(&exp);
}

/* 1: it is a text, and decoded. */
static int
sds_token_text(struct buf *out, const struct json *v)
{
	return (
	    v->type == JSON_STRING && json_raw_append(out, json_raw(v)) == 0);
}

/* A list of one text counts as that text: so does ECMAScript read it. */
static int
sds_token_exp(struct buf *out, const struct json *v)
{
	struct json_iter it;
	struct json one, more;

	if (v->type != JSON_ARRAY)
		return (sds_token_text(out, v));
	json_iter_init(&it, v);
	return (json_iter_next(&it, NULL, &one) &&
	    !json_iter_next(&it, NULL, &more) && sds_token_text(out, &one));
}

static void
sds_token_error(struct conn *c, unsigned int status, const char *text)
{
	struct buf b = BUF_INIT;

	if (buf_printf(&b, "{\"error\":\"%s\"}", text) == -1)
		conn_drop(c);
	else
		conn_http_reply(c, status, "application/json", NULL,
		    buf_bytes(&b), 0);
	buf_free(&b);
}
