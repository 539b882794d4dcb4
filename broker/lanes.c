/*
 * The fan-out process as the broker knows it.  A lane goes through three
 * states: asked (fan-out has the socket, its answer is awaited), then laned,
 * then none again.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/confine.h"
#include "broker/fanout.h"
#include "broker/fanout_words.h"
#include "broker/lanes.h"
#include "broker/trace.h"
#include "common/log.h"

/* More words than this waiting: fan-out does nothing any more. */
#define LANES_OUT_MAX_BYTES ((size_t)1024 * 1024)
#define LANES_BUCKETS	    4096
/* What the fan-out process may have open itself. */
#define LANES_OWN_FDS 16

struct lanes {
	struct broker *broker;
	int fd;			    /* -1: it has died */
	struct fanout_count *count; /* shared with it */
	struct buf out;		    /* words that have not been sent */
	uint64_t next_doc;
	struct session *sessions[LANES_BUCKETS]; /* with a lane, or asked */
	struct event read_ev;
	struct event write_ev;
};

static void lanes_child(const struct config *, int fd, struct fanout_count *)
    __attribute__((noreturn));
static struct fanout_count *lanes_count_new(void);
static void lanes_confine(const struct config *, int fd);
static int lanes_enter(struct session *, int socket);
static int lanes_doc(struct lanes *, struct doc *);
static void lanes_drop(struct lanes *, struct session *);
static int lanes_send(struct lanes *, const struct fanout_word *,
    const int *fds);
static void lanes_say(struct lanes *, enum fanout_what, uint64_t doc,
    uint64_t session);
static void lanes_written(evutil_socket_t, short, void *);
static void lanes_read(evutil_socket_t, short, void *);
static void lanes_word(struct lanes *, const struct fanout_word *);
static void lanes_ready(struct session *);
static void lanes_answer(struct session *, int fd, int on);
static void lanes_died(struct lanes *);

struct lanes *
lanes_start(const struct config *c)
{
	struct lanes *l;
	int pair[2], probe;
	pid_t pid;

	if (!c->fast_lane || (probe = lane_create()) == -1)
		return (NULL);
	close(probe);
	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->count = lanes_count_new()) == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_warn("fan-out");
		free(l);
		return (NULL);
	}
	if ((pid = fork()) == -1) {
		log_warn("fan-out");
		close(pair[0]);
		close(pair[1]);
		free(l);
		return (NULL);
	}
	if (pid == 0)
		lanes_child(c, pair[1], l->count);
	close(pair[1]);
	l->fd = pair[0];
	fcntl(l->fd, F_SETFL, O_NONBLOCK);
	return (l);
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
	munmap(l->count, sizeof(*l->count));
	free(l);
}

struct fanout_count *
lanes_counted(const struct lanes *l)
{
	return (l == NULL ? NULL : l->count);
}

int
handle_lane(struct session *s, const struct msg *m)
{
	int fd = chan_take_fd(&s->chan);

	(void)m;
	s->chan.takes_fds = 0; /* one each document */
	if (fd == -1 || s->doc == NULL || s->lane != SESSION_LANE_NONE ||
	    !lanes_enter(s, fd))
		lanes_answer(s, -1, 0);
	if (fd != -1)
		close(fd);
	return (0);
}

void
lanes_expect(struct session *s)
{
	struct lanes *l = s->broker->lanes;

	s->chan.takes_fds = l != NULL && l->fd != -1;
}

int
lanes_publish(struct broker *b, struct doc *d)
{
	if (d->lanes == 0)
		return (1);
	lanes_say(b->lanes, FANOUT_RUNG, d->lane_doc, 0);
	return (d->lanes < d->nsessions);
}

void
lanes_flush(struct broker *b)
{
	struct lanes *l = b->lanes;

	if (l != NULL && l->fd != -1 && l->out.len > 0)
		lanes_written(l->fd, EV_WRITE, l);
}

void
lanes_leave(struct session *s)
{
	struct lanes *l = s->broker->lanes;

	s->chan.takes_fds = 0;
	if (s->lane == SESSION_LANE_NONE)
		return;
	/* First: a word too many ends fan-out, and with it all lanes. */
	lanes_drop(l, s);
	lanes_say(l, FANOUT_LEAVE, 0, s->id);
	lanes_flush(s->broker);
}

void
lanes_forget(struct broker *b, struct doc *d)
{
	struct session *s;

	if (d->lane_doc == 0)
		return;
	lanes_say(b->lanes, FANOUT_GONE, d->lane_doc, 0);
	d->lane_doc = 0;
	TAILQ_FOREACH(s, &d->sessions, doc_entry) {
		if (s->lane != SESSION_LANE_NONE)
			lanes_drop(b->lanes, s);
		lanes_expect(s);
	}
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
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN); /* the broker ends it, when it ends */
	fd = sandbox_inherited(STDERR_FILENO + 1, fd);
	lanes_confine(c, fd);
	exit(fanout_run(fd, count));
}

static void
lanes_confine(const struct config *c, int fd)
{
	struct sandbox_report report;
	struct sandbox_plan plan;
	struct rlimit files;

	confine_plan(c, &plan);
	plan.stay = 0;
	plan.chroot_dir = geteuid() == 0 ? "" : NULL;
	plan.namespaces = 1;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		plan.passed_fds = (unsigned int)files.rlim_max - LANES_OWN_FDS;
	if (sandbox_worker(&plan, -1, fd, -1, &report) == -1)
		fatalx(EX_OSERR, "fan-out: no sandbox, no service");
}

/* 1: fan-out was asked. */
static int
lanes_enter(struct session *s, int socket)
{
	struct lanes *l = s->broker->lanes;
	struct fanout_word w = { .what = FANOUT_LANE, .session = s->id };
	struct session **at;
	int fds[FANOUT_FDS] = { socket, -1 };

	if (l == NULL || l->fd == -1 || !lanes_doc(l, s->doc) ||
	    (fds[1] = lane_create()) == -1)
		return (0);
	w.doc = s->doc->lane_doc;
	if (lanes_send(l, &w, fds) == -1) {
		close(fds[1]);
		return (0);
	}
	s->lane = SESSION_LANE_ASKED;
	s->lane_fd = fds[1];
	s->doc->lanes++;
	at = &l->sessions[s->id % LANES_BUCKETS];
	s->lane_next = *at;
	*at = s;
	return (1);
}

static int
lanes_doc(struct lanes *l, struct doc *d)
{
	struct fanout_word w = { .what = FANOUT_DOC,
		.spare = d->id.dialect,
		.bytes = d->ring.bytes };
	int fds[FANOUT_FDS] = { d->reader_fd, d->bell.ring_fd };

	if (d->lane_doc != 0)
		return (1);
	w.doc = ++l->next_doc;
	if (lanes_send(l, &w, fds) == -1)
		return (0);
	d->lane_doc = w.doc;
	return (1);
}

/* The end of a session's lane on this side. */
static void
lanes_drop(struct lanes *l, struct session *s)
{
	struct session **at = &l->sessions[s->id % LANES_BUCKETS];

	while (*at != s)
		at = &(*at)->lane_next;
	*at = s->lane_next;
	if (s->lane == SESSION_LANE_HAS)
		s->broker->count.lanes--;
	s->lane = SESSION_LANE_NONE;
	s->doc->lanes--;
	if (s->lane_fd != -1)
		close(s->lane_fd);
	s->lane_fd = -1;
}

/* With descriptors there is no waiting: it goes now, behind all else, or not.
 */
static int
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
	if (l->fd == -1 || l->out.len > 0)
		return (-1);
	iov.iov_base = (void *)(uintptr_t)w; /* it only reads */
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * FANOUT_FDS);
	memcpy(CMSG_DATA(h), fds, sizeof(int) * FANOUT_FDS);
	return (
	    sendmsg(l->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -1 : 0);
}

static void
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

static void
lanes_written(evutil_socket_t fd, short what, void *arg)
{
	const size_t most = FANOUT_WORDS_MAX * sizeof(struct fanout_word);
	struct lanes *l = arg;
	struct bytes b;
	ssize_t n;

	(void)fd;
	(void)what;
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

/* A session may have gone, or left its document, since it was said. */
static void
lanes_word(struct lanes *l, const struct fanout_word *w)
{
	struct session *s = l->sessions[w->session % LANES_BUCKETS];

	while (s != NULL && s->id != w->session)
		s = s->lane_next;
	if (s == NULL)
		return;
	switch (w->what) {
	case FANOUT_READY:
		if (s->lane == SESSION_LANE_ASKED)
			lanes_ready(s);
		break;
	case FANOUT_REFUSED:
		lanes_drop(l, s);
		lanes_answer(s, -1, 0);
		break;
	default:
		lanes_answer(s, -1, 1);
	}
}

static void
lanes_ready(struct session *s)
{
	int fd = s->lane_fd;

	s->lane = SESSION_LANE_HAS;
	s->broker->count.lanes++;
	s->lane_fd = -1;
	lanes_answer(s, fd, 1);
	close(fd);
}

/* on without a descriptor: a worker looks at its lane whatever wakes it. */
static void
lanes_answer(struct session *s, int fd, int on)
{
	struct msg m = MSG(LANED);

	m.f[laned_on].u = (uint64_t)on;
	if (fd == -1)
		session_send(s, &m);
	else if (chan_send_fds(&s->chan, &m, &fd, 1) == -1) {
		log_warn("session %llu: lane", (unsigned long long)s->id);
		session_close(s);
		return;
	} else
		trace(s, &m, TRACE_OUT);
	session_flush(s);
}

/* Workers take back what it does not hold; a client that it was just writing
 * to is lost to its worker, and comes again. */
static void
lanes_died(struct lanes *l)
{
	struct session *s;
	size_t i;

	event_del(&l->read_ev);
	event_del(&l->write_ev);
	close(l->fd);
	l->fd = -1;
	buf_free(&l->out);
	for (i = 0; i < LANES_BUCKETS; i++)
		while ((s = l->sessions[i]) != NULL) {
			s->doc->lane_doc = 0;
			lanes_drop(l, s);
			lanes_answer(s, -1, 0);
		}
}
