/*
 * Attributes: which are references, hold many values, are indexed or unique.
 * A fixed few are known before there is any data (logseq.md section 7.3); the
 * rest is learned from the datoms of the attribute's own entity, at once.
 */
#include <stdlib.h>

#include "broker/logseq_graph.h"

enum {
	REF = LOGSEQ_FLAG_REF,
	MANY = LOGSEQ_FLAG_MANY,
	INDEX = LOGSEQ_FLAG_INDEX,
	UNIQUE = LOGSEQ_FLAG_UNIQUE
};

static const struct {
	const char *name;
	unsigned int flags;
} attr_fixed[] = {
#define ATTR(name, flags) { name, flags },
#include "common/logseq_attrs.def"
#undef ATTR
};

static struct graph_attr *attr_new(struct graph *, struct bytes name);
static unsigned int attr_flags(struct graph *, const struct graph_attr *);
static unsigned int attr_of_entity(struct graph *, uint64_t e);
static int attr_value_is(struct graph *, uint64_t e, const char *attr,
    const char *keyword);
static void attr_set(struct graph *, struct bytes name, size_t octet,
    unsigned int flags);

struct graph_attr *
graph_attr(struct graph *g, struct bytes name)
{
	struct graph_attr *a;
	uint64_t *at;
	int fresh;

	if ((at = map_find(&g->attrs, name)) != NULL)
		return ((struct graph_attr *)(uintptr_t)*at);
	if ((a = attr_new(g, name)) == NULL)
		return (NULL);
	if ((at = map_at(&g->attrs, name, &fresh)) == NULL) {
		g->t->failed = 1;
		return (NULL);
	}
	*at = (uint64_t)(uintptr_t)a;
	return (a);
}

struct graph_attr *
graph_attr_str(struct graph *g, const char *name)
{
	return (graph_attr(g, bytes_str(name)));
}

struct graph_attr *
graph_attr_key(struct graph *g, struct bytes key)
{
	struct buf name = BUF_INIT;
	struct graph_attr *a = NULL;

	if (logseq_attr_name(&name, key) == 0)
		a = graph_attr(g, buf_bytes(&name));
	buf_free(&name);
	return (a);
}

int
graph_attr_is(const struct graph_attr *a, const char *name)
{
	return (bytes_eq(buf_bytes(&a->name), bytes_str(name)));
}

void
graph_attr_upload(struct graph *g, struct bytes name, unsigned int flags)
{
	attr_set(g, name, 1, flags);
}

int
graph_attr_teaches(const struct graph_attr *a)
{
	static const char *const teachers[] = { "db/ident", "db/valueType",
		"db/cardinality", "db/index", "db/unique" };
	size_t i;

	for (i = 0; i < sizeof(teachers) / sizeof(teachers[0]); i++)
		if (graph_attr_is(a, teachers[i]))
			return (1);
	return (0);
}

void
graph_attr_learn(struct graph *g, uint64_t e, const struct graph_attr *a,
    const struct logseq_value *v)
{
	struct buf val = BUF_INIT;
	struct logseq_value ident;
	uint64_t owner;

	if (graph_attr_is(a, "db/ident")) {
		/* An ident that went away teaches nothing any more. */
		if (v->type == LOGSEQ_KEYWORD)
			attr_set(g, v->b, 0,
			    graph_ident(g, v->b, &owner) == 1
				? attr_of_entity(g, owner)
				: 0);
	} else if (graph_get(g, e, graph_attr_str(g, "db/ident"), &val,
		       &ident) == 1 &&
	    ident.type == LOGSEQ_KEYWORD) {
		attr_set(g, ident.b, 0, attr_of_entity(g, e));
	}
	buf_free(&val);
}

static struct graph_attr *
attr_new(struct graph *g, struct bytes name)
{
	struct graph_attr *a;

	if ((a = calloc(1, sizeof(*a))) == NULL) {
		g->t->failed = 1;
		return (NULL);
	}
	if (logseq_attr_key(&a->key, name) == -1) {
		buf_free(&a->key);
		free(a);
		return (NULL);
	}
	buf_add_bytes(&a->name, name);
	if (a->key.failed || a->name.failed)
		g->t->failed = 1;
	a->next = g->attrs_list;
	g->attrs_list = a;
	a->flags = attr_flags(g, a);
	return (a);
}

static unsigned int
attr_flags(struct graph *g, const struct graph_attr *a)
{
	struct bytes given;
	unsigned int flags = 0;
	size_t i;

	for (i = 0; i < sizeof(attr_fixed) / sizeof(attr_fixed[0]); i++)
		if (graph_attr_is(a, attr_fixed[i].name))
			flags = attr_fixed[i].flags;
	if (graph_reg_get(g, LOGSEQ_REG_SCHEMA, g->c->gen, buf_bytes(&a->key),
		&g->val) == 1) {
		given = buf_bytes(&g->val);
		for (i = 0; i < given.n; i++)
			flags |= given.p[i];
	}
	return (flags);
}

static unsigned int
attr_of_entity(struct graph *g, uint64_t e)
{
	unsigned int flags = 0;
	struct buf val = BUF_INIT;
	struct logseq_value v;

	if (attr_value_is(g, e, "db/valueType", "db.type/ref"))
		flags |= REF | INDEX;
	if (attr_value_is(g, e, "db/cardinality", "db.cardinality/many"))
		flags |= MANY;
	if (graph_get(g, e, graph_attr_str(g, "db/index"), &val, &v) == 1 &&
	    v.type == LOGSEQ_BOOL && v.b.p[0] != 0)
		flags |= INDEX;
	if (graph_get(g, e, graph_attr_str(g, "db/unique"), &val, &v) == 1)
		flags |= UNIQUE;
	buf_free(&val);
	return (flags);
}

static int
attr_value_is(struct graph *g, uint64_t e, const char *attr,
    const char *keyword)
{
	struct buf val = BUF_INIT;
	struct logseq_value v;
	int is;

	is = graph_get(g, e, graph_attr_str(g, attr), &val, &v) == 1 &&
	    v.type == LOGSEQ_KEYWORD && bytes_eq(v.b, bytes_str(keyword));
	buf_free(&val);
	return (is);
}

/* Octet 0 is what was learned, 1 what an upload said. */
static void
attr_set(struct graph *g, struct bytes name, size_t octet, unsigned int flags)
{
	struct graph_attr *a = graph_attr(g, name);
	uint8_t both[2] = { 0, 0 };
	uint8_t was;

	if (a == NULL) /* an ident that is no attribute's name */
		return;
	if (graph_reg_get(g, LOGSEQ_REG_SCHEMA, g->c->gen, buf_bytes(&a->key),
		&g->val) == 1 &&
	    g->val.len == sizeof(both))
		memcpy(both, buf_bytes(&g->val).p, sizeof(both));
	was = both[octet];
	both[octet] = (uint8_t)flags;
	if (was == both[octet])
		return;
	graph_reg_put(g, LOGSEQ_REG_SCHEMA, g->c->gen, buf_bytes(&a->key),
	    bytes_of(both, sizeof(both)));
	a->flags = attr_flags(g, a);
}
