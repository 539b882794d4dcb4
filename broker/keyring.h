/*
 * The keys that tokens are checked and made with.  They live in sodium_malloc
 * memory (guarded, locked, not in cores), are read-only once loaded and are
 * wiped when the ring is freed.  A reload is: load anew, swap, free the old.
 *
 * The key file holds one key a line, '#' begins a comment line:
 *
 *	kid HS256 base64url-of-the-octets
 *	kid HS256 text:the rest of the line as octets
 *	kid EdDSA pub:base64url-of-32-octets	(checks only)
 *	kid EdDSA sec:base64url-of-32-octet-seed	(checks and makes)
 *
 * A kid of "-" is no kid.  A file whose only line is one word is one HS256 key
 * without kid whose octets are that word (an SDS_JWT_SECRET as it is).  Blanks
 * at the end of a line do not count.
 */
#ifndef QUIRE_KEYRING_H
#define QUIRE_KEYRING_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/jwt.h"

struct stat;

#define KEYRING_KEYS_MAX   64	 /* keys in a ring */
#define KEYRING_FILE_MAX   65536 /* octets of a key file */
#define KEYRING_SECRET_MIN 32	 /* octets of an HS256 secret */
#define KEY_SEED_LEN	   32	 /* octets of an EdDSA seed or public key */

enum key_alg { KEY_HS256, KEY_EDDSA };

struct key {
	char kid[JWT_KID_MAX + 1]; /* "": none */
	enum key_alg alg;
	uint8_t *secret; /* HS256: octets; EdDSA: 64, or NULL */
	size_t secret_n;
	uint8_t public[32]; /* EdDSA */
	uint64_t mark; /* tells it from others and does not tell it; not 0 */
};

struct keyring {
	size_t n;
	size_t named; /* keys with a kid */
	struct key keys[KEYRING_KEYS_MAX];
};

/*
 * The file must be regular, no link, of root or the effective user, without
 * write permission for group and others and, unless it holds public keys
 * alone, without read permission for others.  NULL with errno if not, or if a
 * line is wrong: the log then names file, line and the key's kid, never the
 * key.
 */
struct keyring *keyring_load(const char *path);
/* The same from a descriptor, which stays open; name is for the log. */
struct keyring *keyring_load_fd(int fd, const char *name);
void keyring_free(struct keyring *); /* NULL is fine */

/*
 * The text of such a file, st_size octets, for sodium_free; the log says why
 * if NULL.  What others may read is the caller's to judge.
 */
uint8_t *keyring_read(int fd, const char *name, struct stat *);
/* What both open: no link, no waiting.  The log says why if -1. */
int keyring_open(const char *path);
/* Logs what is wrong with such a file; -1 with EPERM. */
int keyring_refuse(const char *name, const char *reason);

/* The same from text; name stands for the file in the log. */
struct keyring *keyring_parse(const char *name, struct bytes text);

/* The next key of that name ("" for keys without one) after prev, or NULL. */
const struct key *keyring_next(const struct keyring *, struct bytes kid,
    const struct key *prev);

/* Whether it holds the key of that mark. */
bool keyring_marked(const struct keyring *, uint64_t mark);

/* The first key that can sign, with that kid or (kid NULL) with any. */
const struct key *keyring_signer(const struct keyring *, const char *kid);

/* "HS256", "EdDSA": the header's alg, exactly. */
const char *key_alg_name(enum key_alg);

/*
 * Makes a key file (mode 0600) with one new random key and syncs it, and its
 * directory.
 * kid "" makes a key without one.  -1 with errno: EEXIST if there is a file.
 */
int keyring_generate(const char *path, enum key_alg, const char *kid);

/* As jwt_header_kid wants it, and a word of a key file. */
int keyring_kid_ok(struct bytes kid);

/* Appends the line of a new random key. */
int keyring_new_line(struct buf *, enum key_alg, const char *kid);

/*
 * keyedit.c: puts a new key on top of a file, or takes the keys of that name
 * ("-": of none) out; owner and mode stay.  -1 with errno: EINVAL the file
 * would not be valid, ENOENT no such key, EEXIST it is being changed.
 */
int keyring_file_add(const char *path, enum key_alg, const char *kid);
int keyring_file_retire(const char *path, const char *kid);

/* True if nothing but one word stands in the text: a bare secret. */
int keyring_sole_word(struct bytes text, struct bytes *word);

/* Appends the line of a file that can check what this EdDSA key signs. */
int keyring_public_line(struct buf *, const struct key *);

#endif
