/*
 * The numbers of a graph: read when a decision begins, written back when it
 * ends well.  Content lives in generations, so that an upload is built beside
 * it and takes its place by changing one number.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/logseq_graph.h"

#define META_NUMBERS (sizeof(struct graph_meta) / sizeof(uint64_t))
/* Before upload_bytes was counted. */
#define META_OLD_BYTES offsetof(struct graph_meta, upload_bytes)

static const uint8_t meta_name[] = { LOGSEQ_REG_META };

static void meta_first(struct graph *);

int
graph_begin(struct graph *g, struct txn *t)
{
	uint64_t numbers[META_NUMBERS];
	struct bytes in;
	size_t i;
	int found;

	memset(g, 0, sizeof(*g));
	g->t = t;
	g->e2ee = -1;
	g->fresh = UINT64_MAX;
	g->c = &g->m.live;
	found = txn_reg_get(t, bytes_of(meta_name, 1), &g->val);
	if (found != 1) {
		meta_first(g);
		return (found == -1 ? -1 : 0);
	}
	in = buf_bytes(&g->val);
	if (in.n != sizeof(numbers) && in.n != META_OLD_BYTES) {
		t->failed = 1;
		return (-1);
	}
	memset(numbers, 0, sizeof(numbers));
	for (i = 0; i < in.n / sizeof(uint64_t); i++)
		numbers[i] = be64_get(in.p + i * sizeof(uint64_t));
	memcpy(&g->m, numbers, sizeof(numbers));
	return (0);
}

void
graph_save(struct graph *g)
{
	uint64_t numbers[META_NUMBERS];
	uint8_t out[sizeof(numbers)];
	size_t i;

	memcpy(numbers, &g->m, sizeof(numbers));
	for (i = 0; i < META_NUMBERS; i++)
		be64_put(out + i * sizeof(uint64_t), numbers[i]);
	txn_reg_put(g->t, bytes_of(meta_name, 1), bytes_of(out, sizeof(out)));
}

void
graph_end(struct graph *g)
{
	struct graph_attr *a;

	while ((a = g->attrs_list) != NULL) {
		g->attrs_list = a->next;
		buf_free(&a->key);
		buf_free(&a->name);
		free(a);
	}
	map_free(&g->attrs);
	map_free(&g->touched);
	map_free(&g->touched_from);
	map_free(&g->written);
	map_free(&g->found[0]);
	map_free(&g->found[1]);
	free(g->journal.c);
	buf_free(&g->journal.values);
	buf_free(&g->key);
	buf_free(&g->val);
	buf_free(&g->sort);
}

uint64_t
graph_t(const struct graph *g)
{
	return (g->t->seq - g->m.base);
}

int
graph_uploading(const struct graph *g)
{
	return (g->m.upload != 0 &&
	    (uint64_t)g->t->now_ms < g->m.upload_ms + LOGSEQ_UPLOAD_IDLE_MS);
}

struct bytes
graph_sum(const struct graph *g, char out[LOGSEQ_SUM_LEN + 1])
{
	if (!g->m.live.sum_known)
		return (BYTES_NONE);
	snprintf(out, LOGSEQ_SUM_LEN + 1, "%08" PRIx32 "%08" PRIx32,
	    (uint32_t)g->m.live.h1, (uint32_t)g->m.live.h2);
	return (bytes_of(out, LOGSEQ_SUM_LEN));
}

void
graph_dead(struct graph *g, uint64_t gen)
{
	static const char kinds[] = { LOGSEQ_REG_EAVT, LOGSEQ_REG_AEVT,
		LOGSEQ_REG_AVET, LOGSEQ_REG_REV, LOGSEQ_REG_SCHEMA,
		LOGSEQ_REG_TX_ID, LOGSEQ_REG_TX_SEQ };
	size_t i;

	for (i = 0; i < sizeof(kinds); i++)
		graph_dead_kind(g, gen, kinds[i]);
}

void
graph_dead_kind(struct graph *g, uint64_t gen, char kind)
{
	uint8_t k = (uint8_t)kind;

	graph_reg_put(g, LOGSEQ_REG_DEAD, gen, bytes_of(&k, 1), BYTES_NONE);
	g->m.dead++;
}

enum code
graph_code(const struct graph *g, enum code code)
{
	return (g->t->failed ? CODE_STORAGE : code);
}

/* A graph that was never written: nothing in it, and that is known. */
static void
meta_first(struct graph *g)
{
	g->m.gens = 1;
	g->m.live.gen = 1;
	g->m.live.max_tx = LOGSEQ_TX0;
	g->m.live.sum_known = 1;
	g->m.base = g->t->seq;
}
