/*
 * WebSocket frames.  The first octet chooses role and options; the rest is fed
 * whole and octet by octet, and the same complete messages and the same refusal
 * must come out.  What was read, written again and read again is the same.
 */
#include "common/buf.h"
#include "worker/ws.h"
#include "tests/fuzz/fuzz.h"

#define MAX 512

static void fuzz_setup(struct ws *, uint8_t);
static void fuzz_play(struct ws *, struct bytes, size_t, struct buf *);
static void fuzz_event(struct ws *, const struct ws_event *, struct buf *,
    struct buf *);
static void fuzz_write(struct buf *, enum ws_opcode, struct bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct ws whole, drip, again;
	struct bytes in;

	if (size == 0)
		return (0);
	in = bytes_of(data + 1, size - 1);
	fuzz_setup(&whole, data[0]);
	fuzz_setup(&drip, data[0]);
	fuzz_play(&whole, in, in.n, &a);
	fuzz_play(&drip, in, 1 + data[0] / 8 % 4, &b);
	must(whole.code == drip.code);
	must(bytes_eq(buf_bytes(&a), buf_bytes(&b)));
	/* The log is frames of a server: a client reads the same from it. */
	ws_init(&again, 1, MAX);
	buf_clear(&b);
	fuzz_play(&again, buf_bytes(&a), a.len, &b);
	must(again.code == 0);
	must(bytes_eq(buf_bytes(&a), buf_bytes(&b)));
	buf_free(&a);
	buf_free(&b);
	return (0);
}

static void
fuzz_setup(struct ws *w, uint8_t how)
{
	ws_init(w, how & 1, MAX);
	w->lengths_any = how >> 1 & 1;
	w->fragments_max = how & 4 ? 3 : WS_FRAGMENTS_MAX;
}

static void
fuzz_play(struct ws *w, struct bytes in, size_t step, struct buf *log)
{
	struct buf have = BUF_INIT, message = BUF_INIT;
	struct ws_event ev;
	ssize_t n = 0;

	while (n != -1 && in.n > 0) {
		if (step > in.n)
			step = in.n;
		buf_add(&have, in.p, step);
		in = bytes_skip(in, step);
		while (
		    (n = ws_feed(w, have.mem + have.off, have.len, &ev)) > 0) {
			must((size_t)n <= have.len);
			must(ev.data.n == 0 ||
			    (ev.data.p >= have.mem + have.off &&
				ev.data.p + ev.data.n <=
				    have.mem + have.off + n));
			fuzz_event(w, &ev, &message, log);
			buf_drop(&have, (size_t)n);
		}
		must(n == -1 || have.len < WS_FEED_MIN);
	}
	must(n != -1 || (w->code >= 1002 && w->reason != NULL));
	buf_free(&have);
	buf_free(&message);
}

/* Complete messages and control frames are written to the log as frames. */
static void
fuzz_event(struct ws *w, const struct ws_event *ev, struct buf *message,
    struct buf *log)
{
	uint8_t payload[WS_CONTROL_MAX];
	size_t n;

	if (ev->opcode == WS_CONTINUATION)
		return;
	if (ev->opcode == WS_CLOSE) {
		n = ws_close_payload(payload, ev->code, ev->data);
		fuzz_write(log, WS_CLOSE, bytes_of(payload, n));
		return;
	}
	if (ev->opcode > WS_CLOSE) {
		fuzz_write(log, ev->opcode, ev->data);
		return;
	}
	must(ev->first == (ev->total == ev->data.n && message->len == 0) ||
	    !ev->first);
	buf_add_bytes(message, ev->data);
	must(ev->total == message->len && ev->declared >= ev->total);
	must(ev->declared <= w->message_max);
	if (!ev->last)
		return;
	must(ev->declared == ev->total);
	must(ev->opcode != WS_TEXT || utf8_valid(buf_bytes(message)));
	fuzz_write(log, ev->opcode, buf_bytes(message));
	buf_clear(message);
}

static void
fuzz_write(struct buf *log, enum ws_opcode opcode, struct bytes payload)
{
	uint8_t head[10];

	buf_add(log, head, ws_header(head, opcode, 1, payload.n));
	buf_add_bytes(log, payload);
}
