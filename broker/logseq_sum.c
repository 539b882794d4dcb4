/*
 * The checksum of a graph (logseq.md section 7.5): two sums of 32 bits over a
 * tuple for every datom of a few attributes, of those entities that a client
 * keeps in step.
 *
 * Before an entity changes for the first time in an entry its tuples are taken
 * out of the sums (touch), after the entry those it has now are added (settle).
 * The same for those whose tuples name it: the uuid of a parent or page stands
 * in the tuples of its children.
 */
#include <inttypes.h>

#include "broker/logseq_graph.h"
#include "common/wire.h"

#define E2EE_IDENT "logseq.kv/graph-rtc-e2ee?"

#define SUM_STEP_ENTITIES 250
#define SUM_STEP_DATOMS	  2500
/* Registers gone through for a datom: itself, and at times an entity's uuid. */
#define SUM_WORK 3

struct sum_step {
	uint64_t eid[SUM_STEP_ENTITIES];
	size_t n;
	size_t datoms; /* gone through */
	int more;
};

/* What of an entity is in tuples, or decides whether it has any. */
struct sum_entity {
	struct bytes uuid;
	int built_in;
	int page_class;
	int has_page, has_name;
	struct buf list; /* its datoms */
};

static const char *const sum_classes[] = { "logseq.class/Page",
	"logseq.class/Journal", "logseq.class/Tag", "logseq.class/Property" };

static const struct {
	const char *name;
	int refers; /* the target's uuid is hashed */
	int clear;  /* only in a graph that is not encrypted */
} sum_attrs[] = {
	{ "block/uuid", 0, 0 },
	{ "block/parent", 1, 0 },
	{ "block/page", 1, 0 },
	{ "block/order", 0, 0 },
	{ "block/title", 0, 1 },
	{ "block/name", 0, 1 },
};

static void sum_touch_one(struct graph *, uint64_t e);
static void sum_touch_referrers(struct graph *, uint64_t e, const char *attr);
static void sum_anew(struct graph *);
static txn_each_reg sum_step_each;
static int sum_e2ee(struct graph *);
static int sum_entity_read(struct graph *, uint64_t e, struct sum_entity *);
static void sum_entity_look(struct graph *, struct sum_entity *,
    const struct logseq_datom *, struct bytes name);
static int sum_is_class(struct graph *, uint64_t e);
static void sum_tuple(struct graph *, const struct sum_entity *,
    const struct logseq_datom *, size_t attr, int sign);
static int sum_value(struct graph *, const struct logseq_value *, int refers,
    struct buf *);
static void sum_hash(uint32_t *h1, uint32_t *h2, struct bytes utf8);

void
graph_sum_touch(struct graph *g, uint64_t e, const struct graph_attr *a,
    const struct logseq_value *v)
{
	size_t i;

	if (!g->c->sum_known)
		return;
	if (g->e2ee == -1)
		g->e2ee = sum_e2ee(g);
	sum_touch_one(g, e);
	if (e < g->fresh && graph_attr_is(a, "block/uuid")) {
		sum_touch_referrers(g, e, "block/parent");
		sum_touch_referrers(g, e, "block/page");
	}
	if (!graph_attr_is(a, "db/ident"))
		return;
	for (i = 0; i < sizeof(sum_classes) / sizeof(sum_classes[0]); i++)
		if (bytes_eq(v->b, bytes_str(sum_classes[i]))) {
			sum_touch_referrers(g, e, "block/tags");
			g->classes_known = 0;
		}
}

/* Sums over clear text are worth nothing once the graph is encrypted. */
void
graph_sum_settle(struct graph *g)
{
	const struct map_row *r;
	size_t i;

	g->classes_known = 0;
	if (!g->c->sum_known || (g->e2ee != -1 && sum_e2ee(g) != g->e2ee)) {
		graph_sum_forget(g);
		sum_anew(g);
		return;
	}
	for (i = 0; i < g->touched.cap; i++)
		if ((r = map_row(&g->touched, i)) != NULL)
			graph_sum_entity(g, be64_get(map_key(&g->touched, r).p),
			    1);
	map_clear(&g->touched);
	map_clear(&g->touched_from);
}

void
graph_sum_forget(struct graph *g)
{
	map_clear(&g->touched);
	map_clear(&g->touched_from);
	g->classes_known = 0;
	g->e2ee = -1;
}

void
graph_sum_entity(struct graph *g, uint64_t e, int sign)
{
	struct sum_entity s;
	struct logseq_datom d;
	struct bytes rest, packed;
	struct buf name = BUF_INIT;
	size_t i;

	if (g->e2ee == -1)
		g->e2ee = sum_e2ee(g);
	if (sum_entity_read(g, e, &s))
		for (rest = buf_bytes(&s.list);
		     list_next(&rest, &packed) == 1 &&
		     logseq_datom_unpack(packed, &d) == 0;) {
			buf_clear(&name);
			logseq_attr_name(&name, d.a);
			for (i = 0;
			     i < sizeof(sum_attrs) / sizeof(sum_attrs[0]); i++)
				if (bytes_eq(buf_bytes(&name),
					bytes_str(sum_attrs[i].name)))
					sum_tuple(g, &s, &d, i, sign);
		}
	buf_free(&name);
	buf_free(&s.list);
}

int
graph_sum_step(struct graph *g, uint64_t *after)
{
	struct sum_step s = { .n = 0 };
	uint8_t prefix[LOGSEQ_PREFIX_LEN], from[LOGSEQ_PREFIX_LEN + 9];
	size_t i;

	logseq_prefix(prefix, LOGSEQ_REG_EAVT, g->c->gen);
	memcpy(from, prefix, sizeof(prefix));
	be64_put(from + LOGSEQ_PREFIX_LEN, *after);
	from[LOGSEQ_PREFIX_LEN + 8] = 0xff; /* behind all of that entity */
	if (txn_reg_scan(g->t, bytes_of(prefix, sizeof(prefix)),
		bytes_of(from, sizeof(from)), sum_step_each, &s) == -1)
		g->t->failed = 1;
	for (i = 0; i < s.n; i++)
		graph_sum_entity(g, s.eid[i], 1);
	if (s.n > 0)
		*after = s.eid[s.n - 1];
	return (s.more && !g->t->failed);
}

int
graph_uuid(struct graph *g, uint64_t e, struct buf *val, struct bytes *uuid)
{
	struct logseq_value v;
	int found = graph_get(g, e, graph_attr_str(g, "block/uuid"), val, &v);

	if (found == 1)
		*uuid = v.b;
	return (found);
}

int
graph_ident(struct graph *g, struct bytes name, uint64_t *e)
{
	struct logseq_value v = { LOGSEQ_KEYWORD, name };

	return (graph_owner(g, graph_attr_str(g, "db/ident"), &v, e));
}

static void
sum_touch_one(struct graph *g, uint64_t e)
{
	int fresh;

	if (map_at_u64(&g->touched, e, &fresh) == NULL)
		g->t->failed = 1;
	if (fresh && e < g->fresh) /* a new one had no tuples */
		graph_sum_entity(g, e, -1);
}

static void
sum_touch_referrers(struct graph *g, uint64_t e, const char *attr)
{
	struct buf eids = BUF_INIT, key = BUF_INIT;
	size_t i;
	int fresh;

	/* Who refers to it later is touched by that. */
	buf_add_be64(&key, e);
	buf_add_str(&key, attr);
	if (map_at(&g->touched_from, buf_bytes(&key), &fresh) == NULL)
		g->t->failed = 1;
	buf_free(&key);
	if (!fresh)
		return;
	graph_referrers(g, e, graph_attr_str(g, attr), &eids);
	for (i = 0; i + 8 <= eids.len; i += 8)
		sum_touch_one(g, be64_get(buf_bytes(&eids).p + i));
	buf_free(&eids);
}

/* Over the whole graph, unless an entry may not take so long. */
static void
sum_anew(struct graph *g)
{
	uint64_t after = 0;

	g->c->h1 = g->c->h2 = 0;
	g->c->sum_known =
	    g->work_max == 0 || g->work + g->c->datoms * SUM_WORK < g->work_max;
	while (g->c->sum_known && graph_sum_step(g, &after))
		;
}

static int
sum_step_each(struct bytes key, struct bytes val, void *arg)
{
	struct sum_step *s = arg;
	uint64_t e;

	(void)val;
	if (key.n < LOGSEQ_PREFIX_LEN + 8)
		return (-1);
	s->datoms++;
	e = be64_get(key.p + LOGSEQ_PREFIX_LEN);
	if (s->n > 0 && s->eid[s->n - 1] == e)
		return (0);
	if (s->n == SUM_STEP_ENTITIES || s->datoms > SUM_STEP_DATOMS)
		return (s->more = 1);
	s->eid[s->n++] = e;
	return (0);
}

static int
sum_e2ee(struct graph *g)
{
	struct buf val = BUF_INIT;
	struct logseq_value v;
	uint64_t e;
	int is;

	is = graph_ident(g, BYTES_LIT(E2EE_IDENT), &e) == 1 &&
	    graph_get(g, e, graph_attr_str(g, "kv/value"), &val, &v) == 1 &&
	    v.type == LOGSEQ_BOOL && v.b.p[0] != 0;
	buf_free(&val);
	return (is);
}

/* 1: it has tuples. */
static int
sum_entity_read(struct graph *g, uint64_t e, struct sum_entity *s)
{
	struct buf name = BUF_INIT;
	struct logseq_datom d;
	struct bytes rest, packed;

	memset(s, 0, sizeof(*s));
	graph_datoms(g, e, NULL, &s->list);
	for (rest = buf_bytes(&s->list); list_next(&rest, &packed) == 1 &&
	     logseq_datom_unpack(packed, &d) == 0;) {
		buf_clear(&name);
		logseq_attr_name(&name, d.a);
		sum_entity_look(g, s, &d, buf_bytes(&name));
	}
	buf_free(&name);
	return (s->uuid.n > 0 && !s->built_in &&
	    (s->page_class || s->has_page || s->has_name));
}

static void
sum_entity_look(struct graph *g, struct sum_entity *s,
    const struct logseq_datom *d, struct bytes name)
{
	if (bytes_eq(name, BYTES_LIT("block/uuid")))
		s->uuid = d->v.b;
	else if (bytes_eq(name, BYTES_LIT("block/page")))
		s->has_page = 1;
	else if (bytes_eq(name, BYTES_LIT("block/name")))
		s->has_name = 1;
	else if (bytes_eq(name, BYTES_LIT("logseq.property/built-in?")))
		s->built_in = d->v.type == LOGSEQ_BOOL && d->v.b.p[0] != 0;
	else if (bytes_eq(name, BYTES_LIT("block/tags")))
		s->page_class |= d->v.type == LOGSEQ_REF &&
		    sum_is_class(g, be64_get(d->v.b.p));
}

static int
sum_is_class(struct graph *g, uint64_t e)
{
	size_t i;

	if (!g->classes_known) {
		for (i = 0; i < 4; i++)
			if (graph_ident(g, bytes_str(sum_classes[i]),
				&g->classes[i]) != 1)
				g->classes[i] = 0;
		g->classes_known = 1;
	}
	for (i = 0; i < 4; i++)
		if (g->classes[i] == e && e != 0)
			return (1);
	return (0);
}

static void
sum_tuple(struct graph *g, const struct sum_entity *s,
    const struct logseq_datom *d, size_t attr, int sign)
{
	uint32_t h1 = 2166136261u, h2 = 5381u;
	struct buf text = BUF_INIT;

	if (sum_attrs[attr].clear && g->e2ee)
		return;
	buf_add_bytes(&text, s->uuid);
	buf_add_str(&text, "\x1f:");
	buf_add_str(&text, sum_attrs[attr].name);
	buf_add_u8(&text, 0x1f);
	if (sum_value(g, &d->v, sum_attrs[attr].refers, &text) == -1 ||
	    text.failed)
		g->t->failed = 1;
	sum_hash(&h1, &h2, buf_bytes(&text));
	if (sign > 0) {
		g->c->h1 = (uint32_t)(g->c->h1 + h1);
		g->c->h2 = (uint32_t)(g->c->h2 + h2);
	} else {
		g->c->h1 = (uint32_t)(g->c->h1 - h1);
		g->c->h2 = (uint32_t)(g->c->h2 - h2);
	}
	buf_free(&text);
}

/* As JavaScript prints it. */
static int
sum_value(struct graph *g, const struct logseq_value *v, int refers,
    struct buf *text)
{
	struct buf val = BUF_INIT;
	struct bytes uuid;
	int found = 1;

	if (refers && v->type == LOGSEQ_REF) {
		if ((found = graph_uuid(g, be64_get(v->b.p), &val, &uuid)) == 1)
			buf_add_bytes(text, uuid);
		buf_free(&val);
	} else if (v->type == LOGSEQ_STRING || v->type == LOGSEQ_UUID) {
		buf_add_bytes(text, v->b);
	} else if (v->type == LOGSEQ_KEYWORD) {
		buf_add_u8(text, ':');
		buf_add_bytes(text, v->b);
	} else if (v->type == LOGSEQ_INT) {
		buf_printf(text, "%" PRId64, logseq_int_get(v->b));
	} else if (v->type == LOGSEQ_FLOAT) {
		logseq_number_text(text, logseq_float_get(v->b));
	} else {
		logseq_value_text(text, v);
	}
	return (found == -1 ? -1 : 0);
}

/* Over the UTF-16 code units of what is valid UTF-8. */
static void
sum_hash(uint32_t *h1, uint32_t *h2, struct bytes s)
{
	uint32_t c, unit[2];
	size_t i, n, k;

	for (i = 0; i < s.n; i += n) {
		c = s.p[i];
		n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		if (n > s.n - i)
			return;
		c &= n == 1 ? 0x7fu : 0xffu >> (n + 1);
		for (k = 1; k < n; k++)
			c = c << 6 | (s.p[i + k] & 0x3fu);
		unit[0] = c < 0x10000 ? c : 0xd800 + ((c - 0x10000) >> 10);
		unit[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
		for (k = 0; k < (c < 0x10000 ? 1u : 2u); k++) {
			*h1 = (*h1 ^ unit[k]) * 16777619u;
			*h2 = *h2 * 33u + unit[k];
		}
	}
}
