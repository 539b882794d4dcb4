/*
 * The fan-out process: takes all words that wait, then serves each document
 * that has news once, so that what was published together leaves together.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/fanout.h"
#include "broker/fanout_words.h"
#include "common/log.h"

#define FANOUT_BUCKETS 4096

static int fanout_receive(int flags);
static void fanout_doc(const struct fanout_word *, const int *fds);
static void fanout_lane(const struct fanout_word *, const int *fds);
static void fanout_leave(const struct fanout_word *, const int *fds);
static void fanout_gone(const struct fanout_word *, const int *fds);
static void fanout_rung(const struct fanout_word *, const int *fds);
static void fanout_serve(void);
static void fanout_wake(uint64_t session);
static void fanout_tell(enum fanout_what, uint64_t session);
static void fanout_close(const int *fds, int n);
static struct fanout_doc **fanout_doc_at(uint64_t id);
static struct fanout_lane **fanout_lane_at(uint64_t session);
static void fanout_lane_free(struct fanout_lane **);

struct fanout_count *fanout_counted;

static int fanout_fd;
static struct fanout_doc *fanout_docs[FANOUT_BUCKETS];
static struct fanout_lane *fanout_lanes[FANOUT_BUCKETS];
static TAILQ_HEAD(, fanout_doc) fanout_due = TAILQ_HEAD_INITIALIZER(fanout_due);

static void (*const fanout_verbs[])(const struct fanout_word *,
    const int *fds) = {
	[FANOUT_DOC] = fanout_doc,
	[FANOUT_LANE] = fanout_lane,
	[FANOUT_LEAVE] = fanout_leave,
	[FANOUT_GONE] = fanout_gone,
	[FANOUT_RUNG] = fanout_rung,
};

int
fanout_run(int fd, struct fanout_count *count)
{
	fanout_counted = count;
	fanout_fd = fd;
	while (fanout_receive(0) == 1) {
		while (fanout_receive(MSG_DONTWAIT) == 1)
			continue;
		fanout_serve();
	}
	return (0);
}

/* 1: a packet was taken; 0: none waits; -1: the broker is gone. */
static int
fanout_receive(int flags)
{
	struct fanout_word word[FANOUT_WORDS_MAX];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * FANOUT_FDS)];
	} control;
	struct iovec iov = { word, sizeof(word) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	int fds[FANOUT_FDS] = { -1, -1 };
	struct cmsghdr *h;
	ssize_t n;
	size_t i;

	while ((n = recvmsg(fanout_fd, &mh, flags | MSG_CMSG_CLOEXEC)) == -1 &&
	    errno == EINTR)
		continue;
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return (0);
	if (n <= 0)
		return (-1);
	if ((h = CMSG_FIRSTHDR(&mh)) != NULL && h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len <= CMSG_LEN(sizeof(fds)))
		memcpy(fds, CMSG_DATA(h), h->cmsg_len - CMSG_LEN(0));
	for (i = 0; i < (size_t)n / sizeof(word[0]); i++)
		fanout_verbs[word[i].what](&word[i], fds);
	return (1);
}

/* Without it its lanes are refused. */
static void
fanout_doc(const struct fanout_word *w, const int *fds)
{
	struct fanout_doc **at = fanout_doc_at(w->doc), *d;

	if (fds[1] == -1 || (d = calloc(1, sizeof(*d))) == NULL) {
		fanout_close(fds, FANOUT_FDS);
		return;
	}
	if (ring_attach(&d->ring, fds[0], w->bytes) == -1) {
		log_warn("document");
		close(fds[1]);
		free(d);
		return;
	}
	/* The mapping is enough, and descriptors are few. */
	close(d->ring.fd);
	d->ring.fd = -1;
	d->id = w->doc;
	d->bell = fds[1];
	d->dialect = w->spare < DIALECT_COUNT ? w->spare : DIALECT_NONE;
	TAILQ_INIT(&d->lanes);
	d->next = *at;
	*at = d;
}

static void
fanout_lane(const struct fanout_word *w, const int *fds)
{
	struct fanout_lane **at = fanout_lane_at(w->session), *l = NULL;
	struct fanout_doc *d = *fanout_doc_at(w->doc);

	/* Descriptors that did not fit were dropped by the kernel. */
	if (d == NULL || fds[1] == -1 || (l = calloc(1, sizeof(*l))) == NULL ||
	    lane_attach(&l->lane, fds[1]) == -1) {
		free(l);
		fanout_close(fds, FANOUT_FDS);
		fanout_tell(FANOUT_REFUSED, w->session);
		return;
	}
	close(fds[1]);
	l->session = w->session;
	l->fd = fds[0];
	l->doc = d;
	l->next = *at;
	*at = l;
	TAILQ_INSERT_TAIL(&d->lanes, l, entry);
	fanout_tell(FANOUT_READY, w->session);
}

static void
fanout_leave(const struct fanout_word *w, const int *fds)
{
	struct fanout_lane **at = fanout_lane_at(w->session);

	(void)fds;
	if (*at != NULL)
		fanout_lane_free(at);
}

/* What was published before is still for its lanes. */
static void
fanout_gone(const struct fanout_word *w, const int *fds)
{
	struct fanout_doc **at = fanout_doc_at(w->doc), *d = *at;
	struct fanout_lane *l;

	(void)fds;
	if (d == NULL)
		return;
	if (d->due) {
		fanout_doc_serve(d, fanout_wake);
		TAILQ_REMOVE(&fanout_due, d, due_entry);
	}
	while ((l = TAILQ_FIRST(&d->lanes)) != NULL)
		fanout_lane_free(fanout_lane_at(l->session));
	*at = d->next;
	ring_close(&d->ring);
	close(d->bell);
	free(d);
}

static void
fanout_rung(const struct fanout_word *w, const int *fds)
{
	struct fanout_doc *d = *fanout_doc_at(w->doc);

	(void)fds;
	if (d == NULL || d->due)
		return;
	d->due = 1;
	TAILQ_INSERT_TAIL(&fanout_due, d, due_entry);
}

static void
fanout_serve(void)
{
	struct fanout_doc *d;

	while ((d = TAILQ_FIRST(&fanout_due)) != NULL) {
		TAILQ_REMOVE(&fanout_due, d, due_entry);
		d->due = 0;
		fanout_doc_serve(d, fanout_wake);
	}
}

static void
fanout_wake(uint64_t session)
{
	fanout_tell(FANOUT_WAKE, session);
}

static void
fanout_tell(enum fanout_what what, uint64_t session)
{
	struct fanout_word w = { .what = what, .session = session };

	while (send(fanout_fd, &w, sizeof(w), MSG_NOSIGNAL) == -1 &&
	    errno == EINTR)
		continue;
}

static void
fanout_close(const int *fds, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (fds[i] != -1)
			close(fds[i]);
}

/* Where it hangs, or where it would. */
static struct fanout_doc **
fanout_doc_at(uint64_t id)
{
	struct fanout_doc **at = &fanout_docs[id % FANOUT_BUCKETS];

	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	return (at);
}

static struct fanout_lane **
fanout_lane_at(uint64_t session)
{
	struct fanout_lane **at = &fanout_lanes[session % FANOUT_BUCKETS];

	while (*at != NULL && (*at)->session != session)
		at = &(*at)->next;
	return (at);
}

static void
fanout_lane_free(struct fanout_lane **at)
{
	struct fanout_lane *l = *at;

	*at = l->next;
	TAILQ_REMOVE(&l->doc->lanes, l, entry);
	lane_detach(&l->lane);
	close(l->fd);
	free(l);
}
