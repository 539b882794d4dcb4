/*
 * Frames of the IPC: what is packed comes back, nothing else is let in, and
 * msgpack-c reads the same from them as the walk does.
 *
 * ipc.c is included for the signed numbers, which no message has at present.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/ipc.c"

#define TEST_HEAD 6 /* length, array, type */

static uint8_t *filler;

/* Field i of a message, filled in a way that depends on salt. */
static void
fill(struct msg *m, const struct ipc_row *row, uint64_t salt)
{
	static const uint64_t number[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100,
		0xffff, 0x10000, 0xffffffff, 0x100000000, UINT64_MAX };
	static const size_t length[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };
	size_t i, n;

	for (i = 0; i < row->nfields; i++) {
		if (row->field[i].type != IPC_BYTES) {
			m->f[i].u = number[(salt + i) % 11];
			continue;
		}
		n = length[(salt + i) % 8];
		if (n > row->field[i].max)
			n = row->field[i].max;
		m->f[i].b = bytes_of(filler + i, n);
	}
}

static void
assert_same(const struct msg *a, const struct msg *b)
{
	const struct ipc_row *row = ipc_row(a->type);
	size_t i;

	assert_int_equal(a->type, b->type);
	for (i = 0; i < row->nfields; i++) {
		if (row->field[i].type == IPC_BYTES)
			assert_true(bytes_eq(a->f[i].b, b->f[i].b));
		else
			assert_true(a->f[i].u == b->f[i].u);
	}
}

/* The same frame by msgpack-c's own unpacker. */
static void
assert_msgpack_reads(struct bytes frame, const struct msg *m)
{
	const struct ipc_row *row = ipc_row(m->type);
	const msgpack_object *o;
	msgpack_unpacked u;
	size_t i, off = 0;

	msgpack_unpacked_init(&u);
	assert_int_equal(msgpack_unpack_next(&u, (const char *)frame.p + 4,
			     frame.n - 4, &off),
	    MSGPACK_UNPACK_SUCCESS);
	assert_true(off == frame.n - 4);
	assert_int_equal(u.data.type, MSGPACK_OBJECT_ARRAY);
	assert_int_equal(u.data.via.array.size, row->nfields + 1);
	o = u.data.via.array.ptr;
	assert_int_equal(o->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
	assert_true(o->via.u64 == m->type);
	for (i = 0; i < row->nfields; i++) {
		o = &u.data.via.array.ptr[i + 1];
		if (row->field[i].type == IPC_BYTES) {
			assert_int_equal(o->type, MSGPACK_OBJECT_BIN);
			assert_true(
			    bytes_eq(bytes_of(o->via.bin.ptr, o->via.bin.size),
				m->f[i].b));
			continue;
		}
		assert_int_equal(o->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
		assert_true(o->via.u64 == m->f[i].u);
	}
	msgpack_unpacked_destroy(&u);
}

static void
every_message_comes_back_and_msgpack_c_reads_the_same(void **state)
{
	unsigned int type, rows = 0;
	const struct ipc_row *row;
	struct buf out = BUF_INIT;
	uint64_t salt;

	(void)state;
	for (type = 0; type <= UINT8_MAX; type++) {
		if ((row = ipc_row(type)) == NULL)
			continue;
		rows++;
		for (salt = 0; salt < 88; salt++) {
			struct msg m = { .type = type }, back;

			fill(&m, row, salt);
			buf_clear(&out);
			if (ipc_pack(&out, &m) == -1) {
				assert_int_equal(errno, EMSGSIZE);
				continue;
			}
			memset(&back, 0xff, sizeof(back));
			assert_int_equal(ipc_unpack(buf_bytes(&out),
					     row->sender, &back),
			    out.len);
			assert_same(&m, &back);
			assert_msgpack_reads(buf_bytes(&out), &back);
		}
	}
	assert_int_equal(rows, IPC_COUNT - 1);
	buf_free(&out);
}

static void
the_table_says_what_the_catalogue_says(void **state)
{
	const struct ipc_row *row = ipc_row(IPC_SUBMIT);

	(void)state;
	assert_string_equal(ipc_name(IPC_SUBMIT), "submit");
	assert_int_equal(row->nfields, submit_blob2 + 1);
	assert_int_equal(row->sender, IPC_FROM_WORKER);
	assert_int_equal(row->states, IPC_OPEN_STATE);
	assert_int_equal(row->scope, SCOPE_READ);
	assert_string_equal(row->field[submit_ref].name, "ref");
	assert_int_equal(row->field[submit_ref].type, IPC_BYTES);
	assert_int_equal(row->field[submit_ref].max, 4096);
	assert_int_equal(row->field[submit_clock].type, IPC_U64);
	assert_int_equal(ipc_row(IPC_BYE)->nfields, 0);
	assert_int_equal(ipc_row(IPC_BYE)->states,
	    IPC_GREETED | IPC_GRANTED | IPC_OPEN_STATE);
	assert_int_equal(ipc_row(IPC_VERDICT)->sender, IPC_FROM_BROKER);
	assert_null(ipc_row(0));
	assert_null(ipc_row(IPC_COUNT));
	assert_string_equal(ipc_name(0), "?");
}

static void
a_frame_cut_anywhere_asks_for_more(void **state)
{
	struct msg m = MSG(SIGNAL), back;
	struct buf out = BUF_INIT;
	uint8_t *cut;
	size_t n;

	(void)state;
	fill(&m, ipc_row(IPC_SIGNAL), 4);
	assert_int_equal(ipc_pack(&out, &m), 0);
	for (n = 0; n < out.len; n++) {
		cut = malloc(n + 1); /* exact but one: 0 is no size */
		assert_non_null(cut);
		memcpy(cut, out.mem, n);
		assert_int_equal(ipc_unpack(bytes_of(cut, n), IPC_FROM_WORKER,
				     &back),
		    0);
		free(cut);
	}
	/* What follows a frame is not looked at. */
	buf_add_u8(&out, 0xc1);
	assert_int_equal(ipc_unpack(buf_bytes(&out), IPC_FROM_WORKER, &back),
	    out.len - 1);
	buf_free(&out);
}

struct bad {
	const char *why;
	struct bytes frame;
};

static void
only_the_exact_frame_is_let_in(void **state)
{
	const struct bad good = { "KICK 5", BYTES_LIT("\3\0\0\0\x92\x14\5") };
	const struct bad bad[] = {
		{ "no frame is empty", BYTES_LIT("\0\0\0\0") },
		{ "or one octet", BYTES_LIT("\1\0\0\0\x90") },
		{ "over the frame limit", BYTES_LIT("\1\0\5\0\x92\x14") },
		{ "as long as can be said", BYTES_LIT("\xff\xff\xff\xff") },
		{ "too long for a kick", BYTES_LIT("\x0c\0\0\0\x92\x14") },
		{ "one field short", BYTES_LIT("\2\0\0\0\x91\x14") },
		{ "one field over", BYTES_LIT("\4\0\0\0\x93\x14\5\5") },
		{ "a count not kept", BYTES_LIT("\2\0\0\0\x92\x14") },
		{ "an octet left over", BYTES_LIT("\4\0\0\0\x92\x14\5\5") },
		{ "array16", BYTES_LIT("\5\0\0\0\xdc\0\2\x14\5") },
		{ "array32", BYTES_LIT("\7\0\0\0\xdd\0\0\0\2\x14\5") },
		{ "a map", BYTES_LIT("\3\0\0\0\x81\x14\5") },
		{ "type 0", BYTES_LIT("\3\0\0\0\x92\0\5") },
		{ "type unknown", BYTES_LIT("\3\0\0\0\x92\x7f\5") },
		{ "type as uint8", BYTES_LIT("\4\0\0\0\x92\xcc\x14\5") },
		{ "a worker's message", BYTES_LIT("\3\0\0\0\x92\x15\5") },
		{ "nil", BYTES_LIT("\3\0\0\0\x92\x14\xc0") },
		{ "false", BYTES_LIT("\3\0\0\0\x92\x14\xc2") },
		{ "negative fixint", BYTES_LIT("\3\0\0\0\x92\x14\xff") },
		{ "int8", BYTES_LIT("\4\0\0\0\x92\x14\xd0\5") },
		{ "a float", BYTES_LIT("\7\0\0\0\x92\x14\xca\0\0\0\0") },
		{ "a string", BYTES_LIT("\4\0\0\0\x92\x14\xa1x") },
		{ "a bin", BYTES_LIT("\5\0\0\0\x92\x14\xc4\1x") },
		{ "an array", BYTES_LIT("\4\0\0\0\x92\x14\x91\5") },
		{ "ext", BYTES_LIT("\5\0\0\0\x92\x14\xd4\1\1") },
		{ "long 127", BYTES_LIT("\4\0\0\0\x92\x14\xcc\x7f") },
		{ "long 255", BYTES_LIT("\5\0\0\0\x92\x14\xcd\0\xff") },
		{ "long 65535", BYTES_LIT("\7\0\0\0\x92\x14\xce\0\0\xff\xff") },
		{ "long 2^32-1",
		    BYTES_LIT("\x0b\0\0\0\x92\x14\xcf\0\0\0\0\xff\xff\xff"
			      "\xff") },
		{ "a number cut off", BYTES_LIT("\4\0\0\0\x92\x14\xcd\1") },
	};
	struct msg m;
	size_t i;

	(void)state;
	assert_int_equal(ipc_unpack(good.frame, IPC_FROM_BROKER, &m), 7);
	assert_true(m.f[kick_code].u == 5);
	assert_int_equal(ipc_unpack(good.frame, IPC_FROM_WORKER, &m), -1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ipc_unpack(bad[i].frame, IPC_FROM_BROKER, &m) != -1)
			fail_msg("let in: %s", bad[i].why);
}

static void
lengths_of_bins_are_held_against_frame_and_table(void **state)
{
	/* MINT subject scope(64) ttl */
	const struct bad bad[] = {
		{ "the last one past the end",
		    BYTES_LIT("\5\0\0\0\x92\x0f\xc4\2x") },
		{ "past the end", BYTES_LIT("\7\0\0\0\x94\x11\xc4\2x\xc4\0") },
		{ "huge", BYTES_LIT("\7\0\0\0\x94\x11\xc6\xff\xff\xff\xff") },
		{ "bin16 of 1",
		    BYTES_LIT("\x09\0\0\0\x94\x11\xc5\0\1x\xc4\0\0") },
		{ "bin32 of 1",
		    BYTES_LIT("\x0b\0\0\0\x94\x11\xc6\0\0\0\1x\xc4\0\0") },
		{ "a number for a bin", BYTES_LIT("\5\0\0\0\x94\x11\0\0\0") },
		{ "str for bin",
		    BYTES_LIT("\x08\0\0\0\x94\x11\xd9\1x\xc4\0\0") },
	};
	struct buf out = BUF_INIT;
	struct msg m = MSG(MINT);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ipc_unpack(bad[i].frame, IPC_FROM_WORKER, &m) != -1)
			fail_msg("let in: %s", bad[i].why);
	m = (struct msg)MSG(MINT);
	m.f[mint_scope].b = bytes_of(filler, 64);
	assert_int_equal(ipc_pack(&out, &m), 0);
	assert_true(ipc_unpack(buf_bytes(&out), IPC_FROM_WORKER, &m) > 0);
	/* The same with one octet more than the table allows. */
	out.mem[0]++;
	out.mem[TEST_HEAD + 3]++;
	out.mem[out.len - 1] = filler[64];
	buf_add_u8(&out, 0);
	assert_int_equal(ipc_unpack(buf_bytes(&out), IPC_FROM_WORKER, &m), -1);
	buf_free(&out);
}

static void
a_message_that_is_too_long_is_not_packed(void **state)
{
	struct msg submit = MSG(SUBMIT), opened = MSG(OPENED);
	struct msg none = { .type = IPC_COUNT };
	struct buf out = BUF_INIT;

	(void)state;
	buf_add_str(&out, "before");
	submit.f[submit_ref].b = bytes_of(filler, 4097);
	assert_int_equal(ipc_pack(&out, &submit), -1);
	assert_int_equal(errno, EMSGSIZE);
	submit.f[submit_ref].b = bytes_of(filler, 4096);
	assert_int_equal(ipc_pack(&out, &submit), 0);
	buf_trunc(&out, 6);
	/* Each field within its own limit, but not together. */
	opened.f[opened_roster].b = bytes_of(filler, 262144);
	opened.f[opened_info].b = bytes_of(filler, 65536);
	assert_int_equal(ipc_pack(&out, &opened), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(ipc_pack(&out, &none), -1);
	assert_int_equal(errno, EINVAL);
	assert_true(bytes_eq(buf_bytes(&out), BYTES_LIT("before")));
	buf_free(&out);
}

static void
the_longest_frame_is_the_limit_exactly(void **state)
{
	struct msg m = MSG(FETCHED), back;
	struct buf out = BUF_INIT;
	/* seven small numbers and the head of a bin32 */
	size_t most = IPC_FRAME_MAX_BYTES - IPC_HEAD_BYTES - 7 - 5;

	(void)state;
	m.f[fetched_entries].b = bytes_of(filler, most + 1);
	assert_int_equal(ipc_pack(&out, &m), -1);
	m.f[fetched_entries].b = bytes_of(filler, most);
	assert_int_equal(ipc_pack(&out, &m), 0);
	assert_true(out.len == 4 + IPC_FRAME_MAX_BYTES);
	assert_true(ipc_unpack(buf_bytes(&out), IPC_FROM_BROKER, &back) ==
	    (ssize_t)out.len);
	buf_free(&out);
}

static void
signed_numbers_are_taken_as_msgpack_c_writes_them(void **state)
{
	static const int64_t v[] = { 0, 127, 128, INT64_MAX, -1, -32, -33, -128,
		-129, -32768, -32769, INT32_MIN, (int64_t)INT32_MIN - 1,
		INT64_MIN };
	struct buf out = BUF_INIT;
	msgpack_packer pk;
	struct bytes in;
	int64_t got;
	size_t i;

	(void)state;
	msgpack_packer_init(&pk, &out, ipc_write);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_clear(&out);
		msgpack_pack_int64(&pk, v[i]);
		in = buf_bytes(&out);
		assert_int_equal(ipc_take_i64(&in, &got), 0);
		assert_true(got == v[i]);
		assert_int_equal(in.n, 0);
		in = bytes_of(out.mem, out.len - 1);
		assert_true(in.n == 0 || ipc_take_i64(&in, &got) == -1);
	}
	buf_free(&out);
}

/* A body with room in front, and the message whose last field it is. */
static void
make_body(struct buf *body, struct msg *m, size_t front, size_t n)
{
	*m = (struct msg)MSG(FETCHED);
	m->f[fetched_tag].u = UINT64_MAX;
	m->f[fetched_seq].u = n;
	buf_clear(body);
	assert_non_null(buf_room(body, front + n));
	body->off = front;
	buf_add(body, filler, n);
	m->f[fetched_entries].b = buf_bytes(body);
}

static void
a_frame_made_around_its_body_is_the_one_that_is_packed(void **state)
{
	static const size_t sizes[] = { 0, 1, 255, 256, 65535, 65536,
		IPC_FRAME_MAX_BYTES - IPC_FRONT_BYTES };
	struct buf body = BUF_INIT, out = BUF_INIT;
	struct msg m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buf_clear(&out);
		make_body(&body, &m, IPC_FRONT_BYTES, sizes[i]);
		assert_int_equal(ipc_pack(&out, &m), 0);
		assert_int_equal(ipc_pack_front(&body, &m), 0);
		assert_true(bytes_eq(buf_bytes(&body), buf_bytes(&out)));
	}
	buf_free(&body);
	buf_free(&out);
}

static void
a_frame_without_room_or_too_long_leaves_its_body(void **state)
{
	struct buf body = BUF_INIT;
	struct bytes was;
	struct msg m;

	(void)state;
	make_body(&body, &m, 9, 1000);
	was = buf_bytes(&body);
	assert_int_equal(ipc_pack_front(&body, &m), -1);
	assert_ptr_equal(buf_bytes(&body).p, was.p);
	assert_true(bytes_eq(buf_bytes(&body), bytes_of(filler, 1000)));
	make_body(&body, &m, IPC_FRONT_BYTES, IPC_FRAME_MAX_BYTES);
	assert_int_equal(ipc_pack_front(&body, &m), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_true(
	    bytes_eq(buf_bytes(&body), bytes_of(filler, IPC_FRAME_MAX_BYTES)));
	buf_free(&body);
}

static void
signed_numbers_in_longer_forms_are_refused(void **state)
{
	const struct bytes bad[] = { BYTES_LIT("\xd0\x05"),
		BYTES_LIT("\xd0\xe0"), BYTES_LIT("\xd1\xff\x80"),
		BYTES_LIT("\xd1\x01\x00"), BYTES_LIT("\xd2\xff\xff\x80\x00"),
		BYTES_LIT("\xd3\xff\xff\xff\xff\x80\x00\x00\x00"),
		BYTES_LIT("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"),
		BYTES_LIT("\xc0"), BYTES_LIT("\xcb\0\0\0\0\0\0\0\0") };
	struct bytes in;
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		in = bad[i];
		assert_int_equal(ipc_take_i64(&in, &got), -1);
	}
}

static int
setup(void **state)
{
	size_t i;

	(void)state;
	if ((filler = malloc(IPC_FRAME_MAX_BYTES)) == NULL)
		return (-1);
	for (i = 0; i < IPC_FRAME_MAX_BYTES; i++)
		filler[i] = (uint8_t)(i * 7 + i / 251);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	free(filler);
	return (0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_message_comes_back_and_msgpack_c_reads_the_same),
		cmocka_unit_test(the_table_says_what_the_catalogue_says),
		cmocka_unit_test(a_frame_cut_anywhere_asks_for_more),
		cmocka_unit_test(only_the_exact_frame_is_let_in),
		cmocka_unit_test(
		    lengths_of_bins_are_held_against_frame_and_table),
		cmocka_unit_test(a_message_that_is_too_long_is_not_packed),
		cmocka_unit_test(the_longest_frame_is_the_limit_exactly),
		cmocka_unit_test(
		    a_frame_made_around_its_body_is_the_one_that_is_packed),
		cmocka_unit_test(
		    a_frame_without_room_or_too_long_leaves_its_body),
		cmocka_unit_test(
		    signed_numbers_are_taken_as_msgpack_c_writes_them),
		cmocka_unit_test(signed_numbers_in_longer_forms_are_refused),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
