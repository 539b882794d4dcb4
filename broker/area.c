/*
 * The memory is made as a ring's is: nobody but the broker can write to it or
 * change its size.  The worker says with each FETCH whether it has read what
 * lies there; one that lies harms its own client.
 */
#include <sys/mman.h>

#include <stdlib.h>
#include <unistd.h>

#include "broker/area.h"
#include "broker/trace.h"
#include "common/limits.h"
#include "common/ring_memory.h"

/* As much as the largest answer, and so many that they take 20 MiB at most. */
#define AREA_BYTES ((size_t)IPC_FRAME_MAX_BYTES)
#define AREAS_MAX  64u

struct area {
	void *map;
	int fd; /* -1: the worker has it */
};

static struct area *area_new(void);
static int area_give(struct session *);

/*
 * The worker can look before it is told to: what this batch changed is for
 * nobody to see yet.  And where it asks for several answers at once each would
 * come over the one before.
 */
int
area_lend(const struct op *op, struct buf *out)
{
	struct session *s = op->session;

	if (op->doc->dirty || s->ops > 1)
		return (0);
	if (s->area == NULL && s->broker->nareas < AREAS_MAX &&
	    (s->area = area_new()) != NULL)
		s->broker->nareas++;
	if (s->area == NULL)
		return (0);
	*out =
	    (struct buf){ .mem = s->area->map, .cap = AREA_BYTES, .fixed = 1 };
	return (1);
}

int
area_has(struct session *s, const struct buf *answer)
{
	return (answer->fixed && answer->len > 0 &&
	    (s->area->fd == -1 || area_give(s) == 0));
}

void
area_free(struct session *s)
{
	if (s->area == NULL)
		return;
	(void)munmap(s->area->map, AREA_BYTES);
	if (s->area->fd != -1)
		close(s->area->fd);
	free(s->area);
	s->area = NULL;
	s->broker->nareas--;
}

static struct area *
area_new(void)
{
	struct area *a = malloc(sizeof(*a));

	if (a == NULL || (a->fd = ring_memory_make(AREA_BYTES, &a->map)) != -1)
		return (a);
	free(a);
	return (NULL);
}

/* 0, or -1: not now. */
static int
area_give(struct session *s)
{
	struct msg m = MSG(AREA);
	int fd, r;

	m.f[area_size].u = AREA_BYTES;
	if (s->dead || s->mute || (fd = ring_memory_share(s->area->fd)) == -1)
		return (-1);
	r = chan_send_fds(&s->chan, &m, &fd, 1);
	close(fd);
	if (r == -1)
		return (-1);
	trace(s, &m, TRACE_OUT);
	close(s->area->fd);
	s->area->fd = -1;
	return (0);
}
