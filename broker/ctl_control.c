/*
 * quirectl status and stores: one line to the control socket, and the answer
 * as it comes or as JSON.
 *
 *	status	`name value' a line
 *	stores	the words of ctl_store_words and the name a line, name as
 *		log_quote writes it: \xNN stands for an octet
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/hex.h"
#include "common/log.h"
#include "common/utf8.h"
#include "broker/config.h"
#include "broker/ctl.h"

#define CTL_ANSWER_MAX	(256u * 1024u * 1024u)
#define CTL_STORE_WORDS (sizeof(ctl_store_words) / sizeof(ctl_store_words[0]))
#define CTL_WAIT_S	30

/* Adds one line of the answer to the JSON document.  0, or -1. */
typedef int ctl_line_fn(json_t *, struct bytes);

static int ctl_control(const struct ctl *, int, char **, json_t *(*)(void),
    ctl_line_fn *);
static int ctl_control_ask(const char *, const char *, struct buf *);
static int ctl_control_read(int, struct buf *);
static int ctl_control_refused(struct bytes);
static int ctl_control_json(struct bytes, json_t *, ctl_line_fn *);
static ctl_line_fn ctl_status_line, ctl_store_line;
static struct bytes ctl_word(struct bytes *, uint8_t);
static json_t *ctl_value(struct bytes);
static json_t *ctl_name(struct bytes);
static size_t ctl_unquote(uint8_t *, struct bytes);

static const char *const ctl_store_words[] = { "dialect", "room", "seq",
	"sessions", "records", "oldest", "bytes", "fresh" };

int
ctl_status(const struct ctl *ctl, int argc, char **argv)
{
	return (ctl_control(ctl, argc, argv, json_object, ctl_status_line));
}

int
ctl_stores(const struct ctl *ctl, int argc, char **argv)
{
	return (ctl_control(ctl, argc, argv, json_array, ctl_store_line));
}

static int
ctl_control(const struct ctl *ctl, int argc, char **argv, json_t *(*make)(void),
    ctl_line_fn *line)
{
	struct buf answer = BUF_INIT;
	struct config *config;
	int as_json = argc == 2 && strcmp(argv[1], "-j") == 0;
	int status;

	if (argc > 2 || (argc == 2 && !as_json))
		return (ctl_usage(argv[0]));
	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	status = ctl_control_ask(config->control, argv[0], &answer);
	if (status == 0 && as_json)
		status = ctl_control_json(buf_bytes(&answer), make(), line);
	else if (status == 0)
		fwrite(buf_bytes(&answer).p, 1, answer.len, stdout);
	if (status == 0 && fflush(stdout) == EOF) {
		log_warn("standard output");
		status = EX_IOERR;
	}
	buf_free(&answer);
	config_free(config);
	return (status);
}

/* An answer may be empty: no stores. */
static int
ctl_control_ask(const char *path, const char *command, struct buf *answer)
{
	char line[32];
	int fd, n, status = 0;

	if ((fd = ctl_connect(path, CTL_WAIT_S)) == -1)
		return (ctl_connect_failed(path, errno));
	n = snprintf(line, sizeof(line), "%s\n", command);
	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n ||
	    ctl_control_read(fd, answer) == -1)
		status = ctl_connect_failed(path, errno);
	else
		status = ctl_control_refused(buf_bytes(answer));
	close(fd);
	return (status);
}

int
ctl_connect(const char *path, time_t wait_s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = wait_s };
	int fd, saved;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		return (-1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return (fd);
	saved = errno;
	close(fd);
	errno = saved;
	return (-1);
}

static int
ctl_control_read(int fd, struct buf *answer)
{
	uint8_t *p;
	ssize_t n;

	for (;;) {
		if ((p = buf_room(answer, 65536)) == NULL)
			return (-1);
		n = read(fd, p, 65536);
		if (n == 0)
			return (0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		buf_grow(answer, (size_t)n);
		if (answer->len > CTL_ANSWER_MAX) {
			errno = EMSGSIZE;
			return (-1);
		}
	}
}

int
ctl_connect_failed(const char *path, int error)
{
	errno = error;
	if (error == ENOENT || error == ECONNREFUSED)
		log_warnx("%s: no broker answers there", path);
	else
		log_warn("%s", path);
	if (error == EACCES || error == EPERM)
		return (EX_NOPERM);
	return (error == ENOENT || error == ECONNREFUSED || error == EAGAIN
		? EX_UNAVAILABLE
		: EX_IOERR);
}

/* The broker says "error ..." in a line, maybe after others. */
static int
ctl_control_refused(struct bytes text)
{
	struct bytes line;

	while (text.n > 0) {
		line = ctl_word(&text, '\n');
		if (!bytes_start(line, BYTES_LIT("error ")))
			continue;
		line = bytes_skip(line, sizeof("error ") - 1);
		log_warnx("broker: %.*s", (int)line.n, (const char *)line.p);
		return (EX_UNAVAILABLE);
	}
	return (0);
}

/* Takes document over. */
static int
ctl_control_json(struct bytes text, json_t *document, ctl_line_fn *line)
{
	int status = EX_DATAERR;

	while (document != NULL && text.n > 0)
		if (line(document, ctl_word(&text, '\n')) == -1) {
			log_warnx("the broker's answer is not understood");
			goto out;
		}
	if (json_dumpf(document, stdout, JSON_INDENT(2)) == 0) {
		putchar('\n');
		status = 0;
	}
out:
	json_decref(document);
	return (status);
}

static int
ctl_status_line(json_t *object, struct bytes line)
{
	struct bytes name = ctl_word(&line, ' ');

	if (name.n == 0)
		return (-1);
	return (json_object_setn_new(object, (const char *)name.p, name.n,
	    ctl_value(line)));
}

static int
ctl_store_line(json_t *array, struct bytes line)
{
	json_t *store = json_object();
	struct bytes word;
	size_t i;

	for (i = 0; i < CTL_STORE_WORDS; i++) {
		word = ctl_word(&line, ' ');
		if (word.n == 0 ||
		    json_object_set_new(store, ctl_store_words[i],
			ctl_value(word)) == -1)
			goto err_store;
	}
	if (json_object_set_new(store, "name", ctl_name(line)) == -1)
		goto err_store;
	return (json_array_append_new(array, store));

err_store:
	json_decref(store);
	return (-1);
}

/* What stands before the separator, which is dropped with it. */
static struct bytes
ctl_word(struct bytes *text, uint8_t separator)
{
	const uint8_t *end =
	    text->n == 0 ? NULL : memchr(text->p, separator, text->n);
	struct bytes word = *text;

	if (end != NULL)
		word.n = (size_t)(end - text->p);
	*text = bytes_skip(*text, word.n + (end != NULL));
	return (word);
}

/* A number where it is one, else a text. */
static json_t *
ctl_value(struct bytes text)
{
	char digits[20];
	size_t i;

	for (i = 0; i < text.n && i < 19 && isdigit(text.p[i]); i++)
		digits[i] = (char)text.p[i];
	if (i == 0 || i < text.n || (text.p[0] == '0' && text.n > 1))
		return (json_stringn((const char *)text.p, text.n));
	digits[i] = '\0';
	return (json_integer(strtoll(digits, NULL, 10)));
}

/* A name that is no text stays as it was written, \xNN and all. */
static json_t *
ctl_name(struct bytes quoted)
{
	uint8_t *name;
	size_t n;
	json_t *value;

	if (quoted.n >= 2 && quoted.p[0] == '"' &&
	    quoted.p[quoted.n - 1] == '"')
		quoted = bytes_of(quoted.p + 1, quoted.n - 2);
	if ((name = malloc(quoted.n + 1)) == NULL)
		return (NULL);
	n = ctl_unquote(name, quoted);
	if (!utf8_valid(bytes_of(name, n)))
		value = json_stringn((const char *)quoted.p, quoted.n);
	else
		value = json_stringn((const char *)name, n);
	free(name);
	return (value);
}

static size_t
ctl_unquote(uint8_t *out, struct bytes in)
{
	size_t n = 0;

	while (in.n > 0) {
		if (in.n >= 4 && in.p[0] == '\\' && in.p[1] == 'x' &&
		    hex_decode(out + n, 1, bytes_of(in.p + 2, 2)) == 1)
			in = bytes_skip(in, 4);
		else {
			out[n] = in.p[0];
			in = bytes_skip(in, 1);
		}
		n++;
	}
	return (n);
}
