/* tx/batch: what comes in as JSON, what goes out. */
#include "worker/logseq_items.h"
#include "worker/logseq_tx.h"

/* Reasons of a tx/reject, and whether t is told. */
struct tx_reject {
	enum logseq_result result;
	const char *reason;
	const char *seed; /* what a client of the seed's date is told */
	int t;
};

static const struct tx_reject tx_rejects[] = {
	{ LOGSEQ_STALE, "stale", "stale", 1 },
	{ LOGSEQ_EMPTY, "empty tx data", "empty tx data", 0 },
	{ LOGSEQ_UPLOADING, "snapshot upload in progress", "invalid tx", 1 },
	{ LOGSEQ_FAILED, "db transact failed", "invalid tx", 1 },
	{ LOGSEQ_FAILED_SEED, "invalid tx", "invalid tx", 0 },
	{ LOGSEQ_CYCLE, "cycle", "cycle", 0 },
};

static enum logseq_tx_shape tx_entries(struct logseq_tx *,
    struct logseq_items *, const struct json *txs);
static int tx_entry(struct logseq_tx *, struct logseq_items *,
    const struct json *);
static int tx_members(const struct json *, struct logseq_entry *,
    struct json *text, char id[LOGSEQ_UUID_LEN]);
static int tx_uuid(const struct json *, char id[LOGSEQ_UUID_LEN]);
static int tx_add(struct logseq_tx *, struct logseq_items *,
    struct logseq_entry *, const struct json *text);
static void tx_strings(struct buf *, const char *name, struct bytes list);
static void tx_string(struct buf *, const char *name, struct bytes);

enum logseq_tx_shape
logseq_tx_read(struct logseq_tx *tx, const struct json *message)
{
	struct logseq_items *items;
	enum logseq_tx_shape shape;
	struct json before, txs, revision;
	int64_t t;

	memset(tx, 0, sizeof(*tx));
	json_find(message, "t-before", &before);
	json_find(message, "txs", &txs);
	json_find(message, "client-revision", &revision);
	if (json_safe_int(&before, &t) == -1 ||
	    (txs.type != JSON_ARRAY && txs.type != JSON_STRING) ||
	    (revision.type != JSON_NONE && revision.type != JSON_STRING &&
		revision.type != JSON_NULL))
		return (LOGSEQ_TX_SHAPE);
	tx->t_before = (uint64_t)t;
	if ((items = logseq_items_new()) == NULL)
		return (LOGSEQ_TX_MEMORY);
	shape = tx_entries(tx, items, &txs);
	logseq_items_free(items);
	if (shape == LOGSEQ_TX_OK && t < 0)
		return (LOGSEQ_TX_NEGATIVE);
	return (shape);
}

void
logseq_tx_free(struct logseq_tx *tx)
{
	buf_free(&tx->items);
	buf_free(&tx->body);
}

void
logseq_tx_submit(struct logseq_web *w, const struct logseq_tx *tx, uint32_t tag)
{
	struct submit_out out = { .tag = tag,
		.verb = LOGSEQ_TX,
		.clock = tx->t_before,
		.items = buf_bytes(&tx->items),
		.body = buf_bytes(&tx->body) };

	logseq_submit(w, &out);
}

void
logseq_tx_reply(struct buf *out, const struct logseq_outcome *o, int seed)
{
	const struct tx_reject *r = tx_rejects;

	if (o->result == LOGSEQ_DONE) {
		buf_printf(out, "{\"type\":\"tx/batch/ok\",\"t\":%llu",
		    (unsigned long long)o->t);
		logseq_tx_sum(out, o->sum);
		buf_add_u8(out, '}');
		return;
	}
	while (r->result != o->result &&
	    r < tx_rejects + sizeof(tx_rejects) / sizeof(*tx_rejects) - 1)
		r++;
	buf_printf(out, "{\"type\":\"tx/reject\",\"reason\":\"%s\"",
	    seed ? r->seed : r->reason);
	if (r->t)
		buf_printf(out, ",\"t\":%llu", (unsigned long long)o->t);
	if (r->result == LOGSEQ_FAILED && !seed) {
		tx_strings(out, "success-tx-ids", o->done_ids);
		tx_string(out, "failed-tx-id", o->failed_id);
		tx_strings(out, "missing-block-uuids", o->missing);
		logseq_tx_sum(out, o->sum);
	}
	tx_string(out, "data", o->data);
	buf_add_u8(out, '}');
}

void
logseq_tx_negative(struct buf *out)
{
	buf_add_str(out,
	    "{\"type\":\"tx/reject\",\"reason\":\"invalid t-before\"}");
}

void
logseq_tx_sum(struct buf *out, struct bytes sum)
{
	tx_string(out, "checksum", sum);
}

/* A list of maps, a list of strings, or once upon a time a string. */
static enum logseq_tx_shape
tx_entries(struct logseq_tx *tx, struct logseq_items *items,
    const struct json *txs)
{
	struct json_iter it;
	struct json entry;
	unsigned n = 0;

	if (txs->type == JSON_STRING) {
		if (tx_entry(tx, items, txs) == -1)
			return (LOGSEQ_TX_SHAPE);
	}
	for (json_iter_init(&it, txs); json_iter_next(&it, NULL, &entry);)
		if (++n > LOGSEQ_ENTRIES_MAX ||
		    tx_entry(tx, items, &entry) == -1)
			return (LOGSEQ_TX_SHAPE);
	return (tx->items.failed || tx->body.failed ? LOGSEQ_TX_MEMORY
						    : LOGSEQ_TX_OK);
}

static int
tx_entry(struct logseq_tx *tx, struct logseq_items *items,
    const struct json *entry)
{
	struct logseq_entry e = { .op_json = BYTES_LIT("null") };
	char id[LOGSEQ_UUID_LEN];
	struct buf op = BUF_INIT;
	struct json text = *entry;
	int rc = -1;

	if (entry->type == JSON_STRING)
		e.seed = tx->seed = 1;
	else if (entry->type != JSON_OBJECT ||
	    tx_members(entry, &e, &text, id) == -1)
		return (-1);
	if (e.op_json.p[0] == '"' &&
	    json_raw_append(&op, bytes_of(e.op_json.p + 1, e.op_json.n - 2)) ==
		-1)
		goto out;
	e.op = buf_bytes(&op);
	if (e.op.n <= LOGSEQ_OP_MAX)
		rc = tx_add(tx, items, &e, &text);
out:
	buf_free(&op);
	return (rc);
}

/* {"tx":text,"tx-id"?:uuid,"outliner-op"?:text or null} */
static int
tx_members(const struct json *entry, struct logseq_entry *e, struct json *text,
    char id[LOGSEQ_UUID_LEN])
{
	static const char *const names[] = { "tx", "tx-id", "outliner-op" };
	struct json v[3];

	json_find_all(entry, names, v, 3);
	*text = v[0];
	if (v[0].type != JSON_STRING)
		return (-1);
	if (v[1].type != JSON_NONE) {
		if (tx_uuid(&v[1], id) == -1)
			return (-1);
		e->tx_id = bytes_of(id, LOGSEQ_UUID_LEN);
	}
	if (v[2].type == JSON_STRING)
		e->op_json = v[2].text;
	return (v[2].type == JSON_STRING || v[2].type == JSON_NULL ||
		    v[2].type == JSON_NONE
		? 0
		: -1);
}

static int
tx_uuid(const struct json *v, char id[LOGSEQ_UUID_LEN])
{
	uint8_t text[LOGSEQ_UUID_LEN];

	if (v->type != JSON_STRING ||
	    json_raw_decode(text, sizeof(text), json_raw(v)) != LOGSEQ_UUID_LEN)
		return (-1);
	return (transit_uuid(id, bytes_of(text, sizeof(text))));
}

/* What is no transaction fails in its turn, not before the ones before it. */
static int
tx_add(struct logseq_tx *tx, struct logseq_items *items, struct logseq_entry *e,
    const struct json *text)
{
	struct buf plain = BUF_INIT, list = BUF_INIT, packed = BUF_INIT;
	struct bytes raw = json_raw(text);

	if (!json_raw_plain(raw)) {
		json_raw_append(&plain, raw);
		raw = buf_bytes(&plain);
	}
	if (logseq_items_read(items, raw, &list) == -1) {
		e->broken = 1;
		buf_clear(&list);
	}
	e->items = buf_bytes(&list);
	e->text = text->text.n;
	logseq_entry_pack(&packed, e);
	if (plain.failed || list.failed || packed.failed)
		tx->items.failed = 1;
	list_add(&tx->items, buf_bytes(&packed));
	buf_add_bytes(&tx->body, text->text);
	buf_free(&plain);
	buf_free(&list);
	buf_free(&packed);
	return (0);
}

/* ,"name":["…",…] unless there are none */
static void
tx_strings(struct buf *out, const char *name, struct bytes list)
{
	struct bytes s;
	char mark = '[';

	if (list.n == 0)
		return;
	buf_printf(out, ",\"%s\":", name);
	for (; list_next(&list, &s) == 1; mark = ',') {
		buf_add_u8(out, (uint8_t)mark);
		json_quote(out, s);
	}
	buf_add_u8(out, ']');
}

static void
tx_string(struct buf *out, const char *name, struct bytes s)
{
	if (s.n == 0)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_quote(out, s);
}
