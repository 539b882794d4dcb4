/*
 * UTF-8 validation and encoding.  Decoding to code points is not here: the
 * only reader of code points is common/json_text.c.
 */
#include "common/utf8.h"

#define UTF8_HIGH 0x8080808080808080u

static size_t utf8_ascii(struct bytes);
static int utf8_lead(struct utf8 *, uint8_t);
static int utf8_step(struct utf8 *, uint8_t);

/* What a lead octet demands: how many more, and the bounds of the first. */
static const struct utf8_row {
	uint8_t first, last, need, lo, hi;
} utf8_rows[] = {
	{ 0xc2, 0xdf, 1, 0x80, 0xbf },
	{ 0xe0, 0xe0, 2, 0xa0, 0xbf },
	{ 0xe1, 0xec, 2, 0x80, 0xbf },
	{ 0xed, 0xed, 2, 0x80, 0x9f },
	{ 0xee, 0xef, 2, 0x80, 0xbf },
	{ 0xf0, 0xf0, 3, 0x90, 0xbf },
	{ 0xf1, 0xf3, 3, 0x80, 0xbf },
	{ 0xf4, 0xf4, 3, 0x80, 0x8f },
};

#define UTF8_ROWS (sizeof(utf8_rows) / sizeof(*utf8_rows))

int
utf8_feed(struct utf8 *u, struct bytes b)
{
	size_t i = 0;

	if (u->need == UTF8_BAD)
		return (-1);
	while (i < b.n) {
		if (u->need == 0 && b.p[i] < 0x80) {
			i += utf8_ascii(bytes_skip(b, i));
			continue;
		}
		if (utf8_step(u, b.p[i++]) == -1) {
			u->need = UTF8_BAD;
			return (-1);
		}
	}
	return (0);
}

int
utf8_done(const struct utf8 *u)
{
	return (u->need == 0);
}

int
utf8_valid(struct bytes b)
{
	struct utf8 u = { 0, 0, 0 };

	return (utf8_feed(&u, b) == 0 && utf8_done(&u));
}

int
utf8_seq(struct bytes b)
{
	struct utf8 u = { 0, 0, 0 };
	int i;

	for (i = 0; (size_t)i < b.n; i++) {
		if (utf8_step(&u, b.p[i]) == -1)
			return (i == 0 ? -1 : -i);
		if (u.need == 0)
			return (i + 1);
	}
	return (0);
}

size_t
utf8_put(uint8_t out[4], uint32_t cp)
{
	if (cp < 0x80) {
		out[0] = (uint8_t)cp;
		return (1);
	}
	if (cp < 0x800) {
		out[0] = (uint8_t)(0xc0 | cp >> 6);
		out[1] = (uint8_t)(0x80 | (cp & 0x3f));
		return (2);
	}
	if (cp < 0x10000) {
		out[0] = (uint8_t)(0xe0 | cp >> 12);
		out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (cp & 0x3f));
		return (3);
	}
	out[0] = (uint8_t)(0xf0 | cp >> 18);
	out[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (cp & 0x3f));
	return (4);
}

struct bytes
utf8_cut(struct bytes b, size_t max)
{
	if (b.n <= max)
		return (b);
	while (max > 0 && (b.p[max] & 0xc0) == 0x80)
		max--;
	return (bytes_of(b.p, max));
}

/* The length of the run of ASCII at the front, eight octets at a stride. */
static size_t
utf8_ascii(struct bytes b)
{
	size_t i = 0;
	uint64_t w;

	for (; b.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, b.p + i, sizeof(w));
		if ((w & UTF8_HIGH) != 0)
			break;
	}
	while (i < b.n && b.p[i] < 0x80)
		i++;
	return (i);
}

static int
utf8_step(struct utf8 *u, uint8_t c)
{
	if (u->need == 0)
		return (c < 0x80 ? 0 : utf8_lead(u, c));
	if (c < u->lo || c > u->hi)
		return (-1);
	u->need--;
	u->lo = 0x80;
	u->hi = 0xbf;
	return (0);
}

static int
utf8_lead(struct utf8 *u, uint8_t c)
{
	const struct utf8_row *r;

	for (r = utf8_rows; r < utf8_rows + UTF8_ROWS; r++) {
		if (c < r->first || c > r->last)
			continue;
		u->need = r->need;
		u->lo = r->lo;
		u->hi = r->hi;
		return (0);
	}
	return (-1);
}
