/*
 * Whose sessions there are: one object a subject, from the first login under
 * its name until the last session that has it is gone.
 */
#ifndef QUIRE_SUBJECT_H
#define QUIRE_SUBJECT_H

#include "common/bytes.h"
#include "broker/bounds.h"

#define SUBJECT_BUCKETS	  4096u
#define SUBJECT_KEY_BYTES 16u

struct session;

struct subject {
	struct subject *next; /* in its hash chain */
	unsigned int refs;    /* sessions */
	size_t open;	      /* of them, with a document */
	struct bounds bounds;
	size_t n;
	uint8_t name[];
};

/* Zeroed it is empty. */
struct subjects {
	int keyed;
	uint8_t key[SUBJECT_KEY_BYTES]; /* nobody outside foresees the hash */
	struct subject *bucket[SUBJECT_BUCKETS];
};

/* The session is this subject's now; without a name, nobody's.  -1: no memory,
 * and nothing has changed. */
int subject_set(struct subjects *, struct session *, struct bytes name);

#endif
