/*
 * Which system calls a role keeps: a row a call, for sandbox_seccomp_linux.c
 * alone.  What no row allows kills a worker; the other roles get EPERM, but die
 * where no honest one would ever go.
 *
 * Calls are named for glibc and musl; a name that an architecture lacks costs
 * nothing there.  Pointers cannot be looked into: see fstat's row.
 */
#ifndef QUIRE_SANDBOX_CALLS_LINUX_H
#define QUIRE_SANDBOX_CALLS_LINUX_H

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>

/* What an argument must be for the row to hold. */
struct seccomp_arg {
	unsigned int no;
	uint64_t mask; /* 0: the row holds for any argument */
	uint64_t value;
};

struct seccomp_row {
	int call;
	struct seccomp_arg arg;
};

/* clang-format off */
#define CALL(name)                  { SCMP_SYS(name), { 0, 0, 0 } }
#define CALL_IF(name, no, mask, is) { SCMP_SYS(name), { no, mask, is } }
/* clang-format on */

/* An int argument: the kernel does not look at the upper half either. */
#define INT UINT64_C(0xffffffff)
/* Without the bits for private and for the real-time clock. */
#define FUTEX_KIND UINT64_C(0xfffffe7f)

/* A worker's calls; every other role has them too. */
static const struct seccomp_row seccomp_common[] = {
	CALL(read),
	CALL(readv),
	CALL(recv),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(write),
	CALL(writev),
	CALL(send),
	CALL(sendto),
	CALL(sendmsg),
	CALL(shutdown),
	CALL(close),
	CALL(epoll_ctl),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(epoll_pwait2),
	CALL(poll),
	CALL(ppoll),
	CALL(ppoll_time64),
	CALL(clock_gettime),
	CALL(clock_gettime64),
	CALL(gettimeofday),
	CALL(getrandom),
	CALL(getpid),
	CALL(gettid),
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL_IF(mmap, 2, PROT_EXEC, 0),
	CALL_IF(mmap2, 2, PROT_EXEC, 0),
	CALL_IF(mprotect, 2, PROT_EXEC, 0),
	CALL_IF(madvise, 2, INT, MADV_DONTNEED),
	CALL_IF(madvise, 2, INT, MADV_FREE),
	CALL_IF(madvise, 2, INT, MADV_DONTDUMP),
	CALL_IF(madvise, 2, INT, MADV_DODUMP),
	/* Waiting and waking, shared or private: none of the PI family. */
	CALL_IF(futex, 1, FUTEX_KIND, FUTEX_WAIT),
	CALL_IF(futex, 1, FUTEX_KIND, FUTEX_WAKE),
	CALL_IF(futex, 1, FUTEX_KIND, FUTEX_WAIT_BITSET),
	CALL_IF(futex_time64, 1, FUTEX_KIND, FUTEX_WAIT_BITSET),
	/* glibc's fstat is fstatat with an empty name.  The name cannot be
	 * checked, so without a root of its own a worker can ask for the
	 * attributes (never the content) of a file by name. */
	CALL(fstat),
	CALL(fstat64),
	CALL_IF(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH),
	CALL_IF(fstatat64, 3, AT_EMPTY_PATH, AT_EMPTY_PATH),
	CALL_IF(fcntl, 1, INT, F_GETFL),
	CALL_IF(fcntl, 1, INT, F_GETFD),
	CALL_IF(fcntl, 1, INT, F_GET_SEALS),
	CALL_IF(fcntl, 1, INT, F_DUPFD_CLOEXEC), /* to pass one on */
	CALL_IF(fcntl64, 1, INT, F_GETFL),
	CALL_IF(fcntl64, 1, INT, F_GETFD),
	CALL_IF(fcntl64, 1, INT, F_GET_SEALS),
	CALL_IF(fcntl64, 1, INT, F_DUPFD_CLOEXEC),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigreturn),
	CALL(restart_syscall),
	CALL(exit),
	CALL(exit_group),
};

/*
 * Harmless probes of the C library's (time zones, tty checks, processor
 * counts, syslog after a restart of its daemon): EACCES, life goes on.
 */
static const struct seccomp_row seccomp_worker_denied[] = {
	CALL(open),
	CALL(openat),
	CALL(stat),
	CALL(stat64),
	CALL(lstat),
	CALL(lstat64),
	CALL(statx),
	CALL_IF(newfstatat, 3, AT_EMPTY_PATH, 0),
	CALL_IF(fstatat64, 3, AT_EMPTY_PATH, 0),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(readlink),
	CALL(readlinkat),
	CALL(lseek),
	CALL(_llseek),
	CALL_IF(ioctl, 1, INT, TCGETS),
	CALL(sched_getaffinity),
	CALL(sysinfo),
	CALL_IF(socket, 0, INT, AF_UNIX),
};

/*
 * Accept, fork, reap; and what a child needs until it is a worker: a socket to
 * the broker, a poller, and the steps into a narrower sandbox.
 */
static const struct seccomp_row seccomp_listener_more[] = {
	CALL(accept),
	CALL(accept4),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(getsockname),
	CALL(getpeername),
	CALL_IF(socket, 0, INT, AF_UNIX),
	CALL(socketpair),
	CALL(connect),
	CALL(epoll_create1),
	CALL(eventfd2),
	CALL(signalfd4),
	CALL(pipe2),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(close_range),
	CALL(fcntl),
	CALL(fcntl64),
	CALL(select),
	CALL(pselect6),
	CALL(nanosleep),
	CALL(clock_nanosleep),
	CALL_IF(clone, 0, CLONE_PTRACE | CLONE_UNTRACED, 0),
	CALL(fork),
	CALL(set_robust_list),
	CALL(set_tid_address),
	CALL(rseq),
	CALL(wait4),
	CALL(waitid),
	CALL(kill),
	CALL(getppid),
	CALL(rt_sigaction),
	CALL(rt_sigsuspend),
	CALL(rt_sigtimedwait),
	CALL(setitimer),
	CALL(uname),
	CALL(unshare),
	CALL(chroot),
	CALL(chdir),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(setgroups),
	CALL(setgid),
	CALL(setuid),
	CALL(capset),
	CALL(prctl),
	CALL(seccomp),
	CALL(landlock_create_ruleset),
	CALL(landlock_restrict_self),
	CALL(getrlimit),
	CALL(setrlimit),
	CALL(prlimit64),
};

/* Berkeley DB, libevent, libsodium, threads, rings and bells. */
static const struct seccomp_row seccomp_broker_more[] = {
	CALL(open),
	CALL(openat),
	CALL(creat),
	CALL(stat),
	CALL(stat64),
	CALL(lstat),
	CALL(lstat64),
	CALL(statx),
	CALL_IF(newfstatat, 3, AT_EMPTY_PATH, 0),
	CALL_IF(fstatat64, 3, AT_EMPTY_PATH, 0),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(readlink),
	CALL(readlinkat),
	CALL(statfs),
	CALL(statfs64),
	CALL(fstatfs),
	CALL(fstatfs64),
	CALL(getdents),
	CALL(getdents64),
	CALL(getcwd),
	CALL(pread64),
	CALL(pwrite64),
	CALL(preadv),
	CALL(pwritev),
	CALL(lseek),
	CALL(_llseek),
	CALL(fsync),
	CALL(fdatasync),
	CALL(sync_file_range),
	CALL(truncate),
	CALL(truncate64),
	CALL(ftruncate),
	CALL(ftruncate64),
	CALL(fallocate),
	CALL(fadvise64),
	CALL(rename),
	CALL(renameat),
	CALL(renameat2),
	CALL(link),
	CALL(linkat),
	CALL(unlink),
	CALL(unlinkat),
	CALL(mkdir),
	CALL(mkdirat),
	CALL(rmdir),
	CALL_IF(mknod, 1, S_IFMT, S_IFIFO),
	CALL_IF(mknodat, 2, S_IFMT, S_IFIFO),
	CALL(chmod),
	CALL(fchmod),
	CALL(fchmodat),
	CALL(utimensat),
	CALL(umask),
	CALL(flock),
	CALL(fcntl),
	CALL(fcntl64),
	CALL_IF(ioctl, 1, INT, FIONREAD),
	CALL_IF(ioctl, 1, INT, FIONBIO),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(memfd_create),
	CALL(msync),
	CALL(mlock),
	CALL(mlock2),
	CALL(munlock),
	CALL(madvise),
	CALL(accept),
	CALL(accept4),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(getsockname),
	CALL(getpeername),
	CALL(socketpair),
	CALL(sendmmsg),
	CALL(recvmmsg),
	CALL(epoll_create),
	CALL(epoll_create1),
	CALL(eventfd2),
	CALL(signalfd4),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(pipe),
	CALL(pipe2),
	CALL(select),
	CALL(pselect6),
	CALL(_newselect),
	CALL(nanosleep),
	CALL(clock_nanosleep),
	CALL(clock_getres),
	CALL(time),
	CALL(times),
	CALL(getrusage),
	CALL(getitimer),
	CALL(setitimer),
	CALL_IF(clone, 0, CLONE_THREAD, CLONE_THREAD),
	CALL(futex_time64),
	CALL_IF(futex, 1, FUTEX_KIND, FUTEX_REQUEUE),
	CALL_IF(futex, 1, FUTEX_KIND, FUTEX_CMP_REQUEUE),
	CALL_IF(futex, 1, FUTEX_KIND, FUTEX_WAKE_OP),
	CALL(set_robust_list),
	CALL(set_tid_address),
	CALL(rseq),
	CALL(membarrier),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(getcpu),
	CALL(rt_sigaction),
	CALL(rt_sigsuspend),
	CALL(rt_sigtimedwait),
	CALL(rt_sigpending),
	CALL(sigaltstack),
	CALL(wait4),
	CALL(waitid),
	CALL(getppid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(uname),
	CALL(sysinfo),
	CALL(getrlimit),
	CALL(ugetrlimit),
	/* Asking for a limit: no new one is given. */
	CALL_IF(prlimit64, 2, UINT64_MAX, 0),
	CALL_IF(prctl, 0, INT, PR_SET_NAME),
};

static const struct seccomp_row seccomp_broker_network[] = {
	CALL_IF(socket, 0, INT, AF_INET),
	CALL_IF(socket, 0, INT, AF_INET6),
	CALL(bind),
	CALL(listen),
	CALL(connect),
};

/* Neither to write nor to make. */
#define OPEN_KIND (INT & (O_ACCMODE | O_CREAT | O_TRUNC))

static const struct seccomp_row seccomp_opener_more[] = {
	CALL_IF(open, 1, OPEN_KIND, O_RDONLY),
	CALL_IF(openat, 2, OPEN_KIND, O_RDONLY),
	CALL(lseek),
	CALL(_llseek),
};

/* Nobody's: neither a listener's nor a broker's nor an opener's. */
static const struct seccomp_row seccomp_killed[] = {
	CALL(execve),
	CALL(execveat),
	CALL(vfork),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(pidfd_getfd),
	CALL_IF(mmap, 2, PROT_EXEC, PROT_EXEC),
	CALL_IF(mmap2, 2, PROT_EXEC, PROT_EXEC),
	CALL_IF(mprotect, 2, PROT_EXEC, PROT_EXEC),
	CALL(pkey_mprotect),
	CALL(io_uring_setup),
	CALL(io_uring_enter),
	CALL(io_uring_register),
	CALL(bpf),
	CALL(perf_event_open),
	CALL(userfaultfd),
	CALL(setns),
	CALL(mount),
	CALL(umount2),
	CALL(move_mount),
	CALL(open_tree),
	CALL(fsopen),
	CALL(pivot_root),
	CALL(open_by_handle_at),
	CALL(add_key),
	CALL(request_key),
	CALL(keyctl),
	CALL(init_module),
	CALL(finit_module),
	CALL(delete_module),
	CALL(kexec_load),
	CALL(kexec_file_load),
	CALL(reboot),
	CALL(personality),
};

static const struct seccomp_row seccomp_broker_killed[] = {
	CALL(fork),
	CALL_IF(clone, 0, CLONE_THREAD, 0),
	CALL(unshare),
	CALL(chroot),
	CALL(setuid),
	CALL(setgid),
	CALL(setreuid),
	CALL(setregid),
	CALL(setresuid),
	CALL(setresgid),
	CALL(setgroups),
	CALL(capset),
};

/* Its flags lie behind a pointer; the C library falls back to clone. */
static const struct seccomp_row seccomp_unknown[] = {
	CALL(clone3),
};

#endif
