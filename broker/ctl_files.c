/* Writing of files for backups and restored stores. */
#include <errno.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/ctl_files.h"

int
ctl_file_write(int fd, struct bytes b, uint64_t offset)
{
	ssize_t n;

	while (b.n > 0) {
		n = pwrite(fd, b.p, b.n, (off_t)offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			log_warn("write");
			return (-1);
		}
		b = bytes_skip(b, (size_t)n);
		offset += (uint64_t)n;
	}
	return (0);
}

int
ctl_file_done(int fd)
{
	int r = fsync(fd);

	if (close(fd) == -1)
		r = -1;
	if (r == -1)
		log_warn("sync");
	return (r);
}
