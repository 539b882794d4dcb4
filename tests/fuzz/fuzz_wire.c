/*
 * Lists and entries in IPC fields.  What is taken is within what there is, and
 * packed again it reads the same.
 */
#include "common/buf.h"
#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_entries(struct bytes in)
{
	struct entry e, again;
	struct buf b = BUF_INIT;
	struct bytes left, packed;

	for (left = in; entry_unpack(&left, &e) == 1;) {
		must(left.n < in.n);
		buf_clear(&b);
		must(entry_pack(&b, &e) == 0);
		packed = buf_bytes(&b);
		must(entry_unpack(&packed, &again) == 1 && packed.n == 0);
		must(again.seq == e.seq && again.origin == e.origin &&
		    again.kind == e.kind && again.flags == e.flags &&
		    again.time_ms == e.time_ms);
		must(
		    bytes_eq(again.key, e.key) && bytes_eq(again.body, e.body));
		in = left;
	}
	buf_free(&b);
}

static void
fuzz_list(struct bytes in)
{
	struct bytes left = in, item, packed, again;
	struct buf b = BUF_INIT;

	while (list_next(&left, &item) == 1) {
		must(left.n < in.n && item.n < in.n);
		buf_clear(&b);
		must(list_add(&b, item) == 0);
		packed = buf_bytes(&b);
		must(list_next(&packed, &again) == 1 && packed.n == 0 &&
		    bytes_eq(again, item));
		in = left;
	}
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_entries(bytes_of(data, size));
	fuzz_list(bytes_of(data, size));
	return (0);
}
