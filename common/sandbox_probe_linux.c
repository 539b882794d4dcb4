/* Attempts that only Linux knows: other ways to the same ends. */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "common/sandbox_probe.h"

/* The same number on every architecture, unlike in every header. */
#define PROBE_SYS_IO_URING_SETUP 425
#define PROBE_SYS_PIDFD_OPEN	 434

static int try_ptrace(void);
static int try_read_memory(void);
static int try_memfd(void);
static int try_io_uring(void);
static int try_unshare(void);
static int try_pidfd(void);
static int try_bpf(void);
static int try_keyctl(void);
static int try_dumpable(void);
static int try_pair(void);

const struct sandbox_attempt sandbox_attempts_here[] = {
	{ "ptrace", try_ptrace, SANDBOX_SECCOMP | SANDBOX_LANDLOCK },
	{ "read-memory", try_read_memory, SANDBOX_SECCOMP | SANDBOX_LANDLOCK },
	{ "memfd", try_memfd, SANDBOX_SECCOMP },
	{ "io-uring", try_io_uring, SANDBOX_SECCOMP },
	{ "unshare", try_unshare, SANDBOX_SECCOMP },
	{ "pidfd", try_pidfd, SANDBOX_SECCOMP },
	{ "bpf", try_bpf, SANDBOX_SECCOMP },
	{ "keyctl", try_keyctl, SANDBOX_SECCOMP },
	{ "dumpable", try_dumpable, SANDBOX_SECCOMP },
	{ "socketpair", try_pair, SANDBOX_SECCOMP },
	{ NULL, NULL, 0 },
};

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
