/*
 * faults DISK KIND FIRST STEP: what a broker does when a call fails.
 *
 * Counts the calls of a short life (start, patches, a compaction), then lives
 * it again and again, with the FIRSTth call failing, then the one STEP after
 * it, and so on.  KIND is one of tests/preload/disk.c's, for writes,
 * truncations and syncs of data files, or alloc, or forked for allocations of
 * the broker's children.  After each: whatever anybody was shown is there,
 * once, in order; nothing that nobody sent is; the next start needs no hand;
 * no store is suspected of damage, as none has any; and no end was by a
 * signal.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/client.h"
#include "tests/lib/forget.h"
#include "tests/preload/disk.h"

#define FAULTS_PATCHES 12u
#define FAULTS_MARK    (UINT32_MAX - 1) /* its writer */
#define FAULTS_HOME    30  /* lives in one: each reads all that is there */
#define FAULTS_TRIES   100 /* of a tenth of a second each */

struct faults {
	struct server server;
	const char *disk, *kind;
	char preload[600], count[600], journal[600], fault[64];
	uint32_t sent, seen; /* in this life, of this writer */
	uint32_t writer;
	int marked;	/* the reader saw all that there is to see */
	char store[32]; /* a new one each life */
	unsigned long shown, died, unborn;
};

static unsigned long faults_home(struct faults *);
static void faults_leave(struct faults *);
static unsigned long faults_count(struct faults *);
static void faults_one(struct faults *, unsigned long n);
static void faults_live(struct faults *);
static int faults_there(struct faults *);
static int faults_dial(struct faults *, struct ctl_ws *, const char *scope);
static void faults_talk(struct faults *, struct ctl_ws *w, struct ctl_ws *r);
static void faults_rest(struct faults *, struct ctl_ws *r);
static int faults_take(struct faults *, struct ctl_ws *r);
static void faults_work(const struct faults *, const char *);
static void faults_after(struct faults *);
static void faults_suspects(const struct faults *, const char *note);

int
main(int argc, char **argv)
{
	static struct faults f;
	unsigned long n, first, step, count, lives = 0;

	log_init("faults", LOG_TO_STDERR, LOG_LEVEL_INFO);
	if (argc != 5)
		return (64);
	f.disk = argv[1];
	f.kind = argv[2];
	first = strtoul(argv[3], NULL, 10);
	step = strtoul(argv[4], NULL, 10);
	count = faults_home(&f);
	for (n = first; n <= count; n += step, lives++) {
		if (lives > 0 && lives % FAULTS_HOME == 0) {
			faults_leave(&f);
			count = faults_home(&f);
		}
		faults_one(&f, n);
	}
	faults_leave(&f);
	printf("%s: %lu calls, %lu lives, %lu not born, %lu died, "
	       "%lu patches shown, all there\n",
	    f.kind, count, lives, f.unborn, f.died, f.shown);
	if (lives == 0 || (f.shown == 0 && f.unborn < lives))
		fatalx(1, "this proves nothing");
	return (0);
}

static unsigned long
faults_home(struct faults *f)
{
	server_make(&f->server);
	server_setting(&f->server, "log_level warn");
	server_setting(&f->server, "compact_grace 0");
	return (faults_count(f));
}

static void
faults_leave(struct faults *f)
{
	server_stop(&f->server, SERVER_ALL, 0);
	server_remove(&f->server);
}

/*
 * Two lives without a fault: the first makes the files, the second tells how
 * many calls there are to fail.
 */
static unsigned long
faults_count(struct faults *f)
{
	struct disk_count count;
	int fd;

	snprintf(f->preload, sizeof(f->preload), "LD_PRELOAD=%s", f->disk);
	snprintf(f->count, sizeof(f->count), "DISK_COUNT=%s/count",
	    f->server.dir);
	snprintf(f->journal, sizeof(f->journal), "DISK_JOURNAL=%s/journal",
	    f->server.dir);
	server_start(&f->server, SERVER_ALL);
	server_stop(&f->server, SERVER_BROKER, 0);
	f->server.environment[0] = f->preload;
	f->server.environment[1] = f->count;
	f->sent = f->seen = f->writer = 0;
	snprintf(f->store, sizeof(f->store), "life0");
	server_start(&f->server, SERVER_ALL);
	faults_live(f);
	if (f->seen != FAULTS_PATCHES)
		fatalx(1, "without a fault only %u were shown", f->seen);
	f->shown -= f->seen;
	server_stop(&f->server, SERVER_BROKER, 0);
	fd = open(f->count + strlen("DISK_COUNT="), O_RDONLY);
	if (fd == -1 || read(fd, &count, sizeof(count)) != sizeof(count))
		fatal(1, "count");
	close(fd);
	faults_after(f);
	return (strcmp(f->kind, "alloc") == 0	 ? count.allocs
		: strcmp(f->kind, "forked") == 0 ? count.forked
						 : count.calls);
}

static void
faults_one(struct faults *f, unsigned long n)
{
	char data[600];

	server_stop(&f->server, SERVER_BROKER, 0);
	if (strcmp(f->kind, "alloc") == 0)
		snprintf(f->fault, sizeof(f->fault), "DISK_ALLOC=%lu", n);
	else if (strcmp(f->kind, "forked") == 0)
		snprintf(f->fault, sizeof(f->fault), "DISK_FORKED=%lu", n);
	else
		snprintf(f->fault, sizeof(f->fault), "DISK_FAULT=%lu:%s", n,
		    f->kind);
	f->server.environment[0] = f->preload;
	f->server.environment[1] = f->fault;
	f->server.environment[2] = f->journal;
	f->sent = f->seen = 0;
	f->marked = 0;
	f->writer = (uint32_t)n;
	snprintf(f->store, sizeof(f->store), "life%lu", n);
	server_start(&f->server, SERVER_BROKER);
	if (f->server.broker == -1)
		f->unborn++;
	else
		faults_live(f);
	/* What an end in peace would save was promised before. */
	server_stop(&f->server, SERVER_BROKER, 1);
	snprintf(data, sizeof(data), "%s/data", f->server.dir);
	forget(f->journal + strlen("DISK_JOURNAL="), data);
	faults_after(f);
}

static void
faults_live(struct faults *f)
{
	struct ctl_ws writer, reader;
	int w, r;

	w = faults_there(f) && faults_dial(f, &writer, "write");
	r = faults_there(f) && faults_dial(f, &reader, "read");
	if (w && r)
		faults_talk(f, &writer, &reader);
	if (w)
		ctl_ws_close(&writer);
	if (r)
		ctl_ws_close(&reader);
	if (faults_there(f))
		faults_work(f, "compact");
	faults_there(f);
}

/* A worker would wait for a broker that is gone. */
static int
faults_there(struct faults *f)
{
	if (f->server.broker != -1 && server_gone(&f->server))
		f->died++;
	return (f->server.broker != -1);
}

static int
faults_dial(struct faults *f, struct ctl_ws *c, const char *scope)
{
	char *token = server_token(&f->server, f->store, scope, 3600),
	     target[4096];
	struct ctl_url url = { .host = "127.0.0.1", .target = target };
	int ok;

	snprintf(target, sizeof(target), "/ws/%s?token=%s", f->store, token);
	snprintf(url.port, sizeof(url.port), "%u", f->server.port);
	free(token);
	ctl_ws_init(c);
	ok = ctl_ws_dial(c, &url, CLIENT_MS) == 1 &&
	    ctl_ws_upgrade(c, &url, BYTES_NONE, CLIENT_MS) == 1;
	if (!ok)
		ctl_ws_close(c);
	return (ok);
}

/* Until all are shown, or one of the two was told to go. */
static void
faults_talk(struct faults *f, struct ctl_ws *w, struct ctl_ws *r)
{
	struct buf patch = BUF_INIT;
	struct ctl_ws_message m;
	int tries = 0, open = 1;

	while (open && f->seen < FAULTS_PATCHES && tries++ < FAULTS_TRIES) {
		if (f->sent == f->seen) {
			f->sent++;
			patch_make(&patch, f->writer, f->sent,
			    f->sent % 4 == 0 ? 300000 : 3000);
			open = ctl_ws_send(w, WS_BINARY, buf_bytes(&patch),
				   CLIENT_MS) == 1;
		}
		open = open && faults_take(f, r);
		if (open && ctl_ws_next(w, &m, 0) != 0)
			open = 0;
	}
	buf_free(&patch);
	if (f->seen < f->sent && faults_there(f))
		faults_rest(f, r);
}

/* Another's patch comes after all that the writer's end let through. */
static void
faults_rest(struct faults *f, struct ctl_ws *r)
{
	struct buf patch = BUF_INIT;
	struct ctl_ws other;
	int tries = 0;

	if (!faults_dial(f, &other, "write"))
		return;
	patch_make(&patch, FAULTS_MARK, f->writer, PATCH_MIN);
	if (ctl_ws_send(&other, WS_BINARY, buf_bytes(&patch), CLIENT_MS) == 1)
		while (faults_take(f, r) && !f->marked && f->seen < f->sent &&
		    tries++ < FAULTS_TRIES)
			continue;
	ctl_ws_close(&other);
	buf_free(&patch);
}

/* 0: the connection is at its end. */
static int
faults_take(struct faults *f, struct ctl_ws *r)
{
	struct ctl_ws_message m;
	uint32_t id, number;
	int got;

	while ((got = ctl_ws_next(r, &m, 100)) == 1) {
		if (m.opcode == WS_CLOSE)
			return (0);
		if (m.opcode != WS_BINARY ||
		    patch_read(m.data, &id, &number) == -1)
			fatalx(1, "the reader got what nobody sent");
		if (id == FAULTS_MARK && number == f->writer) {
			f->marked = 1;
			break;
		}
		if (id != f->writer)
			continue;
		if (number != f->seen + 1)
			fatalx(1, "%u shown after %u", number, f->seen);
		f->seen = number;
		f->shown++;
		break;
	}
	return (got != -1);
}

/* Its answer is of no interest here, and it may fail. */
static void
faults_work(const struct faults *f, const char *words)
{
	const char *b = getenv("QUIRE_B");
	char command[1024];

	snprintf(command, sizeof(command),
	    "%s/quirectl -f %s/conf %s >/dev/null 2>&1",
	    b == NULL ? ".build" : b, f->server.dir, words);
	if (system(command) == -1)
		fatal(1, "%s", words);
}

static void
faults_after(struct faults *f)
{
	struct ctl_ws late, mark;
	struct ctl_ws_message m;
	struct buf patch = BUF_INIT;
	uint32_t id, number, stored = 0;

	faults_suspects(f, "quarantine");
	faults_suspects(f, "quarantine.space");
	f->server.environment[0] = NULL; /* and none behind it */
	server_start(&f->server, SERVER_ALL);
	client_connect(&late, &f->server, f->store, "read");
	client_connect(&mark, &f->server, f->store, "write");
	patch_make(&patch, UINT32_MAX, f->writer, PATCH_MIN);
	client_send(&mark, buf_bytes(&patch));
	buf_free(&patch);
	for (;;) {
		client_next(&late, &m);
		if (m.opcode != WS_BINARY ||
		    patch_read(m.data, &id, &number) == -1)
			fatalx(1, "stored is what nobody sent");
		if (id == UINT32_MAX && number == f->writer)
			break;
		if (id == f->writer && number != ++stored)
			fatalx(1, "call %s: %u stored after %u", f->fault,
			    number, stored - 1);
	}
	if (stored < f->seen || stored > f->sent)
		fatalx(1, "%s: %u sent, %u shown, %u stored", f->fault, f->sent,
		    f->seen, stored);
	ctl_ws_close(&late);
	ctl_ws_close(&mark);
}

/* What a broker notes of a damaged page before it ends. */
static void
faults_suspects(const struct faults *f, const char *note)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/data/%s", f->server.dir, note);
	if (access(path, F_OK) == 0)
		fatalx(1, "%s: a page is suspected: %s", f->fault, note);
}
