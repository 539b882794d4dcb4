/*
 * The fan-out process's service of one document, with a ring, lanes and
 * clients of the test's own.
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/fanout.h"

#define RING_BYTES 4096
#define FRAME	   512
#define LANES	   2

static struct ring ring; /* the broker's end */
static struct fanout_doc doc;
static struct fanout_lane lanes[LANES];
static int client[LANES];
static int woken;

static int
setup(void **state)
{
	static struct fanout_count count;
	int i, fd, pair[2];

	(void)state;
	fanout_counted = &count;
	memset(&doc, 0, sizeof(doc));
	memset(lanes, 0, sizeof(lanes));
	woken = 0;
	doc.bell = -1;
	TAILQ_INIT(&doc.lanes);
	assert_int_equal(ring_create(&ring, RING_BYTES), 0);
	assert_int_equal(ring_attach(&doc.ring, ring_reader_fd(&ring),
			     RING_BYTES),
	    0);
	for (i = 0; i < LANES; i++) {
		struct lane_place place = { 0, 0 };

		if ((fd = lane_create()) == -1)
			return (-1);
		assert_int_equal(lane_attach(&lanes[i].lane, fd), 0);
		close(fd);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		lanes[i].session = (uint64_t)i + 1;
		lanes[i].doc = &doc;
		lanes[i].fd = pair[0];
		client[i] = pair[1];
		fcntl(client[i], F_SETFL, O_NONBLOCK);
		lane_give(&lanes[i].lane, &place);
		TAILQ_INSERT_TAIL(&doc.lanes, &lanes[i], entry);
	}
	return (0);
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < LANES; i++) {
		lane_detach(&lanes[i].lane);
		close(lanes[i].fd);
		close(client[i]);
	}
	ring_close(&doc.ring);
	ring_close(&ring);
	return (0);
}

static void
put(uint64_t seq, char c)
{
	struct ring_entry e = { .seq = seq };
	uint8_t frame[FRAME];
	struct bytes piece = bytes_of(frame, sizeof(frame));

	memset(frame, c, sizeof(frame));
	assert_true(ring_put(&ring, &e, &piece, 1) > 0);
	ring_publish(&ring);
}

/* What went to a client: octets, and whether its end was closed. */
static ssize_t
got(int i, char *c)
{
	char text[2 * FRAME];
	ssize_t n = read(client[i], text, sizeof(text));

	*c = '\0';
	if (n > 0)
		*c = text[0];
	return (n);
}

static void
fill(int fd)
{
	static const char junk[65536];

	while (send(fd, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		continue;
	while (send(fd, junk, 1, MSG_DONTWAIT) > 0)
		continue;
}

static void
wake(uint64_t session)
{
	(void)session;
	woken++;
}

/* The broker goes once around while the first client is handed over. */
static void
wake_and_overwrite(uint64_t session)
{
	uint64_t seq;

	if (session == 1)
		for (seq = 2; seq < 20; seq++)
			put(seq, 'b');
	woken++;
}

static void
what_is_new_goes_to_every_client_that_is_level(void **state)
{
	char c;

	(void)state;
	put(1, 'a');
	fanout_doc_serve(&doc, wake);
	assert_int_equal(woken, 0);
	assert_int_equal(got(0, &c), FRAME);
	assert_int_equal(got(1, &c), FRAME);
	assert_int_equal(c, 'a');
}

static void
what_is_overwritten_while_it_is_written_reaches_everybody_whole(void **state)
{
	struct lane_place place;
	struct bytes rest;
	char c;

	(void)state;
	put(1, 'a');
	fill(lanes[0].fd);
	fanout_doc_serve(&doc, wake_and_overwrite);
	assert_int_equal(woken, 1);
	assert_int_equal(got(1, &c), FRAME);
	assert_int_equal(c, 'a');
	/* What came meanwhile is gone: its worker will see that it is behind.
	 */
	fanout_doc_serve(&doc, wake);
	assert_int_equal(woken, 2);
	assert_int_equal(got(1, &c), -1);
	assert_int_equal(lane_take(&lanes[1].lane, &place, &rest), 1);
	assert_int_equal(place.seq, 1);
	assert_int_equal(rest.n, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_new_goes_to_every_client_that_is_level),
		TEST(
		    what_is_overwritten_while_it_is_written_reaches_everybody_whole),
	};
	int fd = lane_create();

	if (fd == -1)
		return (77);
	close(fd);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
