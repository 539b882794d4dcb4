/*
 * The stored form of a record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/record.h"

static const struct record sample = {
	.seq = 0x0102030405060708u,
	.origin = 17,
	.time_ms = 1700000000123u,
	.kind = 9,
	.body = { { NULL, 0 }, 5, 700000 },
};

static void
make(struct buf *b, const struct record *r, unsigned int flags)
{
	struct bytes pieces[] = { BYTES_LIT("one "), BYTES_NONE,
		BYTES_LIT("two") };

	assert_int_equal(record_pack(b, r, flags, pieces, 3), 0);
}

static void
what_is_packed_comes_back(void **state)
{
	struct record r, plain = sample;
	struct buf b = BUF_INIT;

	(void)state;
	make(&b, &sample, RECORD_NUMBER);
	assert_null(record_unpack(buf_bytes(&b), &r));
	assert_int_equal(r.seq, sample.seq);
	assert_int_equal(r.origin, 17);
	assert_int_equal(r.time_ms, sample.time_ms);
	assert_int_equal(r.kind, 9);
	assert_int_equal(r.body.blob, 5);
	assert_int_equal(r.body.size, 700000);
	assert_true(bytes_eq(r.body.b, BYTES_LIT("one two")));
	buf_clear(&b);
	plain.body.blob = 0;
	make(&b, &plain, 0);
	assert_null(record_unpack(buf_bytes(&b), &r));
	assert_int_equal(r.seq, 0);
	assert_int_equal(r.body.blob, 0);
	assert_int_equal(r.body.size, 0);
	assert_true(bytes_eq(r.body.b, BYTES_LIT("one two")));
	buf_free(&b);
}

static void
the_stored_octets_are_these(void **state)
{
	/* fixed for good: stores of older builds are read */
	static const uint8_t want[] = { 1, 9, 3, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0,
		1, 0x8b, 0xcf, 0xe5, 0x68, 0x7b, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0,
		0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0x0a, 0xae, 0x60, 'o', 'n',
		'e', ' ', 't', 'w', 'o' };
	struct buf b = BUF_INIT;

	(void)state;
	make(&b, &sample, RECORD_NUMBER);
	assert_int_equal(b.len, sizeof(want) + 4);
	assert_memory_equal(buf_bytes(&b).p, want, sizeof(want));
	buf_free(&b);
}

static void
packing_appends_and_sums_only_its_own(void **state)
{
	struct buf b = BUF_INIT;
	struct record r;

	(void)state;
	buf_add_str(&b, "before");
	make(&b, &sample, 0);
	assert_null(record_unpack(bytes_skip(buf_bytes(&b), 6), &r));
	buf_free(&b);
}

static void
any_flipped_bit_is_noticed(void **state)
{
	struct buf b = BUF_INIT;
	struct record r;
	size_t i;

	(void)state;
	make(&b, &sample, RECORD_NUMBER);
	for (i = 0; i < b.len * 8; i++) {
		b.mem[b.off + i / 8] ^= (uint8_t)(1u << i % 8);
		assert_non_null(record_unpack(buf_bytes(&b), &r));
		b.mem[b.off + i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_null(record_unpack(buf_bytes(&b), &r));
	buf_free(&b);
}

static void
any_shorter_record_is_noticed(void **state)
{
	struct buf b = BUF_INIT;
	struct record r;
	size_t n;

	(void)state;
	make(&b, &sample, RECORD_NUMBER);
	for (n = 0; n < b.len; n++)
		assert_non_null(
		    record_unpack(bytes_of(buf_bytes(&b).p, n), &r));
	buf_free(&b);
}

/* Octets with a checksum that fits, as another version might leave them. */
static const char *
unpack_summed(const uint8_t *octets, size_t n)
{
	struct buf b = BUF_INIT;
	struct record r;
	const char *wrong;
	uint32_t crc = 0xffffffffu;
	size_t i;
	int k;

	for (i = 0; i < n; i++)
		for (crc ^= octets[i], k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
	buf_add(&b, octets, n);
	buf_add_be32(&b, ~crc);
	wrong = record_unpack(buf_bytes(&b), &r);
	buf_free(&b);
	return (wrong);
}

static void
unknown_versions_and_flags_are_named(void **state)
{
	uint8_t octets[43] = { 1 };

	(void)state;
	assert_null(unpack_summed(octets, 19));
	octets[2] = RECORD_NUMBER | RECORD_BLOB;
	assert_null(unpack_summed(octets, 43));
	assert_string_equal(unpack_summed(octets, 42), "too short");
	octets[2] = RECORD_NUMBER;
	assert_string_equal(unpack_summed(octets, 26), "too short");
	octets[2] = RECORD_GONE;
	assert_string_equal(unpack_summed(octets, 43), "bad stub");
	octets[2] = 16;
	assert_string_equal(unpack_summed(octets, 43), "unknown flags");
	octets[2] = 0;
	octets[0] = 2;
	assert_string_equal(unpack_summed(octets, 43), "unknown version");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(the_stored_octets_are_these),
		cmocka_unit_test(packing_appends_and_sums_only_its_own),
		cmocka_unit_test(any_flipped_bit_is_noticed),
		cmocka_unit_test(any_shorter_record_is_noticed),
		cmocka_unit_test(unknown_versions_and_flags_are_named),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
