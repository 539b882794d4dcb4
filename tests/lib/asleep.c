/*
 * Who is asleep, by /proc.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/lib/asleep.h"

static int asleep_one(long pid);

void
asleep_children(long pid)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };
	char path[64];
	long child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	if ((f = fopen(path, "r")) == NULL)
		return;
	while (fscanf(f, "%ld", &child) == 1)
		while (!asleep_one(child))
			nanosleep(&moment, NULL);
	fclose(f);
}

/* One that has gone is, too. */
static int
asleep_one(long pid)
{
	char path[64], line[512], *name = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return (1);
	if (fgets(line, sizeof(line), f) != NULL)
		name = strrchr(line, ')');
	fclose(f);
	return (name == NULL || strncmp(name, ") S", 3) == 0 ||
	    strncmp(name, ") Z", 3) == 0);
}
