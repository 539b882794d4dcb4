/* Rows, framed and compressed, on their way to the client. */
#include "worker/logseq_gzip.h"

#define GZIP_FRAME_BYTES (256u * 1024u)
#define GZIP_OUT_BYTES	 (32u * 1024u)
#define GZIP_LEVEL	 4 /* of 9: half the time of the usual 6 */

static void gzip_frame(struct logseq_gzip *);
static void gzip_write(struct logseq_gzip *, struct bytes, int flush);

int
logseq_gzip_init(struct logseq_gzip *g, struct logseq_web *w)
{
	memset(g, 0, sizeof(*g));
	g->web = w;
	if (!w->gzip)
		return (0);
	g->open = deflateInit2(&g->z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8,
		      Z_DEFAULT_STRATEGY) == Z_OK;
	return (g->open ? 0 : -1);
}

void
logseq_gzip_free(struct logseq_gzip *g)
{
	if (g->open)
		(void)deflateEnd(&g->z);
	buf_free(&g->frame);
}

void
logseq_gzip_row(struct logseq_gzip *g, uint64_t addr, struct bytes content,
    struct bytes addresses)
{
	buf_printf(&g->frame, "%s%llu,", g->frame.len == 0 ? "[[" : ",[",
	    (unsigned long long)addr);
	json_quote(&g->frame, content);
	buf_add_u8(&g->frame, ',');
	if (addresses.n == 0)
		buf_add_str(&g->frame, "null");
	else
		json_quote(&g->frame, addresses);
	buf_add_u8(&g->frame, ']');
	if (g->frame.len >= GZIP_FRAME_BYTES)
		gzip_frame(g);
}

int
logseq_gzip_flush(struct logseq_gzip *g, int last)
{
	if (last && g->frame.len > 0)
		gzip_frame(g);
	if (last && g->open)
		gzip_write(g, BYTES_NONE, Z_FINISH);
	return (g->failed || g->frame.failed ? -1 : 0);
}

static void
gzip_frame(struct logseq_gzip *g)
{
	uint8_t head[4];

	buf_add_u8(&g->frame, ']');
	be32_put(head, (uint32_t)g->frame.len);
	gzip_write(g, bytes_of(head, sizeof(head)), Z_NO_FLUSH);
	gzip_write(g, buf_bytes(&g->frame), Z_NO_FLUSH);
	buf_clear(&g->frame);
}

static void
gzip_write(struct logseq_gzip *g, struct bytes b, int flush)
{
	uint8_t out[GZIP_OUT_BYTES];

	if (!g->open) {
		logseq_data(g->web, b);
		return;
	}
	/* zlib only reads, but its pointer has no const. */
	g->z.next_in = (Bytef *)(uintptr_t)b.p;
	g->z.avail_in = (uInt)b.n;
	do {
		g->z.next_out = out;
		g->z.avail_out = sizeof(out);
		if (deflate(&g->z, flush) == Z_STREAM_ERROR)
			g->failed = 1;
		logseq_data(g->web,
		    bytes_of(out, sizeof(out) - g->z.avail_out));
	} while (g->z.avail_out == 0 && !g->failed);
}
