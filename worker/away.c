/* So few that each question looks at all of them. */
#include <signal.h>
#include <unistd.h>

#include "worker/away.h"

static int away_free(const struct away *);

int
away_may(struct away *a, int64_t now_ms)
{
	if (now_ms / 1000 != a->second) {
		a->second = now_ms / 1000;
		a->begun = 0;
	}
	return (away_free(a) && a->begun < AWAY_PER_S_MAX);
}

void
away_took(struct away *a, pid_t pid)
{
	int i;

	a->begun++;
	for (i = 0; a->pid[i] != 0; i++)
		continue;
	a->pid[i] = pid;
}

int
away_left(struct away *a, pid_t pid)
{
	int i;

	for (i = 0; i < AWAY_MAX; i++)
		if (a->pid[i] == pid) {
			a->pid[i] = 0;
			return (a->killed);
		}
	return (0);
}

void
away_kill(struct away *a)
{
	int i;

	a->killed = 1;
	for (i = 0; i < AWAY_MAX; i++)
		if (a->pid[i] != 0)
			kill(a->pid[i], SIGKILL);
}

int
away_put(struct away *a, int fd)
{
	if (a->waiting == AWAY_WAIT_MAX)
		return (-1);
	a->wait[(a->first + a->waiting++) % AWAY_WAIT_MAX] = fd;
	return (0);
}

int
away_take(struct away *a)
{
	int fd;

	if (a->waiting == 0)
		return (-1);
	fd = a->wait[a->first];
	a->first = (a->first + 1) % AWAY_WAIT_MAX;
	a->waiting--;
	return (fd);
}

int
away_wait_ms(const struct away *a, int64_t now_ms)
{
	if (a->waiting == 0 || !away_free(a))
		return (-1);
	if (a->begun < AWAY_PER_S_MAX || now_ms / 1000 != a->second)
		return (0);
	return ((int)(1000 - now_ms % 1000));
}

void
away_close(struct away *a)
{
	int fd;

	while ((fd = away_take(a)) != -1)
		close(fd);
}

static int
away_free(const struct away *a)
{
	int i;

	for (i = 0; i < AWAY_MAX && a->pid[i] != 0; i++)
		continue;
	return (i < AWAY_MAX);
}
