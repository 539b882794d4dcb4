/* The allocators of the BSDs give back by themselves. */
#include "worker/memory.h"

void
memory_rest(void)
{
}
