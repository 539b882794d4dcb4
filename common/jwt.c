/*
 * Cuts a token into parts and finds the key's name in its header.  Runs in the
 * worker on a stranger's bytes: bounded, no allocation, no JSON library.
 * Believing any of it is the broker's decision (broker/token.c).
 */
#include "common/base64url.h"
#include "common/limits.h"
#include "common/jwt.h"

#define JWT_SHORT_BYTES 256

/* A walk over JSON text; every step returns 0, or -1 for malformed. */
struct jwt_scan {
	struct bytes rest;
};

static ssize_t jwt_long(struct bytes, char *kid, size_t)
    __attribute__((noinline));
static ssize_t jwt_kid(uint8_t *json, size_t room, struct bytes, char *kid,
    size_t);
static void jwt_scan_space(struct jwt_scan *);
static int jwt_scan_char(struct jwt_scan *, char);
static int jwt_scan_string(struct jwt_scan *, struct bytes *);
static int jwt_scan_value(struct jwt_scan *);
static int jwt_scan_scalar(struct jwt_scan *);
static ssize_t jwt_scan_kid(struct jwt_scan *, char *, size_t);
static ssize_t jwt_kid_copy(struct bytes, char *, size_t);

int
token_split(struct bytes token, struct bytes *input, struct bytes *mac64)
{
	size_t dot[2], dots = 0, i;

	/* A MAC's text is short; a longer token cannot become a good one. */
	if (token.n > TOKEN_MAX_BYTES + 1 + 2 * JWT_MAC_MAX)
		return (-1);
	for (i = 0; i < token.n; i++) {
		if (token.p[i] != '.')
			continue;
		if (dots == 2)
			return (-1);
		dot[dots++] = i;
	}
	if (dots != 2 || dot[0] == 0 || dot[1] == dot[0] + 1 ||
	    dot[1] > TOKEN_MAX_BYTES)
		return (-1);
	*input = bytes_of(token.p, dot[1]);
	*mac64 = bytes_skip(token, dot[1] + 1);
	return (0);
}

int
token_is_plain(struct bytes token)
{
	size_t i;

	if (token.n < TOKEN_PLAIN_MIN || token.n > TOKEN_PLAIN_MAX)
		return (0);
	for (i = 0; i < token.n; i++)
		if (!((token.p[i] >= '0' && token.p[i] <= '9') ||
			(token.p[i] >= 'A' && token.p[i] <= 'Z') ||
			(token.p[i] >= 'a' && token.p[i] <= 'z') ||
			token.p[i] == '-' || token.p[i] == '_'))
			return (0);
	return (1);
}

/* Nearly all are short, and pages of the stack once touched stay a worker's. */
ssize_t
jwt_header_kid(struct bytes header64, char *kid, size_t size)
{
	uint8_t json[JWT_SHORT_BYTES];

	if (header64.n > sizeof(json))
		return (jwt_long(header64, kid, size));
	return (jwt_kid(json, sizeof(json), header64, kid, size));
}

static ssize_t
jwt_long(struct bytes header64, char *kid, size_t size)
{
	uint8_t json[TOKEN_MAX_BYTES];

	return (jwt_kid(json, sizeof(json), header64, kid, size));
}

static ssize_t
jwt_kid(uint8_t *json, size_t room, struct bytes header64, char *kid,
    size_t size)
{
	struct jwt_scan s;
	ssize_t n;

	n = base64url_decode(json, room, header64);
	if (n == -1 || size == 0)
		return (-1);
	kid[0] = '\0';
	s.rest = bytes_of(json, (size_t)n);
	jwt_scan_space(&s);
	if ((n = jwt_scan_kid(&s, kid, size)) == -1)
		return (-1);
	jwt_scan_space(&s);
	return (s.rest.n == 0 ? n : -1);
}

/* The members of the outermost object. */
static ssize_t
jwt_scan_kid(struct jwt_scan *s, char *kid, size_t size)
{
	struct bytes name, value;
	ssize_t n = 0;

	if (jwt_scan_char(s, '{') == -1)
		return (-1);
	if (jwt_scan_char(s, '}') == 0)
		return (0);
	do {
		if (jwt_scan_string(s, &name) == -1 ||
		    jwt_scan_char(s, ':') == -1)
			return (-1);
		/* An escape could spell "kid" in a way that hides it. */
		if (name.n != 0 && memchr(name.p, '\\', name.n) != NULL)
			return (-1);
		if (!bytes_eq(name, BYTES_LIT("kid"))) {
			if (jwt_scan_value(s) == -1)
				return (-1);
			continue;
		}
		if (n != 0 || jwt_scan_string(s, &value) == -1 ||
		    (n = jwt_kid_copy(value, kid, size)) == -1)
			return (-1);
	} while (jwt_scan_char(s, ',') == 0);
	return (jwt_scan_char(s, '}') == 0 ? n : -1);
}

static ssize_t
jwt_kid_copy(struct bytes value, char *kid, size_t size)
{
	size_t i;

	if (value.n == 0 || value.n > JWT_KID_MAX || value.n >= size)
		return (-1);
	for (i = 0; i < value.n; i++)
		if (value.p[i] < 0x20 || value.p[i] > 0x7e ||
		    value.p[i] == '\\')
			return (-1);
	memcpy(kid, value.p, value.n);
	kid[value.n] = '\0';
	return ((ssize_t)value.n);
}

static void
jwt_scan_space(struct jwt_scan *s)
{
	while (s->rest.n != 0 && s->rest.p[0] != '\0' &&
	    strchr(" \t\r\n", s->rest.p[0]) != NULL)
		s->rest = bytes_skip(s->rest, 1);
}

/* This character, and the space around it. */
static int
jwt_scan_char(struct jwt_scan *s, char c)
{
	jwt_scan_space(s);
	if (s->rest.n == 0 || s->rest.p[0] != (uint8_t)c)
		return (-1);
	s->rest = bytes_skip(s->rest, 1);
	jwt_scan_space(s);
	return (0);
}

/* What stands between the quotes, escapes left as they are. */
static int
jwt_scan_string(struct jwt_scan *s, struct bytes *out)
{
	struct bytes b = s->rest;
	size_t i;

	if (b.n == 0 || b.p[0] != '"')
		return (-1);
	for (i = 1; i < b.n && b.p[i] != '"'; i++) {
		if (b.p[i] < 0x20)
			return (-1);
		if (b.p[i] == '\\' && ++i == b.n)
			return (-1);
	}
	if (i >= b.n)
		return (-1);
	*out = bytes_of(b.p + 1, i - 1);
	s->rest = bytes_skip(b, i + 1);
	return (0);
}

/* Skips a value: brackets balanced by depth alone, the rest by its looks. */
static int
jwt_scan_value(struct jwt_scan *s)
{
	struct bytes string;
	unsigned depth = 0;

	do {
		jwt_scan_space(s);
		if (s->rest.n == 0)
			return (-1);
		switch (s->rest.p[0]) {
		case '"':
			if (jwt_scan_string(s, &string) == -1)
				return (-1);
			continue;
		case '{':
		case '[':
			if (++depth >= JWT_DEPTH_MAX)
				return (-1);
			break;
		case '}':
		case ']':
			if (depth-- == 0)
				return (-1);
			break;
		case ',':
		case ':':
			if (depth == 0)
				return (-1);
			break;
		default:
			if (jwt_scan_scalar(s) == -1)
				return (-1);
			continue;
		}
		s->rest = bytes_skip(s->rest, 1);
	} while (depth != 0);
	return (0);
}

/* A number, true, false or null: a run of their characters. */
static int
jwt_scan_scalar(struct jwt_scan *s)
{
	static const char set[] = "+-.0123456789abcdefghijklmnopqrstuvwxyzE";
	size_t n = 0;

	while (n < s->rest.n && s->rest.p[n] != '\0' &&
	    strchr(set, s->rest.p[n]) != NULL)
		n++;
	if (n == 0)
		return (-1);
	s->rest = bytes_skip(s->rest, n);
	return (0);
}
