/*
 * A Unix socket that is listened on, and who may come in: the kernel tells the
 * peer's user, and it must be root, ours, or the one that was allowed.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "broker/listen.h"
#include "common/log.h"

/* Until who waits is looked at again, where descriptors are short. */
#define LISTEN_PAUSE_MS 100

struct listener {
	int fd;
	char *path;
	uid_t allowed;
	struct event *ev;    /* persists */
	struct event *pause; /* until ev is added again */
	void (*accepted)(void *, int);
	void *arg;
};

static int listener_bind(const char *, unsigned int);
static void listener_ready(evutil_socket_t, short, void *);
static void listener_failed(struct listener *);
static void listener_again(evutil_socket_t, short, void *);
static int listener_peer_ok(const struct listener *, int);

struct listener *
listener_new(struct event_base *base, const char *path, unsigned int mode,
    uid_t allowed, void (*accepted)(void *, int), void *arg)
{
	struct listener *l;

	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->path = strdup(path)) == NULL)
		goto err;
	l->allowed = allowed;
	l->accepted = accepted;
	l->arg = arg;
	if ((l->fd = listener_bind(path, mode)) == -1)
		goto err;
	if ((l->ev = event_new(base, l->fd, EV_READ | EV_PERSIST,
		 listener_ready, l)) == NULL ||
	    (l->pause = evtimer_new(base, listener_again, l)) == NULL ||
	    event_add(l->ev, NULL) == -1)
		goto err_fd;
	return (l);

err_fd:
	if (l->pause != NULL)
		event_free(l->pause);
	if (l->ev != NULL)
		event_free(l->ev);
	close(l->fd);
err:
	if (l != NULL)
		free(l->path);
	free(l);
	return (NULL);
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	event_free(l->pause);
	event_free(l->ev);
	close(l->fd);
	(void)unlink(l->path);
	free(l->path);
	free(l);
}

/* A socket file left by a killed broker is in the way; a live one is not
 * taken from under it: the store's lock was ours before we came here. */
static int
listener_bind(const char *path, unsigned int mode)
{
	struct sockaddr_un sun;
	mode_t old;
	int fd, e;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		 0)) == -1)
		return (-1);
	if (unlink(path) == -1 && errno != ENOENT)
		goto err;
	old = umask(0177);
	e = bind(fd, (const struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (e == -1 || chmod(path, mode) == -1 || listen(fd, 511) == -1)
		goto err;
	return (fd);

err:
	e = errno;
	close(fd);
	errno = e;
	return (-1);
}

static void
listener_ready(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	int c, n;

	(void)what;
	for (n = 0; n < 64; n++) {
		c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (c == -1) {
			listener_failed(l);
			return;
		}
		if (listener_peer_ok(l, c))
			l->accepted(l->arg, c);
		else
			close(c);
	}
}

/* Who could not be let in waits still: at once would be for ever. */
static void
listener_failed(struct listener *l)
{
	const struct timeval wait = { 0, LISTEN_PAUSE_MS * 1000 };

	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	log_warn("accept on %s", l->path);
	if (event_add(l->pause, &wait) == 0)
		event_del(l->ev);
}

static void
listener_again(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval wait = { 0, LISTEN_PAUSE_MS * 1000 };
	struct listener *l = arg;

	(void)fd;
	(void)what;
	if (event_add(l->ev, NULL) == -1)
		event_add(l->pause, &wait);
}

static int
listener_peer_ok(const struct listener *l, int fd)
{
	struct ucred u;
	socklen_t n = sizeof(u);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) == -1) {
		log_warn("peer of %s", l->path);
		return (0);
	}
	if (u.uid == 0 || u.uid == geteuid() || u.uid == l->allowed)
		return (1);
	log_warnx("%s: user %u may not connect", l->path, (unsigned)u.uid);
	return (0);
}
