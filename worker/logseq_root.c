/* The root row. */
#include <stdio.h>

#include "common/wire.h"
#include "worker/logseq_root.h"

#define ROOT_FORKING 32 /* keys of a node at most */

enum {
	REF = LOGSEQ_FLAG_REF,
	MANY = LOGSEQ_FLAG_MANY,
	INDEX = LOGSEQ_FLAG_INDEX,
	UNIQUE = LOGSEQ_FLAG_UNIQUE
};

static const struct {
	const char *name;
	uint8_t flags;
} root_fixed[] = {
#define ATTR(name, flags) { name, flags },
#include "common/logseq_attrs.def"
#undef ATTR
};

struct root_flag {
	uint8_t flag;
	const char *attr;
	const char *value; /* NULL: true */
};

static const struct root_flag root_flags[] = {
	{ REF, "db/valueType", "db.type/ref" },
	{ MANY, "db/cardinality", "db.cardinality/many" },
	{ INDEX, "db/index", NULL },
	{ UNIQUE, "db/unique", "db.unique/identity" },
};

static uint8_t root_known(struct bytes name);
static void root_rest(struct logseq_root *);
static void root_schema(struct transit_writer *, struct bytes list);
static void root_attr(struct transit_writer *, uint8_t flags);
static void root_number(struct transit_writer *, const char *key, uint64_t);
static void root_index(struct transit_writer *, const char *key,
    const struct logseq_tree *);

int
logseq_root_attr(struct logseq_root *r, struct bytes name, struct bytes flags)
{
	uint8_t all = root_known(name);
	size_t i;

	for (i = 0; i < flags.n; i++)
		all |= flags.p[i];
	list_add(&r->schema, name);
	return (list_add(&r->schema, bytes_of(&all, 1)));
}

int
logseq_root_write(struct logseq_root *r, struct logseq_pen *pen)
{
	struct transit_writer *w = &pen->writer;

	root_rest(r);
	logseq_pen_begin(pen);
	transit_open(w, TRANSIT_MAP);
	transit_write_text(w, TRANSIT_KEYWORD, BYTES_LIT("schema"));
	root_schema(w, buf_bytes(&r->schema));
	root_number(w, "max-tx", r->max_tx);
	root_number(w, "max-eid", r->max_eid);
	root_number(w, "max-addr", r->max_addr);
	root_number(w, "branching-factor", ROOT_FORKING);
	transit_write_text(w, TRANSIT_KEYWORD, BYTES_LIT("ref-type"));
	transit_write_text(w, TRANSIT_KEYWORD, BYTES_LIT("strong"));
	root_index(w, "eavt", r->eavt);
	root_index(w, "aevt", r->aevt);
	root_index(w, "avet", r->avet);
	transit_close(w);
	return (logseq_pen_end(pen) == -1 || r->schema.failed ? -1 : 0);
}

/* What is known of an attribute without any data. */
static uint8_t
root_known(struct bytes name)
{
	size_t i;

	for (i = 0; i < sizeof(root_fixed) / sizeof(*root_fixed); i++)
		if (bytes_eq(name, bytes_str(root_fixed[i].name)))
			return (root_fixed[i].flags);
	return (0);
}

/* The fixed ones that the graph says nothing of. */
static void
root_rest(struct logseq_root *r)
{
	struct bytes list, name, flags;
	int there;
	size_t i;

	for (i = 0; i < sizeof(root_fixed) / sizeof(*root_fixed); i++) {
		list = buf_bytes(&r->schema);
		there = 0;
		while (!there && list_next(&list, &name) == 1 &&
		    list_next(&list, &flags) == 1)
			there = bytes_eq(name, bytes_str(root_fixed[i].name));
		if (there)
			continue;
		list_add(&r->schema, bytes_str(root_fixed[i].name));
		list_add(&r->schema, bytes_of(&root_fixed[i].flags, 1));
	}
}

static void
root_schema(struct transit_writer *w, struct bytes list)
{
	struct bytes name, flags;

	transit_open(w, TRANSIT_MAP);
	while (list_next(&list, &name) == 1 && list_next(&list, &flags) == 1) {
		transit_write_text(w, TRANSIT_KEYWORD, name);
		root_attr(w, flags.p[0]);
	}
	transit_close(w);
}

static void
root_attr(struct transit_writer *w, uint8_t flags)
{
	struct transit yes = { .type = TRANSIT_BOOL, .i = 1 };
	const struct root_flag *f = root_flags;
	const struct root_flag *end =
	    root_flags + sizeof(root_flags) / sizeof(*root_flags);

	transit_open(w, TRANSIT_MAP);
	for (; f < end; f++) {
		if ((flags & f->flag) == 0)
			continue;
		transit_write_text(w, TRANSIT_KEYWORD, bytes_str(f->attr));
		if (f->value == NULL)
			transit_write(w, &yes);
		else
			transit_write_text(w, TRANSIT_KEYWORD,
			    bytes_str(f->value));
	}
	transit_close(w);
}

static void
root_number(struct transit_writer *w, const char *key, uint64_t n)
{
	transit_write_text(w, TRANSIT_KEYWORD, bytes_str(key));
	transit_write_int(w, (int64_t)n);
}

static void
root_index(struct transit_writer *w, const char *key,
    const struct logseq_tree *tree)
{
	char metadata[32];

	root_number(w, key, tree->root);
	(void)snprintf(metadata, sizeof(metadata), "%s-metadata", key);
	transit_write_text(w, TRANSIT_KEYWORD, bytes_str(metadata));
	transit_open(w, TRANSIT_MAP);
	root_number(w, "count", tree->count);
	root_number(w, "shift", tree->shift);
	transit_close(w);
}
