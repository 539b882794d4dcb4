/*
 * The files of a reload: opened and passed by who may, received and read by the
 * broker.  Who asks for one is control_reload.c's and opener.c's; what it
 * changes is reload.c's.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/reload_files.h"
#include "common/log.h"

union reload_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * RELOAD_FILES)];
};

struct reload_tell {
	reload_said *said;
	void *arg;
};

static void reload_files_keep(struct reload_files *, const struct msghdr *);
static const char *reload_files_read(const struct reload_files *,
    const struct broker *, struct reload *);
static void reload_files_say(const char *, int, void *);

static const char *const reload_words[RELOAD_FILES] = { "conf", "keys", "jwks",
	"auth" };

const char *
reload_files_open(struct reload_files *f, int conf_fd, const char *keys,
    const struct config *c)
{
	const char *paths[RELOAD_FILES] = { NULL, keys == NULL ? c->keys : keys,
		c->oidc_jwks, c->auth };
	size_t i;
	int error;

	for (i = 0; i < RELOAD_FILES; i++)
		f->fds[i] = -1;
	f->fds[RELOAD_CONF] = conf_fd;
	f->wanted[RELOAD_CONF] = conf_fd != -1;
	for (i = RELOAD_KEYS; i < RELOAD_FILES; i++) {
		f->wanted[i] = paths[i][0] != '\0';
		if (!f->wanted[i] || (f->fds[i] = keyring_open(paths[i])) != -1)
			continue;
		error = errno;
		reload_files_close(f);
		errno = error;
		return (paths[i]);
	}
	return (NULL);
}

char *
reload_files_name(const struct reload_files *f, char *dst)
{
	size_t i, n = 0;

	for (i = 0; i < RELOAD_FILES; i++)
		if (f->wanted[i])
			n += (size_t)snprintf(dst + n, RELOAD_WORDS_SIZE - n,
			    "%s%s", n == 0 ? "" : " ", reload_words[i]);
	return (dst);
}

int
reload_files_pass(int fd, const struct reload_files *f)
{
	union reload_control control = { .space = { 0 } };
	char octet = '\n';
	struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control };
	struct cmsghdr *h = &control.align;
	size_t i, n = 0;

	for (i = 0; i < RELOAD_FILES; i++)
		if (f->wanted[i])
			memcpy(CMSG_DATA(h) + sizeof(int) * n++, &f->fds[i],
			    sizeof(int));
	mh.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * n);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * n);
	return (sendmsg(fd, &mh, MSG_NOSIGNAL) == 1 ? 0 : -1);
}

int
reload_files_words(struct reload_files *f, const char *words)
{
	size_t i, n;

	for (i = 0; i < RELOAD_FILES; i++) {
		f->fds[i] = -1;
		n = strcspn(words, " ");
		f->wanted[i] = strlen(reload_words[i]) == n &&
		    memcmp(words, reload_words[i], n) == 0;
		if (f->wanted[i])
			words += n + (words[n] == ' ');
	}
	return (*words == '\0' && f->wanted[RELOAD_KEYS] ? 0 : -1);
}

int
reload_files_receive(struct reload_files *f, int fd)
{
	union reload_control control;
	char octet;
	struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	size_t i;

	if (recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return (-1);
	reload_files_keep(f, &mh);
	for (i = 0; i < RELOAD_FILES; i++)
		if ((f->fds[i] != -1) != f->wanted[i])
			return (-1);
	return ((mh.msg_flags & MSG_CTRUNC) != 0 ? -1 : 0);
}

/* More than were promised are closed. */
static void
reload_files_keep(struct reload_files *f, const struct msghdr *mh)
{
	struct cmsghdr *h = CMSG_FIRSTHDR(mh);
	size_t at = 0, n, i;
	int fd;

	if (h == NULL || h->cmsg_level != SOL_SOCKET ||
	    h->cmsg_type != SCM_RIGHTS)
		return;
	n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
		while (at < RELOAD_FILES && !f->wanted[at])
			at++;
		if (at < RELOAD_FILES)
			f->fds[at++] = fd;
		else
			close(fd);
	}
}

const char *
reload_files_take(struct broker *b, const struct reload_files *f,
    reload_said *said, void *arg, size_t *ended)
{
	struct reload_tell tell = { said, arg };
	struct reload r = { NULL, NULL, NULL, NULL };
	const char *why;

	if ((why = reload_files_read(f, b, &r)) != NULL ||
	    (why = reload_wrong(b, &r)) != NULL) {
		reload_free(&r);
		return (why);
	}
	*ended = reload_take(b, &r, reload_files_say, &tell);
	log_info("reloaded: %zu keys, %zu sessions ended", b->keys->n, *ended);
	return (NULL);
}

static const char *
reload_files_read(const struct reload_files *f, const struct broker *b,
    struct reload *r)
{
	if (config_load_fd(f->fds[RELOAD_CONF], b->defines, b->ndefines,
		&r->conf) == -1)
		return ("the configuration is not valid, the broker's log says "
			"more");
	if ((r->keys = keyring_load_fd(f->fds[RELOAD_KEYS], "keys")) == NULL)
		return ("the keys are not valid, the broker's log says more");
	if (f->wanted[RELOAD_JWKS] &&
	    (r->jwks = jwks_load_fd(f->fds[RELOAD_JWKS], "oidc_jwks")) == NULL)
		return ("oidc_jwks is not valid, the broker's log says more");
	if (f->wanted[RELOAD_AUTH] &&
	    (r->statics = statics_load_fd(f->fds[RELOAD_AUTH], "auth")) == NULL)
		return ("auth is not valid, the broker's log says more");
	return (NULL);
}

static void
reload_files_say(const char *setting, int fixed, void *arg)
{
	const struct reload_tell *tell = arg;

	if (fixed)
		log_warnx("setting %s: changes at the next start only",
		    setting);
	else
		log_info("setting %s: changed", setting);
	if (tell->said != NULL)
		tell->said(setting, fixed, tell->arg);
}

void
reload_files_close(struct reload_files *f)
{
	size_t i;

	for (i = 0; i < RELOAD_FILES; i++) {
		if (f->fds[i] != -1)
			close(f->fds[i]);
		f->fds[i] = -1;
	}
}
