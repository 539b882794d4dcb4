/*
 * Transit.  What is read and written, with codes or without, must be read
 * again to the same, and once written in one form stay in it.
 */
#include "worker/transit.h"
#include "tests/fuzz/fuzz.h"

static int fuzz_rewrite(struct bytes, struct transit_cache *, struct buf *);
static void fuzz_skip(struct bytes);

static struct transit_reader reader;
static struct transit_cache cache;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf full = BUF_INIT, coded = BUF_INIT, again = BUF_INIT;
	struct bytes in = bytes_of(data, size);

	fuzz_skip(in);
	if (fuzz_rewrite(in, NULL, &full) == 0) {
		must(fuzz_rewrite(buf_bytes(&full), &cache, &coded) == 0);
		must(coded.len <= full.len);
		must(fuzz_rewrite(buf_bytes(&coded), NULL, &again) == 0);
		must(bytes_eq(buf_bytes(&full), buf_bytes(&again)));
	}
	buf_free(&full);
	buf_free(&coded);
	buf_free(&again);
	return (0);
}

static int
fuzz_rewrite(struct bytes in, struct transit_cache *codes, struct buf *out)
{
	struct transit_writer w;
	struct transit t;
	int n;

	transit_reader_init(&reader, in);
	transit_writer_init(&w, out, codes);
	while ((n = transit_next(&reader, &t)) == 1) {
		must(t.type != TRANSIT_UUID || t.text.n == 36);
		transit_write(&w, &t);
	}
	must((n == -1) == (reader.reason != NULL));
	transit_reader_free(&reader);
	must(transit_writer_done(&w) == 0 || n == -1);
	return (n);
}

/* Every array skipped or copied where it opens, in turn. */
static void
fuzz_skip(struct bytes in)
{
	struct buf out = BUF_INIT;
	struct transit t;
	unsigned turn = 0, depth;

	transit_reader_init(&reader, in);
	while (transit_next(&reader, &t) == 1) {
		depth = reader.depth;
		if (t.type != TRANSIT_ARRAY || turn++ % 3 == 0)
			continue;
		if (turn % 3 == 1 && transit_skip(&reader, &t) == 0)
			must(reader.depth == depth - 1);
		else if (turn % 3 == 2)
			(void)transit_copy(&reader, &t, &out);
		buf_clear(&out);
	}
	transit_reader_free(&reader);
	buf_free(&out);
}
