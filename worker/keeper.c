/*
 * One loop over two descriptors: what the listener tells, and a session of its
 * own with the broker, which ends when the broker does.  Links are passed on
 * and never read; what a worker has said to a broker that never came to read it
 * is there for the next.
 */
#include <sys/types.h>
#include <sys/queue.h>
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
#include "common/child.h"
#include "common/limits.h"
#include "common/log.h"
#include "worker/keeper.h"

#define KEEPER_RETRY_MS 100 /* between looks for the next broker */
#define KEEPER_AGAIN_MS 10  /* where no descriptor can be passed now */
#define KEEPER_TRIES	500 /* to tell a worker that reads nothing */
#define KEEPER_SPARE	8   /* descriptors for what is passed on */
#define KEEPER_BUCKETS	4096

struct keeper_word {
	int32_t pid;
	int32_t come; /* 1: alone, with a link; 0: it has ended */
};

struct keeper_worker {
	pid_t pid;
	int link; /* the broker's end */
	int tries;
	struct keeper_worker *next; /* in its bucket */
	struct keeper_list *list;
	TAILQ_ENTRY(keeper_worker) entry;
};
TAILQ_HEAD(keeper_list, keeper_worker);

struct keeper {
	int fd; /* the listener */
	const char *broker;
	struct chan chan; /* closed: the broker has gone */
	int up;		  /* it has said WELCOME */
	int again;	  /* something could not be passed */
	long links_max;
	struct keeper_list due; /* for the broker that is there, or the next */
	struct keeper_list given; /* it has these */
	struct keeper_list left;  /* had by one that has gone */
	struct keeper_worker *worker[KEEPER_BUCKETS];
};

static void keeper_run(int fd, const char *broker) __attribute__((noreturn));
static void keeper_say(int *, const struct keeper_word *, size_t, int link);
static int keeper_wait_ms(const struct keeper *);
static int keeper_told(struct keeper *);
static void keeper_add(struct keeper *, pid_t, int link);
static void keeper_forget(struct keeper *, pid_t);
static void keeper_move(struct keeper_worker *, struct keeper_list *);
static void keeper_call(struct keeper *);
static void keeper_listen(struct keeper *);
static void keeper_lost(struct keeper *);
static void keeper_pass(struct keeper *);
static int keeper_give(struct keeper *, struct keeper_worker *);
static int keeper_turn(struct keeper *, struct keeper_worker *);
static struct keeper_worker **keeper_at(struct keeper *, pid_t);
static int keeper_send(int fd, const void *, size_t n, int passed, int flags);
static ssize_t keeper_receive(int fd, void *, size_t n, int *passed, int flags);

int
keeper_start(const char *broker, void (*closes)(void *), void *arg)
{
	pid_t pid;
	int fd, r;

	if ((r = child_start(&pid, &fd)) == 1) {
		closes(arg);
		keeper_run(fd, broker);
	}
	if (r == 0)
		return (fd);
	log_warn("keeper");
	return (-1);
}

int
keeper_link(int *worker)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		pair) == -1)
		return (-1);
	*worker = pair[0];
	return (pair[1]);
}

void
keeper_tell(int *keeper, pid_t pid, int link)
{
	const struct keeper_word w = { (int32_t)pid, 1 };

	keeper_say(keeper, &w, sizeof(w), link);
}

void
keeper_ended(int *keeper, const pid_t *pid, size_t n)
{
	struct keeper_word w[KEEPER_ENDED_MAX];
	size_t i;

	if (*keeper == -1 || n == 0)
		return;
	for (i = 0; i < n; i++)
		w[i] = (struct keeper_word){ (int32_t)pid[i], 0 };
	keeper_say(keeper, w, n * sizeof(w[0]), -1);
}

static void
keeper_say(int *keeper, const struct keeper_word *w, size_t size, int link)
{
	int r;

	while ((r = keeper_send(*keeper, w, size, link, 0)) == -1 &&
	    errno == EINTR)
		continue;
	if (r == 0)
		return;
	log_warn("keeper");
	if (errno != EPIPE && errno != ECONNRESET)
		return;
	close(*keeper);
	*keeper = -1;
}

static void
keeper_run(int fd, const char *broker)
{
	struct keeper k = { .fd = fd, .broker = broker, .chan = { .fd = -1 } };
	struct pollfd p[2];

	signal(SIGPIPE, SIG_IGN);
	k.links_max = sysconf(_SC_OPEN_MAX) - KEEPER_SPARE;
	TAILQ_INIT(&k.due);
	TAILQ_INIT(&k.given);
	TAILQ_INIT(&k.left);
	keeper_call(&k);
	for (;;) {
		p[0] = (struct pollfd){ .fd = k.fd, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = k.chan.fd, .events = POLLIN };
		if (poll(p, 2, keeper_wait_ms(&k)) == -1 && errno != EINTR)
			_exit(EX_OSERR);
		while (keeper_told(&k))
			continue;
		if (k.chan.fd == -1)
			keeper_call(&k);
		else if (p[1].revents != 0)
			keeper_listen(&k);
		keeper_pass(&k);
	}
}

static int
keeper_wait_ms(const struct keeper *k)
{
	return (k->again	   ? KEEPER_AGAIN_MS
		: k->chan.fd == -1 ? KEEPER_RETRY_MS
				   : -1);
}

/* 1: there may be more. */
static int
keeper_told(struct keeper *k)
{
	struct keeper_word w[KEEPER_ENDED_MAX];
	size_t i, n;
	int link = -1;
	ssize_t got;

	got = keeper_receive(k->fd, w, sizeof(w), &link, MSG_DONTWAIT);
	if (got == -1)
		return (errno == EINTR);
	n = (size_t)got / sizeof(w[0]);
	if (n == 0)
		_exit(0); /* the listener has ended */
	if (w[0].come && link != -1)
		keeper_add(k, w[0].pid, link);
	for (i = 0; i < n && !w[0].come; i++)
		keeper_forget(k, w[i].pid);
	return (1);
}

static void
keeper_add(struct keeper *k, pid_t pid, int link)
{
	struct keeper_worker *w, **at;

	if (link >= k->links_max || (w = calloc(1, sizeof(*w))) == NULL) {
		close(link);
		return;
	}
	at = &k->worker[(unsigned)pid % KEEPER_BUCKETS];
	w->pid = pid;
	w->link = link;
	w->next = *at;
	*at = w;
	w->list = &k->due;
	TAILQ_INSERT_TAIL(w->list, w, entry);
}

static void
keeper_forget(struct keeper *k, pid_t pid)
{
	struct keeper_worker **at = keeper_at(k, pid), *w = *at;

	if (w == NULL)
		return;
	*at = w->next;
	TAILQ_REMOVE(w->list, w, entry);
	close(w->link);
	free(w);
}

static void
keeper_move(struct keeper_worker *w, struct keeper_list *to)
{
	TAILQ_REMOVE(w->list, w, entry);
	w->list = to;
	TAILQ_INSERT_TAIL(to, w, entry);
}

/* A broker that is starting takes the call and answers when it is ready. */
static void
keeper_call(struct keeper *k)
{
	struct msg hello = MSG(HELLO);
	int fd;

	if ((fd = chan_connect(k->broker)) == -1)
		return;
	chan_init(&k->chan, fd, IPC_FROM_BROKER, 0);
	hello.f[hello_version].u = IPC_VERSION;
	hello.f[hello_peer].b = BYTES_LIT("keeper");
	hello.f[hello_kind].u = HELLO_LISTENER;
	if (chan_send(&k->chan, &hello) == -1 || chan_flush(&k->chan) != 0)
		keeper_lost(k);
}

static void
keeper_listen(struct keeper *k)
{
	struct msg m;
	int r = chan_read(&k->chan), got;

	while ((got = chan_next(&k->chan, &m)) == 1)
		if (m.type == IPC_WELCOME)
			k->up = 1;
		else if (m.type == IPC_WATCH &&
		    m.f[watch_level].u <= LOG_LEVEL_DEBUG)
			log_level_set((enum log_level)m.f[watch_level].u);
	if (r == -1 || got == -1)
		keeper_lost(k);
}

static void
keeper_lost(struct keeper *k)
{
	struct keeper_worker *w;

	chan_close(&k->chan);
	k->up = 0;
	while ((w = TAILQ_FIRST(&k->given)) != NULL)
		keeper_move(w, &k->left);
}

static void
keeper_pass(struct keeper *k)
{
	struct keeper_worker *w;
	int turns = 1, gives = 1;

	while (turns && (w = TAILQ_FIRST(&k->left)) != NULL)
		turns = keeper_turn(k, w);
	while (gives && k->up && (w = TAILQ_FIRST(&k->due)) != NULL)
		gives = keeper_give(k, w);
	k->again = !turns || !gives;
}

/* 1: done; 0: not now. */
static int
keeper_give(struct keeper *k, struct keeper_worker *w)
{
	const struct msg m = MSG(LINK);

	if (chan_try_fds(&k->chan, &m, &w->link, 1) == -1)
		return (0);
	keeper_move(w, &k->given);
	return (1);
}

/*
 * Its link ends, and the last that comes through is another.  1: done; 0: not
 * now, and the others go first: it may have stopped to read.
 */
static int
keeper_turn(struct keeper *k, struct keeper_worker *w)
{
	int brokers, workers, r;

	if ((brokers = keeper_link(&workers)) == -1)
		return (0);
	r = keeper_send(w->link, "", 1, workers, MSG_DONTWAIT);
	if (r == -1 && errno != EPIPE && errno != ECONNRESET &&
	    w->tries++ < KEEPER_TRIES) {
		close(workers);
		close(brokers);
		keeper_move(w, &k->left);
		return (0);
	}
	close(workers);
	close(w->link);
	w->link = brokers;
	w->tries = 0;
	keeper_move(w, &k->due);
	return (1);
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
