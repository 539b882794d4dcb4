/* Trees of datoms, bottom up. */
#include "common/wire.h"
#include "worker/logseq_tree.h"

#define TREE_KEYS  32 /* of a node; more would break path arithmetic */
#define TREE_AHEAD 48 /* then a node is cut off, and 16 stay for the next */

static void tree_push(struct logseq_tree *, unsigned level, struct bytes addr,
    struct bytes datom);
static void tree_cut(struct logseq_tree *, unsigned level, unsigned keys);
static int tree_key(struct logseq_tree *, struct bytes packed);
static int pen_value(struct logseq_pen *, const struct logseq_value *);
static int pen_opaque(struct logseq_pen *, struct bytes text);

void
logseq_tree_init(struct logseq_tree *t, struct logseq_sink *sink,
    struct logseq_pen *pen)
{
	memset(t, 0, sizeof(*t));
	t->sink = sink;
	t->pen = pen;
}

void
logseq_tree_free(struct logseq_tree *t)
{
	unsigned i;

	for (i = 0; i < LOGSEQ_TREE_LEVELS; i++)
		buf_free(&t->level[i].nodes);
}

void
logseq_tree_add(struct logseq_tree *t, const struct logseq_datom *d)
{
	struct buf packed = BUF_INIT;

	t->count++;
	if (logseq_datom_pack(&packed, d) == -1)
		t->failed = 1;
	else
		tree_push(t, 0, BYTES_NONE, buf_bytes(&packed));
	buf_free(&packed);
}

/* The root is the node that is alone in its level. */
int
logseq_tree_end(struct logseq_tree *t)
{
	struct bytes nodes, addr;
	unsigned level = 0, n;

	for (;; level++) {
		n = t->level[level].n;
		if (n > TREE_KEYS) {
			tree_cut(t, level, n / 2);
			n -= n / 2;
		}
		tree_cut(t, level, n);
		if (t->failed)
			return (-1);
		if (t->level[level + 1].n == 1)
			break;
	}
	nodes = buf_bytes(&t->level[level + 1].nodes);
	if (list_next(&nodes, &addr) != 1 || addr.n != 8)
		return (-1);
	t->root = be64_get(addr.p);
	t->shift = level;
	return (0);
}

uint64_t
logseq_tree_rows(uint64_t datoms)
{
	uint64_t n = datoms, nodes, rest, rows = 0;

	do {
		nodes = n < TREE_AHEAD ? 0 : (n - TREE_AHEAD) / TREE_KEYS + 1;
		rest = n - nodes * TREE_KEYS;
		nodes += rest > TREE_KEYS ? 2 : 1;
		rows += nodes;
		n = nodes;
	} while (nodes > 1);
	return (rows);
}

static void
tree_push(struct logseq_tree *t, unsigned level, struct bytes addr,
    struct bytes datom)
{
	if (level == LOGSEQ_TREE_LEVELS - 1 ||
	    list_add(&t->level[level].nodes, addr) == -1 ||
	    list_add(&t->level[level].nodes, datom) == -1)
		t->failed = 1;
	else if (++t->level[level].n == TREE_AHEAD)
		tree_cut(t, level, TREE_KEYS);
}

/* The first keys of a level become a node, and its last key one above. */
static void
tree_cut(struct logseq_tree *t, unsigned level, unsigned keys)
{
	struct bytes rest = buf_bytes(&t->level[level].nodes);
	struct bytes addr, datom = BYTES_NONE;
	struct buf addrs = BUF_INIT;
	size_t all = rest.n;
	uint8_t own[8];
	unsigned i;

	logseq_pen_begin(t->pen);
	transit_open(&t->pen->writer, TRANSIT_MAP);
	transit_write_text(&t->pen->writer, TRANSIT_KEYWORD, BYTES_LIT("keys"));
	transit_open(&t->pen->writer, TRANSIT_ARRAY);
	for (i = 0; i < keys && !t->failed; i++) {
		if (list_next(&rest, &addr) != 1 ||
		    list_next(&rest, &datom) != 1 || tree_key(t, datom) == -1)
			t->failed = 1;
		else if (level > 0)
			buf_printf(&addrs, "%c%llu", i == 0 ? '[' : ',',
			    (unsigned long long)be64_get(addr.p));
	}
	transit_close(&t->pen->writer);
	transit_close(&t->pen->writer);
	if (level > 0)
		buf_add_u8(&addrs, ']');
	if (logseq_pen_end(t->pen) == -1 || addrs.failed || t->failed) {
		t->failed = 1;
		buf_free(&addrs);
		return;
	}
	be64_put(own, ++t->sink->addr);
	t->sink->row(t->sink->arg, t->sink->addr, buf_bytes(&t->pen->content),
	    buf_bytes(&addrs));
	buf_free(&addrs);
	tree_push(t, level + 1, bytes_of(own, sizeof(own)), datom);
	t->level[level].n -= keys;
	buf_drop(&t->level[level].nodes, all - rest.n);
}

static int
tree_key(struct logseq_tree *t, struct bytes packed)
{
	struct logseq_datom d;

	if (logseq_datom_unpack(packed, &d) == -1)
		return (-1);
	return (logseq_pen_datom(t->pen, &d));
}

void
logseq_pen_begin(struct logseq_pen *p)
{
	buf_clear(&p->content);
	transit_writer_init(&p->writer, &p->content, &p->cache);
}

int
logseq_pen_end(struct logseq_pen *p)
{
	return (transit_writer_done(&p->writer));
}

void
logseq_pen_free(struct logseq_pen *p)
{
	buf_free(&p->content);
	transit_cache_free(&p->cache);
}

int
logseq_pen_datom(struct logseq_pen *p, const struct logseq_datom *d)
{
	int64_t tx = (int64_t)d->tx;

	transit_open(&p->writer, TRANSIT_ARRAY);
	transit_write_int(&p->writer, (int64_t)d->e);
	transit_write_text(&p->writer, TRANSIT_KEYWORD, d->a);
	if (pen_value(p, &d->v) == -1)
		return (-1);
	transit_write_int(&p->writer, d->op == LOGSEQ_OP_RETRACT ? -tx : tx);
	transit_close(&p->writer);
	return (0);
}

static int
pen_value(struct logseq_pen *p, const struct logseq_value *v)
{
	struct transit t = { .text = v->b };

	switch (v->type) {
	case LOGSEQ_BOOL:
		t.type = TRANSIT_BOOL;
		t.i = v->b.p[0];
		break;
	case LOGSEQ_INT:
		t.type = TRANSIT_INT;
		t.i = logseq_int_get(v->b);
		break;
	case LOGSEQ_REF:
		t.type = TRANSIT_INT;
		t.i = (int64_t)be64_get(v->b.p);
		break;
	case LOGSEQ_INSTANT:
		t.type = TRANSIT_INSTANT;
		t.i = logseq_int_get(v->b);
		break;
	case LOGSEQ_FLOAT:
		t.type = TRANSIT_FLOAT;
		t.d = logseq_float_get(v->b);
		break;
	case LOGSEQ_KEYWORD:
		t.type = TRANSIT_KEYWORD;
		break;
	case LOGSEQ_UUID:
		t.type = TRANSIT_UUID;
		break;
	case LOGSEQ_STRING:
		t.type = TRANSIT_STRING;
		break;
	case LOGSEQ_OPAQUE:
		return (pen_opaque(p, v->b));
	default:
		return (-1);
	}
	transit_write(&p->writer, &t);
	return (0);
}

/* Token by token: strings inside it count for the codes that follow. */
static int
pen_opaque(struct logseq_pen *p, struct bytes text)
{
	struct transit t;
	int n;

	transit_reader_init(&p->reader, text);
	while ((n = transit_next(&p->reader, &t)) == 1)
		transit_write(&p->writer, &t);
	transit_reader_free(&p->reader);
	return (n);
}
