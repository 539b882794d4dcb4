/*
 * load: the load generator and its measurements, against a running relay
 * (tests/bench/relay.sh starts one).  One process, epoll, C; every delivery is
 * counted by a number in its payload.
 *
 *	load fanout RECEIVERS FLIGHT MESSAGES BYTES
 *	load commit WRITERS MESSAGES
 *	load spawn CONNECTIONS
 *	load idle CONNECTIONS
 *	load greeted CONNECTIONS	(idle, where all are sent a word)
 *
 * Prints name=value pairs on one line.  CPU is user and system time of the
 * process trees named in QUIRE_BROKER and QUIRE_LISTENER, the generator's own
 *apart.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"

#define WAIT_MS 60000

struct client {
	int fd;
	struct buf in;
	uint64_t got;
	int upgraded;
};

static int ep;
static const char *host, *port, *target;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((double)t.tv_sec + (double)t.tv_nsec / 1e9);
}

static const char *
need(const char *name)
{
	const char *v = getenv(name);

	if (v == NULL)
		errx(2, "%s is not set: run tests/bench/relay.sh", name);
	return (v);
}

/* CPU seconds of all living threads of one process, to the nanosecond. */
static double
cpu_of(long pid)
{
	char path[300];
	double sum = 0;
	unsigned long long ns;
	struct dirent *e;
	FILE *f;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	if ((d = opendir(path)) == NULL)
		return (0);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%ld/task/%.20s/schedstat",
		    pid, e->d_name);
		if ((f = fopen(path, "r")) == NULL)
			continue;
		if (fscanf(f, "%llu", &ns) == 1)
			sum += (double)ns / 1e9;
		fclose(f);
	}
	closedir(d);
	return (sum);
}

/* The same of pid and its living children together. */
static double
tree_sum(long pid, double (*of)(long))
{
	char path[64];
	double sum = of(pid);
	FILE *f;
	long child;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	if ((f = fopen(path, "r")) == NULL)
		return (sum);
	while (fscanf(f, "%ld", &child) == 1)
		sum += of(child);
	fclose(f);
	return (sum);
}

/* Private and proportional memory and page tables of a process, in KiB. */
static double
memory_of(long pid)
{
	char path[64], line[256];
	double pss = 0, pte = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", pid);
	if ((f = fopen(path, "r")) != NULL) {
		while (fgets(line, sizeof(line), f) != NULL)
			if (strncmp(line, "Pss:", 4) == 0)
				pss = strtod(line + 4, NULL);
		fclose(f);
	}
	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	if ((f = fopen(path, "r")) != NULL) {
		while (fgets(line, sizeof(line), f) != NULL)
			if (strncmp(line, "VmPTE:", 6) == 0)
				pte = strtod(line + 6, NULL);
		fclose(f);
	}
	return (pss + pte);
}

/* Free memory, or less than none: what a control group has used. */
static double
system_free_kib(void)
{
	const char *group = getenv("QUIRE_MEMORY");
	char line[256];
	double v = 0;
	FILE *f = fopen(group != NULL ? group : "/proc/meminfo", "r");

	if (f != NULL && group != NULL) {
		if (fgets(line, sizeof(line), f) != NULL)
			v = -strtod(line, NULL) / 1024;
		fclose(f);
		return (v);
	}
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "MemAvailable:", 13) == 0)
			v = strtod(line + 13, NULL);
	if (f != NULL)
		fclose(f);
	return (v);
}

static void
client_open(struct client *c)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;
	struct buf head = BUF_INIT;

	memset(c, 0, sizeof(*c));
	sin.sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1 ||
	    (c->fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(c->fd, (const struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	buf_printf(&head,
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    target, host);
	if (write(c->fd, buf_bytes(&head).p, head.len) != (ssize_t)head.len)
		err(1, "write");
	buf_free(&head);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
}

/* Whole frames of a server; each is a delivery. */
static uint64_t
client_frames(struct client *c)
{
	uint64_t n = 0, len;
	size_t at;
	struct bytes b;

	for (;;) {
		b = buf_bytes(&c->in);
		if (b.n < 2)
			break;
		at = 2;
		len = b.p[1] & 0x7f;
		if (len == 126) {
			if (b.n < 4)
				break;
			len = (uint64_t)b.p[2] << 8 | b.p[3];
			at = 4;
		} else if (len == 127) {
			if (b.n < 10)
				break;
			len = be64_get(b.p + 2);
			at = 10;
		}
		if (b.n < at + len)
			break;
		if ((b.p[0] & 0x0f) == 8)
			errx(1, "the relay closed a connection");
		if ((b.p[0] & 0x0f) == 1 || (b.p[0] & 0x0f) == 2) {
			n++;
			c->got++;
		}
		buf_drop(&c->in, at + (size_t)len);
	}
	return (n);
}

/* Reads what is there.  Returns deliveries; *opened counts handshakes. */
static uint64_t
client_read(struct client *c, uint64_t *opened)
{
	struct bytes b;
	uint8_t *to, *end;
	ssize_t n;

	if ((to = buf_room(&c->in, 65536)) == NULL)
		err(1, "memory");
	n = read(c->fd, to, 65536);
	if (n == 0)
		errx(1, "the relay hung up");
	if (n == -1) {
		if (errno == EAGAIN)
			return (0);
		err(1, "read");
	}
	buf_grow(&c->in, (size_t)n);
	if (!c->upgraded) {
		b = buf_bytes(&c->in);
		if ((end = memmem(b.p, b.n, "\r\n\r\n", 4)) == NULL)
			return (0);
		if (memmem(b.p, b.n, " 101 ", 5) == NULL)
			errx(1, "refused: %.60s", (const char *)b.p);
		buf_drop(&c->in, (size_t)(end + 4 - b.p));
		c->upgraded = 1;
		(*opened)++;
	}
	return (client_frames(c));
}

/* Waits for events and reads; returns deliveries. */
static uint64_t
turn(uint64_t *opened)
{
	struct epoll_event ev[512];
	uint64_t got = 0;
	int i, n;

	if ((n = epoll_wait(ep, ev, 512, WAIT_MS)) == 0)
		errx(1, "nothing arrived for %d ms", WAIT_MS);
	for (i = 0; i < n; i++)
		got += client_read(ev[i].data.ptr, opened);
	return (got);
}

static void
client_patch(struct client *c, uint64_t number, size_t bytes)
{
	static uint8_t frame[1 << 17];
	static const uint8_t mask[4];
	size_t n = 0, len = bytes < 9 ? 9 : bytes;

	frame[n++] = 0x82;
	if (len < 126) {
		frame[n++] = (uint8_t)(0x80 | len);
	} else {
		frame[n++] = 0x80 | 126;
		frame[n++] = (uint8_t)(len >> 8);
		frame[n++] = (uint8_t)len;
	}
	memcpy(frame + n, mask, 4);
	n += 4;
	frame[n] = 1;
	be64_put(frame + n + 1, number);
	n += len;
	if (write(c->fd, frame, n) != (ssize_t)n)
		err(1, "send");
}

static struct client *
open_all(size_t n)
{
	struct client *c;
	uint64_t opened = 0;
	size_t i;

	if ((c = calloc(n, sizeof(*c))) == NULL)
		err(1, "memory");
	for (i = 0; i < n; i++) {
		client_open(&c[i]);
		while (opened + 64 < i)
			turn(&opened);
	}
	while (opened < n)
		turn(&opened);
	return (c);
}

/* A patch from the last of n clients reaches all others: all are live. */
static void
settle(struct client *c, size_t n)
{
	uint64_t opened = 0, got = 0;

	client_patch(&c[n - 1], 0, 16);
	while (got < n - 1)
		got += turn(&opened);
}

/* A server that says a word to each: all are live there, too. */
static void
settle_greeted(struct client *c, size_t n)
{
	uint64_t opened = 0;
	size_t i;

	for (i = 0; i < n; i++)
		while (c[i].got == 0)
			turn(&opened);
}

static void
fanout(size_t receivers, uint64_t flight, uint64_t messages, size_t bytes)
{
	long bp = atol(need("QUIRE_BROKER")), wp = atol(need("QUIRE_LISTENER"));
	struct client *c = open_all(receivers + 1);
	uint64_t sent = 0, got = 0, opened = 0, want = messages * receivers;
	double t, b, w, me;
	struct rusage ru;

	settle(c, receivers + 1);
	b = cpu_of(bp);
	w = tree_sum(wp, cpu_of);
	getrusage(RUSAGE_SELF, &ru);
	me = (double)ru.ru_utime.tv_sec + (double)ru.ru_stime.tv_sec +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	t = now();
	while (got < want) {
		while (sent < messages && (sent - got / receivers) < flight)
			client_patch(&c[receivers], ++sent, bytes);
		got += turn(&opened);
	}
	t = now() - t;
	b = cpu_of(bp) - b;
	w = tree_sum(wp, cpu_of) - w;
	getrusage(RUSAGE_SELF, &ru);
	me = (double)ru.ru_utime.tv_sec + (double)ru.ru_stime.tv_sec +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6 - me;
	printf("fanout receivers=%zu flight=%" PRIu64 " bytes=%zu "
	       "deliveries_per_s=%.0f broker_us=%.2f workers_us=%.2f "
	       "client_us=%.2f\n",
	    receivers, flight, bytes, (double)want / t, b * 1e6 / (double)want,
	    w * 1e6 / (double)want, me * 1e6 / (double)want);
}

/* fdatasync of one 100-octet append, on the disk of the relay's data. */
static double
raw_sync_rate(void)
{
	char path[512], data[100] = { 0 };
	double t;
	int fd, i;

	snprintf(path, sizeof(path), "%s/sync-probe", need("QUIRE_DIR"));
	if ((fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600)) == -1)
		err(1, "%s", path);
	t = now();
	for (i = 0; i < 2000; i++)
		if (write(fd, data, sizeof(data)) != sizeof(data) ||
		    fdatasync(fd) == -1)
			err(1, "sync");
	t = now() - t;
	close(fd);
	unlink(path);
	return (2000 / t);
}

/*
 * Each writer sends its next patch when the witness has seen its last: a patch
 * is relayed only after its commit.
 */
static void
commit(size_t writers, uint64_t messages)
{
	struct client *c = open_all(writers + 1);
	uint64_t opened = 0, seen = 0, sent = 0;
	double t, rate, raw = raw_sync_rate();
	size_t i;

	settle(c, writers + 1);
	/* The witness is the first client; the others also hear each other. */
	seen = c[0].got;
	t = now();
	for (i = 1; i <= writers; i++, sent++)
		client_patch(&c[i], sent, 100);
	while (c[0].got - seen < messages) {
		turn(&opened);
		for (; sent < messages && sent - (c[0].got - seen) < writers;
		     sent++)
			client_patch(&c[1 + sent % writers], sent, 100);
	}
	rate = (double)messages / (now() - t);
	printf("commit writers=%zu commits_per_s=%.0f raw_fdatasync_per_s=%.0f "
	       "ratio=%.2f\n",
	    writers, rate, raw, rate / raw);
}

static void
spawn(size_t n)
{
	double t = now();
	struct client *c;
	size_t i;

	for (i = 0; i < n; i += 64) {
		size_t k = n - i < 64 ? n - i : 64, j;

		c = open_all(k);
		for (j = 0; j < k; j++)
			close(c[j].fd);
		free(c);
	}
	t = now() - t;
	printf("spawn connections=%zu per_s=%.0f\n", n, (double)n / t);
}

static void
idle(size_t n, void (*all_live)(struct client *, size_t))
{
	long wp = atol(need("QUIRE_LISTENER")), bp = atol(need("QUIRE_BROKER"));
	double free_before = system_free_kib(), m = tree_sum(wp, memory_of),
	       b = memory_of(bp);
	struct client *c = open_all(n);

	all_live(c, n);
	printf("idle connections=%zu worker_kib=%.1f broker_kib=%.1f "
	       "system_kib=%.1f\n",
	    n, (tree_sum(wp, memory_of) - m) / (double)n,
	    (memory_of(bp) - b) / (double)n,
	    (free_before - system_free_kib()) / (double)n);
	free(c);
}

int
main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	size_t a[4] = { 0 };
	int i;

	setrlimit(RLIMIT_NOFILE, &files);
	if (argc < 3)
		errx(2,
		    "usage: load fanout|commit|spawn|idle|greeted NUMBER ...");
	host = "127.0.0.1";
	port = need("QUIRE_PORT");
	target = need("QUIRE_TARGET");
	if ((ep = epoll_create1(0)) == -1)
		err(1, "epoll");
	for (i = 2; i < argc && i < 6; i++)
		a[i - 2] = strtoul(argv[i], NULL, 10);
	if (strcmp(argv[1], "fanout") == 0 && argc == 6)
		fanout(a[0], a[1], a[2], a[3]);
	else if (strcmp(argv[1], "commit") == 0 && argc == 4)
		commit(a[0], a[1]);
	else if (strcmp(argv[1], "spawn") == 0)
		spawn(a[0]);
	else if (strcmp(argv[1], "idle") == 0)
		idle(a[0], settle);
	else if (strcmp(argv[1], "greeted") == 0)
		idle(a[0], settle_greeted);
	else
		errx(2, "unknown measurement");
	return (0);
}
