/*
 * The bell: one descriptor a document that wakes every worker that watches it,
 * with one system call of the broker.  Workers wait for it edge-triggered and
 * never read it.
 *
 * What a worker holds of it can neither fill nor block it and, unlike an
 * eventfd's, no read of one worker takes a ring away from the others (Linux;
 * elsewhere a read of one may hush the others of its own document until the
 * next ring, see bell_other.c).
 */
#ifndef QUIRE_BELL_H
#define QUIRE_BELL_H

struct bell {
	int ring_fd;	   /* the broker's */
	int wait_fd;	   /* the workers', passed to them */
	int drain_fd;	   /* a FIFO's: the broker's own reading end */
	unsigned int rung; /* a FIFO's: octets since the last drain */
};

#define BELL_NONE                                                              \
	{                                                                      \
		-1, -1, -1, 0                                                  \
	}

/* dir: where a FIFO can be made and is unlinked at once; else not used. */
int bell_create(struct bell *, const char *dir);
void bell_ring(struct bell *);
void bell_close(struct bell *); /* harmless on a closed one */

#endif
