/*
 * Lists and entries inside IPC fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/wire.h"

static const struct entry full = {
	.seq = UINT64_MAX,
	.origin = 0x80,
	.time_ms = 1700000000000,
	.kind = 7,
	.flags = ENTRY_BLOB,
	.key = { (const uint8_t *)"key", 3 },
	.body = { (const uint8_t *)"bo\0dy", 5 },
	.blob = 42,
	.size = UINT64_C(1) << 40,
};

static void
assert_entry_equal(const struct entry *a, const struct entry *b)
{
	assert_true(a->seq == b->seq);
	assert_true(a->origin == b->origin);
	assert_true(a->time_ms == b->time_ms);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->flags, b->flags);
	assert_true(bytes_eq(a->key, b->key));
	assert_true(bytes_eq(a->body, b->body));
	assert_true(a->blob == b->blob);
	assert_true(a->size == b->size);
}

static void
strings_come_back_in_order(void **state)
{
	const struct bytes s[] = { BYTES_LIT("one"), BYTES_LIT(""),
		BYTES_LIT("\0\xff") };
	uint8_t large[300] = { 1, 2, 3 };
	struct buf b = BUF_INIT;
	struct bytes in, out;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(list_add(&b, s[i]), 0);
	assert_int_equal(list_add(&b, bytes_of(large, sizeof(large))), 0);
	in = buf_bytes(&b);
	for (i = 0; i < 3; i++) {
		assert_int_equal(list_next(&in, &out), 1);
		assert_true(bytes_eq(out, s[i]));
	}
	assert_int_equal(list_next(&in, &out), 1);
	assert_true(bytes_eq(out, bytes_of(large, sizeof(large))));
	assert_int_equal(list_next(&in, &out), 0);
	buf_free(&b);
}

static void
a_string_longer_than_what_is_left_is_malformed(void **state)
{
	const struct bytes bad[] = { BYTES_LIT("\1"), BYTES_LIT("\3ab"),
		BYTES_LIT("\x80"), BYTES_LIT("\x80\0"),
		BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1x"),
		BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f") };
	struct bytes in, out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		in = bad[i];
		assert_int_equal(list_next(&in, &out), -1);
		assert_true(in.p == bad[i].p && in.n == bad[i].n);
	}
}

static void
entries_come_back_in_order(void **state)
{
	static const struct entry empty = { .seq = 0 };
	struct buf b = BUF_INIT;
	struct bytes in;
	struct entry e;

	(void)state;
	assert_int_equal(entry_pack(&b, &full), 0);
	assert_int_equal(entry_pack(&b, &empty), 0);
	assert_int_equal(entry_pack(&b, &full), 0);
	in = buf_bytes(&b);
	assert_int_equal(entry_unpack(&in, &e), 1);
	assert_entry_equal(&e, &full);
	assert_int_equal(entry_unpack(&in, &e), 1);
	assert_entry_equal(&e, &empty);
	assert_int_equal(entry_unpack(&in, &e), 1);
	assert_entry_equal(&e, &full);
	assert_int_equal(entry_unpack(&in, &e), 0);
	buf_free(&b);
}

static void
an_entry_cut_anywhere_is_malformed_and_takes_nothing(void **state)
{
	struct buf b = BUF_INIT;
	struct bytes in;
	struct entry e;
	uint8_t *cut;
	size_t n;

	(void)state;
	assert_int_equal(entry_pack(&b, &full), 0);
	for (n = 1; n < b.len; n++) {
		assert_non_null(cut = malloc(n));
		memcpy(cut, b.mem, n);
		in = bytes_of(cut, n);
		assert_int_equal(entry_unpack(&in, &e), -1);
		assert_true(in.p == cut && in.n == n);
		free(cut);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_come_back_in_order),
		cmocka_unit_test(
		    a_string_longer_than_what_is_left_is_malformed),
		cmocka_unit_test(entries_come_back_in_order),
		cmocka_unit_test(
		    an_entry_cut_anywhere_is_malformed_and_takes_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
