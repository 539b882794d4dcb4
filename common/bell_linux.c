/*
 * The bell on Linux: a pair of sockets whose two ends have been shut down for
 * both directions.  Shutting the broker's end down once more changes nothing
 * and wakes whoever watches the other; and since a socket that is shut down is
 * readable for ever, there is nothing in it that one worker could take from
 * under the others.  All that a worker can do to it is ring it too.
 */
#include <sys/socket.h>

#include <unistd.h>

#include "common/bell.h"

int
bell_create(struct bell *b, const char *dir)
{
	int end[2];

	(void)dir; /* nothing of it has a name */
	*b = (struct bell)BELL_NONE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		end) == -1)
		return (-1);
	b->ring_fd = end[0];
	b->wait_fd = end[1];
	if (shutdown(b->ring_fd, SHUT_RDWR) == -1) {
		bell_close(b);
		return (-1);
	}
	return (0);
}

void
bell_ring(struct bell *b)
{
	(void)shutdown(b->ring_fd, SHUT_RDWR);
}

void
bell_close(struct bell *b)
{
	if (b->ring_fd != -1) {
		close(b->ring_fd);
		close(b->wait_fd);
	}
	*b = (struct bell)BELL_NONE;
}
