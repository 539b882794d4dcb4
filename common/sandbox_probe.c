/*
 * The child that makes an attempt.  What it finds out leaves as its exit
 * status: its errno, or 0 when nothing stopped it.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sandbox_probe.h"

/* No layer has this bit: a plan with it alone puts nothing up. */
#define PROBE_NO_LAYER (1u << 31)

static void probe_child(const struct sandbox_who *,
    const struct sandbox_attempt *, int) __attribute__((noreturn));
static int probe_prepare(const struct sandbox_plan *);
static int probe_enter(const struct sandbox_who *, struct sandbox_report *);
static int probe_wait(pid_t, struct sandbox_outcome *);
static int probe_dir_make(char *);
static void probe_dir_remove(const char *);

struct sandbox_probe_props sandbox_props;

const struct sandbox_attempt *
sandbox_attempt_at(size_t i)
{
	const struct sandbox_attempt *a;

	for (a = sandbox_attempts; a->name != NULL; a++)
		if (i-- == 0)
			return (a);
	for (a = sandbox_attempts_here; a->name != NULL; a++)
		if (i-- == 0)
			return (a);
	return (NULL);
}

int
sandbox_probe(const struct sandbox_who *who,
    const struct sandbox_attempt *attempt, struct sandbox_outcome *out)
{
	char dir[] = "/tmp/quire-probe.XXXXXX";
	int fds[2], error;
	ssize_t n;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	if (pipe(fds) == -1)
		return (-1);
	if (probe_dir_make(dir) == -1 || (pid = fork()) == -1) {
		error = errno;
		(void)close(fds[0]);
		(void)close(fds[1]);
		probe_dir_remove(dir);
		errno = error;
		return (-1);
	}
	if (pid == 0) {
		(void)close(fds[0]);
		probe_child(who, attempt, fds[1]);
	}
	(void)close(fds[1]);
	n = read(fds[0], &out->report, sizeof(out->report));
	(void)close(fds[0]);
	error = probe_wait(pid, out);
	probe_dir_remove(dir);
	if (error == -1)
		return (-1);
	if (n == (ssize_t)sizeof(out->report))
		return (0);
	errno = out->error != 0 ? out->error : EPROTO;
	return (-1);
}

int
sandbox_probe_bare(const struct sandbox_attempt *attempt,
    struct sandbox_outcome *out)
{
	struct sandbox_plan plan = SANDBOX_PLAN_INIT;
	const struct sandbox_who who = { SANDBOX_WORKERS, &plan, NULL };

	plan.level = SANDBOX_LEVEL_OFF;
	plan.only = PROBE_NO_LAYER;
	plan.data_max = 1; /* a size that there is no bound on */
	return (sandbox_probe(&who, attempt, out));
}

unsigned int
sandbox_probe_alone(const struct sandbox_who *who,
    const struct sandbox_attempt *attempt, unsigned int layers)
{
	struct sandbox_plan one = *who->plan;
	const struct sandbox_who alone = { who->role, &one, who->data_dir };
	struct sandbox_outcome out;
	unsigned int bit, stop = 0;

	one.level = SANDBOX_LEVEL_BEST_EFFORT;
	for (bit = 1; bit != PROBE_NO_LAYER; bit <<= 1) {
		one.only = bit;
		/* Not for themselves, but nobody else may have these. */
		if (bit & (SANDBOX_LANDLOCK | SANDBOX_SECCOMP))
			one.only |= SANDBOX_NO_NEW_PRIVS;
		if ((layers & bit) &&
		    sandbox_probe(&alone, attempt, &out) == 0 &&
		    (out.report.standing & bit) && !out.allowed)
			stop |= bit;
	}
	return (stop);
}

char *
sandbox_outcome_text(char *dst, size_t size, const struct sandbox_outcome *out)
{
	if (out->signal == SIGSYS)
		(void)snprintf(dst, size, "killed (SIGSYS)");
	else if (out->signal != 0)
		(void)snprintf(dst, size, "killed (signal %d)", out->signal);
	else
		(void)snprintf(dst, size, "%s",
		    out->allowed ? "ALLOWED" : strerror(out->error));
	return (dst);
}

/* Under a sanitizer exit handlers would run: always _exit. */
static void
probe_child(const struct sandbox_who *who,
    const struct sandbox_attempt *attempt, int fd)
{
	struct sandbox_report report;

	if (probe_prepare(who->plan) == -1 || probe_enter(who, &report) == -1 ||
	    write(fd, &report, sizeof(report)) != (ssize_t)sizeof(report))
		_exit(errno & 0xff);
	_exit(attempt->run() == 0 ? 0 : errno & 0xff);
}

/* Standard error gives way to /dev/null: a log that is a file would lift the
 * limit on file growth. */
static int
probe_prepare(const struct sandbox_plan *plan)
{
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null_fd == -1 || dup2(null_fd, STDERR_FILENO) == -1)
		return (-1);
	(void)close(null_fd);
	sandbox_props.parent = getppid();
	sandbox_attempts_prepare(plan);
	sandbox_attempts_prepare_here();
	return (0);
}

static int
probe_enter(const struct sandbox_who *who, struct sandbox_report *report)
{
	switch (who->role) {
	case SANDBOX_BROKERS:
		return (sandbox_broker(who->plan, who->data_dir, report));
	case SANDBOX_LISTENERS:
		return (sandbox_listener(who->plan, report));
	case SANDBOX_OPENERS:
		return (sandbox_opener(who->plan, report));
	default:
		return (sandbox_worker(who->plan, -1, -1, -1, report));
	}
}

static int
probe_wait(pid_t pid, struct sandbox_outcome *out)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return (-1);
	if (WIFSIGNALED(status))
		out->signal = WTERMSIG(status);
	else
		out->error = WEXITSTATUS(status);
	out->allowed = out->signal == 0 && out->error == 0;
	return (0);
}

static int
probe_dir_make(char *path)
{
	sandbox_props.dir_fd = -1;
	if (mkdtemp(path) == NULL || chmod(path, 0777) == -1)
		return (-1);
	sandbox_props.dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (sandbox_props.dir_fd == -1 ? -1 : 0);
}

static void
probe_dir_remove(const char *path)
{
	int fd = sandbox_props.dir_fd;

	if (fd != -1) {
		(void)unlinkat(fd, SANDBOX_PROBE_FILE, 0);
		(void)unlinkat(fd, SANDBOX_PROBE_DEVICE, 0);
		(void)unlinkat(fd, SANDBOX_PROBE_DIR, AT_REMOVEDIR);
		(void)close(fd);
	}
	(void)rmdir(path);
}
