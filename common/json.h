/*
 * JSON (RFC 8259), strictly, as slices of a flat buffer.  Reading allocates
 * nothing, copies nothing and does not recurse.
 *
 * json_parse looks at every octet once: grammar, UTF-8, escapes, numbers,
 * depth, nothing before or behind.  The cursors below then walk a text that is
 * known to be good and are quick because of it; on other text they stay within
 * the buffer, but what they find means nothing.
 *
 * A lone surrogate escape (\ud800) is legal JSON text and so accepted; the
 * report tells of it, and it decodes to the 3-octet form of WTF-8, so that
 * equal strings stay equal.  Duplicate members are legal as well: json_find
 * counts them, and the last one counts, as in ECMAScript.
 */
#ifndef QUIRE_JSON_H
#define QUIRE_JSON_H

#include <sys/types.h>

#include "common/buf.h"

#define JSON_DEPTH_MAX 512

enum json_type {
	JSON_NONE, /* there is no such value */
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
	/* Kinds of tokens only: */
	JSON_KEY,
	JSON_CLOSE,
};

/* text is the value as it stands there, quotes and brackets included. */
struct json {
	enum json_type type;
	struct bytes text;
};

enum {
	JSON_HAS_LONE = 1, /* a surrogate escape without its partner */
	JSON_HAS_HUGE = 2, /* a number beyond the doubles, such as 1e999 */
};

struct json_report {
	unsigned flags;
	unsigned depth;	    /* of the deepest nesting; 0 for a scalar */
	size_t at;	    /* where it went wrong */
	const char *reason; /* NULL if nothing did */
};

/*
 * Checks the whole text, which must be one value with blanks around it.  0 and
 * the value without the blanks, or -1 and its reason.  depth_max counts open
 * arrays and objects and may not exceed JSON_DEPTH_MAX.
 */
int json_parse(struct json *, struct bytes text, unsigned depth_max,
    struct json_report *);

/*
 * The same where others wait: rest is called every JSON_REST_OCTETS, though not
 * amid blanks or digits, and JSON_HAS_HUGE is not looked for.
 */
typedef void json_rest(void *arg);
#define JSON_REST_OCTETS ((size_t)128 * 1024)
int json_parse_resting(struct json *, struct bytes text, unsigned depth_max,
    struct json_report *, json_rest *, void *arg);

/*
 * The scanner below json_parse, for a walk over all of a text in one pass.
 * An array or object gives a token for its first octet and a JSON_CLOSE for its
 * last; a JSON_KEY's text has its quotes.
 */
struct json_scan {
	struct bytes in;
	unsigned depth_max;
	struct json_report report;
	unsigned depth; /* open containers now */
	unsigned floor; /* of them, those that the text does not open itself */
	unsigned state;
	uint64_t objects[JSON_DEPTH_MAX / 64]; /* a bit a level */
	json_rest *rest;		       /* NULL: nobody waits */
	void *rest_arg;
	size_t rest_at;
};

void json_scan_init(struct json_scan *, struct bytes text, unsigned depth_max);

/* The same for what stands between the braces of an object. */
void json_scan_members(struct json_scan *, struct bytes text,
    unsigned depth_max);

/* 1 and a token, 0 at the end of good text, -1 with report.reason set. */
int json_scan_next(struct json_scan *, struct json *token);

/* A walk over the members of an object or the elements of an array. */
struct json_iter {
	struct bytes rest;
	int object;
};

/* A walk over anything else finds nothing. */
void json_iter_init(struct json_iter *, const struct json *);

/* 1 or 0 at the end.  *key is raw, without quotes; NULL if it is not wanted. */
int json_iter_next(struct json_iter *, struct bytes *key, struct json *value);

/* How often the object has that member; *value is the last, or JSON_NONE. */
unsigned json_find(const struct json *object, const char *name,
    struct json *value);

/*
 * The same for n names in one pass; values[i] belongs to names[i].  Returns how
 * many members were duplicates of an earlier one with a listed name.
 */
unsigned json_find_all(const struct json *object, const char *const *names,
    struct json *values, size_t n);

/* json_text.c: strings.  "Raw" is what stands between the quotes. */

static inline struct bytes
json_raw(const struct json *v)
{
	if ((v->type != JSON_STRING && v->type != JSON_KEY) || v->text.n < 2)
		return (BYTES_NONE);
	return (bytes_of(v->text.p + 1, v->text.n - 2));
}

/* Whether octets may stand between quotes. */
int json_raw_ok(struct bytes);

/* Whether raw and decoded are the same octets: no escapes. */
int json_raw_plain(struct bytes raw);

/*
 * Takes one code point off the front of raw: 1, or 0 at the end.  A lone
 * surrogate is given as itself.
 */
int json_raw_next(struct bytes *raw, uint32_t *cp);

/* Compare by decoded value; the text is UTF-8 (or WTF-8). */
int json_raw_eq(struct bytes raw, struct bytes text);

/*
 * Writes the decoded octets, never more than raw has.  Their number, or -1 if
 * they do not fit.
 */
ssize_t json_raw_decode(uint8_t *out, size_t size, struct bytes raw);

/* The same, appended: 0, or -1 without memory. */
int json_raw_append(struct buf *, struct bytes raw);

/*
 * Appends UTF-8 as a JSON string with its quotes, as ECMAScript's
 * JSON.stringify writes it; a surrogate of WTF-8 as \udxxx.  0, or -1 with
 * errno ENOMEM, or EILSEQ if text is neither, and nothing appended.
 */
int json_quote(struct buf *, struct bytes text);

/*
 * Reads the escape at the front (a surrogate pair at once).  Its length, or -1
 * if it is none.
 */
int json_escape(struct bytes in, uint32_t *cp);

/* json_number.c: numbers.  All return 0, or -1 if v is not such a number. */

/* Written as an integer (no fraction, no exponent) and within the type. */
int json_int64(const struct json *v, int64_t *n);
int json_uint64(const struct json *v, uint64_t *n);

/*
 * Any spelling (1.0, 1e3, -0) whose value as a double is an integer of at most
 * 2^53 - 1 either way: Number.isSafeInteger.
 */
int json_safe_int(const struct json *v, int64_t *n);

/* The nearest double; -1 also if it is beyond them (*d is then infinite). */
int json_double(const struct json *v, double *d);

#endif
