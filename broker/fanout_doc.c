/*
 * One document's news to its level clients.  Most of them stand at the same
 * place, so the frames from there are gathered once and written many times.
 * They are copied out of the ring, or the broker could overwrite them while
 * they are written, and a client's stream would be spoilt.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <string.h>

#include "broker/fanout.h"
#include "common/bell.h"

#define FANOUT_FRAMES 64
#define FANOUT_BYTES  ((size_t)256 * 1024)

/* Frames from one place on, in fanout_frames, ready for writing. */
struct fanout_run {
	int made;
	struct lane_place from;
	struct lane_place at[FANOUT_FRAMES]; /* after each frame */
	struct iovec iov[FANOUT_FRAMES];
	uint64_t skip[FANOUT_FRAMES]; /* session it is not for, 0: none */
	int n;
	int skips; /* some of skip are not 0 */
	size_t bytes;
	struct lane_place end; /* after what is passed over, too */
	int hand;	       /* at end stands what only a worker can send */
	int more;	       /* there is more than one write takes */
};

/* One run at a time is made. */
static uint8_t fanout_frames[FANOUT_BYTES + LANE_SPILL_MAX_BYTES];

static int fanout_lane_serve(struct fanout_lane *, struct fanout_run *);
static int fanout_lane_write(struct fanout_lane *, const struct fanout_run *);
static void fanout_count(const struct fanout_doc *, int messages,
    ssize_t bytes);
static void fanout_lane_cut(struct fanout_lane *, const struct fanout_run *,
    size_t written);
static void fanout_gather(struct ring *, const struct lane_place *,
    struct fanout_run *);
static int fanout_for_worker(const struct ring_entry *);
static void fanout_take(struct fanout_run *, struct bytes frame, uint64_t skip);
static const struct fanout_run *fanout_own(const struct fanout_run *,
    uint64_t session, struct fanout_run *own);

void
fanout_doc_serve(struct fanout_doc *d, void (*wake)(uint64_t session))
{
	struct bell bell = BELL_NONE;
	struct fanout_run run = { 0 };
	struct fanout_lane *l;
	int others = 0;

	TAILQ_FOREACH(l, &d->lanes, entry)
		switch (fanout_lane_serve(l, &run)) {
		case 0:
			others = 1;
			break;
		case -1:
			wake(l->session);
			break;
		default:
			break;
		}
	bell.ring_fd = d->bell;
	if (others)
		bell_ring(&bell);
}

/* 1: level again; 0: it was its worker's; -1: it is now. */
static int
fanout_lane_serve(struct fanout_lane *l, struct fanout_run *run)
{
	struct fanout_run own;
	const struct fanout_run *r;
	struct lane_place place;

	if (!lane_grab(&l->lane, &place))
		return (0);
	do {
		if (!run->made || run->from.pos != place.pos ||
		    run->from.seq != place.seq)
			fanout_gather(&l->doc->ring, &place, run);
		r = fanout_own(run, l->session, &own);
		if (r->n > 0 && !fanout_lane_write(l, r))
			return (-1);
		place = r->end;
	} while (r->more);
	if (r->hand) {
		lane_hand(&l->lane, &place, BYTES_NONE);
		return (-1);
	}
	lane_return(&l->lane, &place);
	return (1);
}

/* 1: all of it is out; else the lane is the worker's. */
static int
fanout_lane_write(struct fanout_lane *l, const struct fanout_run *r)
{
	struct msghdr mh = { .msg_iovlen = (size_t)r->n };
	ssize_t n;

	/* sendmsg only reads, but its vector has no const. */
	mh.msg_iov = (struct iovec *)(uintptr_t)r->iov;
	while ((n = sendmsg(l->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL)) == -1 &&
	    errno == EINTR)
		continue;
	if (n == (ssize_t)r->bytes) {
		fanout_count(l->doc, r->n, n);
		return (1);
	}
	/* An error is the worker's to meet, at its next write. */
	fanout_lane_cut(l, r, n == -1 ? 0 : (size_t)n);
	return (0);
}

static void
fanout_lane_cut(struct fanout_lane *l, const struct fanout_run *r,
    size_t written)
{
	struct lane_place place = r->from;
	struct bytes rest = BYTES_NONE;
	int i;

	for (i = 0; i < r->n && written >= r->iov[i].iov_len; i++) {
		written -= r->iov[i].iov_len;
		fanout_count(l->doc, 1, (ssize_t)r->iov[i].iov_len);
		place = r->at[i];
	}
	if (written > 0) {
		fanout_count(l->doc, 1, (ssize_t)written);
		place = r->at[i];
		rest = bytes_of((const uint8_t *)r->iov[i].iov_base + written,
		    r->iov[i].iov_len - written);
	}
	lane_hand(&l->lane, &place, rest);
}

static void
fanout_count(const struct fanout_doc *d, int messages, ssize_t bytes)
{
	struct fanout_count *c = fanout_counted;

	atomic_fetch_add_explicit(&c->messages[d->dialect],
	    (unsigned long long)messages, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->bytes[d->dialect],
	    (unsigned long long)bytes, memory_order_relaxed);
}

static void
fanout_gather(struct ring *ring, const struct lane_place *from,
    struct fanout_run *r)
{
	const struct ring_entry *e;
	int found = 0;

	r->made = 1;
	r->from = r->end = *from;
	r->n = r->skips = r->hand = r->more = 0;
	r->bytes = 0;
	while (r->n < FANOUT_FRAMES && r->bytes < FANOUT_BYTES) {
		if ((found = ring_peek(ring, &r->end.pos, &e)) != 1)
			break;
		if (e->seq != 0 && e->seq <= r->end.seq) {
			r->end.pos += e->size;
			continue;
		}
		if (fanout_for_worker(e)) {
			found = -1;
			break;
		}
		r->end.pos += e->size;
		if (e->seq != 0)
			r->end.seq = e->seq;
		fanout_take(r, ring_frame(e),
		    (e->flags & RING_SKIP_ORIGIN) != 0 ? e->origin : 0);
	}
	r->hand = found == -1;
	r->more = found == 1;
	/* Overwritten while it was copied: its worker finds what was missed. */
	if (!ring_valid(ring, from->pos)) {
		r->end = *from;
		r->n = 0;
		r->hand = 1;
		r->more = 0;
	}
}

static int
fanout_for_worker(const struct ring_entry *e)
{
	return ((e->flags & (RING_STUB | RING_BLOB)) != 0 ||
	    e->frame > LANE_SPILL_MAX_BYTES);
}

static void
fanout_take(struct fanout_run *r, struct bytes frame, uint64_t skip)
{
	uint8_t *p = fanout_frames + r->bytes;

	memcpy(p, frame.p, frame.n);
	r->iov[r->n].iov_base = p;
	r->iov[r->n].iov_len = frame.n;
	r->at[r->n] = r->end;
	r->skip[r->n] = skip;
	r->skips |= skip != 0;
	r->bytes += frame.n;
	r->n++;
}

/* The run without what this session caused and is not to see. */
static const struct fanout_run *
fanout_own(const struct fanout_run *r, uint64_t session, struct fanout_run *own)
{
	int i, found = 0;

	for (i = 0; r->skips && i < r->n; i++)
		found |= r->skip[i] == session;
	if (!found)
		return (r);
	*own = *r;
	own->n = 0;
	own->bytes = 0;
	for (i = 0; i < r->n; i++) {
		if (r->skip[i] == session)
			continue;
		own->iov[own->n] = r->iov[i];
		own->at[own->n] = r->at[i];
		own->bytes += r->iov[i].iov_len;
		own->n++;
	}
	return (own);
}
