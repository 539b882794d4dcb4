/*
 * For whoever accepts and forks: each child is told to stop before it has done
 * anything.  What a program forks before that is for itself, and left alone.
 */
#include <sys/socket.h>

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int accepted;

static void *
termed_next(const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	if (next == NULL)
		abort();
	return (next);
}

int
accept(int fd, struct sockaddr *restrict peer, socklen_t *restrict n)
{
	int client = ((int (*)(int, struct sockaddr *restrict,
	    socklen_t *restrict))termed_next("accept"))(fd, peer, n);

	if (client != -1)
		accepted = 1;
	return (client);
}

pid_t
fork(void)
{
	pid_t pid = ((pid_t(*)(void))termed_next("fork"))();

	if (pid == 0 && accepted)
		kill(getpid(), SIGTERM);
	return (pid);
}
