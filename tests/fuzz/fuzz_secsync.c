/*
 * secsync messages.  What is accepted comes out as text that is accepted again
 * and says the same, octet by octet: that text is stored and relayed, and its
 * publicData is what signatures are over.
 */
#include "broker/rule_secsync_state.h"
#include "common/utf8.h"
#include "worker/secsync_canon.h"
#include "worker/secsync_verify.h"
#include "tests/fuzz/fuzz.h"

static char name_title[] = "title string 20", name_tags[] = "tags array 30";
static char *const extra[] = { name_title, name_tags, NULL };

static void fuzz_canon(struct bytes);
static void fuzz_again(const struct secsync_message *);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secsync_message m;

	if (secsync_message_parse(&m, bytes_of(data, size), extra) == 0) {
		must(m.kind != SECSYNC_KIND_NONE);
		must(m.key.n == SECSYNC_KEY_LEN);
		must(m.kind == SECSYNC_KIND_EPHEMERAL || secsync_id_ok(m.id));
		secsync_verify(&m);
		fuzz_again(&m);
	}
	secsync_message_free(&m);
	fuzz_canon(bytes_of(data, size));
	return (0);
}

/* Canonical text is its own canonical text. */
static void
fuzz_canon(struct bytes in)
{
	struct buf once = BUF_INIT, twice = BUF_INIT, clocks = BUF_INIT;
	struct json_report report;
	struct json v;

	if (json_parse(&v, in, SECSYNC_DEPTH_MAX, &report) == 0) {
		secsync_clocks_pack(&clocks, &v);
		if (secsync_canon(&once, &v) == 0) {
			must(utf8_valid(buf_bytes(&once)));
			must(json_parse(&v, buf_bytes(&once), SECSYNC_DEPTH_MAX,
				 &report) == 0);
			must(secsync_canon(&twice, &v) == 0);
			must(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
		}
	}
	buf_free(&once);
	buf_free(&twice);
	buf_free(&clocks);
}

static void
fuzz_again(const struct secsync_message *m)
{
	struct buf text = BUF_INIT, body = BUF_INIT, out = BUF_INIT;
	struct secsync_message again;
	struct submit s = { 0 };

	must(secsync_message_body(&body, m) == 0);
	must(utf8_valid(buf_bytes(&body)));
	/* Nor does the broker refuse what a worker makes. */
	s.body.b = buf_bytes(&body);
	must(secsync_body_ok(NULL, &s));
	buf_add_u8(&text, '{');
	buf_add_bytes(&text, buf_bytes(&body));
	buf_add_u8(&text, '}');
	must(secsync_message_parse(&again, buf_bytes(&text), extra) == 0);
	must(again.kind == m->kind && again.clock == m->clock);
	must(bytes_eq(buf_bytes(&again.data), buf_bytes(&m->data)));
	must(bytes_eq(buf_bytes(&again.clocks), buf_bytes(&m->clocks)));
	must(bytes_eq(again.id, m->id) && bytes_eq(again.parent, m->parent));
	must(secsync_message_body(&out, &again) == 0);
	must(bytes_eq(buf_bytes(&out), buf_bytes(&body)));
	secsync_message_free(&again);
	buf_free(&text);
	buf_free(&body);
	buf_free(&out);
}
