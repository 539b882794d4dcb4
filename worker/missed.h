/*
 * What the client missed while its broker was gone: the numbers up to the one
 * that the document had when it was opened again.  A dialect with a way of its
 * own (again) goes it; for the others the records are looked up one after the
 * other and handed to stub, like entries that did not fit into the ring.
 */
#ifndef QUIRE_MISSED_H
#define QUIRE_MISSED_H

#include "common/buf.h"

struct conn;
struct fetched_in;

/* A dialect's tags have the top bit clear. */
#define MISSED_TAG UINT64_MAX

struct missed {
	uint64_t upto;	 /* the newest number missed, 0: none is */
	uint64_t oldest; /* all up to this number are gone */
	int asked;
	int more;	 /* behind the page */
	struct buf page; /* entries */
	size_t used;	 /* octets of it */
};

void missed_free(struct missed *);
/* In the place of reader_step while there is something.  1: it was done. */
int missed_step(struct conn *);
void missed_fetched(struct conn *, const struct fetched_in *);

#endif
