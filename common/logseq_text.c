/*
 * Text from typed values: Transit without cache codes, JSON strings.  Nothing
 * here reads any.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/logseq.h"

#define NUMBER_EXACT ((int64_t)1 << 53) /* what JSON readers keep exactly */

static int text_int(struct buf *, int64_t, const char *tag);
static int text_float(struct buf *, double);
static int text_digits(struct buf *, const char *digits, int n, int point);
static int text_tagged(struct buf *, const char *tag, struct bytes);
static void json_octets(struct buf *, struct bytes);

int
logseq_value_text(struct buf *b, const struct logseq_value *v)
{
	struct logseq_lookup l;

	switch (v->type) {
	case LOGSEQ_BOOL:
		return (buf_add_str(b, v->b.p[0] != 0 ? "true" : "false"));
	case LOGSEQ_INT:
		return (text_int(b, logseq_int_get(v->b), "~i"));
	case LOGSEQ_REF:
		return (text_int(b, (int64_t)be64_get(v->b.p), "~i"));
	case LOGSEQ_INSTANT:
		return (text_int(b, logseq_int_get(v->b), "~m"));
	case LOGSEQ_FLOAT:
		return (text_float(b, logseq_float_get(v->b)));
	case LOGSEQ_KEYWORD:
		return (text_tagged(b, "~:", v->b));
	case LOGSEQ_UUID:
		return (text_tagged(b, "~u", v->b));
	case LOGSEQ_STRING:
		return (text_tagged(b,
		    v->b.n > 0 && memchr("~^`", v->b.p[0], 3) != NULL ? "~"
								      : "",
		    v->b));
	case LOGSEQ_OPAQUE:
		return (buf_add_bytes(b, v->b));
	case LOGSEQ_LOOKUP:
		if (logseq_lookup_unpack(v->b, &l) == 0)
			return (buf_add_bytes(b, l.text));
		break;
	case LOGSEQ_NULL:
		break;
	}
	return (buf_add_str(b, "null"));
}

int
logseq_json_string(struct buf *b, struct bytes text)
{
	return (text_tagged(b, "", text));
}

int
logseq_number_text(struct buf *b, double v)
{
	char sci[32], digits[20];
	int n = 0, i;

	if (isnan(v))
		return (buf_add_str(b, "NaN"));
	if (v < 0)
		buf_add_u8(b, '-');
	v = fabs(v);
	if (isinf(v))
		return (buf_add_str(b, "Infinity"));
	do
		(void)snprintf(sci, sizeof(sci), "%.*e", n, v);
	while (strtod(sci, NULL) != v && ++n < 17);

	/* d.ddde+xx, with zeros at the end never: fewer would have done. */
	for (n = 0, i = 0; sci[i] != 'e'; i++)
		if (sci[i] != '.')
			digits[n++] = sci[i];
	digits[n] = '\0';
	return (
	    text_digits(b, digits, n, (int)strtol(sci + i + 1, NULL, 10) + 1));
}

/* Instants are tagged always, numbers where JSON would round them. */
static int
text_int(struct buf *b, int64_t v, const char *tag)
{
	if (tag[1] == 'i' && v <= NUMBER_EXACT && v >= -NUMBER_EXACT)
		return (buf_printf(b, "%" PRId64, v));
	return (buf_printf(b, "\"%s%" PRId64 "\"", tag, v));
}

static int
text_float(struct buf *b, double v)
{
	if (isnan(v))
		return (buf_add_str(b, "\"~zNaN\""));
	if (isinf(v))
		return (buf_add_str(b, v < 0 ? "\"~z-INF\"" : "\"~zINF\""));
	return (logseq_number_text(b, v));
}

/* Digits with the point behind so many of them (Number::toString). */
static int
text_digits(struct buf *b, const char *digits, int n, int point)
{
	if (point > 21 || point < -5)
		return (buf_printf(b, "%c%s%se%+d", digits[0], n > 1 ? "." : "",
		    digits + 1, point - 1));
	if (point <= 0)
		return (buf_printf(b, "0.%.*s%s", -point, "00000", digits));
	if (point < n)
		return (
		    buf_printf(b, "%.*s.%s", point, digits, digits + point));
	return (
	    buf_printf(b, "%s%.*s", digits, point - n, "00000000000000000000"));
}

static int
text_tagged(struct buf *b, const char *tag, struct bytes text)
{
	buf_add_u8(b, '"');
	buf_add_str(b, tag);
	json_octets(b, text);
	return (buf_add_u8(b, '"'));
}

static void
json_octets(struct buf *b, struct bytes text)
{
	size_t i, from = 0;
	uint8_t c;

	for (i = 0; i < text.n; i++) {
		c = text.p[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, text.p + from, i - from);
		if (c >= 0x20)
			buf_printf(b, "\\%c", c);
		else
			buf_printf(b, "\\u%04x", c);
		from = i + 1;
	}
	buf_add(b, text.p + from, text.n - from);
}
