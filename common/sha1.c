/*
 * SHA-1 over one flat piece of memory; no incremental form is needed.
 */
#include "common/sha1.h"

#define SHA1_BLOCK 64

static void sha1_block(uint32_t[5], const uint8_t *);
static void sha1_expand(uint32_t[80], const uint8_t *);
static uint32_t sha1_mix(unsigned, uint32_t, uint32_t, uint32_t);
static uint32_t sha1_rol(uint32_t, unsigned);

static const uint32_t sha1_round[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
	0xca62c1d6 };

void
sha1(uint8_t out[SHA1_BYTES], struct bytes b)
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		0xc3d2e1f0 };
	uint8_t last[2 * SHA1_BLOCK] = { 0 };
	size_t i, rest = b.n % SHA1_BLOCK, whole = b.n - rest;
	size_t end = rest < SHA1_BLOCK - 8 ? SHA1_BLOCK : 2 * SHA1_BLOCK;

	for (i = 0; i < whole; i += SHA1_BLOCK)
		sha1_block(h, b.p + i);
	if (rest > 0)
		memcpy(last, b.p + whole, rest);
	last[rest] = 0x80;
	be64_put(last + end - 8, (uint64_t)b.n * 8);
	for (i = 0; i < end; i += SHA1_BLOCK)
		sha1_block(h, last + i);
	for (i = 0; i < 5; i++)
		be32_put(out + 4 * i, h[i]);
}

static void
sha1_block(uint32_t h[5], const uint8_t *p)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], t;
	unsigned i;

	sha1_expand(w, p);
	for (i = 0; i < 80; i++) {
		t = sha1_rol(a, 5) + sha1_mix(i / 20, b, c, d) + e +
		    sha1_round[i / 20] + w[i];
		e = d;
		d = c;
		c = sha1_rol(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

static void
sha1_expand(uint32_t w[80], const uint8_t *p)
{
	unsigned i;

	for (i = 0; i < 16; i++)
		w[i] = be32_get(p + (size_t)4 * i);
	for (; i < 80; i++)
		w[i] = sha1_rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
}

static uint32_t
sha1_mix(unsigned quarter, uint32_t b, uint32_t c, uint32_t d)
{
	if (quarter == 0)
		return ((b & c) | (~b & d));
	if (quarter == 2)
		return ((b & c) | (b & d) | (c & d));
	return (b ^ c ^ d);
}

static uint32_t
sha1_rol(uint32_t v, unsigned by)
{
	return (v << by | v >> (32 - by));
}
