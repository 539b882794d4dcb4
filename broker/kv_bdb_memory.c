/*
 * Memory of the Berkeley DB library.  It recovers a store, or makes one, only
 * with all it asks for: a log file that it has no memory to read is one that
 * is not there, so it begins another in its place, and what was committed is
 * gone.  Before that the process ends, as by a kill, which harms nothing.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sysexits.h>

#include "broker/kv_bdb.h"
#include "common/log.h"

static atomic_int memory_needed;

static void *memory_get(size_t);
static void *memory_again(void *, size_t);
static void *memory_given(void *, size_t);

int
kv_bdb_memory(int needed)
{
	int error;

	atomic_store(&memory_needed, needed);
	if ((error = db_env_set_func_malloc(memory_get)) != 0)
		return (error);
	return (db_env_set_func_realloc(memory_again));
}

static void *
memory_get(size_t n)
{
	return (memory_given(malloc(n), n));
}

static void *
memory_again(void *p, size_t n)
{
	return (memory_given(realloc(p, n), n));
}

static void *
memory_given(void *p, size_t n)
{
	if (p == NULL && n > 0 && atomic_load(&memory_needed))
		fatalx(EX_OSERR,
		    "store: no memory for %zu octets while it is opened", n);
	return (p);
}
