/* Uploaded rows out of gzip, frames and Transit. */
#include "worker/logseq_rows.h"

#define ROWS_HEAD	 4 /* octets of a frame's length */
#define ROWS_CHUNK_BYTES (64u * 1024u)

static int rows_fill(struct logseq_rows *);
static int rows_copy(struct logseq_rows *);
static int rows_inflate(struct logseq_rows *);
static int rows_frame(struct logseq_rows *);
static int rows_row(struct logseq_rows *, struct logseq_row *);
static int rows_cells(struct logseq_rows *, struct logseq_row *);
static int rows_refuse(struct logseq_rows *, const char *);

void
logseq_rows_init(struct logseq_rows *r, uint64_t frame_max, uint64_t max)
{
	memset(r, 0, sizeof(*r));
	r->frame_max = frame_max;
	r->left = max;
}

void
logseq_rows_free(struct logseq_rows *r)
{
	if (r->gzip)
		(void)inflateEnd(&r->z);
	if (r->reading)
		transit_reader_free(&r->reader);
	buf_free(&r->in);
	buf_free(&r->plain);
	buf_free(&r->content);
	buf_free(&r->addresses);
}

int
logseq_rows_add(struct logseq_rows *r, struct bytes b)
{
	return (buf_add_bytes(&r->in, b));
}

int
logseq_rows_next(struct logseq_rows *r, struct logseq_row *row)
{
	int n;

	if (r->reason != NULL)
		return (-1);
	for (;;) {
		if (r->reading && (n = rows_row(r, row)) != 0)
			return (n);
		if ((n = rows_frame(r)) == -1)
			return (-1);
		if (n == 0 && (n = rows_fill(r)) != 1)
			return (n);
	}
}

int
logseq_rows_done(struct logseq_rows *r)
{
	if (r->reason == NULL &&
	    (r->plain.len > 0 || r->in.len > 0 || (r->gzip && !r->between)))
		rows_refuse(r, "cut off");
	return (r->reason == NULL ? 0 : -1);
}

/* More plain octets: 1, 0 when there are none, -1. */
static int
rows_fill(struct logseq_rows *r)
{
	static const uint8_t magic[] = { 0x1f, 0x8b };

	if (!r->begun && r->in.len < sizeof(magic))
		return (0);
	if (!r->begun) {
		r->begun = 1;
		/* As a frame's length it would be half a gigabyte. */
		if (memcmp(buf_bytes(&r->in).p, magic, sizeof(magic)) == 0) {
			if (inflateInit2(&r->z, 15 + 16) != Z_OK)
				return (rows_refuse(r, "no memory"));
			r->gzip = 1;
		}
	}
	if (r->in.len == 0)
		return (0);
	return (r->gzip ? rows_inflate(r) : rows_copy(r));
}

static int
rows_copy(struct logseq_rows *r)
{
	struct bytes b = buf_bytes(&r->in);

	if (b.n > ROWS_CHUNK_BYTES)
		b.n = ROWS_CHUNK_BYTES;
	if (b.n > r->left) {
		r->too_large = 1;
		return (rows_refuse(r, "too large"));
	}
	r->left -= b.n;
	if (buf_add_bytes(&r->plain, b) == -1)
		return (rows_refuse(r, "no memory"));
	buf_drop(&r->in, b.n);
	return (1);
}

static int
rows_inflate(struct logseq_rows *r)
{
	struct bytes b = buf_bytes(&r->in);
	uint8_t *out = buf_room(&r->plain, ROWS_CHUNK_BYTES);
	size_t n;
	int rc;

	if (out == NULL)
		return (rows_refuse(r, "no memory"));
	if (r->between && inflateReset(&r->z) != Z_OK)
		return (rows_refuse(r, "bad gzip"));
	r->between = 0;
	/* zlib only reads, but its pointer has no const. */
	r->z.next_in = (Bytef *)(uintptr_t)b.p;
	r->z.avail_in = (uInt)b.n;
	r->z.next_out = out;
	r->z.avail_out = ROWS_CHUNK_BYTES;
	rc = inflate(&r->z, Z_NO_FLUSH);
	if (rc != Z_OK && rc != Z_STREAM_END)
		return (rows_refuse(r, "bad gzip"));
	n = ROWS_CHUNK_BYTES - r->z.avail_out;
	if (n > r->left) {
		r->too_large = 1;
		return (rows_refuse(r, "too large"));
	}
	r->left -= n;
	buf_grow(&r->plain, n);
	r->between = rc == Z_STREAM_END;
	buf_drop(&r->in, b.n - r->z.avail_in);
	return (1);
}

/* A frame that is here as a whole: 1; 0: not yet. */
static int
rows_frame(struct logseq_rows *r)
{
	struct bytes b = buf_bytes(&r->plain);
	struct transit t;

	if (b.n < ROWS_HEAD)
		return (0);
	r->frame = be32_get(b.p);
	if (r->frame > r->frame_max)
		return (rows_refuse(r, "frame too large"));
	if (b.n - ROWS_HEAD < r->frame)
		return (0);
	transit_reader_init(&r->reader,
	    bytes_of(b.p + ROWS_HEAD, (size_t)r->frame));
	r->reading = 1;
	if (transit_next(&r->reader, &t) != 1 || t.type != TRANSIT_ARRAY)
		return (rows_refuse(r, "no list of rows"));
	return (1);
}

/* 1: a row; 0: that was the last of the frame. */
static int
rows_row(struct logseq_rows *r, struct logseq_row *row)
{
	struct transit t;

	if (transit_next(&r->reader, &t) != 1)
		return (rows_refuse(r, "bad row"));
	if (t.type == TRANSIT_ARRAY && rows_cells(r, row) == 0)
		return (1);
	if (t.type != TRANSIT_END || transit_next(&r->reader, &t) != 0)
		return (rows_refuse(r, "bad row"));
	transit_reader_free(&r->reader);
	r->reading = 0;
	buf_drop(&r->plain, ROWS_HEAD + (size_t)r->frame);
	return (0);
}

/* [addr, content, addresses], its opening was read. */
static int
rows_cells(struct logseq_rows *r, struct logseq_row *row)
{
	struct transit t;

	if (transit_next(&r->reader, &t) != 1 || t.type != TRANSIT_INT ||
	    t.i < 0)
		return (-1);
	row->addr = (uint64_t)t.i;
	if (transit_next(&r->reader, &t) != 1 || t.type != TRANSIT_STRING)
		return (-1);
	/* The reader keeps one text only. */
	buf_clear(&r->content);
	if (buf_add_bytes(&r->content, t.text) == -1)
		return (-1);
	row->content = buf_bytes(&r->content);
	if (transit_next(&r->reader, &t) != 1 ||
	    (t.type != TRANSIT_NULL && t.type != TRANSIT_STRING))
		return (-1);
	buf_clear(&r->addresses);
	if (t.type == TRANSIT_STRING &&
	    buf_add_bytes(&r->addresses, t.text) == -1)
		return (-1);
	row->addresses = buf_bytes(&r->addresses);
	return (transit_next(&r->reader, &t) == 1 && t.type == TRANSIT_END
		? 0
		: -1);
}

static int
rows_refuse(struct logseq_rows *r, const char *reason)
{
	r->reason = reason;
	return (-1);
}
