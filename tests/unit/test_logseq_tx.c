/*
 * tx/batch: from JSON and Transit to typed entries, and from outcomes to
 * answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/wire.h"
#include "worker/logseq_items.h"
#include "worker/logseq_tx.h"

#define UUID "11111111-1111-4111-8111-111111111111"

static enum logseq_tx_shape
read_batch(struct logseq_tx *tx, const char *text)
{
	struct json_report report;
	struct json message;

	assert_int_equal(json_parse(&message, bytes_str(text), 16, &report), 0);
	return (logseq_tx_read(tx, &message));
}

static void
assert_bytes(struct bytes b, const char *want)
{
	if (b.n != strlen(want) || memcmp(b.p, want, b.n) != 0)
		fail_msg("%.*s, not %s", (int)b.n, b.p, want);
}

static void
entries_of_both_generations_become_typed_ones(void **state)
{
	struct logseq_entry e;
	struct logseq_item item;
	struct logseq_tx tx;
	struct bytes items, packed;

	(void)state;
	assert_int_equal(read_batch(&tx,
			     "{\"t-before\":7,\"txs\":[{\"tx\":\"[[\\\"~:db/"
			     "add\\\",\\\"a\\\",\\\"~:block/title\\\",\\\"x"
			     "\\\",5]]\",\"tx-id\":\"" UUID
			     "\",\"outliner-op\":"
			     "\"fix\\n\"},\"[\",\"[]\"]}"),
	    LOGSEQ_TX_OK);
	assert_int_equal(tx.t_before, 7);
	assert_int_equal(tx.seed, 1);
	items = buf_bytes(&tx.items);
	assert_int_equal(list_next(&items, &packed), 1);
	assert_int_equal(logseq_entry_unpack(packed, &e), 0);
	assert_false(e.seed || e.broken);
	assert_bytes(e.tx_id, UUID);
	assert_bytes(e.op, "fix\n");
	assert_bytes(e.op_json, "\"fix\\n\"");
	assert_int_equal(list_next(&e.items, &packed), 1);
	assert_int_equal(logseq_item_unpack(packed, &item), 0);
	assert_int_equal(item.op, LOGSEQ_OP_ADD);
	assert_int_equal(item.e.type, LOGSEQ_STRING);
	assert_bytes(item.a, "block/title");
	assert_bytes(item.v.b, "x");
	assert_int_equal(list_next(&e.items, &packed), 0);
	/* The text goes on as it came, escapes and all. */
	assert_true(bytes_start(buf_bytes(&tx.body),
	    BYTES_LIT("\"[[\\\"~:db/add\\\",")));
	assert_int_equal(list_next(&items, &packed), 1);
	assert_int_equal(logseq_entry_unpack(packed, &e), 0);
	assert_true(e.seed && e.broken);
	assert_bytes(e.op_json, "null");
	assert_int_equal(list_next(&items, &packed), 1);
	assert_int_equal(logseq_entry_unpack(packed, &e), 0);
	assert_true(e.seed && !e.broken && e.items.n == 0);
	assert_int_equal(list_next(&items, &packed), 0);
	logseq_tx_free(&tx);
}

static void
a_batch_is_one_or_none(void **state)
{
	static const char *const none[] = { "{}", "{\"t-before\":1}",
		"{\"txs\":[]}", "{\"t-before\":1.5,\"txs\":[]}",
		"{\"t-before\":1,\"txs\":{}}", "{\"t-before\":1,\"txs\":[[]]}",
		"{\"t-before\":1,\"txs\":[{}]}",
		"{\"t-before\":1,\"txs\":[{\"tx\":5}]}",
		"{\"t-before\":1,\"txs\":[{\"tx\":\"[]\",\"tx-id\":null}]}",
		"{\"t-before\":1,\"txs\":[{\"tx\":\"[]\",\"tx-id\":\"x\"}]}",
		"{\"t-before\":1,\"txs\":[],\"client-revision\":5}" };
	struct logseq_tx tx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(*none); i++) {
		if (read_batch(&tx, none[i]) != LOGSEQ_TX_SHAPE)
			fail_msg("taken: %s", none[i]);
		logseq_tx_free(&tx);
	}
	assert_int_equal(read_batch(&tx, "{\"t-before\":-1,\"txs\":[]}"),
	    LOGSEQ_TX_NEGATIVE);
	logseq_tx_free(&tx);
	assert_int_equal(read_batch(&tx, "{\"t-before\":1,\"txs\":\"[]\"}"),
	    LOGSEQ_TX_OK);
	logseq_tx_free(&tx);
}

/* The type and text of the value of the only item, or '-' when there is none.
 */
static void
assert_value(const char *value, char type, const char *text)
{
	struct logseq_items *it = logseq_items_new();
	struct buf in = BUF_INIT, list = BUF_INIT, out = BUF_INIT;
	struct logseq_lookup lookup;
	struct logseq_item item;
	struct bytes rest, packed;

	buf_printf(&in, "[[\"~:db/add\",\"~:id\",\"~:a/b\",%s]]", value);
	if (logseq_items_read(it, buf_bytes(&in), &list) == -1) {
		assert_int_equal(type, '-');
	} else {
		rest = buf_bytes(&list);
		assert_int_equal(list_next(&rest, &packed), 1);
		assert_int_equal(logseq_item_unpack(packed, &item), 0);
		assert_int_equal(item.v.type, type);
		if (type == LOGSEQ_LOOKUP) {
			assert_int_equal(logseq_lookup_unpack(item.v.b,
					     &lookup),
			    0);
			item.v =
			    (struct logseq_value){ LOGSEQ_OPAQUE, lookup.text };
		}
		logseq_value_text(&out, &item.v);
		assert_bytes(buf_bytes(&out), text);
	}
	buf_free(&in);
	buf_free(&list);
	buf_free(&out);
	logseq_items_free(it);
}

static void
values_have_their_types(void **state)
{
	(void)state;
	assert_value("null", LOGSEQ_NULL, "null");
	assert_value("true", LOGSEQ_BOOL, "true");
	assert_value("-5", LOGSEQ_INT, "-5");
	assert_value("5.0", LOGSEQ_INT, "5");
	assert_value("0.5", LOGSEQ_FLOAT, "0.5");
	assert_value("\"~~x\"", LOGSEQ_STRING, "\"~~x\"");
	assert_value("\"~:k\"", LOGSEQ_KEYWORD, "\"~:k\"");
	assert_value("\"~u" UUID "\"", LOGSEQ_UUID, "\"~u" UUID "\"");
	assert_value("\"~m5\"", LOGSEQ_INSTANT, "\"~m5\"");
	assert_value("\"~bAA==\"", LOGSEQ_OPAQUE, "\"~bAA==\"");
	assert_value("[\"^ \",\"~:key1\",[\"^0\"]]", LOGSEQ_OPAQUE,
	    "[\"^ \",\"~:key1\",[\"~:db/add\"]]");
	assert_value("[\"~:block/uuid\",\"~u" UUID "\"]", LOGSEQ_LOOKUP,
	    "[\"~:block/uuid\",\"~u" UUID "\"]");
	assert_value("[\"~:block/uuid\",[1]]", LOGSEQ_OPAQUE,
	    "[\"~:block/uuid\",[1]]");
	assert_value("[\"~:a\",1,2]", LOGSEQ_OPAQUE, "[\"~:a\",1,2]");
	assert_value("[\"~#set\",[1]]", LOGSEQ_OPAQUE, "[\"~#set\",[1]]");
	assert_value("1,2,3", '-', "");
	assert_value("\"^9\"", '-', "");
}

static void
what_is_no_transaction_is_broken(void **state)
{
	static const char *const bad[] = { "", "5", "{}", "[5]", "[[]]",
		"[\"~#'\",[]]", "[\"^ \"]", "[[\"~:db/add\"]]",
		"[[\"~:db/add\",\"a\"]]", "[[\"~:db/add\",5,\"~:a\",1]]",
		"[[\"~:db/add\",[\"~:a\"],\"~:a\",1]]",
		"[[\"~:db/add\",\"a\",\"a\",1]]",
		"[[\"db/add\",\"a\",\"~:a\"]]",
		"[[\"~:db/cas\",\"a\",\"~:a\",1]]",
		"[[\"~:db/retractEntity\"]]", "[] []" };
	struct logseq_items *it = logseq_items_new();
	struct buf list = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_clear(&list);
		if (logseq_items_read(it, bytes_str(bad[i]), &list) == 0)
			fail_msg("taken: %s", bad[i]);
	}
	buf_clear(&list);
	assert_int_equal(
	    logseq_items_read(it,
		BYTES_LIT("[\"~#list\",[[\"~:db/retractEntity\",\"~:a\"]]]"),
		&list),
	    0);
	assert_true(list.len > 0);
	buf_free(&list);
	logseq_items_free(it);
}

static void
outcomes_are_told_in_the_words_of_the_clients_time(void **state)
{
	static const struct {
		enum logseq_result result;
		const char *now, *then;
	} rows[] = {
		{ LOGSEQ_DONE,
		    "{\"type\":\"tx/batch/ok\",\"t\":9,\"checksum\":\"s\"}",
		    "{\"type\":\"tx/batch/ok\",\"t\":9,\"checksum\":\"s\"}" },
		{ LOGSEQ_STALE,
		    "{\"type\":\"tx/reject\",\"reason\":\"stale\",\"t\":9}",
		    "{\"type\":\"tx/reject\",\"reason\":\"stale\",\"t\":9}" },
		{ LOGSEQ_UPLOADING,
		    "{\"type\":\"tx/reject\",\"reason\":\"snapshot upload in "
		    "progress\",\"t\":9}",
		    "{\"type\":\"tx/reject\",\"reason\":\"invalid "
		    "tx\",\"t\":9}" },
		{ LOGSEQ_FAILED,
		    "{\"type\":\"tx/reject\",\"reason\":\"db transact "
		    "failed\",\"t\":9,\"failed-tx-id\":\"f\",\"checksum\":"
		    "\"s\"}",
		    "{\"type\":\"tx/reject\",\"reason\":\"invalid "
		    "tx\",\"t\":9}" },
		{ LOGSEQ_FAILED_SEED,
		    "{\"type\":\"tx/reject\",\"reason\":\"invalid tx\"}",
		    "{\"type\":\"tx/reject\",\"reason\":\"invalid tx\"}" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct logseq_outcome o = { .result = rows[i].result,
			.t = 9,
			.sum = BYTES_LIT("s"),
			.failed_id = BYTES_LIT("f") };

		logseq_tx_reply(&out, &o, 0);
		assert_bytes(buf_bytes(&out), rows[i].now);
		buf_clear(&out);
		logseq_tx_reply(&out, &o, 1);
		assert_bytes(buf_bytes(&out), rows[i].then);
		buf_clear(&out);
	}
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_of_both_generations_become_typed_ones),
		cmocka_unit_test(a_batch_is_one_or_none),
		cmocka_unit_test(values_have_their_types),
		cmocka_unit_test(what_is_no_transaction_is_broken),
		cmocka_unit_test(
		    outcomes_are_told_in_the_words_of_the_clients_time),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
