/*
 * A system of which we know no sandbox: its user, its root and its limits are
 * all that stands.  The build says so.
 */
#include <unistd.h>

#include "common/sandbox_layers.h"

#if defined(__GNUC__) && !defined(__linux__)
#pragma message("no sandbox for this system: user, chroot and limits only")
#endif

static int other_confine(const struct sandbox_plan *,
    int (*)(const struct sandbox_plan *), struct sandbox_report *);

int
sandbox_worker(const struct sandbox_plan *plan, int client_fd, int link_fd,
    int poll_fd, struct sandbox_report *report)
{
	(void)client_fd;
	(void)link_fd;
	(void)poll_fd;
	return (other_confine(plan, sandbox_limit_worker, report));
}

int
sandbox_broker(const struct sandbox_plan *plan, const char *data_dir,
    struct sandbox_report *report)
{
	(void)data_dir;
	return (other_confine(plan, sandbox_limit_broker, report));
}

int
sandbox_listener(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	return (other_confine(plan, sandbox_limit_listener, report));
}

int
sandbox_opener(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	const struct sandbox_plan own = sandbox_opener_plan(plan);

	return (other_confine(&own, sandbox_limit_worker, report));
}

void
sandbox_close_from(int lowest)
{
	long fd, end = sysconf(_SC_OPEN_MAX);

	for (fd = lowest; fd < end; fd++)
		(void)close((int)fd);
}

static int
other_confine(const struct sandbox_plan *plan,
    int (*limit)(const struct sandbox_plan *), struct sandbox_report *report)
{
	sandbox_begin(plan, SANDBOX_RLIMITS, report);
	if (sandbox_leave(plan, report) == -1)
		return (-1);
	if (plan->level == SANDBOX_LEVEL_OFF)
		return (0);
	SANDBOX_PUT(report, SANDBOX_RLIMITS, limit(plan));
	return (sandbox_end(plan, report));
}
