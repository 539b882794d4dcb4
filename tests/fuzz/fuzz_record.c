/*
 * Records of the store.  The checksum, which no fuzzer guesses, is put behind
 * them here; what is read lies within, and what decays is noticed.
 */
#include <zlib.h>

#include "broker/record.h"
#include "common/buf.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT;
	struct record r;
	struct bytes all;
	uint8_t *p;

	(void)record_unpack(bytes_of(data, size), &r);
	buf_add(&b, data, size);
	buf_add_be32(&b, (uint32_t)crc32_z(0, data, size));
	all = buf_bytes(&b);
	must(!b.failed);
	if (record_unpack(all, &r) == NULL) {
		must(r.body.b.n <= size);
		must(r.body.b.n == 0 ||
		    (r.body.b.p >= all.p &&
			r.body.b.p + r.body.b.n <= all.p + size));
		p = b.mem + b.off + all.n / 2;
		*p ^= 0x10;
		must(record_unpack(all, &r) != NULL);
	}
	buf_free(&b);
	return (0);
}
