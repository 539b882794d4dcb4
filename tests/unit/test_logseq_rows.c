/*
 * Snapshots on their way in and out: frames and gzip taken apart however they
 * arrive, trees of every size cut as Datascript wants them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "worker/logseq_rows.h"
#include "worker/logseq_tree.h"

#define FRAME_MAX 4096
#define TOTAL_MAX 100000

static struct logseq_rows rows;

static void
add_frame(struct buf *out, const char *text)
{
	buf_add_be32(out, (uint32_t)strlen(text));
	buf_add_str(out, text);
}

static void
squeeze(struct buf *out, struct bytes in)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8,
			     Z_DEFAULT_STRATEGY),
	    Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.n;
	z.next_out = buf_room(out, 65536);
	z.avail_out = 65536;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_grow(out, 65536 - z.avail_out);
	(void)deflateEnd(&z);
}

/* Feeds in pieces; 0 and the rows as text, or -1. */
static int
feed(struct bytes in, size_t piece, struct buf *text)
{
	struct logseq_row row;
	struct bytes next;
	int n = 0;

	buf_clear(text);
	logseq_rows_init(&rows, FRAME_MAX, TOTAL_MAX);
	while (in.n > 0 && n != -1) {
		next = bytes_of(in.p, in.n < piece ? in.n : piece);
		in = bytes_skip(in, piece);
		assert_int_equal(logseq_rows_add(&rows, next), 0);
		while ((n = logseq_rows_next(&rows, &row)) == 1) {
			buf_printf(text, "%d ", (int)row.addr);
			buf_add_bytes(text, row.content);
			buf_add_u8(text, ' ');
			buf_add_bytes(text, row.addresses);
			buf_add_u8(text, ';');
		}
	}
	n = n == -1 ? -1 : logseq_rows_done(&rows);
	logseq_rows_free(&rows);
	return (n);
}

static void
rows_come_out_however_they_arrive(void **state)
{
	static const char want[] = "0 [] ;5 [\"^ \"] [1,2];7 \xc3\xa9 ;";
	struct buf plain = BUF_INIT, packed = BUF_INIT, text = BUF_INIT;
	size_t piece;

	(void)state;
	add_frame(&plain, "[[0,\"[]\",null],[5,\"[\\\"^ \\\"]\",\"[1,2]\"]]");
	add_frame(&plain, "[]");
	/* Two members, as who appends to a gzip file makes them. */
	squeeze(&packed, buf_bytes(&plain));
	add_frame(&plain, "[[7,\"\\u00e9\",null]]");
	squeeze(&packed,
	    bytes_skip(buf_bytes(&plain),
		plain.len - strlen("[[7,\"\\u00e9\",null]]") - 4));
	for (piece = 1; piece < plain.len + 9; piece++) {
		assert_int_equal(feed(buf_bytes(&plain), piece, &text), 0);
		assert_int_equal(text.len, sizeof(want) - 1);
		assert_memory_equal(buf_bytes(&text).p, want, text.len);
		assert_int_equal(feed(buf_bytes(&packed), piece, &text), 0);
		assert_int_equal(text.len, sizeof(want) - 1);
		assert_memory_equal(buf_bytes(&text).p, want, text.len);
	}
	/* Cut off anywhere, but between frames, it is no snapshot. */
	for (piece = 1; piece < packed.len; piece++)
		if (feed(bytes_of(buf_bytes(&packed).p, piece), 7, &text) == 0)
			assert_int_equal(text.len,
			    sizeof("0 [] ;5 [\"^ \"] "
				   "[1,2];") -
				1);
	buf_free(&plain);
	buf_free(&packed);
	buf_free(&text);
}

static void
what_is_no_row_is_refused(void **state)
{
	static const char *const bad[] = { "{}", "5", "[5]", "[[]]", "[[0]]",
		"[[0,\"a\"]]", "[[0,\"a\",null,1]]", "[[-1,\"a\",null]]",
		"[[\"0\",\"a\",null]]", "[[0,5,null]]", "[[0,\"a\",5]]",
		"[[0.5,\"a\",null]]", "[[0,\"a\",null]] ]", "" };
	struct buf in = BUF_INIT, text = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_clear(&in);
		add_frame(&in, bad[i]);
		if (feed(buf_bytes(&in), 100, &text) == 0)
			fail_msg("taken: %s", bad[i]);
	}
	buf_free(&in);
	buf_free(&text);
}

static void
what_is_too_large_is_refused_before_it_is_here(void **state)
{
	struct buf in = BUF_INIT, zeros = BUF_INIT, bomb = BUF_INIT;
	struct buf text = BUF_INIT;
	size_t i;

	(void)state;
	buf_add_be32(&in, FRAME_MAX + 1);
	assert_int_equal(feed(buf_bytes(&in), 1, &text), -1);
	assert_string_equal(rows.reason, "frame too large");
	/* Many frames that are each small enough. */
	for (i = 0; i < TOTAL_MAX / 6 + 1; i++)
		add_frame(&zeros, "[]");
	squeeze(&bomb, buf_bytes(&zeros));
	assert_true(bomb.len < 1000);
	assert_int_equal(feed(buf_bytes(&bomb), bomb.len, &text), -1);
	assert_true(rows.too_large);
	buf_free(&in);
	buf_free(&zeros);
	buf_free(&bomb);
	buf_free(&text);
}

/* --- trees --------------------------------------------------------------- */

struct seen {
	uint64_t rows;
	uint64_t keys[8]; /* of nodes, a level each */
	unsigned small;	  /* nodes of fewer than 16 keys */
	unsigned large;
};

static struct logseq_pen pen;

static void
see_row(void *arg, uint64_t addr, struct bytes content, struct bytes addresses)
{
	struct seen *seen = arg;
	struct transit_reader *r = &pen.reader;
	struct transit t;
	unsigned keys = 0;

	assert_true(addr > 1);
	transit_reader_init(r, content);
	while (transit_next(r, &t) == 1)
		keys += t.type == TRANSIT_ARRAY && r->depth == 3;
	assert_null(r->reason);
	transit_reader_free(r);
	seen->rows++;
	seen->small += keys < 16;
	seen->large += keys > 32;
	if (addresses.n == 0)
		seen->keys[0] += keys;
}

static void
trees_of_every_size_have_nodes_of_16_to_32_keys(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 16, 32, 33, 47, 48, 49, 79, 80,
		81, 1000, 1024, 1536, 1537, 40000 };
	uint8_t eight[8];
	size_t i;

	(void)state;
	transit_cache_init(&pen.cache);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct seen seen = { 0 };
		struct logseq_sink sink = { see_row, &seen, 1000 };
		struct logseq_tree tree;
		uint64_t n;

		logseq_tree_init(&tree, &sink, &pen);
		for (n = 0; n < sizes[i]; n++) {
			struct logseq_datom d = { LOGSEQ_OP_ADD, n + 1,
				BYTES_LIT("block/order"),
				{ LOGSEQ_INT, bytes_of(eight, 8) },
				LOGSEQ_TX0 };

			logseq_int_put(eight, (int64_t)n);
			logseq_tree_add(&tree, &d);
		}
		assert_int_equal(logseq_tree_end(&tree), 0);
		assert_int_equal(tree.root, sink.addr);
		assert_int_equal(tree.count, sizes[i]);
		assert_int_equal(seen.keys[0], sizes[i]);
		assert_int_equal(seen.rows, logseq_tree_rows(sizes[i]));
		assert_int_equal(seen.large, 0);
		/* The root alone may have fewer. */
		assert_true(seen.small <= 1);
		logseq_tree_free(&tree);
	}
	logseq_pen_free(&pen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_out_however_they_arrive),
		cmocka_unit_test(what_is_no_row_is_refused),
		cmocka_unit_test(
		    what_is_too_large_is_refused_before_it_is_here),
		cmocka_unit_test(
		    trees_of_every_size_have_nodes_of_16_to_32_keys),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
