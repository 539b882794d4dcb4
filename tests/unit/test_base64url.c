/*
 * Base64: the vectors of RFC 4648, and that every octet string has exactly one
 * spelling.  Hexadecimal digits are tested here as well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base64url.h"
#include "common/hex.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const pairs[][2] = {
	{ "", "" },
	{ "f", "Zg" },
	{ "fo", "Zm8" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg" },
	{ "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "-__-" },
};

static void
the_vectors_of_the_rfc_go_both_ways(void **state)
{
	uint8_t out[16];
	char text[16];
	struct bytes plain, code;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(pairs); i++) {
		plain = bytes_str(pairs[i][0]);
		code = bytes_str(pairs[i][1]);
		assert_int_equal(base64url_encode(text, plain), code.n);
		assert_int_equal(BASE64URL_LEN(plain.n), code.n);
		assert_memory_equal(text, code.p, code.n);
		assert_int_equal(base64url_check(code), plain.n);
		assert_int_equal(base64url_decode(out, plain.n, code), plain.n);
		assert_memory_equal(out, plain.p, plain.n);
	}
}

static void
only_the_canonical_spelling_is_read(void **state)
{
	static const char *const bad[] = { "Z", "Zm9vY",
		"Zg==", "Zg=", "Zm8=", "Zm9v====", "Zm9v\n", " Zm9v", "Zm 9",
		"Zh", "Z/", "Zm9", "Zm-", "+__-", "-//-", "Zm9.", "Zm9v!m9v",
		"Z=9v", "Zm9vYmF" };
	uint8_t out[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(base64url_check(bytes_str(bad[i])), -1);
		assert_int_equal(base64url_decode(out, sizeof(out),
				     bytes_str(bad[i])),
		    -1);
	}
	assert_int_equal(base64url_check(BYTES_LIT("Zm9\0")), -1);
	assert_int_equal(base64url_check(BYTES_LIT("\xc3\xa9\xc3\xa9")), -1);
}

/* Of all tails of two and three characters exactly 256 and 65,536 are read. */
static void
tail_bits_must_be_zero(void **state)
{
	uint8_t all[3], out[2];
	char text[4];
	unsigned a, b, c, two = 0, three = 0;

	(void)state;
	for (a = 0; a < 256; a++)
		for (b = 0; b < 256; b++) {
			all[0] = (uint8_t)a;
			all[1] = (uint8_t)b;
			if (base64url_decode(out, 2, bytes_of(all, 2)) == 1) {
				base64url_encode(text, bytes_of(out, 1));
				assert_memory_equal(text, all, 2);
				two++;
			}
			for (c = 0; c < 256; c++) {
				all[2] = (uint8_t)c;
				three += base64url_check(bytes_of(all, 3)) == 2;
			}
		}
	assert_int_equal(two, 256);
	assert_int_equal(three, 65536);
}

static void
a_short_buffer_is_refused_and_not_touched(void **state)
{
	uint8_t out[8];
	size_t size;

	(void)state;
	for (size = 0; size < 5; size++) {
		memset(out, 0x55, sizeof(out));
		assert_int_equal(base64url_decode(out, size,
				     BYTES_LIT("Zm9vYmE")),
		    -1);
		assert_int_equal(out[0], 0x55);
		assert_int_equal(out[size], 0x55);
	}
	assert_int_equal(base64url_decode(out, 5, BYTES_LIT("Zm9vYmE")), 5);
}

static void
the_standard_alphabet_is_written_with_padding(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(base64_encode(text, BYTES_LIT("f")), 4);
	assert_memory_equal(text, "Zg==", 4);
	assert_int_equal(base64_encode(text, BYTES_LIT("fo")), 4);
	assert_memory_equal(text, "Zm8=", 4);
	assert_int_equal(base64_encode(text, BYTES_LIT("\xfb\xff\xfe")), 4);
	assert_memory_equal(text, "+//+", 4);
	assert_int_equal(base64_encode(text, BYTES_NONE), 0);
	assert_int_equal(BASE64_LEN(20), 28);
}

static void
a_websocket_key_is_sixteen_octets(void **state)
{
	static const char *const bad[] = { "", "dGhlIHNhbXBsZSBub25jZQ",
		"dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
		"dGhlIHNhbXBsZSBub25jZWE=", "dGhlIHNhbXBsZSBub25j",
		"dGhlIHNhbXBsZSBub25jZQ= ", "dGhlIHNhbXBsZSBub2-jZQ==",
		"dGhlIHNhbXBsZSBub2_jZQ==", "dGhlIHNhbXBsZ=Bub25jZQ==" };
	size_t i;

	(void)state;
	assert_true(base64_is_ws_key(BYTES_LIT("dGhlIHNhbXBsZSBub25jZQ==")));
	assert_true(base64_is_ws_key(BYTES_LIT("++//+/AAAAAAAAAAAAAAAA==")));
	assert_true(base64_is_ws_key(BYTES_LIT("dGhlIHNhbXBsZSBub25jZR==")));
	for (i = 0; i < COUNT(bad); i++)
		assert_false(base64_is_ws_key(bytes_str(bad[i])));
	assert_false(base64_is_ws_key(BYTES_LIT("dGhlIHNhbXBsZS\0ub25jZQ==")));
}

static void
hexadecimal_goes_both_ways(void **state)
{
	uint8_t out[4];
	char text[8];

	(void)state;
	assert_int_equal(hex_encode(text, BYTES_LIT("\x00\x9f\xa5\xff")), 8);
	assert_memory_equal(text, "009fa5ff", 8);
	assert_int_equal(hex_decode(out, 4, BYTES_LIT("009fA5Ff")), 4);
	assert_memory_equal(out, "\x00\x9f\xa5\xff", 4);
	assert_int_equal(hex_decode(out, 4, BYTES_NONE), 0);
}

static void
what_is_not_hexadecimal_is_refused(void **state)
{
	static const char *const bad[] = { "0", "0g", "g0", "/0", ":0", "@0",
		"G0", "`0", "0x", " 1", "1122334455" };
	uint8_t out[4];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(hex_decode(out, 4, bytes_str(bad[i])), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfc_go_both_ways),
		cmocka_unit_test(only_the_canonical_spelling_is_read),
		cmocka_unit_test(tail_bits_must_be_zero),
		cmocka_unit_test(a_short_buffer_is_refused_and_not_touched),
		cmocka_unit_test(the_standard_alphabet_is_written_with_padding),
		cmocka_unit_test(a_websocket_key_is_sixteen_octets),
		cmocka_unit_test(hexadecimal_goes_both_ways),
		cmocka_unit_test(what_is_not_hexadecimal_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
