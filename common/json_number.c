/*
 * JSON numbers.  The locale has no say here: strtod is only ever given digits
 * and a power, never a decimal point.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"

/* More digits than the longest exact half-way point between doubles has. */
#define NUMBER_DIGITS 780

/* Beyond any double that fits in memory, far from the ends of 64 bits. */
#define NUMBER_POWER ((int64_t)1000000000000000)

/* A decimal number: the digits as an integer, times ten to the power. */
struct number {
	char digits[NUMBER_DIGITS + 32];
	size_t n;
	int64_t power;
	int lost; /* a digit other than 0 found no room */
};

static int number_unsigned(const struct json *, int *, uint64_t *);
static void number_split(struct number *, struct bytes);
static void number_digit(struct number *, uint8_t, int);
static int64_t number_power(struct bytes);

int
json_int64(const struct json *v, int64_t *n)
{
	uint64_t u;
	int minus;

	if (number_unsigned(v, &minus, &u) == -1)
		return (-1);
	if (u > (uint64_t)INT64_MAX + (uint64_t)minus)
		return (-1);
	*n = minus && u > 0 ? -(int64_t)(u - 1) - 1 : (int64_t)u;
	return (0);
}

int
json_uint64(const struct json *v, uint64_t *n)
{
	uint64_t u;
	int minus;

	if (number_unsigned(v, &minus, &u) == -1 || (minus && u != 0))
		return (-1);
	*n = u;
	return (0);
}

int
json_safe_int(const struct json *v, int64_t *n)
{
	double d;

	if (json_double(v, &d) == -1 || fabs(d) > 9007199254740991.0 ||
	    (double)(int64_t)d != d)
		return (-1);
	*n = (int64_t)d;
	return (0);
}

int
json_double(const struct json *v, double *d)
{
	struct number num;
	uint64_t u;
	int minus, saved = errno;

	if (v->type != JSON_NUMBER)
		return (-1);
	/* This conversion rounds to the nearest as well. */
	if (number_unsigned(v, &minus, &u) == 0) {
		*d = minus ? -(double)u : (double)u;
		return (0);
	}
	minus = v->text.p[0] == '-';
	number_split(&num, v->text);
	(void)snprintf(num.digits + num.n, sizeof(num.digits) - num.n,
	    "e%" PRId64, num.power);
	*d = strtod(num.digits, NULL);
	errno = saved;
	if (minus)
		*d = -*d;
	return (isinf(*d) ? -1 : 0);
}

/* Sign and digits only; -1 also beyond 64 bits. */
static int
number_unsigned(const struct json *v, int *minus, uint64_t *u)
{
	uint64_t digit;
	size_t i;

	if (v->type != JSON_NUMBER)
		return (-1);
	*minus = v->text.p[0] == '-';
	*u = 0;
	for (i = (size_t)*minus; i < v->text.n; i++) {
		if (v->text.p[i] < '0' || v->text.p[i] > '9')
			return (-1);
		digit = (uint64_t)(v->text.p[i] - '0');
		if (*u > (UINT64_MAX - digit) / 10)
			return (-1);
		*u = *u * 10 + digit;
	}
	return (0);
}

static void
number_split(struct number *num, struct bytes text)
{
	size_t i;
	int fraction = 0;

	memset(num, 0, sizeof(*num));
	for (i = 0; i < text.n && (text.p[i] | 0x20) != 'e'; i++) {
		if (text.p[i] == '.')
			fraction = 1;
		else if (text.p[i] != '-')
			number_digit(num, text.p[i], fraction);
	}
	/* One more digit stands for all that were lost: it decides a tie. */
	if (num->lost) {
		num->digits[num->n++] = '1';
		num->power--;
	}
	if (num->n == 0)
		num->digits[num->n++] = '0';
	num->power += number_power(bytes_skip(text, i));
}

static void
number_digit(struct number *num, uint8_t digit, int fraction)
{
	if (num->n == 0 && digit == '0') {
		num->power -= fraction;
		return;
	}
	if (num->n == NUMBER_DIGITS) {
		num->lost |= digit != '0';
		num->power += !fraction;
		return;
	}
	num->digits[num->n++] = (char)digit;
	num->power -= fraction;
}

/* The number behind "e", or 0 without one. */
static int64_t
number_power(struct bytes text)
{
	int64_t power = 0;
	int minus = text.n > 1 && text.p[1] == '-';
	size_t i;

	for (i = 1; i < text.n; i++)
		if (text.p[i] >= '0' && text.p[i] <= '9' &&
		    power < NUMBER_POWER)
			power = power * 10 + (text.p[i] - '0');
	return (minus ? -power : power);
}
