/*
 * JSON.  What the scanner accepts, the cursors must walk to the same values;
 * strings must survive decoding and quoting; numbers must agree with each
 * other; what it refuses must not upset the cursors.
 */
#include <math.h>
#include <stdlib.h>

#include "common/utf8.h"
#include "common/json.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_tree(const struct json *, struct bytes, size_t *);
static void fuzz_string(struct bytes, int);
static void fuzz_number(const struct json *);
static size_t fuzz_tokens(struct bytes);
static void fuzz_hostile(struct bytes);
static void fuzz_quote(struct bytes);

#define DEPTH 32

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct json_report r;
	struct json v, again;
	size_t values = 0;

	fuzz_quote(in);
	if (json_parse(&v, in, DEPTH, &r) == -1) {
		must(r.reason != NULL && r.at <= size && v.type == JSON_NONE);
		fuzz_hostile(in);
		return (0);
	}
	must(utf8_valid(in) && r.depth <= DEPTH);
	fuzz_tree(&v, in, &values);
	must(values == fuzz_tokens(in));
	/* Any limit below the depth it has is too low, and only those. */
	must(json_parse(&again, in, r.depth, &r) == 0);
	if (r.depth > 0)
		must(json_parse(&again, in, r.depth - 1, &r) == -1);
	return (0);
}

static void
fuzz_tree(const struct json *v, struct bytes in, size_t *values)
{
	struct json_iter it;
	struct bytes key;
	struct json e;

	must(v->type != JSON_NONE && v->text.n > 0);
	must(v->text.p >= in.p && v->text.p + v->text.n <= in.p + in.n);
	(*values)++;
	if (v->type == JSON_STRING)
		fuzz_string(json_raw(v), 1);
	if (v->type == JSON_NUMBER)
		fuzz_number(v);
	json_iter_init(&it, v);
	while (json_iter_next(&it, &key, &e)) {
		if (v->type == JSON_OBJECT)
			fuzz_string(key, 1);
		fuzz_tree(&e, in, values);
	}
}

static void
fuzz_string(struct bytes raw, int deeper)
{
	struct buf text = BUF_INIT, quoted = BUF_INIT;
	struct json_report r;
	struct json v;

	must(json_raw_append(&text, raw) == 0);
	must(text.len <= raw.n);
	must(json_raw_eq(raw, buf_bytes(&text)));
	must(json_quote(&quoted, buf_bytes(&text)) == 0);
	must(json_parse(&v, buf_bytes(&quoted), 0, &r) == 0);
	must(v.type == JSON_STRING &&
	    json_raw_eq(json_raw(&v), buf_bytes(&text)));
	must(r.flags == 0 ? utf8_valid(buf_bytes(&text))
			  : !utf8_valid(buf_bytes(&text)));
	/* The quoted form is the fixed point. */
	if (deeper)
		fuzz_string(json_raw(&v), 0);
	buf_free(&text);
	buf_free(&quoted);
}

static void
fuzz_number(const struct json *v)
{
	char *copy = malloc(v->text.n + 1);
	int64_t n, safe;
	uint64_t u;
	double d, want;
	int rc;

	if (copy == NULL)
		abort();
	memcpy(copy, v->text.p, v->text.n);
	copy[v->text.n] = '\0';
	want = strtod(copy, NULL);
	free(copy);
	rc = json_double(v, &d);
	must(d == want && !signbit(d) == !signbit(want));
	must((rc == -1) == (isinf(want) != 0));
	if (json_int64(v, &n) == 0)
		must((double)n == want);
	if (json_uint64(v, &u) == 0)
		must((double)u == want);
	if (json_safe_int(v, &safe) == 0)
		must((double)safe == want);
}

/* Values as the scanner counts them. */
static size_t
fuzz_tokens(struct bytes in)
{
	struct json_scan s;
	struct json t;
	size_t n = 0;
	int rc;

	json_scan_init(&s, in, DEPTH);
	while ((rc = json_scan_next(&s, &t)) == 1)
		n += t.type < JSON_KEY;
	must(rc == 0);
	return (n);
}

/* On unchecked text the cursors find nonsense, but stay in the buffer. */
static void
fuzz_hostile(struct bytes in)
{
	struct json v = { JSON_OBJECT, in };
	struct json_iter it;
	struct bytes key;
	struct json e;
	uint32_t cp;

	for (v.type = JSON_ARRAY; v.type <= JSON_OBJECT; v.type++) {
		json_iter_init(&it, &v);
		while (json_iter_next(&it, &key, &e)) {
			must(e.text.p + e.text.n <= in.p + in.n);
			key = json_raw(&e);
			while (json_raw_next(&key, &cp))
				must(cp <= 0x10ffff);
		}
	}
	while (json_raw_next(&in, &cp))
		must(cp <= 0x10ffff);
}

static void
fuzz_quote(struct bytes in)
{
	struct buf quoted = BUF_INIT, back = BUF_INIT;
	struct json_report r;
	struct json v;

	if (json_quote(&quoted, in) == 0) {
		must(json_parse(&v, buf_bytes(&quoted), 0, &r) == 0);
		must(json_raw_append(&back, json_raw(&v)) == 0);
		/* Two halves of a pair side by side are one character now. */
		if (utf8_valid(in))
			must(back.len == in.n && json_raw_eq(json_raw(&v), in));
		else
			must(back.len <= in.n);
	} else {
		must(quoted.len == 0 && !utf8_valid(in));
	}
	buf_free(&quoted);
	buf_free(&back);
}
