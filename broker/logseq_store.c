/*
 * Datoms in registers: one put or taken away in all orders at once, looked up,
 * gathered.  Nothing is remembered here of what was before, see
 * logseq_journal.c.
 */
#include "broker/logseq_graph.h"
#include "common/wire.h"

#define STORE_REST_BYTES ((size_t)128 * 1024)
#define INDEXED		 (LOGSEQ_FLAG_REF | LOGSEQ_FLAG_INDEX | LOGSEQ_FLAG_UNIQUE)

struct store_gather {
	struct graph *g;
	struct buf *out;
	size_t skip; /* octets of the key before what is wanted */
	int found;
	uint64_t e;
};

static void store_reg(struct graph *, char kind, uint64_t gen);
static void store_key(struct graph *, char kind, uint64_t e,
    const struct graph_attr *);
static void store_keys(struct graph *, uint64_t e, const struct graph_attr *,
    const struct logseq_value *, struct bytes val, int put);
static void store_write(struct graph *, struct bytes val, int put);
static int store_tired(struct graph *);
static txn_each_reg store_first, store_owner, store_datom, store_eid;

int
graph_put(struct graph *g, uint64_t e, struct graph_attr *a,
    const struct logseq_value *v, uint64_t tx)
{
	int has = graph_has(g, e, a, v);

	if (has != 0)
		return (has == 1 ? 0 : -1);
	return (graph_put_new(g, e, a, v, tx));
}

int
graph_put_new(struct graph *g, uint64_t e, struct graph_attr *a,
    const struct logseq_value *v, uint64_t tx)
{
	struct buf val = BUF_INIT;

	buf_add_be64(&val, tx);
	if (logseq_value_pack(&val, v) == -1)
		g->t->failed = 1;
	store_keys(g, e, a, v, buf_bytes(&val), 1);
	buf_free(&val);
	g->c->datoms++;
	g->c->indexed += (a->flags & INDEXED) != 0;
	if (g->c->max_eid < e)
		g->c->max_eid = e;
	if (graph_attr_teaches(a))
		graph_attr_learn(g, e, a, v);
	return (g->t->failed ? -1 : 1);
}

int
graph_del(struct graph *g, uint64_t e, struct graph_attr *a,
    const struct logseq_value *v, uint64_t *tx)
{
	int has = graph_has(g, e, a, v);

	if (has != 1)
		return (has);
	*tx = g->val.len < 8 ? 0 : be64_get(buf_bytes(&g->val).p);
	store_keys(g, e, a, v, BYTES_NONE, 0);
	g->c->datoms--;
	g->c->indexed -= (a->flags & INDEXED) != 0 && g->c->indexed > 0;
	if (graph_attr_teaches(a))
		graph_attr_learn(g, e, a, v);
	return (g->t->failed ? -1 : 1);
}

int
graph_has(struct graph *g, uint64_t e, struct graph_attr *a,
    const struct logseq_value *v)
{
	store_key(g, LOGSEQ_REG_EAVT, e, a);
	logseq_sort_key(&g->key, v);
	return (txn_reg_get(g->t, buf_bytes(&g->key), &g->val));
}

int
graph_get(struct graph *g, uint64_t e, struct graph_attr *a, struct buf *val,
    struct logseq_value *v)
{
	struct store_gather s = { .g = g, .out = val };

	buf_clear(val);
	if (a == NULL)
		return (-1);
	store_key(g, LOGSEQ_REG_EAVT, e, a);
	if (txn_reg_scan(g->t, buf_bytes(&g->key), BYTES_NONE, store_first,
		&s) == -1)
		return (-1);
	if (!s.found)
		return (0);
	return (logseq_value_unpack(buf_bytes(val), v) == 0 ? 1 : -1);
}

void
graph_rest(struct graph *g, size_t octets)
{
	if ((g->busy += octets) < STORE_REST_BYTES)
		return;
	g->busy = 0;
	txn_rest(g->t);
}

int
graph_owner(struct graph *g, struct graph_attr *a, const struct logseq_value *v,
    uint64_t *e)
{
	struct store_gather s = { .g = g };

	if (a == NULL)
		return (-1);
	store_reg(g, LOGSEQ_REG_AVET, g->c->gen);
	buf_add_bytes(&g->key, buf_bytes(&a->key));
	logseq_sort_key(&g->key, v);
	s.skip = g->key.len;
	buf_add_be32(&g->key, 0); /* entities are small: no longer value */
	if (txn_reg_scan(g->t, buf_bytes(&g->key), BYTES_NONE, store_owner,
		&s) == -1)
		return (-1);
	*e = s.e;
	return (s.found);
}

int
graph_datoms(struct graph *g, uint64_t e, struct graph_attr *a,
    struct buf *list)
{
	struct store_gather s = { .g = g, .out = list };

	store_key(g, LOGSEQ_REG_EAVT, e, a);
	if (txn_reg_scan(g->t, buf_bytes(&g->key), BYTES_NONE, store_datom,
		&s) == -1 ||
	    list->failed)
		g->t->failed = 1;
	return (g->t->failed ? -1 : 0);
}

int
graph_referrers(struct graph *g, uint64_t e, struct graph_attr *a,
    struct buf *eids)
{
	struct store_gather s = { .g = g, .out = eids };

	store_key(g, LOGSEQ_REG_REV, e, a);
	if (txn_reg_scan(g->t, buf_bytes(&g->key), BYTES_NONE, store_eid, &s) ==
		-1 ||
	    eids->failed)
		g->t->failed = 1;
	return (g->t->failed ? -1 : 0);
}

int
graph_references(struct graph *g, uint64_t e, struct buf *list)
{
	struct buf keys = BUF_INIT, packed = BUF_INIT;
	struct store_gather s = { .g = g, .out = &keys, .skip = 1 };
	struct logseq_datom d = { .op = LOGSEQ_OP_ADD };
	struct bytes rest, key;
	uint8_t target[8];

	be64_put(target, e);
	d.v = VALUE_OF(LOGSEQ_REF, bytes_of(target, sizeof(target)));
	store_key(g, LOGSEQ_REG_REV, e, NULL);
	if (txn_reg_scan(g->t, buf_bytes(&g->key), BYTES_NONE, store_eid, &s) ==
	    -1)
		g->t->failed = 1;
	for (rest = buf_bytes(&keys); list_next(&rest, &key) == 1;) {
		d.e = be64_get(key.p + key.n - 8);
		d.a = bytes_of(key.p, key.n - 8);
		buf_clear(&packed);
		logseq_datom_pack(&packed, &d);
		list_add(list, buf_bytes(&packed));
	}
	if (keys.failed || packed.failed || list->failed)
		g->t->failed = 1;
	buf_free(&keys);
	buf_free(&packed);
	return (g->t->failed ? -1 : 0);
}

int
graph_reg_get(struct graph *g, char kind, uint64_t gen, struct bytes key,
    struct buf *val)
{
	store_reg(g, kind, gen);
	buf_add_bytes(&g->key, key);
	return (txn_reg_get(g->t, buf_bytes(&g->key), val));
}

int
graph_reg_put(struct graph *g, char kind, uint64_t gen, struct bytes key,
    struct bytes val)
{
	store_reg(g, kind, gen);
	buf_add_bytes(&g->key, key);
	return (txn_reg_put(g->t, buf_bytes(&g->key), val));
}

int
graph_reg_del(struct graph *g, char kind, uint64_t gen, struct bytes key)
{
	store_reg(g, kind, gen);
	buf_add_bytes(&g->key, key);
	return (txn_reg_del(g->t, buf_bytes(&g->key)));
}

/* The scratch key is the beginning of a register's. */
static void
store_reg(struct graph *g, char kind, uint64_t gen)
{
	uint8_t prefix[LOGSEQ_PREFIX_LEN];

	logseq_prefix(prefix, kind, gen);
	buf_clear(&g->key);
	buf_add(&g->key, prefix, sizeof(prefix));
}

static void
store_key(struct graph *g, char kind, uint64_t e, const struct graph_attr *a)
{
	store_reg(g, kind, g->c->gen);
	buf_add_be64(&g->key, e);
	if (a != NULL)
		buf_add_bytes(&g->key, buf_bytes(&a->key));
}

/* An attribute may have become an index since: AVET is cleared of all. */
static void
store_keys(struct graph *g, uint64_t e, const struct graph_attr *a,
    const struct logseq_value *v, struct bytes val, int put)
{
	buf_clear(&g->sort);
	logseq_sort_key(&g->sort, v);
	store_key(g, LOGSEQ_REG_EAVT, e, a);
	buf_add_bytes(&g->key, buf_bytes(&g->sort));
	store_write(g, val, put);
	store_reg(g, LOGSEQ_REG_AEVT, g->c->gen);
	buf_add_bytes(&g->key, buf_bytes(&a->key));
	buf_add_be64(&g->key, e);
	buf_add_bytes(&g->key, buf_bytes(&g->sort));
	store_write(g, val, put);
	if (!put || (a->flags & INDEXED) != 0) {
		store_reg(g, LOGSEQ_REG_AVET, g->c->gen);
		buf_add_bytes(&g->key, buf_bytes(&a->key));
		buf_add_bytes(&g->key, buf_bytes(&g->sort));
		buf_add_be64(&g->key, e);
		store_write(g, val, put);
	}
	if (v->type == LOGSEQ_REF) {
		store_key(g, LOGSEQ_REG_REV, be64_get(v->b.p), a);
		buf_add_be64(&g->key, e);
		store_write(g, BYTES_NONE, put);
	}
}

static void
store_write(struct graph *g, struct bytes val, int put)
{
	if (g->key.failed)
		g->t->failed = 1;
	if (put)
		txn_reg_put_new(g->t, buf_bytes(&g->key), val);
	else
		txn_reg_del(g->t, buf_bytes(&g->key));
}

static int
store_first(struct bytes key, struct bytes val, void *arg)
{
	struct store_gather *s = arg;

	(void)key;
	s->found = 1;
	if (s->out != NULL && buf_add_bytes(s->out, bytes_skip(val, 8)) == -1)
		return (-1);
	return (1);
}

static int
store_owner(struct bytes key, struct bytes val, void *arg)
{
	struct store_gather *s = arg;

	(void)val;
	if (key.n != s->skip + 8)
		return (0);
	s->found = 1;
	s->e = be64_get(key.p + s->skip);
	return (1);
}

/* Whoever set the bound looks at it in the end, and takes all back. */
static int
store_tired(struct graph *g)
{
	return (++g->work > g->work_max && g->work_max != 0);
}

static int
store_datom(struct bytes key, struct bytes val, void *arg)
{
	struct store_gather *s = arg;
	struct buf packed = BUF_INIT;
	struct logseq_datom d;
	int r;

	if (store_tired(s->g))
		return (1);

	if (logseq_datom_of_reg(key, val, &d) == -1)
		return (-1);
	logseq_datom_pack(&packed, &d);
	r = packed.failed ? -1 : list_add(s->out, buf_bytes(&packed));
	buf_free(&packed);
	return (r);
}

/* The source alone, or with skip its attribute and the source as a list. */
static int
store_eid(struct bytes key, struct bytes val, void *arg)
{
	struct store_gather *s = arg;

	(void)val;
	if (store_tired(s->g))
		return (1);
	if (key.n < LOGSEQ_PREFIX_LEN + 16)
		return (-1);
	if (s->skip)
		return (
		    list_add(s->out, bytes_skip(key, LOGSEQ_PREFIX_LEN + 8)));
	return (buf_add(s->out, key.p + key.n - 8, 8));
}
