/*
 * TX: the entries of a tx/batch one after the other (logseq.md section 4).
 * Each is applied as a whole or not at all; those before one that fails stay.
 * What changed something is a row of the log and moves t by one.
 */
#include "broker/logseq_verbs.h"
#include "common/json.h"
#include "common/limits.h"
#include "common/wire.h"

struct batch {
	struct graph g;
	struct logseq_outcome out;
	struct buf done_ids, missing, data;
	struct buf bodies;  /* read from the blob they came in */
	struct bytes texts; /* what of them is left */
	char sum[LOGSEQ_SUM_LEN + 1];
};

static enum code batch_check(struct batch *, const struct submit *);
static enum code batch_texts(struct batch *, const struct submit *);
static enum code batch_run(struct batch *, const struct submit *);
static int batch_shape(struct txn *, struct bytes items, struct bytes texts);
static int batch_string(struct txn *, struct bytes);
static json_rest batch_rest;
static enum edit_error batch_entry(struct batch *, const struct logseq_entry *,
    struct bytes text);
static enum edit_error batch_edit(struct batch *, struct edit *,
    struct bytes text);
static void batch_failed(struct batch *, const struct logseq_entry *,
    enum edit_error);
static void batch_log(struct batch *, const struct edit *, struct bytes text);
static uint64_t batch_blob(struct txn *, struct bytes *piece, size_t n);
static int batch_id_known(struct graph *, struct bytes id);
static void batch_id_keep(struct graph *, struct bytes id);
static void batch_tell(struct batch *, struct txn *);

enum code
logseq_tx(struct txn *t, const struct submit *s)
{
	struct batch b;
	enum code code;
	uint64_t t_was;

	memset(&b, 0, sizeof(b));
	if (graph_begin(&b.g, t) == -1)
		return (CODE_STORAGE);
	b.g.work_max = LOGSEQ_WORK_MAX;
	t_was = graph_t(&b.g);
	code = batch_check(&b, s);
	if (code == CODE_OK && b.out.result == LOGSEQ_DONE) {
		code = batch_run(&b, s);
		graph_sweep(&b.g, SWEEP_A_LITTLE);
		graph_save(&b.g);
	}
	if (code == CODE_OK && graph_t(&b.g) > t_was)
		logseq_changed(t, graph_t(&b.g));
	if (code == CODE_OK)
		batch_tell(&b, t);
	if (s->body.blob != 0)
		txn_blob_drop(t, s->body.blob);
	code = graph_code(&b.g, code);
	buf_free(&b.done_ids);
	buf_free(&b.missing);
	buf_free(&b.data);
	buf_free(&b.bodies);
	graph_end(&b.g);
	return (code);
}

/* In the order in which clients know the answers. */
static enum code
batch_check(struct batch *b, const struct submit *s)
{
	struct logseq_graph access;

	if (logseq_index_access(b->g.t, &access) != 1)
		return (CODE_NO_SCOPE);
	b->out.result = LOGSEQ_DONE;
	if (graph_uploading(&b->g) || !access.ready)
		b->out.result = LOGSEQ_UPLOADING;
	else if (s->clock != graph_t(&b->g))
		b->out.result = LOGSEQ_STALE;
	else if (s->items.n == 0)
		b->out.result = LOGSEQ_EMPTY;
	return (CODE_OK);
}

static enum code
batch_texts(struct batch *b, const struct submit *s)
{
	b->texts = s->body.b;
	if (s->body.blob != 0) {
		if (txn_blob_read(b->g.t, s->body.blob, 0, (size_t)s->body.size,
			&b->bodies) == -1)
			return (CODE_STORAGE);
		b->texts = buf_bytes(&b->bodies);
	}
	return (
	    batch_shape(b->g.t, s->items, b->texts) ? CODE_OK : CODE_INVALID);
}

static enum code
batch_run(struct batch *b, const struct submit *s)
{
	struct logseq_entry entry;
	struct bytes rest = s->items, packed, text;
	enum edit_error error;
	enum code code;

	if ((code = batch_texts(b, s)) != CODE_OK)
		return (code);
	graph_drop_upload(&b->g); /* it was given up, or we were not here */
	while (list_next(&rest, &packed) == 1 &&
	    logseq_entry_unpack(packed, &entry) == 0) {
		text = bytes_of(b->texts.p, (size_t)entry.text);
		b->texts = bytes_skip(b->texts, text.n);
		if ((error = batch_entry(b, &entry, text)) != EDIT_OK) {
			batch_failed(b, &entry, error);
			break;
		}
		if (entry.tx_id.n > 0)
			list_add(&b->done_ids, entry.tx_id);
	}
	return (CODE_OK);
}

/*
 * Nothing is applied of what the worker did not pack well; and others will read
 * the texts as JSON.
 */
static int
batch_shape(struct txn *t, struct bytes items, struct bytes texts)
{
	struct logseq_entry entry;
	struct bytes packed, rest, item;
	size_t entries = 0, n = 0;
	int r;

	while ((r = list_next(&items, &packed)) == 1) {
		if (logseq_entry_unpack(packed, &entry) == -1 ||
		    entry.text > texts.n || ++entries > LOGSEQ_ENTRIES_MAX ||
		    entry.op.n > LOGSEQ_OP_MAX ||
		    !batch_string(t, bytes_of(texts.p, (size_t)entry.text)) ||
		    (!bytes_eq(entry.op_json, BYTES_LIT("null")) &&
			!batch_string(t, entry.op_json)))
			return (0);
		texts = bytes_skip(texts, (size_t)entry.text);
		for (rest = entry.items; (r = list_next(&rest, &item)) == 1;)
			n++;
		if (r == -1 || n > LOGSEQ_ITEMS_MAX)
			return (0);
	}
	return (r == 0 && texts.n == 0);
}

/* A string in JSON, with its quotes and nothing else. */
static int
batch_string(struct txn *t, struct bytes text)
{
	struct json_report report;
	struct json v;

	return (json_parse_resting(&v, text, 0, &report, batch_rest, t) == 0 &&
	    v.type == JSON_STRING && v.text.n == text.n);
}

static void
batch_rest(void *arg)
{
	txn_rest(arg);
}

static enum edit_error
batch_entry(struct batch *b, const struct logseq_entry *entry,
    struct bytes text)
{
	struct edit e;
	enum edit_error error;

	if (entry->tx_id.n > 0 && batch_id_known(&b->g, entry->tx_id))
		return (EDIT_OK);
	error = edit_read(&e, &b->g, entry);
	if (error == EDIT_OK)
		error = batch_edit(b, &e, text);
	if (error == EDIT_MISSING && e.lenient)
		error = EDIT_OK;
	edit_free(&e);
	return (error);
}

static enum edit_error
batch_edit(struct batch *b, struct edit *e, struct bytes text)
{
	struct graph *g = &b->g;
	struct graph_content was = *g->c;
	struct graph_attr *a = NULL;
	enum edit_error error;

	graph_entry_begin(g);
	edit_clean(e);
	if (e->cleaned)
		edit_text(e);

	error = !e->cleaned || batch_string(g->t, buf_bytes(&e->text))
	    ? edit_apply(e)
	    : EDIT_BAD;
	if (error == EDIT_OK && edit_cycle(e, &a))
		error = EDIT_CYCLE;
	if (error == EDIT_OK)
		graph_sum_settle(g);
	if (g->work > g->work_max)
		error = EDIT_BAD; /* nobody else is served meanwhile */
	if (error != EDIT_OK || !graph_changed(g)) {
		graph_undo(g, &was);
		if (error == EDIT_MISSING)
			edit_missing(e, &b->missing);
		if (error == EDIT_CYCLE && e->in.seed)
			edit_cycle_data(e, a, &b->data);
		return (error);
	}
	g->c->max_tx = g->tx;
	batch_log(b, e, e->cleaned ? buf_bytes(&e->text) : text);
	graph_keep_changes(g);
	return (EDIT_OK);
}

/* Today's clients drop what they do not know: a cycle is a failure to them. */
static void
batch_failed(struct batch *b, const struct logseq_entry *entry,
    enum edit_error error)
{
	if (!entry->seed)
		b->out.result = LOGSEQ_FAILED;
	else if (error == EDIT_CYCLE)
		b->out.result = LOGSEQ_CYCLE;
	else
		b->out.result = LOGSEQ_FAILED_SEED;
	b->out.failed_id = entry->tx_id;
}

static void
batch_log(struct batch *b, const struct edit *e, struct bytes text)
{
	struct txn *t = b->g.t;
	struct bytes piece[] = { BYTES_LIT("\"tx\":"), text,
		BYTES_LIT(",\"outliner-op\":"), e->in.op_json, BYTES_LIT("}") };
	size_t n = sizeof(piece) / sizeof(piece[0]), i;
	uint64_t seq, size = 0;

	for (i = 0; i < n; i++)
		size += piece[i].n;
	if (size > LOGSEQ_LOG_INLINE_MAX)
		txn_append(t, LOGSEQ_KIND_TX, NULL, 0, batch_blob(t, piece, n),
		    size, &seq);
	else
		txn_append(t, LOGSEQ_KIND_TX, piece, n, 0, 0, &seq);
	if (e->in.tx_id.n > 0)
		batch_id_keep(&b->g, e->in.tx_id);
}

/* Slices are full but for the last. */
static uint64_t
batch_blob(struct txn *t, struct bytes *piece, size_t n)
{
	struct buf slice = BUF_INIT;
	struct bytes part;
	uint64_t blob = 0;
	uint32_t number = 0;
	size_t i;

	if (txn_blob_new(t, &blob) == -1)
		return (0);
	for (i = 0; i < n && !slice.failed;) {
		part = piece[i];
		if (part.n > BLOB_SLICE_BYTES - slice.len)
			part.n = BLOB_SLICE_BYTES - slice.len;
		buf_add_bytes(&slice, part);
		piece[i] = bytes_skip(piece[i], part.n);
		i += piece[i].n == 0;
		if (slice.len == BLOB_SLICE_BYTES || i == n) {
			txn_blob_slice(t, blob, number++, buf_bytes(&slice));
			buf_clear(&slice);
		}
	}
	t->failed |= slice.failed;
	buf_free(&slice);
	return (blob);
}

static int
batch_id_known(struct graph *g, struct bytes id)
{
	return (
	    graph_reg_get(g, LOGSEQ_REG_TX_ID, g->c->gen, id, &g->val) == 1);
}

/* The newest LOGSEQ_TX_IDS_MAX are remembered. */
static void
batch_id_keep(struct graph *g, struct bytes id)
{
	struct buf old = BUF_INIT;
	uint8_t number[8];

	be64_put(number, ++g->m.tx_ids);
	graph_reg_put(g, LOGSEQ_REG_TX_ID, g->c->gen, id, BYTES_NONE);
	graph_reg_put(g, LOGSEQ_REG_TX_SEQ, g->c->gen,
	    bytes_of(number, sizeof(number)), id);
	if (g->m.tx_ids > LOGSEQ_TX_IDS_MAX) {
		be64_put(number, g->m.tx_ids - LOGSEQ_TX_IDS_MAX);
		if (graph_reg_get(g, LOGSEQ_REG_TX_SEQ, g->c->gen,
			bytes_of(number, sizeof(number)), &old) == 1) {
			graph_reg_del(g, LOGSEQ_REG_TX_ID, g->c->gen,
			    buf_bytes(&old));
			graph_reg_del(g, LOGSEQ_REG_TX_SEQ, g->c->gen,
			    bytes_of(number, sizeof(number)));
		}
		buf_free(&old);
	}
}

static void
batch_tell(struct batch *b, struct txn *t)
{
	struct buf info = BUF_INIT;

	b->out.t = graph_t(&b->g);
	b->out.sum = graph_sum(&b->g, b->sum);
	b->out.done_ids = buf_bytes(&b->done_ids);
	b->out.missing = buf_bytes(&b->missing);
	b->out.data = buf_bytes(&b->data);
	if (b->done_ids.failed || b->missing.failed || b->data.failed ||
	    logseq_outcome_pack(&info, &b->out) == -1)
		t->failed = 1;
	else
		txn_info(t, buf_bytes(&info));
	buf_free(&info);
}
