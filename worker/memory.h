/* Memory that costs each connection less than it would by itself. */
#ifndef QUIRE_MEMORY_H
#define QUIRE_MEMORY_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Gives back to the system what a connection needed to begin with: stack below
 * the caller and, with heap, freed memory.  Costs a few microseconds, the heap
 * most of them: once, when a connection comes to rest.
 */
void memory_rest(int heap);

/*
 * Zeroes that this process has alone: a child does not get them.  What a parent
 * goes on writing to costs each child the copy that it was forked with.
 * NULL: no memory.
 */
void *memory_alone(size_t n);
void memory_alone_free(void *, size_t n);

/*
 * As fork, for a process of one thread: what a C library does for the sake of
 * others makes three pages more the child's own.
 */
pid_t memory_fork(void);

/*
 * Calls what(arg) in a child and takes over the n octets at arg, its result and
 * errno: for a library that leaves behind a heap full of holes, which every
 * worker would put its own into and so come to own.
 */
int memory_aside(int (*what)(void *), void *arg, size_t n);

#endif
