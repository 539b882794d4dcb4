/*
 * Changes of one entry, so that they can be taken back, seen to be none, and
 * told to whoever is downloading.
 */
#include <stdlib.h>

#include "broker/logseq_graph.h"

#define JOURNAL_MIN 64

static void journal_forget_names(struct graph *);
static void journal_note(struct graph *, int added, uint64_t e,
    struct graph_attr *, const struct logseq_value *, uint64_t tx);
static int journal_room(struct graph_journal *);
static void journal_clear(struct graph *);
static struct logseq_value journal_value(const struct graph *,
    const struct graph_change *);
static void journal_key(struct buf *, const struct graph *,
    const struct graph_change *);

void
graph_add(struct graph *g, uint64_t e, struct graph_attr *a,
    const struct logseq_value *v)
{
	graph_sum_touch(g, e, a, v);
	if (graph_put_new(g, e, a, v, g->tx) == 1)
		journal_note(g, 1, e, a, v, g->tx);
}

void
graph_remove(struct graph *g, uint64_t e, struct graph_attr *a,
    const struct logseq_value *v)
{
	uint64_t tx;

	if ((a->flags & LOGSEQ_FLAG_UNIQUE) != 0 || graph_attr_teaches(a))
		journal_forget_names(g);
	graph_sum_touch(g, e, a, v);
	if (graph_del(g, e, a, v, &tx) == 1)
		journal_note(g, 0, e, a, v, tx);
}

static struct logseq_value
journal_value(const struct graph *g, const struct graph_change *c)
{
	struct logseq_value v = { LOGSEQ_NULL, BYTES_NONE };

	logseq_value_unpack(bytes_of(buf_bytes(&g->journal.values).p + c->at,
				c->n),
	    &v);
	return (v);
}

void
graph_entry_begin(struct graph *g)
{
	g->tx = g->c->max_tx + 1;
	g->fresh = g->c->max_eid + 1;
	map_clear(&g->written);
	journal_forget_names(g);
}

/* What came and went again was no change. */
int
graph_changed(struct graph *g)
{
	struct map net = { 0 };
	struct buf key = BUF_INIT;
	uint64_t *count;
	size_t i;
	int fresh, changed = 0;

	for (i = 0; i < g->journal.n; i++) {
		journal_key(&key, g, &g->journal.c[i]);
		graph_rest(g, key.len);
		if ((count = map_at(&net, buf_bytes(&key), &fresh)) == NULL ||
		    key.failed) {
			g->t->failed = 1;
			break;
		}
		*count += g->journal.c[i].added ? 1 : UINT64_MAX;
	}
	for (i = 0; i < net.cap && !changed; i++)
		changed =
		    map_row(&net, i) != NULL && map_row(&net, i)->value != 0;
	buf_free(&key);
	map_free(&net);
	return (changed);
}

void
graph_undo(struct graph *g, const struct graph_content *was)
{
	struct graph_change *c;
	struct logseq_value v;
	uint64_t tx;
	size_t i;

	graph_sum_forget(g);
	for (i = g->journal.n; i-- > 0;) {
		c = &g->journal.c[i];
		v = journal_value(g, c);
		if (c->added)
			graph_del(g, c->e, c->a, &v, &tx);
		else
			graph_put_new(g, c->e, c->a, &v, c->tx);
	}
	*g->c = *was;
	journal_forget_names(g);
	journal_clear(g);
}

void
graph_keep_changes(struct graph *g)
{
	struct buf packed = BUF_INIT;
	struct graph_change *c;
	struct logseq_datom d;
	uint8_t number[8];
	size_t i;

	for (i = 0; i < g->journal.n && g->m.pins > 0; i++) {
		c = &g->journal.c[i];
		d = (struct logseq_datom){ c->added ? LOGSEQ_OP_ADD
						    : LOGSEQ_OP_RETRACT,
			c->e, buf_bytes(&c->a->name), journal_value(g, c),
			g->tx };
		buf_clear(&packed);
		if (logseq_datom_pack(&packed, &d) == -1)
			g->t->failed = 1;
		be64_put(number, ++g->m.change);
		graph_reg_put(g, LOGSEQ_REG_CHANGE, g->c->gen,
		    bytes_of(number, sizeof(number)), buf_bytes(&packed));
	}
	buf_free(&packed);
	journal_clear(g);
}

static void
journal_note(struct graph *g, int added, uint64_t e, struct graph_attr *a,
    const struct logseq_value *v, uint64_t tx)
{
	struct graph_journal *j = &g->journal;
	size_t at = j->values.len;

	if (journal_room(j) == -1 || logseq_value_pack(&j->values, v) == -1) {
		g->t->failed = 1;
		return;
	}
	j->c[j->n++] =
	    (struct graph_change){ added, e, a, tx, at, j->values.len - at };
}

static int
journal_room(struct graph_journal *j)
{
	size_t cap = j->cap == 0 ? JOURNAL_MIN : j->cap * 2;
	struct graph_change *c;

	if (j->n < j->cap)
		return (0);
	if ((c = realloc(j->c, cap * sizeof(*c))) == NULL)
		return (-1);
	j->c = c;
	j->cap = cap;
	return (0);
}

static void
journal_clear(struct graph *g)
{
	g->journal.n = 0;
	buf_clear(&g->journal.values);
}

static void
journal_key(struct buf *key, const struct graph *g,
    const struct graph_change *c)
{
	buf_clear(key);
	buf_add_be64(key, c->e);
	buf_add_bytes(key, buf_bytes(&c->a->key));
	buf_add(key, buf_bytes(&g->journal.values).p + c->at, c->n);
}

static void
journal_forget_names(struct graph *g)
{
	map_clear(&g->found[0]);
	map_clear(&g->found[1]);
}
