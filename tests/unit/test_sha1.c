/*
 * SHA-1: the examples of FIPS 180, RFC 6455, and the lengths around a block,
 * for which libsodium has nothing to compare with: digests from sha1sum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/hex.h"
#include "common/sha1.h"

static void
assert_sha1(struct bytes b, const char *want)
{
	uint8_t digest[SHA1_BYTES];
	char text[2 * SHA1_BYTES + 1];

	sha1(digest, b);
	text[hex_encode(text, bytes_of(digest, sizeof(digest)))] = '\0';
	assert_string_equal(text, want);
}

static void
the_examples_of_the_standard_hold(void **state)
{
	static uint8_t million[1000000];

	(void)state;
	assert_sha1(BYTES_LIT("abc"),
	    "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_sha1(BYTES_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmn"
			      "lmnomnopnopq"),
	    "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	memset(million, 'a', sizeof(million));
	assert_sha1(bytes_of(million, sizeof(million)),
	    "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

static void
lengths_around_a_block_hold(void **state)
{
	static const struct {
		size_t n;
		const char *want;
	} rows[] = {
		{ 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ 1, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8" },
		{ 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
		{ 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
		{ 57, "f08f24908d682555111be7ff6f004e78283d989a" },
		{ 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5" },
		{ 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
		{ 65, "11655326c708d70319be2610e8a57d9a5b959d3b" },
		{ 119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56" },
		{ 120, "f34c1488385346a55709ba056ddd08280dd4c6d6" },
		{ 127, "89d95fa32ed44a7c610b7ee38517ddf57e0bb975" },
		{ 128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0" },
		{ 1000, "291e9a6c66994949b57ba5e650361e98fc36b1ba" },
	};
	uint8_t text[1000];
	size_t i;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_sha1(bytes_of(text, rows[i].n), rows[i].want);
	assert_sha1(BYTES_NONE, rows[0].want);
}

static void
the_websocket_example_holds(void **state)
{
	(void)state;
	assert_sha1(BYTES_LIT("dGhlIHNhbXBsZSBub25jZQ=="
			      "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"),
	    "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_standard_hold),
		cmocka_unit_test(lengths_around_a_block_hold),
		cmocka_unit_test(the_websocket_example_holds),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
