/*
 * The transaction handle itself: finding the document, plain registers, and
 * what is queued for after the commit.  The document's row is in txn_row.c, the
 * log in txn_log.c, stamped registers in txn_field.c, blobs in txn_blob.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/log.h"
#include "broker/txn_key.h"

struct reg_scan {
	txn_each_reg *each;
	void *arg;
};

static int txn_reg_size(struct txn *, uint64_t *);
static kv_each txn_reg_each;
static struct effect *txn_effect_new(const struct publish *);
static void txn_effect_add(struct txn *, struct effect *);

void
txn_init(struct txn *tx, struct kv *kv, const struct doc_id *name)
{
	memset(tx, 0, sizeof(*tx));
	tx->kv = kv;
	tx->name = *name;
	tx->effects_end = &tx->effects;
}

void
txn_done(struct txn *tx)
{
	effect_free(tx->effects);
	tx->effects = NULL;
	tx->effects_end = &tx->effects;
	buf_free(&tx->info);
	buf_free(&tx->tmp);
	buf_free(&tx->key);
	buf_free(&tx->pack);
}

int
txn_load(struct txn *tx)
{
	tx->doc = 0;
	tx->seq = 0;
	tx->row_dirty = 0;
	memset(&tx->row, 0, sizeof(tx->row));
	return (txn_row_load(tx));
}

int
txn_create(struct txn *tx)
{
	if (tx->doc != 0)
		return (0);
	if (txn_counter(tx, 0, BYTES_LIT("doc"), &tx->doc) == -1)
		return (-1);
	return (txn_row_touch(tx));
}

int
txn_other(struct txn *tx, struct txn *other, unsigned int room,
    struct bytes name)
{
	struct doc_id id = { tx->name.dialect, room, name };

	txn_init(other, tx->kv, &id);
	other->now_ms = tx->now_ms;
	other->who = tx->who;
	other->conf = tx->conf;
	other->parent = tx;
	if (tx->settle != NULL && tx->settle(tx->settle_arg, &id) == -1)
		return (txn_fail(tx));
	return (txn_load(other) == -1 ? -1 : 0);
}

int
txn_reg_get(struct txn *tx, struct bytes key, struct buf *val)
{
	int r;

	buf_clear(val);
	if (tx->doc == 0)
		return (0);
	key_reg(&tx->key, tx->doc, KEY_PLAIN, key);
	if (tx->key.failed)
		return (txn_fail(tx));
	r = tx->kv->ops->get(tx->kv, KV_REG, buf_bytes(&tx->key), val);
	return (r == -1 ? txn_fail(tx) : r);
}

int
txn_reg_put(struct txn *tx, struct bytes key, struct bytes val)
{
	uint64_t old;

	if (txn_create(tx) == -1)
		return (-1);
	key_reg(&tx->key, tx->doc, KEY_PLAIN, key);
	if (tx->key.failed || txn_reg_size(tx, &old) == -1 ||
	    tx->kv->ops->put(tx->kv, KV_REG, buf_bytes(&tx->key), val) == -1)
		return (txn_fail(tx));
	return (txn_row_count(tx, tx->key.len + val.n + KEY_COST_BYTES, old));
}

int
txn_reg_put_new(struct txn *tx, struct bytes key, struct bytes val)
{
	if (txn_create(tx) == -1)
		return (-1);
	key_reg(&tx->key, tx->doc, KEY_PLAIN, key);
	if (tx->key.failed ||
	    tx->kv->ops->put(tx->kv, KV_REG, buf_bytes(&tx->key), val) == -1)
		return (txn_fail(tx));
	return (txn_row_count(tx, tx->key.len + val.n + KEY_COST_BYTES, 0));
}

int
txn_reg_del(struct txn *tx, struct bytes key)
{
	uint64_t old;

	if (tx->doc == 0)
		return (0);
	key_reg(&tx->key, tx->doc, KEY_PLAIN, key);
	if (tx->key.failed || txn_reg_size(tx, &old) == -1)
		return (txn_fail(tx));
	if (old == 0)
		return (0);
	if (tx->kv->ops->del(tx->kv, KV_REG, buf_bytes(&tx->key)) == -1)
		return (txn_fail(tx));
	return (txn_row_count(tx, 0, old));
}

int
txn_reg_scan(struct txn *tx, struct bytes prefix, struct bytes from,
    txn_each_reg *each, void *arg)
{
	struct reg_scan s = { each, arg };
	struct buf low = BUF_INIT, high = BUF_INIT;
	int r = -1;

	if (tx->doc == 0)
		return (0);
	key_reg(&high, tx->doc, KEY_PLAIN, prefix);
	if (from.n == 0 || bytes_cmp(from, prefix) < 0)
		key_reg(&low, tx->doc, KEY_PLAIN, prefix);
	else {
		key_reg(&low, tx->doc, KEY_PLAIN, from);
		buf_add_u8(&low, 0); /* the next possible key */
	}
	if (!low.failed && !high.failed) {
		key_after(&high);
		r = tx->kv->ops->scan(tx->kv, KV_REG, buf_bytes(&low),
		    buf_bytes(&high), 0, txn_reg_each, &s);
	}
	buf_free(&low);
	buf_free(&high);
	return (r == -1 ? txn_fail(tx) : r);
}

int
txn_card(struct txn *tx, size_t i, struct txn_card *c)
{
	return (tx->cards == NULL ? -1 : tx->cards(tx->cards_arg, i, c));
}

/* The store pauses a decision in its calls (rule.h), and this is a cheap one.
 */
void
txn_rest(struct txn *tx)
{
	txn_blob_staged(tx, 0);
}

int
txn_publish(struct txn *tx, const struct publish *p)
{
	struct effect *e;

	if (tx->parent != NULL || p->n > PUBLISH_PIECES_MAX)
		return (txn_fail(tx));
	if ((e = txn_effect_new(p)) == NULL)
		return (txn_fail(tx));
	txn_effect_add(tx, e);
	return (0);
}

int
txn_kick(struct txn *tx, struct bytes subject, enum code code)
{
	const struct publish p = { .piece = { subject }, .n = 1 };
	struct effect *e;

	if (tx->parent != NULL || (e = txn_effect_new(&p)) == NULL)
		return (txn_fail(tx));
	e->kick = code;
	txn_effect_add(tx, e);
	return (0);
}

int
txn_info(struct txn *tx, struct bytes words)
{
	if (words.n > INFO_MAX_BYTES - tx->info.len)
		return (txn_fail(tx));
	return (txn_check(tx, buf_add_bytes(&tx->info, words)));
}

void
effect_free(struct effect *e)
{
	struct effect *next;

	for (; e != NULL; e = next) {
		next = e->next;
		buf_free(&e->data);
		free(e);
	}
}

int
txn_fail(struct txn *tx)
{
	for (; tx != NULL; tx = tx->parent)
		tx->failed = 1;
	return (-1);
}

int
txn_check(struct txn *tx, int r)
{
	return (r == 0 ? 0 : txn_fail(tx));
}

int
txn_corrupt(struct txn *tx, const char *what, uint64_t number,
    const char *reason)
{
	log_warnx("doc %llu %s %llu: %s", (unsigned long long)tx->doc, what,
	    (unsigned long long)number, reason);
	errno = EIO;
	return (txn_fail(tx));
}

int
txn_counter(struct txn *tx, uint64_t doc, struct bytes name, uint64_t *v)
{
	uint8_t row[8];
	int r;

	key_reg(&tx->key, doc, KEY_COUNTER, name);
	if (tx->key.failed)
		return (txn_fail(tx));
	r = tx->kv->ops->get(tx->kv, KV_REG, buf_bytes(&tx->key), &tx->pack);
	if (r == -1 || (r == 1 && tx->pack.len != sizeof(row)))
		return (txn_fail(tx));
	*v = (r == 0 ? 0 : be64_get(buf_bytes(&tx->pack).p)) + 1;
	be64_put(row, *v);
	return (txn_check(tx,
	    tx->kv->ops->put(tx->kv, KV_REG, buf_bytes(&tx->key),
		bytes_of(row, sizeof(row)))));
}

void
key_reg(struct buf *b, uint64_t doc, char type, struct bytes name)
{
	buf_clear(b);
	buf_add_be64(b, doc);
	buf_add_u8(b, (uint8_t)type);
	buf_add_bytes(b, name);
}

void
key_stamp(struct buf *b, uint64_t doc, uint64_t stamp, struct bytes name)
{
	buf_clear(b);
	buf_add_be64(b, doc);
	buf_add_be64(b, stamp);
	buf_add_bytes(b, name);
}

/* Ends at the latest at the type, which is no 0xff. */
void
key_after(struct buf *b)
{
	uint8_t *p = b->mem + b->off;

	while (b->len > 0 && p[b->len - 1] == 0xff)
		b->len--;
	if (b->len > 0)
		p[b->len - 1]++;
}

/* What the register in tx->key costs; val may be in the handle's tmp. */
static int
txn_reg_size(struct txn *tx, uint64_t *size)
{
	int r;

	r = tx->kv->ops->get(tx->kv, KV_REG, buf_bytes(&tx->key), &tx->pack);
	*size = r == 1 ? tx->key.len + tx->pack.len + KEY_COST_BYTES : 0;
	return (r == -1 ? -1 : 0);
}

static int
txn_reg_each(struct bytes key, struct bytes val, void *arg)
{
	struct reg_scan *s = arg;

	return (s->each(bytes_skip(key, KEY_REG_HEAD_BYTES), val, s->arg));
}

static struct effect *
txn_effect_new(const struct publish *p)
{
	struct effect *e;
	size_t i;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return (NULL);
	for (i = 0; i < p->n; i++)
		buf_add_bytes(&e->data, p->piece[i]);
	if (e->data.failed) {
		effect_free(e);
		return (NULL);
	}
	e->p = *p;
	e->p.piece[0] = buf_bytes(&e->data);
	e->p.n = 1;
	return (e);
}

static void
txn_effect_add(struct txn *tx, struct effect *e)
{
	e->origin = tx->who.session;
	*tx->effects_end = e;
	tx->effects_end = &e->next;
}
