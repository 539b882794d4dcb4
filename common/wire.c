/*
 * Lists and entries inside IPC fields, as octets.  Nothing is copied out: what
 * is taken borrows from the field.
 */
#include "common/wire.h"

static int wire_octet(struct bytes *, uint8_t *);

/*
 * seq, origin, time_ms as LEB128; kind, flags an octet each; key and body as
 * strings of a list; blob and size as LEB128.
 */
int
entry_pack(struct buf *b, const struct entry *e)
{
	buf_add_varint(b, e->seq);
	buf_add_varint(b, e->origin);
	buf_add_varint(b, e->time_ms);
	buf_add_u8(b, e->kind);
	buf_add_u8(b, e->flags);
	list_add(b, e->key);
	list_add(b, e->body);
	buf_add_varint(b, e->blob);
	return (buf_add_varint(b, e->size));
}

int
entry_unpack(struct bytes *in, struct entry *e)
{
	struct bytes b = *in;

	if (b.n == 0)
		return (0);
	if (bytes_varint(&b, &e->seq) == -1 ||
	    bytes_varint(&b, &e->origin) == -1 ||
	    bytes_varint(&b, &e->time_ms) == -1 ||
	    wire_octet(&b, &e->kind) == -1 || wire_octet(&b, &e->flags) == -1 ||
	    list_next(&b, &e->key) != 1 || list_next(&b, &e->body) != 1 ||
	    bytes_varint(&b, &e->blob) == -1 ||
	    bytes_varint(&b, &e->size) == -1)
		return (-1);
	*in = b;
	return (1);
}

int
list_add(struct buf *b, struct bytes s)
{
	buf_add_varint(b, s.n);
	return (buf_add_bytes(b, s));
}

int
list_next(struct bytes *in, struct bytes *out)
{
	struct bytes b = *in;
	uint64_t n;

	if (b.n == 0)
		return (0);
	if (bytes_varint(&b, &n) == -1 || n > b.n)
		return (-1);
	*out = bytes_of(b.p, (size_t)n);
	*in = bytes_skip(b, (size_t)n);
	return (1);
}

static int
wire_octet(struct bytes *in, uint8_t *v)
{
	if (in->n == 0)
		return (-1);
	*v = in->p[0];
	*in = bytes_skip(*in, 1);
	return (0);
}
