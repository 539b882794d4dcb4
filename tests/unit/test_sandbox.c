/*
 * The sandbox from within: children that enter a role and try what it should
 * stop, and others that do a role's honest work in it.  In a build with
 * AddressSanitizer there is no system call filter, so tests/ops/sandbox.sh
 * runs this program a second time, built without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/prctl.h>
#endif

#include <db.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/sandbox_layers.h"
#include "common/sandbox_probe.h"

#define NOBODY	 65534
#define DATA_MAX (64u * 1024 * 1024)

static char empty_dir[] = "/tmp/quire-empty.XXXXXX";
static char data_dir[] = "/tmp/quire-data.XXXXXX";

/* A child's result: the line that went wrong, or 0. */
#define TRY(what)                                                              \
	do {                                                                   \
		if (!(what))                                                   \
			_exit(__LINE__ % 255 + 1);                             \
	} while (0)

static struct sandbox_plan
plan_make(void)
{
	struct sandbox_plan plan = SANDBOX_PLAN_INIT;

	plan.chroot_dir = empty_dir;
	plan.data_max = DATA_MAX;
	if (geteuid() == 0)
		plan.uid = plan.gid = NOBODY;
	return (plan);
}

static int
child_wait(pid_t pid)
{
	int status;

	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return (status);
}

static int
probe(const struct sandbox_plan *plan, const struct sandbox_attempt *attempt,
    struct sandbox_outcome *out)
{
	const struct sandbox_who who = { SANDBOX_WORKERS, plan, NULL };

	return (sandbox_probe(&who, attempt, out));
}

#define assert_child_is_well(pid) assert_int_equal(child_wait(pid), 0)

static void
every_attempt_meets_a_layer_that_stops_it(void **state)
{
	struct sandbox_plan plan = plan_make();
	const struct sandbox_attempt *attempt;
	struct sandbox_outcome out;
	char text[64];
	size_t i;
	int escaped = 0;

	(void)state;
	for (i = 0; (attempt = sandbox_attempt_at(i)) != NULL; i++) {
		assert_int_equal(probe(&plan, attempt, &out), 0);
		print_message("# %-14s %s\n", attempt->name,
		    sandbox_outcome_text(text, sizeof(text), &out));
		if (out.allowed && (out.report.standing & attempt->stoppers)) {
			print_message("# nothing stopped %s\n", attempt->name);
			escaped++;
		}
	}
	assert_true(i > 15);
	assert_int_equal(escaped, 0);
}

static void
without_a_sandbox_the_attempts_do_go_through(void **state)
{
	const struct sandbox_attempt *attempt;
	struct sandbox_outcome out;
	size_t i, through = 0;

	(void)state;
	for (i = 0; (attempt = sandbox_attempt_at(i)) != NULL; i++) {
		assert_int_equal(sandbox_probe_bare(attempt, &out), 0);
		if (out.allowed)
			through++;
		else
			print_message("# %s fails here anyway: %s\n",
			    attempt->name, strerror(out.error));
	}
	assert_true(through >= 15);
}

#if defined(__linux__)
static void
the_filter_kills_what_is_no_probe_of_the_c_library(void **state)
{
	static const char *const names[] = { "socket", "connect", "fork",
		"exec", "kill", "mmap-exec", "mprotect-exec", "setuid",
		"ptrace", "memfd", "io-uring", "unshare" };
	struct sandbox_plan plan = plan_make();
	const struct sandbox_attempt *attempt;
	struct sandbox_outcome out;
	size_t i, j, seen = 0;

	(void)state;
	if (SANDBOX_SANITIZED)
		skip();
	for (i = 0; (attempt = sandbox_attempt_at(i)) != NULL; i++)
		for (j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			if (strcmp(attempt->name, names[j]) != 0)
				continue;
			assert_int_equal(probe(&plan, attempt, &out), 0);
			assert_int_equal(out.signal, SIGSYS);
			seen++;
		}
	assert_int_equal(seen, sizeof(names) / sizeof(names[0]));
}

/* One layer at a time: the filter must not be all there is. */
static void
files_are_out_of_reach_without_the_filter(void **state)
{
	int ruleset, abi;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		struct sandbox_plan plan = SANDBOX_PLAN_INIT;

		ruleset = sandbox_landlock_create(&plan, NULL, &abi);
		if (ruleset == -1 && abi == 0)
			_exit(0);
		TRY(ruleset != -1);
		TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		TRY(sandbox_landlock_enforce(ruleset) == 0);
		TRY(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
		TRY(mkdir(data_dir, 0700) == -1);
		TRY(abi < 6 || (kill(getppid(), 0) == -1 && errno == EPERM));
		_exit(0);
	}
	assert_child_is_well(pid);
}
#endif

static void
a_worker_gives_up_user_root_cores_and_processes(void **state)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_outcome out;

	(void)state;
	assert_int_equal(probe(&plan, sandbox_attempt_at(0), &out), 0);
	assert_int_equal(out.report.wanted & SANDBOX_CHROOT, SANDBOX_CHROOT);
	if (geteuid() == 0)
		assert_int_equal(out.report.standing &
			(SANDBOX_UID | SANDBOX_CHROOT),
		    SANDBOX_UID | SANDBOX_CHROOT);
#if defined(__linux__)
	assert_int_equal(out.report.standing &
		(SANDBOX_DUMPABLE | SANDBOX_NO_NEW_PRIVS),
	    SANDBOX_DUMPABLE | SANDBOX_NO_NEW_PRIVS);
	assert_int_equal((out.report.standing & SANDBOX_SECCOMP) == 0,
	    SANDBOX_SANITIZED);
#endif
}

static void
require_refuses_what_best_effort_reports(void **state)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_outcome out;

	(void)state;
	plan.chroot_dir = "/nonexistent/quire";
	assert_int_equal(probe(&plan, sandbox_attempt_at(0), &out), 0);
	assert_int_equal(out.report.standing & SANDBOX_CHROOT, 0);
	assert_int_equal(out.report.failed, SANDBOX_CHROOT);
	assert_int_not_equal(out.report.error, 0);
	plan.level = SANDBOX_LEVEL_REQUIRE;
	assert_int_equal(probe(&plan, sandbox_attempt_at(0), &out), -1);
}

static void
require_is_content_when_every_layer_stands(void **state)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_outcome out;

	(void)state;
	if (SANDBOX_SANITIZED || geteuid() != 0)
		skip();
	plan.level = SANDBOX_LEVEL_REQUIRE;
	assert_int_equal(probe(&plan, sandbox_attempt_at(0), &out), 0);
	assert_int_equal(out.report.wanted & ~out.report.standing, 0);
	assert_int_equal(out.report.failed, 0);
}

static void
root_that_cannot_become_the_user_goes_no_further(void **state)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_report report;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	plan.uid = 0;
	plan.level = SANDBOX_LEVEL_OFF;
	if ((pid = fork()) == 0) {
		TRY(sandbox_worker(&plan, -1, -1, -1, &report) == -1);
		TRY(errno == EPERM);
		_exit(0);
	}
	assert_child_is_well(pid);
}

/* chroot without root takes a user namespace, where these are allowed. */
static void
an_ordinary_user_gets_what_is_left(void **state)
{
	struct sandbox_plan plan = SANDBOX_PLAN_INIT;
	struct sandbox_report report;
	pid_t pid;

	(void)state;
	plan.chroot_dir = empty_dir;
	if ((pid = fork()) == 0) {
		if (geteuid() == 0)
			TRY(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
		TRY(sandbox_worker(&plan, -1, -1, -1, &report) == 0);
		TRY((report.wanted & SANDBOX_UID) == 0);
		TRY(report.standing & SANDBOX_RLIMITS);
		TRY((report.standing & SANDBOX_CHROOT) != 0 ||
		    report.failed == SANDBOX_CHROOT);
		TRY(access("/etc/passwd", F_OK) == -1 ||
		    (report.standing & (SANDBOX_CHROOT | SANDBOX_SECCOMP)) ==
			0);
		_exit(0);
	}
	assert_child_is_well(pid);
}

#if defined(__linux__)
/* Takes the descriptor that comes with one octet. */
static int
fd_receive(int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char octet;
	struct iovec iov = { &octet, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int passed;

	if (recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) != 1 ||
	    (c = CMSG_FIRSTHDR(&msg)) == NULL)
		return (-1);
	memcpy(&passed, CMSG_DATA(c), sizeof(passed));
	return (passed);
}

static int
fd_send(int fd, int passed)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char octet = 'r';
	struct iovec iov = { &octet, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	memset(&control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &passed, sizeof(passed));
	return (sendmsg(fd, &msg, 0) == 1 ? 0 : -1);
}

/* How many more descriptors a worker can have, up to most. */
static unsigned int
room_count(unsigned int passed, unsigned int most)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_report report;
	unsigned int n;
	int out[2];
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	if ((pid = fork()) == 0) {
		plan.passed_fds = passed;
		TRY(sandbox_worker(&plan, -1, -1, -1, &report) == 0);
		for (n = 0; n < most; n++)
			if (fcntl(out[1], F_DUPFD_CLOEXEC, 0) == -1)
				break;
		TRY(write(out[1], &n, sizeof(n)) == (ssize_t)sizeof(n));
		_exit(0);
	}
	assert_child_is_well(pid);
	assert_int_equal(read(out[0], &n, sizeof(n)), sizeof(n));
	close(out[0]);
	close(out[1]);
	return (n);
}

static void
there_is_room_for_what_is_passed_and_no_more(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(room_count(0, 10), 0);
	assert_int_equal(room_count(3, 10), 3);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max >= 3000)
		assert_int_equal(room_count(2000, 2500), 2000);
}

static int
numbers_compare(const void *a, const void *b)
{
	return (*(const int *)a - *(const int *)b);
}

/* The C library's side of a worker's life. */
static void
library_use(void)
{
	size_t n = 300000, i;
	struct timespec now;
	struct tm tm;
	int *p, *q;

	TRY((p = malloc(n * sizeof(*p))) != NULL);
	for (i = 0; i < n; i++)
		p[i] = (int)(n - i);
	TRY((q = realloc(p, 2 * n * sizeof(*p))) != NULL);
	qsort(q, n, sizeof(*q), numbers_compare);
	TRY(q[0] == 1);
	free(q);
	TRY(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	TRY(localtime_r(&now.tv_sec, &tm) != NULL);
	log_warnx("a worker's line");
	syslog(LOG_DEBUG, "lost, since nothing was opened before");
}

static void
echo_child(int client, int link)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_report report;
	struct epoll_event ev = { .events = EPOLLIN };
	char text[64];
	struct stat st;
	ssize_t n;
	int poll_fd, ring;
	void *map;

	TRY((poll_fd = epoll_create1(EPOLL_CLOEXEC)) != -1);
	ev.data.fd = client;
	TRY(sandbox_worker(&plan, client, link, poll_fd, &report) == 0);
	TRY(epoll_ctl(poll_fd, EPOLL_CTL_ADD, client, &ev) == 0);
	TRY((ring = fd_receive(link)) != -1);
	TRY(fstat(ring, &st) == 0 && st.st_size == 4096);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ring, 0);
	TRY(map != MAP_FAILED && strcmp(map, "ring") == 0);
	library_use();
	for (;;) {
		TRY(epoll_wait(poll_fd, &ev, 1, -1) == 1);
		if ((n = recv(client, text, sizeof(text), 0)) == 0)
			break;
		TRY(n > 0 && send(client, text, (size_t)n, 0) == n);
	}
	TRY(munmap(map, 4096) == 0 && close(ring) == 0);
	TRY(shutdown(client, SHUT_WR) == 0);
	_exit(0);
}

static void
a_worker_echoes_takes_a_ring_and_logs_inside(void **state)
{
	int client[2], link[2], ring, i;
	char text[64];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, client), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, link), 0);
	if ((pid = fork()) == 0) {
		close(client[0]);
		close(link[0]);
		echo_child(client[1], link[1]);
	}
	close(client[1]);
	close(link[1]);
	assert_int_not_equal(ring = memfd_create("ring", 0), -1);
	assert_int_equal(write(ring, "ring", 5), 5);
	assert_int_equal(ftruncate(ring, 4096), 0);
	assert_int_equal(fd_send(link[0], ring), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(send(client[0], "hello", 5, MSG_NOSIGNAL), 5);
		assert_int_equal(recv(client[0], text, sizeof(text), 0), 5);
		assert_memory_equal(text, "hello", 5);
	}
	shutdown(client[0], SHUT_WR);
	assert_child_is_well(pid);
	close(client[0]);
	close(link[0]);
	close(ring);
}
#endif

static void *
thread_main(void *arg)
{
	return (arg);
}

/* Opened inside: recovery, logs and regions all need the data directory. */
static void
database_use(const char *home)
{
	char value[] = "value";
	DB_ENV *env;
	DB_TXN *txn;
	DB *db;
	DBT key = { .data = value, .size = 5 };
	DBT data = { .data = value, .size = 5 };

	TRY(db_env_create(&env, 0) == 0);
	TRY(env->open(env, home,
		DB_CREATE | DB_INIT_TXN | DB_INIT_LOG | DB_INIT_LOCK |
		    DB_INIT_MPOOL | DB_PRIVATE | DB_THREAD | DB_RECOVER,
		0600) == 0);
	TRY(db_create(&db, env, 0) == 0);
	TRY(db->open(db, NULL, "test.db", NULL, DB_BTREE,
		DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0600) == 0);
	TRY(env->txn_begin(env, NULL, &txn, 0) == 0);
	TRY(db->put(db, txn, &key, &data, 0) == 0);
	TRY(txn->commit(txn, 0) == 0);
	TRY(env->txn_checkpoint(env, 0, 0, DB_FORCE) == 0);
	TRY(db->close(db, 0) == 0);
	TRY(env->close(env, 0) == 0);
}

static void
event_use(void)
{
	struct timeval soon = { 0, 1000 };
	struct event_base *base;
	pthread_t thread;

	TRY((base = event_base_new()) != NULL);
	TRY(event_base_loopexit(base, &soon) == 0);
	TRY(event_base_dispatch(base) == 0);
	event_base_free(base);
	TRY(pthread_create(&thread, NULL, thread_main, NULL) == 0);
	TRY(pthread_join(thread, NULL) == 0);
}

static void
fifo_use(const char *home)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/bell", home);
	TRY(mkfifo(path, 0600) == 0);
	TRY(unlink(path) == 0);
}

static void
broker_enter(struct sandbox_plan *plan, struct sandbox_report *report)
{
	*plan = plan_make();
	plan->chroot_dir = NULL;
	TRY(sandbox_broker(plan, data_dir, report) == 0);
}

static void
a_broker_works_in_its_data_directory(void **state)
{
	struct sandbox_plan plan;
	struct sandbox_report report;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		broker_enter(&plan, &report);
		fifo_use(data_dir);
		event_use();
		database_use(data_dir);
		TRY(raise(0) == 0);
		_exit(0);
	}
	assert_child_is_well(pid);
}

static void
a_broker_works_in_a_root_of_its_own(void **state)
{
	struct sandbox_plan plan;
	struct sandbox_report report;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	if ((pid = fork()) == 0) {
		plan = plan_make();
		plan.chroot_dir = data_dir;
		TRY(sandbox_broker(&plan, data_dir, &report) == 0);
		TRY(report.standing & SANDBOX_CHROOT);
		fifo_use("/");
		database_use("."); /* it cannot live in "/" */
		_exit(0);
	}
	assert_child_is_well(pid);
}

#if defined(__linux__)
static void
a_broker_sees_no_other_file_and_makes_no_socket(void **state)
{
	struct sandbox_plan plan;
	struct sandbox_report report;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		broker_enter(&plan, &report);
		if (report.standing & SANDBOX_LANDLOCK) {
			TRY(open("/etc/passwd", O_RDONLY) == -1);
			TRY(errno == EACCES);
			TRY(mkdir("/tmp/quire-escaped", 0700) == -1);
		}
		if (report.standing & SANDBOX_SECCOMP) {
			TRY(socket(AF_INET, SOCK_STREAM, 0) == -1);
			TRY(errno == EPERM);
			TRY(kill(getppid(), 0) == -1 && errno == EPERM);
			TRY(mknod("device", S_IFCHR | 0600, 0) == -1);
		}
		_exit(0);
	}
	assert_child_is_well(pid);
}

static void
a_broker_reads_what_the_plan_names_and_no_more(void **state)
{
	static const char *const readable[] = { "/etc/passwd", NULL };
	struct sandbox_plan plan = plan_make();
	struct sandbox_report report;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		plan.chroot_dir = NULL;
		plan.readable = readable;
		plan.network = 1;
		TRY(sandbox_broker(&plan, data_dir, &report) == 0);
		TRY(open("/etc/passwd", O_RDONLY) != -1);
		TRY(open("/etc/group", O_RDONLY) == -1 ||
		    (report.standing & SANDBOX_LANDLOCK) == 0);
		TRY(socket(AF_INET, SOCK_STREAM, 0) != -1);
		_exit(0);
	}
	assert_child_is_well(pid);
}

static void
an_opener_reads_what_the_plan_names_and_writes_nothing(void **state)
{
	const char *const readable[] = { data_dir, NULL };
	struct sandbox_plan plan = plan_make();
	struct sandbox_report report;
	char path[256], octet;
	int fds[2];
	pid_t pid;

	(void)state;
	snprintf(path, sizeof(path), "%s/conf", data_dir);
	TRY(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == 0);
	if ((pid = fork()) == 0) {
		TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
		plan.readable = readable;
		plan.passed_fds = 8;
		TRY(sandbox_opener(&plan, &report) == 0);
		TRY((report.standing & (SANDBOX_UID | SANDBOX_CHROOT)) == 0);
		TRY(open(path, O_RDONLY) != -1);
		TRY(send(fds[0], "x", 1, 0) == 1);
		TRY(recv(fds[1], &octet, 1, 0) == 1);
		if (report.standing & SANDBOX_LANDLOCK)
			TRY(open("/etc/passwd", O_RDONLY) == -1);
		if (report.standing & (SANDBOX_LANDLOCK | SANDBOX_SECCOMP))
			TRY(open(path, O_WRONLY) == -1);
		if (report.standing & SANDBOX_SECCOMP) {
			TRY(unlink(path) == -1 && errno == EPERM);
			TRY(socket(AF_UNIX, SOCK_STREAM, 0) == -1);
			TRY(kill(getppid(), 0) == -1 && errno == EPERM);
		}
		_exit(0);
	}
	assert_child_is_well(pid);
	unlink(path);
}

/* What a role does, in a child that must die of it. */
static int
broker_dies_of(int (*run)(void))
{
	struct sandbox_plan plan;
	struct sandbox_report report;
	pid_t pid;
	int status;

	if ((pid = fork()) == 0) {
		broker_enter(&plan, &report);
		(void)run();
		_exit(0);
	}
	status = child_wait(pid);
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static int
run_fork(void)
{
	return ((int)fork());
}

static int
run_exec(void)
{
	return (execl("/bin/true", "true", (char *)NULL));
}

static int
run_map(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static int
run_setuid(void)
{
	return (setuid(0));
}

/* A file of /proc/PID, whole: as the kernel sees the child. */
static const char *
proc_read(pid_t pid, const char *name)
{
	static char text[8192];
	char path[64];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	assert_non_null(f = fopen(path, "r"));
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return (text);
}

static ino_t
proc_inode(const char *who, const char *name)
{
	struct stat st;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", who, name);
	assert_int_equal(stat(path, &st), 0);
	return (st.st_ino);
}

static void
worker_seen_by_the_kernel(pid_t pid)
{
	const char *text = proc_read(pid, "status");
	struct stat st;
	char who[16], path[32];

	assert_non_null(strstr(text, "Uid:\t65534\t65534\t65534\t65534\n"));
	assert_non_null(strstr(text, "Gid:\t65534\t65534\t65534\t65534\n"));
	assert_non_null(strstr(text, "Groups:\t \n"));
	assert_non_null(strstr(text, "CapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(text, "NoNewPrivs:\t1\n"));
	assert_non_null(
	    strstr(text, SANDBOX_SANITIZED ? "Seccomp:\t0" : "Seccomp:\t2"));
	text = proc_read(pid, "limits");
	assert_non_null(strstr(text, "Max core file size        0  "));
	assert_non_null(strstr(text, "Max processes             0  "));
	(void)snprintf(who, sizeof(who), "%d", (int)pid);
	assert_int_not_equal(proc_inode(who, "ns/net"),
	    proc_inode("self", "ns/net"));
	assert_int_equal(proc_inode(who, "root"), proc_inode(who, "cwd"));
	assert_int_not_equal(proc_inode(who, "root"),
	    proc_inode("self", "root"));
	/* What cannot be dumped belongs to root in /proc. */
	(void)snprintf(path, sizeof(path), "/proc/%s/status", who);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void
the_kernel_confirms_what_the_report_says(void **state)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_report report;
	const gid_t group = 7; /* to be given up */
	int link[2];
	char octet;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	plan.namespaces = 1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, link), 0);
	if ((pid = fork()) == 0) {
		close(link[0]);
		TRY(setgroups(1, &group) == 0);
		TRY(sandbox_worker(&plan, -1, link[1], -1, &report) == 0);
		TRY(write(link[1], "s", 1) == 1);
		TRY(read(link[1], &octet, 1) == 0);
		_exit(0);
	}
	close(link[1]);
	assert_int_equal(read(link[0], &octet, 1), 1);
	worker_seen_by_the_kernel(pid);
	close(link[0]);
	assert_child_is_well(pid);
}

static void
a_broker_that_forks_execs_or_maps_code_dies(void **state)
{
	(void)state;
	if (SANDBOX_SANITIZED)
		skip();
	assert_true(broker_dies_of(run_fork));
	assert_true(broker_dies_of(run_exec));
	assert_true(broker_dies_of(run_map));
	assert_true(broker_dies_of(run_setuid));
}
#endif

/* A socket that listens below the data directory: the broker's. */
static int
unix_listen(struct sockaddr_un *sun)
{
	int fd;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	(void)snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/sock",
	    data_dir);
	(void)unlink(sun->sun_path);
	assert_int_not_equal(fd = socket(AF_UNIX, SOCK_STREAM, 0), -1);
	assert_int_equal(bind(fd, (struct sockaddr *)sun, sizeof(*sun)), 0);
	assert_int_equal(chmod(sun->sun_path, 0666), 0);
	assert_int_equal(listen(fd, 5), 0);
	return (fd);
}

static void
listener_child(const struct sockaddr_un *sun, unsigned int standing)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_report report;
	int fd;

	TRY((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	TRY(connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0);
	plan.inherited = standing;
	TRY(sandbox_worker(&plan, -1, fd, -1, &report) == 0);
	TRY((standing & ~report.standing &
		(SANDBOX_UID | SANDBOX_NAMESPACES)) == 0);
	TRY(open("/", O_RDONLY) == -1 ||
	    (report.standing & SANDBOX_LANDLOCK) == 0);
	TRY(send(fd, "w", 1, 0) == 1);
	_exit(0);
}

/* In namespaces of their own, where these can be had. */
static void
a_listener_forks_children_that_become_workers(void **state)
{
	struct sandbox_plan plan = plan_make();
	struct sandbox_report report;
	struct sockaddr_un sun;
	char octet;
	pid_t pid, child;
	int fd, peer, status;

	(void)state;
	fd = unix_listen(&sun);
	plan.chroot_dir = NULL;
	plan.namespaces = 1;
	if ((pid = fork()) == 0) {
		TRY(sandbox_listener(&plan, &report) == 0);
		TRY((child = fork()) != -1);
		if (child == 0)
			listener_child(&sun, report.standing);
		TRY((peer = accept(fd, NULL, NULL)) != -1);
		TRY(recv(peer, &octet, 1, 0) == 1 && octet == 'w');
		TRY(waitpid(child, &status, 0) == child);
		TRY(WIFEXITED(status));
		_exit(WEXITSTATUS(status));
	}
	assert_child_is_well(pid);
	close(fd);
}

static void
names_are_in_order_and_cut_to_fit(void **state)
{
	char text[64], little[6];

	(void)state;
	assert_string_equal(sandbox_names(text, sizeof(text),
				SANDBOX_SECCOMP | SANDBOX_UID),
	    "uid seccomp");
	assert_string_equal(sandbox_names(text, sizeof(text), 0), "none");
	assert_string_equal(sandbox_names(little, sizeof(little),
				SANDBOX_LANDLOCK),
	    "landl");
}

static void
descriptors_from_the_lowest_on_are_closed(void **state)
{
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		TRY(dup2(2, 20) == 20 && dup2(2, 30) == 30);
		sandbox_close_from(21);
		TRY(fcntl(20, F_GETFD) != -1);
		TRY(fcntl(30, F_GETFD) == -1);
		_exit(0);
	}
	assert_child_is_well(pid);
}

static int
dirs_make(void **state)
{
	(void)state;
	if (mkdtemp(empty_dir) == NULL || mkdtemp(data_dir) == NULL)
		return (-1);
	if (chmod(empty_dir, 0555) == -1)
		return (-1);
	return (geteuid() == 0 ? chown(data_dir, NOBODY, NOBODY) : 0);
}

static int
dirs_remove(void **state)
{
	char command[128];

	(void)state;
	(void)rmdir(empty_dir);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", data_dir);
	return (system(command)); /* a name of our own making */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attempt_meets_a_layer_that_stops_it),
		cmocka_unit_test(without_a_sandbox_the_attempts_do_go_through),
		cmocka_unit_test(
		    a_worker_gives_up_user_root_cores_and_processes),
		cmocka_unit_test(require_refuses_what_best_effort_reports),
		cmocka_unit_test(require_is_content_when_every_layer_stands),
		cmocka_unit_test(
		    root_that_cannot_become_the_user_goes_no_further),
		cmocka_unit_test(an_ordinary_user_gets_what_is_left),
		cmocka_unit_test(a_broker_works_in_its_data_directory),
		cmocka_unit_test(a_broker_works_in_a_root_of_its_own),
		cmocka_unit_test(a_listener_forks_children_that_become_workers),
		cmocka_unit_test(names_are_in_order_and_cut_to_fit),
		cmocka_unit_test(descriptors_from_the_lowest_on_are_closed),
#if defined(__linux__)
		cmocka_unit_test(
		    the_filter_kills_what_is_no_probe_of_the_c_library),
		cmocka_unit_test(files_are_out_of_reach_without_the_filter),
		cmocka_unit_test(there_is_room_for_what_is_passed_and_no_more),
		cmocka_unit_test(a_worker_echoes_takes_a_ring_and_logs_inside),
		cmocka_unit_test(
		    a_broker_sees_no_other_file_and_makes_no_socket),
		cmocka_unit_test(
		    a_broker_reads_what_the_plan_names_and_no_more),
		cmocka_unit_test(
		    an_opener_reads_what_the_plan_names_and_writes_nothing),
		cmocka_unit_test(the_kernel_confirms_what_the_report_says),
		cmocka_unit_test(a_broker_that_forks_execs_or_maps_code_dies),
#endif
	};

	return (cmocka_run_group_tests(tests, dirs_make, dirs_remove));
}
