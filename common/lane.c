/* The lane's words; lane.h says what they mean, lane_linux.c makes the memory.
 */
#include <string.h>

#include "common/lane_memory.h"

static void lane_place_set(struct lane_shared *, const struct lane_place *);
static void lane_place_get(struct lane_shared *, struct lane_place *);

int
lane_attach(struct lane *l, int fd)
{
	l->map = lane_memory_map(fd, sizeof(*l->map));
	return (l->map == NULL ? -1 : 0);
}

void
lane_detach(struct lane *l)
{
	if (l->map != NULL)
		lane_memory_unmap(l->map, sizeof(*l->map));
	l->map = NULL;
}

void
lane_give(struct lane *l, const struct lane_place *place)
{
	struct lane_shared *m = l->map;

	lane_place_set(m, place);
	atomic_store_explicit(&m->rest, 0, memory_order_relaxed);
	/* The caller's look at the ring must not come before this. */
	atomic_store(&m->owner, LANE_GIVEN);
	atomic_thread_fence(memory_order_seq_cst);
}

int
lane_take(struct lane *l, struct lane_place *place, struct bytes *rest)
{
	struct lane_shared *m = l->map;
	uint32_t owner = LANE_GIVEN;

	if (!atomic_compare_exchange_strong(&m->owner, &owner, LANE_WORKER) &&
	    owner == LANE_FANOUT)
		return (0);
	lane_place_get(m, place);
	*rest = bytes_of(m->spill,
	    atomic_load_explicit(&m->rest, memory_order_relaxed));
	return (1);
}

int
lane_grab(struct lane *l, struct lane_place *place)
{
	struct lane_shared *m = l->map;
	uint32_t owner = LANE_GIVEN;

	if (!atomic_compare_exchange_strong(&m->owner, &owner, LANE_FANOUT))
		return (0);
	lane_place_get(m, place);
	return (1);
}

void
lane_return(struct lane *l, const struct lane_place *place)
{
	lane_place_set(l->map, place);
	atomic_store_explicit(&l->map->owner, LANE_GIVEN, memory_order_release);
}

void
lane_hand(struct lane *l, const struct lane_place *place, struct bytes rest)
{
	struct lane_shared *m = l->map;

	lane_place_set(m, place);
	if (rest.n > 0)
		memcpy(m->spill, rest.p, rest.n);
	atomic_store_explicit(&m->rest, (uint32_t)rest.n, memory_order_relaxed);
	atomic_store_explicit(&m->owner, LANE_WORKER, memory_order_release);
}

static void
lane_place_set(struct lane_shared *m, const struct lane_place *place)
{
	atomic_store_explicit(&m->pos, place->pos, memory_order_relaxed);
	atomic_store_explicit(&m->seq, place->seq, memory_order_relaxed);
}

static void
lane_place_get(struct lane_shared *m, struct lane_place *place)
{
	place->pos = atomic_load_explicit(&m->pos, memory_order_relaxed);
	place->seq = atomic_load_explicit(&m->seq, memory_order_relaxed);
}
