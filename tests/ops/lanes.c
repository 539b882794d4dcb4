/*
 * lanes [STEPS [SEED]]: both lanes to a client mixed at random.  Readers fall
 * asleep and wake, answers to pings come in between, messages are small, large
 * and too large for the ring, workers are killed and at last the fan-out
 * process itself; and every connection sees every patch once and in order.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/client.h"

#define LANES_READERS	  12
#define LANES_BURST	  12 /* patches at once */
#define LANES_HUGE_BYTES  300000u
#define LANES_LARGE_BYTES 20000u
#define LANES_SMALL_BYTES 2000u
#define LANES_RECEIVE	  65536 /* of a socket's buffer */

struct reader {
	struct ctl_ws ws;
	uint32_t seen;
	uint32_t pings; /* sent, not yet answered */
	int asleep;
};

struct lanes {
	struct server server;
	struct ctl_ws writer;
	struct reader readers[LANES_READERS];
	uint32_t written;
	uint32_t reconnects;
	uint64_t most; /* lanes seen at once */
};

static void lanes_step(struct lanes *);
static void lanes_write(struct lanes *);
static void lanes_connect(struct lanes *, struct reader *);
static void lanes_read(struct lanes *, struct reader *, int time_ms);
static int lanes_read_one(struct lanes *, struct reader *, int time_ms);
static void lanes_ping(struct reader *);
static void lanes_kill_child(pid_t parent);
static void lanes_count(struct lanes *);
static void lanes_finish(struct lanes *);
static uint32_t lanes_random(uint32_t below);

int
main(int argc, char **argv)
{
	static struct lanes l;
	int i, steps = argc > 1 ? atoi(argv[1]) : 300;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)getpid();

	log_init("lanes", LOG_TO_STDERR, LOG_LEVEL_INFO);
	printf("seed %u\n", seed);
	fflush(stdout);
	srandom(seed);
	server_make(&l.server);
	server_setting(&l.server, "log_level error");
	server_setting(&l.server, "ring_bytes 1M");
	server_setting(&l.server, "write_ms 1h");
	server_start(&l.server, SERVER_ALL);
	client_connect(&l.writer, &l.server, "demo", "write");
	for (i = 0; i < LANES_READERS; i++)
		lanes_connect(&l, &l.readers[i]);
	for (i = 0; i < steps; i++)
		lanes_step(&l);
	lanes_count(&l);
	lanes_kill_child(l.server.broker);
	for (i = 0; i < steps / 3; i++)
		lanes_step(&l);
	lanes_finish(&l);
	printf("%u patches, %u reconnects, %llu lanes at once\n", l.written,
	    l.reconnects, (unsigned long long)l.most);
	if (l.most == 0)
		fatalx(1, "nobody ever had a lane");
	return (0);
}

static void
lanes_step(struct lanes *l)
{
	struct reader *r = &l->readers[lanes_random(LANES_READERS)];
	int i;

	switch (lanes_random(12)) {
	case 0:
		r->asleep = !r->asleep;
		break;
	case 1:
		if (lanes_random(8) == 0)
			lanes_kill_child(l->server.listener);
		break;
	case 2:
		lanes_count(l);
		break;
	case 3:
	case 4:
	case 5:
		lanes_ping(r);
		break;
	default:
		lanes_write(l);
	}
	for (i = 0; i < LANES_READERS; i++)
		if (!l->readers[i].asleep)
			lanes_read(l, &l->readers[i], 0);
}

/* A writer that was killed comes back; what it sent last may be there or not.
 */
static void
lanes_write(struct lanes *l)
{
	static const uint32_t sizes[] = { 200, LANES_SMALL_BYTES,
		LANES_SMALL_BYTES, LANES_LARGE_BYTES };
	uint32_t size;
	uint32_t n = 1 + lanes_random(LANES_BURST);
	struct buf patch = BUF_INIT;

	while (n-- > 0) {
		size = lanes_random(100) == 0 ? LANES_HUGE_BYTES
					      : sizes[lanes_random(4)];
		patch_make(&patch, 1, ++l->written,
		    PATCH_MIN + lanes_random(size));
		client_send(&l->writer, buf_bytes(&patch));
	}
	buf_free(&patch);
}

/* From the first patch on: the whole history is replayed. */
static void
lanes_connect(struct lanes *l, struct reader *r)
{
	const int small = LANES_RECEIVE;

	client_connect(&r->ws, &l->server, "demo", "read");
	setsockopt(r->ws.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	r->seen = r->pings = 0;
}

static void
lanes_read(struct lanes *l, struct reader *r, int time_ms)
{
	while (lanes_read_one(l, r, time_ms))
		continue;
}

/* 1: something came. */
static int
lanes_read_one(struct lanes *l, struct reader *r, int time_ms)
{
	struct ctl_ws_message m;
	uint32_t writer, number;
	int got = ctl_ws_next(&r->ws, &m, time_ms);

	if (got == 0)
		return (0);
	if (got == -1 || m.opcode == WS_CLOSE) {
		ctl_ws_close(&r->ws);
		lanes_connect(l, r);
		l->reconnects++;
		return (1);
	}
	if (m.opcode == WS_PONG && r->pings-- > 0)
		return (1);
	if (m.opcode != WS_BINARY || patch_read(m.data, &writer, &number) == -1)
		fatalx(1, "what came is no patch");
	if (number != ++r->seen)
		fatalx(1, "patch %u where %u should be", number, r->seen);
	return (1);
}

static void
lanes_ping(struct reader *r)
{
	if (r->asleep || r->ws.fd == -1)
		return;
	if (ctl_ws_send(&r->ws, WS_PING, BYTES_LIT("?"), 0) == 1)
		r->pings++;
}

/* SIGKILL to one child by chance; the keeper and the writer's worker, which are
 * the first, are spared. */
static void
lanes_kill_child(pid_t parent)
{
	char path[64], pids[16384];
	char *p = pids, *end;
	long pid[1024];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children",
	    (long)parent, (long)parent);
	if ((f = fopen(path, "r")) == NULL || fgets(pids, sizeof(pids), f) == 0)
		fatal(1, "%s", path);
	fclose(f);
	while (n < 1024 && (pid[n] = strtol(p, &end, 10)) > 0) {
		p = end;
		n++;
	}
	if (n == 1)
		kill((pid_t)pid[0], SIGKILL);
	else if (n > 2)
		kill((pid_t)pid[2 + lanes_random((uint32_t)n - 2)], SIGKILL);
}

static void
lanes_count(struct lanes *l)
{
	char command[512], line[256];
	unsigned long long n;
	FILE *f;

	snprintf(command, sizeof(command), "%s/quirectl -f %s/conf status",
	    getenv("QUIRE_B") == NULL ? ".build" : getenv("QUIRE_B"),
	    l->server.dir);
	if ((f = popen(command, "r")) == NULL)
		fatal(1, "quirectl");
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "lanes %llu", &n) == 1 && n > l->most)
			l->most = n;
	if (pclose(f) != 0)
		fatalx(1, "quirectl status failed");
}

static void
lanes_finish(struct lanes *l)
{
	struct reader *r;
	int i;

	for (i = 0; i < LANES_READERS; i++) {
		r = &l->readers[i];
		while (r->seen < l->written)
			if (!lanes_read_one(l, r, CLIENT_MS))
				fatalx(1, "patch %u of %u never came",
				    r->seen + 1, l->written);
		ctl_ws_close(&r->ws);
	}
	ctl_ws_close(&l->writer);
	server_stop(&l->server, SERVER_ALL, 0);
	server_remove(&l->server);
}

static uint32_t
lanes_random(uint32_t below)
{
	return ((uint32_t)random() % below);
}
