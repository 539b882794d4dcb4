/*
 * System call filters out of the tables in sandbox_calls_linux.h, by libseccomp
 * and so for every architecture: made once, before they are needed, and put up
 * last.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <unistd.h>

#include "common/sandbox_calls_linux.h"
#include "common/sandbox_layers.h"

#define KILL SCMP_ACT_KILL_PROCESS

#define SECCOMP_CPU_S 3 /* many times what a filter takes */

#define COUNT(of) (sizeof(of) / sizeof((of)[0]))

/* A role's filter, made by sandbox_seccomp_prepare. */
static struct sock_fprog seccomp_made[SECCOMP_ROLES];

static int seccomp_make(enum seccomp_role, const struct sandbox_plan *);
static int seccomp_take(int, struct sock_fprog *);
static int seccomp_child(enum seccomp_role, const struct sandbox_plan *,
    pid_t self, int fd);
static int seccomp_fill(scmp_filter_ctx, enum seccomp_role,
    const struct sandbox_plan *, pid_t self);
static int seccomp_fill_worker(scmp_filter_ctx);
static int seccomp_fill_listener(scmp_filter_ctx);
static int seccomp_fill_opener(scmp_filter_ctx);
static int seccomp_fill_broker(scmp_filter_ctx, const struct sandbox_plan *,
    pid_t self);
static int seccomp_fill_other(scmp_filter_ctx, const struct seccomp_row *more,
    size_t);
static int seccomp_add(scmp_filter_ctx, uint32_t, const struct seccomp_row *,
    size_t);
static int seccomp_add_self(scmp_filter_ctx, pid_t);

int
sandbox_seccomp_prepare(enum seccomp_role role, const struct sandbox_plan *plan)
{
	errno = ENOTSUP;
	if (SANDBOX_SANITIZED)
		return (-1);
	return (seccomp_made[role].len == 0 ? seccomp_make(role, plan) : 0);
}

int
sandbox_seccomp_enforce(enum seccomp_role role)
{
	errno = ENOTSUP;
	if (seccomp_made[role].len == 0)
		return (-1);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &seccomp_made[role], 0,
		0) == -1)
		return (-1);
	/* Entered once; and a worker is too short-lived to tidy up. */
	if (role != SECCOMP_WORKER) {
		(void)munmap(seccomp_made[role].filter,
		    seccomp_made[role].len * sizeof(struct sock_filter));
		seccomp_made[role] = (struct sock_fprog){ 0, NULL };
	}
	return (0);
}

/*
 * In a child: the library leaves a heap behind of which every worker, being
 * forked, would come to own most pages.
 */
static int
seccomp_make(enum seccomp_role role, const struct sandbox_plan *plan)
{
	int fd, error, status = 0;
	pid_t pid, self = getpid();

	if ((fd = memfd_create("filter", MFD_CLOEXEC)) == -1)
		return (-1);
	if ((pid = fork()) == 0)
		_exit(seccomp_child(role, plan, self, fd));
	/* ECHILD: the starter ignores SIGCHLD, and it has ended all the same.
	 */
	while (pid != -1 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	error = pid == -1	? errno
	    : WIFEXITED(status) ? WEXITSTATUS(status)
				: EPROTO;
	if (error == 0 && seccomp_take(fd, &seccomp_made[role]) == -1)
		error = errno;
	(void)close(fd);
	errno = error;
	return (error == 0 ? 0 : -1);
}

/*
 * The exported program, which takes nothing of the heap that workers copy, and
 * lies where a fork copies what leads to it, so that they find it at hand.
 */
static int
seccomp_take(int fd, struct sock_fprog *program)
{
	struct stat st;
	size_t size;
	void *code;

	if (fstat(fd, &st) == -1)
		return (-1);
	size = (size_t)st.st_size;
	errno = EPROTO;
	if (size == 0 || size / sizeof(struct sock_filter) > BPF_MAXINSNS ||
	    (code = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		return (-1);
	if (pread(fd, code, size, 0) != (ssize_t)size) {
		(void)munmap(code, size);
		return (-1);
	}
	program->len = (unsigned short)(size / sizeof(struct sock_filter));
	program->filter = code;
	return (0);
}

/*
 * Writes the program; returns 0 or an error number.
 *
 * Without memory the library may go round for ever, or leave calls out and say
 * nothing; but errno tells whether there was any.
 */
static int
seccomp_child(enum seccomp_role role, const struct sandbox_plan *plan,
    pid_t self, int fd)
{
	static const struct rlimit core = { 0, 0 },
				   cpu = { SECCOMP_CPU_S, SECCOMP_CPU_S };
	scmp_filter_ctx ctx;
	int r;

	if (setrlimit(RLIMIT_CORE, &core) == -1 ||
	    setrlimit(RLIMIT_CPU, &cpu) == -1)
		return (errno);
	errno = 0;
	ctx =
	    seccomp_init(role == SECCOMP_WORKER ? KILL : SCMP_ACT_ERRNO(EPERM));
	if (ctx == NULL)
		return (ENOMEM);
	if ((r = seccomp_fill(ctx, role, plan, self)) == 0 && errno != ENOMEM)
		r = -seccomp_export_bpf(ctx, fd);
	return (errno == ENOMEM ? ENOMEM : r);
}

/* 0 or an error number. */
static int
seccomp_fill(scmp_filter_ctx ctx, enum seccomp_role role,
    const struct sandbox_plan *plan, pid_t self)
{
	int r;

	/* A tree of comparisons instead of a list: our tables are long. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if ((r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, KILL)) < 0)
		return (-r);
	r = role == SECCOMP_WORKER     ? seccomp_fill_worker(ctx)
	    : role == SECCOMP_LISTENER ? seccomp_fill_listener(ctx)
	    : role == SECCOMP_OPENER   ? seccomp_fill_opener(ctx)
				       : seccomp_fill_broker(ctx, plan, self);
	return (r == 0 ? 0 : errno);
}

static int
seccomp_fill_worker(scmp_filter_ctx ctx)
{
	int bad;

	bad = seccomp_add(ctx, SCMP_ACT_ALLOW, seccomp_common,
	    COUNT(seccomp_common));
	bad |= seccomp_add(ctx, SCMP_ACT_ERRNO(EACCES), seccomp_worker_denied,
	    COUNT(seccomp_worker_denied));
	return (bad);
}

static int
seccomp_fill_listener(scmp_filter_ctx ctx)
{
	return (seccomp_fill_other(ctx, seccomp_listener_more,
	    COUNT(seccomp_listener_more)));
}

static int
seccomp_fill_opener(scmp_filter_ctx ctx)
{
	int bad;

	bad = seccomp_fill_other(ctx, seccomp_opener_more,
	    COUNT(seccomp_opener_more));
	bad |= seccomp_add(ctx, KILL, seccomp_broker_killed,
	    COUNT(seccomp_broker_killed));
	return (bad);
}

static int
seccomp_fill_broker(scmp_filter_ctx ctx, const struct sandbox_plan *plan,
    pid_t self)
{
	int bad;

	bad = seccomp_fill_other(ctx, seccomp_broker_more,
	    COUNT(seccomp_broker_more));
	if (plan->network)
		bad |= seccomp_add(ctx, SCMP_ACT_ALLOW, seccomp_broker_network,
		    COUNT(seccomp_broker_network));
	bad |= seccomp_add_self(ctx, self);
	bad |= seccomp_add(ctx, KILL, seccomp_broker_killed,
	    COUNT(seccomp_broker_killed));
	return (bad);
}

/* What all others have, and what is a role's own. */
static int
seccomp_fill_other(scmp_filter_ctx ctx, const struct seccomp_row *more,
    size_t n)
{
	int bad;

	bad = seccomp_add(ctx, SCMP_ACT_ALLOW, seccomp_common,
	    COUNT(seccomp_common));
	bad |= seccomp_add(ctx, SCMP_ACT_ALLOW, more, n);
	bad |= seccomp_add(ctx, KILL, seccomp_killed, COUNT(seccomp_killed));
	bad |= seccomp_add(ctx, SCMP_ACT_ERRNO(ENOSYS), seccomp_unknown,
	    COUNT(seccomp_unknown));
	return (bad);
}

static int
seccomp_add(scmp_filter_ctx ctx, uint32_t action, const struct seccomp_row *row,
    size_t n)
{
	struct scmp_arg_cmp cmp;
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		cmp.arg = row[i].arg.no;
		cmp.op = SCMP_CMP_MASKED_EQ;
		cmp.datum_a = row[i].arg.mask;
		cmp.datum_b = row[i].arg.value;
		r = seccomp_rule_add_array(ctx, action, row[i].call,
		    row[i].arg.mask != 0, &cmp);
		/* EDOM: no such call on this architecture. */
		if (r < 0 && r != -EDOM) {
			errno = -r;
			return (-1);
		}
	}
	return (0);
}

/* Signals to its own threads: raise, abort, pthread_kill. */
static int
seccomp_add_self(scmp_filter_ctx ctx, pid_t self)
{
	const struct seccomp_row rows[] = {
		CALL_IF(kill, 0, INT, (uint32_t)self),
		CALL_IF(tgkill, 0, INT, (uint32_t)self),
	};

	return (seccomp_add(ctx, SCMP_ACT_ALLOW, rows, COUNT(rows)));
}
