/*
 * The cursors over checked text, which is what json_scan.c let pass.  Strings
 * are decoded in json_text.c, numbers in json_number.c.
 */
#include "common/json_inside.h"

static size_t json_skip(struct bytes);
static size_t json_skip_string(struct bytes);
static size_t json_skip_container(struct bytes);
static size_t json_skip_scalar(struct bytes);
static struct bytes json_lead(struct bytes, const char *);

void
json_iter_init(struct json_iter *it, const struct json *v)
{
	it->rest = BYTES_NONE;
	it->object = v->type == JSON_OBJECT;
	if (v->type == JSON_OBJECT || v->type == JSON_ARRAY)
		it->rest = bytes_skip(v->text, 1);
}

int
json_iter_next(struct json_iter *it, struct bytes *key, struct json *v)
{
	struct bytes in = json_lead(it->rest, " \t\r\n,");
	size_t n;

	it->rest = BYTES_NONE;
	if (it->object) {
		if (in.n == 0 || in.p[0] != '"')
			return (0);
		n = json_skip_string(in);
		if (key != NULL)
			*key = bytes_of(in.p + 1, n < 2 ? 0 : n - 2);
		in = json_lead(bytes_skip(in, n), " \t\r\n:");
	}
	if (in.n == 0 || (v->type = json_type_of(in.p[0])) == JSON_NONE)
		return (0);
	n = json_skip(in);
	v->text = bytes_of(in.p, n);
	it->rest = bytes_skip(in, n);
	return (1);
}

unsigned
json_find(const struct json *object, const char *name, struct json *value)
{
	return (json_find_all(object, &name, value, 1) +
	    (value->type != JSON_NONE));
}

unsigned
json_find_all(const struct json *object, const char *const *names,
    struct json *values, size_t n)
{
	struct json_iter it;
	struct bytes key = BYTES_NONE;
	struct json v;
	unsigned again = 0;
	size_t i;

	for (i = 0; i < n; i++)
		values[i] = (struct json){ JSON_NONE, BYTES_NONE };
	if (object->type != JSON_OBJECT)
		return (0);
	json_iter_init(&it, object);
	while (json_iter_next(&it, &key, &v)) {
		for (i = 0; i < n; i++)
			if (json_raw_eq(key, bytes_str(names[i])))
				break;
		if (i == n)
			continue;
		again += values[i].type != JSON_NONE;
		values[i] = v;
	}
	return (again);
}

/* The length of the value at the front of checked text. */
static size_t
json_skip(struct bytes in)
{
	if (in.p[0] == '"')
		return (json_skip_string(in));
	if (in.p[0] == '{' || in.p[0] == '[')
		return (json_skip_container(in));
	return (json_skip_scalar(in));
}

static size_t
json_skip_string(struct bytes in)
{
	size_t i = 1;
	uint64_t w, q, b;

	while (i < in.n) {
		for (; in.n - i >= sizeof(w); i += sizeof(w)) {
			memcpy(&w, in.p + i, sizeof(w));
			q = w ^ JSON_EVERY('"');
			b = w ^ JSON_EVERY('\\');
			if (((((q - JSON_EVERY(1)) & ~q) |
				 ((b - JSON_EVERY(1)) & ~b)) &
				JSON_EVERY(0x80)) != 0)
				break;
		}
		while (i < in.n && in.p[i] != '"' && in.p[i] != '\\')
			i++;
		if (i < in.n && in.p[i] == '"')
			return (i + 1);
		i += 2;
	}
	return (in.n);
}

static size_t
json_skip_container(struct bytes in)
{
	size_t i = 0, depth = 0;

	while (i < in.n) {
		switch (in.p[i]) {
		case '"':
			i += json_skip_string(bytes_skip(in, i));
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return (i + 1);
			break;
		default:
			break;
		}
		i++;
	}
	return (in.n);
}

static size_t
json_skip_scalar(struct bytes in)
{
	size_t i = 0;

	while (i < in.n && in.p[i] > ' ' && in.p[i] != ',' && in.p[i] != '}' &&
	    in.p[i] != ']')
		i++;
	return (i);
}

/* What is left without these octets at the front. */
static struct bytes
json_lead(struct bytes in, const char *set)
{
	while (in.n > 0 && in.p[0] != '\0' && strchr(set, in.p[0]) != NULL)
		in = bytes_skip(in, 1);
	return (in);
}
