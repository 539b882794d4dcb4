/*
 * What a connection counts for the operator's figures and tells the broker in a
 * TALLY: now and then while there is something to tell, and at its end.
 */
#ifndef QUIRE_TALLY_H
#define QUIRE_TALLY_H

#include <stdint.h>

#include "common/ipc.h"

struct conn;

#define TALLY_MS     10000 /* at most */
#define TALLY_FIELDS 7

struct tally {
	uint64_t n[TALLY_FIELDS]; /* by field of TALLY, since the last */
	int64_t due_at;		  /* 0: nothing that is worth a message */
};

void tally_add(struct conn *, enum ipc_field, uint64_t n);
void tally_send(struct conn *); /* what there is */

#endif
