/*
 * The ring: what is put is read, what is gone is noticed, and a reader can
 * neither write nor be led outside.
 */
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/ring.h"

#define RING_TEST_BYTES	 4096
#define RING_TEST_HEADER 4096 /* as in ring.c */

static struct ring writer;
static struct ring reader;

static int
setup(void **state)
{
	(void)state;
	if (ring_create(&writer, RING_TEST_BYTES) == -1)
		return (-1);
	return (ring_attach(&reader, ring_reader_fd(&writer), RING_TEST_BYTES));
}

static int
teardown(void **state)
{
	(void)state;
	ring_close(&writer);
	ring_close(&reader);
	return (0);
}

/* An entry of n octets, all of which follow from seq. */
static uint64_t
put(struct ring *r, uint64_t seq, size_t n)
{
	struct ring_entry e = { .seq = seq, .origin = ~seq, .opcode = 2 };
	static uint8_t body[65536];
	struct bytes piece[2];

	memset(body, (int)(seq * 31 & 0xff), n);
	piece[0] = bytes_of(body, n / 3);
	piece[1] = bytes_of(body + n / 3, n - n / 3);
	return (ring_put(r, &e, piece, 2));
}

/* 1 if the frame is what put made of seq; touches every octet. */
static int
is_whole(struct bytes frame, uint64_t seq)
{
	size_t i;

	for (i = 0; i < frame.n; i++)
		if (frame.p[i] != (uint8_t)(seq * 31))
			return (0);
	return (1);
}

static void
assert_entry(uint64_t *pos, uint64_t seq, size_t n)
{
	const struct ring_entry *e;

	assert_int_equal(ring_peek(&reader, pos, &e), 1);
	assert_true(e->seq == seq);
	assert_true(e->origin == ~seq);
	assert_int_equal(e->opcode, 2);
	assert_int_equal(ring_frame(e).n, n);
	assert_true(is_whole(ring_frame(e), seq));
	assert_true(ring_valid(&reader, *pos));
	*pos += e->size;
}

static void
what_is_put_is_read_once_published(void **state)
{
	const struct ring_entry *e;
	uint64_t pos = 0;

	(void)state;
	assert_int_equal(ring_peek(&reader, &pos, &e), 0);
	assert_true(put(&writer, 1, 10) > 0);
	assert_true(put(&writer, 2, 0) > 0);
	assert_int_equal(ring_peek(&reader, &pos, &e), 0);
	assert_true(ring_tail(&reader) == 0);
	ring_publish(&writer);
	assert_entry(&pos, 1, 10);
	assert_entry(&pos, 2, 0);
	assert_int_equal(ring_peek(&reader, &pos, &e), 0);
	assert_true(pos == ring_tail(&reader));
}

static void
a_reader_is_told_of_the_members_without_an_entry(void **state)
{
	(void)state;
	assert_int_equal(ring_members(&reader), 0);
	ring_set_members(&writer, 3);
	assert_int_equal(ring_members(&reader), 3);
	assert_true(ring_tail(&reader) == 0);
}

/* Every size against every place near the end, many times around. */
static void
a_reader_that_keeps_up_reads_everything(void **state)
{
	uint64_t pos = 0, seq, after;
	size_t n;

	(void)state;
	for (seq = 1; seq < 20000; seq++) {
		n = (size_t)(seq * 2654435761u >> 7) % 900;
		after = put(&writer, seq, n);
		ring_publish(&writer);
		assert_entry(&pos, seq, n);
		assert_true(pos == after && pos == ring_tail(&writer));
	}
	assert_true(ring_head(&reader) > 0);
	assert_true(ring_tail(&reader) - ring_head(&reader) <= RING_TEST_BYTES);
}

/* Head is always the beginning of an entry, so who starts there is well. */
static void
all_between_head_and_tail_is_readable(void **state)
{
	const struct ring_entry *e;
	uint64_t pos, seq, first, seen;
	int got;

	(void)state;
	for (seq = 1; seq < 3000; seq++) {
		assert_true(put(&writer, seq, (size_t)seq * 37 % 800) > 0);
		ring_publish(&writer);
		pos = ring_head(&reader);
		first = seen = 0;
		while ((got = ring_peek(&reader, &pos, &e)) == 1) {
			first = first == 0 ? e->seq : first;
			assert_true(seen == 0 || e->seq == seen + 1);
			assert_true(is_whole(ring_frame(e), e->seq));
			seen = e->seq;
			pos += e->size;
		}
		assert_int_equal(got, 0);
		assert_true(seen == seq);
		/* A ring holds at least four less one of the largest. */
		assert_true(seq < 3 || first <= seq - 2);
	}
}

static void
a_reader_that_fell_behind_is_told(void **state)
{
	const struct ring_entry *e;
	uint64_t pos = 0, seq;

	(void)state;
	for (seq = 1; ring_head(&writer) == 0; seq++) {
		assert_int_equal(ring_peek(&reader, &pos, &e),
		    seq == 1 ? 0 : 1);
		assert_true(ring_valid(&reader, 0));
		put(&writer, seq, 100);
		ring_publish(&writer);
	}
	assert_false(ring_valid(&reader, 0));
	assert_int_equal(ring_peek(&reader, &pos, &e), -1);
	assert_true(pos == 0);
}

static void
head_rises_before_the_batch_is_published(void **state)
{
	uint64_t seq;

	(void)state;
	put(&writer, 1, 100);
	ring_publish(&writer);
	for (seq = 2; seq < 40; seq++)
		put(&writer, seq, 100);
	assert_false(ring_valid(&reader, 0));
}

static void
a_batch_larger_than_the_ring_leaves_its_end(void **state)
{
	const struct ring_entry *e;
	uint64_t pos, seq;

	(void)state;
	for (seq = 1; seq <= 100; seq++)
		assert_true(put(&writer, seq, 500) > 0);
	/* Unpublished and yet partly gone: nothing may be read. */
	pos = ring_tail(&reader);
	assert_int_equal(ring_peek(&reader, &pos, &e), -1);
	ring_publish(&writer);
	pos = ring_head(&reader);
	for (seq = 0; ring_peek(&reader, &pos, &e) == 1; pos += e->size)
		seq = e->seq;
	assert_true(seq == 100);
}

static void
an_entry_over_its_share_is_refused(void **state)
{
	const size_t most =
	    RING_TEST_BYTES / RING_STUB_SHARE - sizeof(struct ring_entry);
	struct bytes huge[2];
	struct ring_entry e = { .seq = 1 };

	(void)state;
	assert_true(put(&writer, 1, most + 1) == 0);
	assert_int_equal(errno, EMSGSIZE);
	huge[0] = huge[1] = bytes_of(&e, SIZE_MAX / 2 + 2);
	assert_true(ring_put(&writer, &e, huge, 2) == 0);
	assert_true(put(&writer, 1, most) == RING_TEST_BYTES / RING_STUB_SHARE);
}

static void
a_ring_that_begins_elsewhere_is_read_from_there(void **state)
{
	const struct ring_entry *e;
	uint64_t pos = 10 * RING_TEST_BYTES - 64, before = pos - 8;
	unsigned int seq;

	(void)state;
	ring_begin_at(&writer, pos);
	assert_int_equal(ring_peek(&reader, &before, &e), -1);
	for (seq = 1; seq < 500; seq++) {
		put(&writer, seq, seq % 90);
		ring_publish(&writer);
		assert_int_equal(ring_peek(&reader, &pos, &e), 1);
		assert_int_equal(e->seq, seq);
		pos += e->size;
	}
}

static void
a_position_made_up_is_refused(void **state)
{
	const struct ring_entry *e;
	uint64_t pos;

	(void)state;
	put(&writer, 1, 104); /* would do as a size, read four octets late */
	ring_publish(&writer);
	pos = ring_tail(&reader) + 8;
	assert_int_equal(ring_peek(&reader, &pos, &e), -1);
	pos = 4;
	assert_int_equal(ring_peek(&reader, &pos, &e), -1);
	pos = UINT64_MAX;
	assert_int_equal(ring_peek(&reader, &pos, &e), -1);
}

static void
a_header_gone_wrong_leads_nobody_outside(void **state)
{
	static const uint32_t bad[][2] = { { 0, 0 }, { 8, 0 }, { 48, 0 },
		{ 60, 0 }, { 4096, 0 }, { 8192, 0 }, { UINT32_MAX, 0 },
		{ UINT32_MAX - 7, 0 }, { 64, 9 }, { 64, UINT32_MAX },
		{ 168, 0 } };
	uint8_t *data = (uint8_t *)writer.map + RING_TEST_HEADER;
	const struct ring_entry *e;
	uint64_t pos = 0;
	size_t i;

	(void)state;
	assert_true(put(&writer, 1, 100) == 160);
	ring_publish(&writer);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(data, bad[i], sizeof(bad[i]));
		assert_int_equal(ring_peek(&reader, &pos, &e), -1);
	}
	memcpy(data, (const uint32_t[]){ 160, 100 }, 8);
	assert_int_equal(ring_peek(&reader, &pos, &e), 1);
	/* What is shown is a copy: it stays as it was checked. */
	memset(data, 0xff, sizeof(*e));
	assert_int_equal(e->size, 160);
	assert_int_equal(ring_frame(e).n, 100);
}

static void
a_size_past_the_end_of_the_memory_is_refused(void **state)
{
	const uint32_t size = 1024;
	uint8_t *data = (uint8_t *)writer.map + RING_TEST_HEADER;
	const struct ring_entry *e;
	uint64_t pos, seq;

	(void)state;
	for (seq = 1; seq <= 10; seq++) /* eight to a round */
		put(&writer, seq, 512 - sizeof(*e));
	ring_publish(&writer);
	pos = 7 * 512;
	assert_int_equal(ring_peek(&reader, &pos, &e), 1);
	assert_true(e->seq == 8);
	memcpy(data + pos, &size, sizeof(size));
	assert_int_equal(ring_peek(&reader, &pos, &e), -1);
}

static void
a_reader_cannot_write(void **state)
{
	int fd = ring_reader_fd(&writer);
	void *map;
#if defined(__linux__) && !defined(RING_TEST_UNSEALED)
	char path[64];
	int again;
#endif

	(void)state;
	assert_true(fd != -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	map = mmap(NULL, RING_TEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	assert_true(map == MAP_FAILED);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(mprotect(reader.map, RING_TEST_BYTES,
			     PROT_READ | PROT_WRITE),
	    -1);
#if defined(__linux__) && !defined(RING_TEST_UNSEALED)
	/* Nor through a descriptor opened once more. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_true((again = open(path, O_RDWR)) != -1);
	map = mmap(NULL, RING_TEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
	    again, 0);
	assert_true(map == MAP_FAILED);
	assert_int_equal(write(again, "x", 1), -1);
	assert_int_equal(ftruncate(again, 0), -1);
	close(again);
#endif
	close(fd);
}

static void
only_a_ring_of_that_size_is_attached(void **state)
{
	struct ring r;
	int fd;

	(void)state;
	assert_int_equal(ring_attach(&r, ring_reader_fd(&writer),
			     2 * RING_TEST_BYTES),
	    -1);
	assert_int_equal(r.fd, -1);
	assert_int_equal(ring_attach(&r, ring_reader_fd(&writer), 4095), -1);
	assert_int_equal(ring_attach(&r, ring_reader_fd(&writer), 0), -1);
	assert_true((fd = open("/dev/zero", O_RDONLY)) != -1);
	assert_int_equal(ring_attach(&r, fd, RING_TEST_BYTES), -1);
	assert_int_equal(ring_attach(&r, -1, RING_TEST_BYTES), -1);
	ring_close(&r);
}

static void
only_powers_of_two_are_sizes(void **state)
{
	static const size_t bad[] = { 0, 1, 2048, 4095, 4097, 6144,
		(size_t)UINT32_MAX + 1 };
	struct ring r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ring_create(&r, bad[i]), -1);
		assert_int_equal(errno, EINVAL);
		ring_close(&r);
	}
	assert_int_equal(ring_create(&r, 1 << 20), 0);
	ring_close(&r);
	ring_close(&r);
}

#define RACE_ENTRIES 300000u
#define RACE_BYTES   16384u

/*
 * Reads until the last number, and says what went wrong: 0 nothing, 1 a frame
 * called valid was torn, 2 numbers ran backwards or one was left out unsaid.
 */
static int
race_read(int fd)
{
	const struct ring_entry *e;
	uint64_t pos = 0, seen = 0;
	struct ring r;
	int got, whole, gap = 0;

	if (ring_attach(&r, fd, RACE_BYTES) == -1)
		return (3);
	while (seen < RACE_ENTRIES) {
		got = ring_peek(&r, &pos, &e);
		if (got == 1) {
			whole = is_whole(ring_frame(e), e->seq);
			if (ring_valid(&r, pos)) {
				if (!whole)
					return (1);
				if (gap ? e->seq <= seen : e->seq != seen + 1)
					return (2);
				seen = e->seq;
				gap = 0;
				pos += e->size;
				continue;
			}
			got = -1;
		}
		if (got == -1) {
			pos = ring_head(&r);
			gap = 1;
		}
	}
	ring_close(&r);
	return (0);
}

static void
readers_in_other_processes_never_take_torn_for_whole(void **state)
{
	pid_t pid[2];
	struct ring w;
	uint64_t seq;
	int status, i;

	(void)state;
	assert_int_equal(ring_create(&w, RACE_BYTES), 0);
	for (i = 0; i < 2; i++) {
		if ((pid[i] = fork()) == 0)
			_exit(race_read(ring_reader_fd(&w)));
		assert_true(pid[i] > 0);
	}
	for (seq = 1; seq <= RACE_ENTRIES; seq++) {
		put(&w, seq, (size_t)(seq * 2654435761u >> 5) % 3000);
		if (seq % 4 == 0 || seq == RACE_ENTRIES)
			ring_publish(&w);
	}
	for (i = 0; i < 2; i++) {
		assert_true(waitpid(pid[i], &status, 0) == pid[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	ring_close(&w);
}

#define ring_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ring_test(what_is_put_is_read_once_published),
		ring_test(a_reader_is_told_of_the_members_without_an_entry),
		ring_test(a_reader_that_keeps_up_reads_everything),
		ring_test(all_between_head_and_tail_is_readable),
		ring_test(a_reader_that_fell_behind_is_told),
		ring_test(head_rises_before_the_batch_is_published),
		ring_test(a_batch_larger_than_the_ring_leaves_its_end),
		ring_test(an_entry_over_its_share_is_refused),
		ring_test(a_ring_that_begins_elsewhere_is_read_from_there),
		ring_test(a_position_made_up_is_refused),
		ring_test(a_header_gone_wrong_leads_nobody_outside),
		ring_test(a_size_past_the_end_of_the_memory_is_refused),
		ring_test(a_reader_cannot_write),
		ring_test(only_a_ring_of_that_size_is_attached),
		cmocka_unit_test(only_powers_of_two_are_sizes),
		cmocka_unit_test(
		    readers_in_other_processes_never_take_torn_for_whole),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
