/*
 * Request targets.  The first octet chooses how to decode.  Decoding must keep
 * to its bounds and to UTF-8 where it promises it, and what is percent-encoded
 * in full must decode to itself.
 */
#include <stdlib.h>

#include "common/hex.h"
#include "common/utf8.h"
#include "worker/url.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_decode(struct bytes, int);
static void fuzz_encoded(struct bytes, int);
static void fuzz_query(struct bytes, int);
static void fuzz_path(struct bytes);

static uint8_t *
fuzz_alloc(size_t n)
{
	uint8_t *p = malloc(n > 0 ? n : 1);

	must(p != NULL);
	return (p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in, path, query;
	int how;

	if (size == 0)
		return (0);
	how = data[0] % 3 | (data[0] & URL_PLUS);
	in = bytes_of(data + 1, size - 1);
	url_split(in, &path, &query);
	must(path.n + query.n + (query.p != NULL) == in.n);
	fuzz_decode(in, how);
	fuzz_encoded(in, how);
	fuzz_query(query, how);
	fuzz_path(path);
	return (0);
}

static void
fuzz_decode(struct bytes in, int how)
{
	size_t max = (how & URL_MODE) == URL_REPLACE ? 3 * in.n : in.n;
	uint8_t *out = fuzz_alloc(max), *tight;
	ssize_t n = url_decode(out, max, in, how), m;

	must(n >= 0);
	if ((how & URL_MODE) == URL_REPLACE)
		must(utf8_valid(bytes_of(out, (size_t)n)));
	if ((how & URL_MODE) == URL_LITERAL && utf8_valid(in))
		must(utf8_valid(bytes_of(out, (size_t)n)));
	/* A buffer of exactly that size does, one octet less does not. */
	tight = fuzz_alloc((size_t)n);
	m = url_decode(tight, (size_t)n, in, how);
	must(m == n && memcmp(out, tight, (size_t)n) == 0);
	must(n == 0 || url_decode(tight, (size_t)n - 1, in, how) == -1);
	free(tight);
	free(out);
}

static void
fuzz_encoded(struct bytes in, int how)
{
	uint8_t *text = fuzz_alloc(3 * in.n), *out = fuzz_alloc(3 * in.n);
	struct bytes code = bytes_of(text, 3 * in.n);
	ssize_t n;
	size_t i;

	for (i = 0; i < in.n; i++) {
		text[3 * i] = '%';
		hex_encode((char *)text + 3 * i + 1, bytes_of(in.p + i, 1));
	}
	n = url_decode(out, 3 * in.n, code, how);
	must(n >= 0);
	if ((how & URL_MODE) == URL_RAW || utf8_valid(in))
		must(bytes_eq(bytes_of(out, (size_t)n), in));
	else if ((how & URL_MODE) == URL_LITERAL)
		must(bytes_eq(bytes_of(out, (size_t)n), code));
	free(out);
	free(text);
}

static void
fuzz_query(struct bytes query, int how)
{
	struct bytes rest = query, name, value, found;
	int seen = url_query_find(query, "token", how, &found), same = 0;

	while (url_query_next(&rest, &name, &value)) {
		if (name.p == NULL)
			abort();
		must(name.p >= query.p && name.p + name.n <= query.p + query.n);
		must(value.p == NULL ||
		    (value.p == name.p + name.n + 1 &&
			value.p + value.n <= query.p + query.n));
		same |= seen && found.p == value.p;
		if (bytes_eq(name, BYTES_LIT("token")))
			must(seen);
	}
	must(same == seen);
}

static void
fuzz_path(struct bytes path)
{
	uint8_t *out = fuzz_alloc(path.n), *twice = fuzz_alloc(path.n);
	ssize_t n = url_path_resolve(out, path.n, path), m;
	struct bytes rest, seg;

	must((n == -1) == (path.n == 0 || path.p[0] != '/'));
	if (n != -1) {
		must(n > 0 && out[0] == '/');
		m = url_path_resolve(twice, (size_t)n,
		    bytes_of(out, (size_t)n));
		must(m == n && memcmp(out, twice, (size_t)n) == 0);
		rest = bytes_of(out, (size_t)n);
		while (url_segment_next(&rest, &seg)) {
			must(!bytes_eq(seg, BYTES_LIT("..")));
			must(!bytes_eq(seg, BYTES_LIT(".")));
		}
		must(rest.n == 0);
	}
	free(twice);
	free(out);
}
