/*
 * store [SCALE]: the store alone, without clients: appending, opening after a
 * crash, catching up and verifying, with many documents and with a long one.
 * SCALE divides the numbers, for a quick look.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "broker/txn.h"
#include "broker/verify.h"
#include "common/log.h"
#include "tests/lib/store.h"

#define BENCH_DOCS    10000u
#define BENCH_RECORDS 1000000u
#define BENCH_BATCH   500u
#define BENCH_BYTES   100u

static void bench_fill(struct kv *, unsigned int docs, unsigned int records);
static void bench_read(struct kv *);
static void bench_verify(struct kv *);
static void bench_say(const char *, double from, double n, const char *unit);
static double bench_now(void);
static txn_each_record bench_each;
static verify_say bench_verified;
static verify_late bench_late;

int
main(int argc, char **argv)
{
	unsigned int scale = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	struct store s;
	double from;
	pid_t pid;

	log_level_set(LOG_LEVEL_ERROR);
	if (scale == 0)
		return (64);
	store_new(&s, STORE_BDB);
	s.kv->ops->close(s.kv);
	s.kv = NULL;
	if ((pid = fork()) == 0) {
		store_reopen(&s);
		bench_fill(s.kv, BENCH_DOCS / scale, 1);
		bench_fill(s.kv, 1, BENCH_RECORDS / scale);
		_exit(0); /* as a crash */
	}
	waitpid(pid, NULL, 0);
	from = bench_now();
	store_reopen(&s);
	bench_say("open after a crash", from, 0, "");
	bench_read(s.kv);
	bench_verify(s.kv);
	store_remove(&s);
	return (0);
}

static void
bench_fill(struct kv *kv, unsigned int docs, unsigned int records)
{
	static uint8_t octets[BENCH_BYTES];
	struct bytes body = bytes_of(octets, sizeof(octets));
	unsigned int i, n = docs * records;
	double from = bench_now();
	struct txn t;
	char name[32];
	uint64_t seq;

	for (i = 0; i < n; i++) {
		if (i % BENCH_BATCH == 0 && kv->ops->begin(kv) == -1)
			fatal(1, "begin");
		if (i % records == 0 || i % BENCH_BATCH == 0) {
			snprintf(name, sizeof(name), "%u of %u", i / records,
			    docs);
			txn_init(&t, kv,
			    &(struct doc_id){ DIALECT_SDS, 0,
				bytes_str(name) });
			t.row_later = 1;
			txn_load(&t);
		}
		if (txn_append(&t, 1, &body, 1, 0, 0, &seq) == -1)
			fatalx(1, "append");
		if ((i + 1) % records == 0 || (i + 1) % BENCH_BATCH == 0) {
			txn_row_save(&t);
			txn_done(&t);
		}
		if (((i + 1) % BENCH_BATCH == 0 || i + 1 == n) &&
		    (kv->ops->commit(kv) == -1 || kv->ops->flush(kv) == -1))
			fatalx(1, "commit");
	}
	bench_say(docs > 1 ? "first records of documents" : "append to one",
	    from, n, "records");
}

static void
bench_read(struct kv *kv)
{
	struct doc_id id = { DIALECT_SDS, 0, BYTES_LIT("0 of 1") };
	double from = bench_now();
	uint64_t bytes = 0;
	struct txn t;

	txn_init(&t, kv, &id);
	if (txn_load(&t) != 1 ||
	    txn_log_scan(&t, 0, UINT64_MAX, bench_each, &bytes) == -1)
		fatalx(1, "read");
	txn_done(&t);
	bench_say("catch up", from, (double)bytes / 1e6, "MB");
}

static void
bench_verify(struct kv *kv)
{
	double from = bench_now();
	uint64_t n = 0;
	struct verify *v = verify_new(kv, NULL, bench_verified, bench_late, &n);

	while (verify_step(v) == 1)
		continue;
	verify_free(v);
	bench_say("verify", from, (double)n, "records");
}

static void
bench_say(const char *what, double from, double n, const char *unit)
{
	double s = bench_now() - from;

	if (n > 0)
		printf("%-28s %8.3f s %10.0f %s/s\n", what, s, n / s, unit);
	else
		printf("%-28s %8.3f s\n", what, s);
	fflush(stdout);
}

static double
bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((double)t.tv_sec + (double)t.tv_nsec / 1e9);
}

static int
bench_each(const struct record *r, void *arg)
{
	*(uint64_t *)arg += r->body.b.n;
	return (0);
}

static void
bench_verified(const struct verify_result *r, void *arg)
{
	if (r->wrong != NULL)
		fatalx(1, "damaged: %s", r->wrong);
	*(uint64_t *)arg += r->records;
}

static int
bench_late(void *arg)
{
	(void)arg;
	return (0);
}
