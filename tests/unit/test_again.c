/*
 * A connection whose broker goes: what it says to the next one, and what its
 * dialect is told.  Both brokers and the keeper are socket pairs of the test's.
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/wire.h"
#include "tests/lib/pass.h"
#include "worker/conn_internal.h"

#define RING_BYTES 65536
#define ME	   7
#define OTHER	   8
#define MEMBERS	   5

static struct {
	uint64_t verdict[8];
	enum code code[8];
	int nverdicts;
	uint64_t stub[8];
	int nstubs;
} seen;

static void
fake_verdict(struct conn *c, const struct verdict_in *v)
{
	(void)c;
	seen.code[seen.nverdicts] = v->code;
	seen.verdict[seen.nverdicts++] = v->tag;
}

static void
fake_stub(struct conn *c, const struct entry *e)
{
	seen.stub[seen.nstubs++] = e->seq;
	conn_live(c, e->seq);
}

static const struct dialect fake = {
	.verdict = fake_verdict,
	.stub = fake_stub,
};

struct bench {
	struct conn *c;
	struct chan broker;
	struct ring ring;
	int client;
	int bell[2];
};

static void
link_new(struct chan *broker, int *worker)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	chan_init(broker, pair[1], IPC_FROM_WORKER, 0);
	*worker = pair[0];
}

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct conn *c = b->c = calloc(1, sizeof(*c));
	int pair[2], fd;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(ring_create(&b->ring, RING_BYTES), 0);
	ring_set_members(&b->ring, MEMBERS);
	assert_int_equal(pipe(b->bell), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	b->client = pair[1];
	assert_int_equal(poller_open(&c->poller), 0);
	c->fd = pair[0];
	link_new(&b->broker, &fd);
	chan_init(&c->link, fd, IPC_FROM_BROKER, 1);
	again_init(&c->again, 1);
	c->dialect = &fake;
	c->phase = CONN_WS;
	c->session = ME;
	c->welcome = 1;
	c->now_ms = 1000;
	c->settings.broker_wait_ms = 30000;
	TAILQ_INIT(&c->ops);
	reader_init(&c->reader);
	conn_open(c, DIALECT_CANVAS, 0, BYTES_LIT("room"), BYTES_LIT("card"));
	c->opening = 0;
	buf_add_str(&c->again.ticket, "ticket");
	assert_int_equal(reader_attach(&c->reader, ring_reader_fd(&b->ring),
			     dup(b->bell[0]), RING_BYTES, 0),
	    0);
	conn_wait_own(c, 1);
	conn_live(c, 0);
	*state = b;
	return (0);
}

static int
teardown(void **state)
{
	struct bench *b = *state;
	struct conn *c = b->c;

	chan_close(&b->broker);
	chan_close(&c->link);
	kept_clear(&c->ops);
	reader_detach(&c->reader);
	kept_clear(&c->reader.verdicts);
	buf_free(&c->again.ticket);
	kept_clear(&c->again.open);
	kept_clear(&c->again.sent);
	if (c->poller.fd != -1)
		close(c->poller.fd);
	buf_free(&c->out);
	buf_free(&c->later);
	if (c->fd != -1)
		close(c->fd);
	close(b->client);
	close(b->bell[0]);
	close(b->bell[1]);
	ring_close(&b->ring);
	free(c);
	free(b);
	return (0);
}

static void
submit(struct bench *b, uint64_t tag)
{
	struct submit_out out = { .tag = tag, .body = BYTES_LIT("body") };

	conn_submit(b->c, &out);
}

static void
turn(struct bench *b)
{
	struct conn *c = b->c;

	link_flush(c);
	if (c->link.fd != -1 && chan_read(&c->link) == -1)
		link_end(c, "end");
	while (link_step(c) || submit_step(c) || reader_verdicts(c) ||
	    reader_step(c))
		continue;
	link_flush(c);
}

/* The broker goes with what it had in mind. */
static void
ends(struct bench *b)
{
	link_flush(b->c);
	chan_close(&b->broker);
	turn(b);
}

/* The same, and the keeper passes the worker on to another. */
static void
die(struct bench *b)
{
	struct chan next;
	int fd;

	link_new(&next, &fd);
	link_flush(b->c);
	assert_int_equal(pass(b->broker.fd, fd), 0);
	close(fd);
	chan_close(&b->broker);
	b->broker = next;
	turn(b);
}

/* What the worker says next is this. */
static void
hears(struct bench *b, enum ipc_type type, struct msg *m)
{
	int r;

	while ((r = chan_next(&b->broker, m)) == 0)
		assert_int_equal(chan_read(&b->broker), 1);
	assert_int_equal(r, 1);
	assert_int_equal(m->type, type);
}

static void
hears_tag(struct bench *b, enum ipc_type type, uint64_t tag)
{
	struct msg m;

	hears(b, type, &m);
	assert_int_equal(m.f[0].u, tag);
}

static void
silent(struct bench *b)
{
	struct msg m;

	(void)chan_read(&b->broker);
	assert_int_equal(chan_next(&b->broker, &m), 0);
}

static void
told(struct buf *list, uint64_t number, enum code code, uint64_t seq)
{
	uint8_t head[17];

	head[0] = (uint8_t)code;
	be64_put(head + 1, number);
	be64_put(head + 9, seq);
	list_add(list, bytes_of(head, sizeof(head)));
	list_add(list, BYTES_NONE);
}

/* From HELLO to the document open again at seq, with those verdicts. */
static void
resumes(struct bench *b, uint64_t from, struct buf *verdicts, uint64_t seq)
{
	struct msg m, w = MSG(WELCOME), r = MSG(RESUMED), o = MSG(OPENED);
	int fds[2] = { ring_reader_fd(&b->ring), b->bell[0] };

	hears(b, IPC_HELLO, &m);
	assert_int_equal(m.f[hello_kind].u, HELLO_WAITS);
	hears(b, IPC_RESUME, &m);
	assert_true(bytes_eq(m.f[resume_ticket].b, BYTES_LIT("ticket")));
	assert_int_equal(m.f[resume_from].u, from);
	assert_int_equal(m.f[resume_members].u, MEMBERS);
	w.f[welcome_session].u = 99;
	r.f[resumed_session].u = ME;
	r.f[resumed_verdicts].b = buf_bytes(verdicts);
	assert_int_equal(chan_send(&b->broker, &w), 0);
	assert_int_equal(chan_send(&b->broker, &r), 0);
	assert_int_equal(chan_flush(&b->broker), 0);
	turn(b);
	hears(b, IPC_OPEN, &m);
	assert_true(bytes_eq(m.f[open_name].b, BYTES_LIT("room")));
	assert_true(bytes_eq(m.f[open_card].b, BYTES_LIT("card")));
	o.f[opened_seq].u = seq;
	o.f[opened_ring].u = RING_BYTES;
	assert_int_equal(chan_send_fds(&b->broker, &o, fds, 2), 0);
	assert_int_equal(chan_flush(&b->broker), 0);
	turn(b);
	close(fds[0]);
	buf_free(verdicts);
	assert_false(again_waits(b->c));
}

/* The answer to the question for what was missed. */
static void
missed(struct bench *b, uint64_t after, const struct entry *e, size_t n)
{
	struct msg m, f = MSG(FETCHED);
	struct buf list = BUF_INIT;
	size_t i;

	hears(b, IPC_FETCH, &m);
	assert_int_equal(m.f[fetch_what].u, FETCH_LOG);
	assert_int_equal(m.f[fetch_after].u, after);
	for (i = 0; i < n; i++)
		entry_pack(&list, &e[i]);
	f.f[fetched_tag].u = m.f[fetch_tag].u;
	f.f[fetched_entries].b = buf_bytes(&list);
	assert_int_equal(chan_send(&b->broker, &f), 0);
	assert_int_equal(chan_flush(&b->broker), 0);
	turn(b);
	buf_free(&list);
}

static void
what_was_not_answered_is_asked_again_in_its_order(void **state)
{
	struct bench *b = *state;
	struct buf none = BUF_INIT;

	submit(b, 1);
	conn_sync(b->c, 2);
	conn_fetch(b->c, 3, FETCH_LOG, 0, 9, BYTES_NONE, BYTES_NONE);
	die(b);
	assert_true(again_waits(b->c));
	submit(b, 4);
	resumes(b, 1, &none, 0);
	hears_tag(b, IPC_SUBMIT, 1);
	hears_tag(b, IPC_SYNC, 2);
	hears_tag(b, IPC_FETCH, 3);
	hears_tag(b, IPC_SUBMIT, 4);
	silent(b);
}

static void
what_was_decided_is_answered_and_not_sent_again(void **state)
{
	const struct entry mine = { .seq = 5, .origin = ME };
	struct bench *b = *state;
	struct buf list = BUF_INIT;

	conn_sync(b->c, 1);
	submit(b, 2);
	submit(b, 3);
	die(b);
	told(&list, 1, CODE_OK, 5);
	resumes(b, 1, &list, 5);
	hears_tag(b, IPC_SUBMIT, 3);
	missed(b, 0, &mine, 1);
	assert_int_equal(seen.nverdicts, 2);
	assert_int_equal(seen.verdict[0], 1);
	assert_int_equal(seen.verdict[1], 2);
	silent(b);
}

static void
verdicts_that_came_before_the_end_count(void **state)
{
	struct bench *b = *state;
	struct msg v = MSG(VERDICT);
	struct buf none = BUF_INIT;

	submit(b, 1);
	submit(b, 2);
	v.f[verdict_tag].u = 1;
	assert_int_equal(chan_send(&b->broker, &v), 0);
	assert_int_equal(chan_flush(&b->broker), 0);
	die(b);
	turn(b);
	assert_int_equal(seen.nverdicts, 1);
	resumes(b, 2, &none, 0);
	hears_tag(b, IPC_SUBMIT, 2);
}

static void
what_others_wrote_meanwhile_comes_before_the_ring(void **state)
{
	const struct entry theirs[] = { { .seq = 1, .origin = OTHER },
		{ .seq = 2, .origin = OTHER } };
	struct bench *b = *state;
	struct buf none = BUF_INIT;

	die(b);
	resumes(b, 1, &none, 2);
	missed(b, 0, theirs, 2);
	assert_int_equal(seen.nstubs, 2);
	assert_int_equal(seen.stub[0], 1);
	assert_int_equal(seen.stub[1], 2);
	assert_int_equal(conn_seq(b->c), 2);
}

static void
a_verdict_waits_for_what_was_missed_before_it(void **state)
{
	const struct entry log[] = { { .seq = 1, .origin = OTHER },
		{ .seq = 2, .origin = ME } };
	struct bench *b = *state;
	struct buf list = BUF_INIT;

	submit(b, 1);
	die(b);
	told(&list, 1, CODE_OK, 2);
	resumes(b, 1, &list, 2);
	assert_int_equal(seen.nverdicts, 0);
	missed(b, 0, log, 2);
	assert_int_equal(seen.nstubs, 1);
	assert_int_equal(seen.nverdicts, 1);
}

static void
two_brokers_may_go_one_after_the_other(void **state)
{
	struct bench *b = *state;
	struct buf none = BUF_INIT;
	struct msg m;

	submit(b, 1);
	die(b);
	hears(b, IPC_HELLO, &m);
	die(b);
	assert_true(again_waits(b->c));
	resumes(b, 1, &none, 0);
	hears_tag(b, IPC_SUBMIT, 1);
	die(b);
	resumes(b, 1, &none, 0);
	hears_tag(b, IPC_SUBMIT, 1);
}

static void
nobody_waits_without_a_keeper(void **state)
{
	struct bench *b = *state;

	ends(b);
	assert_false(again_waits(b->c));
	assert_true(b->c->phase >= CONN_CLOSING);
}

static void
nor_where_it_ends_as_well(void **state)
{
	struct bench *b = *state;

	die(b);
	assert_true(again_waits(b->c));
	ends(b);
	assert_false(again_waits(b->c));
	assert_true(b->c->phase >= CONN_CLOSING);
}

static void
nor_while_a_token_is_looked_at(void **state)
{
	struct bench *b = *state;

	b->c->again.logins = 1;
	die(b);
	assert_false(again_waits(b->c));
}

static void
nor_where_the_operator_says_so(void **state)
{
	struct bench *b = *state;

	b->c->settings.broker_wait_ms = 0;
	die(b);
	assert_false(again_waits(b->c));
}

static void
an_older_document_is_another_one(void **state)
{
	struct bench *b = *state;
	struct msg m, w = MSG(WELCOME), r = MSG(RESUMED), o = MSG(OPENED);
	int fds[2] = { ring_reader_fd(&b->ring), b->bell[0] };

	conn_live(b->c, 9);
	die(b);
	hears(b, IPC_HELLO, &m);
	r.f[resumed_session].u = ME;
	o.f[opened_seq].u = 8;
	o.f[opened_ring].u = RING_BYTES;
	assert_int_equal(chan_send(&b->broker, &w), 0);
	assert_int_equal(chan_send(&b->broker, &r), 0);
	assert_int_equal(chan_send_fds(&b->broker, &o, fds, 2), 0);
	assert_int_equal(chan_flush(&b->broker), 0);
	turn(b);
	turn(b);
	close(fds[0]);
	assert_true(b->c->phase >= CONN_CLOSING);
}

/* What it has said waits in the kernel, so its clocks stand still. */
static void
a_client_that_is_not_read_is_not_late(void **state)
{
	struct bench *b = *state;
	struct conn *c = b->c;

	c->settings.message_ms = c->settings.handshake_ms = 500;
	c->message_at = c->now_ms + 500;
	die(b);
	assert_true(again_waits(c));
	c->now_ms += 600;
	conn_timers(c);
	assert_int_equal(c->phase, CONN_WS);
	assert_int_equal(c->message_at, c->now_ms + 500);
	/* As if it were between two requests. */
	conn_phase(c, CONN_HEAD, 500);
	c->now_ms += 600;
	conn_timers(c);
	assert_int_equal(c->phase, CONN_HEAD);
	assert_int_equal(c->phase_at, c->now_ms + 500);
	assert_int_not_equal(c->end, SOURCE_LATE);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_not_answered_is_asked_again_in_its_order),
		TEST(what_was_decided_is_answered_and_not_sent_again),
		TEST(verdicts_that_came_before_the_end_count),
		TEST(what_others_wrote_meanwhile_comes_before_the_ring),
		TEST(a_verdict_waits_for_what_was_missed_before_it),
		TEST(two_brokers_may_go_one_after_the_other),
		TEST(nobody_waits_without_a_keeper),
		TEST(nor_where_it_ends_as_well),
		TEST(nor_while_a_token_is_looked_at),
		TEST(nor_where_the_operator_says_so),
		TEST(an_older_document_is_another_one),
		TEST(a_client_that_is_not_read_is_not_late),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
