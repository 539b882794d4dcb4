/*
 * `reload FILE ...': the broker can open no file, so quirectl does, and passes
 * the descriptors.  Those of the words conf, keys, jwks and auth that follow
 * are promised, in this order; the broker says `send', and they come beside one
 * octet.  A line for each setting that differs: `now NAME' or `restart NAME';
 * then `keys N' and `ended N'.
 *
 * Descriptors come with the first octet that is read, so libevent must not read
 * it.
 */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "broker/control.h"
#include "broker/reload.h"
#include "common/log.h"

#define RELOAD_WAIT_S 10

enum { RELOAD_CONF, RELOAD_KEYS, RELOAD_JWKS, RELOAD_AUTH, RELOAD_FILES };

struct waiting {
	struct broker *broker;
	struct bufferevent *bev;
	struct event ev;
	int wanted[RELOAD_FILES]; /* was it promised? */
	int fds[RELOAD_FILES];	  /* -1: not there */
};

static int reload_words(struct waiting *, const char *);
static void reload_readable(evutil_socket_t, short, void *);
static int reload_receive(struct waiting *, int fd);
static void reload_keep(struct waiting *, const struct msghdr *);
static const char *reload_files(struct waiting *);
static void reload_end(struct waiting *, const char *why);
static void reload_gone(struct bufferevent *, short, void *);
static void reload_line(const char *, int, void *);

static const char *const reload_names[RELOAD_FILES] = { "conf", "keys", "jwks",
	"auth" };

void
control_reload(struct broker *b, struct bufferevent *bev, const char *words)
{
	const struct timeval wait = { RELOAD_WAIT_S, 0 };
	struct waiting *w = calloc(1, sizeof(*w));

	if (w == NULL || reload_words(w, words) == -1) {
		control_refuse(bev,
		    w == NULL ? "no memory"
			      : "reload [conf] keys [jwks] [auth]");
		free(w);
		return;
	}
	w->broker = b;
	w->bev = bev;
	bufferevent_setcb(bev, NULL, NULL, reload_gone, w);
	event_assign(&w->ev, b->base, bufferevent_getfd(bev), EV_READ,
	    reload_readable, w);
	event_add(&w->ev, &wait);
	evbuffer_add_printf(bufferevent_get_output(bev), "send\n");
}

static int
reload_words(struct waiting *w, const char *words)
{
	size_t i, n;

	for (i = 0; i < RELOAD_FILES; i++) {
		w->fds[i] = -1;
		n = strcspn(words, " ");
		if (strlen(reload_names[i]) != n ||
		    memcmp(words, reload_names[i], n) != 0)
			continue;
		w->wanted[i] = 1;
		words += n + (words[n] == ' ');
	}
	return (*words == '\0' && w->wanted[RELOAD_KEYS] ? 0 : -1);
}

static void
reload_readable(evutil_socket_t fd, short what, void *arg)
{
	struct waiting *w = arg;

	if (what == EV_TIMEOUT || reload_receive(w, fd) == -1)
		reload_end(w, "the files did not come");
	else
		reload_end(w, reload_files(w));
}

/* 0: as many as were promised. */
static int
reload_receive(struct waiting *w, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * RELOAD_FILES)];
	} control;
	char octet;
	struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	size_t i;

	if (recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return (-1);
	reload_keep(w, &mh);
	for (i = 0; i < RELOAD_FILES; i++)
		if ((w->fds[i] != -1) != w->wanted[i])
			return (-1);
	return ((mh.msg_flags & MSG_CTRUNC) != 0 ? -1 : 0);
}

/* More than were promised are closed. */
static void
reload_keep(struct waiting *w, const struct msghdr *mh)
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
		while (at < RELOAD_FILES && !w->wanted[at])
			at++;
		if (at < RELOAD_FILES)
			w->fds[at++] = fd;
		else
			close(fd);
	}
}

/* NULL, or why everything stays as it is. */
static const char *
reload_files(struct waiting *w)
{
	struct evbuffer *out = bufferevent_get_output(w->bev);
	struct broker *b = w->broker;
	struct reload r = { NULL, NULL, NULL, NULL };
	const char *why;
	size_t ended;

	if (config_load_fd(w->fds[RELOAD_CONF], b->defines, b->ndefines,
		&r.conf) == -1)
		why = "the configuration is not valid, the broker's log says "
		      "more";
	else if ((r.keys = keyring_load_fd(w->fds[RELOAD_KEYS], "keys")) ==
	    NULL)
		why = "the keys are not valid, the broker's log says more";
	else if (w->wanted[RELOAD_JWKS] &&
	    (r.jwks = jwks_load_fd(w->fds[RELOAD_JWKS], "oidc_jwks")) == NULL)
		why = "oidc_jwks is not valid, the broker's log says more";
	else if (w->wanted[RELOAD_AUTH] &&
	    (r.statics = statics_load_fd(w->fds[RELOAD_AUTH], "auth")) == NULL)
		why = "auth is not valid, the broker's log says more";
	else
		why = reload_wrong(b, &r);
	if (why != NULL) {
		reload_free(&r);
		return (why);
	}
	ended = reload_take(b, &r, reload_line, out);
	evbuffer_add_printf(out, "keys %zu\nended %zu\ndone\n", b->keys->n,
	    ended);
	log_info("reloaded: %zu keys, %zu sessions ended", b->keys->n, ended);
	return (NULL);
}

static void
reload_end(struct waiting *w, const char *why)
{
	struct bufferevent *bev = w->bev;
	size_t i;

	event_del(&w->ev);
	for (i = 0; i < RELOAD_FILES; i++)
		if (w->fds[i] != -1)
			close(w->fds[i]);
	free(w);
	if (why != NULL)
		control_refuse(bev, why);
	else
		control_answered(bev);
}

static void
reload_gone(struct bufferevent *bev, short what, void *arg)
{
	struct waiting *w = arg;

	(void)what;
	event_del(&w->ev);
	free(w);
	bufferevent_free(bev);
}

static void
reload_line(const char *setting, int fixed, void *out)
{
	evbuffer_add_printf(out, "%s %s\n", fixed ? "restart" : "now", setting);
	if (fixed)
		log_warnx("setting %s: changes at the next start only",
		    setting);
}
