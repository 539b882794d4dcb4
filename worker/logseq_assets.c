/*
 * The routes below /assets (logseq.md, section 9.1): octets on their way to the
 * store and back, a slice at a time, whatever their number.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/logseq_index.h"
#include "worker/logseq_body.h"
#include "worker/logseq_download.h"
#include "worker/pull.h"

#define ASSET_TYPE_DEFAULT "application/octet-stream"
/*
 * Assets are of the users' making and come from the address of the API: no
 * browser may run what is in them, or guess that it is something else.
 */
#define ASSET_SAFE                                                             \
	"Content-Security-Policy: sandbox\r\n"                                 \
	"X-Content-Type-Options: nosniff\r\n"                                  \
	"Cache-Control: private, no-cache\r\n"

enum asset_tag { ASSET_STORED = 1, ASSET_KEPT, ASSET_FOUND, ASSET_SLICE };

struct asset {
	/* going up */
	struct buf items;
	uint64_t taken;
	struct buf slice;
	/* going down */
	struct pull pull;
	int waiting; /* until the client has taken some */
};

static int asset_check(struct logseq_web *, const struct http_request *);
static int asset_put_check(struct logseq_web *, const struct http_request *);
static void asset_put(struct logseq_web *);
static void asset_put_piece(struct logseq_web *, struct bytes);
static void asset_put_end(struct logseq_web *);
static void asset_put_done(struct logseq_web *, const struct verdict_in *);
static void asset_put_submit(struct logseq_web *, uint64_t blob);
static uint64_t asset_max(const struct logseq_web *);
static struct bytes asset_header(const struct http_request *, const char *,
    size_t max);
static void asset_get(struct logseq_web *);
static void asset_get_fetched(struct logseq_web *, const struct fetched_in *);
static void asset_get_snapshot(struct logseq_web *);
static void asset_get_begin(struct logseq_web *, const struct fetched_in *);
static void asset_get_slice(struct logseq_web *, const struct fetched_in *);
static void asset_get_next(struct logseq_web *);
static void asset_get_drained(struct logseq_web *);
static const char *asset_type(struct bytes ext);
static struct bytes asset_ext(struct bytes name);
static void asset_drop(struct logseq_web *);
static void asset_method(struct logseq_web *);
static void asset_nameless(struct logseq_web *);
static void asset_free(void *);

static const struct logseq_steps asset_put_steps = {
	.check = asset_put_check,
	.start = asset_put,
	.piece = asset_put_piece,
	.end = asset_put_end,
	.verdict = asset_put_done,
	.free = asset_free,
};
static const struct logseq_steps asset_get_steps = {
	.check = asset_check,
	.start = asset_get,
	.fetched = asset_get_fetched,
	.drained = asset_get_drained,
	.free = asset_free,
};
static const struct logseq_steps asset_drop_steps = {
	.check = asset_check,
	.start = asset_drop,
	.verdict = logseq_body_done,
};
static const struct logseq_steps asset_method_steps = {
	.check = asset_check,
	.start = asset_method,
};
static const struct logseq_steps asset_nameless_steps = {
	.start = asset_nameless,
};

/* The method is looked at last. */
const struct logseq_route logseq_assets_routes[] = {
	{ "PUT", "/assets/:/*", LOGSEQ_AT_GRAPH, &asset_put_steps },
	{ "GET", "/assets/:/*", LOGSEQ_AT_GRAPH, &asset_get_steps },
	{ "DELETE", "/assets/:/*", LOGSEQ_AT_GRAPH, &asset_drop_steps },
	{ "*", "/assets/:/*", LOGSEQ_AT_GRAPH, &asset_method_steps },
	{ "*", "/assets/*", LOGSEQ_AT_NOTHING, &asset_nameless_steps },
	{ NULL, NULL, LOGSEQ_AT_NOTHING, NULL },
};

/* By extension; what is not here is what its writer said. */
static const struct {
	const char *ext, *type;
} asset_types[] = {
	{ "png", "image/png" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "gif", "image/gif" },
	{ "webp", "image/webp" },
	{ "bmp", "image/bmp" },
	{ "svg", "image/svg+xml" },
	{ "ico", "image/x-icon" },
	{ "pdf", "application/pdf" },
};

static int
asset_check(struct logseq_web *w, const struct http_request *r)
{
	(void)r;
	if (logseq_asset_name_ok(w->param[1]))
		return (0);
	asset_nameless(w);
	return (-1);
}

static int
asset_put_check(struct logseq_web *w, const struct http_request *r)
{
	struct asset *a;

	if (asset_check(w, r) == -1)
		return (-1);
	if ((a = w->job = calloc(1, sizeof(*a))) == NULL) {
		logseq_refuse(w, CODE_BUSY);
		return (-1);
	}
	list_add(&a->items,
	    asset_header(r, "content-type", LOGSEQ_ASSET_TYPE_MAX));
	list_add(&a->items,
	    asset_header(r, "x-amz-meta-checksum", LOGSEQ_ASSET_SUM_MAX));
	if (!a->items.failed)
		return (0);
	logseq_refuse(w, CODE_BUSY);
	return (-1);
}

/* What is too long or of other letters than a header may have is nothing. */
static struct bytes
asset_header(const struct http_request *r, const char *name, size_t max)
{
	struct bytes b = http_header_get(r, name);
	size_t i;

	for (i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] > 0x7e)
			return (BYTES_NONE);
	return (b.n > max ? BYTES_NONE : b);
}

static void
asset_put(struct logseq_web *w)
{
	if (w->body_length > asset_max(w))
		logseq_error(w, 413, "asset too large");
}

static void
asset_put_piece(struct logseq_web *w, struct bytes b)
{
	struct asset *a = w->job;
	size_t n;

	if (b.n > asset_max(w) - a->taken) {
		logseq_error(w, 413, "asset too large");
		return;
	}
	if (a->taken == 0 && b.n > 0)
		conn_blob_put(w->conn, logseq_tag(w, ASSET_STORED),
		    w->body_length);
	a->taken += b.n;
	for (; b.n > 0; b = bytes_skip(b, n)) {
		n = BLOB_SLICE_BYTES - a->slice.len;
		n = b.n < n ? b.n : n;
		if (buf_add(&a->slice, b.p, n) == -1) {
			conn_drop(w->conn);
			return;
		}
		if (a->slice.len == BLOB_SLICE_BYTES) {
			conn_blob_data(w->conn, buf_bytes(&a->slice));
			buf_clear(&a->slice);
		}
	}
}

static void
asset_put_end(struct logseq_web *w)
{
	struct asset *a = w->job;

	if (a->taken == 0) {
		asset_put_submit(w, 0);
		return;
	}
	conn_blob_data(w->conn, buf_bytes(&a->slice));
	conn_blob_done(w->conn, logseq_tag(w, ASSET_STORED));
	buf_free(&a->slice);
}

static void
asset_put_done(struct logseq_web *w, const struct verdict_in *v)
{
	if (v->code == CODE_TOO_LARGE)
		logseq_error(w, 413, "asset too large");
	else if (v->code == CODE_OK && v->tag == ASSET_STORED)
		asset_put_submit(w, v->seq);
	else
		logseq_body_done(w, v);
}

static void
asset_put_submit(struct logseq_web *w, uint64_t blob)
{
	const struct asset *a = w->job;
	const struct submit_out out = { .tag = ASSET_KEPT,
		.verb = LOGSEQ_ASSET_PUT,
		.ref = w->param[1],
		.items = buf_bytes(&a->items),
		.blob = blob };

	logseq_submit(w, &out);
}

static uint64_t
asset_max(const struct logseq_web *w)
{
	const struct settings *set = conn_settings(w->conn);

	return (
	    w->state.e2ee ? set->logseq_asset_e2ee_max : set->logseq_asset_max);
}

static void
asset_get(struct logseq_web *w)
{
	struct buf key = BUF_INIT;

	if ((w->job = calloc(1, sizeof(struct asset))) == NULL ||
	    logseq_asset_key(&key, w->param[1]) == -1)
		logseq_refuse(w, CODE_BUSY);
	else
		logseq_fetch(w, ASSET_FOUND, FETCH_FIELD, 0, 0, buf_bytes(&key),
		    BYTES_NONE);
	buf_free(&key);
}

static void
asset_get_fetched(struct logseq_web *w, const struct fetched_in *f)
{
	if (f->tag == ASSET_SLICE)
		asset_get_slice(w, f);
	else if (f->code == CODE_NOT_FOUND &&
	    bytes_eq(asset_ext(w->param[1]), BYTES_LIT("snapshot")))
		asset_get_snapshot(w);
	else if (f->code != CODE_OK)
		logseq_refuse(w, f->code);
	else
		asset_get_begin(w, f);
}

/* Where the graph's own was in January 2026. */
static void
asset_get_snapshot(struct logseq_web *w)
{
	static const struct logseq_route stream = { "GET", "/assets/:/*",
		LOGSEQ_AT_GRAPH, &logseq_stream_steps };

	asset_free(w->job);
	w->job = NULL;
	w->route = &stream;
	w->route->steps->start(w);
}

static void
asset_get_begin(struct logseq_web *w, const struct fetched_in *f)
{
	struct bytes name = w->param[1], ext = asset_ext(name);
	struct bytes in = f->entries, type;
	char headers[LOGSEQ_ASSET_NAME_MAX * 2 + sizeof(ASSET_SAFE) + 128];
	char said[LOGSEQ_ASSET_TYPE_MAX + 1];
	const char *known = asset_type(ext);
	struct asset *a = w->job;
	struct entry e;

	if (entry_unpack(&in, &e) != 1 ||
	    logseq_list_next(&e.body, &type) == -1 || type.n >= sizeof(said)) {
		logseq_refuse(w, CODE_STORAGE);
		return;
	}
	if (type.n == 0)
		type = BYTES_LIT(ASSET_TYPE_DEFAULT);
	memcpy(said, type.p, type.n);
	said[type.n] = '\0';
	a->pull = (struct pull){ e.blob, e.size, 0 };
	snprintf(headers, sizeof(headers),
	    ASSET_SAFE "x-asset-type: %.*s\r\nx-asset-size: %llu\r\n"
		       "Content-Disposition: inline; filename=\"%.*s\"\r\n",
	    (int)ext.n, (const char *)ext.p, (unsigned long long)e.size,
	    (int)name.n, (const char *)name.p);
	logseq_begin(w, 200, known != NULL ? known : said, headers, e.size);
	asset_get_next(w);
}

static void
asset_get_slice(struct logseq_web *w, const struct fetched_in *f)
{
	struct asset *a = w->job;
	struct bytes slice;

	/* It was replaced or dropped meanwhile. */
	if (f->code != CODE_OK || pull_take(&a->pull, f, &slice) == -1) {
		logseq_end(w, 1);
		return;
	}
	logseq_data(w, slice);
	asset_get_next(w);
}

static void
asset_get_next(struct logseq_web *w)
{
	struct asset *a = w->job;

	if (!pull_active(&a->pull))
		logseq_end(w, 0);
	else if (conn_queued(w->conn) >= CONN_LOW_BYTES)
		a->waiting = 1;
	else
		pull_ask(&a->pull, w->conn, logseq_tag(w, ASSET_SLICE));
}

static void
asset_get_drained(struct logseq_web *w)
{
	struct asset *a = w->job;

	if (a == NULL || !a->waiting)
		return;
	a->waiting = 0;
	asset_get_next(w);
}

static const char *
asset_type(struct bytes ext)
{
	size_t i;

	for (i = 0; i < sizeof(asset_types) / sizeof(asset_types[0]); i++)
		if (http_eq(ext, asset_types[i].ext))
			return (asset_types[i].type);
	return (NULL);
}

/* Of a name that is in order. */
static struct bytes
asset_ext(struct bytes name)
{
	size_t dot = name.n;

	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	return (bytes_skip(name, dot));
}

static void
asset_drop(struct logseq_web *w)
{
	const struct submit_out out = { .verb = LOGSEQ_ASSET_DROP,
		.ref = w->param[1] };

	logseq_submit(w, &out);
}

static void
asset_method(struct logseq_web *w)
{
	logseq_error(w, 405, "method not allowed");
}

static void
asset_nameless(struct logseq_web *w)
{
	logseq_error(w, 400, "invalid asset path");
}

static void
asset_free(void *job)
{
	struct asset *a = job;

	buf_free(&a->items);
	buf_free(&a->slice);
	free(a);
}
