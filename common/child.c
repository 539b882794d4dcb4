/* Started, and waited for. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "common/child.h"

int
child_start(pid_t *pid, int *fd)
{
	int pair[2], saved;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return (-1);
	if ((*pid = fork()) == -1) {
		saved = errno;
		close(pair[0]);
		close(pair[1]);
		errno = saved;
		return (-1);
	}
	if (*pid == 0) {
		close(pair[0]);
		*fd = pair[1];
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		return (1);
	}
	close(pair[1]);
	*fd = pair[0];
	return (0);
}

/* A supervisor may kill what is left of us, even in a write. */
void
child_wait(pid_t pid)
{
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}
