/*
 * scale: a relay with a large store, from a crash on.  Prints name=value words
 * on one line; tests/bench/README says what they are.
 *
 *	scale docs DOCUMENTS		each of one patch of 100 octets
 *	scale records RECORDS OCTETS	patches of one document
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/boot.h"
#include "broker/txn.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/sds.h"
#include "tests/lib/client.h"
#include "tests/lib/load_cost.h"

#define SCALE_PATCH_BYTES 100
#define SCALE_BATCH_BYTES (1024 * KIB)
#define SCALE_BATCH_MAX	  500
#define SCALE_TAIL_BYTES  (8 * MIB) /* of log that a start replays */
#define SCALE_COPY_BYTES  (256 * KIB)

struct scale {
	struct server server;
	unsigned long docs;
	unsigned long records; /* of each */
	size_t bytes;	       /* of each */
};

static void scale_fill(const struct scale *);
static struct kv *scale_open(const struct scale *);
static void scale_append(struct kv *, const char *, unsigned long docs,
    unsigned long records, size_t bytes);
static void scale_patches(struct kv *, const char *name, unsigned long n,
    size_t bytes);
static void scale_start(struct scale *);
static void scale_memory(const struct scale *);
static void scale_touch(const struct scale *, unsigned long upto);
static void scale_catch_up(const struct scale *);
static void scale_backup(const struct scale *);
static double scale_copy(const char *from, const char *to, uint64_t *bytes);
static void scale_copy_file(int from, int to, uint64_t *bytes);
static void scale_command(const char *);

int
main(int argc, char **argv)
{
	struct scale s = { .docs = 1, .records = 1 };

	log_level_set(LOG_LEVEL_ERROR);
	if (argc == 3 && strcmp(argv[1], "docs") == 0) {
		s.docs = strtoul(argv[2], NULL, 10);
		s.bytes = SCALE_PATCH_BYTES;
	} else if (argc == 4 && strcmp(argv[1], "records") == 0) {
		s.records = strtoul(argv[2], NULL, 10);
		s.bytes = strtoul(argv[3], NULL, 10);
	}
	if (s.bytes == 0 || s.docs * s.records == 0)
		fatalx(2, "usage: scale docs N | scale records N OCTETS");
	server_make(&s.server);
	server_setting(&s.server, "log_level error");
	server_setting(&s.server, "ring_idle_ms 1s");
	if (s.docs > 1) /* or memory would be that of pages in the cache */
		server_setting(&s.server, "cache_bytes 1M");
	scale_fill(&s);
	scale_start(&s);
	if (s.docs > 1)
		scale_memory(&s);
	else
		scale_catch_up(&s);
	scale_backup(&s);
	putchar('\n');
	server_stop(&s.server, SERVER_ALL, 1);
	server_remove(&s.server);
	return (0);
}

/* Without a relay, by a process that then crashes. */
static void
scale_fill(const struct scale *s)
{
	struct kv *kv;
	uint64_t boot;
	double from;
	pid_t pid;
	int status;

	if ((pid = fork()) == 0) {
		kv = scale_open(s);
		if (boot_count(kv, &boot) == -1)
			fatalx(1, "first start");
		from = cost_now_s();
		scale_append(kv, "doc", s->docs, s->records, s->bytes);
		kv->ops->flush(kv);
		printf("append_per_s=%.0f ",
		    (double)(s->docs * s->records) / (cost_now_s() - from));
		fflush(stdout);
		kv->ops->close(kv);
		kv = scale_open(s);
		scale_patches(kv, "tail", SCALE_TAIL_BYTES / 1000, 1000);
		_exit(kv->ops->flush(kv) == -1);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1 || status != 0)
		fatalx(1, "filling failed");
}

static struct kv *
scale_open(const struct scale *s)
{
	char why[256], *dir = server_path(&s->server, "data");
	struct kv_bdb_options o = { .dir = dir,
		.cache_bytes = 64 * MIB,
		.log_buffer_bytes = 4 * MIB,
		.checkpoint_bytes = 32 * MIB,
		.checkpoint_ms = 60000 };
	struct kv *kv = kv_bdb_open(&o, why, sizeof(why));

	if (kv == NULL)
		fatalx(1, "store: %s", why);
	free(dir);
	return (kv);
}

static void
scale_append(struct kv *kv, const char *name, unsigned long docs,
    unsigned long records, size_t bytes)
{
	unsigned long i;
	char each[32];

	for (i = 0; i < docs; i++) {
		snprintf(each, sizeof(each), "%s%lu", name, i);
		scale_patches(kv, each, records, bytes);
	}
}

/* Many a commit, as a busy broker does. */
static void
scale_patches(struct kv *kv, const char *name, unsigned long n, size_t bytes)
{
	static uint8_t octets[MIB];
	struct bytes body = bytes_of(octets, bytes);
	unsigned long i, batch = SCALE_BATCH_BYTES / bytes + 1;
	struct txn t;
	uint64_t seq;

	if (bytes > sizeof(octets))
		fatalx(2, "patches are of 1 MiB at most");
	if (batch > SCALE_BATCH_MAX)
		batch = SCALE_BATCH_MAX;
	while (n > 0) {
		if (kv->ops->begin(kv) == -1)
			fatal(1, "begin");
		txn_init(&t, kv,
		    &(struct doc_id){ DIALECT_SDS, SDS_ROOM_STORE,
			bytes_str(name) });
		t.row_later = 1;
		txn_load(&t);
		for (i = 0; i < batch && n > 0; i++, n--)
			if (txn_append(&t, SDS_KIND_PATCH, &body, 1, 0, 0,
				&seq) == -1)
				fatalx(1, "append");
		txn_row_save(&t);
		txn_done(&t);
		if (kv->ops->commit(kv) == -1)
			fatalx(1, "commit");
	}
}

static void
scale_start(struct scale *s)
{
	char *command;
	double from;

	if (geteuid() == 0) {
		if (asprintf(&command, "chown -R nobody %s/data",
			s->server.dir) == -1)
			fatal(1, "memory");
		scale_command(command);
		free(command);
	}
	from = cost_now_s();
	server_start(&s->server, SERVER_BROKER);
	printf("start_ms=%.0f ", 1e3 * (cost_now_s() - from));
	server_start(&s->server, SERVER_LISTENER);
}

/* Of documents that were open and are not: the first tenth pays for what grows
 * to its size once. */
static void
scale_memory(const struct scale *s)
{
	const struct timespec idle = { 3, 0 };
	uint64_t before, after;

	scale_touch(s, s->docs / 10);
	nanosleep(&idle, NULL);
	before = server_rss_kib(s->server.broker);
	scale_touch(s, s->docs);
	nanosleep(&idle, NULL);
	after = server_rss_kib(s->server.broker);
	printf("rss_kib=%" PRIu64 " doc_octets=%.1f ", after,
	    1024 * ((double)after - (double)before) / (double)s->docs / 0.9);
}

static void
scale_touch(const struct scale *s, unsigned long upto)
{
	struct ctl_ws_message m;
	struct ctl_ws c;
	unsigned long i;
	char name[32];

	for (i = 0; i < upto; i++) {
		snprintf(name, sizeof(name), "doc%lu", i);
		client_connect(&c, &s->server, name, "read");
		client_next(&c, &m);
		ctl_ws_close(&c);
	}
}

static void
scale_catch_up(const struct scale *s)
{
	struct ctl_ws_message m;
	struct ctl_ws c;
	unsigned long i;
	double from = cost_now_s();
	uint64_t bytes = 0;

	client_connect(&c, &s->server, "doc0", "read");
	for (i = 0; i < s->records; i++) {
		client_next(&c, &m);
		bytes += m.data.n;
	}
	from = cost_now_s() - from;
	ctl_ws_close(&c);
	printf("read_per_s=%.0f read_mb_per_s=%.1f ", (double)i / from,
	    (double)bytes / from / 1e6);
}

/* Beside it the same files copied, each with a flush. */
static void
scale_backup(const struct scale *s)
{
	const char *build = getenv("QUIRE_B");
	char *to = server_path(&s->server, "backup");
	char *copy = server_path(&s->server, "copy"), *command;
	uint64_t bytes;
	double took;

	if (asprintf(&command, "%s/quirectl -f %s/conf backup %s >/dev/null",
		build == NULL ? ".build" : build, s->server.dir, to) == -1)
		fatal(1, "memory");
	took = cost_now_s();
	scale_command(command);
	took = cost_now_s() - took;
	if (mkdir(copy, 0700) == -1)
		fatal(1, "%s", copy);
	printf("copy_mb_per_s=%.1f ", scale_copy(to, copy, &bytes));
	printf("backup_mb_per_s=%.1f", (double)bytes / took / 1e6);
	free(to);
	free(copy);
	free(command);
}

static double
scale_copy(const char *from, const char *to, uint64_t *bytes)
{
	double took = cost_now_s();
	DIR *dir = opendir(from);
	struct dirent *e;
	int in, out, target = open(to, O_RDONLY | O_DIRECTORY);

	if (dir == NULL || target == -1)
		fatal(1, "%s", from);
	*bytes = 0;
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		in = openat(dirfd(dir), e->d_name, O_RDONLY);
		out = openat(target, e->d_name, O_WRONLY | O_CREAT, 0600);
		scale_copy_file(in, out, bytes);
		close(in);
		close(out);
	}
	closedir(dir);
	close(target);
	return ((double)*bytes / (cost_now_s() - took) / 1e6);
}

static void
scale_copy_file(int from, int to, uint64_t *bytes)
{
	static uint8_t block[SCALE_COPY_BYTES];
	ssize_t n;

	while ((n = read(from, block, sizeof(block))) > 0) {
		if (write(to, block, (size_t)n) != n)
			fatal(1, "copy");
		*bytes += (uint64_t)n;
	}
	if (n == -1 || fsync(to) == -1)
		fatal(1, "copy");
}

static void
scale_command(const char *command)
{
	if (system(command) != 0)
		fatalx(1, "%s failed", command);
}
