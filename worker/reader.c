/*
 * From the ring to the client: gathers frames, writes them in one call straight
 * from shared memory, and stands still for whatever must come first.  What a
 * frame says is never looked at.  A reader so far behind that the broker could
 * overwrite what is being written copies it first.
 */
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/conn_internal.h"

#define READER_FRAMES 64
#define READER_BYTES  ((size_t)128 * 1024)
/* As much of a ring is written from in place: its newest part. */
#define READER_NEAR_SHARE 4

enum reader_stop {
	READER_EMPTY,  /* nothing new */
	READER_FULL,   /* as much as one write takes */
	READER_OWN,    /* an own entry whose verdict is to come */
	READER_STUB,   /* an entry that must be fetched */
	READER_BEHIND, /* the position is gone */
};

/* Frames gathered, and where the reader stands after each. */
struct reader_batch {
	struct iovec iov[READER_FRAMES];
	uint64_t pos[READER_FRAMES];
	uint64_t seq[READER_FRAMES];
	int n;
	size_t bytes;
	struct ring_entry stub;
	uint8_t *copy; /* owned: the frames, NULL while they are in the ring */
};

static int reader_map(struct ring *, int ring_fd, int *bell, int bell_fd,
    size_t bytes);
static void reader_unmap(struct ring *, int *bell);
static int reader_switch(struct conn *);
static enum reader_stop reader_gather(struct conn *, struct reader_batch *);
static int reader_skips(const struct conn *, const struct ring_entry *);
static int reader_own(const struct conn *, const struct ring_entry *);
static void reader_take(struct reader_batch *, struct bytes frame,
    const struct reader *);
static void reader_copy(const struct ring *, struct reader_batch *,
    uint64_t start);
static int reader_batch_write(struct conn *, struct reader_batch *,
    uint64_t start);
static int reader_write(struct conn *, struct reader_batch *, uint64_t start);
static void reader_rest(struct conn *, struct reader_batch *, size_t written);
static void reader_behind(struct conn *);
static void reader_stub(struct conn *, const struct ring_entry *);

void
reader_init(struct reader *r)
{
	memset(r, 0, sizeof(*r));
	r->ring.fd = r->next.ring.fd = -1;
	r->bell = r->next.bell = -1;
	TAILQ_INIT(&r->verdicts);
}

int
reader_attach(struct reader *r, int ring_fd, int bell_fd, size_t bytes,
    uint64_t pos)
{
	reader_detach(r);
	if (reader_map(&r->ring, ring_fd, &r->bell, bell_fd, bytes) == -1)
		return (-1);
	r->open = 1;
	r->pos = r->from = pos;
	return (0);
}

int
reader_move(struct reader *r, int ring_fd, int bell_fd, size_t bytes,
    uint64_t pos)
{
	reader_unmap(&r->next.ring, &r->next.bell);
	r->next.due = 0;
	if (reader_map(&r->next.ring, ring_fd, &r->next.bell, bell_fd, bytes) ==
	    -1)
		return (-1);
	if (!r->open) { /* the document was left meanwhile */
		reader_unmap(&r->next.ring, &r->next.bell);
		return (0);
	}
	r->next.due = 1;
	r->next.pos = pos;
	return (0);
}

int
reader_again(struct reader *r, int ring_fd, int bell_fd, size_t bytes,
    uint64_t pos, uint64_t seq, uint64_t oldest)
{
	struct kept *k;

	reader_unmap(&r->ring, &r->bell);
	reader_unmap(&r->next.ring, &r->next.bell);
	r->next.due = r->at_own = 0;
	missed_free(&r->missed);
	if (reader_map(&r->ring, ring_fd, &r->bell, bell_fd, bytes) == -1)
		return (-1);
	r->pos = r->from = pos;
	if (seq > r->seq)
		r->missed =
		    (struct missed){ .upto = seq, .oldest = oldest, .more = 1 };
	/* Their places were in the ring before. */
	TAILQ_FOREACH(k, &r->verdicts, entry)
		k->m.f[verdict_position].u = 0;
	return (0);
}

uint64_t
reader_members(const struct reader *r)
{
	if (!r->open)
		return (0);
	return (ring_members(r->next.due ? &r->next.ring : &r->ring));
}

void
reader_detach(struct reader *r)
{
	reader_unmap(&r->ring, &r->bell);
	reader_unmap(&r->next.ring, &r->next.bell);
	r->next.due = 0;
	missed_free(&r->missed);
	r->open = r->live = r->wrote = r->at_own = 0;
	r->pos = r->from = r->seq = r->handed = 0;
}

int
reader_step(struct conn *c)
{
	struct reader *r = &c->reader;
	struct reader_batch batch;
	enum reader_stop stop;
	uint64_t start = r->pos, seq = r->seq;
	int arrived;

	if (r->missed.upto != 0)
		return (missed_step(c));
	if (!reader_may(c))
		return (0);
	batch.n = 0;
	batch.bytes = 0;
	batch.copy = NULL;
	stop = reader_gather(c, &batch);
	reader_copy(&r->ring, &batch, start);
	if (stop == READER_BEHIND || !ring_valid(&r->ring, start)) {
		free(batch.copy);
		r->pos = start;
		r->seq = seq;
		if (again_waits(c)) /* missed, when there is a broker */
			return (0);
		reader_behind(c);
		return (1);
	}
	/* To stand before an own entry is something: its verdict is ripe. */
	arrived = stop == READER_OWN && !r->at_own;
	r->at_own = stop == READER_OWN;
	if (batch.n > 0 && reader_batch_write(c, &batch, start) == 0)
		return (1);
	if (stop == READER_STUB)
		reader_stub(c, &batch.stub);
	else if (stop == READER_EMPTY && batch.n == 0 && r->next.due)
		return (reader_switch(c));
	return (
	    batch.n > 0 || stop == READER_STUB || r->pos != start || arrived);
}

uint64_t
conn_lost(struct conn *c)
{
	return (c->reader.lost);
}

void
conn_live(struct conn *c, uint64_t seq)
{
	struct reader *r = &c->reader;

	if (!r->open)
		return;
	r->live = 1;
	if (seq > r->seq)
		r->seq = seq;
}

void
conn_pause(struct conn *c)
{
	c->reader.live = 0;
	c->reader.at_own = 0;
}

uint64_t
conn_seq(struct conn *c)
{
	return (c->reader.seq);
}

void
conn_wait_own(struct conn *c, int own)
{
	c->reader.wait_own = own;
}

/* A mapping needs no descriptor, and there are few to be had. */
static int
reader_map(struct ring *ring, int ring_fd, int *bell, int bell_fd, size_t bytes)
{
	*bell = bell_fd;
	if (ring_fd == -1 || ring_attach(ring, ring_fd, bytes) == -1) {
		reader_unmap(ring, bell);
		return (-1);
	}
	close(ring->fd);
	ring->fd = -1;
	return (0);
}

static void
reader_unmap(struct ring *ring, int *bell)
{
	ring_close(ring);
	if (*bell != -1)
		close(*bell);
	*bell = -1;
}

/*
 * All of the old ring has been read, since the broker filled it before it sent
 * the new one.  Where more than one came meanwhile, something is missing.
 */
static int
reader_switch(struct conn *c)
{
	struct reader *r = &c->reader;
	int gap = r->pos != r->next.pos;

	poller_set(&c->poller, POLLER_BELL, -1, 0);
	reader_unmap(&r->ring, &r->bell);
	r->ring = r->next.ring;
	r->bell = r->next.bell;
	r->next.ring = (struct ring){ .fd = -1 };
	r->next.bell = -1;
	r->next.due = 0;
	if (poller_set(&c->poller, POLLER_BELL, r->bell, POLLER_READ) == -1)
		conn_drop(c);
	else if (gap)
		reader_behind(c);
	return (1);
}

/*
 * The client's order is the ring's: nothing may be queued or half written.  And
 * nothing goes out once the grant has ended, though the broker's word is still
 * on its way.
 */
int
reader_may(const struct conn *c)
{
	if (c->until_s != 0 && time(NULL) >= c->until_s)
		return (0);
	return (c->reader.open && c->reader.live && c->phase == CONN_WS &&
	    c->out.len == 0 && c->frame_left == 0);
}

static enum reader_stop
reader_gather(struct conn *c, struct reader_batch *b)
{
	struct reader *r = &c->reader;
	const struct ring_entry *at;
	struct ring_entry e;
	int found, skip;

	while (b->n < READER_FRAMES && b->bytes < READER_BYTES) {
		if ((found = ring_peek(&r->ring, &r->pos, &at)) != 1)
			return (found == 0 ? READER_EMPTY : READER_BEHIND);
		e = *at;
		if (reader_own(c, &e))
			return (READER_OWN);
		r->pos += e.size;
		skip = reader_skips(c, &e);
		if (!skip && (e.flags & (RING_STUB | RING_BLOB)) != 0) {
			b->stub = e;
			return (READER_STUB);
		}
		r->seq = e.seq > r->seq ? e.seq : r->seq;
		if (!skip)
			reader_take(b, ring_frame(at), r);
	}
	return (READER_FULL);
}

static int
reader_skips(const struct conn *c, const struct ring_entry *e)
{
	if ((e->flags & RING_SKIP_ORIGIN) != 0 && e->origin == c->session)
		return (1);
	if (e->seq != 0 && e->seq <= c->reader.seq)
		return (1);
	/* The next broker has no blobs of this one's signals. */
	if ((e->flags & RING_BLOB) != 0 && again_waits(c))
		return (1);
	return ((e->flags & (RING_STUB | RING_BLOB)) != 0 && e->since != 0 &&
	    c->reader.from <= e->since);
}

/* With no SUBMIT under way there is no verdict to wait for. */
static int
reader_own(const struct conn *c, const struct ring_entry *e)
{
	const struct reader *r = &c->reader;

	return (r->wait_own && e->seq != 0 && e->origin == c->session &&
	    e->seq > r->handed && r->submits > 0);
}

static void
reader_take(struct reader_batch *b, struct bytes frame, const struct reader *r)
{
	/* writev only reads, but an iovec has no const. */
	b->iov[b->n].iov_base = (void *)(uintptr_t)frame.p;
	b->iov[b->n].iov_len = frame.n;
	b->pos[b->n] = r->pos;
	b->seq[b->n] = r->seq;
	b->bytes += frame.n;
	b->n++;
}

/* Without the memory for it, it is written in place. */
static void
reader_copy(const struct ring *ring, struct reader_batch *b, uint64_t start)
{
	uint8_t *p;
	int i;

	if (b->n == 0 ||
	    ring_tail(ring) - start <= ring->bytes / READER_NEAR_SHARE ||
	    (p = b->copy = malloc(b->bytes)) == NULL)
		return;
	for (i = 0; i < b->n; i++) {
		memcpy(p, b->iov[i].iov_base, b->iov[i].iov_len);
		b->iov[i].iov_base = p;
		p += b->iov[i].iov_len;
	}
}

static int
reader_batch_write(struct conn *c, struct reader_batch *b, uint64_t start)
{
	int all = reader_write(c, b, start);

	free(b->copy);
	return (all);
}

/* 1: all is written; 0: the reader stands behind what was. */
static int
reader_write(struct conn *c, struct reader_batch *b, uint64_t start)
{
	ssize_t n;

	while ((n = writev(c->fd, b->iov, b->n)) == -1 && errno == EINTR)
		continue;
	if (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK) {
		conn_drop(c);
		return (0);
	}
	if (n > 0) {
		c->write_ms = c->now_ms;
		c->reader.wrote = 1;
		tally_add(c, tally_bytes_out, (uint64_t)n);
	}
	if (n == -1)
		n = 0;
	if ((size_t)n < b->bytes)
		reader_rest(c, b, (size_t)n);
	else
		note_frames(c, b->iov, b->n);
	if (b->copy == NULL && !ring_valid(&c->reader.ring, start)) {
		log_warnx("%s: frame overwritten while written", c->peer);
		conn_drop(c);
		return (0);
	}
	return ((size_t)n == b->bytes);
}

/* The frame that did not go out whole is queued; the reader stands after it. */
static void
reader_rest(struct conn *c, struct reader_batch *b, size_t written)
{
	struct reader *r = &c->reader;
	int i = 0;

	while (written >= b->iov[i].iov_len)
		written -= b->iov[i++].iov_len;
	note_frames(c, b->iov, i + 1);
	output_add(c,
	    bytes_of((const uint8_t *)b->iov[i].iov_base + written,
		b->iov[i].iov_len - written));
	r->pos = b->pos[i];
	r->seq = b->seq[i];
	r->at_own = 0;
}

/* What is published up to here is visible, so a FETCH sent later finds it. */
static void
reader_behind(struct conn *c)
{
	struct reader *r = &c->reader;

	r->live = r->at_own = 0;
	r->lost = r->pos;
	r->pos = r->from = ring_tail(&r->ring);
	log_debug("%s: reader fell behind", c->peer);
	tally_add(c, tally_overruns, 1);
	if (c->dialect->behind != NULL)
		c->dialect->behind(c, r->seq);
	else
		conn_close(c, 1013, "too slow");
}

static void
reader_stub(struct conn *c, const struct ring_entry *e)
{
	struct entry stub = { .seq = e->seq,
		.origin = e->origin,
		.kind = e->kind,
		.blob = e->blob,
		.size = e->blob_size };

	c->reader.live = 0;
	if ((e->flags & RING_BLOB) != 0)
		stub.flags = ENTRY_BLOB;
	if (c->dialect->stub != NULL)
		c->dialect->stub(c, &stub);
	else
		conn_close(c, 1013, "too large");
}
