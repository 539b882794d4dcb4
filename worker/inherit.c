/*
 * The starter's descriptors, looked at before they are believed: a number in
 * the environment may be a leftover that was meant for another process.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/inherit.h"

static long inherit_number(const char *name);

int
inherit_count(int max)
{
	long pid = inherit_number("LISTEN_PID"),
	     n = inherit_number("LISTEN_FDS");

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (pid != (long)getpid())
		return (0);
	if (n < 0 || n > max)
		fatalx(EX_USAGE, "LISTEN_FDS: not a number up to %d", max);
	return ((int)n);
}

int
inherit_listens(int fd)
{
	int type, on;
	socklen_t ntype = sizeof(type), non = sizeof(on);

	return (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &ntype) == 0 &&
	    type == SOCK_STREAM &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &non) == 0 && on);
}

void
inherit_take(int fd)
{
	int flags;

	if (!inherit_listens(fd))
		fatalx(EX_USAGE, "descriptor %d does not listen", fd);
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		fatal(EX_OSERR, "descriptor %d", fd);
}

/* -1: not there, or no number. */
static long
inherit_number(const char *name)
{
	const char *word = getenv(name);
	char *end;
	long n;

	if (word == NULL || *word < '0' || *word > '9')
		return (-1);
	errno = 0;
	n = strtol(word, &end, 10);
	return (*end != '\0' || errno != 0 ? -1 : n);
}
