/*
 * Makes key files, and the public half of one.  Reading them is keyring.c.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sodium.h>

#include "broker/durable.h"
#include "broker/keyring.h"

static int keygen_line(struct buf *, enum key_alg, const char *, const char *,
    const uint8_t[KEY_SEED_LEN]);
static int keygen_write(int, struct bytes);

int
keyring_generate(const char *path, enum key_alg alg, const char *kid)
{
	struct buf line = BUF_INIT;
	int fd, rc, saved;

	if (sodium_init() == -1)
		return (-1);
	if (*kid != '\0' && !keyring_kid_ok(bytes_str(kid))) {
		errno = EINVAL;
		return (-1);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    S_IRUSR | S_IWUSR);
	if (fd == -1)
		return (-1);
	rc = keyring_new_line(&line, alg, kid);
	if (rc == 0)
		rc = keygen_write(fd, buf_bytes(&line));
	saved = errno;
	buf_wipe(&line);
	if (close(fd) == -1 && rc == 0) {
		rc = -1;
		saved = errno;
	}
	if (rc == 0 && (rc = durable_name(path)) == -1)
		saved = errno;
	if (rc == -1)
		unlink(path);
	errno = saved;
	return (rc);
}

int
keyring_new_line(struct buf *out, enum key_alg alg, const char *kid)
{
	uint8_t secret[KEY_SEED_LEN];
	int rc;

	if (sodium_init() == -1)
		return (-1);
	randombytes_buf(secret, sizeof(secret));
	rc = keygen_line(out, alg, kid, alg == KEY_EDDSA ? "sec:" : "", secret);
	sodium_memzero(secret, sizeof(secret));
	return (rc);
}

int
keyring_public_line(struct buf *out, const struct key *key)
{
	return (keygen_line(out, KEY_EDDSA, key->kid, "pub:", key->public));
}

static int
keygen_line(struct buf *out, enum key_alg alg, const char *kid,
    const char *prefix, const uint8_t octets[KEY_SEED_LEN])
{
	char text[sodium_base64_ENCODED_LEN(KEY_SEED_LEN,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
	int rc;

	sodium_bin2base64(text, sizeof(text), octets, KEY_SEED_LEN,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	rc = buf_printf(out, "%s %s %s%s\n", *kid == '\0' ? "-" : kid,
	    key_alg_name(alg), prefix, text);
	sodium_memzero(text, sizeof(text));
	return (rc);
}

static int
keygen_write(int fd, struct bytes text)
{
	ssize_t r;

	if ((r = write(fd, text.p, text.n)) == -1)
		return (-1);
	if ((size_t)r != text.n) {
		errno = ENOSPC;
		return (-1);
	}
	return (fsync(fd));
}
