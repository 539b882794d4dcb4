/* Connecting to the control socket, and questions with an answer at once. */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/ctl_answer.h"

#define CTL_ANSWER_MAX (256u * 1024u * 1024u)
#define CTL_WAIT_S     30

static int ctl_ask_read(int, struct buf *);
static int ctl_ask_refused(struct bytes);
static int ctl_ask_whole(struct buf *);

/* An answer may be empty: no stores. */
int
ctl_ask(const char *path, const char *command, struct buf *answer)
{
	int fd, status = 0;

	if ((fd = ctl_connect(path, CTL_WAIT_S)) == -1)
		return (ctl_connect_failed(path, errno));
	if (send(fd, command, strlen(command), MSG_NOSIGNAL) == -1 ||
	    send(fd, "\n", 1, MSG_NOSIGNAL) == -1 ||
	    ctl_ask_read(fd, answer) == -1)
		status = ctl_connect_failed(path, errno);
	else
		status = ctl_ask_refused(buf_bytes(answer));
	/* A list that may be long ends with a word of its own. */
	if (status == 0 && strcmp(command, "stores") == 0)
		status = ctl_ask_whole(answer);
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

int
ctl_dial(const struct ctl *ctl, const char *command, const char *words)
{
	struct config *config;
	char *line;
	int fd, n;

	n = asprintf(&line, "%s%s%s\n", command, words[0] == '\0' ? "" : " ",
	    words);
	if (n == -1)
		return (-EX_OSERR);
	if ((config = ctl_config(ctl)) == NULL) {
		free(line);
		return (-EX_CONFIG);
	}
	if ((fd = ctl_connect(config->control, 0)) == -1)
		fd = -ctl_connect_failed(config->control, errno);
	else if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n) {
		close(fd);
		fd = -ctl_connect_failed(config->control, errno);
	}
	config_free(config);
	free(line);
	return (fd);
}

static int
ctl_ask_read(int fd, struct buf *answer)
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

/* What says that it is whole is no part of it. */
static int
ctl_ask_whole(struct buf *answer)
{
	size_t n = ctl_done(buf_bytes(answer));

	if (n == 0) {
		log_warnx("the broker went away");
		return (EX_IOERR);
	}
	buf_trunc(answer, answer->len - n);
	return (0);
}

/* The broker says "error ..." in a line, maybe after others. */
static int
ctl_ask_refused(struct bytes text)
{
	struct bytes line;

	while (text.n > 0) {
		line = ctl_word(&text, '\n');
		if (!bytes_start(line, BYTES_LIT("error ")))
			continue;
		line = bytes_skip(line, sizeof("error ") - 1);
		log_warnx("broker: %.*s", (int)line.n, (const char *)line.p);
		return (EX_DATAERR);
	}
	return (0);
}
