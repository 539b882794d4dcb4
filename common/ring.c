/*
 * The ring, whatever the system: layout, the writer's steps, the reader's
 * checks.  Where its memory comes from is in ring_X.c.
 *
 * The order of the writer's and the reader's steps is that of a seqlock.  The
 * writer raises head, then overwrites; the reader copies what it decides by,
 * then looks whether head has passed it.  Frames may be torn under a reader's
 * hands, headers and lengths never are once ring_peek has let them through.
 */
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/ring_memory.h"

#include "common/ring.h"

#define RING_HEADER_BYTES 4096u
#define RING_MAGIC	  0x71756972656c7932u /* changes with the layout */
#define RING_ALIGN	  8u
#define RING_BYTES_MIN	  4096u

struct ring_shared {
	uint64_t magic;
	uint64_t bytes;
	uint64_t put; /* the writer's own: the end of what is not public yet */
	_Atomic uint64_t head;
	_Atomic uint64_t tail;
	_Atomic uint64_t members;
};

static_assert(sizeof(struct ring_shared) <= RING_HEADER_BYTES, "header");
static_assert(sizeof(struct ring_entry) == 56, "no padding between processes");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes");

static int ring_size_fits(size_t);
static uint8_t *ring_at(const struct ring *, uint64_t pos);
static size_t ring_rest(const struct ring *, uint64_t pos);
static uint64_t ring_pad(struct ring *, uint64_t pos, size_t need);
static void ring_give_up(struct ring *, uint64_t end);
static uint64_t ring_step(const struct ring *, uint64_t pos);
static int ring_take(struct ring *, uint64_t pos, uint64_t tail);

int
ring_create(struct ring *r, size_t bytes)
{
	void *map;

	*r = (struct ring){ .fd = -1, .bytes = bytes, .writer = 1 };
	if (!ring_size_fits(bytes)) {
		errno = EINVAL;
		return (-1);
	}
	r->fd = ring_memory_make(RING_HEADER_BYTES + bytes, &map);
	if (r->fd == -1)
		return (-1);
	r->map = map;
	r->map->magic = RING_MAGIC;
	r->map->bytes = bytes;
	return (0);
}

void
ring_begin_at(struct ring *r, uint64_t pos)
{
	r->map->put = pos;
	atomic_store_explicit(&r->map->head, pos, memory_order_relaxed);
	atomic_store_explicit(&r->map->tail, pos, memory_order_release);
}

int
ring_reader_fd(const struct ring *r)
{
	return (ring_memory_share(r->fd));
}

int
ring_attach(struct ring *r, int fd, size_t bytes)
{
	*r = (struct ring){ .fd = fd, .bytes = bytes };
	if (!ring_size_fits(bytes) ||
	    (r->map = ring_memory_see(fd, RING_HEADER_BYTES + bytes)) == NULL)
		goto err;
	if (r->map->magic != RING_MAGIC || r->map->bytes != bytes)
		goto err;
	return (0);

err:
	ring_close(r);
	errno = EINVAL;
	return (-1);
}

void *
ring_memory_see(int fd, size_t n)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) == -1)
		return (NULL);
	errno = EINVAL;
	if (st.st_size != (off_t)n)
		return (NULL);
	map = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
	return (map == MAP_FAILED ? NULL : map);
}

void
ring_close(struct ring *r)
{
	if (r->map != NULL)
		munmap(r->map, RING_HEADER_BYTES + r->bytes);
	r->map = NULL;
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
}

uint64_t
ring_tail(const struct ring *r)
{
	return (atomic_load_explicit(&r->map->tail, memory_order_acquire));
}

uint64_t
ring_end(const struct ring *r)
{
	return (r->map->put);
}

uint64_t
ring_head(const struct ring *r)
{
	return (atomic_load_explicit(&r->map->head, memory_order_acquire));
}

uint64_t
ring_put(struct ring *r, struct ring_entry *e, const struct bytes *piece,
    size_t n)
{
	size_t i, frame = 0, most = r->bytes / RING_STUB_SHARE, size;
	uint64_t pos;
	uint8_t *to;

	for (i = 0; i < n; i++) {
		if (piece[i].n > most - frame) {
			errno = EMSGSIZE;
			return (0);
		}
		frame += piece[i].n;
	}
	size = sizeof(*e) + (frame + RING_ALIGN - 1) / RING_ALIGN * RING_ALIGN;
	if (size > most) {
		errno = EMSGSIZE;
		return (0);
	}
	e->size = (uint32_t)size;
	e->frame = (uint32_t)frame;
	pos = ring_pad(r, r->map->put, size);
	ring_give_up(r, pos + size);
	to = ring_at(r, pos);
	memcpy(to, e, sizeof(*e));
	to += sizeof(*e);
	for (i = 0; i < n; i++) {
		if (piece[i].n > 0)
			memcpy(to, piece[i].p, piece[i].n);
		to += piece[i].n;
	}
	r->map->put = pos + size;
	return (r->map->put);
}

void
ring_publish(struct ring *r)
{
	atomic_store_explicit(&r->map->tail, r->map->put, memory_order_release);
}

void
ring_set_members(struct ring *r, uint64_t n)
{
	atomic_store_explicit(&r->map->members, n, memory_order_relaxed);
}

uint64_t
ring_members(const struct ring *r)
{
	return (atomic_load_explicit(&r->map->members, memory_order_relaxed));
}

int
ring_peek(struct ring *r, uint64_t *pos, const struct ring_entry **e)
{
	uint64_t tail = ring_tail(r), at = *pos;

	/* A position is never ahead of the tail unless it is made up. */
	if (at > tail || at % RING_ALIGN != 0 || !ring_valid(r, at))
		return (-1);
	while (at < tail) {
		if (ring_rest(r, at) < sizeof(struct ring_entry)) {
			at += ring_rest(r, at);
			continue;
		}
		if (!ring_take(r, at, tail))
			return (-1);
		if ((r->seen.entry.flags & RING_PAD) == 0) {
			*pos = at;
			*e = &r->seen.entry;
			return (1);
		}
		at += r->seen.entry.size;
	}
	*pos = at;
	return (0);
}

int
ring_valid(const struct ring *r, uint64_t pos)
{
	atomic_thread_fence(memory_order_acquire);
	return (
	    atomic_load_explicit(&r->map->head, memory_order_relaxed) <= pos);
}

static int
ring_size_fits(size_t bytes)
{
	return (bytes >= RING_BYTES_MIN && bytes <= UINT32_MAX &&
	    (bytes & (bytes - 1)) == 0);
}

static uint8_t *
ring_at(const struct ring *r, uint64_t pos)
{
	return ((uint8_t *)r->map + RING_HEADER_BYTES +
	    (size_t)(pos & (r->bytes - 1)));
}

/* Octets from pos to the end of the ring's memory. */
static size_t
ring_rest(const struct ring *r, uint64_t pos)
{
	return (r->bytes - (size_t)(pos & (r->bytes - 1)));
}

/*
 * Where an entry of need octets can begin, at pos or after a filler.  A rest
 * too short for a header is filler by itself: there is nothing to write.
 */
static uint64_t
ring_pad(struct ring *r, uint64_t pos, size_t need)
{
	struct ring_entry pad = { .flags = RING_PAD };
	size_t rest = ring_rest(r, pos);

	if (rest >= need)
		return (pos);
	ring_give_up(r, pos + rest);
	if (rest >= sizeof(pad)) {
		pad.size = (uint32_t)rest;
		memcpy(ring_at(r, pos), &pad, sizeof(pad));
	}
	return (pos + rest);
}

/* Announces that all that shares memory with what ends at end is gone. */
static void
ring_give_up(struct ring *r, uint64_t end)
{
	uint64_t head =
	    atomic_load_explicit(&r->map->head, memory_order_relaxed);

	if (head + r->bytes >= end)
		return;
	while (head + r->bytes < end)
		head = ring_step(r, head);
	atomic_store_explicit(&r->map->head, head, memory_order_relaxed);
	/* No store after this one may be seen before it. */
	atomic_thread_fence(memory_order_release);
}

/* The position after the entry or filler at pos, in the writer's own ring. */
static uint64_t
ring_step(const struct ring *r, uint64_t pos)
{
	uint32_t size;

	if (ring_rest(r, pos) < sizeof(struct ring_entry))
		return (pos + ring_rest(r, pos));
	memcpy(&size, ring_at(r, pos), sizeof(size));
	return (pos + size);
}

/*
 * Copies the header at pos and checks it, so that neither the broker passing
 * by nor a broker gone wrong makes a reader leave the ring.
 */
static int
ring_take(struct ring *r, uint64_t pos, uint64_t tail)
{
	struct ring_entry *e = &r->seen.entry;

	memcpy(e, ring_at(r, pos), sizeof(*e));
	if (!ring_valid(r, pos))
		return (0);
	if (e->size < sizeof(*e) || e->size % RING_ALIGN != 0 ||
	    e->size > ring_rest(r, pos) || e->size > tail - pos ||
	    e->frame > e->size - sizeof(*e))
		return (0);
	r->seen.frame = bytes_of(ring_at(r, pos) + sizeof(*e), e->frame);
	return (1);
}
