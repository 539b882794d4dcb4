/*
 * tether [-p] [-t SECONDS] COMMAND [WORD ...]: runs the command, exits as it
 * does, and leaves nothing behind: whoever descends from it, in whatever
 * session and process group, is killed when it has ended.
 *
 * -p  ends when its parent does, however that ends
 * -t  ends after so long, with status 124
 *
 * TERM, INT, HUP and QUIT end it as -p and -t do: the command's process group
 * is sent a TERM, and what is still there after some seconds is killed.  A kill
 * -9 of the tether itself it cannot answer; who needs that ties one to another,
 * so that the outer finds out by waiting and the inner by -p.
 *
 * Descendants are found where there is /proc as Linux has it; elsewhere the
 * process group is all there is.
 */
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#define TETHER_GRACE_S 5
#define TETHER_LATE    124

static void tether_adopt(int with_parent);
static pid_t tether_start(char **, const sigset_t *);
static int tether_watch(pid_t, const sigset_t *);
static int tether_reap(pid_t, int *);
static void tether_kill(pid_t);
static void tether_kill_children(void);
static pid_t tether_parent(pid_t);
static int tether_status(int);

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGCHLD, SIGALRM, SIGTERM, SIGINT,
		SIGHUP, SIGQUIT };
	sigset_t set, was;
	unsigned int seconds = 0;
	int c, with_parent = 0;
	size_t i;

	log_init("tether", LOG_TO_STDERR, LOG_LEVEL_INFO);
	while ((c = getopt(argc, argv, "+pt:")) != -1)
		if (c == 'p')
			with_parent = 1;
		else if (c == 't')
			seconds = (unsigned int)strtoul(optarg, NULL, 10);
		else
			return (64);
	if (optind == argc)
		return (64);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &was);
	tether_adopt(with_parent);
	alarm(seconds);
	return (tether_watch(tether_start(argv + optind, &was), &set));
}

/* Orphans below us become our children, and our parent's end a TERM. */
static void
tether_adopt(int with_parent)
{
#ifdef __linux__
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1 ||
	    (with_parent && prctl(PR_SET_PDEATHSIG, SIGTERM) == -1))
		fatal(71, "prctl");
#else
	(void)with_parent;
#endif
}

static pid_t
tether_start(char **words, const sigset_t *mask)
{
	pid_t pid;

	if ((pid = fork()) == -1)
		fatal(71, "fork");
	if (pid != 0) {
		setpgid(pid, pid); /* whoever is first */
		return (pid);
	}
	setpgid(0, 0);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(words[0], words);
	fatal(127, "%s", words[0]);
}

static int
tether_watch(pid_t command, const sigset_t *set)
{
	int found, sig, ending = 0, status = 0;

	for (;;) {
		sigwait(set, &sig);
		if (sig == SIGCHLD) {
			found = tether_reap(command, &status);
			if (found == -1 || (found == 1 && ending == 0))
				break;
		} else if (ending != 0) {
			break;
		} else {
			ending = sig == SIGALRM ? TETHER_LATE : 128 + sig;
			kill(-command, SIGTERM);
			alarm(TETHER_GRACE_S);
		}
	}
	tether_kill(command);
	return (ending != 0 ? ending : tether_status(status));
}

/* 1: the command has ended; -1: so has everybody else; 0: neither. */
static int
tether_reap(pid_t command, int *status)
{
	pid_t pid;
	int one, found = 0;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
		if (pid == command) {
			*status = one;
			found = 1;
		}
	return (pid == -1 ? -1 : found);
}

/* Children of who is killed become ours, and are killed in the next round. */
static void
tether_kill(pid_t command)
{
	kill(-command, SIGKILL);
	do
		tether_kill_children();
	while (waitpid(-1, NULL, 0) != -1);
}

static void
tether_kill_children(void)
{
	struct dirent *e;
	DIR *d;
	pid_t pid;

	if ((d = opendir("/proc")) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		pid = (pid_t)strtol(e->d_name, NULL, 10);
		if (pid > 0 && tether_parent(pid) == getpid())
			kill(pid, SIGKILL);
	}
	closedir(d);
}

/* What stands behind the name, which may hold anything, in its stat; or -1. */
static pid_t
tether_parent(pid_t pid)
{
	char path[64], line[512], *rest = NULL;
	int parent;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return (-1);
	if (fgets(line, sizeof(line), f) != NULL)
		rest = strrchr(line, ')');
	fclose(f);
	if (rest == NULL || sscanf(rest, ") %*c %d", &parent) != 1)
		return (-1);
	return (parent);
}

static int
tether_status(int status)
{
	return (
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}
