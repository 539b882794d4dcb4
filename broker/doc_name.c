/* Names of documents as text, and back. */
#include <stdio.h>

#include "broker/doc_name.h"
#include "common/hex.h"
#include "common/limits.h"
#include "common/log.h"

static int name_head(struct bytes, struct doc_id *);

char *
doc_name_text(char *dst, size_t size, const struct doc_id *id)
{
	int n;

	if (id->room == 0)
		n = snprintf(dst, size, "%s:", dialect_name(id->dialect));
	else
		n = snprintf(dst, size, "%s.%u:", dialect_name(id->dialect),
		    id->room);
	if (n > 0 && (size_t)n < size)
		log_quote(dst + n, size - (size_t)n, id->name);
	return (dst);
}

int
doc_name_parse(struct bytes text, struct buf *mem, struct doc_id *id)
{
	const uint8_t *colon = text.n == 0 ? NULL : memchr(text.p, ':', text.n);
	size_t head;

	if (colon == NULL)
		return (-1);
	head = (size_t)(colon - text.p);
	if (name_head(bytes_of(text.p, head), id) == -1)
		return (-1);
	buf_clear(mem);
	doc_name_unquote(bytes_skip(text, head + 1), mem);
	id->name = buf_bytes(mem);
	return (
	    mem->failed || id->name.n == 0 || id->name.n > STORE_NAME_MAX_BYTES
		? -1
		: 0);
}

static int
name_head(struct bytes head, struct doc_id *id)
{
	const uint8_t *dot = head.n == 0 ? NULL : memchr(head.p, '.', head.n);
	struct bytes room = BYTES_NONE;

	id->room = 0;
	if (dot != NULL) {
		room = bytes_skip(head, (size_t)(dot - head.p) + 1);
		head.n = (size_t)(dot - head.p);
		if (room.n == 0 || room.n > 3)
			return (-1);
	}
	for (; room.n > 0; room = bytes_skip(room, 1)) {
		if (*room.p < '0' || *room.p > '9')
			return (-1);
		id->room = id->room * 10 + (unsigned int)(*room.p - '0');
	}
	id->dialect = dialect_find(head);
	return (id->dialect == DIALECT_NONE || id->room > 255 ? -1 : 0);
}

void
doc_name_unquote(struct bytes in, struct buf *out)
{
	uint8_t octet;

	while (in.n > 0) {
		if (in.n >= 4 && in.p[0] == '\\' && in.p[1] == 'x' &&
		    hex_decode(&octet, 1, bytes_of(in.p + 2, 2)) == 1)
			in = bytes_skip(in, 4);
		else {
			octet = in.p[0];
			in = bytes_skip(in, 1);
		}
		buf_add_u8(out, octet);
	}
}
