/* Sums, many octets at a time. */
#include <zlib.h>

#include "broker/sum.h"

/* Powers of what the library multiplies by for each octet. */
#define SUM_P1	33u
#define SUM_P2	(SUM_P1 * SUM_P1)
#define SUM_P4	(SUM_P2 * SUM_P2)
#define SUM_P8	(SUM_P4 * SUM_P4)
#define SUM_P16 (SUM_P8 * SUM_P8)

static uLong sum_fold(struct bytes *);
static uint32_t sum_eight(const uint8_t *);

uint32_t
sum_crc32(struct bytes b)
{
	uLong crc = sum_fold(&b);

	return ((uint32_t)(b.n == 0 ? crc : crc32_z(crc, b.p, b.n)));
}

/* For each octet h = h * 33 + octet: what is short of a step goes first. */
uint32_t
sum_page(DB *db, const void *octets, uint32_t n)
{
	const uint8_t *p = octets;
	uint32_t h = 0;

	(void)db;
	for (; n % 16 != 0; n--)
		h = h * SUM_P1 + *p++;
	for (; n > 0; n -= 16, p += 16)
		h = h * SUM_P16 + sum_eight(p) * SUM_P8 + sum_eight(p + 8);
	return (h);
}

/*
 * The same for eight octets alone: neighbours are joined to four numbers, these
 * to two, and these to one; none outgrows its place before the last.
 */
static uint32_t
sum_eight(const uint8_t *p)
{
	const uint64_t octets = 0x00ff00ff00ff00ff, pairs = 0x0000ffff0000ffff;
	uint64_t w = be64_get(p);

	w = (w >> 8 & octets) * SUM_P1 + (w & octets);
	w = (w >> 16 & pairs) * SUM_P2 + (w & pairs);
	return ((uint32_t)(w >> 32) * SUM_P4 + (uint32_t)w);
}

#if defined(__x86_64__)

#include <wmmintrin.h>

#define SUM_LANES      4
#define SUM_LANE_BYTES sizeof(__m128i)
#define SUM_STEP_BYTES (SUM_LANES * SUM_LANE_BYTES)

/*
 * What is n octets further on, as a remainder: x^(8n+32) and x^(8n-32) modulo
 * the polynomial, lowest bit last.
 */
#define SUM_ON_64 _mm_set_epi64x(0x01c6e41596, 0x0154442bd4)
#define SUM_ON_16 _mm_set_epi64x(0x00ccaa009e, 0x01751997d0)

static __m128i sum_on(__m128i, __m128i by, __m128i there);

/*
 * The CRC of as much of the front as there is in whole steps, which is taken
 * off; 0, that of nothing, where there is little or the processor cannot.
 *
 * Each lane is multiplied on to where the next step's begins and added there
 * (Gopal and others, Fast CRC Computation Using PCLMULQDQ), until sixteen
 * octets are left whose remainder is that of all; zlib takes that.
 */
__attribute__((target("pclmul"))) static uLong
sum_fold(struct bytes *b)
{
	const uint8_t *p = b->p;
	uint8_t rest[SUM_LANE_BYTES];
	__m128i lane[SUM_LANES], first;
	size_t i, n;

	if (b->n < 2 * SUM_STEP_BYTES || !__builtin_cpu_supports("pclmul"))
		return (0);
	for (i = 0; i < SUM_LANES; i++)
		lane[i] = _mm_loadu_si128((const void *)(p + 16 * i));
	first = _mm_cvtsi32_si128(-1); /* as zlib begins */
	lane[0] = _mm_xor_si128(lane[0], first);
	for (n = SUM_STEP_BYTES; n + SUM_STEP_BYTES <= b->n;
	     n += SUM_STEP_BYTES)
		for (i = 0; i < SUM_LANES; i++)
			lane[i] = sum_on(lane[i], SUM_ON_64,
			    _mm_loadu_si128((const void *)(p + n + 16 * i)));
	for (i = 1; i < SUM_LANES; i++)
		lane[i] = sum_on(lane[i - 1], SUM_ON_16, lane[i]);
	_mm_storeu_si128((void *)rest, lane[SUM_LANES - 1]);
	*b = bytes_skip(*b, n);
	/* Its own beginning is undone: rest has had it. */
	return (crc32_z(0xffffffff, rest, sizeof(rest)));
}

__attribute__((target("pclmul"))) static __m128i
sum_on(__m128i v, __m128i by, __m128i there)
{
	return (_mm_xor_si128(there,
	    _mm_xor_si128(_mm_clmulepi64_si128(v, by, 0x00),
		_mm_clmulepi64_si128(v, by, 0x11))));
}

#else

static uLong
sum_fold(struct bytes *b)
{
	(void)b;
	return (0);
}

#endif
