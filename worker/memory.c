/* What every Unix does alike. */
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "worker/memory.h"

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

struct memory_answer {
	int result;
	int error;
};

/* The answer is in shared memory, since a starter that ignores SIGCHLD leaves
 * no exit status to be had. */
int
memory_aside(int (*what)(void *), void *arg, size_t n)
{
	struct memory_answer *shared;
	int r = -1, error = EPROTO;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared) + n, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return (-1);
	*shared = (struct memory_answer){ -1, EPROTO };
	if ((pid = fork()) == 0) {
		shared->result = what(arg);
		shared->error = errno;
		memcpy(shared + 1, arg, n);
		_exit(0);
	}
	if (pid == -1)
		error = errno;
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	if (pid != -1) {
		r = shared->result;
		error = shared->error;
		memcpy(arg, shared + 1, n);
	}
	(void)munmap(shared, sizeof(*shared) + n);
	errno = error;
	return (r);
}
