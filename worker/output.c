/*
 * Everything that goes to the client but frames straight from the ring: one
 * queue, written at the end of a turn, so that what is said together leaves
 * together.
 */
#include <errno.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/conn_internal.h"

/* To an operator who traces: a message in pieces, of a size not known. */
#define OUTPUT_FRAGMENTS 15

static void output_frame_done(struct conn *);
static int output_write(struct conn *);

void
output_add(struct conn *c, struct bytes b)
{
	if (c->phase >= CONN_LINGER || b.n == 0)
		return;
	if (c->out.len == 0)
		c->write_ms = c->now_ms;
	if (buf_add_bytes(&c->out, b) == -1) {
		log_warn("%s: output", c->peer);
		conn_drop(c);
		return;
	}
	/* Who looked at conn_queued before it is written waits for drained. */
	if (c->out.len >= CONN_LOW_BYTES)
		c->filled = 1;
}

/* Between the pieces of a data frame nothing may stand, so these can wait. */
void
output_control(struct conn *c, unsigned int opcode, struct bytes payload)
{
	uint8_t header[10];
	size_t n = ws_header(header, (enum ws_opcode)opcode, 1, payload.n);

	if (c->frame_left == 0) {
		output_add(c, bytes_of(header, n));
		output_add(c, payload);
		return;
	}
	buf_add(&c->later, header, n);
	if (buf_add_bytes(&c->later, payload) == -1 || c->later.failed)
		conn_drop(c);
}

void
output_flush(struct conn *c)
{
	while (c->out.len > 0 && output_write(c))
		continue;
	if (c->out.len == 0 && c->out.cap > 0)
		buf_free(&c->out);
}

void
conn_send(struct conn *c, unsigned int opcode, struct bytes payload)
{
	conn_sendv(c, opcode, &payload, 1);
}

void
conn_sendv(struct conn *c, unsigned int opcode, const struct bytes *piece,
    size_t n)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < n; i++)
		size += piece[i].n;
	conn_begin(c, opcode, size);
	for (i = 0; i < n; i++)
		conn_write(c, piece[i]);
}

void
conn_begin(struct conn *c, unsigned int opcode, uint64_t size)
{
	uint8_t header[10];

	if (c->phase != CONN_WS)
		return;
	note_said(c, opcode, size);
	output_add(c,
	    bytes_of(header,
		ws_header(header, (enum ws_opcode)opcode, 1, size)));
	c->frame_left = size;
}

void
conn_write(struct conn *c, struct bytes b)
{
	if (c->phase != CONN_WS || b.n == 0)
		return;
	if (b.n > c->frame_left) {
		log_warnx("%s: more payload than announced", c->peer);
		conn_drop(c);
		return;
	}
	output_add(c, b);
	c->frame_left -= b.n;
	if (c->frame_left == 0)
		output_frame_done(c);
}

void
conn_fragment(struct conn *c, unsigned int opcode, struct bytes b, int last)
{
	uint8_t header[10];

	if (c->phase != CONN_WS)
		return;
	if (last)
		note_said(c, OUTPUT_FRAGMENTS, 0);
	output_add(c,
	    bytes_of(header,
		ws_header(header, (enum ws_opcode)opcode, last, b.n)));
	output_add(c, b);
}

size_t
conn_queued(struct conn *c)
{
	return (c->out.len);
}

void
conn_close(struct conn *c, unsigned int code, const char *reason)
{
	uint8_t frame[2 + WS_CONTROL_MAX];
	struct bytes why = reason == NULL ? BYTES_NONE : bytes_str(reason);

	if (c->phase >= CONN_CLOSING)
		return;
	if (c->phase != CONN_WS) {
		conn_phase(c, CONN_DRAIN, CONN_CLOSE_MS);
		return;
	}
	if (c->frame_left > 0) {
		conn_drop(c);
		return;
	}
	output_add(c,
	    bytes_of(frame,
		ws_close_frame(frame, code == 0 ? WS_CODE_NONE : code, why)));
	/* There are few processes for those whom nobody serves. */
	conn_phase(c, CONN_CLOSING,
	    c->unserved ? CONN_LINGER_MS : CONN_CLOSE_MS);
}

void
conn_drop(struct conn *c)
{
	conn_phase(c, CONN_DEAD, 0);
}

void
conn_ping(struct conn *c, struct bytes payload)
{
	if (c->phase == CONN_WS && payload.n <= WS_CONTROL_MAX)
		output_control(c, WS_PING, payload);
}

static void
output_frame_done(struct conn *c)
{
	output_add(c, buf_bytes(&c->later));
	buf_free(&c->later);
}

/* 1: some of it is gone. */
static int
output_write(struct conn *c)
{
	struct bytes b = buf_bytes(&c->out);
	ssize_t n;

	while ((n = write(c->fd, b.p, b.n)) == -1 && errno == EINTR)
		continue;
	if (n == -1) {
		if (errno != EAGAIN && errno != EWOULDBLOCK) {
			buf_free(&c->out);
			conn_drop(c);
		}
		return (0);
	}
	buf_drop(&c->out, (size_t)n);
	tally_add(c, tally_bytes_out, (uint64_t)n);
	c->write_ms = c->now_ms;
	return (1);
}
