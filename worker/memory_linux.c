/*
 * Linux.  glibc keeps what was freed at the end of the heap; musl does not, and
 * has nothing to call.
 */
#include <sys/mman.h>

#include <malloc.h>
#include <stdint.h>
#include <unistd.h>

#include "common/sandbox_layers.h"
#include "worker/memory.h"

/* As deep as anything went before. */
#define MEMORY_STACK_BYTES ((uintptr_t)64 * 1024)
/* Below the caller's frame: ours, the call's, and what a signal may not touch.
 */
#define MEMORY_STACK_LEFT_BYTES 1024

static uintptr_t memory_page(void);
static void memory_stack_rest(void);

void
memory_rest(int heap)
{
#ifdef __GLIBC__
	if (heap)
		malloc_trim(0);
#else
	(void)heap;
#endif
	memory_stack_rest();
}

void *
memory_alone(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return (NULL);
	(void)memory_page(); /* so that no child has to ask */
	(void)madvise(p, n, MADV_DONTFORK);
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
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
	return (_Fork());
#else
	return (fork());
#endif
}

static uintptr_t
memory_page(void)
{
	static uintptr_t page;

	if (page == 0)
		page = (uintptr_t)sysconf(_SC_PAGESIZE);
	return (page);
}

/* Whole pages that no frame is in; they are zeroes when one is again. */
static void
memory_stack_rest(void)
{
	char here;
	uintptr_t page = memory_page();
	uintptr_t end =
	    ((uintptr_t)&here - MEMORY_STACK_LEFT_BYTES) & ~(page - 1);

	if (!SANDBOX_SANITIZED)
		madvise((void *)(end - MEMORY_STACK_BYTES), MEMORY_STACK_BYTES,
		    MADV_DONTNEED);
}
