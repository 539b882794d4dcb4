/*
 * The portable part of the sandbox: the report, and the layers that every Unix
 * has (user, root directory, resource limits).  What one system has alone, and
 * the order of the layers, is in that system's file.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sandbox_layers.h"

/* A worker that holds so many descriptors is not ours. */
#define SANDBOX_FDS_MAX 1024
#define SANDBOX_TMP	"/tmp"

/* glibc's setrlimit takes an enum of its own. */
#if defined(__GLIBC__)
#define SANDBOX_RESOURCE __rlimit_resource_t
#else
#define SANDBOX_RESOURCE int
#endif

static int sandbox_root_enter(const struct sandbox_plan *);
static int sandbox_root_void(void);
static int sandbox_limit(int, rlim_t);
static int sandbox_limit_files(void);
static rlim_t sandbox_fds_room(unsigned int);

static const struct {
	unsigned int layer;
	const char *name;
} sandbox_layers[] = {
#define LAYER(bit, NAME, name, text) { SANDBOX_##NAME, #name },
#include "common/sandbox.def"
#undef LAYER
};

#define SANDBOX_LAYERS (sizeof(sandbox_layers) / sizeof(sandbox_layers[0]))

char *
sandbox_names(char *dst, size_t size, unsigned int layers)
{
	size_t i, n = 0;
	int r;

	if (size > 0)
		dst[0] = '\0';
	for (i = 0; i < SANDBOX_LAYERS && n < size; i++) {
		if ((layers & sandbox_layers[i].layer) == 0)
			continue;
		r = snprintf(dst + n, size - n, "%s%s", n == 0 ? "" : " ",
		    sandbox_layers[i].name);
		n += r < 0 ? 0 : (size_t)r;
	}
	if (n == 0 && size > 0)
		(void)snprintf(dst, size, "none");
	return (dst);
}

void
sandbox_begin(const struct sandbox_plan *plan, unsigned int system,
    struct sandbox_report *report)
{
	const unsigned int kept =
	    SANDBOX_UID | SANDBOX_CHROOT | SANDBOX_NAMESPACES;

	memset(report, 0, sizeof(*report));
	report->standing = plan->inherited & kept;
	report->wanted = report->standing;
	if ((report->wanted & SANDBOX_UID) == 0 &&
	    (plan->uid != (uid_t)-1 || geteuid() == 0))
		report->wanted |= SANDBOX_UID;
	if (plan->chroot_dir != NULL)
		report->wanted |= SANDBOX_CHROOT;
	if (plan->level != SANDBOX_LEVEL_OFF)
		report->wanted |= system & ~(unsigned int)SANDBOX_NAMESPACES;
	if (plan->level != SANDBOX_LEVEL_OFF && plan->namespaces)
		report->wanted |= system & SANDBOX_NAMESPACES;
	if (plan->only != 0)
		report->wanted &= plan->only;
}

struct sandbox_plan
sandbox_opener_plan(const struct sandbox_plan *given)
{
	struct sandbox_plan plan = *given;

	plan.uid = (uid_t)-1;
	plan.chroot_dir = NULL;
	if (plan.only == 0)
		plan.only = ~0u;
	plan.only &= ~(unsigned int)(SANDBOX_UID | SANDBOX_CHROOT);
	return (plan);
}

void
sandbox_note(struct sandbox_report *report, unsigned int layer, int result)
{
	if (result == 0)
		report->standing |= layer;
	else if (report->failed == 0) {
		report->failed = layer;
		report->error = errno;
	}
}

int
sandbox_end(const struct sandbox_plan *plan,
    const struct sandbox_report *report)
{
	if (plan->level != SANDBOX_LEVEL_REQUIRE ||
	    (report->wanted & ~report->standing) == 0)
		return (0);
	errno = report->error;
	return (-1);
}

/* A child of a listener's is in its root but for the working directory. */
int
sandbox_leave(const struct sandbox_plan *plan, struct sandbox_report *report)
{
	unsigned int todo = report->wanted & ~report->standing;
	int was_root = (todo & SANDBOX_UID) != 0 && geteuid() == 0;

	if ((plan->inherited & SANDBOX_CHROOT) && chdir("/") == -1) {
		report->standing &= ~(unsigned int)SANDBOX_CHROOT;
		sandbox_note(report, SANDBOX_CHROOT, -1);
	}
	if (todo & SANDBOX_CHROOT)
		sandbox_note(report, SANDBOX_CHROOT, sandbox_root_enter(plan));
	if (todo & SANDBOX_UID)
		sandbox_note(report, SANDBOX_UID, sandbox_user_become(plan));
	if (was_root && plan->uid != (uid_t)-1 &&
	    (report->wanted & ~report->standing & SANDBOX_UID) != 0) {
		errno = report->failed == SANDBOX_UID ? report->error : EPERM;
		return (-1);
	}
	return (0);
}

static int
sandbox_root_enter(const struct sandbox_plan *plan)
{
	if ((plan->chroot_dir[0] == '\0' ? sandbox_root_void()
					 : chroot(plan->chroot_dir)) == -1)
		return (-1);
	/* Without this the old tree is one ".." away. */
	return (plan->stay ? 0 : chdir("/"));
}

/* Whoever is in it finds nothing, and can make nothing. */
static int
sandbox_root_void(void)
{
	char path[] = SANDBOX_TMP "/quire.XXXXXX";
	int r = -1, error, tmp;

	if ((tmp = open(SANDBOX_TMP, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	if (mkdtemp(path) != NULL) {
		/* Another user must still be able to be in it. */
		if (chmod(path, 0111) == 0)
			r = chroot(path);
		error = errno;
		(void)unlinkat(tmp, path + sizeof(SANDBOX_TMP), AT_REMOVEDIR);
		errno = error;
	}
	error = errno;
	(void)close(tmp);
	errno = error;
	return (r);
}

/* setgid and setuid set all three ids of root's, on every system. */
int
sandbox_user_become(const struct sandbox_plan *plan)
{
	errno = EPERM;
	if (geteuid() != 0)
		return (getuid() == plan->uid ? 0 : -1);
	if (plan->uid == 0)
		return (-1);
	errno = EINVAL;
	if (plan->uid == (uid_t)-1)
		return (-1);
	if (setgroups(0, NULL) == -1)
		return (-1);
	if (plan->gid != (gid_t)-1 && setgid(plan->gid) == -1)
		return (-1);
	if (setuid(plan->uid) == -1)
		return (-1);
	errno = EPERM;
	return (setuid(0) == -1 ? 0 : -1);
}

int
sandbox_limit_worker(const struct sandbox_plan *plan)
{
	rlim_t files = plan->flight_fds;
	int bad = 0;

	/* There is room below a larger one without a look. */
	if (files < SANDBOX_FDS_MAX + plan->passed_fds)
		files = sandbox_fds_room(plan->passed_fds);
	if (files < plan->flight_fds)
		files = plan->flight_fds;
	if ((plan->inherited & SANDBOX_RLIMITS) == 0)
		bad |= sandbox_limit_listener(plan);
#ifdef RLIMIT_NPROC
	bad |= sandbox_limit(RLIMIT_NPROC, 0);
#endif
	bad |= sandbox_limit(RLIMIT_NOFILE, files);
	if (plan->data_max > 0) {
		errno = ENOTSUP;
		bad |= SANDBOX_SANITIZED
		    ? -1
		    : sandbox_limit(RLIMIT_DATA, (rlim_t)plan->data_max);
	}
	return (bad);
}

int
sandbox_limit_listener(const struct sandbox_plan *plan)
{
	(void)plan;
	return (sandbox_limit(RLIMIT_CORE, 0) | sandbox_limit_files());
}

/* Threads count as processes and files grow: only the core is left to deny. */
int
sandbox_limit_broker(const struct sandbox_plan *plan)
{
	(void)plan;
	return (sandbox_limit(RLIMIT_CORE, 0));
}

/* Never more than the hard limit: without privilege that would fail. */
static int
sandbox_limit(int what, rlim_t most)
{
	struct rlimit limit = { 0, 0 };

	if (most > 0 && getrlimit((SANDBOX_RESOURCE)what, &limit) == -1)
		return (-1);
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	return (setrlimit((SANDBOX_RESOURCE)what, &limit));
}

/* A log that is a plain file could not be written either: SIGXFSZ. */
static int
sandbox_limit_files(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return (0);
	return (sandbox_limit(RLIMIT_FSIZE, 0));
}

/* The least limit below which `spare' descriptors are free. */
static rlim_t
sandbox_fds_room(unsigned int spare)
{
	int fd;

	for (fd = 0; fd < SANDBOX_FDS_MAX && spare > 0; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			spare--;
	return ((rlim_t)fd + spare);
}
