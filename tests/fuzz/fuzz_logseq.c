/*
 * What a subverted worker may submit about a graph: the fields of any verb, in
 * any order.  Nothing may make the transaction fail, and after it the graph
 * must be whole (rig_check).
 *
 * The input is a list of submits: the verb in the first octet, then the items.
 */
#include "common/wire.h"
#include "tests/lib/logseq_rig.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_TEXT_MAX 65536u

static void fuzz_submit(struct rig *, uint64_t verb, struct bytes items);
static size_t fuzz_texts(struct bytes items);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), one;
	struct rig rig;

	if (rig_new(&rig) == -1)
		abort();
	while (list_next(&in, &one) == 1) {
		if (one.n == 0)
			continue;
		fuzz_submit(&rig, one.p[0] % LOGSEQ_SWEEP + 1u,
		    bytes_skip(one, 1));
		rig_check(&rig);
	}
	rig_free(&rig);
	return (0);
}

static void
fuzz_submit(struct rig *r, uint64_t verb, struct bytes items)
{
	static uint8_t text[FUZZ_TEXT_MAX];
	struct logseq_state state = rig_state(r);
	struct submit s = { .verb = verb,
		.clock = verb == LOGSEQ_TX ? state.t : state.staged,
		.items = items };

	if (verb == LOGSEQ_TX) {
		memset(text, 'x', sizeof(text));
		s.body = BODY_OF(bytes_of(text, fuzz_texts(items)));
	}
	rig_submit(r, LOGSEQ_ROOM_GRAPH, RIG_GRAPH, &s);
	if (verb == LOGSEQ_TX && r->code == CODE_OK &&
	    logseq_outcome_unpack(buf_bytes(&r->info), &r->out) == -1)
		abort();
}

/* As many octets as the entries claim, where that is possible. */
static size_t
fuzz_texts(struct bytes items)
{
	struct logseq_entry e;
	struct bytes packed;
	size_t n = 0;

	while (list_next(&items, &packed) == 1 &&
	    logseq_entry_unpack(packed, &e) == 0)
		if (e.text <= FUZZ_TEXT_MAX - n)
			n += (size_t)e.text;
	return (n);
}
