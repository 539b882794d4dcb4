/*
 * A worker that was taken over tries what it can do with its descriptors: to
 * write the ring, to keep the bell from the others, to flood the broker with
 * descriptors of its own, and to go on reading when its time is over.
 */
#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/honest.h"

#define RING_HEADER_BYTES 4096 /* as in ring.c */
#define PASSED		  250
#define SILENT_KIB	  64

static void
must_fail(int failed, const char *what)
{
	if (!failed)
		fatalx(1, "%s worked", what);
}

static void
ring_try(int fd, size_t bytes)
{
	void *map;
	size_t all = RING_HEADER_BYTES + bytes;

	map = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must_fail(map == MAP_FAILED, "mmap for writing");
	must_fail(write(fd, "x", 1) == -1, "write");
	must_fail(pwrite(fd, "x", 1, 0) == -1, "pwrite");
	must_fail(ftruncate(fd, 0) == -1, "making it shorter");
	must_fail(ftruncate(fd, (off_t)all * 2) == -1, "making it longer");
#ifdef __linux__
	must_fail(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		      4096) == -1,
	    "punching a hole");
	must_fail(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1, "another seal");
#endif
	map = mmap(NULL, all, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fatal(1, "mmap");
	must_fail(mprotect(map, all, PROT_READ | PROT_WRITE) == -1, "mprotect");
#ifdef MADV_REMOVE
	must_fail(madvise(map, all, MADV_REMOVE) == -1, "madvise");
#endif
	munmap(map, all);
}

static void
the_ring_is_written(struct honest *h)
{
	char path[64];
	struct peer p;
	int again;

	peer_join(&p, &h->server, "honest", "admin");
	ring_try(p.ring.fd, p.ring.bytes);
	/* Where it may be opened once more, that is worth no more. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p.ring.fd);
	if ((again = open(path, O_RDWR | O_CLOEXEC)) != -1) {
		ring_try(again, p.ring.bytes);
		close(again);
	}
	honest_traffic(h);
	peer_close(&p);
}

/* Takes what the bell holds, as fast as it can, until it is killed. */
static void
bell_hush(int bell)
{
	char junk[256];

#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	for (;;) {
		while (read(bell, junk, sizeof(junk)) > 0)
			continue;
		shutdown(bell, SHUT_RDWR);
	}
}

/* Nobody's frames are late: the clients wait for every one. */
static void
the_bell_is_hushed(struct honest *h)
{
	struct peer p;
	pid_t pid;
	int i;

	peer_join(&p, &h->server, "honest", "read");
	if ((pid = fork()) == -1)
		fatal(1, "fork");
	if (pid == 0)
		bell_hush(p.bell);
	for (i = 0; i < 20; i++)
		honest_traffic(h);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	peer_close(&p);
}

static size_t
descriptors(pid_t pid)
{
	char path[64];
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	if ((d = opendir(path)) == NULL)
		return (0);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return (n);
}

static int
pass(int to, struct bytes b)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(PASSED * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)b.p,
		.iov_len = b.n };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	int i, fd = STDERR_FILENO;

	memset(&control, 0, sizeof(control));
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(PASSED * sizeof(int));
	for (i = 0; i < PASSED; i++)
		memcpy(CMSG_DATA(&control.align) + i * (int)sizeof(fd), &fd,
		    sizeof(fd));
	return (sendmsg(to, &mh, MSG_NOSIGNAL) == (ssize_t)b.n ? 0 : -1);
}

static void
the_broker_is_given_descriptors(struct honest *h)
{
	struct buf frame = BUF_INIT;
	struct msg sync = MSG(SYNC);
	struct peer p;
	size_t before;
	int i;

	peer_join(&p, &h->server, "honest", "read");
	ipc_pack(&frame, &sync);
	before = descriptors(h->server.broker);
	for (i = 0; i < 100; i++) {
		if (pass(p.chan.fd, buf_bytes(&frame)) == -1)
			fatal(1, "descriptors");
		if (peer_next(&p) == IPC_VERDICT)
			continue;
		/* The one that it may pass is no set of so many. */
		peer_close(&p);
		peer_join(&p, &h->server, "honest", "read");
	}
	honest_traffic(h);
	if (descriptors(h->server.broker) > before)
		fatalx(1, "the broker keeps what it is given");
	peer_close(&p);
	buf_free(&frame);
}

/* It stays connected, or hangs up: the ring that it mapped has nothing new. */
static void
the_dead_go_on_reading(struct honest *h)
{
	struct peer gone, stays;
	uint64_t end;

	peer_hello(&gone, &h->server);
	peer_hello(&stays, &h->server);
	if (peer_login(&gone, &h->server, "honest", "read", 2) != IPC_GRANT ||
	    peer_login(&stays, &h->server, "honest", "read", 2) != IPC_GRANT ||
	    peer_open(&gone, "honest", BYTES_NONE) != CODE_OK ||
	    peer_open(&stays, "honest", BYTES_NONE) != CODE_OK)
		fatalx(1, "join");
	chan_close(&gone.chan);
	peer_want(&stays, IPC_KICK);
	if (stays.m.f[kick_code].u != CODE_EXPIRED)
		fatalx(1, "kicked, but not because its time is over");
	end = ring_tail(&gone.ring);
	honest_traffic(h);
	if (ring_tail(&gone.ring) != end || ring_tail(&stays.ring) != end)
		fatalx(1, "who has no grant any more still reads");
	if (peer_next(&stays) != 0)
		fatalx(1, "%s for the dead", ipc_name(stays.m.type));
	peer_close(&gone);
	peer_close(&stays);
}

/* The grant that it takes as it leaves is for another document. */
static void
who_left_goes_on_reading(struct honest *h)
{
	struct msg close = MSG(CLOSE);
	struct peer gone, clock;
	uint64_t end;

	peer_hello(&gone, &h->server);
	peer_hello(&clock, &h->server);
	if (peer_login(&gone, &h->server, "honest", "read", 2) != IPC_GRANT ||
	    peer_open(&gone, "honest", BYTES_NONE) != CODE_OK)
		fatalx(1, "join");
	/* With the next one in one write. */
	if (chan_send(&gone.chan, &close) == -1 ||
	    peer_login(&gone, &h->server, "mine", "read", 600) != IPC_GRANT)
		fatalx(1, "leave");
	if (peer_login(&clock, &h->server, "mine", "read", 2) != IPC_GRANT ||
	    peer_open(&clock, "mine", BYTES_NONE) != CODE_OK)
		fatalx(1, "clock");
	peer_kicked(&clock, CODE_EXPIRED);
	end = ring_tail(&gone.ring);
	honest_traffic(h);
	if (ring_tail(&gone.ring) != end)
		fatalx(1, "a grant for another document is good here");
	peer_close(&gone);
}

/* The broker's part of shared memory, in KiB. */
static long
shared_kib(pid_t pid)
{
	char path[64], line[128];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "RssShmem: %ld", &kib) == 1)
			break;
	fclose(f);
	return (kib);
}

/* A silent document's ring is given back, and its readers miss nothing. */
static void
nothing_is_said(struct honest *h)
{
	struct peer p;
	uint64_t end;
	int i;

	peer_join(&p, &h->server, "honest", "read");
	for (i = 0; i < 20; i++)
		honest_traffic(h);
	if (shared_kib(h->server.broker) <= SILENT_KIB)
		fatalx(1, "this measures nothing");
	peer_want(&p, IPC_RING);
	end = ring_tail(&p.ring);
	if (p.m.f[ring_position].u != end)
		fatalx(1, "the new ring begins elsewhere");
	/* On a busy machine the traffic itself may have paused for as long. */
	while (shared_kib(h->server.broker) > SILENT_KIB) {
		close(chan_take_fd(&p.chan));
		close(chan_take_fd(&p.chan));
		peer_want(&p, IPC_RING);
	}
	honest_traffic(h);
	if (ring_tail(&p.ring) != end)
		fatalx(1, "the old ring is still written");
	peer_close(&p);
}

int
main(void)
{
	static const char *const settings[] = { "sds_enforce_exp yes",
		"ring_idle_ms 1s", NULL };
	/* The first before so much was said that its silence is noticed. */
	static const struct attack attacks[] = {
		{ "who has no grant any more sees nothing new",
		    the_dead_go_on_reading },
		{ "who left for another document sees nothing new",
		    who_left_goes_on_reading },
		{ "the ring is the broker's to write", the_ring_is_written },
		{ "no worker keeps the bell from another", the_bell_is_hushed },
		{ "descriptors are not taken by the broker",
		    the_broker_is_given_descriptors },
		{ "a silent document gives its memory back", nothing_is_said },
	};

	log_init("hostile_ring", LOG_TO_STDERR, LOG_LEVEL_INFO);
	honest_run(attacks, sizeof(attacks) / sizeof(attacks[0]), settings);
	return (0);
}
