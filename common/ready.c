/*
 * Readiness.  The socket is found by name at the start and written to at the
 * end of it, from within the sandbox: a datagram to a connected socket takes
 * no name and no call but write.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/ready.h"

static int ready_connect(const char *name);
static void ready_write(int *fd, const char *text);

void
ready_open(struct ready *r)
{
	const char *name = getenv("NOTIFY_SOCKET");

	r->notify = -1;
	if (name == NULL || *name == '\0')
		return;
	if ((r->notify = ready_connect(name)) == -1)
		log_warn("NOTIFY_SOCKET");
	unsetenv("NOTIFY_SOCKET");
}

void
ready_say(struct ready *r)
{
	ready_write(&r->fd, "\n");
	ready_write(&r->notify, "READY=1\n");
}

/* A name that begins with @ is one of Linux' abstract ones. */
static int
ready_connect(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd, saved;

	if (len >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(sun.sun_path, name, len);
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	else
		len++;
	if ((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) == -1)
		return (-1);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    connect(fd, (const void *)&sun,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) ==
		-1) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

static void
ready_write(int *fd, const char *text)
{
	size_t len = strlen(text);

	if (*fd == -1)
		return;
	if (write(*fd, text, len) != (ssize_t)len)
		log_warn("readiness descriptor %d", *fd);
	close(*fd);
	*fd = -1;
}
