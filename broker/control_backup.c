/*
 * `backup': the connection becomes the way of the copy, see backup.h.
 */
#include <fcntl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/bufferevent.h>

#include "broker/control.h"

void
control_backup(struct broker *b, struct bufferevent *bev, const char *words)
{
	int fd, flags;

	(void)words;
	/* Closed with bev; the thread writes and may wait for it. */
	fd = fcntl(bufferevent_getfd(bev), F_DUPFD_CLOEXEC, 3);
	if (fd == -1 || (flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1) {
		control_refuse(bev, "no descriptor");
		if (fd != -1)
			close(fd);
		return;
	}
	if (kv_bdb_backup(b->kv, fd) == -1) {
		close(fd);
		control_refuse(bev,
		    errno == EBUSY ? "another backup is under way"
				   : "the store has failed");
		return;
	}
	bufferevent_free(bev);
}
