/*
 * The token API, check by check in the order that clients know: header, token,
 * scope, body.
 */
#include <stdlib.h>

#include <jansson.h>

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

static void sds_token_mint(struct sds_token *, const json_t *);
static struct bytes sds_token_member(const json_t *, const char *);
static struct bytes sds_token_text(const json_t *);
static struct bytes sds_token_exp(const json_t *);
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
}

void
sds_token_grant(struct sds_token *t, const struct grant_in *g)
{
	struct bytes text = buf_bytes(&t->body);
	json_t *json;

	if (!scope_covers(g->scope, SCOPE_ADMIN)) {
		sds_token_error(t->conn, 403, "admin scope required");
		return;
	}
	if (bytes_start(text, BYTES_LIT("\xef\xbb\xbf")))
		text = bytes_skip(text, 3);
	json = json_loadb((const char *)text.p, text.n, JSON_DECODE_ANY, NULL);
	if (json == NULL) {
		sds_token_error(t->conn, 400, "invalid JSON body");
		return;
	}
	sds_token_mint(t, json);
	json_decref(json);
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
sds_token_mint(struct sds_token *t, const json_t *json)
{
	struct bytes sub = sds_token_member(json, "sub");
	struct bytes scope = sds_token_member(json, "scope");

	if (sub.p == NULL || scope.p == NULL)
		sds_token_error(t->conn, 400, "sub and scope required");
	else if (scope_parse(scope) == SCOPE_NONE)
		sds_token_error(t->conn, 400, "invalid scope");
	else if (sub.n > SDS_SUB_MAX_BYTES)
		sds_token_error(t->conn, 400, "sub too long");
	else
		conn_mint(t->conn, sub, scope,
		    sds_token_ttl(sds_token_exp(json)));
}

static struct bytes
sds_token_member(const json_t *json, const char *name)
{
	return (sds_token_text(json_object_get(json, name)));
}

static struct bytes
sds_token_text(const json_t *v)
{
	if (!json_is_string(v))
		return (BYTES_NONE);
	return (bytes_of(json_string_value(v), json_string_length(v)));
}

/* A list of one text counts as that text: so does ECMAScript read it. */
static struct bytes
sds_token_exp(const json_t *json)
{
	const json_t *v = json_object_get(json, "exp");

	if (json_is_array(v) && json_array_size(v) == 1)
		v = json_array_get(v, 0);
	return (sds_token_text(v));
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
