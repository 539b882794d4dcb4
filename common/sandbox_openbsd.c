/*
 * OpenBSD: a page of promises.  The root and user change come first: chroot is
 * none of the promises.
 */
#include <errno.h>
#include <unistd.h>

#include "common/sandbox_layers.h"

static int openbsd_confine(const struct sandbox_plan *, const char *,
    const char *, struct sandbox_report *,
    int (*)(const struct sandbox_plan *));
static int openbsd_unveil(const struct sandbox_plan *, const char *);

int
sandbox_worker(const struct sandbox_plan *plan, int client_fd, int link_fd,
    int poll_fd, struct sandbox_report *report)
{
	/* Descriptors carry no rights of their own here. */
	(void)client_fd;
	(void)link_fd;
	(void)poll_fd;
	return (openbsd_confine(plan, NULL, "stdio recvfd", report,
	    sandbox_limit_worker));
}

/* dpath: the bells are FIFOs; flock: Berkeley DB's and ours. */
int
sandbox_broker(const struct sandbox_plan *plan, const char *data_dir,
    struct sandbox_report *report)
{
	const char *promises = plan->network
	    ? "stdio rpath wpath cpath dpath fattr flock unix inet sendfd"
	    : "stdio rpath wpath cpath dpath fattr flock unix sendfd";

	return (openbsd_confine(plan, data_dir, promises, report,
	    sandbox_limit_broker));
}

/* id, recvfd: a child's, who becomes a worker; it cannot change its root. */
int
sandbox_listener(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	return (openbsd_confine(plan, NULL, "stdio inet unix proc id recvfd",
	    report, sandbox_limit_listener));
}

int
sandbox_opener(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	const struct sandbox_plan own = sandbox_opener_plan(plan);

	return (openbsd_confine(&own, NULL, "stdio rpath sendfd", report,
	    sandbox_limit_worker));
}

void
sandbox_close_from(int lowest)
{
	(void)closefrom(lowest);
}

/* Where there is no name to keep, pledge alone says that no file is opened. */
static int
openbsd_confine(const struct sandbox_plan *plan, const char *data_dir,
    const char *promises, struct sandbox_report *report,
    int (*limit)(const struct sandbox_plan *))
{
	unsigned int layers = SANDBOX_RLIMITS | SANDBOX_PLEDGE;
	int named = data_dir != NULL || plan->readable != NULL;

	if (named)
		layers |= SANDBOX_UNVEIL;
	sandbox_begin(plan, layers, report);
	if (named && plan->level != SANDBOX_LEVEL_OFF)
		SANDBOX_PUT(report, SANDBOX_UNVEIL,
		    openbsd_unveil(plan, data_dir));
	if (sandbox_leave(plan, report) == -1)
		return (-1);
	if (plan->level == SANDBOX_LEVEL_OFF)
		return (0);
	SANDBOX_PUT(report, SANDBOX_RLIMITS, limit(plan));
	SANDBOX_PUT(report, SANDBOX_PLEDGE, pledge(promises, NULL));
	return (sandbox_end(plan, report));
}

/* Before the root changes, while the names are those of the plan. */
static int
openbsd_unveil(const struct sandbox_plan *plan, const char *data_dir)
{
	const char *const *path;

	if (data_dir != NULL && unveil(data_dir, "rwc") == -1)
		return (-1);
	for (path = plan->readable; path != NULL && *path != NULL; path++)
		if (unveil(*path, "r") == -1)
			return (-1);
	/* chroot needs to see where it goes. */
	if (plan->chroot_dir != NULL && unveil(plan->chroot_dir, "r") == -1)
		return (-1);
	return (unveil(NULL, NULL));
}
