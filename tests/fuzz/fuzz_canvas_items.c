/*
 * Packed items as a worker that was taken over might send them to the broker:
 * what the broker's look at them lets pass has a text, and neither that nor the
 * merge may read or write beyond them, whatever they are.
 */
#include "broker/canvas_store.h"
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

static void
rest(void *arg)
{
	(void)arg;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct buf text = BUF_INIT;
	struct canvas_merge m;
	int ok = canvas_items_check(in, rest, NULL) != -1;

	must(!ok || canvas_items_text(&text, in) == 0);
	must(!ok || utf8_valid(buf_bytes(&text)));
	canvas_merge_init(&m, &limits, NULL, NULL);
	canvas_merge(&m, in, 1);
	canvas_merge_free(&m);
	canvas_merge_init(&m, &limits, load, &in);
	canvas_merge(&m, in, 2);
	canvas_merge_free(&m);
	buf_clear(&text);
	canvas_component_text(&text, BYTES_LIT("k"), in, 1, 2);
	buf_free(&text);
	return (0);
}
