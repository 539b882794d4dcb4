/*
 * The ring reader with a ring of its own and a socket pair for the client: what
 * goes out, what is passed over, and when a verdict is ripe.
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/conn_internal.h"

#define RING_BYTES 65536
#define ME	   7
#define OTHER	   8
#define MANY	   8000 /* of this, eight are more than the ring */

static struct {
	int behind;
	uint64_t stub;
	uint64_t verdict[8];
	int nverdicts;
	int opened;
	enum code opened_code;
} seen;

static void
fake_behind(struct conn *c, uint64_t seq)
{
	(void)c;
	(void)seq;
	seen.behind++;
}

static void
fake_stub(struct conn *c, const struct entry *e)
{
	(void)c;
	seen.stub = e->seq;
}

static void
fake_verdict(struct conn *c, const struct verdict_in *v)
{
	(void)c;
	seen.verdict[seen.nverdicts++] = v->tag;
}

static void
fake_opened(struct conn *c, const struct opened_in *o)
{
	(void)c;
	seen.opened++;
	seen.opened_code = o->code;
}

static const struct dialect fake = {
	.opened = fake_opened,
	.behind = fake_behind,
	.stub = fake_stub,
	.verdict = fake_verdict,
};

struct bench {
	struct ring ring;
	struct conn *c;
	int client;
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	int pair[2];

	memset(&seen, 0, sizeof(seen));
	b->c = calloc(1, sizeof(*b->c));
	assert_int_equal(ring_create(&b->ring, RING_BYTES), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	b->client = pair[1];
	b->c->fd = pair[0];
	b->c->link.fd = -1;
	b->c->dialect = &fake;
	b->c->phase = CONN_WS;
	b->c->session = ME;
	TAILQ_INIT(&b->c->ops);
	assert_int_equal(poller_open(&b->c->poller), 0);
	reader_init(&b->c->reader);
	again_init(&b->c->again, 0);
	assert_int_equal(reader_attach(&b->c->reader, ring_reader_fd(&b->ring),
			     -1, RING_BYTES, ring_tail(&b->ring)),
	    0);
	*state = b;
	return (0);
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	reader_detach(&b->c->reader);
	kept_clear(&b->c->reader.verdicts);
	if (b->c->poller.fd != -1)
		close(b->c->poller.fd);
	buf_free(&b->c->out);
	close(b->c->fd);
	close(b->client);
	ring_close(&b->ring);
	free(b->c);
	free(b);
	return (0);
}

static uint64_t
put(struct bench *b, uint64_t seq, uint64_t origin, unsigned flags,
    const char *text)
{
	struct ring_entry e = { .seq = seq,
		.origin = origin,
		.flags = (uint16_t)flags };
	struct bytes piece = bytes_str(text);
	uint64_t end = ring_put(&b->ring, &e, &piece, 1);

	ring_publish(&b->ring);
	return (end);
}

static void
verdict(struct bench *b, uint64_t tag, uint64_t seq, uint64_t position)
{
	struct msg m = MSG(VERDICT);

	m.f[verdict_tag].u = tag;
	m.f[verdict_seq].u = seq;
	m.f[verdict_position].u = position;
	assert_int_equal(reader_verdict(b->c, &m), 0);
}

static void
turn(struct bench *b)
{
	while (reader_verdicts(b->c) || reader_step(b->c))
		continue;
}

static void
expect(struct bench *b, const char *want)
{
	char got[256] = "";
	ssize_t n = read(b->client, got, sizeof(got) - 1);

	assert_string_equal(n < 0 ? "" : got, want);
}

static void
a_reader_that_was_not_set_live_sends_nothing(void **state)
{
	struct bench *b = *state;

	put(b, 1, OTHER, 0, "a");
	turn(b);
	expect(b, "");
	conn_live(b->c, 0);
	turn(b);
	expect(b, "a");
}

static void
nothing_is_sent_once_the_grant_has_ended(void **state)
{
	struct bench *b = *state;

	conn_live(b->c, 0);
	b->c->until_s = INT64_MAX;
	put(b, 1, OTHER, 0, "a");
	turn(b);
	expect(b, "a");
	b->c->until_s = 1;
	put(b, 2, OTHER, 0, "b");
	turn(b);
	expect(b, "");
}

static void
numbers_that_the_client_has_are_passed_over(void **state)
{
	struct bench *b = *state;

	put(b, 1, OTHER, 0, "a");
	put(b, 0, OTHER, 0, "s");
	put(b, 2, OTHER, 0, "b");
	put(b, 3, OTHER, 0, "c");
	conn_live(b->c, 2);
	turn(b);
	expect(b, "sc");
	assert_int_equal(conn_seq(b->c), 3);
}

static void
own_entries_marked_so_are_passed_over(void **state)
{
	struct bench *b = *state;

	put(b, 1, ME, RING_SKIP_ORIGIN, "a");
	put(b, 2, OTHER, RING_SKIP_ORIGIN, "b");
	put(b, 3, ME, 0, "c");
	conn_live(b->c, 0);
	turn(b);
	expect(b, "bc");
}

static void
a_verdict_waits_until_the_ring_was_read_up_to_it(void **state)
{
	struct bench *b = *state;
	uint64_t end;

	conn_live(b->c, 0);
	end = put(b, 1, OTHER, 0, "a");
	verdict(b, 5, 1, end);
	assert_int_equal(seen.nverdicts, 0);
	turn(b);
	expect(b, "a");
	assert_int_equal(seen.nverdicts, 1);
}

static void
a_verdict_waits_while_the_reader_is_paused(void **state)
{
	struct bench *b = *state;

	verdict(b, 5, 1, 0);
	turn(b);
	assert_int_equal(seen.nverdicts, 0);
	conn_live(b->c, 0);
	turn(b);
	assert_int_equal(seen.nverdicts, 1);
}

static void
the_reader_stops_before_an_own_entry_until_its_verdict(void **state)
{
	struct bench *b = *state;
	uint64_t end;

	b->c->reader.submits = 2;
	conn_wait_own(b->c, 1);
	conn_live(b->c, 0);
	put(b, 1, OTHER, 0, "a");
	put(b, 2, ME, 0, "b");
	put(b, 3, OTHER, 0, "c");
	end = put(b, 4, ME, 0, "d");
	turn(b);
	expect(b, "a");
	verdict(b, 11, 2, end);
	turn(b);
	assert_int_equal(seen.nverdicts, 1);
	expect(b, "bc");
	verdict(b, 12, 4, end);
	turn(b);
	assert_int_equal(seen.verdict[1], 12);
	expect(b, "d");
}

/* The verdict came before: nothing else will wake the worker. */
static void
to_arrive_before_an_own_entry_is_a_step(void **state)
{
	struct bench *b = *state;

	b->c->reader.submits = 1;
	conn_wait_own(b->c, 1);
	verdict(b, 11, 1, put(b, 1, ME, RING_SKIP_ORIGIN, "a"));
	conn_live(b->c, 0);
	assert_int_equal(reader_step(b->c), 1);
	assert_int_equal(reader_step(b->c), 0);
	assert_int_equal(reader_verdicts(b->c), 1);
	assert_int_equal(seen.verdict[0], 11);
}

static void
a_stub_pauses_the_reader_behind_what_came_before(void **state)
{
	struct bench *b = *state;

	put(b, 1, OTHER, 0, "a");
	put(b, 2, OTHER, RING_STUB, "");
	put(b, 3, OTHER, 0, "c");
	conn_live(b->c, 0);
	turn(b);
	expect(b, "a");
	assert_int_equal(seen.stub, 2);
	conn_live(b->c, 2);
	turn(b);
	expect(b, "c");
}

static void
put_many(struct bench *b, uint64_t seq, char c)
{
	char text[MANY];

	memset(text, c, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put(b, seq, OTHER, 0, text);
}

static void
a_reader_left_behind_says_so_and_stands_at_the_end(void **state)
{
	struct bench *b = *state;
	uint64_t seq;

	conn_live(b->c, 0);
	for (seq = 1; seq < 20; seq++)
		put_many(b, seq, 'x');
	turn(b);
	assert_int_equal(seen.behind, 1);
	expect(b, "");
	put(b, 20, OTHER, 0, "z");
	conn_live(b->c, 19);
	turn(b);
	expect(b, "z");
}

/* While the reader writes, the broker goes once around. */
static struct bench *lapped;

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	struct bench *b = lapped;
	uint64_t seq;

	lapped = NULL;
	for (seq = 10; b != NULL && seq < 30; seq++)
		put_many(b, seq, 'y');
	return (syscall(SYS_writev, fd, iov, n));
}

static void
what_is_overwritten_while_it_is_written_goes_out_whole(void **state)
{
	struct bench *b = *state;
	char got[MANY];
	uint64_t seq;
	size_t i;

	conn_live(b->c, 0);
	for (seq = 1; seq <= 3; seq++)
		put_many(b, seq, 'x');
	lapped = b;
	turn(b);
	assert_null(lapped);
	assert_int_equal(b->c->phase, CONN_WS);
	for (seq = 1; seq <= 3; seq++) {
		assert_int_equal(read(b->client, got, MANY - 1), MANY - 1);
		for (i = 0; i < MANY - 1; i++)
			assert_int_equal(got[i], 'x');
	}
	assert_int_equal(seen.behind, 1);
}

static void
nothing_overtakes_what_is_queued(void **state)
{
	struct bench *b = *state;

	conn_live(b->c, 0);
	output_add(b->c, BYTES_LIT("q"));
	put(b, 1, OTHER, 0, "a");
	turn(b);
	expect(b, "");
	output_flush(b->c);
	turn(b);
	expect(b, "qa");
}

static void
a_frame_that_the_client_takes_in_part_is_finished_first(void **state)
{
	struct bench *b = *state;
	char junk[4096] = { 0 }, got[8192];
	size_t junked = 0, total = 0;
	ssize_t n;

	while ((n = write(b->c->fd, junk, sizeof(junk))) > 0)
		junked += (size_t)n;
	conn_live(b->c, 0);
	put(b, 1, OTHER, 0, "abc");
	put(b, 2, OTHER, 0, "def");
	turn(b);
	assert_int_equal(conn_queued(b->c), 3);
	assert_int_equal(conn_seq(b->c), 1);
	while ((n = read(b->client, got, sizeof(got))) > 0)
		total += (size_t)n;
	assert_int_equal(total, junked);
	output_flush(b->c);
	turn(b);
	expect(b, "abcdef");
}

/* The document's ring as it goes on, in the writer's hands and the reader's. */
static void
renew(struct bench *b)
{
	uint64_t end = ring_end(&b->ring);

	ring_close(&b->ring);
	assert_int_equal(ring_create(&b->ring, RING_BYTES), 0);
	ring_begin_at(&b->ring, end);
	assert_int_equal(reader_move(&b->c->reader, ring_reader_fd(&b->ring),
			     -1, RING_BYTES, end),
	    0);
}

static void
the_reader_goes_on_in_the_next_ring_without_a_gap(void **state)
{
	struct bench *b = *state;
	uint64_t end;

	put(b, 1, OTHER, 0, "a");
	put(b, 2, OTHER, 0, "b");
	renew(b);
	end = put(b, 3, OTHER, 0, "c");
	turn(b);
	expect(b, "");
	conn_live(b->c, 0);
	turn(b);
	expect(b, "abc");
	renew(b);
	put(b, 0, OTHER, 0, "d");
	verdict(b, 5, 3, end);
	turn(b);
	expect(b, "d");
	assert_int_equal(seen.nverdicts, 1);
	assert_int_equal(seen.behind, 0);
}

static void
a_ring_missed_between_two_puts_the_reader_behind(void **state)
{
	struct bench *b = *state;

	put(b, 1, OTHER, 0, "a");
	renew(b);
	put(b, 2, OTHER, 0, "b");
	renew(b);
	conn_live(b->c, 0);
	turn(b);
	expect(b, "a");
	assert_int_equal(seen.behind, 1);
	put(b, 3, OTHER, 0, "c");
	conn_live(b->c, 2);
	turn(b);
	expect(b, "c");
}

static void
a_ring_for_a_document_that_was_left_is_let_go(void **state)
{
	struct bench *b = *state;

	reader_detach(&b->c->reader);
	renew(b);
	assert_null(b->c->reader.next.ring.map);
	assert_int_equal(reader_move(&b->c->reader, -1, -1, RING_BYTES, 0), -1);
}

/* The turn would come back at once, for ever: the broker would not be heard. */
static void
a_turn_is_not_given_away_once_the_grant_has_ended(void **state)
{
	struct bench *b = *state;
	int fd = lane_create();

	if (fd == -1)
		skip();
	assert_int_equal(lane_attach(&b->c->turn.lane, fd), 0);
	close(fd);
	b->c->turn.state = TURN_OURS;
	b->c->settings.fast_lane = 1;
	conn_live(b->c, 0);
	b->c->until_s = 1;
	put(b, 1, OTHER, 0, "a");
	turn(b);
	assert_int_equal(turn_give(b->c), 0);
	assert_int_equal(b->c->turn.state, TURN_OURS);
	lane_detach(&b->c->turn.lane);
}

static void
who_was_told_to_stop_closes_what_is_accepted_afterwards(void **state)
{
	struct bench *b = *state;

	b->c->welcome = b->c->ending = 1;
	assert_int_equal(exchange_step(b->c), 1);
	assert_int_equal(b->c->phase, CONN_CLOSING);
	assert_int_equal(exchange_step(b->c), 0);
}

/* Its answer has nothing to do with the document asked for meanwhile. */
static void
a_document_left_before_it_was_opened_is_not_the_next_one(void **state)
{
	struct bench *b = *state;
	struct msg opened = MSG(OPENED);
	struct chan broker;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	chan_init(&b->c->link, pair[0], IPC_FROM_BROKER, 1);
	chan_init(&broker, pair[1], IPC_FROM_WORKER, 0);
	b->c->welcome = 1;
	conn_open(b->c, DIALECT_SDS, 0, BYTES_LIT("one"), BYTES_NONE);
	conn_leave(b->c);
	conn_open(b->c, DIALECT_SDS, 0, BYTES_LIT("two"), BYTES_NONE);
	opened.f[opened_code].u = CODE_BUSY;
	assert_int_equal(chan_send(&broker, &opened), 0);
	opened.f[opened_code].u = CODE_QUOTA;
	assert_int_equal(chan_send(&broker, &opened), 0);
	assert_int_equal(chan_flush(&broker), 0);
	assert_int_equal(chan_read(&b->c->link), 1);
	assert_int_equal(link_step(b->c), 1);
	assert_int_equal(seen.opened, 0);
	assert_int_equal(link_step(b->c), 1);
	assert_int_equal(seen.opened, 1);
	assert_int_equal(seen.opened_code, CODE_QUOTA);
	chan_close(&b->c->link);
	chan_close(&broker);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_reader_that_was_not_set_live_sends_nothing),
		TEST(nothing_is_sent_once_the_grant_has_ended),
		TEST(numbers_that_the_client_has_are_passed_over),
		TEST(own_entries_marked_so_are_passed_over),
		TEST(a_verdict_waits_until_the_ring_was_read_up_to_it),
		TEST(a_verdict_waits_while_the_reader_is_paused),
		TEST(the_reader_stops_before_an_own_entry_until_its_verdict),
		TEST(to_arrive_before_an_own_entry_is_a_step),
		TEST(a_stub_pauses_the_reader_behind_what_came_before),
		TEST(a_reader_left_behind_says_so_and_stands_at_the_end),
		TEST(what_is_overwritten_while_it_is_written_goes_out_whole),
		TEST(nothing_overtakes_what_is_queued),
		TEST(a_frame_that_the_client_takes_in_part_is_finished_first),
		TEST(the_reader_goes_on_in_the_next_ring_without_a_gap),
		TEST(a_ring_missed_between_two_puts_the_reader_behind),
		TEST(a_ring_for_a_document_that_was_left_is_let_go),
		TEST(a_turn_is_not_given_away_once_the_grant_has_ended),
		TEST(who_was_told_to_stop_closes_what_is_accepted_afterwards),
		TEST(a_document_left_before_it_was_opened_is_not_the_next_one),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
