/*
 * Key files: what is read, what is refused, and that no error tells a key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/keyring.h"

#define SECRET "0123456789abcdef0123456789abcdef"
/* The same octets in base64url. */
#define SECRET64 "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
#define PUBLIC64 "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define SEED64	 "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"

static char dir[] = "/tmp/quire-keyring-XXXXXX";
static char path[64];
static char told[4096]; /* what the log said */

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return (-1);
	snprintf(path, sizeof(path), "%s/keys", dir);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return (rmdir(dir));
}

/* keyring_load with what it logs in told. */
static struct keyring *
load(const char *name)
{
	struct keyring *ring;
	int fd[2], saved, err;
	ssize_t n;

	assert_int_equal(pipe(fd), 0);
	assert_int_not_equal(saved = dup(STDERR_FILENO), -1);
	assert_int_not_equal(dup2(fd[1], STDERR_FILENO), -1);
	close(fd[1]);
	ring = keyring_load(name);
	err = errno;
	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	close(saved);
	n = read(fd[0], told, sizeof(told) - 1);
	told[n > 0 ? n : 0] = '\0';
	close(fd[0]);
	errno = err;
	return (ring);
}

static struct keyring *
load_text(const char *text, mode_t mode)
{
	FILE *fp;

	unlink(path);
	assert_non_null(fp = fopen(path, "w"));
	assert_true(fputs(text, fp) >= 0);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(chmod(path, mode), 0);
	return (load(path));
}

static void
a_bare_secret_is_one_key_without_kid_taken_as_text(void **state)
{
	static const char *const texts[] = { SECRET, SECRET "\n",
		"\n  " SECRET "\r\n\n" };
	struct keyring *ring;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_non_null(ring = load_text(texts[i], 0600));
		assert_string_equal(told, "");
		assert_int_equal(ring->n, 1);
		assert_int_equal(ring->named, 0);
		assert_string_equal(ring->keys[0].kid, "");
		assert_int_equal(ring->keys[0].alg, KEY_HS256);
		assert_int_equal(ring->keys[0].secret_n, 32);
		assert_memory_equal(ring->keys[0].secret, SECRET, 32);
		keyring_free(ring);
	}
}

static void
lines_give_keys_of_either_algorithm(void **state)
{
	struct keyring *ring;
	const struct key *key;

	(void)state;
	ring = load_text(
	    "# a comment\n\n"
	    "k1 HS256 " SECRET64 "\n"
	    "  k2\tHS256\ttext:a secret with blanks and # signs in it \n"
	    "- HS256 text:" SECRET "\n"
	    "pub EdDSA pub:" PUBLIC64 "\n"
	    "sec EdDSA sec:" SEED64,
	    0640);
	assert_non_null(ring);
	assert_string_equal(told, "");
	assert_int_equal(ring->n, 5);
	assert_int_equal(ring->named, 4);
	assert_non_null(key = keyring_next(ring, BYTES_LIT("k1"), NULL));
	assert_int_equal(key->secret_n, 32);
	assert_memory_equal(key->secret, SECRET, 32);
	assert_null(keyring_next(ring, BYTES_LIT("k1"), key));
	assert_non_null(key = keyring_next(ring, BYTES_LIT("k2"), NULL));
	assert_true(bytes_eq(bytes_of(key->secret, key->secret_n),
	    BYTES_LIT("a secret with blanks and # signs in it")));
	assert_non_null(key = keyring_next(ring, BYTES_NONE, NULL));
	assert_string_equal(key->kid, "");
	assert_null(keyring_next(ring, BYTES_LIT("-"), NULL));
	assert_non_null(key = keyring_next(ring, BYTES_LIT("pub"), NULL));
	assert_null(key->secret);
	assert_non_null(key = keyring_next(ring, BYTES_LIT("sec"), NULL));
	assert_int_equal(key->secret_n, 64);
	/* RFC 8037 A.1 and A.2: that seed has that public key. */
	assert_memory_equal(key->public,
	    keyring_next(ring, BYTES_LIT("pub"), NULL)->public, 32);
	keyring_free(ring);
}

static void
a_signer_is_a_key_with_a_secret(void **state)
{
	struct keyring *ring;

	(void)state;
	ring = load_text("p EdDSA pub:" PUBLIC64 "\n"
			 "h HS256 " SECRET64 "\n"
			 "- HS256 text:" SECRET "\n",
	    0600);
	assert_non_null(ring);
	assert_string_equal(keyring_signer(ring, NULL)->kid, "h");
	assert_string_equal(keyring_signer(ring, "")->kid, "");
	assert_null(keyring_signer(ring, "p"));
	assert_null(keyring_signer(ring, "x"));
	keyring_free(ring);
}

static const struct {
	const char *text;
	const char *says; /* behind the file's name */
} wrong[] = {
	{ "", ": there is no key" },
	{ "# nothing\n", ": there is no key" },
	{ "0123456789abcdef0123456789abcde", ":1: the only word has fewer" },
	{ "k1 HS256 text:0123456789abcdef0123456789abcde",
	    ":1: \"k1\": the key is not" },
	{ "\n#\nk1 HS256 MDEy\n", ":3: \"k1\": the key is not" },
	{ "k1 HS256 " SECRET64 "=", ":1: \"k1\": the key is not" },
	{ "k1 HS256 MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZ",
	    ":1: \"k1\": the key is not" }, /* tail bits */
	{ "k1 HS256 " SECRET64 " x", ":1: \"k1\": the key is not" },
	{ "k1 HS256", ":1: \"k1\": the key is not" },
	{ "k1 HS512 " SECRET64, ":1: the second word is not" },
	{ "k1 hs256 " SECRET64, ":1: the second word is not" },
	{ "correct horse battery staple and several more words",
	    ":1: the second word is not" },
	{ SECRET "\n" SECRET "\n", ":1: the second word is not" },
	{ "k1 HS256 " SECRET64 "\nk1 HS256 " SECRET64,
	    ":2: \"k1\": the kid stands there twice" },
	{ "k\"1 HS256 " SECRET64, ":1: \"k\\x221\": the kid is not" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  " HS256 " SECRET64,
	    ": the kid is not" },
	{ "e EdDSA " PUBLIC64, ":1: \"e\": the key is not pub:" },
	{ "e EdDSA pub:MDEy", ":1: \"e\": the key is not pub:" },
	{ "e EdDSA pub:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    ":1: \"e\": the key is not pub:" }, /* of small order */
	{ "e EdDSA sec:" SEED64 "AAAA", ":1: \"e\": the key is not pub:" },
	{ "e EdDSA", ":1: \"e\": the key is not pub:" },
};

static void
an_error_names_file_line_and_kid_and_never_the_key(void **state)
{
	static const char *const secrets[] = { "0123", "MDEy", "horse",
		"correct", PUBLIC64, SEED64 };
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(load_text(wrong[i].text, 0600));
		assert_int_equal(errno, EINVAL);
		if (strstr(told, path) == NULL ||
		    strstr(told, wrong[i].says) == NULL)
			fail_msg("row %zu: %s", i, told);
		for (j = 0; j < sizeof(secrets) / sizeof(secrets[0]); j++)
			if (strstr(told, secrets[j]) != NULL)
				fail_msg("row %zu tells a key: %s", i, told);
	}
}

static void
a_key_file_that_others_may_touch_is_refused(void **state)
{
	static const mode_t bad[] = { 0604, 0644, 0620, 0660, 0602, 0666 };
	static const mode_t good[] = { 0600, 0400, 0640, 0440 };
	struct keyring *ring;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(load_text(SECRET, bad[i]));
		assert_int_equal(errno, EPERM);
		assert_non_null(strstr(told, "the key file may be"));
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_non_null(ring = load_text(SECRET, good[i]));
		keyring_free(ring);
	}
}

static void
public_keys_alone_may_be_read_by_others(void **state)
{
	struct keyring *ring;

	(void)state;
	ring = load_text("k EdDSA pub:" PUBLIC64 "\n", 0644);
	assert_non_null(ring);
	keyring_free(ring);
	assert_null(load_text("k EdDSA pub:" PUBLIC64 "\n", 0664));
	assert_null(load_text("k EdDSA pub:" PUBLIC64 "\n"
			      "l HS256 text:" SECRET "\n",
	    0644));
	assert_non_null(strstr(told, "may be read by others"));
}

static void
a_foreign_owner_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	keyring_free(load_text(SECRET, 0600));
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	assert_null(load(path));
	assert_int_equal(errno, EPERM);
	assert_non_null(strstr(told, "belongs to neither"));
}

static void
links_folders_fifos_and_absent_files_are_refused(void **state)
{
	char other[80];

	(void)state;
	keyring_free(load_text(SECRET, 0600));
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(symlink(path, other), 0);
	assert_null(load(other));
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(mkfifo(other, 0600), 0);
	assert_null(load(other));
	assert_non_null(strstr(told, "is no regular file"));
	assert_int_equal(unlink(other), 0);
	assert_null(load(other));
	assert_int_equal(errno, ENOENT);
	assert_null(load(dir));
	assert_non_null(strstr(told, "is no regular file"));
}

static void
a_file_too_long_or_with_too_many_keys_is_refused(void **state)
{
	static char text[KEYRING_FILE_MAX + 2];
	size_t i, n = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_null(load_text(text, 0600));
	assert_int_equal(errno, EPERM);
	for (i = 0; i <= KEYRING_KEYS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "k%zu HS256 text:%s\n", i, SECRET);
	assert_null(load_text(text, 0600));
	assert_non_null(strstr(told, ":65: \"k64\": there are more than 64"));
}

static void
a_generated_file_is_private_new_and_loads(void **state)
{
	struct keyring *one, *two;
	struct stat st;

	(void)state;
	unlink(path);
	umask(0);
	assert_int_equal(keyring_generate(path, KEY_HS256, "k1"), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_non_null(one = load(path));
	assert_int_equal(one->n, 1);
	assert_string_equal(one->keys[0].kid, "k1");
	assert_int_equal(one->keys[0].secret_n, 32);
	assert_int_equal(keyring_generate(path, KEY_HS256, "k2"), -1);
	assert_int_equal(errno, EEXIST);
	unlink(path);
	assert_int_equal(keyring_generate(path, KEY_HS256, ""), 0);
	assert_non_null(two = load(path));
	assert_int_equal(two->named, 0);
	assert_memory_not_equal(one->keys[0].secret, two->keys[0].secret, 32);
	keyring_free(one);
	keyring_free(two);
	unlink(path);
	assert_int_equal(keyring_generate(path, KEY_HS256, "two words"), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(access(path, F_OK), -1);
}

static size_t directories; /* that were synced */

/* In the place of the library's. */
int
fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		directories++;
	return ((int)syscall(SYS_fsync, fd));
}

static void
a_new_name_is_on_the_disk_when_it_is_said(void **state)
{
	(void)state;
	unlink(path);
	directories = 0;
	assert_int_equal(keyring_generate(path, KEY_HS256, "k1"), 0);
	assert_int_equal(directories, 1);
	assert_int_equal(keyring_file_add(path, KEY_HS256, "k2"), 0);
	assert_int_equal(directories, 2);
	unlink(path);
}

static void
the_public_half_of_a_generated_key_checks_and_cannot_sign(void **state)
{
	struct keyring *whole, *half;
	struct buf line = BUF_INIT;

	(void)state;
	unlink(path);
	assert_int_equal(keyring_generate(path, KEY_EDDSA, "k1"), 0);
	assert_non_null(whole = load(path));
	assert_int_equal(whole->keys[0].alg, KEY_EDDSA);
	assert_non_null(keyring_signer(whole, "k1"));
	assert_int_equal(keyring_public_line(&line, &whole->keys[0]), 0);
	assert_non_null(half = keyring_parse("half", buf_bytes(&line)));
	assert_string_equal(half->keys[0].kid, "k1");
	assert_memory_equal(half->keys[0].public, whole->keys[0].public, 32);
	assert_null(keyring_signer(half, NULL));
	buf_free(&line);
	keyring_free(whole);
	keyring_free(half);
}

static void
freeing_nothing_is_fine(void **state)
{
	(void)state;
	keyring_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_bare_secret_is_one_key_without_kid_taken_as_text),
		cmocka_unit_test(lines_give_keys_of_either_algorithm),
		cmocka_unit_test(a_signer_is_a_key_with_a_secret),
		cmocka_unit_test(
		    an_error_names_file_line_and_kid_and_never_the_key),
		cmocka_unit_test(a_key_file_that_others_may_touch_is_refused),
		cmocka_unit_test(public_keys_alone_may_be_read_by_others),
		cmocka_unit_test(a_foreign_owner_is_refused),
		cmocka_unit_test(
		    links_folders_fifos_and_absent_files_are_refused),
		cmocka_unit_test(
		    a_file_too_long_or_with_too_many_keys_is_refused),
		cmocka_unit_test(a_generated_file_is_private_new_and_loads),
		cmocka_unit_test(a_new_name_is_on_the_disk_when_it_is_said),
		cmocka_unit_test(
		    the_public_half_of_a_generated_key_checks_and_cannot_sign),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return (cmocka_run_group_tests_name("keyring", tests, setup, teardown));
}
