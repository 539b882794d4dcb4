/*
 * A download (logseq.md, section 5.4): the trees are written from the index as
 * it is read, page by page, at the client's pace; what others change meanwhile
 * becomes the tail (struct logseq_pin).
 */
#include <stdlib.h>

#include "common/log.h"
#include "common/wire.h"
#include "worker/logseq_download.h"
#include "worker/logseq_gzip.h"
#include "worker/logseq_root.h"

#define DOWNLOAD_ADDR 1000000u /* addresses of nodes come after it */

enum download_tag { DOWNLOAD_PIN = 1, DOWNLOAD_PAGE, DOWNLOAD_UNPIN };

/* In this order: the tail is what changed until it was read. */
enum download_stage {
	DOWNLOAD_EAVT,
	DOWNLOAD_AEVT,
	DOWNLOAD_AVET,
	DOWNLOAD_TAIL,
	DOWNLOAD_SCHEMA,
	DOWNLOAD_END
};

#define DOWNLOAD_TREES DOWNLOAD_TAIL

static const char download_kinds[] = { LOGSEQ_REG_EAVT, LOGSEQ_REG_AEVT,
	LOGSEQ_REG_AVET, LOGSEQ_REG_CHANGE, LOGSEQ_REG_SCHEMA };

struct download {
	struct logseq_web *web;
	enum download_stage stage;
	struct logseq_pin pin;
	struct logseq_root root;
	struct logseq_gzip out;
	struct logseq_sink sink;
	struct logseq_pen pen;
	struct logseq_tree tree[DOWNLOAD_TREES];
	struct buf from; /* last key of the last page */
	struct buf name;
	int waiting; /* for the client to take what is queued */
};

static void download_where(struct logseq_web *);
static void download_start(struct logseq_web *);
static void download_verdict(struct logseq_web *, const struct verdict_in *);
static void download_fetched(struct logseq_web *, const struct fetched_in *);
static void download_drained(struct logseq_web *);
static void download_free(void *);
static void download_begin(struct download *);
static void download_row(void *, uint64_t, struct bytes, struct bytes);
static void download_next(struct download *);
static void download_ask(struct download *);
static void download_stage_begin(struct download *);
static int download_stage_end(struct download *);
static int download_entry(struct download *, const struct entry *);
static int download_datom(struct download *, struct logseq_datom *);
static int download_change(struct download *, const struct logseq_datom *);
static int download_attr(struct download *, const struct entry *);
static int download_root(struct download *);
static void download_fail(struct download *, const char *why);

const struct logseq_steps logseq_download_steps = { .start = download_where,
	.keeps_token = 1 };

const struct logseq_steps logseq_stream_steps = {
	.start = download_start,
	.verdict = download_verdict,
	.fetched = download_fetched,
	.drained = download_drained,
	.free = download_free,
};

/* A token that came in the query goes on in the link. */
static void
download_where(struct logseq_web *w)
{
	struct buf json = BUF_INIT, url = BUF_INIT;

	if (!w->state.ready) {
		logseq_refuse(w, CODE_NOT_READY);
		return;
	}
	buf_add_bytes(&url, buf_bytes(&w->origin));
	buf_add_str(&url, "/sync/");
	logseq_url_add(&url, w->param[0]);
	buf_add_str(&url, "/snapshot/stream");
	if (w->token_in_query) {
		buf_add_str(&url, "?token=");
		logseq_url_add(&url, buf_bytes(&w->token));
	}
	buf_add_str(&json, "{\"ok\":true,\"key\":\"stream/");
	logseq_url_add(&json, w->param[0]);
	buf_add_str(&json, ".snapshot\",\"url\":");
	json_quote(&json, buf_bytes(&url));
	buf_add_u8(&json, '}');
	logseq_reply(w, 200, buf_bytes(&json));
	buf_wipe(&json);
	buf_wipe(&url);
}

static void
download_start(struct logseq_web *w)
{
	struct submit_out out = { .tag = DOWNLOAD_PIN, .verb = LOGSEQ_PIN };
	struct download *d;
	unsigned i;

	if (!w->state.ready) {
		logseq_refuse(w, CODE_NOT_READY);
		return;
	}
	if ((d = w->job = calloc(1, sizeof(*d))) == NULL ||
	    logseq_gzip_init(&d->out, w) == -1) {
		logseq_refuse(w, CODE_BUSY);
		return;
	}
	d->web = w;
	d->sink = (struct logseq_sink){ download_row, d, DOWNLOAD_ADDR };
	transit_cache_init(&d->pen.cache);
	for (i = 0; i < DOWNLOAD_TREES; i++)
		logseq_tree_init(&d->tree[i], &d->sink, &d->pen);
	logseq_submit(w, &out);
}

static void
download_verdict(struct logseq_web *w, const struct verdict_in *v)
{
	struct download *d = w->job;

	if (v->tag == DOWNLOAD_PIN) {
		if (v->code != CODE_OK)
			logseq_refuse(w, v->code);
		else if (logseq_pin_unpack(v->info, &d->pin) == -1)
			logseq_refuse(w, CODE_STORAGE);
		else
			download_begin(d);
	} else if (v->code != CODE_OK) {
		download_fail(d, "replaced meanwhile");
	} else if (logseq_gzip_flush(&d->out, 1) == -1) {
		download_fail(d, "compression");
	} else
		logseq_end(w, 0);
}

static void
download_fetched(struct logseq_web *w, const struct fetched_in *f)
{
	struct download *d = w->job;
	struct bytes in = f->entries;
	struct entry e;
	int r = -1;

	while (f->code == CODE_OK && (r = entry_unpack(&in, &e)) == 1) {
		if (download_entry(d, &e) == -1) {
			r = -1;
			break;
		}
		if (in.n == 0) {
			buf_clear(&d->from);
			buf_add_bytes(&d->from, e.key);
		}
	}
	if (r == -1 || d->from.failed || logseq_gzip_flush(&d->out, 0) == -1)
		download_fail(d, "page");
	else if (f->more)
		download_next(d);
	else if (download_stage_end(d) == -1)
		download_fail(d, "row");
	else if (d->stage < DOWNLOAD_END)
		download_next(d);
}

static void
download_drained(struct logseq_web *w)
{
	struct download *d = w->job;

	if (d != NULL && d->waiting)
		download_next(d);
}

static void
download_free(void *job)
{
	struct download *d = job;
	unsigned i;

	for (i = 0; i < DOWNLOAD_TREES; i++)
		logseq_tree_free(&d->tree[i]);
	logseq_gzip_free(&d->out);
	logseq_pen_free(&d->pen);
	buf_free(&d->from);
	buf_free(&d->name);
	buf_free(&d->root.schema);
	free(d);
}

/* The count of rows is told before they are there: it may be off a little. */
static void
download_begin(struct download *d)
{
	uint64_t rows = 2 + 2 * logseq_tree_rows(d->pin.datoms) +
	    logseq_tree_rows(d->pin.indexed);
	struct buf headers = BUF_INIT;

	d->root.max_eid = d->pin.max_eid;
	d->root.max_tx = d->pin.max_tx;
	buf_printf(&headers, "x-snapshot-row-count: %llu\r\n%s",
	    (unsigned long long)rows,
	    d->web->gzip ? "Content-Encoding: gzip\r\n" : "");
	buf_add_u8(&headers, '\0');
	if (headers.failed)
		logseq_refuse(d->web, CODE_BUSY);
	else {
		logseq_begin(d->web, 200, "application/transit+json",
		    (const char *)buf_bytes(&headers).p, UINT64_MAX);
		download_stage_begin(d);
		download_next(d);
	}
	buf_free(&headers);
}

static void
download_row(void *arg, uint64_t addr, struct bytes content,
    struct bytes addresses)
{
	struct download *d = arg;

	logseq_gzip_row(&d->out, addr, content, addresses);
}

static void
download_next(struct download *d)
{
	d->waiting = conn_queued(d->web->conn) >= CONN_LOW_BYTES;
	if (!d->waiting)
		download_ask(d);
}

static void
download_ask(struct download *d)
{
	uint8_t prefix[LOGSEQ_PREFIX_LEN];

	logseq_prefix(prefix, download_kinds[d->stage], d->pin.gen);
	logseq_fetch(d->web, DOWNLOAD_PAGE, FETCH_RECORDS, 0, 0,
	    bytes_of(prefix, sizeof(prefix)), buf_bytes(&d->from));
}

/* Changes before the pin are in the trees. */
static void
download_stage_begin(struct download *d)
{
	uint8_t key[LOGSEQ_PREFIX_LEN + 8];

	buf_clear(&d->from);
	if (d->stage != DOWNLOAD_TAIL)
		return;
	logseq_prefix(key, LOGSEQ_REG_CHANGE, d->pin.gen);
	be64_put(key + LOGSEQ_PREFIX_LEN, d->pin.change);
	buf_add(&d->from, key, sizeof(key));
	logseq_pen_begin(&d->pen);
	transit_open(&d->pen.writer, TRANSIT_ARRAY);
}

static int
download_stage_end(struct download *d)
{
	struct submit_out out = { .tag = DOWNLOAD_UNPIN, .verb = LOGSEQ_UNPIN };

	if (d->stage < DOWNLOAD_TREES) {
		if (logseq_tree_end(&d->tree[d->stage]) == -1)
			return (-1);
	} else if (d->stage == DOWNLOAD_TAIL) {
		transit_close(&d->pen.writer);
		if (logseq_pen_end(&d->pen) == -1)
			return (-1);
		logseq_gzip_row(&d->out, 1, buf_bytes(&d->pen.content),
		    BYTES_NONE);
	} else if (download_root(d) == -1)
		return (-1);
	if (++d->stage < DOWNLOAD_END)
		download_stage_begin(d);
	else
		logseq_submit(d->web, &out);
	return (0);
}

static int
download_entry(struct download *d, const struct entry *e)
{
	struct logseq_datom datom;

	if (d->stage == DOWNLOAD_SCHEMA)
		return (download_attr(d, e));
	if (d->stage == DOWNLOAD_TAIL)
		return (logseq_datom_unpack(e->body, &datom) == -1
			? -1
			: download_change(d, &datom));
	return (logseq_datom_of_reg(e->key, e->body, &datom) == -1
		? -1
		: download_datom(d, &datom));
}

static int
download_datom(struct download *d, struct logseq_datom *datom)
{
	buf_clear(&d->name);
	if (logseq_attr_name(&d->name, datom->a) == -1)
		return (-1);
	datom->a = buf_bytes(&d->name);
	datom->op = LOGSEQ_OP_ADD;
	logseq_tree_add(&d->tree[d->stage], datom);
	return (d->tree[d->stage].failed ? -1 : 0);
}

/* Each in a list of its own, as if it were a transaction. */
static int
download_change(struct download *d, const struct logseq_datom *datom)
{
	int r;

	if (datom->e > d->root.max_eid)
		d->root.max_eid = datom->e;
	if (datom->tx > d->root.max_tx)
		d->root.max_tx = datom->tx;
	transit_open(&d->pen.writer, TRANSIT_ARRAY);
	r = logseq_pen_datom(&d->pen, datom);
	transit_close(&d->pen.writer);
	return (r);
}

static int
download_attr(struct download *d, const struct entry *e)
{
	buf_clear(&d->name);
	if (logseq_attr_name(&d->name, bytes_skip(e->key, LOGSEQ_PREFIX_LEN)) ==
	    -1)
		return (-1);
	return (logseq_root_attr(&d->root, buf_bytes(&d->name), e->body));
}

static int
download_root(struct download *d)
{
	d->root.max_addr = d->sink.addr;
	d->root.eavt = &d->tree[DOWNLOAD_EAVT];
	d->root.aevt = &d->tree[DOWNLOAD_AEVT];
	d->root.avet = &d->tree[DOWNLOAD_AVET];
	if (logseq_root_write(&d->root, &d->pen) == -1)
		return (-1);
	logseq_gzip_row(&d->out, 0, buf_bytes(&d->pen.content), BYTES_NONE);
	return (0);
}

static void
download_fail(struct download *d, const char *why)
{
	log_info("%s: download cut off: %s", conn_peer(d->web->conn), why);
	logseq_end(d->web, 1);
}
