/*
 * Channels over a socket pair: halves, backlogs, descriptors, ends.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/chan.h"
#include "common/limits.h"
#include "tests/lib/pass.h"

static struct chan broker;
static struct chan worker;

static int
setup(void **state)
{
	int sp[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == -1)
		return (-1);
	chan_init(&broker, sp[0], IPC_FROM_WORKER, 0);
	chan_init(&worker, sp[1], IPC_FROM_BROKER, 1);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	chan_close(&broker);
	chan_close(&worker);
	return (0);
}

static void
assert_verdict(struct chan *c, uint64_t tag)
{
	struct msg m;

	assert_int_equal(chan_next(c, &m), 1);
	assert_int_equal(m.type, IPC_VERDICT);
	assert_true(m.f[verdict_tag].u == tag);
}

static void
send_verdict(uint64_t tag, struct bytes info)
{
	struct msg m = MSG(VERDICT);

	m.f[verdict_tag].u = tag;
	m.f[verdict_info].b = info;
	assert_int_equal(chan_send(&broker, &m), 0);
}

/* OPENED with two descriptors of one new pipe; the caller has its ends. */
static int
send_opened(uint64_t seq, int pipefd[2])
{
	struct msg m = MSG(OPENED);

	m.f[opened_seq].u = seq;
	assert_int_equal(pipe(pipefd), 0);
	return (chan_send_fds(&broker, &m, pipefd, 2));
}

static void
a_message_crosses(void **state)
{
	struct msg hello = MSG(HELLO), m;

	(void)state;
	hello.f[hello_peer].b = BYTES_LIT("192.0.2.1");
	assert_int_equal(chan_send(&worker, &hello), 0);
	assert_true(chan_pending(&worker) > 0);
	assert_int_equal(chan_flush(&worker), 0);
	assert_true(chan_pending(&worker) == 0);
	assert_int_equal(chan_read(&broker), 1);
	assert_int_equal(chan_next(&broker, &m), 1);
	assert_int_equal(m.type, IPC_HELLO);
	assert_true(bytes_eq(m.f[hello_peer].b, BYTES_LIT("192.0.2.1")));
	assert_int_equal(chan_next(&broker, &m), 0);
	assert_int_equal(chan_read(&broker), 0);
}

static void
a_frame_may_come_octet_by_octet(void **state)
{
	struct buf out = BUF_INIT;
	struct msg m = MSG(KICK);
	size_t i;

	(void)state;
	m.f[kick_code].u = 300;
	assert_int_equal(ipc_pack(&out, &m), 0);
	for (i = 0; i < out.len; i++) {
		assert_int_equal(chan_read(&worker), 0);
		assert_int_equal(chan_next(&worker, &m), 0);
		assert_int_equal(write(broker.fd, out.mem + i, 1), 1);
		assert_int_equal(chan_read(&worker), 1);
	}
	assert_int_equal(chan_next(&worker, &m), 1);
	assert_true(m.f[kick_code].u == 300);
	buf_free(&out);
}

static void
several_frames_and_a_half_come_apart(void **state)
{
	struct buf out = BUF_INIT;
	struct msg m = MSG(KICK);
	uint64_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		m.f[kick_code].u = i;
		assert_int_equal(ipc_pack(&out, &m), 0);
	}
	assert_int_equal(write(broker.fd, out.mem, out.len - 1),
	    (int)out.len - 1);
	assert_int_equal(chan_read(&worker), 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(chan_next(&worker, &m), 1);
		assert_true(m.f[kick_code].u == i);
	}
	assert_int_equal(chan_next(&worker, &m), 0);
	assert_int_equal(write(broker.fd, out.mem + out.len - 1, 1), 1);
	assert_int_equal(chan_read(&worker), 1);
	assert_int_equal(chan_next(&worker, &m), 1);
	assert_true(m.f[kick_code].u == 3);
	buf_free(&out);
}

static void
buffers_are_given_back_when_empty(void **state)
{
	static uint8_t large[200000];
	struct msg m;

	(void)state;
	assert_null(broker.out.mem);
	send_verdict(1, bytes_of(large, sizeof(large)));
	while (chan_flush(&broker) == 1 || worker.in.len < sizeof(large))
		assert_int_equal(chan_read(&worker), 1);
	assert_null(broker.out.mem);
	assert_verdict(&worker, 1);
	assert_non_null(worker.in.mem);
	assert_int_equal(chan_next(&worker, &m), 0);
	assert_null(worker.in.mem);
	assert_int_equal(chan_read(&worker), 0);
	assert_null(worker.in.mem);
}

static void
a_backlog_arrives_whole_and_in_order(void **state)
{
	static uint8_t body[10000];
	uint64_t sent = 0, seen = 0;
	struct msg m;
	int left;

	(void)state;
	do {
		memset(body, (int)(sent & 0xff), sizeof(body));
		send_verdict(sent++, bytes_of(body, sizeof(body)));
		left = chan_flush(&broker);
		assert_true(left >= 0);
	} while (left == 0 || sent < 200);
	assert_true(chan_pending(&broker) > 0);
	while (seen < sent) {
		assert_int_equal(chan_read(&worker), 1);
		while (chan_next(&worker, &m) == 1) {
			assert_true(m.f[verdict_tag].u == seen);
			memset(body, (int)(seen & 0xff), sizeof(body));
			assert_true(bytes_eq(m.f[verdict_info].b,
			    bytes_of(body, sizeof(body))));
			seen++;
		}
		assert_true(chan_flush(&broker) >= 0);
	}
	assert_true(chan_pending(&broker) == 0);
}

/* A FETCHED of such entries; the body has room in front. */
static void
send_fetched(uint64_t tag, struct bytes entries, size_t front, struct buf *body)
{
	struct msg m = MSG(FETCHED);

	assert_non_null(buf_room(body, front + entries.n));
	body->off = front;
	buf_add_bytes(body, entries);
	m.f[fetched_tag].u = tag;
	m.f[fetched_entries].b = buf_bytes(body);
	assert_int_equal(chan_send_body(&broker, &m, body), 0);
}

static void
assert_fetched(uint64_t tag, struct bytes entries)
{
	struct msg m;

	assert_int_equal(chan_next(&worker, &m), 1);
	assert_int_equal(m.type, IPC_FETCHED);
	assert_true(m.f[fetched_tag].u == tag);
	assert_true(bytes_eq(m.f[fetched_entries].b, entries));
}

static void
a_body_is_taken_over_or_queued_behind_what_waits(void **state)
{
	struct bytes first = BYTES_LIT("first"), second = BYTES_LIT("second"),
		     third = BYTES_LIT("third");
	struct buf body = BUF_INIT;
	const uint8_t *mem;

	(void)state;
	send_fetched(1, first, 0, &body); /* no room: copied */
	assert_true(bytes_eq(buf_bytes(&body), first));
	buf_free(&body);
	send_fetched(2, second, IPC_FRONT_BYTES, &body); /* behind the first */
	assert_true(bytes_eq(buf_bytes(&body), second));
	assert_int_equal(chan_flush(&broker), 0);
	buf_free(&body);
	assert_non_null(buf_room(&body, 1000));
	mem = body.mem;
	send_fetched(3, third, IPC_FRONT_BYTES, &body);
	assert_null(body.mem);
	assert_ptr_equal(broker.out.mem, mem);
	assert_int_equal(chan_flush(&broker), 0);
	assert_null(broker.out.mem);
	assert_int_equal(chan_read(&worker), 1);
	assert_fetched(1, first);
	assert_fetched(2, second);
	assert_fetched(3, third);
}

static void
a_queue_has_an_end(void **state)
{
	static uint8_t body[200000];
	struct msg m = MSG(VERDICT);
	int i, result = 0;

	(void)state;
	m.f[verdict_info].b = bytes_of(body, sizeof(body));
	for (i = 0; i < 1000 && result == 0; i++)
		result = chan_send(&broker, &m);
	assert_int_equal(result, -1);
	assert_int_equal(errno, ENOBUFS);
	assert_true(chan_pending(&broker) <=
	    CHAN_OUT_MAX_BYTES + 4 + IPC_FRAME_MAX_BYTES);
	/* And goes on when there is room. */
	while (chan_flush(&broker) == 1) {
		assert_int_equal(chan_read(&worker), 1);
		while (chan_next(&worker, &m) == 1)
			continue;
	}
	send_verdict(7, BYTES_NONE);
}

static void
what_is_not_taken_is_bounded(void **state)
{
	static uint8_t body[60000];
	int i;

	(void)state;
	for (i = 0; i < 60; i++) {
		send_verdict(1, bytes_of(body, sizeof(body)));
		assert_true(chan_flush(&broker) >= 0);
		assert_int_equal(chan_read(&worker), 1);
	}
	assert_true(worker.in.cap <= 1024 * 1024);
	assert_true(chan_pending(&broker) > 0);
}

static void
descriptors_come_with_their_message(void **state)
{
	int pipefd[2], fd;
	struct stat a, b;
	char octet;

	(void)state;
	send_verdict(1, BYTES_NONE);
	assert_int_equal(send_opened(2, pipefd), 0);
	send_verdict(3, BYTES_NONE);
	assert_int_equal(chan_flush(&broker), 0);
	close(pipefd[0]); /* what is under way is a duplicate */
	while (chan_read(&worker) == 1)
		continue;
	assert_verdict(&worker, 1);
	{
		struct msg m;

		assert_int_equal(chan_next(&worker, &m), 1);
		assert_int_equal(m.type, IPC_OPENED);
	}
	assert_true((fd = chan_take_fd(&worker)) != -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(pipefd[1], "!", 1), 1);
	assert_int_equal(read(fd, &octet, 1), 1);
	close(fd);
	assert_true((fd = chan_take_fd(&worker)) != -1);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(pipefd[1], &b), 0);
	assert_true(a.st_ino == b.st_ino);
	close(fd);
	close(pipefd[1]);
	assert_int_equal(chan_take_fd(&worker), -1);
	assert_verdict(&worker, 3);
}

static void
descriptors_wait_behind_a_backlog(void **state)
{
	static uint8_t body[100000];
	uint64_t seen = 0;
	int pipefd[2], again[2], fd;
	struct msg m;

	(void)state;
	do
		send_verdict(seen++, bytes_of(body, sizeof(body)));
	while (chan_flush(&broker) == 0);
	assert_int_equal(send_opened(1, pipefd), 0);
	assert_int_equal(send_opened(2, again), -1);
	assert_int_equal(errno, EAGAIN);
	close(again[0]);
	close(again[1]);
	do {
		assert_int_equal(chan_read(&worker), 1);
		while (chan_next(&worker, &m) == 1 && m.type == IPC_VERDICT) {
			assert_true(worker.fds[0] == -1 || seen == 1);
			seen--;
		}
		assert_true(chan_flush(&broker) >= 0);
	} while (seen > 0 || m.type != IPC_OPENED);
	assert_true((fd = chan_take_fd(&worker)) != -1);
	close(fd);
	/* One may be sent again now; what is not taken is closed in the end. */
	assert_int_equal(send_opened(2, again), 0);
	close(again[0]);
	close(again[1]);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Sends n copies of fd with one octet, past the channel's own bookkeeping. */
static void
send_raw_fds(int sock, int fd, size_t n, int first_octet)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(16 * sizeof(int))];
	} control = { .space = { 0 } };
	char octet = (char)first_octet;
	struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t i;

	mh.msg_control = &control;
	mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
	control.h.cmsg_level = SOL_SOCKET;
	control.h.cmsg_type = SCM_RIGHTS;
	control.h.cmsg_len = CMSG_LEN(n * sizeof(int));
	for (i = 0; i < n; i++)
		memcpy(CMSG_DATA(&control.h) + i * sizeof(int), &fd,
		    sizeof(int));
	assert_int_equal(sendmsg(sock, &mh, 0), 1);
}

/* 1 when no writing end of the pipe is left. */
static int
pipe_ended(int fd)
{
	char octet;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return (read(fd, &octet, 1) == 0);
}

static void
a_broker_takes_no_descriptors(void **state)
{
	int pipefd[2];

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	send_raw_fds(worker.fd, pipefd[1], 4, 2);
	close(pipefd[1]);
	assert_false(pipe_ended(pipefd[0]));
	assert_int_equal(chan_read(&broker), 1);
	assert_int_equal(chan_take_fd(&broker), -1);
	assert_true(pipe_ended(pipefd[0]));
	close(pipefd[0]);
}

static void
more_descriptors_than_there_is_room_for_end_a_channel(void **state)
{
	int pipefd[2], fd;

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	send_raw_fds(broker.fd, pipefd[1], 5, 3);
	close(pipefd[1]);
	assert_int_equal(chan_read(&worker), -1);
	assert_int_equal(errno, EPROTO);
	while ((fd = chan_take_fd(&worker)) != -1)
		close(fd);
	assert_true(pipe_ended(pipefd[0]));
	close(pipefd[0]);
}

static void
descriptors_beyond_those_not_taken_end_a_channel(void **state)
{
	int pipefd[2], fd;

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	send_raw_fds(broker.fd, pipefd[1], 3, 3);
	assert_int_equal(chan_read(&worker), 1);
	send_raw_fds(broker.fd, pipefd[1], 2, 0);
	close(pipefd[1]);
	assert_int_equal(chan_read(&worker), -1);
	assert_int_equal(errno, EPROTO);
	while ((fd = chan_take_fd(&worker)) != -1)
		close(fd);
	assert_true(pipe_ended(pipefd[0]));
	close(pipefd[0]);
}

/* Sizes at which a read fills its room while more sets lie behind it. */
static void
sets_of_descriptors_that_lie_ready_come_one_by_one(void **state)
{
	static const size_t size[] = { 34000, 60000, 10000 };
	static uint8_t roster[60000];
	struct msg m = MSG(OPENED);
	int fds[2], fd;
	size_t i, n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (i = 0; i < 3; i++) {
		m.f[opened_seq].u = i;
		m.f[opened_roster].b = bytes_of(roster, size[i]);
		assert_int_equal(chan_send_fds(&broker, &m, fds, 2), 0);
		assert_int_equal(chan_flush(&broker), 0);
	}
	for (i = 0; i < 3;) {
		assert_int_equal(chan_read(&worker), 1);
		while (chan_next(&worker, &m) == 1) {
			assert_true(m.f[opened_seq].u == i++);
			for (n = 0; n < 2; n++) {
				fd = chan_take_fd(&worker);
				assert_true(fd != -1);
				close(fd);
			}
		}
	}
	close(fds[0]);
	close(fds[1]);
}

static void
descriptors_that_nobody_took_are_closed_with_the_channel(void **state)
{
	int pipefd[2];

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	send_raw_fds(broker.fd, pipefd[1], 3, 3);
	close(pipefd[1]);
	assert_int_equal(chan_read(&worker), 1);
	assert_false(pipe_ended(pipefd[0]));
	chan_close(&worker);
	assert_true(pipe_ended(pipefd[0]));
	close(pipefd[0]);
}

static void
a_wrong_frame_is_final(void **state)
{
	struct msg m;

	(void)state;
	/* A broker's message from a worker. */
	assert_int_equal(write(worker.fd, "\3\0\0\0\x92\x14\5", 7), 7);
	assert_int_equal(chan_read(&broker), 1);
	assert_int_equal(chan_next(&broker, &m), -1);
	assert_int_equal(chan_next(&broker, &m), -1);
}

static void
what_came_before_the_end_is_read_first(void **state)
{
	struct msg m;

	(void)state;
	send_verdict(9, BYTES_NONE);
	assert_int_equal(chan_flush(&broker), 0);
	chan_close(&broker);
	chan_close(&broker);
	assert_int_equal(broker.fd, -1);
	assert_int_equal(chan_read(&worker), 1);
	assert_verdict(&worker, 9);
	assert_int_equal(chan_next(&worker, &m), 0);
	assert_int_equal(chan_read(&worker), -1);
	assert_int_equal(errno, ECONNRESET);
}

static void
writing_to_nobody_is_an_error_and_no_signal(void **state)
{
	(void)state;
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	send_verdict(1, BYTES_NONE);
	chan_close(&worker);
	assert_int_equal(chan_flush(&broker), -1);
	assert_int_equal(errno, EPIPE);
}

static void
a_channel_is_closed_on_exec_and_never_blocks(void **state)
{
	(void)state;
	assert_int_equal(fcntl(broker.fd, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(broker.fd, F_GETFL) & O_NONBLOCK) != 0);
}

static void
connecting_needs_somebody_who_listens(void **state)
{
	char dir[] = "/tmp/quire-test-chan.XXXXXX", path[200];
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, to, n = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	assert_int_equal(chan_connect(sun.sun_path), -1);
	assert_int_equal(errno, ENOENT);
	assert_true((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)),
	    0);
	assert_int_equal(chan_connect(sun.sun_path), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(listen(fd, 1), 0);
	assert_true((to = chan_connect(sun.sun_path)) != -1);
	assert_int_equal(fcntl(to, F_GETFD), FD_CLOEXEC);
	close(to);
	/* Nobody accepts, and one who has gone counts as well. */
	(void)alarm(60);
	for (n = 0; (to = chan_connect(sun.sun_path)) != -1; n++)
		close(to);
	assert_true(errno == EAGAIN || errno == ECONNREFUSED);
	assert_in_range(n, 0, 2);
	(void)alarm(0);
	close(fd);
	unlink(sun.sun_path);
	rmdir(dir);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(chan_connect(path), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
passed(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(pass(broker.fd, pair[0]), 0);
	close(pair[0]);
}

/* They are the two ends of one pair. */
static void
assert_ends(int a, int b)
{
	char octet = 'x';

	assert_int_equal(write(a, &octet, 1), 1);
	octet = 0;
	assert_int_equal(read(b, &octet, 1), 1);
	assert_int_equal(octet, 'x');
	close(a);
	close(b);
}

static void
a_socket_alone_is_where_a_channel_goes_on(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(chan_take_next(&worker), -1);
	send_verdict(1, BYTES_NONE);
	assert_int_equal(chan_flush(&broker), 0);
	passed(pair);
	chan_close(&broker);
	assert_int_equal(chan_read(&worker), 1);
	assert_verdict(&worker, 1);
	while (chan_read(&worker) != -1)
		continue;
	assert_int_equal(chan_take_fd(&worker), -1);
	assert_ends(chan_take_next(&worker), pair[1]);
	assert_int_equal(chan_take_next(&worker), -1);
}

/* The octet would make half a frame whole. */
static void
its_octet_is_no_frames(void **state)
{
	struct buf out = BUF_INIT;
	struct msg m = MSG(KICK);
	int pair[2];

	(void)state;
	assert_int_equal(ipc_pack(&out, &m), 0);
	assert_int_equal(write(broker.fd, out.mem, out.len - 1),
	    (int)out.len - 1);
	buf_free(&out);
	passed(pair);
	assert_int_equal(chan_read(&worker), 1);
	assert_int_equal(chan_next(&worker, &m), 0);
	assert_int_equal(chan_read(&worker), 0);
	assert_ends(chan_take_next(&worker), pair[1]);
}

static void
the_last_socket_counts_and_none_stays_open(void **state)
{
	int a[2], b[2];
	char octet;

	(void)state;
	passed(a);
	passed(b);
	while (chan_read(&worker) == 1)
		continue;
	assert_int_equal(chan_read(&worker), 0);
	assert_int_equal(read(a[1], &octet, 1), 0);
	chan_close(&worker);
	assert_int_equal(read(b[1], &octet, 1), 0);
	close(a[1]);
	close(b[1]);
}

/* A bell is a socket, but comes with its ring. */
static void
sockets_of_a_message_are_not_it(void **state)
{
	struct msg m = MSG(OPENED);
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(chan_send_fds(&broker, &m, pair, 2), 0);
	assert_int_equal(chan_flush(&broker), 0);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(chan_read(&worker), 1);
	assert_int_equal(chan_next(&worker, &m), 1);
	assert_int_equal(chan_take_next(&worker), -1);
	assert_ends(chan_take_fd(&worker), chan_take_fd(&worker));
}

#define chan_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		chan_test(a_message_crosses),
		chan_test(a_frame_may_come_octet_by_octet),
		chan_test(several_frames_and_a_half_come_apart),
		chan_test(buffers_are_given_back_when_empty),
		chan_test(a_backlog_arrives_whole_and_in_order),
		chan_test(a_body_is_taken_over_or_queued_behind_what_waits),
		chan_test(a_queue_has_an_end),
		chan_test(what_is_not_taken_is_bounded),
		chan_test(descriptors_come_with_their_message),
		chan_test(descriptors_wait_behind_a_backlog),
		chan_test(a_broker_takes_no_descriptors),
		chan_test(
		    more_descriptors_than_there_is_room_for_end_a_channel),
		chan_test(descriptors_beyond_those_not_taken_end_a_channel),
		chan_test(sets_of_descriptors_that_lie_ready_come_one_by_one),
		chan_test(
		    descriptors_that_nobody_took_are_closed_with_the_channel),
		chan_test(a_socket_alone_is_where_a_channel_goes_on),
		chan_test(its_octet_is_no_frames),
		chan_test(the_last_socket_counts_and_none_stays_open),
		chan_test(sockets_of_a_message_are_not_it),
		chan_test(a_wrong_frame_is_final),
		chan_test(what_came_before_the_end_is_read_first),
		chan_test(writing_to_nobody_is_an_error_and_no_signal),
		chan_test(a_channel_is_closed_on_exec_and_never_blocks),
		cmocka_unit_test(connecting_needs_somebody_who_listens),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
