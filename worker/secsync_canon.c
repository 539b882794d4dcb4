/*
 * Canonical JSON.  Objects are sorted in an array of slices; text and numbers
 * are rewritten.  Signatures and hashes over the result live elsewhere.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "worker/secsync_canon.h"

struct member {
	struct bytes key; /* raw */
	struct json value;
	size_t place; /* in the object as it came */
};

static int canon_value(struct buf *, const struct json *, unsigned int);
static int canon_array(struct buf *, const struct json *, unsigned int);
static int canon_object(struct buf *, const struct json *, unsigned int);
static int canon_members(struct buf *, const struct member *, size_t,
    unsigned int);
static int canon_string(struct buf *, struct bytes);
static int canon_number(struct buf *, const struct json *);
static int canon_digits(struct buf *, const char *, int);
static int canon_zeros(struct buf *, int);
static size_t member_count(const struct json *);
static int member_cmp(const void *, const void *);
static int raw_cmp(struct bytes, struct bytes);
static int32_t raw_unit(struct bytes *, uint16_t *);

int
secsync_canon(struct buf *out, const struct json *v)
{
	return (canon_value(out, v, 0));
}

/* Recursion, bounded by SECSYNC_CANON_DEPTH. */
static int
canon_value(struct buf *out, const struct json *v, unsigned int depth)
{
	if (depth > SECSYNC_CANON_DEPTH) {
		errno = EINVAL;
		return (-1);
	}
	switch (v->type) {
	case JSON_OBJECT:
		return (canon_object(out, v, depth));
	case JSON_ARRAY:
		return (canon_array(out, v, depth));
	case JSON_STRING:
		return (canon_string(out, json_raw(v)));
	case JSON_NUMBER:
		return (canon_number(out, v));
	default:
		return (buf_add_bytes(out, v->text));
	}
}

static int
canon_array(struct buf *out, const struct json *v, unsigned int depth)
{
	struct json_iter it;
	struct json item;
	const char *before = "[";

	json_iter_init(&it, v);
	while (json_iter_next(&it, NULL, &item)) {
		if (buf_add_str(out, before) == -1 ||
		    canon_value(out, &item, depth + 1) == -1)
			return (-1);
		before = ",";
	}
	return (buf_add_str(out, *before == '[' ? "[]" : "]"));
}

static int
canon_object(struct buf *out, const struct json *v, unsigned int depth)
{
	struct json_iter it;
	struct member *m;
	size_t i, n;
	int rc;

	if ((n = member_count(v)) == 0)
		return (buf_add_str(out, "{}"));
	if ((m = calloc(n, sizeof(*m))) == NULL)
		return (-1);
	json_iter_init(&it, v);
	for (i = 0; i < n; i++) {
		json_iter_next(&it, &m[i].key, &m[i].value);
		m[i].place = i;
	}
	qsort(m, n, sizeof(*m), member_cmp);
	rc = canon_members(out, m, n, depth);
	free(m);
	return (rc);
}

static int
canon_members(struct buf *out, const struct member *m, size_t n,
    unsigned int depth)
{
	const char *before = "{";
	size_t i;

	for (i = 0; i < n; i++) {
		if (i + 1 < n && raw_cmp(m[i].key, m[i + 1].key) == 0)
			continue;
		if (buf_add_str(out, before) == -1 ||
		    canon_string(out, m[i].key) == -1 ||
		    buf_add_u8(out, ':') == -1 ||
		    canon_value(out, &m[i].value, depth + 1) == -1)
			return (-1);
		before = ",";
	}
	return (buf_add_u8(out, '}'));
}

static int
canon_string(struct buf *out, struct bytes raw)
{
	struct buf text = BUF_INIT;
	int rc;

	/* Without a backslash nothing in it could need an escape. */
	if (json_raw_plain(raw)) {
		buf_add_u8(out, '"');
		buf_add_bytes(out, raw);
		return (buf_add_u8(out, '"') == -1 || out->failed ? -1 : 0);
	}
	rc = json_raw_append(&text, raw);
	if (rc == 0)
		rc = json_quote(out, buf_bytes(&text));
	buf_free(&text);
	return (rc);
}

/* The fewest digits that read back as the same double, as ECMAScript has it. */
static int
canon_number(struct buf *out, const struct json *v)
{
	char text[40], digits[24];
	double d;
	int precision, n = 0, i;

	if (json_double(v, &d) == -1) {
		errno = EINVAL;
		return (-1);
	}
	if (fpclassify(d) == FP_ZERO)
		return (buf_add_u8(out, '0'));
	if (d < 0 && buf_add_u8(out, '-') == -1)
		return (-1);
	d = fabs(d);
	for (precision = 0; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, d);
		if (!(strtod(text, NULL) < d) && !(strtod(text, NULL) > d))
			break;
	}
	for (i = 0; text[i] != '\0' && text[i] != 'e'; i++)
		if (text[i] >= '0' && text[i] <= '9')
			digits[n++] = text[i];
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	/* NOLINTNEXTLINE(cert-err34-c): an exponent that snprintf wrote */
	return (canon_digits(out, digits, atoi(text + i + 1) + 1));
}

/* 0.digits times ten to the power `point` (Number::toString, ECMA-262). */
static int
canon_digits(struct buf *out, const char *digits, int point)
{
	int n = (int)strlen(digits);

	if (point > 21 || point < -5)
		return (buf_printf(out, "%c%s%se%+d", digits[0],
		    n > 1 ? "." : "", digits + 1, point - 1));
	if (point <= 0) {
		buf_add_str(out, "0.");
		canon_zeros(out, -point);
		return (buf_add_str(out, digits));
	}
	if (point < n)
		return (
		    buf_printf(out, "%.*s.%s", point, digits, digits + point));
	buf_add_str(out, digits);
	return (canon_zeros(out, point - n));
}

static int
canon_zeros(struct buf *out, int n)
{
	while (n-- > 0)
		buf_add_u8(out, '0');
	return (out->failed ? -1 : 0);
}

static size_t
member_count(const struct json *v)
{
	struct json_iter it;
	struct json value;
	struct bytes key;
	size_t n = 0;

	json_iter_init(&it, v);
	while (json_iter_next(&it, &key, &value))
		n++;
	return (n);
}

/* By name; of one name in the order in which they came. */
static int
member_cmp(const void *va, const void *vb)
{
	const struct member *a = va, *b = vb;
	int c = raw_cmp(a->key, b->key);

	return (c != 0 ? c : (a->place > b->place) - (a->place < b->place));
}

static int
raw_cmp(struct bytes a, struct bytes b)
{
	uint16_t low_a = 0, low_b = 0;
	int32_t x, y;

	do {
		x = raw_unit(&a, &low_a);
		y = raw_unit(&b, &low_b);
	} while (x == y && x != -1);
	return ((x > y) - (x < y));
}

/* The next UTF-16 code unit, -1 at the end. */
static int32_t
raw_unit(struct bytes *raw, uint16_t *low)
{
	uint32_t cp;

	if (*low != 0) {
		cp = *low;
		*low = 0;
		return ((int32_t)cp);
	}
	if (!json_raw_next(raw, &cp))
		return (-1);
	if (cp < 0x10000)
		return ((int32_t)cp);
	cp -= 0x10000;
	*low = (uint16_t)(0xdc00 + (cp & 0x3ff));
	return ((int32_t)(0xd800 + (cp >> 10)));
}
