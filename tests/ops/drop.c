/*
 * drop ROUNDS SEED DISK: power cuts while stores are deleted and compacted.
 *
 * In each round one store is filled to be deleted, in slices, and another with
 * values that were replaced and patches that were said twice, for a compaction;
 * both begin, and in the middle of it the power goes: tests/preload/disk.so and
 * tests/lib/forget.c.  Then the first store is there whole or not at all, and
 * not if its deletion was reported; the other has every newest value and every
 * patch; verify finds nothing wrong.  In the end no row is left of any store
 * that has no name.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/txn.h"
#include "tests/lib/client.h"
#include "tests/lib/forget.h"
#include "tests/lib/store.h"

#define DROP_PATCHES	 1500u /* of the store to be deleted */
#define DROP_PATCH_BYTES 2000u
#define DROP_KEYS	 7u
#define DROP_VALUES	 700u /* written; the last of each key stays */
#define DROP_TWINS	 100u /* patches that are said twice */
#define DROP_MS		 300u /* until the cut, and */
#define DROP_LATE_MS	 60u  /* where it is after the deletion */
#define DROP_TRIES	 100
#define DROP_DOCS	 1024u

struct drop {
	struct server server;
	unsigned int round;
	char journal[128], preload[600], setting[160];
	char doomed[32], worn[32];
	unsigned long lost, deleted, survived;
};

/* Ids of documents that have a name, or rows that have none. */
struct drop_docs {
	uint64_t id[DROP_DOCS];
	size_t n;
	unsigned long nobodys;
};

static void drop_round(struct drop *);
static void drop_fill(struct drop *);
static void drop_fill_worn(struct drop *);
static void drop_value(struct buf *, uint32_t number);
static void drop_send_all(struct drop *, const char *store, struct buf *frames,
    size_t n);
static pid_t drop_work(const struct drop *, const char *words);
static int drop_done(pid_t);
static void drop_cut(struct drop *);
static void drop_check_doomed(struct drop *, int done);
static void drop_check_worn(struct drop *);
static void drop_verify(const struct drop *);
static void drop_gone(struct drop *);
static unsigned long drop_nobodys(const struct drop *);
static kv_each drop_each;
static void drop_pause(unsigned int ms);

int
main(int argc, char **argv)
{
	static struct drop d;
	unsigned int rounds;

	log_init("drop", LOG_TO_STDERR, LOG_LEVEL_INFO);
	if (argc != 4)
		return (64);
	rounds = (unsigned int)atoi(argv[1]);
	printf("seed %s\n", argv[2]);
	fflush(stdout);
	srandom((unsigned int)atoi(argv[2]));
	server_make(&d.server);
	server_setting(&d.server,
	    "log_level warn\ncompact no\ncompact_grace 0\n"
	    "checkpoint_bytes 1M\ncheckpoint_ms 1s\ncache_bytes 1M");
	snprintf(d.journal, sizeof(d.journal), "%s/journal", d.server.dir);
	snprintf(d.preload, sizeof(d.preload), "LD_PRELOAD=%s", argv[3]);
	snprintf(d.setting, sizeof(d.setting), "DISK_JOURNAL=%s", d.journal);
	d.server.environment[0] = d.preload;
	d.server.environment[1] = d.setting;
	server_start(&d.server, SERVER_ALL);
	for (; d.round < rounds; d.round++)
		drop_round(&d);
	drop_gone(&d);
	server_remove(&d.server);
	printf("%u cuts, %lu octets lost to them, %lu deletions were "
	       "reported, %lu stores were there again\n",
	    rounds, d.lost, d.deleted, d.survived);
	if (d.lost == 0)
		fatalx(1, "nothing was lost: this proves nothing");
	return (0);
}

static void
drop_round(struct drop *d)
{
	pid_t erase, compact;
	char words[64];
	int done = 0, late = random() % 2 == 0;

	snprintf(d->doomed, sizeof(d->doomed), "doomed%u", d->round);
	snprintf(d->worn, sizeof(d->worn), "worn%u", d->round);
	drop_fill(d);
	drop_fill_worn(d);
	snprintf(words, sizeof(words), "delete sds:%s", d->doomed);
	compact = drop_work(d, "compact");
	erase = drop_work(d, words);
	/* Before it is deleted, or while what it held is erased. */
	if (late)
		done = drop_done(erase);
	drop_pause((unsigned int)random() % (late ? DROP_LATE_MS : DROP_MS));
	drop_cut(d);
	if (!late)
		done = drop_done(erase);
	drop_done(compact);
	server_start(&d->server, SERVER_ALL);
	drop_check_doomed(d, done);
	drop_check_worn(d);
	drop_verify(d);
}

static void
drop_fill(struct drop *d)
{
	static struct buf frames[DROP_PATCHES];
	uint32_t i;

	for (i = 0; i < DROP_PATCHES; i++)
		patch_make(&frames[i], d->round, i + 1, DROP_PATCH_BYTES);
	drop_send_all(d, d->doomed, frames, DROP_PATCHES);
}

static void
drop_fill_worn(struct drop *d)
{
	static struct buf frames[DROP_VALUES + 2 * DROP_TWINS];
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < DROP_VALUES; i++)
		drop_value(&frames[n++], i);
	for (i = 0; i < 2 * DROP_TWINS; i++)
		patch_make(&frames[n++], d->round, 1 + i / 2, DROP_PATCH_BYTES);
	drop_send_all(d, d->worn, frames, n);
}

/* A VALUE: its key follows from its number, and the number is in it. */
static void
drop_value(struct buf *out, uint32_t number)
{
	size_t i;

	buf_clear(out);
	buf_add_u8(out, 2);
	for (i = 0; i < 32; i++)
		buf_add_u8(out, (uint8_t)(number % DROP_KEYS));
	buf_add_be32(out, number);
	for (i = 0; i < DROP_PATCH_BYTES; i++)
		buf_add_u8(out, (uint8_t)number);
}

/* They are on disk when somebody else has them. */
static void
drop_send_all(struct drop *d, const char *store, struct buf *frames, size_t n)
{
	struct ctl_ws writer, reader;
	struct ctl_ws_message m;
	size_t i;

	client_connect(&reader, &d->server, store, "read");
	client_connect(&writer, &d->server, store, "write");
	for (i = 0; i < n; i++)
		client_send(&writer, buf_bytes(&frames[i]));
	for (i = 0; i < n; i++) {
		client_next(&reader, &m);
		if (m.opcode == WS_CLOSE)
			fatalx(1, "%s: closed", store);
	}
	ctl_ws_close(&writer);
	ctl_ws_close(&reader);
}

static pid_t
drop_work(const struct drop *d, const char *words)
{
	const char *b = getenv("QUIRE_B");
	char command[1024];
	pid_t pid;

	snprintf(command, sizeof(command),
	    "exec %s/quirectl -f %s/conf %s >/dev/null 2>&1",
	    b == NULL ? ".build" : b, d->server.dir, words);
	if ((pid = fork()) == -1)
		fatal(1, "fork");
	if (pid > 0)
		return (pid);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int
drop_done(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		fatal(1, "wait");
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
drop_cut(struct drop *d)
{
	char data[128];

	snprintf(data, sizeof(data), "%s/data", d->server.dir);
	server_stop(&d->server, SERVER_ALL, 1);
	d->lost += forget(d->journal, data);
}

/* All of it, or nothing. */
static void
drop_check_doomed(struct drop *d, int done)
{
	struct ctl_ws late, mark;
	struct ctl_ws_message m;
	struct buf patch = BUF_INIT;
	uint32_t id, number, n = 0;

	client_connect(&late, &d->server, d->doomed, "read");
	client_connect(&mark, &d->server, d->doomed, "write");
	patch_make(&patch, UINT32_MAX, d->round, PATCH_MIN);
	client_send(&mark, buf_bytes(&patch));
	for (;;) {
		client_next(&late, &m);
		if (m.opcode != WS_BINARY ||
		    patch_read(m.data, &id, &number) == -1)
			fatalx(1, "%s: nobody sent that", d->doomed);
		if (id == UINT32_MAX)
			break;
		if (id != d->round || number != ++n)
			fatalx(1, "%s: %u after %u", d->doomed, number, n);
	}
	if ((n != 0 && n != DROP_PATCHES) || (done && n != 0))
		fatalx(1, "%s: %u of %u, %s", d->doomed, n, DROP_PATCHES,
		    done ? "deleted" : "not deleted");
	d->deleted += (unsigned long)done;
	d->survived += n > 0;
	buf_free(&patch);
	ctl_ws_close(&late);
	ctl_ws_close(&mark);
}

/* The last value of each key, and each patch once at least. */
static void
drop_check_worn(struct drop *d)
{
	struct buf want = BUF_INIT;
	struct ctl_ws late;
	struct ctl_ws_message m;
	uint32_t id, number, seen = 0, last, k;

	client_connect(&late, &d->server, d->worn, "read");
	for (k = 0; k < DROP_KEYS; k++) {
		client_next(&late, &m);
		last = m.data.n < 37 ? 0 : be32_get(m.data.p + 33);
		drop_value(&want, last);
		if (last + DROP_KEYS < DROP_VALUES ||
		    !bytes_eq(m.data, buf_bytes(&want)))
			fatalx(1, "%s: no newest value", d->worn);
	}
	while (seen < DROP_TWINS) {
		client_next(&late, &m);
		if (m.opcode != WS_BINARY ||
		    patch_read(m.data, &id, &number) == -1 ||
		    (number != seen && number != ++seen))
			fatalx(1, "%s: not the patch after %u", d->worn, seen);
	}
	buf_free(&want);
	ctl_ws_close(&late);
}

static void
drop_verify(const struct drop *d)
{
	if (!drop_done(drop_work(d, "verify")))
		fatalx(1, "round %u: verify finds damage", d->round);
}

/* What was begun goes on by itself. */
static void
drop_gone(struct drop *d)
{
	int tries = 0;

	d->server.environment[0] = NULL;
	for (;;) {
		server_stop(&d->server, SERVER_ALL, 0);
		if (drop_nobodys(d) == 0)
			return;
		if (++tries == DROP_TRIES)
			fatalx(1, "%lu rows are nobody's", drop_nobodys(d));
		server_start(&d->server, SERVER_ALL);
		drop_pause(100);
	}
}

static unsigned long
drop_nobodys(const struct drop *d)
{
	static const enum kv_table tables[] = { KV_LOG, KV_REG, KV_STAMP,
		KV_BLOB };
	static struct drop_docs docs;
	char data[128] = "", why[256];
	struct kv_bdb_options o = store_options(data);
	struct buf at = BUF_INIT;
	struct doc_id id;
	struct txn t;
	struct kv *kv;
	size_t i;

	snprintf(data, sizeof(data), "%s/data", d->server.dir);
	if ((kv = kv_bdb_open(&o, why, sizeof(why))) == NULL)
		fatalx(1, "%s", why);
	docs.n = docs.nobodys = 0;
	while (txn_doc_next(kv, &at, &id) == 1 && docs.n < DROP_DOCS) {
		txn_init(&t, kv, &id);
		if (txn_load(&t) == 1)
			docs.id[docs.n++] = t.doc;
		txn_done(&t);
	}
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (kv->ops->scan(kv, tables[i], BYTES_NONE,
			BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0,
			drop_each, &docs) == -1)
			fatalx(1, "scan");
	buf_free(&at);
	kv->ops->close(kv);
	return (docs.nobodys);
}

/* The store's own registers have the number 0. */
static int
drop_each(struct bytes key, struct bytes val, void *arg)
{
	struct drop_docs *docs = arg;
	uint64_t doc = key.n < 8 ? UINT64_MAX : be64_get(key.p);
	size_t i;

	(void)val;
	for (i = 0; i < docs->n && docs->id[i] != doc; i++)
		continue;
	docs->nobodys += doc != 0 && i == docs->n;
	return (0);
}

static void
drop_pause(unsigned int ms)
{
	struct timespec t = { 0, (long)ms * 1000000 };

	nanosleep(&t, NULL);
}
