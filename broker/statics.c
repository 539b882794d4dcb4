/*
 * Static tokens: read, compared, made.  What they may do is put as the claims
 * of a token and read by claims.c, once at the start and at each login.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/hex.h"
#include "common/jwt.h"
#include "common/log.h"
#include "broker/doc_name.h"
#include "broker/statics.h"
#include "broker/token.h"

#define STATICS_MAX   512
#define STATIC_OCTETS 32u

struct statik {
	uint8_t hash[crypto_hash_sha256_BYTES];
	char *claims; /* JSON */
};

struct statics {
	size_t n;
	struct statik v[STATICS_MAX];
};

static const char *statics_line(struct statics *, struct bytes);
static json_t *statics_text(struct bytes);
static uint64_t statics_mark(const uint8_t *);
static void statics_quote(struct buf *, struct bytes);

struct statics *
statics_load(const char *path)
{
	struct statics *s;
	int fd, saved;

	if ((fd = keyring_open(path)) == -1)
		return (NULL);
	s = statics_load_fd(fd, path);
	saved = errno;
	close(fd);
	errno = saved;
	return (s);
}

struct statics *
statics_load_fd(int fd, const char *name)
{
	struct statics *s;
	struct stat st;
	uint8_t *text;

	if ((text = keyring_read(fd, name, &st)) == NULL)
		return (NULL);
	s = statics_parse(name, bytes_of(text, (size_t)st.st_size));
	sodium_free(text);
	return (s);
}

struct statics *
statics_parse(const char *name, struct bytes text)
{
	struct statics *s = calloc(1, sizeof(*s));
	const char *wrong = NULL;
	const uint8_t *end;
	unsigned int no = 0;
	struct bytes line;

	while (s != NULL && wrong == NULL && text.n > 0) {
		end = memchr(text.p, '\n', text.n);
		line = bytes_of(text.p,
		    end == NULL ? text.n : (size_t)(end - text.p));
		text = bytes_skip(text, line.n + (end != NULL));
		no++;
		wrong = statics_line(s, line);
	}
	if (wrong == NULL)
		return (s);
	log_warnx("%s:%u: %s", name, no, wrong);
	statics_free(s);
	errno = EINVAL;
	return (NULL);
}

void
statics_free(struct statics *s)
{
	size_t i;

	for (i = 0; s != NULL && i < s->n; i++)
		free(s->v[i].claims);
	free(s);
}

int
statics_verify(const struct statics *s, struct bytes token, struct claims *out)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	const struct statik *found = NULL;
	size_t i;

	memset(out, 0, sizeof(*out));
	if (s == NULL || !token_is_plain(token))
		return (TOKEN_BAD_SHAPE);
	crypto_hash_sha256(hash, token.p, token.n);
	for (i = 0; i < s->n; i++)
		if (sodium_memcmp(hash, s->v[i].hash, sizeof(hash)) == 0)
			found = &s->v[i];
	if (found == NULL)
		return (TOKEN_BAD_KEY);
	if (claims_parse(bytes_str(found->claims), out) != NULL)
		return (TOKEN_BAD_CLAIMS);
	out->aud_wild = true;
	out->key = statics_mark(found->hash);
	return (TOKEN_OK);
}

bool
statics_marked(const struct statics *s, uint64_t mark)
{
	size_t i;

	for (i = 0; s != NULL && i < s->n; i++)
		if (statics_mark(s->v[i].hash) == mark)
			return (true);
	return (false);
}

int
statics_make(enum scope scope, struct bytes subject, const struct bytes *stores,
    size_t n, struct buf *token, struct buf *line)
{
	uint8_t octets[STATIC_OCTETS], hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(STATIC_OCTETS,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
	char hex[2 * sizeof(hash) + 1];
	size_t i;

	if (sodium_init() == -1)
		return (-1);
	randombytes_buf(octets, sizeof(octets));
	sodium_bin2base64(text, sizeof(text), octets, sizeof(octets),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	crypto_hash_sha256(hash, (const uint8_t *)text, strlen(text));
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	buf_printf(token, "%s\n", text);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(octets, sizeof(octets));
	buf_printf(line, "%s %s", hex, scope_name(scope));
	statics_quote(line, subject);
	for (i = 0; i < n; i++)
		statics_quote(line, stores[i]);
	buf_add_u8(line, '\n');
	return (token->failed || line->failed ? -1 : 0);
}

/* NULL, or what is wrong with it. */
static const char *
statics_line(struct statics *s, struct bytes line)
{
	struct statik *e = &s->v[s->n];
	struct bytes hash = bytes_word(&line), scope, word;
	struct claims claims;
	json_t *root, *aud;

	if (hash.n == 0 || hash.p[0] == '#')
		return (NULL);
	if (s->n == STATICS_MAX)
		return ("there are more than 512 tokens");
	if (hash.n != 2 * sizeof(e->hash) ||
	    hex_decode(e->hash, sizeof(e->hash), hash) !=
		(ssize_t)sizeof(e->hash))
		return ("the hash is not 64 hexadecimal digits");
	scope = bytes_word(&line);
	if (scope_parse(scope) == SCOPE_NONE)
		return ("the scope is not read, write or admin");
	word = bytes_word(&line);
	root = json_pack("{s:o,s:s,s:[]}", "sub", statics_text(word), "scope",
	    scope_name(scope_parse(scope)), "aud");
	aud = json_object_get(root, "aud");
	while ((word = bytes_word(&line)).n > 0)
		if (json_array_append_new(aud, statics_text(word)) == -1)
			break;
	e->claims = json_array_size(aud) == 0 || word.n > 0
	    ? NULL
	    : json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (e->claims == NULL)
		return ("subject and stores do not follow");
	s->n++; /* it is freed with the others */
	if (claims_parse(bytes_str(e->claims), &claims) != NULL)
		return ("subject or stores are too long or too many");
	claims_free(&claims);
	return (NULL);
}

/* NULL: not UTF-8, or nothing. */
static json_t *
statics_text(struct bytes word)
{
	struct buf text = BUF_INIT;
	json_t *value = NULL;

	doc_name_unquote(word, &text);
	if (!text.failed && text.len > 0)
		value =
		    json_stringn((const char *)buf_bytes(&text).p, text.len);
	buf_free(&text);
	return (value);
}

static uint64_t
statics_mark(const uint8_t *hash)
{
	return (be64_get(hash) | 1);
}

/* A blank would end the word. */
static void
statics_quote(struct buf *line, struct bytes word)
{
	size_t i;

	buf_add_u8(line, ' ');
	for (i = 0; i < word.n; i++)
		if (word.p[i] <= ' ' || word.p[i] > 0x7e || word.p[i] == '\\')
			buf_printf(line, "\\x%02x", word.p[i]);
		else
			buf_add_u8(line, word.p[i]);
}
