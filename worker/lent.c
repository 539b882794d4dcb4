/*
 * An answer is acted upon before the next FETCH leaves, so it is whole while it
 * is read: what is asked for in between waits in the link until then.
 */
#include <sys/mman.h>

#include <unistd.h>

#include "common/ring_memory.h"
#include "worker/lent.h"

/* Whoever needs no more than so many answers is better off without. */
#define LENT_PAGES 4u

int
lent_ask(struct lent *l)
{
	return (l->asked++ == 0 && l->pages >= LENT_PAGES);
}

int
lent_attach(struct lent *l, int fd, size_t size)
{
	lent_free(l);
	if (fd == -1)
		return (-1);
	l->map = ring_memory_see(fd, size);
	close(fd);
	if (l->map == NULL)
		return (-1);
	l->size = size;
	return (0);
}

int
lent_answer(struct lent *l, size_t n, struct bytes *answer)
{
	if (l->asked > 0)
		l->asked--;
	if (n == 0)
		return (0);
	if (n > l->size)
		return (-1);
	*answer = bytes_of(l->map, n);
	return (0);
}

void
lent_answered(struct lent *l, int more)
{
	l->pages = more ? l->pages + 1 : 0;
	if (!more)
		lent_free(l);
}

void
lent_free(struct lent *l)
{
	if (l->map != NULL)
		(void)munmap(l->map, l->size);
	l->map = NULL;
	l->size = 0;
}
