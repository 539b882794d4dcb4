/* A store as a stream: blobs, log, registers, totals. */
#include <stdlib.h>

#include "broker/export.h"
#include "broker/txn_key.h"

#define EXPORT_STEP_BYTES (256u * 1024u)

struct export
{
	struct kv *kv;
	struct buf name;
	struct txn tx;
	size_t phase;
	struct buf from; /* where the scan of this phase goes on */
	struct buf *out;
	size_t start; /* of this step, in out */
	crypto_generichash_state hash;
};

static int export_begin(struct export *);
static int export_rows(struct export *);
static int export_end(struct export *);
static void export_frame(struct export *, enum export_frame, struct bytes a,
    struct bytes b, struct bytes c);
static kv_each export_blob_each, export_record_each, export_register_each;
static int export_pause(struct export *, struct bytes key);

/* After a beginning, before an end. */
static const struct {
	enum kv_table table;
	kv_each *each;
} export_phases[] = {
	{ KV_BLOB, export_blob_each },
	{ KV_LOG, export_record_each },
	{ KV_REG, export_register_each },
};
#define EXPORT_PHASES (sizeof(export_phases) / sizeof(export_phases[0]))

struct export *
export_new(struct kv *kv, const struct doc_id *id)
{
	struct export *e;
	struct doc_id own = *id;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return (NULL);
	e->kv = kv;
	if (buf_add_bytes(&e->name, id->name) == -1) {
		free(e);
		return (NULL);
	}
	own.name = buf_bytes(&e->name);
	txn_init(&e->tx, kv, &own);
	crypto_generichash_init(&e->hash, NULL, 0, CHAIN_BYTES);
	return (e);
}

int
export_step(struct export *e, struct buf *out)
{
	struct bytes made;
	int r;

	e->out = out;
	e->start = out->len;
	if (e->tx.doc == 0)
		r = export_begin(e);
	else if (e->phase < EXPORT_PHASES)
		r = export_rows(e);
	else
		return (export_end(e));
	made = bytes_skip(buf_bytes(out), e->start);
	if (made.n > 0)
		crypto_generichash_update(&e->hash, made.p, made.n);
	return (out->failed ? -1 : r);
}

void
export_free(struct export *e)
{
	if (e == NULL)
		return;
	txn_done(&e->tx);
	buf_free(&e->name);
	buf_free(&e->from);
	free(e);
}

static int
export_begin(struct export *e)
{
	const char *dialect = dialect_name(e->tx.name.dialect);
	uint8_t room[4];

	if (txn_load(&e->tx) != 1)
		return (-1);
	be32_put(room, e->tx.name.room);
	buf_add_str(e->out, EXPORT_MAGIC);
	export_frame(e, EXPORT_STORE, bytes_of(room, sizeof(room)),
	    bytes_of(dialect, strlen(dialect) + 1), e->tx.name.name);
	return (1);
}

static int
export_rows(struct export *e)
{
	struct buf from = BUF_INIT;
	uint8_t to[8];
	int r = -1;

	if (e->from.len == 0)
		buf_add_be64(&from, e->tx.doc);
	else
		buf_add_bytes(&from, buf_bytes(&e->from));
	be64_put(to, e->tx.doc + 1);
	if (!from.failed)
		r = e->kv->ops->scan(e->kv, export_phases[e->phase].table,
		    buf_bytes(&from), bytes_of(to, sizeof(to)), 0,
		    export_phases[e->phase].each, e);
	buf_free(&from);
	if (r == 0) {
		buf_clear(&e->from);
		e->phase++;
	}
	return (r == -1 ? -1 : 1);
}

static int
export_end(struct export *e)
{
	const uint64_t number[] = { e->tx.seq, e->tx.row.oldest,
		e->tx.row.records, e->tx.row.bytes };
	uint8_t be[sizeof(number)], hash[CHAIN_BYTES];
	struct bytes made;
	size_t i;

	for (i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		be64_put(be + 8 * i, number[i]);
	export_frame(e, EXPORT_TOTALS, bytes_of(be, sizeof(be)),
	    bytes_of(e->tx.row.chain, CHAIN_BYTES), BYTES_NONE);
	made = bytes_skip(buf_bytes(e->out), e->start);
	crypto_generichash_update(&e->hash, made.p, made.n);
	crypto_generichash_final(&e->hash, hash, sizeof(hash));
	export_frame(e, EXPORT_END, bytes_of(hash, sizeof(hash)), BYTES_NONE,
	    BYTES_NONE);
	return (e->out->failed ? -1 : 0);
}

static void
export_frame(struct export *e, enum export_frame type, struct bytes a,
    struct bytes b, struct bytes c)
{
	buf_add_u8(e->out, (uint8_t)type);
	buf_add_be32(e->out, (uint32_t)(a.n + b.n + c.n));
	buf_add_bytes(e->out, a);
	buf_add_bytes(e->out, b);
	buf_add_bytes(e->out, c);
}

/* What is still staged belongs to a session, not to the store. */
static int
export_blob_each(struct bytes key, struct bytes val, void *arg)
{
	struct export *e = arg;
	int staged;

	if (key.n != KEY_PAIR_BYTES + 4)
		return (-1);
	if ((staged = txn_blob_staged(&e->tx, be64_get(key.p + 8))) == -1)
		return (-1);
	if (!staged)
		export_frame(e, EXPORT_BLOB, bytes_skip(key, 8), val,
		    BYTES_NONE);
	return (export_pause(e, key));
}

static int
export_record_each(struct bytes key, struct bytes val, void *arg)
{
	struct export *e = arg;

	if (key.n != KEY_PAIR_BYTES)
		return (-1);
	export_frame(e, EXPORT_RECORD, bytes_skip(key, 8), val, BYTES_NONE);
	return (export_pause(e, key));
}

/* The reader makes digests and indexes anew. */
static int
export_register_each(struct bytes key, struct bytes val, void *arg)
{
	struct export *e = arg;
	uint8_t head[5];

	if (key.n < KEY_REG_HEAD_BYTES)
		return (-1);
	head[0] = key.p[8];
	be32_put(head + 1, (uint32_t)(key.n - KEY_REG_HEAD_BYTES));
	if (head[0] == KEY_PLAIN || head[0] == KEY_FIELD ||
	    head[0] == KEY_COUNTER)
		export_frame(e, EXPORT_REGISTER, bytes_of(head, sizeof(head)),
		    bytes_skip(key, KEY_REG_HEAD_BYTES), val);
	return (export_pause(e, key));
}

static int
export_pause(struct export *e, struct bytes key)
{
	if (e->out->failed)
		return (-1);
	if (e->out->len - e->start < EXPORT_STEP_BYTES)
		return (0);
	buf_clear(&e->from);
	buf_add_bytes(&e->from, key);
	return (buf_add_u8(&e->from, 0) == -1 ? -1 : 1);
}
