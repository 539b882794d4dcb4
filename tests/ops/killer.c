/*
 * killer ROUNDS [SEED [DISK]]: kills the relay again and again, and counts what
 * is left.
 *
 * In each round new writers send numbered patches while a watcher looks on;
 * then broker, workers or both are killed with SIGKILL and started again, and a
 * late joiner reads everything.  For each writer the patches must be numbered
 * 1, 2, 3 ... without a gap and without one twice, up to at least what the
 * watcher had seen and at most what was sent.
 *
 * With DISK, tests/preload/disk.so, each kill of the broker is a power cut as
 * well, and compactions, backups and checkpoints are under way.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/client.h"
#include "tests/lib/forget.h"

#define KILLER_WRITERS	  4
#define KILLER_ROUNDS_MAX 1000
#define KILLER_IDS	  (KILLER_ROUNDS_MAX * KILLER_WRITERS)
#define KILLER_MARK	  KILLER_IDS /* numbers the rounds themselves */
#define KILLER_STEPS_MAX  60
#define KILLER_BURST_MAX  8
#define KILLER_STORE	  "demo"

struct killer {
	struct server server;
	unsigned int round;
	struct ctl_ws watcher;
	struct ctl_ws writers[KILLER_WRITERS];
	uint32_t sent[KILLER_IDS + 1];
	uint32_t seen[KILLER_IDS + 1];	 /* by the watcher, before a kill */
	uint32_t stored[KILLER_IDS + 1]; /* as the late joiner finds them */
	unsigned long total;
	const char *disk;
	char journal[512];
	char preload[2][600];
	unsigned long lost; /* octets, to power cuts */
};

static void killer_round(struct killer *);
static void killer_read_all(struct killer *);
static void killer_mark(const struct killer *, struct ctl_ws *);
static void killer_check(struct killer *);
static void killer_write(struct killer *);
static int killer_take(struct killer *, int);
static void killer_take_rest(struct killer *);
static void killer_kill(struct killer *);
static void killer_disk(struct killer *, const char *);
static pid_t killer_work(const struct killer *);
static void killer_pause(void);
static size_t killer_size(void);
static uint32_t killer_random(uint32_t);

int
main(int argc, char **argv)
{
	static struct killer killer;
	unsigned int rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 20;
	unsigned int seed =
	    argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)time(NULL);

	log_init("killer", LOG_TO_STDERR, LOG_LEVEL_INFO);
	if (rounds == 0 || rounds >= KILLER_ROUNDS_MAX)
		return (64);
	printf("seed %u\n", seed);
	fflush(stdout);
	srandom(seed);
	server_make(&killer.server);
	server_setting(&killer.server, "log_level warn");
	if (argc > 3)
		killer_disk(&killer, argv[3]);
	server_start(&killer.server, SERVER_ALL);
	for (; killer.round < rounds; killer.round++)
		killer_round(&killer);
	killer_read_all(&killer);
	ctl_ws_close(&killer.watcher);
	/* And once more after an end in peace. */
	killer.round++;
	server_stop(&killer.server, SERVER_ALL, 0);
	server_start(&killer.server, SERVER_ALL);
	killer_read_all(&killer);
	ctl_ws_close(&killer.watcher);
	server_stop(&killer.server, SERVER_ALL, 0);
	server_remove(&killer.server);
	printf("%u kills, %lu patches seen before one, none lost\n", rounds,
	    killer.total);
	if (killer.disk != NULL)
		printf("%lu octets lost to power cuts\n", killer.lost);
	if (killer.total < rounds || (killer.disk != NULL && killer.lost == 0))
		fatalx(1, "hardly anything was seen: this proves nothing");
	return (0);
}

static void
killer_round(struct killer *k)
{
	int i;

	killer_read_all(k);
	for (i = 0; i < KILLER_WRITERS; i++)
		client_connect(&k->writers[i], &k->server, KILLER_STORE,
		    "write");
	killer_write(k);
	killer_kill(k);
	for (i = 0; i < KILLER_WRITERS; i++)
		ctl_ws_close(&k->writers[i]);
	ctl_ws_close(&k->watcher);
	server_start(&k->server, SERVER_ALL);
}

/* The late joiner, who is level when the round's mark arrives and then is the
 * watcher. */
static void
killer_read_all(struct killer *k)
{
	struct ctl_ws_message m;
	struct ctl_ws marker;
	uint32_t id, number;

	memset(k->stored, 0, sizeof(k->stored));
	client_connect(&k->watcher, &k->server, KILLER_STORE, "read");
	killer_mark(k, &marker);
	for (;;) {
		client_next(&k->watcher, &m);
		if (m.opcode != WS_BINARY ||
		    patch_read(m.data, &id, &number) == -1 || id > KILLER_MARK)
			fatalx(1, "round %u: opcode %d, %zu octets: %s",
			    k->round, (int)m.opcode, m.data.n,
			    "nobody sent that");
		if (number != ++k->stored[id])
			fatalx(1, "round %u: writer %u: %u in the place of %u",
			    k->round, id, number, k->stored[id]);
		if (id == KILLER_MARK && number == k->round + 1)
			break;
	}
	/* Not before: octets that were not read would break its connection. */
	ctl_ws_close(&marker);
	killer_check(k);
}

static void
killer_mark(const struct killer *k, struct ctl_ws *c)
{
	struct buf patch = BUF_INIT;

	client_connect(c, &k->server, KILLER_STORE, "write");
	patch_make(&patch, KILLER_MARK, k->round + 1, PATCH_MIN);
	client_send(c, buf_bytes(&patch));
	buf_free(&patch);
}

static void
killer_check(struct killer *k)
{
	uint32_t id;

	for (id = 0; id < KILLER_IDS; id++) {
		if (k->stored[id] < k->seen[id])
			fatalx(1, "round %u: writer %u: %u seen, %u stored",
			    k->round, id, k->seen[id], k->stored[id]);
		if (k->stored[id] > k->sent[id])
			fatalx(1, "round %u: writer %u: %u sent, %u stored",
			    k->round, id, k->sent[id], k->stored[id]);
		k->seen[id] = k->stored[id];
	}
}

/* In every second round nobody waits until anything was seen. */
static void
killer_write(struct killer *k)
{
	uint32_t steps = 1 + killer_random(KILLER_STEPS_MAX), burst, w, id;
	struct buf patch = BUF_INIT;
	struct ctl_ws_message m;
	unsigned long before = k->total;

	while (steps-- > 0) {
		w = killer_random(KILLER_WRITERS);
		id = k->round * KILLER_WRITERS + w;
		burst = 1 + killer_random(KILLER_BURST_MAX);
		while (burst-- > 0) {
			patch_make(&patch, id, ++k->sent[id], killer_size());
			client_send(&k->writers[w], buf_bytes(&patch));
		}
		while (killer_take(k, 0))
			;
		for (w = 0; w < KILLER_WRITERS; w++)
			while (ctl_ws_next(&k->writers[w], &m, 0) == 1)
				;
	}
	if (k->round % 2 == 0)
		while (k->total == before)
			if (!killer_take(k, CLIENT_MS))
				fatalx(1, "round %u: nothing is passed on",
				    k->round);
	buf_free(&patch);
}

/* One message for the watcher; 0 if there is none or the relay is gone. */
static int
killer_take(struct killer *k, int time_ms)
{
	struct ctl_ws_message m;
	uint32_t id, number;

	if (ctl_ws_next(&k->watcher, &m, time_ms) != 1 || m.opcode == WS_CLOSE)
		return (0);
	if (m.opcode != WS_BINARY || patch_read(m.data, &id, &number) == -1 ||
	    id >= KILLER_IDS)
		fatalx(1, "round %u: the watcher got what nobody sent",
		    k->round);
	if (number != k->seen[id] + 1)
		fatalx(1, "round %u: writer %u: %u seen after %u", k->round, id,
		    number, k->seen[id]);
	k->seen[id] = number;
	k->total++;
	return (1);
}

static void
killer_kill(struct killer *k)
{
	static const enum server_part parts[] = { SERVER_BROKER, SERVER_ALL,
		SERVER_LISTENER };

	enum server_part part = parts[killer_random(3)];
	pid_t work = -1;
	char data[512];

	if (k->disk != NULL)
		work = killer_work(k);
	killer_pause();
	server_stop(&k->server, part, 1);
	killer_take_rest(k);
	if (work != -1)
		waitpid(work, NULL, 0);
	if (k->disk == NULL || (part & SERVER_BROKER) == 0)
		return;
	snprintf(data, sizeof(data), "%s/data", k->server.dir);
	k->lost += forget(k->journal, data);
}

/* The broker's disk forgets, and every checkpoint and log file is soon. */
static void
killer_disk(struct killer *k, const char *disk)
{
	k->disk = disk;
	snprintf(k->journal, sizeof(k->journal), "%s/journal", k->server.dir);
	snprintf(k->preload[0], sizeof(k->preload[0]), "LD_PRELOAD=%s", disk);
	snprintf(k->preload[1], sizeof(k->preload[1]), "DISK_JOURNAL=%s",
	    k->journal);
	k->server.environment[0] = k->preload[0];
	k->server.environment[1] = k->preload[1];
	server_setting(&k->server, "checkpoint_bytes 1M");
	server_setting(&k->server, "checkpoint_ms 1s");
	server_setting(&k->server, "cache_bytes 1M");
	server_setting(&k->server, "compact_grace 0");
}

/* Something of the operator's that the blow may fall into. */
static pid_t
killer_work(const struct killer *k)
{
	static const char *const works[] = { "compact #", "verify #", "backup",
		"export sds:demo" };
	const char *b = getenv("QUIRE_B");
	char command[1024], words[600];
	pid_t pid;
	int n;

	n = snprintf(words, sizeof(words), "%s %s/b%u", works[killer_random(4)],
	    k->server.dir, k->round);
	if (n < 0 || (pid = fork()) == -1)
		return (-1);
	if (pid > 0)
		return (pid);
	snprintf(command, sizeof(command),
	    "%s/quirectl -f %s/conf %s >/dev/null 2>&1",
	    b == NULL ? ".build" : b, k->server.dir, words);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* What was on its way to the watcher when the blow fell has been seen too. */
static void
killer_take_rest(struct killer *k)
{
	while (killer_take(k, CLIENT_MS))
		;
}

/* Moves the blow to some other instruction, up to 8 ms away. */
static void
killer_pause(void)
{
	struct timespec t = { 0, (long)killer_random(8000000) };

	nanosleep(&t, NULL);
}

/* Mostly small; now and then too large for a frame of the IPC. */
static size_t
killer_size(void)
{
	uint32_t kind = killer_random(100);

	if (kind == 0)
		return (300000 + killer_random(300000));
	if (kind < 10)
		return (10000 + killer_random(60000));
	return (PATCH_MIN + killer_random(300));
}

static uint32_t
killer_random(uint32_t below)
{
	return ((uint32_t)random() % below);
}
