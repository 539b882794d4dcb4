/*
 * The bell: one descriptor a document that wakes every worker that watches it,
 * with one system call of the broker.  Workers wait for it edge-triggered and
 * never read it.
 *
 * It is a FIFO opened once for writing (the broker's) and once more, read-only,
 * for the workers: unlike an eventfd, what a worker holds cannot ring, fill or
 * block it.
 */
#ifndef QUIRE_BELL_H
#define QUIRE_BELL_H

struct bell {
	int write_fd;	   /* the broker's */
	int read_fd;	   /* the workers', passed to them */
	int drain_fd;	   /* the broker's own reading end */
	unsigned int rung; /* octets since the last drain */
};

/* dir: a directory where a FIFO can be made and is unlinked at once. */
int bell_create(struct bell *, const char *dir);
void bell_ring(struct bell *);
void bell_close(struct bell *); /* harmless on a closed one */

#endif
