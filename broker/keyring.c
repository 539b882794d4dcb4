/*
 * Reads lines of keys and holds them; keyfile.c reads the file, keygen.c makes
 * keys.  What is done with them is token.c's business; a key's octets leave
 * this file only inside struct key, and never for a log.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "common/log.h"
#include "broker/keyring.h"

/* Where a line stands and whose it is: all that the log may learn. */
struct keyring_at {
	const char *file;
	unsigned line;
	struct bytes kid;
};

typedef int key_set_fn(struct key *, struct bytes);

static int keyring_readable_ok(const struct keyring *, const char *,
    const struct stat *);
static int keyring_lines(struct keyring *, const char *, struct bytes);
static int keyring_line(struct keyring *, struct keyring_at *, struct bytes);
static int keyring_add(struct keyring *, const struct keyring_at *,
    enum key_alg, struct bytes);
static int keyring_error(const struct keyring_at *, const char *);
static struct bytes keyring_cut(struct bytes *, const char *);
static struct bytes keyring_trim(struct bytes);
static int key_secret_set(struct key *, struct bytes);
static void key_mark(struct key *);
static ssize_t key_decode(uint8_t *, size_t, struct bytes);
static key_set_fn key_set_hs256, key_set_eddsa;

static const struct key_alg_row {
	const char *name;
	key_set_fn *set;
	const char *want;
} key_algs[] = {
	[KEY_HS256] = { "HS256", key_set_hs256,
	    "the key is not text: or base64url of at least 32 octets" },
	[KEY_EDDSA] = { "EdDSA", key_set_eddsa,
	    "the key is not pub: or sec: with base64url of 32 octets" },
};

#define KEY_ALG_COUNT (sizeof(key_algs) / sizeof(key_algs[0]))

struct keyring *
keyring_load(const char *path)
{
	struct keyring *ring;
	int fd, saved;

	if ((fd = keyring_open(path)) == -1)
		return (NULL);
	ring = keyring_load_fd(fd, path);
	saved = errno;
	close(fd);
	errno = saved;
	return (ring);
}

struct keyring *
keyring_load_fd(int fd, const char *name)
{
	struct keyring *ring;
	struct stat st;
	uint8_t *text;
	int saved;

	if ((text = keyring_read(fd, name, &st)) == NULL)
		return (NULL);
	ring = keyring_parse(name, bytes_of(text, (size_t)st.st_size));
	if (ring != NULL && keyring_readable_ok(ring, name, &st) == -1) {
		keyring_free(ring);
		ring = NULL;
		errno = EPERM;
	}
	saved = errno;
	sodium_free(text);
	errno = saved;
	return (ring);
}

struct keyring *
keyring_parse(const char *name, struct bytes text)
{
	struct keyring_at at = { name, 1, BYTES_NONE };
	struct keyring *ring;
	struct bytes word;
	int rc;

	if (sodium_init() == -1 || (ring = calloc(1, sizeof(*ring))) == NULL)
		return (NULL);
	if (keyring_sole_word(text, &word)) {
		if ((rc = key_secret_set(&ring->keys[0], word)) == 0) {
			ring->n = 1;
			key_mark(&ring->keys[0]);
		} else
			keyring_error(&at,
			    "the only word has fewer than 32 octets");
	} else
		rc = keyring_lines(ring, name, text);
	if (rc == 0)
		return (ring);
	keyring_free(ring);
	errno = EINVAL;
	return (NULL);
}

void
keyring_free(struct keyring *ring)
{
	size_t i;

	if (ring == NULL)
		return;
	for (i = 0; i < KEYRING_KEYS_MAX; i++)
		sodium_free(ring->keys[i].secret);
	free(ring);
}

const struct key *
keyring_next(const struct keyring *ring, struct bytes kid,
    const struct key *prev)
{
	size_t i;

	i = prev == NULL ? 0 : (size_t)(prev - ring->keys) + 1;
	for (; i < ring->n; i++)
		if (bytes_eq(bytes_str(ring->keys[i].kid), kid))
			return (&ring->keys[i]);
	return (NULL);
}

bool
keyring_marked(const struct keyring *ring, uint64_t mark)
{
	size_t i;

	for (i = 0; i < ring->n; i++)
		if (ring->keys[i].mark == mark)
			return (true);
	return (false);
}

const struct key *
keyring_signer(const struct keyring *ring, const char *kid)
{
	size_t i;

	for (i = 0; i < ring->n; i++)
		if (ring->keys[i].secret != NULL &&
		    (kid == NULL || strcmp(ring->keys[i].kid, kid) == 0))
			return (&ring->keys[i]);
	return (NULL);
}

const char *
key_alg_name(enum key_alg alg)
{
	return (key_algs[alg].name);
}

/* Known only once it is read: public keys are nobody's secret. */
static int
keyring_readable_ok(const struct keyring *ring, const char *path,
    const struct stat *st)
{
	if ((st->st_mode & S_IROTH) == 0 || keyring_signer(ring, NULL) == NULL)
		return (0);
	return (keyring_refuse(path, "may be read by others: chmod 600"));
}

int
keyring_sole_word(struct bytes text, struct bytes *word)
{
	struct bytes rest = keyring_trim(text);

	*word = keyring_cut(&rest, " \t\r\n");
	return (word->n != 0 && rest.n == 0 && word->p[0] != '#');
}

static int
keyring_lines(struct keyring *ring, const char *name, struct bytes text)
{
	struct keyring_at at = { name, 0, BYTES_NONE };
	struct bytes line;

	while (text.n != 0) {
		line = keyring_trim(keyring_cut(&text, "\n"));
		at.line++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (keyring_line(ring, &at, line) == -1)
			return (-1);
	}
	at.kid = BYTES_NONE;
	return (ring->n == 0 ? keyring_error(&at, "there is no key") : 0);
}

/*
 * No word of the line is named before its second one proves to be an
 * algorithm: the line might be a secret with blanks in it.
 */
static int
keyring_line(struct keyring *ring, struct keyring_at *at, struct bytes line)
{
	struct bytes kid, alg;
	size_t i;

	kid = keyring_cut(&line, " \t");
	line = keyring_trim(line);
	alg = keyring_cut(&line, " \t");
	line = keyring_trim(line);
	at->kid = BYTES_NONE;
	for (i = 0; i < KEY_ALG_COUNT; i++)
		if (bytes_eq(alg, bytes_str(key_algs[i].name)))
			break;
	if (i == KEY_ALG_COUNT)
		return (
		    keyring_error(at, "the second word is not HS256 or EdDSA"));
	at->kid = kid;
	return (keyring_add(ring, at, (enum key_alg)i, line));
}

static int
keyring_add(struct keyring *ring, const struct keyring_at *at, enum key_alg alg,
    struct bytes value)
{
	struct key *key = &ring->keys[ring->n];
	struct bytes kid = at->kid;

	if (ring->n == KEYRING_KEYS_MAX)
		return (keyring_error(at, "there are more than 64 keys"));
	if (bytes_eq(kid, BYTES_LIT("-")))
		kid = BYTES_NONE;
	else if (!keyring_kid_ok(kid))
		return (keyring_error(at,
		    "the kid is not 1 to 64 printable characters"));
	else if (keyring_next(ring, kid, NULL) != NULL)
		return (keyring_error(at, "the kid stands there twice"));
	if (key_algs[alg].set(key, value) == -1)
		return (keyring_error(at, key_algs[alg].want));
	key->alg = alg;
	if (kid.n != 0)
		memcpy(key->kid, kid.p, kid.n);
	key_mark(key);
	ring->named += kid.n != 0;
	ring->n++;
	return (0);
}

static int
keyring_error(const struct keyring_at *at, const char *reason)
{
	char kid[JWT_KID_MAX + 8];

	log_quote(kid, sizeof(kid), at->kid);
	if (at->kid.n != 0)
		log_warnx("%s:%u: \"%s\": %s", at->file, at->line, kid, reason);
	else
		log_warnx("%s:%u: %s", at->file, at->line, reason);
	return (-1);
}

int
keyring_kid_ok(struct bytes kid)
{
	size_t i;

	if (kid.n == 0 || kid.n > JWT_KID_MAX || kid.p[0] == '#' ||
	    bytes_eq(kid, BYTES_LIT("-")))
		return (0);
	for (i = 0; i < kid.n; i++)
		if (kid.p[i] <= 0x20 || kid.p[i] > 0x7e || kid.p[i] == '"' ||
		    kid.p[i] == '\\')
			return (0);
	return (1);
}

/* The octets up to one of the stops; *rest continues behind it. */
static struct bytes
keyring_cut(struct bytes *rest, const char *stops)
{
	struct bytes b = *rest;
	size_t n = 0;

	while (n < b.n && (b.p[n] == '\0' || strchr(stops, b.p[n]) == NULL))
		n++;
	*rest = bytes_skip(b, n + 1);
	return (bytes_of(b.p, n));
}

static struct bytes
keyring_trim(struct bytes b)
{
	static const char blanks[] = " \t\r\n";

	while (b.n != 0 && b.p[0] != '\0' && strchr(blanks, b.p[0]) != NULL)
		b = bytes_skip(b, 1);
	while (b.n != 0 && b.p[b.n - 1] != '\0' &&
	    strchr(blanks, b.p[b.n - 1]) != NULL)
		b.n--;
	return (b);
}

static int
key_secret_set(struct key *key, struct bytes octets)
{
	if (octets.n < KEYRING_SECRET_MIN ||
	    (key->secret = sodium_malloc(octets.n)) == NULL)
		return (-1);
	memcpy(key->secret, octets.p, octets.n);
	key->secret_n = octets.n;
	return (sodium_mprotect_readonly(key->secret));
}

/* Of a pair it is the same whichever half is there. */
static void
key_mark(struct key *key)
{
	uint8_t hash[crypto_generichash_BYTES];
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	crypto_generichash_update(&st, (const uint8_t *)key->kid,
	    sizeof(key->kid));
	if (key->alg == KEY_EDDSA)
		crypto_generichash_update(&st, key->public,
		    sizeof(key->public));
	else
		crypto_generichash_update(&st, key->secret, key->secret_n);
	crypto_generichash_final(&st, hash, sizeof(hash));
	key->mark = be64_get(hash) | 1;
}

static int
key_set_hs256(struct key *key, struct bytes value)
{
	struct bytes prefix = BYTES_LIT("text:");
	uint8_t *octets;
	ssize_t n;
	int rc = -1;

	if (bytes_start(value, prefix))
		return (key_secret_set(key, bytes_skip(value, prefix.n)));
	if ((octets = sodium_malloc(value.n)) == NULL)
		return (-1);
	if ((n = key_decode(octets, value.n, value)) != -1)
		rc = key_secret_set(key, bytes_of(octets, (size_t)n));
	sodium_free(octets);
	return (rc);
}

static int
key_set_eddsa(struct key *key, struct bytes value)
{
	struct bytes kind, text;
	uint8_t octets[KEY_SEED_LEN];
	int rc = -1;

	kind = bytes_of(value.p, value.n < 4 ? value.n : 4);
	text = bytes_skip(value, 4);
	if (key_decode(octets, sizeof(octets), text) != KEY_SEED_LEN)
		goto out;
	if (bytes_eq(kind, BYTES_LIT("pub:"))) {
		memcpy(key->public, octets, sizeof(key->public));
		rc = crypto_core_ed25519_is_valid_point(octets) ? 0 : -1;
	} else if (bytes_eq(kind, BYTES_LIT("sec:"))) {
		key->secret_n = crypto_sign_SECRETKEYBYTES;
		if ((key->secret = sodium_malloc(key->secret_n)) == NULL)
			goto out;
		crypto_sign_seed_keypair(key->public, key->secret, octets);
		rc = sodium_mprotect_readonly(key->secret);
	}
out:
	sodium_memzero(octets, sizeof(octets));
	return (rc);
}

/* Not base64url_decode: libsodium's takes the same time for every key. */
static ssize_t
key_decode(uint8_t *dst, size_t size, struct bytes text)
{
	size_t n;

	if (text.n == 0 ||
	    sodium_base642bin(dst, size, (const char *)text.p, text.n, NULL, &n,
		NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return (-1);
	return ((ssize_t)n);
}
