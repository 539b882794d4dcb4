/*
 * The attempts that every Unix knows.  What a careless predecessor may have
 * left open is left open for them: a directory, a socket, a program.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sandbox_probe.h"

#define PROBE_PAGE 4096
#define PROBE_FDS  64

/* Layers that stop most. */
#define CALLS (SANDBOX_SECCOMP | SANDBOX_PLEDGE | SANDBOX_CAPSICUM)
#define NAMES (SANDBOX_SECCOMP | SANDBOX_PLEDGE)
#define FILES (CALLS | SANDBOX_LANDLOCK)

static int probe_file(void);
static int probe_opened(int);
static int probe_connect(int);

static int try_open(void);
static int try_open_at(void);
static int try_create(void);
static int try_mkdir(void);
static int try_device(void);
static int try_socket(void);
static int try_socket_unix(void);
static int try_connect(void);
static int try_reach(void);
static int try_fork(void);
static int try_exec(void);
static int try_kill(void);
static int try_map_exec(void);
static int try_protect_exec(void);
static int try_setuid(void);
static int try_chroot(void);
static int try_descriptors(void);
static int try_file_growth(void);
static int try_memory(void);

const struct sandbox_attempt sandbox_attempts[] = {
	{ "open", try_open, SANDBOX_ALL, FILES | SANDBOX_CHROOT },
	{ "open-at", try_open_at, SANDBOX_ALL, FILES },
	{ "create", try_create, SANDBOX_ALL, FILES },
	{ "mkdir", try_mkdir, SANDBOX_ALL, FILES },
	{ "device", try_device, SANDBOX_ALL, FILES },
	{ "socket", try_socket, SANDBOX_ALL, NAMES },
	{ "socket-unix", try_socket_unix, SANDBOX_BUT(SANDBOX_LISTENERS),
	    NAMES },
	{ "connect", try_connect, SANDBOX_BUT(SANDBOX_LISTENERS), CALLS },
	{ "reach", try_reach, SANDBOX_ALL, NAMES | SANDBOX_NAMESPACES },
	{ "fork", try_fork, SANDBOX_BUT(SANDBOX_LISTENERS), NAMES },
	{ "exec", try_exec, SANDBOX_ALL, FILES },
	{ "kill", try_kill, SANDBOX_ALL, CALLS },
	{ "mmap-exec", try_map_exec, SANDBOX_ALL, NAMES },
	{ "mprotect-exec", try_protect_exec, SANDBOX_ALL, NAMES },
	{ "setuid", try_setuid, SANDBOX_ALL, SANDBOX_UID | CALLS },
	{ "chroot", try_chroot, SANDBOX_ALL, SANDBOX_UID | CALLS },
	{ "descriptors", try_descriptors,
	    SANDBOX_BUT(SANDBOX_BROKERS | SANDBOX_LISTENERS), SANDBOX_RLIMITS },
	{ "file-growth", try_file_growth, SANDBOX_BUT(SANDBOX_BROKERS),
	    SANDBOX_RLIMITS },
	{ "memory", try_memory, SANDBOX_WORKERS, SANDBOX_RLIMITS },
	{ NULL, NULL, 0, 0 },
};

void
sandbox_attempts_prepare(const struct sandbox_plan *plan)
{
	struct sandbox_probe_props *p = &sandbox_props;

	p->root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->tcp_fd = socket(AF_INET, SOCK_STREAM, 0);
	p->program_fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	p->file_fd = probe_file();
	p->data_max = plan->data_max;
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
probe_opened(int fd)
{
	return (fd == -1 ? -1 : 0);
}

/* Nobody listens on the discard port: who is told so got through. */
static int
probe_connect(int fd)
{
	struct sockaddr_in to;

	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	to.sin_port = htons(9);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return (0);
	return (errno == ECONNREFUSED ? 0 : -1);
}

/* Everybody may read it, where it can be seen. */
static int
try_open(void)
{
	return (probe_opened(open("/etc/passwd", O_RDONLY)));
}

static int
try_open_at(void)
{
	return (probe_opened(
	    openat(sandbox_props.root_fd, "etc/passwd", O_RDONLY)));
}

static int
try_create(void)
{
	return (probe_opened(openat(sandbox_props.dir_fd, SANDBOX_PROBE_FILE,
	    O_WRONLY | O_CREAT, 0600)));
}

static int
try_mkdir(void)
{
	return (mkdirat(sandbox_props.dir_fd, SANDBOX_PROBE_DIR, 0700));
}

/* Number 0 of a kind that nothing drives. */
static int
try_device(void)
{
	return (mknodat(sandbox_props.dir_fd, SANDBOX_PROBE_DEVICE,
	    S_IFCHR | 0600, 0));
}

static int
try_socket_unix(void)
{
	return (probe_opened(socket(AF_UNIX, SOCK_STREAM, 0)));
}

static int
try_socket(void)
{
	return (probe_opened(socket(AF_INET, SOCK_STREAM, 0)));
}

static int
try_connect(void)
{
	return (probe_connect(sandbox_props.tcp_fd));
}

/* From a socket that belongs to where we are now. */
static int
try_reach(void)
{
	return (probe_connect(socket(AF_INET, SOCK_STREAM, 0)));
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
