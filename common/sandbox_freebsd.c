/*
 * FreeBSD: a worker enters Capsicum's capability mode with few rights on each
 * descriptor.  A broker and an opener open files by name, and a listener's
 * children connect by name, which that mode knows nothing of: they have the
 * layers that every Unix has.
 */
#include <sys/types.h>
#include <sys/capsicum.h>
#include <sys/procctl.h>

#include <errno.h>
#include <unistd.h>

#include "common/sandbox_layers.h"

#define FREEBSD_LAYERS                                                         \
	(SANDBOX_DUMPABLE | SANDBOX_NO_NEW_PRIVS | SANDBOX_RLIMITS)

static int freebsd_confine(const struct sandbox_plan *, unsigned int,
    int (*)(const struct sandbox_plan *), struct sandbox_report *);
static int freebsd_procctl(int, int);
static int freebsd_capsicum(int, int, int);
static int freebsd_rights(int, const cap_rights_t *);

int
sandbox_worker(const struct sandbox_plan *plan, int client_fd, int link_fd,
    int poll_fd, struct sandbox_report *report)
{
	if (freebsd_confine(plan, FREEBSD_LAYERS | SANDBOX_CAPSICUM,
		sandbox_limit_worker, report) == -1)
		return (-1);
	if (plan->level == SANDBOX_LEVEL_OFF)
		return (0);
	SANDBOX_PUT(report, SANDBOX_CAPSICUM,
	    freebsd_capsicum(client_fd, link_fd, poll_fd));
	return (sandbox_end(plan, report));
}

int
sandbox_broker(const struct sandbox_plan *plan, const char *data_dir,
    struct sandbox_report *report)
{
	(void)data_dir;
	if (freebsd_confine(plan, FREEBSD_LAYERS, sandbox_limit_broker,
		report) == -1)
		return (-1);
	return (sandbox_end(plan, report));
}

int
sandbox_listener(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	if (freebsd_confine(plan, FREEBSD_LAYERS, sandbox_limit_listener,
		report) == -1)
		return (-1);
	return (sandbox_end(plan, report));
}

int
sandbox_opener(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	const struct sandbox_plan own = sandbox_opener_plan(plan);

	if (freebsd_confine(&own, FREEBSD_LAYERS, sandbox_limit_worker,
		report) == -1)
		return (-1);
	return (sandbox_end(&own, report));
}

void
sandbox_close_from(int lowest)
{
	closefrom(lowest);
}

static int
freebsd_confine(const struct sandbox_plan *plan, unsigned int layers,
    int (*limit)(const struct sandbox_plan *), struct sandbox_report *report)
{
	sandbox_begin(plan, layers, report);
	if (sandbox_leave(plan, report) == -1)
		return (-1);
	if (plan->level == SANDBOX_LEVEL_OFF)
		return (0);
	SANDBOX_PUT(report, SANDBOX_DUMPABLE,
	    freebsd_procctl(PROC_TRACE_CTL, PROC_TRACE_CTL_DISABLE));
	SANDBOX_PUT(report, SANDBOX_NO_NEW_PRIVS,
	    freebsd_procctl(PROC_NO_NEW_PRIVS_CTL, PROC_NO_NEW_PRIVS_ENABLE));
	SANDBOX_PUT(report, SANDBOX_RLIMITS, limit(plan));
	return (0);
}

static int
freebsd_procctl(int what, int value)
{
	return (procctl(P_PID, (id_t)getpid(), what, &value));
}

/* The passed rings and bells are limited by the broker that sends them. */
static int
freebsd_capsicum(int client_fd, int link_fd, int poll_fd)
{
	cap_rights_t stream, log, queue;

	cap_rights_init(&stream, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_SHUTDOWN,
	    CAP_FSTAT, CAP_FCNTL);
	cap_rights_init(&log, CAP_WRITE, CAP_FSTAT);
	cap_rights_init(&queue, CAP_KQUEUE, CAP_EVENT);
	if (freebsd_rights(client_fd, &stream) == -1 ||
	    (link_fd != -1 && freebsd_rights(link_fd, &stream) == -1) ||
	    freebsd_rights(poll_fd, &queue) == -1)
		return (-1);
	/* Under inetd the log's descriptor is the client's, limited above. */
	if (client_fd != STDERR_FILENO &&
	    freebsd_rights(STDERR_FILENO, &log) == -1)
		return (-1);
	return (cap_enter());
}

/* ENOSYS: a kernel without Capsicum, which cap_enter reports; -1 and a closed
 * standard error have no rights to lose. */
static int
freebsd_rights(int fd, const cap_rights_t *rights)
{
	if (fd == -1 || cap_rights_limit(fd, rights) == 0)
		return (0);
	return (errno == ENOSYS || errno == EBADF ? 0 : -1);
}
