/*
 * glibc keeps what was freed at the end of the heap; musl does not, and has
 * nothing to call.
 */
#include <malloc.h>

#include "worker/memory.h"

void
memory_rest(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
