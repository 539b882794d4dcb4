/*
 * The lane: who may write to one client's socket, its worker or the fan-out
 * process, and from where in the ring.  One small shared memory a connection,
 * made by the broker, mapped by that worker and by fan-out and by nobody else:
 * a worker can spoil its own lane only, and fan-out believes nothing in it that
 * it does not check.
 *
 * The owner's word changes hands by one compare-and-swap.  A worker gives the
 * lane away when its client is level (everything up to the position was sent)
 * and idle, and takes it back before it does anything else.  Fan-out takes it
 * for one write; when the socket takes less than a whole frame, it puts the
 * rest of the frame beside the position and hands all to the worker.
 */
#ifndef QUIRE_LANE_H
#define QUIRE_LANE_H

#include <stdatomic.h>

#include "common/bytes.h"

/* The rest of a frame cut short: as large as a ring's frame can be.  Memory
 * that nobody writes is not there. */
#define LANE_SPILL_MAX_BYTES ((size_t)1024 * 1024)

/* Where a client stands. */
struct lane_place {
	uint64_t pos; /* in the ring: everything before it was sent */
	uint64_t seq; /* newest number sent */
};

enum lane_state {
	LANE_GIVEN, /* fan-out may take it */
	LANE_WORKER,
	LANE_FANOUT /* for the length of one write */
};

struct lane_shared; /* see lane.c */

struct lane {
	struct lane_shared *map; /* NULL: closed */
};

/* A descriptor for lane_attach on both sides; the caller closes it.  The worker
 * owns the lane at first.  -1 with errno; ENOSYS where there are no lanes. */
int lane_create(void);
/*
 * How many clients' sockets may be under way to the broker at once, those of
 * all workers together: when thousands are told the same, all of them ask.
 * 0: there are no lanes.
 */
unsigned int lane_flight_max(void);
/* Maps it; fd stays the caller's.  -1 if it is not a lane. */
int lane_attach(struct lane *, int fd);
void lane_detach(struct lane *); /* harmless on a closed one */

/* --- the worker's side --- */
/* The caller must look at the ring's tail afterwards: what was published before
 * this was not for fan-out to send. */
void lane_give(struct lane *, const struct lane_place *);
/*
 * 1: the caller owns it; *place, and in *rest what must be sent first, borrowed
 * until the next lane_give; 0: fan-out is writing, ask again at once.
 */
int lane_take(struct lane *, struct lane_place *, struct bytes *rest);

/* --- fan-out's side --- */
/* 1: taken, at *place; 0: it is the worker's. */
int lane_grab(struct lane *, struct lane_place *);
void lane_return(struct lane *, const struct lane_place *);
/* To the worker, which must be woken.  rest: at most LANE_SPILL_MAX_BYTES, of
 * the frame before place. */
void lane_hand(struct lane *, const struct lane_place *, struct bytes rest);

#endif
