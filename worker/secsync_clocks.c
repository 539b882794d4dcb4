/*
 * A set of clocks as a client writes it: in a snapshot's publicData and, on the
 * request line, as what it has.
 */
#include <stdlib.h>

#include "common/base64url.h"
#include "common/wire.h"
#include "worker/secsync_message.h"

#define KEY_BYTES 32

struct clock {
	struct bytes key;
	uint64_t value;
};

static int clock_read(struct clock *, struct bytes key, const struct json *);
static int clock_cmp(const void *, const void *);
static int clocks_add(struct buf *, const struct clock *, size_t);

int
secsync_clocks_pack(struct buf *out, const struct json *object)
{
	struct json_iter it;
	struct json value;
	struct bytes key;
	struct clock *c;
	size_t n = 0;
	int rc = -1;

	if (object->type != JSON_OBJECT)
		return (-1);
	if ((c = calloc(SECSYNC_CLOCKS_MAX, sizeof(*c))) == NULL)
		return (-1);
	json_iter_init(&it, object);
	while (json_iter_next(&it, &key, &value)) {
		if (n == SECSYNC_CLOCKS_MAX ||
		    clock_read(&c[n++], key, &value) == -1)
			goto out;
	}
	qsort(c, n, sizeof(*c), clock_cmp);
	rc = clocks_add(out, c, n);
out:
	free(c);
	return (rc);
}

static int
clock_read(struct clock *c, struct bytes key, const struct json *v)
{
	int64_t n;

	if (key.n != SECSYNC_KEY_LEN || base64url_check(key) != KEY_BYTES ||
	    json_safe_int(v, &n) == -1 || n < 0)
		return (-1);
	c->key = key;
	c->value = (uint64_t)n;
	return (0);
}

static int
clock_cmp(const void *va, const void *vb)
{
	const struct clock *a = va, *b = vb;

	return (bytes_cmp(a->key, b->key));
}

/* A key that stands there twice is no set. */
static int
clocks_add(struct buf *out, const struct clock *c, size_t n)
{
	uint8_t value[8];
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0 && bytes_eq(c[i - 1].key, c[i].key))
			return (-1);
		be64_put(value, c[i].value);
		if (list_add(out, c[i].key) == -1 ||
		    list_add(out, bytes_of(value, sizeof(value))) == -1)
			return (-1);
	}
	return (0);
}
