/*
 * Channels: octets in and out of a socket, frames in and out of the buffers.
 *
 * Thousands of channels are idle at any time, so a buffer exists only while
 * something lies in it.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/limits.h"

#include "common/chan.h"

#define CHAN_FRAME_MAX_BYTES  (4u + IPC_FRAME_MAX_BYTES)
#define CHAN_CONNECT_S	      1
#define CHAN_READ_FIRST_BYTES 4096u
#define CHAN_READ_BYTES	      65536u
#define CHAN_FDS_BYTES	      CMSG_SPACE(CHAN_FDS_MAX * sizeof(int))

/* The control part of a message, aligned as its headers must be. */
union chan_control {
	struct cmsghdr align;
	char space[CHAN_FDS_BYTES];
};

static ssize_t chan_receive(struct chan *, uint8_t *, size_t);
static ssize_t chan_receive_fds(struct chan *, uint8_t *, size_t);
static int chan_keep_fds(struct chan *, struct msghdr *);
static int chan_keep_fd(struct chan *, int);
static int chan_keep_next(struct chan *, int);
static size_t chan_fds_kept(const struct chan *);
static ssize_t chan_write(struct chan *, struct bytes);
static ssize_t chan_write_fds(struct chan *, struct bytes);
static void chan_drop_send_fds(struct chan *);
static void chan_done(struct chan *);
static void chan_buf_rest(struct buf *);

void
chan_init(struct chan *c, int fd, enum ipc_sender peer, int takes_fds)
{
	int flags = fcntl(fd, F_GETFL);
	size_t i;

	*c = (struct chan){ .fd = fd, .peer = peer, .takes_fds = takes_fds };
	for (i = 0; i < CHAN_FDS_MAX; i++)
		c->fds[i] = c->send_fds[i] = -1;
	c->next = -1;
	/* A worker in its sandbox may look and not change. */
	if ((flags & O_NONBLOCK) == 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
chan_close(struct chan *c)
{
	int fd;

	if (c->fd == -1)
		return;
	while ((fd = chan_take_fd(c)) != -1)
		close(fd);
	if ((fd = chan_take_next(c)) != -1)
		close(fd);
	chan_drop_send_fds(c);
	buf_free(&c->in);
	buf_free(&c->out);
	c->used = 0;
	close(c->fd);
	c->fd = -1;
}

int
chan_read(struct chan *c)
{
	size_t room = CHAN_READ_FIRST_BYTES;
	size_t had_fds;
	uint8_t *to;
	int got = 0;
	ssize_t n;

	chan_done(c);
	while (c->in.len < CHAN_FRAME_MAX_BYTES) {
		if ((to = buf_room(&c->in, room)) == NULL)
			return (-1);
		had_fds = chan_fds_kept(c);
		n = chan_receive(c, to, room);
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) /* an end or error behind data is met again */
			return (got ? 1 : -1);
		buf_grow(&c->in, (size_t)n);
		got = 1;
		/* Descriptors are taken before more of them are let in. */
		if ((size_t)n < room || chan_fds_kept(c) != had_fds)
			break;
		room = CHAN_READ_BYTES;
	}
	if (c->in.len < CHAN_READ_FIRST_BYTES)
		buf_fit(&c->in);
	chan_buf_rest(&c->in);
	return (got || c->in.len >= CHAN_FRAME_MAX_BYTES);
}

int
chan_next(struct chan *c, struct msg *m)
{
	ssize_t n;

	chan_done(c);
	n = ipc_unpack(buf_bytes(&c->in), c->peer, m);
	if (n == -1)
		return (-1);
	c->used = (size_t)n;
	c->used_secret = n > 0 && m->type == IPC_LOGIN;
	chan_buf_rest(&c->in);
	return (n > 0);
}

int
chan_take_fd(struct chan *c)
{
	int fd = c->fds[0];

	memmove(c->fds, c->fds + 1, sizeof(c->fds) - sizeof(c->fds[0]));
	c->fds[CHAN_FDS_MAX - 1] = -1;
	return (fd);
}

int
chan_take_next(struct chan *c)
{
	int fd = c->next;

	c->next = -1;
	return (fd);
}

int
chan_send(struct chan *c, const struct msg *m)
{
	if (c->out.len > CHAN_OUT_MAX_BYTES) {
		errno = ENOBUFS;
		return (-1);
	}
	if (m->type == IPC_LOGIN)
		c->secret = 1;
	return (ipc_pack(&c->out, m));
}

int
chan_send_body(struct chan *c, const struct msg *m, struct buf *body)
{
	if (c->out.len > 0 || body->off == 0 || ipc_pack_front(body, m) == -1)
		return (chan_send(c, m));
	buf_free(&c->out);
	c->out = *body;
	*body = (struct buf)BUF_INIT;
	return (0);
}

int
chan_send_fds(struct chan *c, const struct msg *m, const int *fds, size_t n)
{
	size_t at = c->out.len;

	if (n > CHAN_FDS_MAX) {
		errno = EINVAL;
		return (-1);
	}
	if (c->nsend_fds > 0) {
		errno = EAGAIN;
		return (-1);
	}
	for (; c->nsend_fds < n; c->nsend_fds++) {
		c->send_fds[c->nsend_fds] =
		    fcntl(fds[c->nsend_fds], F_DUPFD_CLOEXEC, 0);
		if (c->send_fds[c->nsend_fds] == -1)
			goto err;
	}
	if (chan_send(c, m) == -1)
		goto err;
	c->send_fds_at = at;
	return (0);

err:
	chan_drop_send_fds(c);
	return (-1);
}

int
chan_try_fds(struct chan *c, const struct msg *m, const int *fds, size_t n)
{
	ssize_t sent;

	if (c->out.len > 0) {
		errno = EAGAIN;
		return (-1);
	}
	if (chan_send_fds(c, m, fds, n) == -1)
		return (-1);
	if ((sent = chan_write_fds(c, buf_bytes(&c->out))) == -1) {
		chan_drop_send_fds(c);
		buf_free(&c->out);
		return (-1);
	}
	buf_drop(&c->out, (size_t)sent);
	return (0);
}

int
chan_flush(struct chan *c)
{
	ssize_t n;

	while (c->out.len > 0) {
		n = chan_write(c, buf_bytes(&c->out));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (
			    errno == EAGAIN || errno == EWOULDBLOCK ? 1 : -1);
		buf_drop(&c->out, (size_t)n);
	}
	if (c->secret)
		buf_wipe(&c->out);
	c->secret = 0;
	chan_buf_rest(&c->out);
	return (0);
}

size_t
chan_pending(const struct chan *c)
{
	return (c->out.len);
}

int
chan_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval most = { CHAN_CONNECT_S, 0 };
	size_t n = strlen(path);
	int fd, saved;

	if (n >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(sun.sun_path, path, n + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-1);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

/* As recv; 0 (the end) leaves ECONNRESET in errno for whoever reports it. */
static ssize_t
chan_receive(struct chan *c, uint8_t *to, size_t room)
{
	ssize_t n;

	do {
		n = c->takes_fds ? chan_receive_fds(c, to, room)
				 : recv(c->fd, to, room, 0);
	} while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = ECONNRESET;
	return (n);
}

static ssize_t
chan_receive_fds(struct chan *c, uint8_t *to, size_t room)
{
	struct iovec iov = { .iov_base = to, .iov_len = room };
	union chan_control control;
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;
	int r;

	n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC);
	if (n == -1)
		return (-1);
	if ((r = chan_keep_fds(c, &mh)) == -1 ||
	    (mh.msg_flags & MSG_CTRUNC) != 0) {
		errno = EPROTO;
		return (-1);
	}
	if (r == 1 && n == 1) { /* there was nothing else */
		errno = EINTR;
		return (-1);
	}
	return (n - r);
}

/*
 * All that came is kept or closed, or it would stay open for ever.  1: the last
 * octet, with which descriptors end a read, came for the sake of next.
 */
static int
chan_keep_fds(struct chan *c, struct msghdr *mh)
{
	struct cmsghdr *h;
	int fd, result = 0;
	size_t i, n;

	for (h = CMSG_FIRSTHDR(mh); h != NULL; h = CMSG_NXTHDR(mh, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
		if (n == 1 && result == 0 && chan_keep_next(c, fd)) {
			result = 1;
			continue;
		}
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
			if (chan_keep_fd(c, fd) == -1)
				result = -1;
		}
	}
	return (result);
}

static int
chan_keep_fd(struct chan *c, int fd)
{
	size_t n = chan_fds_kept(c);

	if (n == CHAN_FDS_MAX) {
		close(fd);
		return (-1);
	}
	c->fds[n] = fd;
	return (0);
}

/* What a broker sends alone, a lane, is no socket. */
static int
chan_keep_next(struct chan *c, int fd)
{
	struct stat st;

	if (c->peer != IPC_FROM_BROKER || fstat(fd, &st) == -1 ||
	    !S_ISSOCK(st.st_mode))
		return (0);
	if (c->next != -1)
		close(c->next);
	c->next = fd;
	return (1);
}

static size_t
chan_fds_kept(const struct chan *c)
{
	size_t n = 0;

	while (n < CHAN_FDS_MAX && c->fds[n] != -1)
		n++;
	return (n);
}

/*
 * Up to the octet that descriptors go with, then from it on with them; they may
 * be a little early, and wait where they are read for the message they go with.
 */
static ssize_t
chan_write(struct chan *c, struct bytes b)
{
	ssize_t n;

	if (c->nsend_fds > 0 && c->send_fds_at < CHAN_READ_FIRST_BYTES)
		return (chan_write_fds(c, b));
	if (c->nsend_fds > 0)
		b.n = c->send_fds_at;
	n = send(c->fd, b.p, b.n, MSG_NOSIGNAL);
	if (n > 0 && c->nsend_fds > 0)
		c->send_fds_at -= (size_t)n;
	return (n);
}

static ssize_t
chan_write_fds(struct chan *c, struct bytes b)
{
	union chan_control control = { .space = { 0 } };
	struct msghdr mh = { .msg_iovlen = 1 };
	struct cmsghdr *h = &control.align;
	struct iovec iov;
	ssize_t n;

	/* sendmsg's iovec has no const; it reads only. */
	iov.iov_base = c->out.mem + c->out.off;
	iov.iov_len = b.n;
	mh.msg_iov = &iov;
	mh.msg_control = &control;
	mh.msg_controllen =
	    (socklen_t)CMSG_SPACE(c->nsend_fds * sizeof(c->send_fds[0]));
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len =
	    (socklen_t)CMSG_LEN(c->nsend_fds * sizeof(c->send_fds[0]));
	memcpy(CMSG_DATA(h), c->send_fds,
	    c->nsend_fds * sizeof(c->send_fds[0]));
	n = sendmsg(c->fd, &mh, MSG_NOSIGNAL);
	if (n > 0)
		chan_drop_send_fds(c);
	return (n);
}

static void
chan_drop_send_fds(struct chan *c)
{
	while (c->nsend_fds > 0) {
		c->nsend_fds--;
		close(c->send_fds[c->nsend_fds]);
		c->send_fds[c->nsend_fds] = -1;
	}
}

/* With the last message. */
static void
chan_done(struct chan *c)
{
	if (c->used_secret)
		buf_erase(&c->in, c->used);
	else
		buf_drop(&c->in, c->used);
	c->used = 0;
	c->used_secret = 0;
}

/* A buffer run empty gives its memory back. */
static void
chan_buf_rest(struct buf *b)
{
	if (b->len == 0)
		buf_free(b);
}
