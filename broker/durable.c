/* A name is in its directory, which is a file as well. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/durable.h"

int
durable_name(const char *path)
{
	char *copy = strdup(path);
	int fd = -1, r = -1, saved;

	if (copy != NULL)
		fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		r = fsync(fd);
	/* What may not be looked into, or knows no sync, is left to itself. */
	if (r == -1 && (errno == EACCES || errno == EINVAL))
		r = 0;
	saved = errno;
	if (fd != -1)
		close(fd);
	free(copy);
	errno = saved;
	return (r);
}

int
durable_rename(const char *from, const char *to)
{
	return (rename(from, to) == -1 ? -1 : durable_name(to));
}
