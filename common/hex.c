/*
 * Hexadecimal digits.
 */
#include "common/hex.h"

int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

size_t
hex_encode(char *out, struct bytes b)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < b.n; i++) {
		out[2 * i] = digits[b.p[i] >> 4];
		out[2 * i + 1] = digits[b.p[i] & 0x0f];
	}
	return (2 * b.n);
}

ssize_t
hex_decode(uint8_t *out, size_t size, struct bytes text)
{
	size_t i;
	int high, low;

	if (text.n % 2 != 0 || text.n / 2 > size)
		return (-1);
	for (i = 0; i < text.n / 2; i++) {
		high = hex_digit(text.p[2 * i]);
		low = hex_digit(text.p[2 * i + 1]);
		if (high == -1 || low == -1)
			return (-1);
		out[i] = (uint8_t)(high << 4 | low);
	}
	return ((ssize_t)(text.n / 2));
}
