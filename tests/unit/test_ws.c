/*
 * WebSocket frames: the examples of RFC 6455, every refusal with its code, and
 * that a drip feed is read exactly as the whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/buf.h"
#include "worker/ws.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX	 1000

/* One line of the log: a letter for the opcode, the code of a close, ".". */
static void
play_write(struct buf *log, const struct ws_event *ev, struct bytes data)
{
	buf_add_u8(log, (uint8_t) "-TB-----CPQ"[ev->opcode]);
	if (ev->code != 0)
		buf_printf(log, "%u", ev->code);
	buf_add_bytes(log, data);
	buf_add_u8(log, '.');
}

/*
 * Reads everything as a connection would, step octets at a time, and writes
 * down what was complete: "Thello." for a text, B for binary, C, P and Q (pong)
 * for control frames, "!1002" for a refusal.
 */
static void
play(struct ws *w, struct bytes in, size_t step, struct buf *log)
{
	struct ws_event ev;
	struct buf have = BUF_INIT, message = BUF_INIT;
	ssize_t n = 0;

	while (n != -1 && in.n > 0) {
		if (step > in.n)
			step = in.n;
		assert_int_equal(buf_add(&have, in.p, step), 0);
		in = bytes_skip(in, step);
		while (
		    (n = ws_feed(w, have.mem + have.off, have.len, &ev)) > 0) {
			assert_in_range((size_t)n, 1, have.len);
			if (ev.opcode >= WS_CLOSE) {
				play_write(log, &ev, ev.data);
			} else if (ev.opcode != WS_CONTINUATION) {
				buf_add_bytes(&message, ev.data);
				assert_int_equal(ev.total, message.len);
				assert_true(ev.declared >= ev.total);
			}
			if (ev.opcode < WS_CLOSE && ev.last) {
				play_write(log, &ev, buf_bytes(&message));
				buf_clear(&message);
			}
			buf_drop(&have, (size_t)n);
		}
	}
	if (n == -1)
		buf_printf(log, "!%u", w->code);
	buf_add_u8(log, 0);
	buf_free(&have);
	buf_free(&message);
}

static void
assert_frames(struct ws *w, struct bytes in, const char *want)
{
	struct buf log = BUF_INIT;
	struct ws fresh = *w;
	size_t step;

	for (step = 1; step <= in.n; step++) {
		*w = fresh;
		play(w, in, step, &log);
		if (strcmp((const char *)log.mem + log.off, want) != 0)
			fail_msg("step %zu: %s, not %s", step,
			    (const char *)log.mem + log.off, want);
		buf_free(&log);
	}
}

/* As a client sees them: frames of a server, unmasked. */
static void
assert_client(struct bytes in, const char *want)
{
	struct ws w;

	ws_init(&w, 1, MAX);
	assert_frames(&w, in, want);
}

static void
assert_server(struct bytes in, const char *want)
{
	struct ws w;

	ws_init(&w, 0, MAX);
	assert_frames(&w, in, want);
}

#define CLIENT(text, want) assert_client(BYTES_LIT(text), want)
#define SERVER(text, want) assert_server(BYTES_LIT(text), want)

/* A key of zeros leaves the payload readable. */
#define Z "\0\0\0\0"

static void
the_examples_of_the_rfc_are_read(void **state)
{
	(void)state;
	CLIENT("\x81\x05Hello", "THello.");
	SERVER("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "THello.");
	CLIENT("\x01\x03Hel\x80\x02lo", "THello.");
	CLIENT("\x89\x05Hello", "PHello.");
	SERVER("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "QHello.");
}

static void
the_examples_of_the_rfc_are_written(void **state)
{
	static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t h[WS_HEADER_MAX];

	(void)state;
	assert_int_equal(ws_header(h, WS_TEXT, 1, 5), 2);
	assert_memory_equal(h, "\x81\x05", 2);
	assert_int_equal(ws_header(h, WS_TEXT, 0, 3), 2);
	assert_memory_equal(h, "\x01\x03", 2);
	assert_int_equal(ws_header(h, WS_CONTINUATION, 1, 2), 2);
	assert_memory_equal(h, "\x80\x02", 2);
	assert_int_equal(ws_header(h, WS_BINARY, 1, 256), 4);
	assert_memory_equal(h, "\x82\x7e\x01\x00", 4);
	assert_int_equal(ws_header(h, WS_BINARY, 1, 65536), 10);
	assert_memory_equal(h, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
	assert_int_equal(ws_header_masked(h, WS_TEXT, 1, 5, key), 6);
	assert_memory_equal(h, "\x81\x85\x37\xfa\x21\x3d", 6);
}

static void
headers_are_minimal_at_every_border(void **state)
{
	static const struct {
		uint64_t len;
		size_t size;
	} rows[] = { { 0, 2 }, { 125, 2 }, { 126, 4 }, { 127, 4 }, { 65535, 4 },
		{ 65536, 10 }, { INT64_MAX, 10 } };
	uint8_t h[10];
	struct ws_event ev;
	struct ws w;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(ws_header(h, WS_BINARY, 1, rows[i].len),
		    rows[i].size);
		ws_init(&w, 1, INT64_MAX);
		assert_int_equal(ws_feed(&w, h, rows[i].size, &ev),
		    rows[i].size);
		assert_int_equal(ev.declared, rows[i].len);
		assert_int_equal(ev.first, 1);
		assert_int_equal(ev.last, rows[i].len == 0);
	}
}

static void
masking_is_its_own_inverse_at_every_offset(void **state)
{
	static const uint8_t key[4] = { 0x12, 0x34, 0x56, 0x78 };
	uint8_t plain[64], text[64];
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7);
	for (cut = 0; cut <= sizeof(plain); cut++) {
		memcpy(text, plain, sizeof(plain));
		ws_mask(text, cut, key, 0);
		ws_mask(text + cut, sizeof(text) - cut, key, cut);
		for (i = 0; i < sizeof(text); i++)
			assert_int_equal(text[i], plain[i] ^ key[i % 4]);
	}
}

static void
messages_and_control_frames_interleave(void **state)
{
	(void)state;
	SERVER("\x01\x82" Z "ab"
	       "\x89\x81" Z "x"
	       "\x00\x80" Z "\x8a\x80" Z "\x80\x81" Z "c"
	       "\x82\x81" Z "d",
	    "Px.Q.Tabc.Bd.");
	SERVER("\x81\x80" Z "\x82\x80" Z, "T.B.");
	SERVER("\x02\x80" Z "\x00\x80" Z "\x80\x80" Z, "B.");
}

static void
framing_errors_end_with_1002(void **state)
{
	(void)state;
	SERVER("\x81\x05Hello", "!1002");
	CLIENT("\x81\x85" Z "Hello", "!1002");
	SERVER("\xc1\x80" Z, "!1002");
	SERVER("\xa1\x80" Z, "!1002");
	SERVER("\x91\x80" Z, "!1002");
	SERVER("\x83\x80" Z, "!1002");
	SERVER("\x87\x80" Z, "!1002");
	SERVER("\x8b\x80" Z, "!1002");
	SERVER("\x8f\x80" Z, "!1002");
	SERVER("\x09\x80" Z, "!1002");
	SERVER("\x08\x80" Z, "!1002");
	SERVER("\x89\xfe\x00\x7e", "!1002");
	SERVER("\x88\xff\0\0\0\0\0\0\0\1", "!1002");
	SERVER("\x80\x80" Z, "!1002");
	SERVER("\x00\x80" Z, "!1002");
	SERVER("\x81\x81" Z "a\x80\x80" Z, "Ta.!1002");
	SERVER("\x01\x81" Z "a\x81\x80" Z, "!1002");
	SERVER("\x01\x81" Z "a\x02\x80" Z, "!1002");
}

/* What the first octet shows needs no second one. */
static void
an_error_shows_at_its_first_octet(void **state)
{
	static const struct {
		struct bytes in;
		uint16_t code;
	} rows[] = {
		{ { (const uint8_t *)"\x83", 1 }, 1002 },
		{ { (const uint8_t *)"\xf1", 1 }, 1002 },
		{ { (const uint8_t *)"\x81\x00", 2 }, 1002 },
		{ { (const uint8_t *)"\x89\xfe", 2 }, 1002 },
		{ { (const uint8_t *)"\x82\xfe\xff\xff", 4 }, 1009 },
		{ { (const uint8_t *)"\x82\xff\x80\0\0\0\0\0\0\0", 10 }, 1009 },
		{ { (const uint8_t *)"\x82\xfe\x00\x7d", 4 }, 1002 },
	};
	struct ws_event ev;
	struct ws w;
	uint8_t copy[10];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		memcpy(copy, rows[i].in.p, rows[i].in.n);
		ws_init(&w, 0, MAX);
		if (rows[i].in.n > 1)
			assert_int_equal(ws_feed(&w, copy, rows[i].in.n - 1,
					     &ev),
			    0);
		assert_int_equal(ws_feed(&w, copy, rows[i].in.n, &ev), -1);
		assert_int_equal(w.code, rows[i].code);
		assert_non_null(w.reason);
	}
}

static void
longer_forms_of_a_length_are_an_option(void **state)
{
	struct ws w;

	(void)state;
	SERVER("\x81\xfe\x00\x01" Z "a", "!1002");
	SERVER("\x81\xff\0\0\0\0\0\0\0\1" Z "a", "!1002");
	SERVER("\x81\xff\0\0\0\0\0\0\xff\xff" Z, "!1002");
	ws_init(&w, 0, MAX);
	w.lengths_any = 1;
	assert_frames(&w,
	    BYTES_LIT("\x81\xfe\x00\x01" Z "a"
		      "\x82\xff\0\0\0\0\0\0\0\1" Z "b"),
	    "Ta.Bb.");
}

static void
close_frames_are_checked(void **state)
{
	static const unsigned bad[] = { 0, 999, 1004, 1005, 1006, 1015, 1016,
		1100, 2000, 2999, 5000, 65535 };
	static const unsigned fine[] = { 1000, 1003, 1007, 1011, 1014, 3000,
		4001, 4999 };
	size_t i;

	(void)state;
	SERVER("\x88\x80" Z, "C1005.");
	SERVER("\x88\x82" Z "\x03\xe8", "C1000.");
	SERVER("\x88\x85" Z "\x0f\xa1"
	       "bye",
	    "C4001bye.");
	SERVER("\x88\x81" Z "\x03", "!1002");
	SERVER("\x88\x81" Z "\x03\xe8", "!1002");
	SERVER("\x88\x82" Z "\x03\xed", "!1002");
	SERVER("\x88\x83" Z "\x03\xe8\xff", "!1007");
	SERVER("\x88\x83" Z "\x03\xe8\xc3", "!1007");
	for (i = 0; i < COUNT(bad); i++)
		assert_false(ws_code_valid(bad[i]));
	for (i = 0; i < COUNT(fine); i++)
		assert_true(ws_code_valid(fine[i]));
}

static void
nothing_is_read_after_a_close(void **state)
{
	(void)state;
	SERVER("\x88\x80" Z "\x81\x81" Z "a\xff\xff", "C1005.");
}

static void
text_fails_at_its_first_bad_octet(void **state)
{
	(void)state;
	SERVER("\x81\x82" Z "\xc3\xa9", "T\xc3\xa9.");
	SERVER("\x01\x81" Z "\xc3\x80\x81" Z "\xa9", "T\xc3\xa9.");
	SERVER("\x01\x81" Z "\xc3\x80\x80" Z, "!1007");
	SERVER("\x01\x81" Z "\xc3\x00\x81" Z "x", "!1007");
	SERVER("\x81\x83" Z "ab\xc3", "!1007");
	/* A surrogate, seen at its second octet, long before the end. */
	SERVER("\x01\xfd" Z "\xed\xa0", "!1007");
	SERVER("\x01\x81" Z "\xed\x00\xfd" Z "\xa0", "!1007");
	/* A message before does not stain the next one; binary is free. */
	SERVER("\x81\x81" Z "a\x82\x82" Z "\xff\xfe", "Ta.B\xff\xfe.");
}

static void
the_size_limit_counts_all_fragments_from_the_header(void **state)
{
	static uint8_t exact[8 + 1000] = { 0x82, 0xfe, 0x03, 0xe8 };
	uint8_t over[] = { 0x82, 0xfe, 0x03, 0xe9 };
	uint8_t half[8 + 500] = { 0x02, 0xfe, 0x01, 0xf4 };
	uint8_t rest[] = { 0x80, 0xfe, 0x01, 0xf5 };
	uint8_t wraps[] = { 0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff };
	struct ws_event ev;
	struct ws w;

	(void)state;
	ws_init(&w, 0, MAX);
	assert_int_equal(ws_feed(&w, exact, sizeof(exact), &ev), sizeof(exact));
	assert_int_equal(ev.last, 1);
	assert_int_equal(ws_feed(&w, over, 4, &ev), -1);
	assert_int_equal(w.code, 1009);
	ws_init(&w, 0, MAX);
	assert_int_equal(ws_feed(&w, half, sizeof(half), &ev), sizeof(half));
	assert_int_equal(ws_feed(&w, rest, 4, &ev), -1);
	assert_int_equal(w.code, 1009);
	ws_init(&w, 0, MAX);
	assert_int_equal(ws_feed(&w, half, sizeof(half), &ev), sizeof(half));
	assert_int_equal(ws_feed(&w, wraps, sizeof(wraps), &ev), -1);
	assert_int_equal(w.code, 1009);
}

static void
fragments_are_counted_per_message(void **state)
{
	uint8_t first[] = { 0x02, 0x80, 0, 0, 0, 0 };
	uint8_t more[] = { 0x00, 0x80, 0, 0, 0, 0 };
	uint8_t last[] = { 0x80, 0x80, 0, 0, 0, 0 };
	struct ws_event ev;
	struct ws w;
	int i, round;

	(void)state;
	ws_init(&w, 0, MAX);
	for (round = 0; round < 2; round++) {
		assert_int_equal(ws_feed(&w, first, 6, &ev), 6);
		for (i = 0; i < WS_FRAGMENTS_MAX - 2; i++)
			assert_int_equal(ws_feed(&w, more, 6, &ev), 6);
		assert_int_equal(ws_feed(&w, last, 6, &ev), 6);
		assert_int_equal(ev.last, 1);
	}
	assert_int_equal(ws_feed(&w, first, 6, &ev), 6);
	for (i = 0; i < WS_FRAGMENTS_MAX - 1; i++)
		assert_int_equal(ws_feed(&w, more, 6, &ev), 6);
	assert_int_equal(ws_feed(&w, last, 1, &ev), -1);
	assert_int_equal(w.code, 1008);
}

static void
a_message_comes_in_pieces_that_add_up(void **state)
{
	uint8_t head[] = { 0x02, 0x85, 1, 2, 3, 4 };
	uint8_t body[] = { 'a' ^ 1, 'b' ^ 2, 'c' ^ 3, 'd' ^ 4, 'e' ^ 1 };
	uint8_t rest[] = { 0x80, 0x82, 9, 9, 9, 9, 'f' ^ 9, 'g' ^ 9 };
	struct ws_event ev;
	struct ws w;

	(void)state;
	ws_init(&w, 0, MAX);
	assert_int_equal(ws_feed(&w, head, 5, &ev), 0);
	assert_int_equal(ws_feed(&w, head, 6, &ev), 6);
	assert_true(ev.first && !ev.last && ev.data.n == 0);
	assert_int_equal(ev.declared, 5);
	assert_int_equal(ws_feed(&w, body, 3, &ev), 3);
	assert_true(!ev.first && !ev.last);
	assert_true(bytes_eq(ev.data, BYTES_LIT("abc")));
	assert_int_equal(ev.total, 3);
	assert_int_equal(ws_feed(&w, body + 3, 2, &ev), 2);
	assert_true(bytes_eq(ev.data, BYTES_LIT("de")));
	assert_false(ev.last);
	assert_int_equal(ev.declared, 5);
	assert_int_equal(ws_feed(&w, rest, sizeof(rest), &ev), sizeof(rest));
	assert_true(bytes_eq(ev.data, BYTES_LIT("fg")));
	assert_true(!ev.first && ev.last);
	assert_int_equal(ev.declared, 7);
	assert_int_equal(ev.total, 7);
	assert_int_equal(ev.opcode, WS_BINARY);
}

/* sds.md section 4 gives these octets. */
static void
close_frames_are_written(void **state)
{
	uint8_t f[2 + WS_CONTROL_MAX];

	(void)state;
	assert_int_equal(ws_close_frame(f, 4001, BYTES_LIT("Unauthorized")),
	    16);
	assert_memory_equal(f, "\x88\x0e\x0f\xa1Unauthorized", 16);
	assert_int_equal(ws_close_frame(f, WS_CODE_NONE, BYTES_LIT("x")), 2);
	assert_memory_equal(f, "\x88\x00", 2);
	assert_int_equal(ws_close_frame(f, 1000, BYTES_NONE), 4);
	assert_memory_equal(f, "\x88\x02\x03\xe8", 4);
}

static void
a_long_reason_is_cut_between_characters(void **state)
{
	static const uint8_t euro[] = { 0xe2, 0x82, 0xac };
	uint8_t f[WS_CONTROL_MAX], text[200];
	size_t n;

	(void)state;
	memset(text, 'a', sizeof(text));
	n = ws_close_payload(f, 1008, bytes_of(text, sizeof(text)));
	assert_int_equal(n, WS_CONTROL_MAX);
	memcpy(text + 122, euro, sizeof(euro));
	n = ws_close_payload(f, 1008, bytes_of(text, sizeof(text)));
	assert_int_equal(n, 2 + 122);
	memset(text, 'a', sizeof(text));
	memcpy(text + 120, euro, sizeof(euro));
	n = ws_close_payload(f, 1008, bytes_of(text, sizeof(text)));
	assert_int_equal(n, 2 + 123);
}

/* Another token of the client's may allow less than the one before. */
static void
a_limit_that_shrinks_inside_a_message_is_kept(void **state)
{
	uint8_t begin[] = "\x02\x85"
			  "maskhello",
		more[] = "\x00\x81"
			 "mask";
	struct ws w;
	struct ws_event ev;

	(void)state;
	ws_init(&w, 0, 10);
	assert_int_equal(ws_feed(&w, begin, 11, &ev), 11);
	assert_int_equal(ev.total, 5);
	w.message_max = 4;
	assert_int_equal(ws_feed(&w, more, 6, &ev), -1);
	assert_int_equal(w.code, WS_CODE_SIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc_are_read),
		cmocka_unit_test(the_examples_of_the_rfc_are_written),
		cmocka_unit_test(headers_are_minimal_at_every_border),
		cmocka_unit_test(masking_is_its_own_inverse_at_every_offset),
		cmocka_unit_test(messages_and_control_frames_interleave),
		cmocka_unit_test(framing_errors_end_with_1002),
		cmocka_unit_test(an_error_shows_at_its_first_octet),
		cmocka_unit_test(longer_forms_of_a_length_are_an_option),
		cmocka_unit_test(close_frames_are_checked),
		cmocka_unit_test(nothing_is_read_after_a_close),
		cmocka_unit_test(text_fails_at_its_first_bad_octet),
		cmocka_unit_test(
		    the_size_limit_counts_all_fragments_from_the_header),
		cmocka_unit_test(fragments_are_counted_per_message),
		cmocka_unit_test(a_message_comes_in_pieces_that_add_up),
		cmocka_unit_test(a_limit_that_shrinks_inside_a_message_is_kept),
		cmocka_unit_test(close_frames_are_written),
		cmocka_unit_test(a_long_reason_is_cut_between_characters),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
