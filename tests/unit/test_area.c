/*
 * Answers in memory that a worker is lent: the real broker over its real
 * socket, and the worker's side of it by itself.
 */
#include <sys/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/ring_memory.h"
#include "common/sds.h"
#include "common/wire.h"
#include "tests/lib/peer.h"
#include "worker/lent.h"

/* An area's answer holds five of them, the socket's one. */
#define RECORDS	     11u
#define RECORD_BYTES (100u * KIB)
#define AREAS	     32 /* as many as there may be */
#define PAGES	     4	/* answers before the first is asked for there */

static struct server server;
static uint8_t body[RECORD_BYTES];

static int
setup(void **state)
{
	struct msg m = MSG(SUBMIT);
	struct peer p;
	size_t i;

	(void)state;
	log_init("test_area", LOG_TO_STDERR, LOG_LEVEL_ERROR);
	server_make(&server);
	server_setting(&server, "log_level error");
	server_start(&server, SERVER_BROKER);
	peer_join(&p, &server, "store", "write");
	m.f[submit_verb].u = SDS_VERB_PATCH;
	m.f[submit_body].b = bytes_of(body, sizeof(body));
	for (i = 0; i < RECORDS; i++) {
		peer_send(&p, &m);
		peer_verdict(&p, CODE_OK);
	}
	peer_close(&p);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	server_stop(&server, SERVER_BROKER, 0);
	server_remove(&server);
	return (0);
}

static void
ask(struct peer *p, uint64_t after)
{
	struct msg m = MSG(FETCH);

	m.f[fetch_what].u = FETCH_LOG;
	m.f[fetch_after].u = after;
	m.f[fetch_limit].u = FETCH_AREA_BYTES;
	m.f[fetch_area].u = 1;
	peer_send(p, &m);
}

/* All that an answer says is from that number on; the last one. */
static uint64_t
last(struct bytes in, uint64_t after)
{
	struct entry e;

	while (entry_unpack(&in, &e) == 1) {
		assert_int_equal(e.seq, ++after);
		assert_int_equal(e.body.n, RECORD_BYTES);
	}
	assert_int_equal(in.n, 0);
	return (after);
}

/* The descriptor of an area that comes before an answer. */
static int
area(struct peer *p)
{
	int fd;

	peer_want(p, IPC_AREA);
	assert_int_not_equal(fd = chan_take_fd(&p->chan), -1);
	return (fd);
}

static struct bytes
answer(struct peer *p, struct lent *l)
{
	struct bytes in;

	peer_want(p, IPC_FETCHED);
	assert_int_equal(p->m.f[fetched_code].u, CODE_OK);
	in = p->m.f[fetched_entries].b;
	assert_int_equal(lent_answer(l, p->m.f[fetched_area].u, &in), 0);
	assert_true(in.n > 0);
	return (in);
}

static void
answers_lie_in_one_area_until_there_is_no_more(void **state)
{
	struct lent l = { .map = NULL };
	uint64_t after = 0;
	struct peer p;
	int n = 0, fd;

	(void)state;
	peer_join(&p, &server, "store", "read");
	ask(&p, after);
	fd = area(&p);
	assert_int_equal(lent_attach(&l, fd, p.m.f[area_size].u), 0);
	do {
		if (n++ > 0)
			ask(&p, after);
		after = last(answer(&p, &l), after);
		assert_true(p.m.f[fetched_area].u > 0);
		assert_int_equal(p.m.f[fetched_entries].b.n, 0);
	} while (p.m.f[fetched_more].u != 0);
	assert_int_equal(n, (RECORDS + 4) / 5);
	assert_int_equal(after, RECORDS);
	lent_answered(&l, 0);
	assert_null(l.map);
	ask(&p, 0);
	close(area(&p));
	peer_close(&p);
}

static void
an_area_is_the_brokers_to_write(void **state)
{
	struct peer p;
	size_t size;
	void *map;
	int fd;

	(void)state;
	peer_join(&p, &server, "store", "read");
	ask(&p, 0);
	fd = area(&p);
	size = (size_t)p.m.f[area_size].u;
	assert_ptr_equal(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			     fd, 0),
	    MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mprotect(map, size, PROT_READ | PROT_WRITE), -1);
	munmap(map, size);
	close(fd);
	peer_close(&p);
}

/* The second would come where the first is being read. */
static void
of_two_asked_for_at_once_none_lies_in_an_area(void **state)
{
	struct lent none = { .map = NULL };
	struct msg m = MSG(FETCH);
	struct peer p;
	int i;

	(void)state;
	peer_join(&p, &server, "store", "read");
	m.f[fetch_what].u = FETCH_LOG;
	m.f[fetch_area].u = 1;
	assert_int_equal(chan_send(&p.chan, &m), 0);
	peer_send(&p, &m);
	for (i = 0; i < 2; i++)
		assert_int_equal(last(answer(&p, &none), 0), 1);
	peer_close(&p);
}

/* What comes meanwhile is one batch. */
static void
broker_stop(void)
{
	int status;

	assert_int_equal(kill(server.broker, SIGSTOP), 0);
	assert_int_equal(waitpid(server.broker, &status, WUNTRACED),
	    server.broker);
}

static void
broker_go_on(void)
{
	assert_int_equal(kill(server.broker, SIGCONT), 0);
}

/* It would be seen before it is on the disk. */
static void
what_the_same_batch_changed_lies_in_no_area(void **state)
{
	struct lent none = { .map = NULL };
	struct msg m = MSG(SUBMIT);
	struct peer writer, p;

	(void)state;
	peer_join(&writer, &server, "other", "write");
	peer_join(&p, &server, "other", "read");
	broker_stop();
	m.f[submit_verb].u = SDS_VERB_PATCH;
	m.f[submit_body].b = bytes_of(body, sizeof(body));
	peer_send(&writer, &m);
	ask(&p, 0);
	broker_go_on();
	assert_int_equal(last(answer(&p, &none), 0), 1);
	peer_close(&writer);
	ask(&p, 0);
	close(area(&p));
	peer_close(&p);
}

static void
whom_others_wait_for_gets_less_at_once(void **state)
{
	struct lent l[2] = { { .map = NULL }, { .map = NULL } };
	struct peer p[2];
	int i, fd;

	(void)state;
	for (i = 0; i < 2; i++)
		peer_join(&p[i], &server, "store", "read");
	broker_stop();
	for (i = 0; i < 2; i++)
		ask(&p[i], 0);
	broker_go_on();
	for (i = 0; i < 2; i++) {
		fd = area(&p[i]);
		assert_int_equal(lent_attach(&l[i], fd, p[i].m.f[area_size].u),
		    0);
		assert_int_equal(last(answer(&p[i], &l[i]), 0), 1);
	}
	ask(&p[0], 1);
	assert_int_equal(last(answer(&p[0], &l[0]), 1), 6);
	for (i = 0; i < 2; i++) {
		lent_free(&l[i]);
		peer_close(&p[i]);
	}
}

static void
who_is_one_too_many_has_answers_by_the_socket(void **state)
{
	static struct peer p[AREAS];
	struct lent none = { .map = NULL };
	struct peer late;
	int i;

	(void)state;
	for (i = 0; i < AREAS; i++) {
		peer_join(&p[i], &server, "store", "read");
		ask(&p[i], 0);
		close(area(&p[i]));
	}
	peer_join(&late, &server, "store", "read");
	ask(&late, 0);
	assert_int_equal(last(answer(&late, &none), 0), 1);
	/* Whoever leaves gives his back. */
	peer_close(&p[0]);
	do
		ask(&late, 0);
	while (peer_next(&late) == IPC_FETCHED);
	assert_int_equal(late.m.type, IPC_AREA);
	close(chan_take_fd(&late.chan));
	peer_close(&late);
	for (i = 1; i < AREAS; i++)
		peer_close(&p[i]);
}

static void
who_reads_little_is_lent_nothing(void **state)
{
	struct lent l = { .map = NULL };
	struct bytes none;
	int i;

	(void)state;
	for (i = 0; i < PAGES; i++) {
		assert_false(lent_ask(&l));
		lent_answer(&l, 0, &none);
		lent_answered(&l, 1);
	}
	assert_true(lent_ask(&l));
	/* Nor for a question while another waits for its answer. */
	assert_false(lent_ask(&l));
	lent_answer(&l, 0, &none);
	lent_answered(&l, 1);
	assert_false(lent_ask(&l));
	lent_answer(&l, 0, &none);
	lent_answer(&l, 0, &none);
	lent_answered(&l, 0);
	assert_false(lent_ask(&l));
}

static void
an_answer_is_within_what_was_lent(void **state)
{
	struct lent l = { .map = NULL };
	struct bytes in;
	void *map;
	int fd;

	(void)state;
	assert_int_equal(lent_answer(&l, 1, &in), -1);
	assert_int_not_equal(fd = ring_memory_make(4096, &map), -1);
	assert_int_equal(lent_attach(&l, dup(fd), 8192), -1);
	assert_int_equal(lent_attach(&l, -1, 4096), -1);
	assert_int_equal(lent_attach(&l, fd, 4096), 0);
	assert_int_equal(lent_answer(&l, 4097, &in), -1);
	assert_int_equal(lent_answer(&l, 4096, &in), 0);
	assert_int_equal(in.n, 4096);
	lent_free(&l);
	assert_int_equal(lent_answer(&l, 1, &in), -1);
	munmap(map, 4096);
}

static void
memory_of_another_neither_grows_nor_is_freed(void **state)
{
	uint8_t mem[8 * KIB];
	struct buf b = { .mem = mem, .cap = sizeof(mem), .fixed = 1 };

	(void)state;
	assert_int_equal(buf_add(&b, body, 4), 0);
	buf_fit(&b);
	assert_int_equal(buf_add(&b, body, sizeof(mem) - 4), 0);
	assert_ptr_equal(b.mem, mem);
	assert_int_equal(buf_add(&b, body, 1), -1);
	assert_int_equal(b.failed, 1);
	buf_free(&b);
	assert_null(b.mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    answers_lie_in_one_area_until_there_is_no_more),
		cmocka_unit_test(an_area_is_the_brokers_to_write),
		cmocka_unit_test(of_two_asked_for_at_once_none_lies_in_an_area),
		cmocka_unit_test(what_the_same_batch_changed_lies_in_no_area),
		cmocka_unit_test(whom_others_wait_for_gets_less_at_once),
		cmocka_unit_test(who_is_one_too_many_has_answers_by_the_socket),
		cmocka_unit_test(who_reads_little_is_lent_nothing),
		cmocka_unit_test(an_answer_is_within_what_was_lent),
		cmocka_unit_test(memory_of_another_neither_grows_nor_is_freed),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
