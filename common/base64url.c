/*
 * Base64: strict URL-safe decoding, both encodings.
 */
#include "common/base64url.h"

#define BASE64_BAD 0xff

static int base64url_tail(struct bytes, uint32_t *);
static int base64url_group(const uint8_t *, size_t, uint32_t *);
static uint8_t base64url_value(uint8_t);
static size_t base64_body(char *, struct bytes, const char *);

static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789+/";

ssize_t
base64url_decode(uint8_t *out, size_t size, struct bytes text)
{
	size_t tail = text.n % 4, whole = text.n - tail;
	size_t i, n = 0, last = tail == 0 ? 0 : tail - 1;
	uint32_t v;

	if (tail == 1 || size < whole / 4 * 3 + last)
		return (-1);
	for (i = 0; i < whole; i += 4) {
		if (base64url_group(text.p + i, 4, &v) == -1)
			return (-1);
		out[n++] = (uint8_t)(v >> 16);
		out[n++] = (uint8_t)(v >> 8);
		out[n++] = (uint8_t)v;
	}
	if (base64url_tail(bytes_skip(text, whole), &v) == -1)
		return (-1);
	for (i = 0; i < last; i++)
		out[n++] = (uint8_t)(v >> (16 - 8 * i));
	return ((ssize_t)n);
}

ssize_t
base64url_check(struct bytes text)
{
	size_t tail = text.n % 4, whole = text.n - tail;
	size_t i;
	uint32_t v;

	if (tail == 1)
		return (-1);
	for (i = 0; i < whole; i += 4)
		if (base64url_group(text.p + i, 4, &v) == -1)
			return (-1);
	if (base64url_tail(bytes_skip(text, whole), &v) == -1)
		return (-1);
	return ((ssize_t)(whole / 4 * 3 + (tail == 0 ? 0 : tail - 1)));
}

size_t
base64url_encode(char *out, struct bytes b)
{
	return (base64_body(out, b, base64_url));
}

size_t
base64_encode(char *out, struct bytes b)
{
	size_t n = base64_body(out, b, base64_standard);

	while (n % 4 != 0)
		out[n++] = '=';
	return (n);
}

int
base64_is_ws_key(struct bytes text)
{
	size_t i;

	if (text.n != 24 || text.p[22] != '=' || text.p[23] != '=')
		return (0);
	for (i = 0; i < 22; i++)
		if (text.p[i] == '\0' ||
		    strchr(base64_standard, text.p[i]) == NULL)
			return (0);
	return (1);
}

/* The last two or three characters: what they leave over must be zero. */
static int
base64url_tail(struct bytes text, uint32_t *v)
{
	uint32_t spare = text.n == 2 ? 0xffff : 0xff;

	*v = 0;
	if (text.n == 0)
		return (0);
	if (base64url_group(text.p, text.n, v) == -1)
		return (-1);
	return ((*v & spare) == 0 ? 0 : -1);
}

/* Up to four characters as the upper bits of a 24-bit number. */
static int
base64url_group(const uint8_t *p, size_t n, uint32_t *v)
{
	uint8_t bad = 0, six;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < 4; i++) {
		six = i < n ? base64url_value(p[i]) : 0;
		bad |= six;
		sum = sum << 6 | (six & 0x3f);
	}
	*v = sum;
	return ((bad & 0xc0) == 0 ? 0 : -1);
}

static uint8_t
base64url_value(uint8_t c)
{
	if (c >= 'a' && c <= 'z')
		return ((uint8_t)(c - 'a' + 26));
	if (c >= 'A' && c <= 'Z')
		return ((uint8_t)(c - 'A'));
	if (c >= '0' && c <= '9')
		return ((uint8_t)(c - '0' + 52));
	return (c == '-' ? 62 : c == '_' ? 63 : BASE64_BAD);
}

/* Everything but the padding. */
static size_t
base64_body(char *out, struct bytes b, const char *alphabet)
{
	size_t i, k, n = 0, some;
	uint32_t v;

	for (i = 0; i < b.n; i += 3) {
		some = b.n - i < 3 ? b.n - i : 3;
		v = (uint32_t)b.p[i] << 16;
		if (some > 1)
			v |= (uint32_t)b.p[i + 1] << 8;
		if (some > 2)
			v |= b.p[i + 2];
		for (k = 0; k <= some; k++)
			out[n++] = alphabet[v >> (18 - 6 * k) & 0x3f];
	}
	return (n);
}
