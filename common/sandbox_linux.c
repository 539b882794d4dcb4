/*
 * Linux: the order in which the layers go up, and those that are one system
 * call.  Landlock and seccomp have files of their own.
 *
 * The order matters: namespaces and root need the privileges that the user
 * change takes; the Landlock ruleset and the filter are made first, while
 * data_dir has a name and descriptors may be made; the filter comes last,
 * since it forbids all the rest.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/sandbox_layers.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define LINUX_LAYERS                                                           \
	(SANDBOX_NAMESPACES | SANDBOX_DUMPABLE | SANDBOX_NO_NEW_PRIVS |        \
	    SANDBOX_LANDLOCK | SANDBOX_RLIMITS | SANDBOX_SECCOMP)

/* A process has these of the one that forked it. */
#define LINUX_KEPT (SANDBOX_DUMPABLE | SANDBOX_NO_NEW_PRIVS)

struct linux_role {
	enum seccomp_role filter;
	int (*limit)(const struct sandbox_plan *);
	uint32_t keeps; /* capabilities, if it stays root */
};

static int linux_confine(const struct sandbox_plan *, const char *,
    const struct linux_role *, struct sandbox_report *);
static void linux_filters(enum seccomp_role, const struct sandbox_plan *);
static int linux_leave(const struct sandbox_plan *, const struct linux_role *,
    struct sandbox_report *);
static void linux_unshare(unsigned int, struct sandbox_report *);
static int linux_caps_drop(uint32_t kept);
static int linux_landlock(int, int);

int
sandbox_worker(const struct sandbox_plan *plan, int client_fd, int link_fd,
    int poll_fd, struct sandbox_report *report)
{
	static const struct linux_role role = { SECCOMP_WORKER,
		sandbox_limit_worker, 0 };

	/* Descriptors carry no rights of their own here. */
	(void)client_fd;
	(void)link_fd;
	(void)poll_fd;
	return (linux_confine(plan, NULL, &role, report));
}

int
sandbox_broker(const struct sandbox_plan *plan, const char *data_dir,
    struct sandbox_report *report)
{
	static const struct linux_role role = { SECCOMP_BROKER,
		sandbox_limit_broker, 0 };

	return (linux_confine(plan, data_dir, &role, report));
}

int
sandbox_listener(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	static const struct linux_role role = { SECCOMP_LISTENER,
		sandbox_limit_listener, 0 };

	return (linux_confine(plan, NULL, &role, report));
}

/* The files are root's own, but a directory above them may not be. */
int
sandbox_opener(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	static const struct linux_role role = { SECCOMP_OPENER,
		sandbox_limit_worker, 1u << CAP_DAC_READ_SEARCH };
	const struct sandbox_plan own = sandbox_opener_plan(plan);

	return (linux_confine(&own, NULL, &role, report));
}

void
sandbox_close_from(int lowest)
{
	long fd, end;

	if (syscall(SYS_close_range, (unsigned int)lowest, ~0u, 0) == 0)
		return;
	end = sysconf(_SC_OPEN_MAX);
	for (fd = lowest; fd < end; fd++)
		(void)close((int)fd);
}

static int
linux_confine(const struct sandbox_plan *plan, const char *data_dir,
    const struct linux_role *role, struct sandbox_report *report)
{
	int ruleset = -1, error = 0;

	sandbox_begin(plan, LINUX_LAYERS, report);
	report->standing |= plan->inherited & report->wanted & LINUX_KEPT;
	if (report->wanted & SANDBOX_LANDLOCK) {
		ruleset = sandbox_landlock_create(plan, data_dir,
		    &report->landlock_abi);
		error = errno;
	}
	/* If it fails, the layer will, and the report says so. */
	if (report->wanted & SANDBOX_SECCOMP)
		linux_filters(role->filter, plan);
	if (linux_leave(plan, role, report) == -1) {
		if (ruleset != -1)
			(void)close(ruleset);
		return (-1);
	}
	if (plan->level == SANDBOX_LEVEL_OFF)
		return (0);
	SANDBOX_PUT(report, SANDBOX_DUMPABLE,
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	SANDBOX_PUT(report, SANDBOX_NO_NEW_PRIVS,
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SANDBOX_PUT(report, SANDBOX_LANDLOCK, linux_landlock(ruleset, error));
	SANDBOX_PUT(report, SANDBOX_RLIMITS, role->limit(plan));
	SANDBOX_PUT(report, SANDBOX_SECCOMP,
	    sandbox_seccomp_enforce(role->filter));
	return (sandbox_end(plan, report));
}

static void
linux_filters(enum seccomp_role role, const struct sandbox_plan *plan)
{
	/* First, beside other memory: no mapping more for those who have it. */
	if (role == SECCOMP_LISTENER)
		(void)sandbox_seccomp_prepare(SECCOMP_WORKER, plan);
	(void)sandbox_seccomp_prepare(role, plan);
}

/* Namespaces, root, user, in this order; then no capability is left, but what
 * a role keeps. */
static int
linux_leave(const struct sandbox_plan *plan, const struct linux_role *role,
    struct sandbox_report *report)
{
	unsigned int todo = report->wanted & ~report->standing;
	uint32_t kept;

	/* Nothing was left to whoever forked us. */
	if ((plan->inherited & SANDBOX_UID) != 0)
		return (sandbox_leave(plan, report));
	kept = geteuid() == 0 ? role->keeps : 0;
	/* Asked before a user namespace hides who we are. */
	if (geteuid() != 0 && (todo & SANDBOX_UID))
		sandbox_note(report, SANDBOX_UID, sandbox_user_become(plan));
	linux_unshare(todo, report);
	if (sandbox_leave(plan, report) == -1)
		return (-1);
	if ((geteuid() != 0 || kept != 0) && linux_caps_drop(kept) == -1) {
		report->wanted |= SANDBOX_UID;
		report->standing &= ~(unsigned int)SANDBOX_UID;
		sandbox_note(report, SANDBOX_UID, -1);
	}
	return (0);
}

/*
 * Sockets that are open go on working in an empty network.  A user namespace
 * lends an ordinary user the privilege for that, and for a root of its own.
 */
static void
linux_unshare(unsigned int todo, struct sandbox_report *report)
{
	int r, flags = 0;

	if (todo & SANDBOX_NAMESPACES)
		flags |= CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	if (geteuid() != 0 && (todo & (SANDBOX_NAMESPACES | SANDBOX_CHROOT)))
		flags |= CLONE_NEWUSER;
	r = flags == 0 ? 0 : unshare(flags);
	if (todo & SANDBOX_NAMESPACES)
		sandbox_note(report, SANDBOX_NAMESPACES, r);
}

/* Of those kept only what is there. */
static int
linux_caps_drop(uint32_t kept)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3];

	memset(left, 0, sizeof(left));
	if (kept != 0) {
		if (syscall(SYS_capget, &head, had) == -1)
			return (-1);
		left[0].effective = left[0].permitted = had[0].permitted & kept;
	}
	return (syscall(SYS_capset, &head, left) == 0 ? 0 : -1);
}

/* error: why there is no ruleset, if it is -1.  Its descriptor must not count
 * among those that the limits leave. */
static int
linux_landlock(int ruleset, int error)
{
	int r = -1;

	if (ruleset != -1) {
		r = sandbox_landlock_enforce(ruleset);
		error = errno;
		(void)close(ruleset);
	}
	errno = error;
	return (r);
}
