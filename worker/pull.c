/* Slices of a blob: where the next one begins, and whether it came. */
#include "common/limits.h"
#include "worker/pull.h"

void
pull_ask(const struct pull *p, struct conn *c, uint64_t tag)
{
	uint64_t left = p->size - p->off;
	uint8_t from[8];

	be64_put(from, p->off);
	conn_fetch(c, tag, FETCH_BLOB, p->blob,
	    left < FETCH_MAX_BYTES ? left : FETCH_MAX_BYTES, BYTES_NONE,
	    bytes_of(from, sizeof(from)));
}

int
pull_take(struct pull *p, const struct fetched_in *f, struct bytes *slice)
{
	struct bytes in = f->entries;
	struct entry e;

	if (entry_unpack(&in, &e) != 1 || in.n != 0 || e.body.n == 0 ||
	    e.body.n > p->size - p->off)
		return (-1);
	*slice = e.body;
	p->off += e.body.n;
	return (0);
}
