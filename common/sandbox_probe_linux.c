/*
 * Attempts that only Linux knows: other ways to the same ends, and the corners
 * of the kernel that were broken most often.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/sandbox_probe.h"

/* The same number on every architecture, unlike in every header. */
#define PROBE_SYS_IO_URING_SETUP 425
#define PROBE_SYS_FSOPEN	 430
#define PROBE_SYS_PIDFD_OPEN	 434

static int probe_program(const char *);
static int probe_tty(void);

static int try_ptrace(void);
static int try_read_memory(void);
static int try_memfd(void);
static int try_memfd_exec(void);
static int try_io_uring(void);
static int try_unshare(void);
static int try_setns(void);
static int try_pidfd(void);
static int try_bpf(void);
static int try_keyctl(void);
static int try_perf(void);
static int try_userfault(void);
static int try_mount(void);
static int try_fsopen(void);
static int try_handle(void);
static int try_tty_input(void);
static int try_dumpable(void);
static int try_pair(void);

const struct sandbox_attempt sandbox_attempts_here[] = {
	{ "ptrace", try_ptrace, SANDBOX_ALL,
	    SANDBOX_SECCOMP | SANDBOX_LANDLOCK },
	{ "read-memory", try_read_memory, SANDBOX_ALL,
	    SANDBOX_SECCOMP | SANDBOX_LANDLOCK },
	{ "memfd", try_memfd, SANDBOX_BUT(SANDBOX_BROKERS), SANDBOX_SECCOMP },
	{ "memfd-exec", try_memfd_exec, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "io-uring", try_io_uring, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "unshare", try_unshare, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "setns", try_setns, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "pidfd", try_pidfd, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "bpf", try_bpf, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "keyctl", try_keyctl, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "perf-event", try_perf, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "userfaultfd", try_userfault, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "mount", try_mount, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "fsopen", try_fsopen, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "open-by-handle", try_handle, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "tty-input", try_tty_input, SANDBOX_ALL, SANDBOX_SECCOMP },
	{ "dumpable", try_dumpable, SANDBOX_BUT(SANDBOX_LISTENERS),
	    SANDBOX_SECCOMP },
	{ "socketpair", try_pair,
	    SANDBOX_BUT(SANDBOX_BROKERS | SANDBOX_LISTENERS), SANDBOX_SECCOMP },
	{ NULL, NULL, 0, 0 },
};

static int memfd_program, tty_fd, ns_fd, handle_mount;
static union {
	struct file_handle head;
	char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} handle;

void
sandbox_attempts_prepare_here(void)
{
	memfd_program = probe_program("/bin/true");
	tty_fd = probe_tty();
	ns_fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	handle.head.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, "/etc/passwd", &handle.head,
		&handle_mount, 0) == -1)
		handle.head.handle_bytes = 0;
	handle_mount = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

/* A copy of it in memory. */
static int
probe_program(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = memfd_create("probe", MFD_CLOEXEC);

	while (sendfile(to, from, NULL, 1 << 20) > 0)
		continue;
	if (from != -1)
		(void)close(from);
	return (to);
}

/* Its other end stays open, so that it lives. */
static int
probe_tty(void)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];

	if (pty == -1 || grantpt(pty) == -1 || unlockpt(pty) == -1 ||
	    ptsname_r(pty, name, sizeof(name)) != 0)
		return (-1);
	return (open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

static int
try_ptrace(void)
{
	return (ptrace(PTRACE_SEIZE, sandbox_props.parent, NULL, NULL) == 0
		? 0
		: -1);
}

/* Of the parent, who has the same addresses. */
static int
try_read_memory(void)
{
	char there = 0, here;
	struct iovec to = { &here, 1 }, from = { &there, 1 };

	return (process_vm_readv(sandbox_props.parent, &to, 1, &from, 1, 0) == 1
		? 0
		: -1);
}

static int
try_memfd(void)
{
	return (memfd_create("probe", 0) == -1 ? -1 : 0);
}

static int
try_io_uring(void)
{
	char params[256] = { 0 };

	return (syscall(PROBE_SYS_IO_URING_SETUP, 1, params) == -1 ? -1 : 0);
}

static int
try_unshare(void)
{
	return (unshare(CLONE_NEWUSER));
}

static int
try_pidfd(void)
{
	return (syscall(PROBE_SYS_PIDFD_OPEN, sandbox_props.parent, 0) == -1
		? -1
		: 0);
}

/* BPF_MAP_CREATE of an array. */
static int
try_bpf(void)
{
	unsigned int attr[32] = { 2, 4, 4, 1 };

	return (syscall(SYS_bpf, 0, attr, sizeof(attr)) == -1 ? -1 : 0);
}

/* KEYCTL_GET_KEYRING_ID of the session's. */
static int
try_keyctl(void)
{
	return (syscall(SYS_keyctl, 0, -3, 1) == -1 ? -1 : 0);
}

static int
try_dumpable(void)
{
	return (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
try_pair(void)
{
	int fds[2];

	return (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
}

static int
try_memfd_exec(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };
	char *const env[] = { NULL };

	return (fexecve(memfd_program, argv, env));
}

/* Into the one where we are: only the privilege is asked for. */
static int
try_setns(void)
{
	return (setns(ns_fd, CLONE_NEWUTS));
}

static int
try_perf(void)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.type = PERF_TYPE_SOFTWARE;
	attr.size = sizeof(attr);
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	attr.exclude_kernel = 1;
	return (
	    syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) == -1 ? -1 : 0);
}

static int
try_userfault(void)
{
	return (syscall(SYS_userfaultfd, O_CLOEXEC) == -1 ? -1 : 0);
}

/* Without a type it cannot succeed, but who may not mount is told so first. */
static int
try_mount(void)
{
	if (mount("none", "/", NULL, 0, NULL) == 0 || errno == EINVAL)
		return (0);
	return (-1);
}

static int
try_fsopen(void)
{
	return (syscall(PROBE_SYS_FSOPEN, "tmpfs", 0) == -1 ? -1 : 0);
}

/* A file by its number, whatever directory it is in. */
static int
try_handle(void)
{
	return (open_by_handle_at(handle_mount, &handle.head, O_RDONLY) == -1
		? -1
		: 0);
}

/* A word in the mouth of whoever started us from a terminal. */
static int
try_tty_input(void)
{
	return (ioctl(tty_fd, TIOCSTI, "x"));
}
