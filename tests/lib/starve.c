/* The other side of struct disk_count. */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/starve.h"

void
starve_make(struct starve *s, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	void *p = MAP_FAILED;

	if (fd != -1 && fchmod(fd, 0666) == 0 &&
	    ftruncate(fd, sizeof(*s->count)) == 0)
		p = mmap(NULL, sizeof(*s->count), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fatal(1, "%s", path);
	close(fd);
	*s = (struct starve){ .count = p };
	snprintf(s->setting, sizeof(s->setting), "DISK_COUNT=%s", path);
}

void
starve_begin(struct starve *s)
{
	atomic_store(&s->count->starve, ++s->turn);
}

int
starve_end(struct starve *s)
{
	int reached = atomic_exchange(&s->count->starve, 0) == 0;

	if (reached)
		s->reached++;
	else
		s->turn = 0;
	return (reached);
}
