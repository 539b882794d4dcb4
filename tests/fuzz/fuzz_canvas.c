/*
 * What a canvas client says.  Whatever is not refused must come out as JSON
 * that says the same when it is taken apart again, must be mergeable, and must
 * fit a card or leave it alone.
 */
#include "common/canvas_merge.h"
#include "worker/canvas_message.h"
#include "worker/canvas_presence.h"
#include "common/json.h"
#include "tests/fuzz/fuzz.h"

static const struct canvas_shape shape = { 64, 4096 };
static const struct canvas_limits limits = { 4096, 64 };

/* The items as a message again. */
static void
fuzz_again(struct bytes items)
{
	struct buf text = BUF_INIT;
	struct canvas_message m;

	buf_add_str(&text,
	    "{\"type\":\"patch\",\"messageId\":\"\",\"documentPatches\":");
	must(canvas_items_text(&text, items) == 0);
	buf_add_u8(&text, '}');
	must(canvas_message_parse(&m, buf_bytes(&text), &shape) == 0);
	must(m.said == CANVAS_SAID_PATCH);
	must(bytes_eq(buf_bytes(&m.doc), items));
	canvas_message_free(&m);
	buf_free(&text);
}

static void
fuzz_merge(struct bytes items)
{
	struct buf stored = BUF_INIT, text = BUF_INIT;
	struct canvas_merge m;
	struct json_report report;
	struct json v;
	size_t i;

	canvas_merge_init(&m, &limits, NULL, NULL);
	if (canvas_merge(&m, items, 1) == CANVAS_MERGED)
		for (i = 0; i < m.n; i++) {
			if (!m.component[i]->changed)
				continue;
			buf_clear(&stored);
			buf_clear(&text);
			must(canvas_component_pack(&m, &stored,
				 m.component[i]) == 0);
			buf_add_u8(&text, '{');
			must(canvas_component_text(&text, m.component[i]->key,
				 buf_bytes(&stored), 0, UINT64_MAX) == 1);
			buf_add_u8(&text, '}');
			must(
			    json_parse(&v, buf_bytes(&text), 64, &report) == 0);
		}
	canvas_merge_free(&m);
	buf_free(&stored);
	buf_free(&text);
}

static void
fuzz_card(struct bytes items)
{
	struct buf card = BUF_INIT;
	size_t before;

	canvas_presence_begin(&card, BYTES_LIT("me"));
	before = card.len;
	if (canvas_presence_merge(&card, items, &limits) == -1)
		must(card.len == before);
	buf_free(&card);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct canvas_message m;

	must(canvas_message_parse(&m, bytes_of(data, size), &shape) == 0);
	if (m.said == CANVAS_SAID_PATCH ||
	    (m.said == CANVAS_SAID_RECONNECT && m.version_ok)) {
		fuzz_again(buf_bytes(&m.doc));
		fuzz_merge(buf_bytes(&m.doc));
		fuzz_card(buf_bytes(&m.present));
	}
	canvas_message_free(&m);
	return (0);
}
