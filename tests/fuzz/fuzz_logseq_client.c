/*
 * What Logseq clients send: the body of a batch, and, after a first octet of
 * 'r', rows of a snapshot in pieces of any size.  What the worker makes of them
 * must be what the broker can take apart.
 */
#include "common/wire.h"
#include "worker/logseq_rows.h"
#include "worker/logseq_tx.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_batch(struct bytes);
static void fuzz_entry(struct bytes packed, size_t *text);
static void fuzz_rows(struct bytes, size_t piece);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 && data[0] == 'r')
		fuzz_rows(bytes_of(data + 2, size - 2), data[1] + 1u);
	else
		fuzz_batch(bytes_of(data, size));
	return (0);
}

static void
fuzz_batch(struct bytes in)
{
	struct json_report report;
	struct logseq_tx tx;
	struct json message;
	struct bytes items, packed;
	size_t text = 0;

	if (json_parse(&message, in, 16, &report) == -1)
		return;
	if (logseq_tx_read(&tx, &message) == LOGSEQ_TX_OK) {
		items = buf_bytes(&tx.items);
		while (list_next(&items, &packed) == 1)
			fuzz_entry(packed, &text);
		must(items.n == 0 && text == tx.body.len);
	}
	logseq_tx_free(&tx);
}

static void
fuzz_entry(struct bytes packed, size_t *text)
{
	struct logseq_entry e;
	struct logseq_item item;

	must(logseq_entry_unpack(packed, &e) == 0);
	must(!e.broken || e.items.n == 0);
	must(e.op.n <= LOGSEQ_OP_MAX);
	*text += e.text;
	while (list_next(&e.items, &packed) == 1) {
		must(logseq_item_unpack(packed, &item) == 0);
		must(item.a.n <= LOGSEQ_ATTR_MAX);
	}
	must(e.items.n == 0);
}

static void
fuzz_rows(struct bytes in, size_t piece)
{
	struct logseq_rows rows;
	struct logseq_row row;
	int n = 0;

	logseq_rows_init(&rows, 4096, 1 << 20);
	for (; in.n > 0 && n != -1; in = bytes_skip(in, piece)) {
		must(logseq_rows_add(&rows,
			 bytes_of(in.p, in.n < piece ? in.n : piece)) == 0);
		while ((n = logseq_rows_next(&rows, &row)) == 1)
			must(row.content.n <= 4096 && row.addresses.n <= 4096);
		must(n == 0 || rows.reason != NULL);
	}
	(void)logseq_rows_done(&rows);
	logseq_rows_free(&rows);
}
