/*
 * The memory is made as a ring's is: nobody but the broker can write to it or
 * change its size.  The worker says with each FETCH whether it has read what
 * lies there; one that lies harms its own client.
 */
#include <sys/mman.h>

#include <unistd.h>

#include "broker/area.h"
#include "broker/trace.h"
#include "common/limits.h"
#include "common/ring_memory.h"

/* An entry's head is asked room for before its length is known. */
#define AREA_BYTES ((size_t)FETCH_AREA_BYTES + 4u * KIB)
#define AREAS_MAX  32u /* 17 MiB */

static int area_make(struct session *);
static int area_give(struct session *, int);

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
	if (s->area == NULL && area_make(s) == -1)
		return (0);
	*out = (struct buf){ .mem = s->area, .cap = AREA_BYTES, .fixed = 1 };
	return (1);
}

void
area_free(struct session *s)
{
	if (s->area == NULL)
		return;
	(void)munmap(s->area, AREA_BYTES);
	s->area = NULL;
	s->broker->nareas--;
}

static int
area_make(struct session *s)
{
	void *map;
	int fd, r;

	if (s->dead || s->mute || s->broker->nareas == AREAS_MAX ||
	    (fd = ring_memory_make(AREA_BYTES, &map)) == -1)
		return (-1);
	r = area_give(s, fd);
	close(fd);
	if (r == -1) {
		(void)munmap(map, AREA_BYTES);
		return (-1);
	}
	s->area = map;
	s->broker->nareas++;
	return (0);
}

/* 0, or -1: not now. */
static int
area_give(struct session *s, int fd)
{
	struct msg m = MSG(AREA);
	int reader = ring_memory_share(fd), r;

	if (reader == -1)
		return (-1);
	m.f[area_size].u = AREA_BYTES;
	if ((r = chan_send_fds(&s->chan, &m, &reader, 1)) == 0)
		trace(s, &m, TRACE_OUT);
	close(reader);
	return (r);
}
