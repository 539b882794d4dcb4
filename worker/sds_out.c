/* Frames around octets that come in pieces. */
#include "worker/sds_out.h"

static void sds_out_init(struct sds_out *, struct conn *, uint64_t);
static void sds_out_frame(struct sds_out *);

void
sds_out_typed(struct sds_out *o, struct conn *c, uint8_t type, uint64_t size)
{
	sds_out_init(o, c, size);
	o->head[0] = type;
	o->head_n = 1;
}

void
sds_out_plain(struct sds_out *o, struct conn *c, uint64_t size)
{
	sds_out_init(o, c, size);
}

void
sds_out_value(struct sds_out *o, struct conn *c, const uint8_t *key,
    uint64_t size, int whole)
{
	sds_out_init(o, c, size);
	o->chunked = !whole && size > SDS_CHUNK_BYTES;
	o->head[0] = o->chunked ? SDS_VALUE_CHUNK : SDS_VALUE;
	memcpy(o->head + 1, key, SDS_KEY_BYTES);
	o->head_n = sizeof(o->head);
}

void
sds_out_write(struct sds_out *o, struct bytes b)
{
	size_t n;

	if (!o->started)
		sds_out_frame(o);
	while (b.n > 0 && o->done < o->size) {
		if (o->left == 0)
			sds_out_frame(o);
		n = o->left < b.n ? (size_t)o->left : b.n;
		conn_write(o->conn, bytes_of(b.p, n));
		b = bytes_skip(b, n);
		o->left -= n;
		o->done += n;
	}
}

static void
sds_out_init(struct sds_out *o, struct conn *c, uint64_t size)
{
	memset(o, 0, sizeof(*o));
	o->conn = c;
	o->size = size;
}

static void
sds_out_frame(struct sds_out *o)
{
	uint64_t chunks = (o->size + SDS_CHUNK_BYTES - 1) / SDS_CHUNK_BYTES;
	uint8_t place[8];

	o->started = 1;
	o->left = o->size - o->done;
	if (!o->chunked) {
		conn_begin(o->conn, WS_BINARY, o->head_n + o->left);
		conn_write(o->conn, bytes_of(o->head, o->head_n));
		return;
	}
	if (o->left > SDS_CHUNK_BYTES)
		o->left = SDS_CHUNK_BYTES;
	be32_put(place, (uint32_t)(o->done / SDS_CHUNK_BYTES));
	be32_put(place + 4, (uint32_t)chunks);
	conn_begin(o->conn, WS_BINARY, SDS_CHUNK_HEAD_BYTES + o->left);
	conn_write(o->conn, bytes_of(o->head, o->head_n));
	conn_write(o->conn, bytes_of(place, sizeof(place)));
}
