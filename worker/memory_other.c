/* The allocators of the BSDs give back by themselves. */
#include <sys/mman.h>

#include <unistd.h>

#include "worker/memory.h"

void
memory_rest(int heap)
{
	(void)heap;
}

void *
memory_alone(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON,
	    -1, 0);

	if (p == MAP_FAILED)
		return (NULL);
#ifdef INHERIT_NONE
	(void)minherit(p, n, INHERIT_NONE);
#endif
	return (p);
}

void
memory_alone_free(void *p, size_t n)
{
	if (p != NULL)
		munmap(p, n);
}

pid_t
memory_fork(void)
{
	return (fork());
}
