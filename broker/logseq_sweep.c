/*
 * What is no longer part of a graph is freed in small portions, beside other
 * work: replaced generations, rows of uploads, changes nobody waits for, log
 * records of before a reset.
 */
#include "broker/logseq_verbs.h"
#include "common/wire.h"

struct sweep {
	struct buf keys; /* a list; or be64 numbers of the log */
	size_t n, max;
	uint64_t upto;
};

static size_t sweep_dead(struct graph *, size_t max);
static size_t sweep_prefix(struct graph *, struct bytes prefix, uint64_t upto,
    size_t max);
static size_t sweep_changes(struct graph *, size_t max);
static size_t sweep_log(struct graph *, size_t max);
static txn_each_reg sweep_dead_each, sweep_each;
static txn_each_record sweep_record;

enum code
logseq_sweep(struct txn *t, const struct submit *s)
{
	struct graph g;
	enum code code;
	uint8_t again;

	(void)s;
	if (graph_begin(&g, t) == -1)
		return (CODE_STORAGE);
	again = (uint8_t)graph_sweep(&g, SWEEP_A_LOT);
	graph_save(&g);
	txn_info(t, bytes_of(&again, 1));
	code = graph_code(&g, CODE_OK);
	graph_end(&g);
	return (code);
}

int
graph_sweep(struct graph *g, size_t n)
{
	size_t done;

	done = sweep_dead(g, n);
	done += sweep_changes(g, n - done);
	done += sweep_log(g, n - done);
	return (done == n && n > 0);
}

/* Content, log and t go; what they were made of is freed later. */
void
graph_drop(struct graph *g)
{
	uint64_t gen = ++g->m.gens;

	graph_dead(g, g->m.live.gen);
	graph_dead_kind(g, g->m.live.gen, LOGSEQ_REG_CHANGE);
	graph_drop_upload(g);
	memset(&g->m.live, 0, sizeof(g->m.live));
	g->m.live.gen = gen;
	g->m.live.max_tx = LOGSEQ_TX0;
	g->m.live.sum_known = 1;
	g->m.base = g->t->seq;
}

void
graph_drop_upload(struct graph *g)
{
	if (g->m.upload == 0)
		return;
	graph_dead(g, g->m.staged.gen);
	graph_dead_kind(g, g->m.upload, LOGSEQ_REG_ROW);
	memset(&g->m.staged, 0, sizeof(g->m.staged));
	g->m.upload = 0;
}

static size_t
sweep_dead(struct graph *g, size_t max)
{
	static const uint8_t kind[] = { LOGSEQ_REG_DEAD };
	uint8_t prefix[LOGSEQ_PREFIX_LEN];
	struct buf key = BUF_INIT;
	size_t done = 0;

	while (g->m.dead > 0 && done < max && !g->t->failed) {
		buf_clear(&key);
		txn_reg_scan(g->t, bytes_of(kind, 1), BYTES_NONE,
		    sweep_dead_each, &key);
		if (key.len != LOGSEQ_PREFIX_LEN + 1) {
			g->t->failed = 1;
			break;
		}
		memcpy(prefix + 1, buf_bytes(&key).p + 1, 4);
		prefix[0] = buf_bytes(&key).p[LOGSEQ_PREFIX_LEN];
		done += sweep_prefix(g, bytes_of(prefix, sizeof(prefix)),
		    UINT64_MAX, max - done);
		if (done < max) {
			txn_reg_del(g->t, buf_bytes(&key));
			g->m.dead--;
			done++;
		}
	}
	buf_free(&key);
	return (done);
}

/* upto: bound of what follows the prefix, as be64. */
static size_t
sweep_prefix(struct graph *g, struct bytes prefix, uint64_t upto, size_t max)
{
	struct sweep s = { .max = max, .upto = upto };
	struct bytes rest, key;

	if (max == 0)
		return (0);
	if (txn_reg_scan(g->t, prefix, BYTES_NONE, sweep_each, &s) == -1 ||
	    s.keys.failed)
		g->t->failed = 1;
	for (rest = buf_bytes(&s.keys); list_next(&rest, &key) == 1;)
		txn_reg_del(g->t, key);
	buf_free(&s.keys);
	return (s.n);
}

/* While somebody downloads, changes may still be wanted. */
static size_t
sweep_changes(struct graph *g, size_t max)
{
	uint8_t prefix[LOGSEQ_PREFIX_LEN];
	size_t n;

	if (g->m.pins > 0 || g->m.changes >= g->m.change)
		return (0);
	logseq_prefix(prefix, LOGSEQ_REG_CHANGE, g->m.live.gen);
	n = sweep_prefix(g, bytes_of(prefix, sizeof(prefix)), g->m.change, max);
	if (n < max)
		g->m.changes = g->m.change;
	return (n);
}

static size_t
sweep_log(struct graph *g, size_t max)
{
	struct sweep s = { .max = max };
	size_t i;

	if (max == 0 || g->m.log_low >= g->m.base)
		return (0);
	if (txn_log_scan(g->t, g->m.log_low, g->m.base, sweep_record, &s) ==
		-1 ||
	    s.keys.failed)
		g->t->failed = 1;
	for (i = 0; i + 8 <= s.keys.len; i += 8)
		txn_log_drop(g->t, be64_get(buf_bytes(&s.keys).p + i));
	if (s.n < max)
		g->m.log_low = g->m.base;
	buf_free(&s.keys);
	return (s.n);
}

static int
sweep_dead_each(struct bytes key, struct bytes val, void *arg)
{
	(void)val;
	return (buf_add_bytes(arg, key) == -1 ? -1 : 1);
}

static int
sweep_each(struct bytes key, struct bytes val, void *arg)
{
	struct sweep *s = arg;

	(void)val;
	if (s->n == s->max)
		return (1);
	if (s->upto != UINT64_MAX && key.n == LOGSEQ_PREFIX_LEN + 8 &&
	    be64_get(key.p + LOGSEQ_PREFIX_LEN) > s->upto)
		return (1);
	s->n++;
	return (list_add(&s->keys, key));
}

static int
sweep_record(const struct record *r, void *arg)
{
	struct sweep *s = arg;

	if (s->n == s->max)
		return (1);
	s->n++;
	return (buf_add_be64(&s->keys, r->seq));
}
