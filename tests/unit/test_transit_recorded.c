/*
 * Transit against what real clients sent: the rows of a graph's snapshot and
 * every transaction of the recordings must come back octet for octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/transit.h"

static struct transit_cache cache;
static struct transit_reader reader;

static void
assert_comes_back(struct bytes text)
{
	struct transit_writer w;
	struct buf out = BUF_INIT;
	struct transit t;
	int n;

	transit_reader_init(&reader, text);
	transit_writer_init(&w, &out, &cache);
	while ((n = transit_next(&reader, &t)) == 1)
		transit_write(&w, &t);
	if (n == -1)
		fail_msg("%s: %.*s", reader.reason, (int)text.n, text.p);
	assert_int_equal(transit_writer_done(&w), 0);
	assert_int_equal(out.len, text.n);
	assert_memory_equal(buf_bytes(&out).p, text.p, text.n);
	transit_reader_free(&reader);
	buf_free(&out);
}

/* What a command makes of a recording; nothing where there are none. */
static void
run(const char *command, const char *recording, struct buf *out)
{
	const char *shared = getenv("QUIRE_SHARED");
	char line[4096];
	uint8_t *room;
	FILE *f;
	size_t n;

	if (shared == NULL || *shared == '\0')
		return;
	(void)snprintf(line, sizeof(line),
	    "%s '%s/protocols/vectors/logseq/%s' 2>/dev/null", command, shared,
	    recording);
	assert_non_null(f = popen(line, "r"));
	do {
		assert_non_null(room = buf_room(out, 65536));
		n = fread(room, 1, 65536, f);
		buf_grow(out, n);
	} while (n > 0);
	(void)pclose(f);
}

static void
a_snapshot_comes_back_as_it_was(void **state)
{
	struct buf file = BUF_INIT, content = BUF_INIT;
	struct json_report report;
	struct json frame, row, cell;
	struct json_iter rows, cells;
	unsigned n = 0;

	(void)state;
	run("cat", "base-snapshot.framed", &file);
	if (file.len < 4)
		skip();
	assert_int_equal(be32_get(buf_bytes(&file).p), file.len - 4);
	assert_comes_back(bytes_skip(buf_bytes(&file), 4));
	assert_int_equal(json_parse(&frame, bytes_skip(buf_bytes(&file), 4), 8,
			     &report),
	    0);
	for (json_iter_init(&rows, &frame); json_iter_next(&rows, NULL, &row);
	     n++) {
		json_iter_init(&cells, &row);
		assert_int_equal(json_iter_next(&cells, NULL, &cell), 1);
		assert_int_equal(json_iter_next(&cells, NULL, &cell), 1);
		buf_clear(&content);
		assert_int_equal(json_raw_append(&content, json_raw(&cell)), 0);
		assert_comes_back(buf_bytes(&content));
	}
	assert_int_equal(n, 422);
	buf_free(&file);
	buf_free(&content);
}

/* The transactions of one message, each {"tx": text}. */
static unsigned
check_message(struct bytes text)
{
	struct buf tx = BUF_INIT;
	struct json_report report;
	struct json message, txs, entry, v;
	struct json_iter it;
	unsigned n = 0;

	if (json_parse(&message, text, 32, &report) == -1)
		return (0);
	json_find(&message, "txs", &txs);
	for (json_iter_init(&it, &txs); json_iter_next(&it, NULL, &entry);
	     n++) {
		json_find(&entry, "tx", &v);
		assert_int_equal(v.type, JSON_STRING);
		buf_clear(&tx);
		assert_int_equal(json_raw_append(&tx, json_raw(&v)), 0);
		assert_comes_back(buf_bytes(&tx));
	}
	buf_free(&tx);
	return (n);
}

static void
every_recorded_transaction_comes_back_as_it_was(void **state)
{
	struct buf file = BUF_INIT, text = BUF_INIT;
	struct json_report report;
	struct bytes rest;
	const uint8_t *end;
	struct json line, v;
	unsigned n = 0;

	(void)state;
	run("xz -dc", "real-clients.jsonl.xz", &file);
	if (file.len == 0)
		skip();
	for (rest = buf_bytes(&file);
	     rest.n > 0 && (end = memchr(rest.p, '\n', rest.n)) != NULL;
	     rest = bytes_skip(rest, (size_t)(end - rest.p) + 1)) {
		assert_int_equal(json_parse(&line,
				     bytes_of(rest.p, (size_t)(end - rest.p)),
				     32, &report),
		    0);
		json_find(&line, "text", &v);
		buf_clear(&text);
		assert_int_equal(json_raw_append(&text, json_raw(&v)), 0);
		n += check_message(buf_bytes(&text));
	}
	assert_true(n > 60);
	buf_free(&file);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_comes_back_as_it_was),
		cmocka_unit_test(
		    every_recorded_transaction_comes_back_as_it_was),
	};

	transit_cache_init(&cache);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
