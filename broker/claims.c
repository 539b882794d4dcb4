/*
 * The payload of a token that has already proved genuine, turned into a struct.
 * One row a text claim and a time; lists and scope by hand, secsync's own in
 * claims_secsync.c.
 *
 * jansson parses; the depth is checked before, because it recurses.  Integers
 * are read as reals, so that any number JSON can spell has a meaning and only
 * what overflows a double (1e400) is refused.
 */
#include <stdlib.h>

#include "common/jwt.h"
#include "common/limits.h"
#include "broker/claims_read.h"

typedef const char *claims_read_fn(const json_t *, struct claims *,
    struct claims_arena *);

static const char *claims_load(struct bytes, claims_read_fn *, struct claims *);
static int claims_depth_ok(struct bytes);
static claims_read_fn claims_read, claims_read_oidc;
static const char *claims_verified(const json_t *, struct claims *);
static const char *claims_texts(const json_t *, struct claims *,
    struct claims_arena *);
static const char *claims_times(const json_t *, struct claims *);
static const char *claims_sizes(const json_t *, struct claims *);
static const char *claims_scope(const json_t *, struct claims *);
static const char *claims_dialects(const json_t *, struct claims *);
static size_t claims_count(const json_t *);
static struct bytes claims_copy(struct claims_arena *, struct bytes);
static int64_t claims_seconds(double);

static const struct {
	const char *name;
	size_t offset;
	size_t max;
	int person; /* what is no text is as good as absent */
} claims_text_rows[] = {
	{ "sub", offsetof(struct claims, sub), CLAIMS_SUB_MAX, 0 },
	{ "jti", offsetof(struct claims, jti), CLAIMS_JTI_MAX, 0 },
	{ "email", offsetof(struct claims, email), CLAIMS_TEXT_MAX, 1 },
	{ "cognito:username", offsetof(struct claims, cognito_username),
	    CLAIMS_TEXT_MAX, 1 },
	{ "preferred_username", offsetof(struct claims, preferred_username),
	    CLAIMS_TEXT_MAX, 1 },
	{ "username", offsetof(struct claims, username), CLAIMS_TEXT_MAX, 1 },
	{ "name", offsetof(struct claims, name), CLAIMS_TEXT_MAX, 1 },
	{ "canvas_client", offsetof(struct claims, canvas_client),
	    CLAIMS_TEXT_MAX, 0 },
};

static const struct {
	const char *name;
	size_t offset;
} claims_time_rows[] = {
	{ "exp", offsetof(struct claims, exp) },
	{ "nbf", offsetof(struct claims, nbf) },
	{ "iat", offsetof(struct claims, iat) },
};

const char *
claims_parse(struct bytes json, struct claims *out)
{
	return (claims_load(json, claims_read, out));
}

const char *
claims_parse_oidc(struct bytes json, struct claims *out)
{
	return (claims_load(json, claims_read_oidc, out));
}

static const char *
claims_load(struct bytes text, claims_read_fn *read, struct claims *out)
{
	struct claims_arena arena;
	const char *wrong;
	json_t *root;

	memset(out, 0, sizeof(*out));
	out->exp = INT64_MAX;
	out->nbf = out->iat = INT64_MIN;
	out->secsync.snapshot_max = out->secsync.update_max = CLAIMS_NO_LIMIT;
	out->secsync.ephemeral_max = out->secsync.rate_max = CLAIMS_NO_LIMIT;
	root = claims_json(text, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL);
	if (root == NULL)
		return ("json");
	if ((out->text = malloc(text.n)) == NULL) {
		json_decref(root);
		return ("memory");
	}
	arena.p = out->text;
	wrong = read(root, out, &arena);
	json_decref(root);
	if (wrong != NULL)
		claims_free(out);
	/* cppcheck-suppress returnDanglingLifetime; it is a literal */
	return (wrong);
}

void
claims_free(struct claims *c)
{
	free(c->aud.v);
	free(c->secsync.keys.v);
	free(c->secsync.docs.v);
	free(c->text);
	memset(c, 0, sizeof(*c));
}

struct json_t *
claims_json(struct bytes text, size_t flags)
{
	json_error_t error;
	json_t *root;

	if (text.n > TOKEN_MAX_BYTES || !claims_depth_ok(text))
		return (NULL);
	root = json_loadb((const char *)text.p, text.n,
	    flags | JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(root))
		return (root);
	json_decref(root);
	return (NULL);
}

/* None at all would be a slip, and stands for no limit in the struct. */
static const char *
claims_sizes(const json_t *root, struct claims *c)
{
	static const char name[] = "message_max";

	if (claims_limit(root, name, &c->message_max) != NULL ||
	    (c->message_max == 0 && json_object_get(root, name) != NULL))
		return (name);
	return (NULL);
}

const char *
claims_limit(const json_t *object, const char *name, uint64_t *out)
{
	const json_t *value = json_object_get(object, name);
	double limit;

	if (value == NULL)
		return (NULL);
	limit = json_is_real(value) ? json_real_value(value) : -1;
	if (limit < 0)
		return (name);
	/* 2^63: more than anybody has is no limit. */
	*out = limit >= 0x1p63 ? CLAIMS_NO_LIMIT : (uint64_t)limit;
	return (NULL);
}

/* Counts brackets outside strings; what else is wrong, jansson will find. */
static int
claims_depth_ok(struct bytes text)
{
	size_t i, depth = 0;
	int quoted = 0;

	for (i = 0; i < text.n; i++) {
		if (quoted) {
			if (text.p[i] == '\\')
				i++;
			else if (text.p[i] == '"')
				quoted = 0;
		} else if (text.p[i] == '"')
			quoted = 1;
		else if (text.p[i] == '{' || text.p[i] == '[') {
			if (++depth > JWT_DEPTH_MAX)
				return (0);
		} else if ((text.p[i] == '}' || text.p[i] == ']') && depth > 0)
			depth--;
	}
	return (1);
}

static const char *
claims_read(const json_t *root, struct claims *c, struct claims_arena *arena)
{
	const json_t *aud = json_object_get(root, "aud");
	const char *wrong;

	if ((wrong = claims_texts(root, c, arena)) != NULL ||
	    (wrong = claims_times(root, c)) != NULL ||
	    (wrong = claims_dialects(root, c)) != NULL ||
	    (wrong = claims_sizes(root, c)) != NULL ||
	    (wrong = claims_secsync(root, c, arena)) != NULL ||
	    (wrong = claims_cnf(root, c, arena)) != NULL ||
	    (wrong = claims_scope(root, c)) != NULL)
		return (wrong);
	c->aud_list = json_is_array(aud);
	if (aud == NULL ? !c->secsync.docs_given
			: claims_list(aud, &c->aud, arena) == -1)
		return ("aud");
	/* Whoever made it with our own key has said enough by naming one. */
	c->email_verified = c->email.n > 0;
	return (claims_verified(root, c));
}

static const char *
claims_read_oidc(const json_t *root, struct claims *c,
    struct claims_arena *arena)
{
	const json_t *aud = json_object_get(root, "aud");
	const char *wrong;

	if ((wrong = claims_texts(root, c, arena)) != NULL ||
	    (wrong = claims_times(root, c)) != NULL)
		return (wrong);
	if (aud == NULL)
		aud = json_object_get(root, "client_id");
	if (claims_list(aud, &c->aud, arena) == -1)
		return ("aud");
	if (json_object_get(root, "cnf") != NULL)
		return ("cnf");
	c->scope = SCOPE_WRITE;
	c->dialects = 1u << DIALECT_LOGSEQ;
	return (claims_verified(root, c));
}

static const char *
claims_verified(const json_t *root, struct claims *c)
{
	const json_t *value = json_object_get(root, "email_verified");

	if (value == NULL || json_is_null(value))
		return (NULL);
	if (!json_is_boolean(value))
		return ("email_verified");
	c->email_verified = json_is_true(value);
	return (NULL);
}

static const char *
claims_texts(const json_t *root, struct claims *c, struct claims_arena *arena)
{
	const json_t *value;
	struct bytes text;
	size_t i;

	for (i = 0; i < CLAIMS_ROWS(claims_text_rows); i++) {
		value = json_object_get(root, claims_text_rows[i].name);
		if (value == NULL ||
		    (claims_text_rows[i].person && !json_is_string(value)))
			continue;
		if (claims_string(value, &text) == -1 ||
		    text.n > claims_text_rows[i].max)
			return (claims_text_rows[i].name);
		*(struct bytes *)(void *)((char *)c +
		    claims_text_rows[i].offset) = claims_copy(arena, text);
	}
	if (c->sub.p == NULL)
		return ("sub");
	/* Of any kind where no issuer is asked for: token.c compares. */
	if (claims_string(json_object_get(root, "iss"), &text) == 0)
		c->iss = claims_copy(arena, text);
	return (NULL);
}

static const char *
claims_times(const json_t *root, struct claims *c)
{
	const json_t *value;
	size_t i;

	for (i = 0; i < CLAIMS_ROWS(claims_time_rows); i++) {
		value = json_object_get(root, claims_time_rows[i].name);
		if (value == NULL)
			continue;
		if (!json_is_real(value))
			return (claims_time_rows[i].name);
		*(int64_t *)(void *)((char *)c + claims_time_rows[i].offset) =
		    claims_seconds(json_real_value(value));
	}
	c->exp_given = json_object_get(root, "exp") != NULL;
	return (NULL);
}

/* After secsync, whose permissions may stand in for it. */
static const char *
claims_scope(const json_t *root, struct claims *c)
{
	const json_t *value = json_object_get(root, "scope");
	struct bytes word;

	if (value == NULL && c->secsync.perms != 0) {
		c->scope =
		    c->secsync.perms == PERM_READ ? SCOPE_READ : SCOPE_WRITE;
		c->dialects &= 1u << DIALECT_SECSYNC;
		return (NULL);
	}
	if (claims_string(value, &word) == -1 ||
	    (c->scope = scope_parse(word)) == SCOPE_NONE)
		return ("scope");
	return (NULL);
}

/* Names of dialects that this build does not have are nobody's error. */
static const char *
claims_dialects(const json_t *root, struct claims *c)
{
	const json_t *value = json_object_get(root, "dialect");
	struct bytes word;
	size_t i;

	if (value == NULL) {
		c->dialects = UINT32_MAX;
		return (NULL);
	}
	if (!json_is_string(value) && !json_is_array(value))
		return ("dialect");
	for (i = 0; i < claims_count(value); i++) {
		if (claims_item(value, i, &word) == -1)
			return ("dialect");
		if (dialect_find(word) != DIALECT_NONE)
			c->dialects |= 1u << dialect_find(word);
	}
	return (NULL);
}

int
claims_list(const json_t *value, struct claims_list *out,
    struct claims_arena *arena)
{
	size_t i, n = claims_count(value);
	struct bytes text;

	if (n == 0 || n > CLAIMS_LIST_MAX)
		return (-1);
	if ((out->v = calloc(n, sizeof(*out->v))) == NULL)
		return (-1);
	out->n = n;
	for (i = 0; i < n; i++) {
		if (claims_item(value, i, &text) == -1) {
			free(out->v);
			out->v = NULL;
			out->n = 0;
			return (-1);
		}
		out->v[i] = claims_copy(arena, text);
	}
	return (0);
}

/* A string counts as a list of one; what is neither, as a list of none. */
static size_t
claims_count(const json_t *value)
{
	return (json_is_string(value) ? 1 : json_array_size(value));
}

/* A store's name may hold any octet, and be none. */
int
claims_item(const json_t *value, size_t i, struct bytes *out)
{
	if (!json_is_string(value))
		value = json_array_get(value, i);
	if (!json_is_string(value))
		return (-1);
	*out = bytes_of(json_string_value(value), json_string_length(value));
	return (0);
}

int
claims_string(const json_t *value, struct bytes *out)
{
	if (!json_is_string(value))
		return (-1);
	*out = bytes_of(json_string_value(value), json_string_length(value));
	return (out->n > 0 && memchr(out->p, '\0', out->n) != NULL ? -1 : 0);
}

static struct bytes
claims_copy(struct claims_arena *arena, struct bytes text)
{
	uint8_t *p = arena->p;

	memcpy(p, text.p, text.n);
	arena->p += text.n;
	return (bytes_of(p, text.n));
}

/* Rounded up. */
static int64_t
claims_seconds(double seconds)
{
	int64_t whole;

	if (seconds >= 0x1p63)
		return (INT64_MAX);
	if (seconds < -0x1p63)
		return (INT64_MIN);
	whole = (int64_t)seconds;
	return (whole + ((double)whole < seconds));
}
