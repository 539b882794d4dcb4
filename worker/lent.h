/*
 * The reader's side of an area: memory in which the broker leaves answers to a
 * worker that reads much.  There is none until several answers in a row had
 * more behind them, and none after one without.
 */
#ifndef QUIRE_LENT_H
#define QUIRE_LENT_H

#include "common/bytes.h"

#include <stddef.h>

struct lent {
	void *map; /* NULL: none */
	size_t size;
	unsigned int asked; /* FETCHes without their answer */
	unsigned int pages; /* answers in a row that had more behind them */
};

/* One more is asked.  1: its answer may lie in the area. */
int lent_ask(struct lent *);
/* Takes fd over; 0, or -1: it is no such memory. */
int lent_attach(struct lent *, int fd, size_t size);
/* An answer of n octets there, good until the next is asked for; -1: none. */
int lent_answer(struct lent *, size_t n, struct bytes *);
/* And it was acted upon. */
void lent_answered(struct lent *, int more);
void lent_free(struct lent *);

#endif
