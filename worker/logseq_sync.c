/*
 * The routes below /sync, and /health.  What takes more than a word has a file
 * of its own.
 */
#include "worker/logseq_checksum.h"
#include "worker/logseq_download.h"
#include "worker/logseq_pull.h"
#include "worker/logseq_socket.h"
#include "worker/logseq_tx.h"
#include "worker/logseq_upload.h"

#define SYNC_DEPTH 16

static void sync_health(struct logseq_web *);
static void sync_elsewhere(struct logseq_web *);
static void sync_nameless(struct logseq_web *);
static void sync_tx(struct logseq_web *);
static void sync_tx_read(struct logseq_web *, const struct json *);
static void sync_tx_done(struct logseq_web *, const struct verdict_in *);
static void sync_reset(struct logseq_web *);
static void sync_reset_done(struct logseq_web *, const struct verdict_in *);

static const struct logseq_steps sync_health_steps = { .start = sync_health };
static const struct logseq_steps sync_elsewhere_steps = { .start =
							      sync_elsewhere };
static const struct logseq_steps sync_nameless_steps = { .start =
							     sync_nameless };
static const struct logseq_steps sync_tx_steps = { .start = sync_tx,
	.verdict = sync_tx_done };
static const struct logseq_steps sync_reset_steps = { .start = sync_reset,
	.verdict = sync_reset_done };

const struct logseq_route logseq_sync_routes[] = {
	{ "*", "/health", LOGSEQ_AT_NOTHING, &sync_health_steps },
	{ "*", "/sync/", LOGSEQ_AT_NOTHING, &sync_nameless_steps },
	{ "GET", "/sync/:", LOGSEQ_AT_GRAPH, &logseq_socket_steps },
	{ "GET", "/sync/:/health", LOGSEQ_AT_GRAPH, &sync_health_steps },
	{ "GET", "/sync/:/pull", LOGSEQ_AT_GRAPH, &logseq_pull_steps },
	{ "POST", "/sync/:/tx/batch", LOGSEQ_AT_GRAPH, &sync_tx_steps },
	{ "POST", "/sync/:/snapshot/upload", LOGSEQ_AT_GRAPH,
	    &logseq_upload_steps },
	{ "GET", "/sync/:/snapshot/download", LOGSEQ_AT_GRAPH,
	    &logseq_download_steps },
	{ "GET", "/sync/:/snapshot/stream", LOGSEQ_AT_GRAPH,
	    &logseq_stream_steps },
	{ "GET", "/sync/:/checksum/diagnostics", LOGSEQ_AT_GRAPH,
	    &logseq_checksum_steps },
	{ "DELETE", "/sync/:/admin/reset", LOGSEQ_AT_GRAPH, &sync_reset_steps },
	{ "*", "/sync/:/*", LOGSEQ_AT_GRAPH, &sync_elsewhere_steps },
	{ NULL, NULL, LOGSEQ_AT_NOTHING, NULL },
};

static void
sync_health(struct logseq_web *w)
{
	logseq_ok(w);
}

/* Only who may see the graph learns that there is nothing here. */
static void
sync_elsewhere(struct logseq_web *w)
{
	logseq_error(w, 404, "not found");
}

static void
sync_nameless(struct logseq_web *w)
{
	logseq_error(w, 400, "missing graph id");
}

static void
sync_tx(struct logseq_web *w)
{
	struct json_report report;
	struct json message;

	if (!w->state.ready)
		logseq_refuse(w, CODE_NOT_READY);
	else if (w->body.len == 0)
		logseq_error(w, 400, "missing body");
	else if (json_parse(&message, buf_bytes(&w->body), SYNC_DEPTH,
		     &report) == -1)
		logseq_error(w, 400, "invalid tx");
	else
		sync_tx_read(w, &message);
}

static void
sync_tx_read(struct logseq_web *w, const struct json *message)
{
	struct logseq_tx tx;
	struct buf reply = BUF_INIT;

	switch (logseq_tx_read(&tx, message)) {
	case LOGSEQ_TX_SHAPE:
		logseq_error(w, 400, "invalid tx");
		break;
	case LOGSEQ_TX_NEGATIVE:
		logseq_tx_negative(&reply);
		logseq_reply(w, 200, buf_bytes(&reply));
		break;
	case LOGSEQ_TX_MEMORY:
		logseq_refuse(w, CODE_BUSY);
		break;
	case LOGSEQ_TX_OK:
		logseq_tx_submit(w, &tx, (uint32_t)tx.seed);
		buf_free(&w->body);
		break;
	}
	buf_free(&reply);
	logseq_tx_free(&tx);
}

/* A refused transaction is an answer like another: 200. */
static void
sync_tx_done(struct logseq_web *w, const struct verdict_in *v)
{
	struct logseq_outcome o;
	struct buf reply = BUF_INIT;

	if (v->code != CODE_OK)
		logseq_refuse(w, v->code);
	else if (logseq_outcome_unpack(v->info, &o) == -1)
		logseq_refuse(w, CODE_STORAGE);
	else {
		logseq_tx_reply(&reply, &o, v->tag == 1);
		logseq_reply(w, 200, buf_bytes(&reply));
	}
	buf_free(&reply);
}

static void
sync_reset(struct logseq_web *w)
{
	struct submit_out out = { .verb = LOGSEQ_RESET };

	logseq_submit(w, &out);
}

static void
sync_reset_done(struct logseq_web *w, const struct verdict_in *v)
{
	w->litter = v->code == CODE_OK;
	if (v->code != CODE_OK)
		logseq_refuse(w, v->code);
	else
		logseq_ok(w);
}
