/*
 * The library has the record's; a page's, which is Berkeley DB's own, is done
 * here many octets at a time.
 */
#include <libdeflate.h>

#include "broker/sum.h"

/* Powers of what the library multiplies by for each octet. */
#define SUM_P1	33u
#define SUM_P2	(SUM_P1 * SUM_P1)
#define SUM_P4	(SUM_P2 * SUM_P2)
#define SUM_P8	(SUM_P4 * SUM_P4)
#define SUM_P16 (SUM_P8 * SUM_P8)

static uint32_t sum_eight(const uint8_t *);

uint32_t
sum_crc32(struct bytes b)
{
	/* Without a place it would begin anew. */
	return (b.n == 0 ? 0 : libdeflate_crc32(0, b.p, b.n));
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
