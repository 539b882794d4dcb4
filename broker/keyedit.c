/*
 * Changes key files: a key more, one less.  The new file is written beside the
 * old one, checked as the broker will, and takes its place in one step.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "broker/durable.h"
#include "broker/keyring.h"

/* Appends the new text of the file to out. */
typedef int keyedit_fn(struct buf *out, struct bytes text, enum key_alg,
    const char *kid);

static int keyedit(const char *, keyedit_fn *, enum key_alg, const char *);
static int keyedit_text(const char *, keyedit_fn *, enum key_alg, const char *,
    struct buf *, struct stat *);
static int keyedit_replace(const char *, struct bytes, const struct stat *);
static int keyedit_write(int, struct bytes, const struct stat *);
static keyedit_fn keyedit_add, keyedit_retire;
static struct bytes keyedit_kid(struct bytes);

int
keyring_file_add(const char *path, enum key_alg alg, const char *kid)
{
	if (!keyring_kid_ok(bytes_str(kid))) {
		errno = EINVAL;
		return (-1);
	}
	return (keyedit(path, keyedit_add, alg, kid));
}

int
keyring_file_retire(const char *path, const char *kid)
{
	return (keyedit(path, keyedit_retire, KEY_HS256, kid));
}

static int
keyedit(const char *path, keyedit_fn *edit, enum key_alg alg, const char *kid)
{
	struct buf out = BUF_INIT;
	struct stat st;
	int rc, saved;

	rc = keyedit_text(path, edit, alg, kid, &out, &st);
	if (rc == 0)
		rc = keyedit_replace(path, buf_bytes(&out), &st);
	saved = errno;
	buf_wipe(&out);
	errno = saved;
	return (rc);
}

static int
keyedit_text(const char *path, keyedit_fn *edit, enum key_alg alg,
    const char *kid, struct buf *out, struct stat *st)
{
	struct keyring *ring = NULL;
	uint8_t *text = NULL;
	int fd, rc = -1, saved;

	if ((fd = keyring_open(path)) == -1)
		return (-1);
	if ((text = keyring_read(fd, path, st)) != NULL)
		rc = edit(out, bytes_of(text, (size_t)st->st_size), alg, kid);
	if (rc == 0 && (ring = keyring_parse(path, buf_bytes(out))) == NULL)
		rc = -1;
	saved = errno;
	keyring_free(ring);
	sodium_free(text);
	close(fd);
	errno = saved;
	return (rc);
}

static int
keyedit_replace(const char *path, struct bytes text, const struct stat *st)
{
	char *beside;
	int fd, rc, saved;

	if (asprintf(&beside, "%s.new", path) == -1)
		return (-1);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    S_IRUSR | S_IWUSR);
	if (fd == -1) {
		free(beside);
		return (-1);
	}
	rc = keyedit_write(fd, text, st);
	if (rc == 0)
		rc = durable_rename(beside, path);
	saved = errno;
	if (rc == -1)
		unlink(beside);
	close(fd);
	free(beside);
	errno = saved;
	return (rc);
}

/* Whose it was it stays; what is not ours to give is not given. */
static int
keyedit_write(int fd, struct bytes text, const struct stat *st)
{
	ssize_t n;

	if ((n = write(fd, text.p, text.n)) == -1)
		return (-1);
	if ((size_t)n != text.n) {
		errno = ENOSPC;
		return (-1);
	}
	if (fchown(fd, st->st_uid, st->st_gid) == -1 ||
	    fchmod(fd, st->st_mode & 0777) == -1)
		return (-1);
	return (fsync(fd));
}

/* On top, as the first that can sign is the one that does. */
static int
keyedit_add(struct buf *out, struct bytes text, enum key_alg alg,
    const char *kid)
{
	struct bytes word;

	if (keyring_new_line(out, alg, kid) == -1)
		return (-1);
	if (!keyring_sole_word(text, &word))
		return (buf_add_bytes(out, text));
	buf_add_str(out, "- HS256 text:");
	buf_add_bytes(out, word);
	return (buf_add_u8(out, '\n'));
}

static int
keyedit_retire(struct buf *out, struct bytes text, enum key_alg alg,
    const char *kid)
{
	const uint8_t *end;
	struct bytes line;
	size_t gone = 0;

	(void)alg;
	while (text.n > 0) {
		end = memchr(text.p, '\n', text.n);
		line = bytes_of(text.p,
		    end == NULL ? text.n : (size_t)(end - text.p) + 1);
		text = bytes_skip(text, line.n);
		if (bytes_eq(keyedit_kid(line), bytes_str(kid)))
			gone++;
		else if (buf_add_bytes(out, line) == -1)
			return (-1);
	}
	if (gone > 0)
		return (0);
	errno = ENOENT;
	return (-1);
}

/* The first word; that of a comment is no name of a key. */
static struct bytes
keyedit_kid(struct bytes line)
{
	size_t n = 0;

	while (line.n > 0 && (*line.p == ' ' || *line.p == '\t'))
		line = bytes_skip(line, 1);
	while (n < line.n && line.p[n] > ' ')
		n++;
	return (bytes_of(line.p, n));
}
