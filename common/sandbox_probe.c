/*
 * The attempts that every Unix knows, and the child that makes one.  What it
 * finds out leaves as its exit status: its errno, or 0 when nothing stopped
 * it.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sandbox_probe.h"

#define PROBE_PAGE 4096
#define PROBE_FDS  64

/* Layers that stop most. */
#define CALLS (SANDBOX_SECCOMP | SANDBOX_PLEDGE | SANDBOX_CAPSICUM)
#define FILES (CALLS | SANDBOX_LANDLOCK)

static void probe_child(const struct sandbox_plan *,
    const struct sandbox_attempt *, int) __attribute__((noreturn));
static int probe_prepare(const struct sandbox_plan *);
static int probe_file(void);
static int probe_wait(pid_t, struct sandbox_outcome *);
static int probe_opened(int);

static int try_open(void);
static int try_create(void);
static int try_socket(void);
static int try_connect(void);
static int try_fork(void);
static int try_exec(void);
static int try_kill(void);
static int try_map_exec(void);
static int try_protect_exec(void);
static int try_setuid(void);
static int try_chroot(void);
static int try_mkdir(void);
static int try_descriptors(void);
static int try_file_growth(void);
static int try_memory(void);

static const struct sandbox_attempt probe_attempts[] = {
	{ "open", try_open, FILES },
	{ "create", try_create, FILES },
	{ "mkdir", try_mkdir, FILES },
	{ "socket", try_socket, SANDBOX_SECCOMP | SANDBOX_PLEDGE },
	{ "connect", try_connect, CALLS },
	{ "fork", try_fork, SANDBOX_SECCOMP | SANDBOX_PLEDGE },
	{ "exec", try_exec, FILES },
	{ "kill", try_kill, CALLS },
	{ "mmap-exec", try_map_exec, SANDBOX_SECCOMP | SANDBOX_PLEDGE },
	{ "mprotect-exec", try_protect_exec, SANDBOX_SECCOMP | SANDBOX_PLEDGE },
	{ "setuid", try_setuid, SANDBOX_UID | CALLS },
	{ "chroot", try_chroot, SANDBOX_UID | CALLS },
	{ "descriptors", try_descriptors, SANDBOX_RLIMITS },
	{ "file-growth", try_file_growth, SANDBOX_RLIMITS },
	{ "memory", try_memory, SANDBOX_RLIMITS },
};

#define PROBE_ATTEMPTS (sizeof(probe_attempts) / sizeof(probe_attempts[0]))

struct sandbox_probe_props sandbox_props;

const struct sandbox_attempt *
sandbox_attempt_at(size_t i)
{
	size_t j;

	if (i < PROBE_ATTEMPTS)
		return (&probe_attempts[i]);
	for (j = 0; sandbox_attempts_here[j].name != NULL; j++)
		if (PROBE_ATTEMPTS + j == i)
			return (&sandbox_attempts_here[j]);
	return (NULL);
}

int
sandbox_probe(const struct sandbox_plan *plan,
    const struct sandbox_attempt *attempt, struct sandbox_outcome *out)
{
	int fds[2], error;
	ssize_t n;
	pid_t pid;

	memset(out, 0, sizeof(*out));
	if (pipe(fds) == -1)
		return (-1);
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		probe_child(plan, attempt, fds[1]);
	}
	error = errno;
	(void)close(fds[1]);
	n = pid == -1 ? -1 : read(fds[0], &out->report, sizeof(out->report));
	(void)close(fds[0]);
	errno = error;
	if (pid == -1 || probe_wait(pid, out) == -1)
		return (-1);
	if (n == (ssize_t)sizeof(out->report))
		return (0);
	errno = out->error != 0 ? out->error : EPROTO;
	return (-1);
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
probe_child(const struct sandbox_plan *plan,
    const struct sandbox_attempt *attempt, int fd)
{
	struct sandbox_report report;

	if (probe_prepare(plan) == -1 ||
	    sandbox_worker(plan, -1, -1, -1, &report) == -1 ||
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
	sandbox_props.tcp_fd = socket(AF_INET, SOCK_STREAM, 0);
	sandbox_props.program_fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	sandbox_props.file_fd = probe_file();
	sandbox_props.data_max = plan->data_max;
	return (sandbox_props.tcp_fd == -1 || sandbox_props.program_fd == -1 ||
		    sandbox_props.file_fd == -1
		? -1
		: 0);
}

static int
probe_file(void)
{
	char path[] = "/tmp/quire-probe.XXXXXX";
	int fd = mkstemp(path);

	if (fd != -1)
		(void)unlink(path);
	return (fd);
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
probe_opened(int fd)
{
	return (fd == -1 ? -1 : 0);
}

/* The root is there in any root. */
static int
try_open(void)
{
	return (probe_opened(open("/", O_RDONLY)));
}

static int
try_create(void)
{
	return (probe_opened(open("/quire-probe", O_WRONLY | O_CREAT, 0600)));
}

static int
try_mkdir(void)
{
	return (mkdir("/quire-probe", 0700));
}

static int
try_socket(void)
{
	return (probe_opened(socket(AF_INET, SOCK_STREAM, 0)));
}

/* Nobody listens on the discard port, and a refusal of the kind was tried. */
static int
try_connect(void)
{
	struct sockaddr_in to;

	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	to.sin_port = htons(9);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(sandbox_props.tcp_fd, (const struct sockaddr *)&to,
		sizeof(to)) == 0)
		return (0);
	return (errno == ECONNREFUSED ? 0 : -1);
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return (pid == -1 ? -1 : 0);
}

static int
try_exec(void)
{
	char name[] = "sh", flag[] = "-c", command[] = "exit 0";
	char *const argv[] = { name, flag, command, NULL };
	char *const env[] = { NULL };

	return (fexecve(sandbox_props.program_fd, argv, env));
}

static int
try_kill(void)
{
	return (kill(sandbox_props.parent, 0));
}

static int
try_map_exec(void)
{
	return (mmap(NULL, PROBE_PAGE, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		? -1
		: 0);
}

static int
try_protect_exec(void)
{
	void *p = mmap(NULL, PROBE_PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Without a page nothing was tried: that must not pass as a refusal. */
	if (p == MAP_FAILED)
		return (0);
	return (mprotect(p, PROBE_PAGE, PROT_READ | PROT_EXEC));
}

static int
try_setuid(void)
{
	return (setuid(0));
}

static int
try_chroot(void)
{
	return (chroot("/"));
}

/* Those passed later have room; a flood has not. */
static int
try_descriptors(void)
{
	int i;

	for (i = 0; i < PROBE_FDS; i++)
		if (dup(STDERR_FILENO) == -1)
			return (-1);
	return (0);
}

static int
try_file_growth(void)
{
	return (write(sandbox_props.file_fd, "x", 1) == 1 ? 0 : -1);
}

/* The bound and a page: nothing is touched, the promise is refused. */
static int
try_memory(void)
{
	errno = ENOTSUP;
	if (sandbox_props.data_max == 0)
		return (-1);
	return (mmap(NULL, sandbox_props.data_max + PROBE_PAGE,
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		? -1
		: 0);
}
