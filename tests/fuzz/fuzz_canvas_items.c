/*
 * Packed items as a worker that was taken over might send them to the broker:
 * text and merge must agree on what is malformed, and neither may read or write
 * beyond it.
 */
#include "common/canvas_merge.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

static const struct canvas_limits limits = { 4096, 64 };

/* A component that is there already, made of the same octets. */
static int
load(void *arg, struct bytes key, struct buf *stored)
{
	struct bytes in = *(struct bytes *)arg;

	if (key.n == 0 || in.n == 0)
		return (0);
	return (buf_add(stored, in.p, in.n) == -1 ? -1 : 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct buf text = BUF_INIT;
	struct canvas_merge m;
	int ok = canvas_items_text(&text, in) == 0;

	must(!ok || utf8_valid(buf_bytes(&text)));
	canvas_merge_init(&m, &limits, NULL, NULL);
	must(ok || canvas_merge(&m, in, 1) == CANVAS_MALFORMED);
	canvas_merge_free(&m);
	canvas_merge_init(&m, &limits, load, &in);
	canvas_merge(&m, in, 2);
	canvas_merge_free(&m);
	buf_clear(&text);
	canvas_component_text(&text, BYTES_LIT("k"), in, 1, 2);
	buf_free(&text);
	return (0);
}
