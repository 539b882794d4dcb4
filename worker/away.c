/* So few that each question looks at all of them. */
#include <signal.h>

#include "worker/away.h"

int
away_may(struct away *a, int64_t now_ms)
{
	int i;

	if (now_ms / 1000 != a->second) {
		a->second = now_ms / 1000;
		a->begun = 0;
	}
	for (i = 0; i < AWAY_MAX && a->pid[i] != 0; i++)
		continue;
	return (i < AWAY_MAX && a->begun < AWAY_PER_S_MAX);
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

void
away_left(struct away *a, pid_t pid)
{
	int i;

	for (i = 0; i < AWAY_MAX; i++)
		if (a->pid[i] == pid)
			a->pid[i] = 0;
}

void
away_kill(const struct away *a)
{
	int i;

	for (i = 0; i < AWAY_MAX; i++)
		if (a->pid[i] != 0)
			kill(a->pid[i], SIGKILL);
}
