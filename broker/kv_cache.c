/* How large the cache of pages is where the operator leaves that to us. */
#include <unistd.h>

#include "common/limits.h"
#include "broker/kv.h"

#define CACHE_SHARE	8 /* of the memory, one part in so many */
#define CACHE_MIN_BYTES (64 * (uint64_t)MIB)
#define CACHE_MAX_BYTES (256 * (uint64_t)MIB)

uint64_t
kv_cache_bytes(uint64_t set, uint64_t memory)
{
	uint64_t n = memory / CACHE_SHARE;

	if (set != 0)
		return (set);
	if (n < CACHE_MIN_BYTES)
		return (CACHE_MIN_BYTES);
	return (n > CACHE_MAX_BYTES ? CACHE_MAX_BYTES : n);
}

uint64_t
kv_cache_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);

	return (pages < 0 || bytes < 0 ? 0 : (uint64_t)pages * (uint64_t)bytes);
}
