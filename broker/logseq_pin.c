/*
 * Downloads under way.  While there is one, every change of a datom is kept, so
 * that a graph read page by page comes out as it was at one t (struct
 * logseq_pin).
 */
#include "broker/logseq_verbs.h"
#include "common/wire.h"

#define PIN_KEY_LEN 9

static void pin_key(uint8_t key[PIN_KEY_LEN], uint64_t session);
static void pin_tell(struct graph *);
static txn_each_reg pin_each;

enum code
logseq_pin(struct txn *t, const struct submit *s)
{
	struct graph g;
	uint8_t key[PIN_KEY_LEN], gen[8];
	enum code code;

	(void)s;
	if (graph_begin(&g, t) == -1)
		return (CODE_STORAGE);
	graph_unpin(&g, t->who.session);
	graph_pins_check(&g);
	pin_key(key, t->who.session);
	be64_put(gen, g.m.live.gen);
	txn_reg_put(t, bytes_of(key, sizeof(key)), bytes_of(gen, sizeof(gen)));
	g.m.pins++;
	pin_tell(&g);
	graph_save(&g);
	code = graph_code(&g, CODE_OK);
	graph_end(&g);
	return (code);
}

enum code
logseq_unpin(struct txn *t, const struct submit *s)
{
	struct graph g;
	uint8_t key[PIN_KEY_LEN];
	enum code code = CODE_OK;

	(void)s;
	if (graph_begin(&g, t) == -1)
		return (CODE_STORAGE);
	pin_key(key, t->who.session);
	if (txn_reg_get(t, bytes_of(key, sizeof(key)), &g.val) != 1 ||
	    g.val.len != 8 || be64_get(buf_bytes(&g.val).p) != g.m.live.gen) {
		code = CODE_STALE; /* the pin goes when the session does */
	} else {
		graph_unpin(&g, t->who.session);
		graph_save(&g);
	}
	code = graph_code(&g, code);
	graph_end(&g);
	return (code);
}

void
graph_unpin(struct graph *g, uint64_t session)
{
	uint8_t key[PIN_KEY_LEN];

	pin_key(key, session);
	if (txn_reg_get(g->t, bytes_of(key, sizeof(key)), &g->val) != 1)
		return;
	txn_reg_del(g->t, bytes_of(key, sizeof(key)));
	g->m.pins -= g->m.pins > 0;
}

void
graph_pins_check(struct graph *g)
{
	static const uint8_t kind[] = { LOGSEQ_REG_PIN };
	struct buf sessions = BUF_INIT;
	struct txn_card c;
	uint64_t session;
	size_t i, k;
	int here;

	if (g->m.pins == 0)
		return;
	txn_reg_scan(g->t, bytes_of(kind, 1), BYTES_NONE, pin_each, &sessions);
	for (i = 0; i + 8 <= sessions.len; i += 8) {
		session = be64_get(buf_bytes(&sessions).p + i);
		here = 0;
		for (k = 0; !here && txn_card(g->t, k, &c) == 0; k++)
			here = c.session == session;
		if (!here)
			graph_unpin(g, session);
	}
	buf_free(&sessions);
}

static void
pin_key(uint8_t key[PIN_KEY_LEN], uint64_t session)
{
	key[0] = LOGSEQ_REG_PIN;
	be64_put(key + 1, session);
}

static void
pin_tell(struct graph *g)
{
	struct logseq_pin p = { g->m.live.gen, graph_t(g), g->m.live.datoms,
		g->m.live.indexed, g->m.live.max_eid, g->m.live.max_tx,
		g->m.change };
	struct buf info = BUF_INIT;

	if (logseq_pin_pack(&info, &p) == -1)
		g->t->failed = 1;
	else
		txn_info(g->t, buf_bytes(&info));
	buf_free(&info);
}

static int
pin_each(struct bytes key, struct bytes val, void *arg)
{
	(void)val;
	return (key.n == PIN_KEY_LEN ? buf_add(arg, key.p + 1, 8) : -1);
}
