/*
 * A graph that is uploaded: its rows are kept as they come, then its datoms are
 * put into a generation of their own, and one number makes that the graph.
 * Until then nobody sees any of it, and what was there before stays.
 */
#include "broker/config.h"
#include "broker/logseq_verbs.h"
#include "common/hex.h"
#include "common/utf8.h"
#include "common/wire.h"

struct upload {
	struct graph g;
	struct logseq_graph access;
};

static enum code upload_start(struct upload *, struct txn *);
static enum code upload_go_on(struct upload *, struct txn *,
    const struct submit *);
static enum code upload_end(struct upload *, enum code);
static enum code upload_count(struct graph *, size_t n);
static void upload_fresh(struct graph *, uint64_t gen);
static void upload_row(struct upload *, struct bytes addr,
    struct bytes addresses, struct bytes content);
static enum code upload_datom(struct upload *, struct bytes packed, int tail);
static void upload_replace(struct graph *, const struct logseq_datom *,
    struct graph_attr *, const struct logseq_value *);
static int upload_checksum(struct graph *, struct bytes hex);

enum code
logseq_upload_begin(struct txn *t, const struct submit *s)
{
	struct upload u;
	enum code code = upload_start(&u, t);

	(void)s;
	if (code == CODE_OK) {
		graph_drop_upload(&u.g);
		u.g.m.upload = ++u.g.m.gens;
		u.g.m.upload_bytes = 0;
		upload_fresh(&u.g, ++u.g.m.gens);
		if (u.g.m.live.datoms == 0 && graph_t(&u.g) == 0) {
			logseq_index_ready(t, 0);
			u.access.ready = 0;
		}
		u.g.m.upload_ms = (uint64_t)t->now_ms;
		logseq_tell_state(&u.g, &u.access);
	}
	return (upload_end(&u, code));
}

enum code
logseq_upload_rows(struct txn *t, const struct submit *s)
{
	struct upload u;
	struct bytes rest = s->items, addr, addresses, content;
	enum code code = upload_go_on(&u, t, s);
	int r = 0;

	if (code == CODE_OK)
		code = upload_count(&u.g, s->items.n);
	while (code == CODE_OK && (r = list_next(&rest, &addr)) == 1) {
		if (addr.n != 8 || list_next(&rest, &addresses) != 1 ||
		    list_next(&rest, &content) != 1)
			code = CODE_INVALID;
		else
			upload_row(&u, addr, addresses, content);
	}
	return (upload_end(&u, r == -1 ? CODE_INVALID : code));
}

enum code
logseq_upload_walk(struct txn *t, const struct submit *s)
{
	struct upload u;
	enum code code = upload_go_on(&u, t, s);
	uint8_t octets[8];

	if (code == CODE_OK && u.g.m.staged.datoms > 0) {
		graph_dead(&u.g, u.g.m.staged.gen);
		upload_fresh(&u.g, ++u.g.m.gens);
	}
	be64_put(octets, u.g.m.upload_bytes);
	if (code == CODE_OK)
		txn_info(t, bytes_of(octets, sizeof(octets)));
	return (upload_end(&u, code));
}

enum code
logseq_upload_schema(struct txn *t, const struct submit *s)
{
	struct upload u;
	struct bytes rest = s->items, name, flags;
	enum code code = upload_go_on(&u, t, s);
	int r = 0;

	while (code == CODE_OK && (r = list_next(&rest, &name)) == 1) {
		if (list_next(&rest, &flags) != 1 || flags.n != 1)
			code = CODE_INVALID;
		else
			graph_attr_upload(&u.g, name, flags.p[0]);
	}
	return (upload_end(&u, r == -1 ? CODE_INVALID : code));
}

enum code
logseq_upload_datoms(struct txn *t, const struct submit *s)
{
	struct upload u;
	struct bytes rest = s->items, packed;
	enum code code = upload_go_on(&u, t, s);
	int r = 0, tail = bytes_eq(s->ref, BYTES_LIT("tail"));
	size_t n = 0;

	while (code == CODE_OK && (r = list_next(&rest, &packed)) == 1)
		code = ++n > LOGSEQ_DATOMS_MAX ? CODE_TOO_LARGE
					       : upload_datom(&u, packed, tail);
	return (upload_end(&u, r == -1 ? CODE_INVALID : code));
}

enum code
logseq_upload_sum(struct txn *t, const struct submit *s)
{
	struct upload u;
	enum code code = upload_go_on(&u, t, s);
	uint8_t again;

	if (code != CODE_OK)
		return (upload_end(&u, code));
	again = (uint8_t)graph_sum_step(&u.g, &u.g.m.upload_eid);
	u.g.m.staged.sum_known = !again;
	txn_info(t, bytes_of(&again, 1));
	return (upload_end(&u, code));
}

enum code
logseq_upload_finish(struct txn *t, const struct submit *s)
{
	struct upload u;
	enum code code = upload_go_on(&u, t, s);
	struct graph *g = &u.g;

	if (code == CODE_OK && s->ref.n > 0 && !upload_checksum(g, s->ref))
		code = CODE_INVALID;
	if (code == CODE_OK) {
		graph_dead(g, g->m.live.gen);
		graph_dead_kind(g, g->m.live.gen, LOGSEQ_REG_CHANGE);
		graph_dead_kind(g, g->m.upload, LOGSEQ_REG_ROW);
		g->m.live = g->m.staged;
		memset(&g->m.staged, 0, sizeof(g->m.staged));
		g->m.upload = 0;
		g->m.base = t->seq;
		logseq_index_ready(t, 1);
	}
	return (upload_end(&u, code));
}

static enum code
upload_start(struct upload *u, struct txn *t)
{
	if (graph_begin(&u->g, t) == -1)
		return (CODE_STORAGE);
	if (logseq_index_access(t, &u->access) != 1 ||
	    u->access.role != LOGSEQ_MANAGER)
		return (CODE_NO_SCOPE);
	return (CODE_OK);
}

static enum code
upload_go_on(struct upload *u, struct txn *t, const struct submit *s)
{
	enum code code = upload_start(u, t);

	if (code != CODE_OK)
		return (code);
	if (u->g.m.upload == 0 || s->clock != u->g.m.upload)
		return (CODE_STALE);
	u->g.c = &u->g.m.staged;
	u->g.m.upload_ms = (uint64_t)t->now_ms;
	return (CODE_OK);
}

/*
 * What an INVALID submit put before its fault stays staged, and counted, until
 * the next walk: nobody sees it.
 */
static enum code
upload_end(struct upload *u, enum code code)
{
	if (code != CODE_NO_SCOPE && code != CODE_STALE) {
		graph_sweep(&u->g, SWEEP_A_LITTLE);
		graph_save(&u->g);
	}
	code = graph_code(&u->g, code);
	graph_end(&u->g);
	return (code);
}

/* All requests of an upload together. */
static enum code
upload_count(struct graph *g, size_t n)
{
	g->m.upload_bytes += n;
	return (g->m.upload_bytes > (uint64_t)g->t->conf->logseq_snapshot_max
		? CODE_TOO_LARGE
		: CODE_OK);
}

static void
upload_fresh(struct graph *g, uint64_t gen)
{
	memset(&g->m.staged, 0, sizeof(g->m.staged));
	g->m.staged.gen = gen;
	g->m.staged.max_tx = LOGSEQ_TX0;
	g->m.upload_eid = 0;
}

/* A row that comes again may be shorter. */
static void
upload_row(struct upload *u, struct bytes addr, struct bytes addresses,
    struct bytes content)
{
	struct graph *g = &u->g;
	struct buf row = BUF_INIT;
	struct bytes rest;
	uint8_t key[10];
	uint32_t piece;

	list_add(&row, addresses);
	list_add(&row, content);
	if (row.failed)
		g->t->failed = 1;
	memcpy(key, addr.p, 8);
	rest = buf_bytes(&row);
	for (piece = 0; piece <= UINT16_MAX; piece++) {
		key[8] = (uint8_t)(piece >> 8);
		key[9] = (uint8_t)piece;
		if (rest.n == 0 &&
		    graph_reg_get(g, LOGSEQ_REG_ROW, g->m.upload,
			bytes_of(key, sizeof(key)), &g->val) != 1)
			break;
		if (rest.n == 0)
			graph_reg_del(g, LOGSEQ_REG_ROW, g->m.upload,
			    bytes_of(key, sizeof(key)));
		else
			graph_reg_put(g, LOGSEQ_REG_ROW, g->m.upload,
			    bytes_of(key, sizeof(key)),
			    bytes_of(rest.p,
				rest.n < LOGSEQ_ROW_PIECE_BYTES
				    ? rest.n
				    : LOGSEQ_ROW_PIECE_BYTES));
		rest = bytes_skip(rest, LOGSEQ_ROW_PIECE_BYTES);
	}
	buf_free(&row);
}

static enum code
upload_datom(struct upload *u, struct bytes packed, int tail)
{
	struct graph *g = &u->g;
	struct logseq_lookup l;
	struct logseq_datom d;
	struct logseq_value v;
	struct graph_attr *a;
	uint8_t room[8];
	uint64_t tx;
	int64_t ref;

	if (logseq_datom_unpack(packed, &d) == -1 || d.e == 0 ||
	    d.e >= LOGSEQ_TX0 || (a = graph_attr(g, d.a)) == NULL ||
	    d.v.type == LOGSEQ_NULL || d.v.type == LOGSEQ_REF ||
	    d.v.b.n >= LOGSEQ_VALUE_MAX ||
	    (d.v.type == LOGSEQ_STRING && !utf8_valid(d.v.b)))
		return (CODE_INVALID);
	v = d.v;
	if (v.type == LOGSEQ_LOOKUP && logseq_lookup_unpack(v.b, &l) == 0)
		v = VALUE_OF(LOGSEQ_OPAQUE, l.text); /* no lookups here */
	if ((a->flags & LOGSEQ_FLAG_REF) != 0) {
		if (v.type != LOGSEQ_INT || (ref = logseq_int_get(v.b)) <= 0 ||
		    ref >= (int64_t)LOGSEQ_TX0)
			return (CODE_INVALID);
		be64_put(room, (uint64_t)ref);
		v = VALUE_OF(LOGSEQ_REF, bytes_of(room, sizeof(room)));
	}
	if (tail && d.op == LOGSEQ_OP_ADD)
		upload_replace(g, &d, a, &v);
	if (d.op == LOGSEQ_OP_ADD)
		graph_put(g, d.e, a, &v, d.tx);
	else
		graph_del(g, d.e, a, &v, &tx);
	if (g->c->max_tx < d.tx)
		g->c->max_tx = d.tx;
	return (CODE_OK);
}

static void
upload_replace(struct graph *g, const struct logseq_datom *d,
    struct graph_attr *a, const struct logseq_value *v)
{
	struct buf val = BUF_INIT;
	struct logseq_value old;
	uint64_t tx;

	if ((a->flags & LOGSEQ_FLAG_MANY) == 0 &&
	    graph_get(g, d->e, a, &val, &old) == 1 &&
	    (old.type != v->type || !bytes_eq(old.b, v->b)))
		graph_del(g, d->e, a, &old, &tx);
	buf_free(&val);
}

static int
upload_checksum(struct graph *g, struct bytes hex)
{
	uint8_t sum[LOGSEQ_SUM_LEN / 2];

	if (hex.n != LOGSEQ_SUM_LEN || hex_decode(sum, sizeof(sum), hex) == -1)
		return (0);
	g->m.staged.h1 = be32_get(sum);
	g->m.staged.h2 = be32_get(sum + 4);
	g->m.staged.sum_known = 1;
	return (1);
}
