/*
 * Packs and unpacks stored records.  Where they are kept is txn_log.c's and
 * txn_field.c's business.
 */
#include "broker/record.h"
#include "broker/sum.h"

#define RECORD_VERSION	  1
#define RECORD_HEAD_BYTES 19u
#define RECORD_SUM_BYTES  4u
#define RECORD_FLAGS                                                           \
	((unsigned int)(RECORD_BLOB | RECORD_NUMBER | RECORD_GONE |            \
	    RECORD_GONE_RUN))

static int record_take(struct bytes *, uint64_t *);

int
record_pack(struct buf *b, const struct record *r, unsigned int flags,
    const struct bytes *piece, size_t n)
{
	size_t start = b->len, i;

	if (r->body.blob != 0)
		flags |= RECORD_BLOB;
	buf_add_u8(b, RECORD_VERSION);
	buf_add_u8(b, r->kind);
	buf_add_u8(b, (uint8_t)flags);
	buf_add_be64(b, r->origin);
	buf_add_be64(b, r->time_ms);
	if ((flags & RECORD_NUMBER) != 0)
		buf_add_be64(b, r->seq);
	if ((flags & RECORD_BLOB) != 0) {
		buf_add_be64(b, r->body.blob);
		buf_add_be64(b, r->body.size);
	}
	for (i = 0; i < n; i++)
		buf_add_bytes(b, piece[i]);
	if (b->failed)
		return (-1);
	return (buf_add_be32(b, sum_crc32(bytes_skip(buf_bytes(b), start))));
}

uint64_t
record_size(const struct record *r)
{
	return (RECORD_HEAD_BYTES + (r->body.blob != 0 ? 16 : 0) + r->body.b.n +
	    RECORD_SUM_BYTES);
}

const char *
record_unpack(struct bytes in, struct record *r)
{
	unsigned int flags;
	uint32_t sum;

	if (in.n < RECORD_HEAD_BYTES + RECORD_SUM_BYTES)
		return ("too short");
	in.n -= RECORD_SUM_BYTES;
	sum = be32_get(in.p + in.n);
	if (sum != sum_crc32(in))
		return ("bad checksum");
	if (in.p[0] != RECORD_VERSION)
		return ("unknown version");
	memset(r, 0, sizeof(*r));
	r->kind = in.p[1];
	flags = in.p[2];
	r->origin = be64_get(in.p + 3);
	r->time_ms = be64_get(in.p + 11);
	in = bytes_skip(in, RECORD_HEAD_BYTES);
	if ((flags & ~RECORD_FLAGS) != 0)
		return ("unknown flags");
	r->gone = flags & (RECORD_GONE | RECORD_GONE_RUN);
	if ((flags & RECORD_NUMBER) != 0 && record_take(&in, &r->seq) == -1)
		return ("too short");
	if ((flags & RECORD_BLOB) != 0 &&
	    (record_take(&in, &r->body.blob) == -1 ||
		record_take(&in, &r->body.size) == -1))
		return ("too short");
	if (r->gone != 0 && in.n != CHAIN_BYTES)
		return ("bad stub");
	r->first = r->seq;
	r->body.b = in;
	return (NULL);
}

static int
record_take(struct bytes *in, uint64_t *v)
{
	if (in->n < 8)
		return (-1);
	*v = be64_get(in->p);
	*in = bytes_skip(*in, 8);
	return (0);
}
