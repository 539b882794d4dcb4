/*
 * Chunks of an sds client, each behind its length as two octets: the bound on
 * what is kept holds whatever comes, and a value that is whole has its octets.
 */
#include "worker/sds_chunks.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_OCTETS_MAX 4096

static void
fuzz_chunk(struct sds_chunks *chunks, struct bytes frame)
{
	struct buf value = BUF_INIT;
	struct sds_value *v;
	struct sds_chunk c;
	uint64_t octets;
	int fresh;

	if (sds_chunk_parse(frame, &c) != 1)
		return;
	must(c.key.n == SDS_KEY_BYTES && c.index < c.total);
	must(c.data.n < frame.n);
	v = sds_chunks_add(chunks, &c, &fresh);
	must(chunks->octets <= FUZZ_OCTETS_MAX);
	if (v == NULL)
		return;
	must(v->have <= v->total && v->octets <= chunks->octets);
	if (v->have != v->total)
		return;
	octets = v->octets;
	must(sds_chunks_take(chunks, v, &value) == 0 && value.len == octets);
	buf_free(&value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct sds_chunks chunks;
	size_t n;

	sds_chunks_init(&chunks, FUZZ_OCTETS_MAX);
	while (in.n >= 2) {
		n = (size_t)in.p[0] << 8 | in.p[1];
		in = bytes_skip(in, 2);
		n = n < in.n ? n : in.n;
		fuzz_chunk(&chunks, bytes_of(in.p, n));
		in = bytes_skip(in, n);
	}
	sds_chunks_free(&chunks);
	return (0);
}
