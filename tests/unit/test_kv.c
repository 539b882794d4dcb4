/*
 * The ordered tables: one list of tests over both makes, then what only the
 * durable one promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/log.h"
#include "tests/lib/store.h"

#define L(s)	    BYTES_LIT(s)
#define KEY_ALL_END BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff")

/* The C library's is not reached: counts, and fails when told to. */
static atomic_int syncs, sync_errors;

int
fdatasync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	if (atomic_load(&sync_errors) > 0) {
		atomic_fetch_sub(&sync_errors, 1);
		errno = EIO;
		return (-1);
	}
	return (fsync(fd));
}

/* What a scan brought, as "key=value;" text, or the sizes of large values. */
struct seen {
	struct buf text;
	size_t n, stop_after;
	int answer;
	struct kv *kv; /* to be read meanwhile */
};

static int
see(struct bytes key, struct bytes val, void *arg)
{
	struct seen *s = arg;

	buf_add_bytes(&s->text, key);
	buf_add_str(&s->text, "=");
	if (val.n < 100)
		buf_add_bytes(&s->text, val);
	else
		buf_printf(&s->text, "%zu", val.n);
	buf_add_str(&s->text, ";");
	return (++s->n == s->stop_after ? s->answer : 0);
}

static void
begin(struct kv *kv)
{
	assert_int_equal(kv->ops->begin(kv), 0);
}

static void
commit(struct kv *kv)
{
	assert_int_equal(kv->ops->commit(kv), 0);
}

static void
put(struct kv *kv, struct bytes key, struct bytes val)
{
	assert_int_equal(kv->ops->put(kv, KV_REG, key, val), 0);
}

static void
has(struct kv *kv, struct bytes key, struct bytes want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(kv->ops->get(kv, KV_REG, key, &b), 1);
	assert_true(bytes_eq(buf_bytes(&b), want));
	buf_free(&b);
}

static void
lacks(struct kv *kv, struct bytes key)
{
	struct buf b = BUF_INIT;

	assert_int_equal(kv->ops->get(kv, KV_REG, key, &b), 0);
	buf_free(&b);
}

static void
scans(struct kv *kv, const char *from, const char *to, int reverse,
    const char *want)
{
	struct seen s = { BUF_INIT, 0, 0, 0, kv };

	assert_int_equal(kv->ops->scan(kv, KV_REG, bytes_str(from),
			     bytes_str(to), reverse, see, &s),
	    0);
	buf_add_u8(&s.text, 0);
	assert_string_equal((const char *)s.text.mem, want);
	buf_free(&s.text);
}

/* --- both makes ---------------------------------------------------------- */

static void
it_knows_whether_a_transaction_changed_anything(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;

	begin(kv);
	assert_false(kv->changed);
	put(kv, L("a"), L("one"));
	assert_true(kv->changed);
	commit(kv);
	begin(kv);
	has(kv, L("a"), L("one"));
	assert_false(kv->changed);
	assert_int_equal(kv->ops->del(kv, KV_REG, L("a")), 0);
	assert_true(kv->changed);
	commit(kv);
}

static void
a_value_is_there_during_and_after_the_transaction(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;

	begin(kv);
	put(kv, L("a"), L("one"));
	has(kv, L("a"), L("one"));
	put(kv, L("a"), L("two"));
	put(kv, L(""), L("empty key"));
	commit(kv);
	has(kv, L("a"), L("two"));
	has(kv, L(""), L("empty key"));
	lacks(kv, L("b"));
	assert_int_equal(kv->ops->flush(kv), 0);
}

static void
values_of_any_size_come_back_whole(void **state)
{
	static const size_t sizes[] = { 0, 1, 1023, 1024, 1025, 4096, 65536,
		300001 };
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf v = BUF_INIT;
	uint8_t key[1];
	size_t i, j;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buf_clear(&v);
		for (j = 0; j < sizes[i]; j++)
			buf_add_u8(&v, (uint8_t)(j * 7 + i));
		key[0] = (uint8_t)i;
		begin(kv);
		put(kv, bytes_of(key, 1), buf_bytes(&v));
		commit(kv);
		has(kv, bytes_of(key, 1), buf_bytes(&v));
	}
	buf_free(&v);
}

static void
tables_are_apart(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf b = BUF_INIT;

	begin(kv);
	put(kv, L("a"), L("one"));
	assert_int_equal(kv->ops->get(kv, KV_LOG, L("a"), &b), 0);
	commit(kv);
	buf_free(&b);
}

static void
what_is_deleted_is_gone_and_twice_is_fine(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;

	begin(kv);
	put(kv, L("a"), L("one"));
	commit(kv);
	begin(kv);
	assert_int_equal(kv->ops->del(kv, KV_REG, L("a")), 0);
	lacks(kv, L("a"));
	assert_int_equal(kv->ops->del(kv, KV_REG, L("a")), 0);
	commit(kv);
	lacks(kv, L("a"));
}

static void
abort_leaves_nothing(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;

	begin(kv);
	put(kv, L("a"), L("one"));
	put(kv, L("b"), L("two"));
	commit(kv);
	begin(kv);
	put(kv, L("a"), L("changed"));
	put(kv, L("a"), L("changed again"));
	put(kv, L("c"), L("new"));
	assert_int_equal(kv->ops->del(kv, KV_REG, L("b")), 0);
	put(kv, L("b"), L("back"));
	assert_int_equal(kv->ops->del(kv, KV_REG, L("c")), 0);
	put(kv, L("d"), L("new"));
	kv->ops->abort(kv);
	scans(kv, "", "z", 0, "a=one;b=two;");
	kv->ops->abort(kv); /* none open */
	begin(kv);
	commit(kv);
}

static void
changes_need_a_transaction(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;

	assert_int_equal(kv->ops->put(kv, KV_REG, L("a"), L("b")), -1);
	assert_int_equal(kv->ops->del(kv, KV_REG, L("a")), -1);
	assert_int_equal(kv->ops->commit(kv), -1);
	begin(kv);
	assert_int_equal(kv->ops->begin(kv), -1);
	put(kv, L("a"), L("b"));
	commit(kv);
	has(kv, L("a"), L("b"));
}

static void
a_scan_is_ordered_and_half_open(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;

	begin(kv);
	put(kv, L("b"), L("2"));
	put(kv, L("a"), L("1"));
	put(kv, L("c"), L("4"));
	put(kv, L("bb"), L("3"));
	put(kv, L("\xe0"), L("5"));
	scans(kv, "a", "c", 0, "a=1;b=2;bb=3;");
	commit(kv);
	scans(kv, "", "c", 0, "a=1;b=2;bb=3;");
	scans(kv, "aa", "bb", 0, "b=2;");
	scans(kv, "bb", "\xff", 0, "bb=3;c=4;\xe0=5;");
	scans(kv, "d", "e", 0, "");
	scans(kv, "c", "c", 0, "");
	scans(kv, "c", "a", 0, "");
	scans(kv, "a", "c", 1, "bb=3;b=2;a=1;");
	scans(kv, "aa", "\xff", 1, "\xe0=5;c=4;bb=3;b=2;");
	scans(kv, "d", "e", 1, "");
	scans(kv, "c", "a", 1, "");
	scans(kv, "", "", 1, "");
}

static void
a_scan_ends_as_each_says(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct seen s = { BUF_INIT, 0, 2, 1, kv };
	int reverse;

	begin(kv);
	put(kv, L("a"), L("1"));
	put(kv, L("b"), L("2"));
	put(kv, L("c"), L("3"));
	commit(kv);
	for (reverse = 0; reverse < 2; reverse++) {
		s.n = 0;
		s.answer = 1;
		assert_int_equal(kv->ops->scan(kv, KV_REG, L("a"), L("z"),
				     reverse, see, &s),
		    1);
		assert_int_equal(s.n, 2);
		s.n = 0;
		s.answer = -1;
		assert_int_equal(kv->ops->scan(kv, KV_REG, L("a"), L("z"),
				     reverse, see, &s),
		    -1);
		assert_int_equal(s.n, 2);
	}
	buf_free(&s.text);
	begin(kv);
	commit(kv); /* a scan that each ended is no failure of the store */
}

static int
see_with_reads(struct bytes key, struct bytes val, void *arg)
{
	struct seen *s = arg;
	struct seen inner = { BUF_INIT, 0, 0, 0, NULL };

	has(s->kv, key, val);
	assert_int_equal(s->kv->ops->scan(s->kv, KV_REG, key, KEY_ALL_END, 0,
			     see, &inner),
	    0);
	buf_printf(&s->text, "%zu;", inner.n);
	buf_free(&inner.text);
	return (0);
}

static void
a_scan_may_be_read_within(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct seen s = { BUF_INIT, 0, 0, 0, kv };

	begin(kv);
	put(kv, L("a"), L("1"));
	put(kv, L("b"), L("2"));
	put(kv, L("c"), L("3"));
	assert_int_equal(kv->ops->scan(kv, KV_REG, L("a"), L("z"), 0,
			     see_with_reads, &s),
	    0);
	assert_true(bytes_eq(buf_bytes(&s.text), L("3;2;1;")));
	commit(kv);
	buf_free(&s.text);
}

struct counting {
	uint32_t next;
	int step;
};

/* Size and content of the value follow from the number in the key. */
static void
counted_value(struct buf *v, uint32_t i)
{
	size_t n = i % 997 == 0 ? 400000 : i % 61 == 0 ? 9000 : i % 300;

	buf_clear(v);
	memset(buf_room(v, n), (int)(i & 0xff), n);
	buf_grow(v, n);
}

static int
count(struct bytes key, struct bytes val, void *arg)
{
	struct counting *c = arg;
	struct buf v = BUF_INIT;

	assert_int_equal(key.n, 4);
	assert_int_equal(be32_get(key.p), c->next);
	counted_value(&v, c->next);
	assert_true(bytes_eq(val, buf_bytes(&v)));
	buf_free(&v);
	c->next = (uint32_t)((int)c->next + c->step);
	return (0);
}

static void
a_long_scan_misses_nothing_however_much_was_wanted(void **state)
{
	static const size_t wanted[] = { 0, 1, 20000, 300000, SIZE_MAX };
	struct kv *kv = ((struct store *)*state)->kv;
	struct counting c;
	struct buf v = BUF_INIT;
	uint8_t key[4];
	uint32_t i;

	for (i = 0; i < 4000; i++) {
		if (i % 500 == 0)
			begin(kv);
		be32_put(key, i);
		counted_value(&v, i);
		put(kv, bytes_of(key, 4), buf_bytes(&v));
		if (i % 500 == 499)
			commit(kv);
	}
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		c = (struct counting){ 0, 1 };
		kv->wanted = wanted[i];
		assert_int_equal(kv->ops->scan(kv, KV_REG, L(""), KEY_ALL_END,
				     0, count, &c),
		    0);
		assert_int_equal(c.next, 4000);
	}
	c = (struct counting){ 3999, -1 };
	assert_int_equal(kv->ops->scan(kv, KV_REG, L(""), KEY_ALL_END, 1, count,
			     &c),
	    0);
	assert_int_equal(c.next, UINT32_MAX);
	buf_free(&v);
}

static void
the_cache_is_an_eighth_of_the_memory_within_bounds(void **state)
{
	const uint64_t mib = MIB;

	(void)state;
	assert_true(kv_cache_bytes(5, 4096 * mib) == 5);
	assert_true(kv_cache_bytes(0, 0) == 64 * mib);
	assert_true(kv_cache_bytes(0, 512 * mib) == 64 * mib);
	assert_true(kv_cache_bytes(0, 1024 * mib) == 128 * mib);
	assert_true(kv_cache_bytes(0, 65536 * mib) == 256 * mib);
	assert_true(kv_cache_memory() > 16 * mib);
}

/* --- both against each other --------------------------------------------- */

static uint32_t random_state;

static uint32_t
draw(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return ((random_state >> 8) % below);
}

/* A scan of each, compared octet by octet. */
static void
alike(struct kv *a, struct kv *b, enum kv_table t, int reverse)
{
	struct seen sa = { BUF_INIT, 0, 0, 0, a };
	struct seen sb = { BUF_INIT, 0, 0, 0, b };
	char from[8], to[8];

	snprintf(from, sizeof(from), "%u", draw(700));
	snprintf(to, sizeof(to), "%u", draw(10));
	assert_int_equal(a->ops->scan(a, t, bytes_str(from), bytes_str(to),
			     reverse, see, &sa),
	    b->ops->scan(b, t, bytes_str(from), bytes_str(to), reverse, see,
		&sb));
	assert_true(bytes_eq(buf_bytes(&sa.text), buf_bytes(&sb.text)));
	buf_free(&sa.text);
	buf_free(&sb.text);
}

static void
random_operations_agree(void **state)
{
	struct kv *kv[2] = { ((struct store *)*state)->kv, kv_mem_open() };
	static uint8_t octets[12000];
	enum kv_table t;
	char key[8];
	size_t n;
	int round, i, what, k;

	random_state = 20250101;
	for (round = 0; round < 300; round++) {
		for (k = 0; k < 2; k++)
			begin(kv[k]);
		for (i = (int)draw(30); i >= 0; i--) {
			t = (enum kv_table)draw(KV_TABLES);
			what = (int)draw(10);
			n = draw(10) == 0 ? draw(sizeof(octets)) : draw(90);
			snprintf(key, sizeof(key), "%u", draw(700));
			memset(octets, round & 0x3f, n);
			for (k = 0; k < 2; k++)
				assert_int_equal(what < 6
					? kv[k]->ops->put(kv[k], t,
					      bytes_str(key),
					      bytes_of(octets, n))
					: kv[k]->ops->del(kv[k], t,
					      bytes_str(key)),
				    0);
			if (what == 9)
				alike(kv[0], kv[1], t, (int)draw(2));
		}
		what = (int)draw(3);
		for (k = 0; k < 2; k++)
			if (what == 0)
				kv[k]->ops->abort(kv[k]);
			else
				commit(kv[k]);
		alike(kv[0], kv[1], (enum kv_table)draw(KV_TABLES),
		    (int)draw(2));
	}
	kv[1]->ops->close(kv[1]);
}

/*
 * Runs a part of a test in a process of its own, over the same directory: a
 * store that has failed keeps its memory.  The part returns 0 or a line.
 */
static void
in_child(struct store *s, int (*part)(struct store *))
{
	int status;
	pid_t pid;

	s->kv->ops->close(s->kv);
	s->kv = NULL;
	if ((pid = fork()) == 0) {
		log_level_set(LOG_LEVEL_ERROR);
		store_reopen(s);
		if ((status = part(s)) != 0)
			fprintf(stderr, "child: line %d\n", status);
		_exit(status != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x))                                                      \
			return (__LINE__);                                     \
	} while (0)

/* --- the durable one ----------------------------------------------------- */

static void
everything_is_there_after_close_and_open(void **state)
{
	struct store *s = *state;

	begin(s->kv);
	put(s->kv, L("a"), L("one"));
	commit(s->kv);
	begin(s->kv);
	put(s->kv, L("b"), L("left open"));
	s->kv->ops->close(s->kv);
	store_reopen(s);
	has(s->kv, L("a"), L("one"));
	lacks(s->kv, L("b"));
}

/* Writes and flushes in a process that is killed in a transaction. */
static void
write_and_die(const char *dir, int tell)
{
	struct kv_bdb_options o = store_options(dir);
	char why[256];
	struct kv *kv = kv_bdb_open(&o, why, sizeof(why));
	uint8_t key[4];
	uint32_t i;

	if (kv == NULL)
		_exit(1);
	for (i = 0; i < 2000; i++) {
		be32_put(key, i);
		if (kv->ops->begin(kv) == -1 ||
		    kv->ops->put(kv, KV_REG, bytes_of(key, 4), L("saved")) ==
			-1 ||
		    kv->ops->commit(kv) == -1 || kv->ops->flush(kv) == -1)
			_exit(2);
	}
	if (kv->ops->begin(kv) == -1 ||
	    kv->ops->put(kv, KV_REG, L("open"), L("lost")) == -1 ||
	    kv->ops->flush(kv) == -1 || write(tell, "x", 1) != 1)
		_exit(3);
	for (;;)
		pause();
}

static void
what_was_flushed_survives_kill(void **state)
{
	struct store *s = *state;
	uint8_t key[4];
	uint32_t i;
	pid_t pid;
	int tell[2];
	char c;

	s->kv->ops->close(s->kv);
	s->kv = NULL;
	assert_int_equal(pipe(tell), 0);
	if ((pid = fork()) == 0) {
		close(tell[0]);
		write_and_die(s->dir, tell[1]);
	}
	close(tell[1]);
	assert_int_equal(read(tell[0], &c, 1), 1);
	close(tell[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	store_reopen(s);
	for (i = 0; i < 2000; i++) {
		be32_put(key, i);
		has(s->kv, bytes_of(key, 4), L("saved"));
	}
	lacks(s->kv, L("open"));
}

static void
a_store_in_use_is_refused_in_words(void **state)
{
	struct store *s = *state;
	struct kv_bdb_options o = store_options(s->dir);
	char why[256] = "";

	assert_null(kv_bdb_open(&o, why, sizeof(why)));
	assert_non_null(strstr(why, "in use"));
	begin(s->kv);
	put(s->kv, L("a"), L("unharmed"));
	commit(s->kv);
	s->kv->ops->close(s->kv);
	s->kv = kv_bdb_open(&o, why, sizeof(why));
	assert_non_null(s->kv);
	has(s->kv, L("a"), L("unharmed"));
}

static void
a_directory_that_is_not_there_is_refused_in_words(void **state)
{
	struct kv_bdb_options o = store_options("/nonexistent/quire");
	char why[256] = "";

	(void)state;
	assert_null(kv_bdb_open(&o, why, sizeof(why)));
	assert_non_null(strstr(why, "/nonexistent/quire"));
}

static void
every_descriptor_closes_on_exec(void **state)
{
	struct store *s = *state;
	char path[300], to[300];
	struct dirent *e;
	ssize_t n;
	int fd, mine = 0;
	DIR *d;

	begin(s->kv);
	put(s->kv, L("a"), L("b"));
	commit(s->kv);
	assert_int_equal(s->kv->ops->flush(s->kv), 0);
	if ((d = opendir("/proc/self/fd")) == NULL)
		skip();
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
		if ((n = readlink(path, to, sizeof(to) - 1)) == -1)
			continue;
		to[n] = '\0';
		if (strncmp(to, s->dir, strlen(s->dir)) != 0)
			continue;
		fd = atoi(e->d_name);
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		mine++;
	}
	closedir(d);
	assert_true(mine >= 3); /* lock, log, a table */
}

static atomic_int flusher_stop;

static void *
flusher(void *arg)
{
	struct kv *kv = arg;

	while (!atomic_load(&flusher_stop))
		if (kv->ops->flush(kv) == -1)
			return (kv);
	return (NULL);
}

/*
 * The cache holds a small part of the data, so that pages are written out all
 * the time while the checkpoint thread and the flusher are at work.
 */
static void
checkpoints_and_flushes_run_beside_writes(void **state)
{
	struct store *s = *state;
	struct kv_bdb_stat st;
	struct buf v = BUF_INIT;
	uint64_t log_bytes = 0;
	pthread_t thread;
	unsigned int shrunk = 0;
	uint8_t key[4];
	void *answer;
	uint32_t i = 0;

	alarm(120);
	atomic_store(&flusher_stop, 0);
	assert_int_equal(pthread_create(&thread, NULL, flusher, s->kv), 0);
	do {
		begin(s->kv);
		do {
			/* spread over the tree, so that many pages change */
			be32_put(key, i * 2654435761u);
			counted_value(&v, i % 900 + 1);
			put(s->kv, bytes_of(key, 4), buf_bytes(&v));
		} while (++i % 64 != 0);
		if (i % 1024 == 0)
			s->kv->ops->abort(s->kv);
		else
			commit(s->kv);
		kv_bdb_stat(s->kv, &st);
		shrunk += st.log_bytes < log_bytes;
		log_bytes = st.log_bytes;
		assert_true(i < 1000000);
	} while (i < 40000 || st.checkpoints < 3 || shrunk < 2);
	atomic_store(&flusher_stop, 1);
	pthread_join(thread, &answer);
	assert_null(answer);
	s->kv->ops->close(s->kv);
	store_reopen(s);
	kv_bdb_stat(s->kv, &st);
	assert_true(st.log_bytes <= 3 * 2 * MIB);
	assert_true(st.data_bytes > 0);
	while (i-- > 0) {
		be32_put(key, i * 2654435761u);
		counted_value(&v, i % 900 + 1);
		if (i / 64 % 16 == 15)
			lacks(s->kv, bytes_of(key, 4));
		else
			has(s->kv, bytes_of(key, 4), buf_bytes(&v));
	}
	buf_free(&v);
	alarm(0);
}

static void
a_flush_of_many_commits_is_one_sync(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	int i;

	atomic_store(&syncs, 0);
	for (i = 0; i < 20; i++) {
		begin(kv);
		put(kv, L("a"), L("b"));
		commit(kv);
	}
	assert_int_equal(atomic_load(&syncs), 0);
	assert_int_equal(kv->ops->flush(kv), 0);
	assert_int_equal(atomic_load(&syncs), 1);
}

/* A sum over the file of the table that these tests write to. */
static uint32_t
table_sum(const struct store *s)
{
	char path[300];
	uint32_t sum = 0;
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "%s/reg.db", s->dir);
	if ((f = fopen(path, "r")) == NULL)
		return (0);
	while ((c = getc(f)) != EOF)
		sum = sum * 31 + (uint32_t)c;
	fclose(f);
	return (sum);
}

static int
fail_a_sync(struct store *s)
{
	struct kv *kv = s->kv;
	uint32_t before;

	CHECK(kv->ops->begin(kv) == 0);
	CHECK(kv->ops->put(kv, KV_REG, L("a"), L("b")) == 0);
	CHECK(kv->ops->commit(kv) == 0);
	atomic_store(&syncs, 0);
	atomic_store(&sync_errors, 1);
	CHECK(kv->ops->flush(kv) == -1);
	CHECK(atomic_load(&syncs) == 1);
	CHECK(kv->ops->flush(kv) == -1);
	CHECK(kv->ops->begin(kv) == -1);
	before = table_sum(s);
	kv->ops->close(kv);
	CHECK(atomic_load(&syncs) == 1);
	CHECK(table_sum(s) == before); /* its log may be lost */
	CHECK(kv_bdb_failed(kv) && !kv_bdb_damaged(kv));
	return (0);
}

/* The library by itself would try again, and be told that all is well. */
static void
a_failed_sync_is_never_tried_again(void **state)
{
	in_child(*state, fail_a_sync);
}

static int
fail_a_write(struct store *s)
{
	struct kv *kv = s->kv;
	struct rlimit whole, none;
	struct buf b = BUF_INIT;

	CHECK(getrlimit(RLIMIT_FSIZE, &whole) == 0);
	signal(SIGXFSZ, SIG_IGN);
	none = whole;
	none.rlim_cur = 0;
	CHECK(kv->ops->begin(kv) == 0);
	CHECK(kv->ops->put(kv, KV_REG, L("a"), L("never")) == 0);
	CHECK(kv->ops->commit(kv) == 0);
	CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
	CHECK(kv->ops->flush(kv) == -1);
	CHECK(setrlimit(RLIMIT_FSIZE, &whole) == 0);
	CHECK(kv->ops->flush(kv) == -1);
	CHECK(kv->ops->begin(kv) == -1);
	CHECK(kv->ops->get(kv, KV_REG, L("a"), &b) == -1);
	CHECK(kv->ops->scan(kv, KV_REG, L("a"), L("z"), 0, see, NULL) == -1);
	buf_free(&b);
	return (0);
}

static void
after_a_failed_flush_every_call_fails(void **state)
{
	in_child(*state, fail_a_write);
}

/* A read fails instead of missing a key, and the store is dead after. */
static int
read_damaged(struct store *s)
{
	struct buf b = BUF_INIT;
	uint8_t key[4];
	uint32_t i;
	int r = 1;

	for (i = 0; i < 1000 && r == 1; i++) {
		be32_put(key, i);
		r = s->kv->ops->get(s->kv, KV_REG, bytes_of(key, 4), &b);
	}
	buf_free(&b);
	CHECK(r == -1);
	CHECK(s->kv->ops->begin(s->kv) == -1);
	CHECK(kv_bdb_damaged(s->kv));
	return (0);
}

static void
a_damaged_page_is_noticed(void **state)
{
	struct store *s = *state;
	uint8_t key[4], octet;
	char path[300];
	uint32_t i;
	int fd;

	begin(s->kv);
	for (i = 0; i < 1000; i++) {
		be32_put(key, i);
		put(s->kv, bytes_of(key, 4), L("value"));
	}
	commit(s->kv);
	s->kv->ops->close(s->kv);
	snprintf(path, sizeof(path), "%s/reg.db", s->dir);
	assert_true((fd = open(path, O_RDWR)) != -1);
	for (i = 1; pread(fd, &octet, 1, i * 4096 + 3000) == 1; i++) {
		octet ^= 1;
		assert_int_equal(pwrite(fd, &octet, 1, i * 4096 + 3000), 1);
	}
	close(fd);
	store_reopen(s);
	in_child(s, read_damaged);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST_BOTH(
		    it_knows_whether_a_transaction_changed_anything),
		STORE_TEST_BOTH(
		    a_value_is_there_during_and_after_the_transaction),
		STORE_TEST_BOTH(values_of_any_size_come_back_whole),
		STORE_TEST_BOTH(tables_are_apart),
		STORE_TEST_BOTH(what_is_deleted_is_gone_and_twice_is_fine),
		STORE_TEST_BOTH(abort_leaves_nothing),
		STORE_TEST_BOTH(changes_need_a_transaction),
		STORE_TEST_BOTH(a_scan_is_ordered_and_half_open),
		STORE_TEST_BOTH(a_scan_ends_as_each_says),
		STORE_TEST_BOTH(a_scan_may_be_read_within),
		STORE_TEST_BOTH(
		    a_long_scan_misses_nothing_however_much_was_wanted),
		cmocka_unit_test(
		    the_cache_is_an_eighth_of_the_memory_within_bounds),
		STORE_TEST_BDB(random_operations_agree),
		STORE_TEST_BDB(everything_is_there_after_close_and_open),
		STORE_TEST_BDB(what_was_flushed_survives_kill),
		STORE_TEST_BDB(a_store_in_use_is_refused_in_words),
		STORE_TEST_BDB(
		    a_directory_that_is_not_there_is_refused_in_words),
		STORE_TEST_BDB(every_descriptor_closes_on_exec),
		STORE_TEST_BDB(checkpoints_and_flushes_run_beside_writes),
		STORE_TEST_BDB(a_flush_of_many_commits_is_one_sync),
		STORE_TEST_BDB(a_failed_sync_is_never_tried_again),
		STORE_TEST_BDB(after_a_failed_flush_every_call_fails),
		STORE_TEST_BDB(a_damaged_page_is_noticed),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
