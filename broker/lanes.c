/*
 * The fan-out process as the broker knows it: its start and end, and the words
 * to it.  What they say of a session's lane is in lanes_session.c.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/confine.h"
#include "broker/fanout.h"
#include "broker/lanes_parts.h"
#include "common/child.h"
#include "common/log.h"

/* More words than this waiting: fan-out does nothing any more. */
#define LANES_OUT_MAX_BYTES ((size_t)1024 * 1024)

static void lanes_child(const struct config *, int fd, struct fanout_count *)
    __attribute__((noreturn));
static struct fanout_count *lanes_count_new(void);
static void lanes_confine(const struct config *, int fd);
static void lanes_written(evutil_socket_t, short, void *);
static void lanes_write(struct lanes *);
static void lanes_read(evutil_socket_t, short, void *);
static void lanes_died(struct lanes *);

struct lanes *
lanes_start(const struct config *c)
{
	struct lanes *l;
	int probe, r;

	if (!c->fast_lane || (probe = lane_create()) == -1)
		return (NULL);
	close(probe);
	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->count = lanes_count_new()) == NULL)
		goto err;
	if ((r = child_start(&l->pid, &l->fd)) == -1)
		goto err;
	if (r == 1)
		lanes_child(c, l->fd, l->count);
	fcntl(l->fd, F_SETFL, O_NONBLOCK); /* we never wait */
	TAILQ_INIT(&l->waiting);
	return (l);

err:
	log_warn("fan-out");
	if (l != NULL && l->count != NULL)
		munmap(l->count, sizeof(*l->count));
	free(l);
	return (NULL);
}

int
lanes_watch(struct lanes *l, struct broker *b)
{
	b->lanes = l;
	if (l == NULL)
		return (0);
	l->broker = b;
	event_assign(&l->read_ev, b->base, l->fd, EV_READ | EV_PERSIST,
	    lanes_read, l);
	event_assign(&l->write_ev, b->base, l->fd, EV_WRITE, lanes_written, l);
	return (event_add(&l->read_ev, NULL));
}

void
lanes_stop(struct lanes *l)
{
	if (l == NULL)
		return;
	if (l->fd != -1)
		lanes_died(l);
	child_wait(l->pid);
	munmap(l->count, sizeof(*l->count));
	free(l);
}

struct fanout_count *
lanes_counted(const struct lanes *l)
{
	return (l == NULL ? NULL : l->count);
}

void
lanes_flush(struct broker *b)
{
	struct lanes *l = b->lanes;

	if (l != NULL && l->fd != -1 && l->out.len > 0)
		lanes_write(l);
}

void
lanes_say(struct lanes *l, enum fanout_what what, uint64_t doc,
    uint64_t session)
{
	struct fanout_word w = { .what = what, .doc = doc, .session = session };

	if (l->fd == -1)
		return;
	if (l->out.len > LANES_OUT_MAX_BYTES ||
	    buf_add(&l->out, &w, sizeof(w)) == -1)
		lanes_died(l);
}

int
lanes_send(struct lanes *l, const struct fanout_word *w, const int *fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * FANOUT_FDS)];
	} control = { .space = { 0 } };
	struct iovec iov = { .iov_len = sizeof(*w) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *h = &control.align;

	lanes_flush(l->broker);
	if (l->fd == -1)
		return (-1);
	if (l->out.len > 0)
		return (0);
	iov.iov_base = (void *)(uintptr_t)w; /* it only reads */
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * FANOUT_FDS);
	memcpy(CMSG_DATA(h), fds, sizeof(int) * FANOUT_FDS);
	if (sendmsg(l->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
		return (1);
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return (-1);
	event_add(&l->write_ev, NULL);
	return (0);
}

static struct fanout_count *
lanes_count_new(void)
{
	void *p = mmap(NULL, sizeof(struct fanout_count),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return (p == MAP_FAILED ? NULL : p);
}

/* Nothing of ours: no store, no key, no socket but the one. */
static void
lanes_child(const struct config *c, int fd, struct fanout_count *count)
{
	fd = sandbox_inherited(STDERR_FILENO + 1, fd);
	lanes_confine(c, fd);
	exit(fanout_run(fd, count));
}

static void
lanes_confine(const struct config *c, int fd)
{
	struct sandbox_report report;
	struct sandbox_plan plan;

	confine_fanout_plan(c, &plan);
	if (sandbox_worker(&plan, -1, fd, -1, &report) == -1)
		fatalx(EX_OSERR, "fan-out: no sandbox, no service");
}

static void
lanes_written(evutil_socket_t fd, short what, void *arg)
{
	struct lanes *l = arg;

	(void)fd;
	(void)what;
	lanes_write(l);
	if (l->fd != -1 && l->out.len == 0)
		lanes_room(l);
}

static void
lanes_write(struct lanes *l)
{
	const size_t most = FANOUT_WORDS_MAX * sizeof(struct fanout_word);
	struct bytes b;
	ssize_t n;

	while (l->out.len > 0) {
		b = buf_bytes(&l->out);
		n = send(l->fd, b.p, b.n < most ? b.n : most,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			event_add(&l->write_ev, NULL);
			return;
		}
		if (n == -1) {
			lanes_died(l);
			return;
		}
		buf_drop(&l->out, (size_t)n);
	}
}

static void
lanes_read(evutil_socket_t fd, short what, void *arg)
{
	struct lanes *l = arg;
	struct fanout_word w;
	ssize_t n;

	(void)what;
	while ((n = recv(fd, &w, sizeof(w), MSG_DONTWAIT)) == sizeof(w))
		lanes_word(l, &w);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	log_warnx("fan-out is gone; every worker writes itself");
	lanes_died(l);
}

/* Workers take back what it does not hold; a client that it was just writing
 * to is lost to its worker, and comes again. */
static void
lanes_died(struct lanes *l)
{
	event_del(&l->read_ev);
	event_del(&l->write_ev);
	close(l->fd);
	l->fd = -1;
	buf_free(&l->out);
	lanes_lost(l);
}
