/* The costs of processes as /proc and control groups tell them. */
#include <sys/resource.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/load_cost.h"

static double cost_trees(const char *pids, double (*of)(long));
static double cost_tree(long pid, double (*of)(long));
static double cost_threads(long pid, double (*of)(const char *path));
static double cost_cpu_of(long pid);
static double cost_cpu_thread(const char *path);
static double cost_wakes_of(long pid);
static double cost_wakes_thread(const char *path);
static double cost_memory_of(long pid);
static double cost_line(const char *path, const char *name);
static double cost_group(const char *variable, const char *name);

double
cost_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((double)t.tv_sec + (double)t.tv_nsec / 1e9);
}

double
cost_own_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return ((double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
}

double
cost_cpu_s(void)
{
	double v;

	/* Version 2 counts microseconds in cpu.stat, version 1 nanoseconds. */
	if ((v = cost_group("LOAD_CPU", "usage_usec")) >= 0)
		return (v / 1e6);
	if ((v = cost_group("LOAD_CPU", "")) >= 0)
		return (v / 1e9);
	return (cost_trees(getenv("LOAD_PIDS"), cost_cpu_of));
}

double
cost_cpu_of_s(const char *pids)
{
	return (cost_trees(pids, cost_cpu_of));
}

double
cost_memory_kib(void)
{
	double v = cost_group("LOAD_MEMORY", "");

	return (v >= 0 ? v / 1024
		       : cost_trees(getenv("LOAD_PIDS"), cost_memory_of));
}

double
cost_wakes(void)
{
	return (cost_trees(getenv("LOAD_PIDS"), cost_wakes_of));
}

static double
cost_trees(const char *pids, double (*of)(long))
{
	double sum = 0;
	char *end;
	long pid;

	while (pids != NULL && (pid = strtol(pids, &end, 10)) > 0) {
		sum += cost_tree(pid, of);
		pids = end;
	}
	return (sum);
}

/* A process and its living descendants. */
static double
cost_tree(long pid, double (*of)(long))
{
	char path[64];
	double sum = of(pid);
	FILE *f;
	long child;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	if ((f = fopen(path, "r")) == NULL)
		return (sum);
	while (fscanf(f, "%ld", &child) == 1)
		sum += cost_tree(child, of);
	fclose(f);
	return (sum);
}

static double
cost_threads(long pid, double (*of)(const char *))
{
	char path[64], thread[128];
	struct dirent *e;
	double sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	if ((d = opendir(path)) == NULL)
		return (0);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(thread, sizeof(thread), "%s/%.20s", path, e->d_name);
		sum += of(thread);
	}
	closedir(d);
	return (sum);
}

static double
cost_cpu_of(long pid)
{
	return (cost_threads(pid, cost_cpu_thread));
}

static double
cost_cpu_thread(const char *path)
{
	char file[160];

	snprintf(file, sizeof(file), "%s/schedstat", path);
	return (cost_line(file, "") / 1e9);
}

static double
cost_wakes_of(long pid)
{
	return (cost_threads(pid, cost_wakes_thread));
}

static double
cost_wakes_thread(const char *path)
{
	char file[160];

	snprintf(file, sizeof(file), "%s/status", path);
	return (cost_line(file, "voluntary_ctxt_switches:"));
}

/* What is its own, its part of what is shared, and its page tables. */
static double
cost_memory_of(long pid)
{
	char rollup[64], status[64];

	snprintf(rollup, sizeof(rollup), "/proc/%ld/smaps_rollup", pid);
	snprintf(status, sizeof(status), "/proc/%ld/status", pid);
	return (cost_line(rollup, "Pss:") + cost_line(status, "VmPTE:"));
}

/* The number behind a name that begins a line; -1: there is none. */
static double
cost_line(const char *path, const char *name)
{
	char line[256];
	double v = -1;
	FILE *f = fopen(path, "r");

	while (f != NULL && v < 0 && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 &&
		    sscanf(line + strlen(name), "%lf", &v) != 1)
			v = -1;
	if (f != NULL)
		fclose(f);
	return (v);
}

static double
cost_group(const char *variable, const char *name)
{
	const char *path = getenv(variable);

	return (path == NULL ? -1 : cost_line(path, name));
}
