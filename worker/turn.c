/*
 * Whose turn it is to write to the client: ours, or the fan-out process's while
 * the client is level and idle (common/lane.h).  A connection asks for a lane
 * once the ring has had something for it, so that quiet ones cost nothing; and
 * while it does not have the turn, the bell does not wake it.
 */
#include <sys/socket.h>

#include "common/log.h"
#include "worker/conn_internal.h"

/* Fan-out holds a lane for one write; longer, and it is no more. */
#define TURN_WAIT_MS 1000

static int turn_level(const struct conn *);
static void turn_ask(struct conn *);
static int turn_more(struct conn *);
static void turn_bell(struct conn *, int watched);

int
turn_take(struct conn *c)
{
	struct turn *t = &c->turn;
	struct reader *r = &c->reader;
	struct lane_place place;
	struct bytes rest;

	if (t->state != TURN_GIVEN)
		return (1);
	if (!lane_take(&t->lane, &place, &rest)) {
		if (t->busy_at == 0)
			t->busy_at = c->now_ms;
		if (c->now_ms - t->busy_at > TURN_WAIT_MS) {
			log_warnx("%s: fan-out ended in a write", c->peer);
			conn_drop(c);
		}
		return (0);
	}
	t->busy_at = 0;
	t->state = TURN_OURS;
	if (rest.n > LANE_SPILL_MAX_BYTES) {
		conn_drop(c);
		return (0);
	}
	r->pos = place.pos;
	r->seq = place.seq;
	output_add(c, rest);
	return (1);
}

int
turn_give(struct conn *c)
{
	struct turn *t = &c->turn;
	struct lane_place place = { c->reader.pos, c->reader.seq };

	if (c->settings.fast_lane == 0 || !turn_level(c)) {
		turn_bell(c, 1);
		return (0);
	}
	if (t->state == TURN_NONE && c->reader.wrote)
		turn_ask(c);
	if (t->state != TURN_OURS) {
		turn_bell(c, 1);
		return (0);
	}
	turn_bell(c, 0);
	t->state = TURN_GIVEN;
	lane_give(&t->lane, &place);
	return (turn_more(c));
}

int
turn_laned(struct conn *c, const struct msg *m)
{
	struct turn *t = &c->turn;
	int fd = chan_take_fd(&c->link);

	if (m->f[laned_on].u == 0) {
		turn_leave(c);
		t->state = TURN_REFUSED;
	} else if (fd != -1 && t->state == TURN_ASKED) {
		if (lane_attach(&t->lane, fd) == -1)
			t->state = TURN_REFUSED;
		else
			t->state = TURN_OURS;
	}
	if (fd != -1)
		close(fd);
	return (0);
}

void
turn_leave(struct conn *c)
{
	turn_bell(c, 1);
	lane_detach(&c->turn.lane);
	c->turn.state = TURN_NONE;
}

void
turn_end(struct conn *c)
{
	/* Fan-out has the socket too: closing ours alone ends nothing. */
	if (c->turn.state >= TURN_ASKED && c->fd != -1)
		shutdown(c->fd, SHUT_RDWR);
	lane_detach(&c->turn.lane);
}

/* Everything that was for the client is sent, and nothing is awaited that must
 * come before what the ring will bring. */
static int
turn_level(const struct conn *c)
{
	const struct reader *r = &c->reader;

	return (reader_may(c) && !c->lost && !again_waits(c) && !c->ending &&
	    !c->busy && !c->watched && !r->next.due && r->missed.upto == 0 &&
	    !r->at_own && r->nverdicts == 0 &&
	    !(r->wait_own && r->submits > 0) && TAILQ_EMPTY(&c->ops));
}

static void
turn_ask(struct conn *c)
{
	struct msg m = MSG(LANE);

	/* Later is soon enough. */
	if (chan_try_fds(&c->link, &m, &c->fd, 1) == 0)
		c->turn.state = TURN_ASKED;
}

/*
 * Published before the lane was given: not for fan-out, which was told of it
 * earlier.  1: there is some, and the turn is ours again.
 */
static int
turn_more(struct conn *c)
{
	if (ring_tail(&c->reader.ring) == c->reader.pos)
		return (0);
	return (turn_take(c));
}

static void
turn_bell(struct conn *c, int watched)
{
	struct turn *t = &c->turn;

	if (c->reader.bell == -1 || t->deaf == !watched)
		return;
	t->deaf = !watched;
	poller_set(&c->poller, POLLER_BELL, watched ? c->reader.bell : -1,
	    watched ? POLLER_READ : 0);
}
