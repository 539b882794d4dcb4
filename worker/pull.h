/*
 * Fetches a blob slice by slice, at the pace of whoever takes the slices.
 */
#ifndef QUIRE_PULL_H
#define QUIRE_PULL_H

#include "worker/conn.h"

struct pull {
	uint64_t blob; /* 0: nothing to fetch */
	uint64_t size;
	uint64_t off; /* octets received */
};

static inline int
pull_active(const struct pull *p)
{
	return (p->blob != 0 && p->off < p->size);
}

/* Asks for the next slice; the answer comes to the dialect's fetched(). */
void pull_ask(const struct pull *, struct conn *, uint64_t tag);

/* The slice in an answer: 0, or -1 when it is not what was asked for. */
int pull_take(struct pull *, const struct fetched_in *, struct bytes *slice);

#endif
