/*
 * JSON strings: escapes, decoding, comparing, and writing them as ECMAScript's
 * JSON.stringify does.
 */
#include <errno.h>

#include "common/hex.h"
#include "common/utf8.h"
#include "common/json.h"

static int text_unit(struct bytes, uint32_t *);
static int text_is_surrogate(struct bytes);
static int text_quote_body(struct buf *, struct bytes);
static int text_quote_one(struct buf *, struct bytes);
static size_t text_run(struct bytes);

/* The two-character escapes: what follows the backslash, and what it means. */
static const struct {
	char letter;
	uint8_t octet;
} text_short[] = {
	{ '"', '"' }, { '\\', '\\' }, { 'b', '\b' }, { 'f', '\f' },
	{ 'n', '\n' }, { 'r', '\r' }, { 't', '\t' },
	{ '/', '/' }, /* read, never written: text_run lets it pass */
};

#define TEXT_SHORT (sizeof(text_short) / sizeof(*text_short))

int
json_escape(struct bytes in, uint32_t *cp)
{
	uint32_t low;
	size_t i;

	if (in.n < 2 || in.p[0] != '\\')
		return (-1);
	for (i = 0; i < TEXT_SHORT; i++) {
		if (in.p[1] != (uint8_t)text_short[i].letter)
			continue;
		*cp = text_short[i].octet;
		return (2);
	}
	if (text_unit(in, cp) == -1)
		return (-1);
	if (*cp < 0xd800 || *cp > 0xdbff)
		return (6);
	if (text_unit(bytes_skip(in, 6), &low) == -1 || low < 0xdc00 ||
	    low > 0xdfff)
		return (6);
	*cp = 0x10000 + ((*cp - 0xd800) << 10) + (low - 0xdc00);
	return (12);
}

int
json_raw_plain(struct bytes raw)
{
	return (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL);
}

int
json_raw_next(struct bytes *raw, uint32_t *cp)
{
	int i, n = 1;

	if (raw->n == 0)
		return (0);
	*cp = raw->p[0];
	if (*cp == '\\') {
		if ((n = json_escape(*raw, cp)) == -1)
			n = 1;
	} else if (*cp >= 0x80) {
		if ((n = utf8_seq(*raw)) <= 0)
			n = 1;
		else
			*cp &= 0x7fu >> n;
		for (i = 1; i < n; i++)
			*cp = *cp << 6 | (raw->p[i] & 0x3f);
	}
	*raw = bytes_skip(*raw, (size_t)n);
	return (1);
}

int
json_raw_eq(struct bytes raw, struct bytes text)
{
	uint8_t c[4];
	uint32_t cp;
	size_t n;

	if (json_raw_plain(raw))
		return (bytes_eq(raw, text));
	while (json_raw_next(&raw, &cp)) {
		n = utf8_put(c, cp);
		if (!bytes_start(text, bytes_of(c, n)))
			return (0);
		text = bytes_skip(text, n);
	}
	return (text.n == 0);
}

ssize_t
json_raw_decode(uint8_t *out, size_t size, struct bytes raw)
{
	const uint8_t *mark;
	uint8_t c[4];
	uint32_t cp;
	size_t n = 0, run;

	while (raw.n > 0) {
		mark = memchr(raw.p, '\\', raw.n);
		run = mark == NULL ? raw.n : (size_t)(mark - raw.p);
		if (run > size - n)
			return (-1);
		if (run > 0)
			memcpy(out + n, raw.p, run);
		n += run;
		raw = bytes_skip(raw, run);
		if (!json_raw_next(&raw, &cp))
			break;
		run = utf8_put(c, cp);
		if (run > size - n)
			return (-1);
		memcpy(out + n, c, run);
		n += run;
	}
	return ((ssize_t)n);
}

int
json_raw_append(struct buf *b, struct bytes raw)
{
	uint8_t *room;
	ssize_t n;

	if (json_raw_plain(raw))
		return (buf_add_bytes(b, raw));
	if ((room = buf_room(b, raw.n)) == NULL)
		return (-1);
	if ((n = json_raw_decode(room, raw.n, raw)) == -1)
		return (-1);
	buf_grow(b, (size_t)n);
	return (0);
}

int
json_quote(struct buf *b, struct bytes text)
{
	size_t before = b->len;
	int saved;

	if (buf_add_u8(b, '"') == 0 && text_quote_body(b, text) == 0 &&
	    buf_add_u8(b, '"') == 0)
		return (0);
	saved = errno;
	buf_trunc(b, before);
	errno = saved;
	return (-1);
}

/* The four digits of \uXXXX at the front. */
static int
text_unit(struct bytes in, uint32_t *unit)
{
	int i, digit;

	if (in.n < 6 || in.p[0] != '\\' || in.p[1] != 'u')
		return (-1);
	*unit = 0;
	for (i = 2; i < 6; i++) {
		if ((digit = hex_digit(in.p[i])) == -1)
			return (-1);
		*unit = *unit << 4 | (uint32_t)digit;
	}
	return (0);
}

/* The 3-octet form of a surrogate, as WTF-8 has it. */
static int
text_is_surrogate(struct bytes b)
{
	return (b.n >= 3 && b.p[0] == 0xed && b.p[1] >= 0xa0 &&
	    b.p[1] <= 0xbf && (b.p[2] & 0xc0) == 0x80);
}

static int
text_quote_body(struct buf *b, struct bytes text)
{
	size_t run;
	int n;

	while (text.n > 0) {
		run = text_run(text);
		if (run > 0 && buf_add(b, text.p, run) == -1)
			return (-1);
		text = bytes_skip(text, run);
		if (text.n == 0)
			break;
		if ((n = text_quote_one(b, text)) == -1)
			return (-1);
		text = bytes_skip(text, (size_t)n);
	}
	return (0);
}

/* Writes what cannot stand as it is: the octets it took. */
static int
text_quote_one(struct buf *b, struct bytes text)
{
	char shorter[2] = { '\\', 0 };
	unsigned unit = text.p[0];
	int n = 1;
	size_t i;

	for (i = 0; i < TEXT_SHORT; i++) {
		if (text_short[i].octet != text.p[0])
			continue;
		shorter[1] = text_short[i].letter;
		return (buf_add(b, shorter, 2) == -1 ? -1 : 1);
	}
	if (text_is_surrogate(text)) {
		unit = 0xd000u | (text.p[1] & 0x3fu) << 6 | (text.p[2] & 0x3fu);
		n = 3;
	} else if (unit >= 0x80) {
		errno = EILSEQ;
		return (-1);
	}
	return (buf_printf(b, "\\u%04x", unit) == -1 ? -1 : n);
}

/* How many octets may stand in a string as they are. */
static size_t
text_run(struct bytes text)
{
	size_t i = 0;
	int n;

	while (i < text.n && text.p[i] >= 0x20 && text.p[i] != '"' &&
	    text.p[i] != '\\') {
		n = 1;
		if (text.p[i] >= 0x80 &&
		    (n = utf8_seq(bytes_skip(text, i))) <= 0)
			break;
		i += (size_t)n;
	}
	return (i);
}
