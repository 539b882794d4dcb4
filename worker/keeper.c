/*
 * One loop over two descriptors: what the listener tells, and a session of its
 * own with the broker, which ends when the broker does.  Lines are written to
 * and never read.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/chan.h"
#include "common/limits.h"
#include "common/log.h"
#include "worker/keeper.h"

#define KEEPER_RETRY_MS 100 /* between looks for the next broker */
#define KEEPER_AGAIN_MS 10  /* where no descriptor can be passed now */
#define KEEPER_BUCKETS	4096

struct keeper_word {
	int32_t pid;
	int32_t come; /* 1: with a line; 0: it has ended */
};

struct keeper_worker {
	pid_t pid;
	int line;
	int due; /* a connection is owed */
	struct keeper_worker *next;
};

struct keeper {
	int fd; /* the listener */
	const char *broker;
	struct chan link; /* closed: the broker has gone */
	int up;		  /* it has said WELCOME */
	size_t due;	  /* workers that are owed a connection */
	struct keeper_worker *worker[KEEPER_BUCKETS];
};

static void keeper_run(int fd, const char *broker) __attribute__((noreturn));
static int keeper_wait_ms(const struct keeper *);
static int keeper_told(struct keeper *);
static void keeper_add(struct keeper *, pid_t, int line);
static void keeper_forget(struct keeper *, pid_t);
static void keeper_call(struct keeper *);
static void keeper_owe(struct keeper *);
static void keeper_listen(struct keeper *);
static void keeper_up(struct keeper *);
static void keeper_pay(struct keeper *);
static int keeper_give(struct keeper *, int line);
static struct keeper_worker **keeper_at(struct keeper *, pid_t);
static int keeper_send(int fd, const void *, size_t n, int passed, int flags);
static ssize_t keeper_receive(int fd, void *, size_t n, int *passed, int flags);

int
keeper_start(const char *broker, void (*closes)(void *), void *arg)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_warn("keeper");
		return (-1);
	}
	if ((pid = fork()) == 0) {
		close(pair[0]);
		closes(arg);
		keeper_run(pair[1], broker);
	}
	close(pair[1]);
	if (pid != -1)
		return (pair[0]);
	log_warn("keeper");
	close(pair[0]);
	return (-1);
}

int
keeper_line(int *worker)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return (-1);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	*worker = pair[0];
	return (pair[1]);
}

void
keeper_tell(int keeper, pid_t pid, int line)
{
	const struct keeper_word w = { (int32_t)pid, line != -1 };

	while (
	    keeper_send(keeper, &w, sizeof(w), line, 0) == -1 && errno == EINTR)
		continue;
}

int
keeper_take(int line)
{
	char octet;
	int fd = -1;
	ssize_t n;

	while ((n = keeper_receive(line, &octet, 1, &fd, MSG_DONTWAIT)) == -1 &&
	    errno == EINTR)
		continue;
	if (n == 1 &&
	    fd == -1) /* it came without: the next one may do better */
		errno = EAGAIN;
	else if (n == 0)
		errno = ECONNRESET;
	return (fd);
}

static void
keeper_run(int fd, const char *broker)
{
	static const int quiet[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };
	struct keeper k = { .fd = fd, .broker = broker, .link = { .fd = -1 } };
	struct pollfd p[2];
	size_t i;

	for (i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
		signal(quiet[i], SIG_IGN); /* the listener's end is ours */
	keeper_call(&k);
	for (;;) {
		p[0] = (struct pollfd){ .fd = k.fd, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = k.link.fd, .events = POLLIN };
		if (poll(p, 2, keeper_wait_ms(&k)) == -1 && errno != EINTR)
			_exit(EX_OSERR);
		while (keeper_told(&k))
			continue;
		if (k.link.fd == -1)
			keeper_call(&k);
		else if (p[1].revents != 0)
			keeper_listen(&k);
		keeper_pay(&k);
	}
}

static int
keeper_wait_ms(const struct keeper *k)
{
	return (k->link.fd == -1      ? KEEPER_RETRY_MS
		: k->up && k->due > 0 ? KEEPER_AGAIN_MS
				      : -1);
}

/* 1: there may be more. */
static int
keeper_told(struct keeper *k)
{
	struct keeper_word w;
	int line = -1;
	ssize_t n;

	n = keeper_receive(k->fd, &w, sizeof(w), &line, MSG_DONTWAIT);
	if (n == -1)
		return (errno == EINTR);
	if (n != sizeof(w))
		_exit(0); /* the listener has ended */
	if (w.come && line != -1)
		keeper_add(k, w.pid, line);
	else if (!w.come)
		keeper_forget(k, w.pid);
	return (1);
}

static void
keeper_add(struct keeper *k, pid_t pid, int line)
{
	struct keeper_worker *w = calloc(1, sizeof(*w)), **at;

	if (w == NULL) {
		close(line);
		return;
	}
	at = &k->worker[(unsigned)pid % KEEPER_BUCKETS];
	*w = (struct keeper_worker){ pid, line, 0, *at };
	*at = w;
}

static void
keeper_forget(struct keeper *k, pid_t pid)
{
	struct keeper_worker **at = keeper_at(k, pid), *w = *at;

	if (w == NULL)
		return;
	*at = w->next;
	k->due -= (size_t)w->due;
	close(w->line);
	free(w);
}

/* A broker that is starting takes the call and answers when it is ready. */
static void
keeper_call(struct keeper *k)
{
	struct msg hello = MSG(HELLO);
	int fd;

	k->up = 0;
	if ((fd = chan_connect(k->broker)) == -1)
		return;
	chan_init(&k->link, fd, IPC_FROM_BROKER, 0);
	hello.f[hello_version].u = IPC_VERSION;
	hello.f[hello_peer].b = BYTES_LIT("keeper");
	hello.f[hello_kind].u = HELLO_LISTENER;
	if (chan_send(&k->link, &hello) == -1 || chan_flush(&k->link) != 0)
		chan_close(&k->link);
	else
		keeper_owe(k);
}

/*
 * Whoever comes from now on calls the same broker or a later one; those before
 * may have had another.  One that has it already does not need the connection.
 */
static void
keeper_owe(struct keeper *k)
{
	struct keeper_worker *w;
	size_t i;

	for (k->due = i = 0; i < KEEPER_BUCKETS; i++)
		for (w = k->worker[i]; w != NULL; w = w->next, k->due++)
			w->due = 1;
}

static void
keeper_listen(struct keeper *k)
{
	struct msg m;
	int r = chan_read(&k->link), got;

	while ((got = chan_next(&k->link, &m)) == 1)
		if (m.type == IPC_WELCOME && !k->up)
			keeper_up(k);
		else if (m.type == IPC_WATCH &&
		    m.f[watch_level].u <= LOG_LEVEL_DEBUG)
			log_level_set((enum log_level)m.f[watch_level].u);
	if (r == -1 || got == -1)
		chan_close(&k->link);
}

static void
keeper_up(struct keeper *k)
{
	k->up = 1;
	if (k->due > 0)
		log_info("a broker is there, for %zu workers", k->due);
}

static void
keeper_pay(struct keeper *k)
{
	struct keeper_worker *w;
	size_t i;

	if (!k->up || k->due == 0)
		return;
	for (i = 0; i < KEEPER_BUCKETS; i++)
		for (w = k->worker[i]; w != NULL; w = w->next) {
			if (!w->due)
				continue;
			if (!keeper_give(k, w->line))
				return;
			w->due = 0;
			k->due--;
		}
}

/* 1: done, or there is nobody; 0: not now. */
static int
keeper_give(struct keeper *k, int line)
{
	int fd = chan_connect(k->broker), r;

	if (fd == -1)
		return (0);
	fcntl(fd, F_SETFL, O_NONBLOCK); /* a worker could not */
	r = keeper_send(line, "", 1, fd, MSG_DONTWAIT);
	close(fd);
	return (r == 0 ||
	    (errno != ETOOMANYREFS && errno != ENOBUFS && errno != ENOMEM));
}

/* Where it hangs, or where it would. */
static struct keeper_worker **
keeper_at(struct keeper *k, pid_t pid)
{
	struct keeper_worker **at = &k->worker[(unsigned)pid % KEEPER_BUCKETS];

	while (*at != NULL && (*at)->pid != pid)
		at = &(*at)->next;
	return (at);
}

static int
keeper_send(int fd, const void *p, size_t n, int passed, int flags)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	/* sendmsg only reads, but an iovec has no const. */
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (passed != -1) {
		mh.msg_control = &control;
		mh.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = (socklen_t)CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &passed, sizeof(passed));
	}
	return (sendmsg(fd, &mh, flags | MSG_NOSIGNAL) == -1 ? -1 : 0);
}

static ssize_t
keeper_receive(int fd, void *to, size_t n, int *passed, int flags)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { to, n };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *h;
	ssize_t got;

	got = recvmsg(fd, &mh, flags | MSG_CMSG_CLOEXEC);
	if (got > 0 && (h = CMSG_FIRSTHDR(&mh)) != NULL &&
	    h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(passed, CMSG_DATA(h), sizeof(*passed));
	return (got);
}
