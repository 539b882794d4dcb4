/* What stands in the rows of an upload: a schema, and datoms. */
#include "common/wire.h"
#include "worker/logseq_walk_parts.h"

#define WALK_BATCH_BYTES (192u * 1024u)
#define WALK_DATOM	 3 /* depth of a datom in a leaf and in the tail */

/* What attributes say of attributes. */
static const struct {
	const char *name;
	const char *value; /* NULL: any but false */
	uint8_t flag;
} walk_flags[] = {
	{ "db/valueType", "db.type/ref", LOGSEQ_FLAG_REF },
	{ "db/cardinality", "db.cardinality/many", LOGSEQ_FLAG_MANY },
	{ "db/index", NULL, LOGSEQ_FLAG_INDEX },
	{ "db/unique", NULL, LOGSEQ_FLAG_UNIQUE },
};

static int walk_datom(struct logseq_walk *);
static int walk_wanted(const struct logseq_walk *, struct bytes attr);
static int walk_schema(struct logseq_walk *);
static int walk_attr(struct logseq_walk *, struct bytes name);

int
walk_row_open(struct logseq_walk *k, struct bytes content)
{
	struct transit_reader *r = &k->items->reader;
	int tail = k->stage >= WALK_TAIL_SCHEMA;
	struct transit t;

	transit_reader_init(r, content);
	k->reading = 1;
	if (transit_next(r, &t) != 1 ||
	    t.type != (tail ? TRANSIT_ARRAY : TRANSIT_MAP))
		return (-1);
	while (!tail && transit_next(r, &t) == 1 && t.type == TRANSIT_KEYWORD) {
		if (bytes_eq(t.text, BYTES_LIT("keys")))
			return (
			    transit_next(r, &t) == 1 && t.type == TRANSIT_ARRAY
				? 0
				: -1);
		if (transit_next(r, &t) != 1 || transit_skip(r, &t) == -1)
			return (-1);
	}
	return (tail ? 0 : -1);
}

int
walk_row_read(struct logseq_walk *k)
{
	struct transit_reader *r = &k->items->reader;
	int tail = k->stage >= WALK_TAIL_SCHEMA;
	struct transit t;

	while (
	    k->batch_n < LOGSEQ_DATOMS_MAX && k->batch.len < WALK_BATCH_BYTES) {
		if (transit_next(r, &t) != 1)
			return (-1);
		if (t.type == TRANSIT_END && r->depth < (tail ? 1u : 2u)) {
			transit_reader_free(r);
			k->reading = 0;
			return (0);
		}
		if (t.type == TRANSIT_ARRAY && r->depth == WALK_DATOM) {
			if (walk_datom(k) == -1)
				return (-1);
		} else if (!tail ||
		    (t.type != TRANSIT_ARRAY && t.type != TRANSIT_END))
			return (-1);
	}
	return (1);
}

/* [e, a, v, tx], its opening was read; with tx < 0 it is taken back. */
static int
walk_datom(struct logseq_walk *k)
{
	struct logseq_items *it = k->items;
	struct logseq_datom d = { .op = LOGSEQ_OP_ADD };
	struct logseq_lookup lookup;
	struct transit t;

	if (transit_next(&it->reader, &t) != 1 || t.type != TRANSIT_INT ||
	    t.i <= 0)
		return (-1);
	d.e = (uint64_t)t.i;
	if (transit_next(&it->reader, &t) != 1 || t.type != TRANSIT_KEYWORD ||
	    t.text.n > LOGSEQ_ATTR_MAX)
		return (-1);
	buf_clear(&it->attr);
	buf_add_bytes(&it->attr, t.text);
	d.a = buf_bytes(&it->attr);
	if (transit_next(&it->reader, &t) != 1 ||
	    logseq_items_value(it, &t, &it->v, &d.v) == -1 ||
	    d.v.type == LOGSEQ_NULL)
		return (-1);
	/* What looks like one is a vector here: refs are numbers. */
	if (d.v.type == LOGSEQ_LOOKUP &&
	    logseq_lookup_unpack(d.v.b, &lookup) == 0)
		d.v = (struct logseq_value){ LOGSEQ_OPAQUE, lookup.text };
	if (transit_next(&it->reader, &t) != 1 || t.type != TRANSIT_INT ||
	    t.i == INT64_MIN)
		return (-1);
	if (t.i < 0)
		d.op = LOGSEQ_OP_RETRACT;
	d.tx = (uint64_t)(t.i < 0 ? -t.i : t.i);
	if (transit_next(&it->reader, &t) != 1 || t.type != TRANSIT_END)
		return (-1);
	if (!walk_wanted(k, d.a))
		return (0);
	buf_clear(&it->item);
	k->batch_n++;
	return (logseq_datom_pack(&it->item, &d) == -1
		? -1
		: list_add(&k->batch, buf_bytes(&it->item)));
}

static int
walk_wanted(const struct logseq_walk *k, struct bytes attr)
{
	size_t i;

	if (k->stage != WALK_TREE_SCHEMA && k->stage != WALK_TAIL_SCHEMA)
		return (1);
	if (bytes_eq(attr, BYTES_LIT("db/ident")))
		return (1);
	for (i = 0; i < sizeof(walk_flags) / sizeof(*walk_flags); i++)
		if (bytes_eq(attr, bytes_str(walk_flags[i].name)))
			return (1);
	return (0);
}

int
walk_row_root(struct logseq_walk *k, struct bytes content)
{
	struct transit_reader *r = &k->items->reader;
	struct transit t;
	int n, rc = -1;

	transit_reader_init(r, content);
	if (transit_next(r, &t) != 1 || t.type != TRANSIT_MAP)
		goto out;
	while ((n = transit_next(r, &t)) == 1 && t.type != TRANSIT_END) {
		if (t.type == TRANSIT_KEYWORD &&
		    bytes_eq(t.text, BYTES_LIT("schema"))) {
			if (walk_schema(k) == -1)
				goto out;
			continue;
		}
		n = t.type == TRANSIT_KEYWORD &&
		    bytes_eq(t.text, BYTES_LIT("eavt"));
		if (transit_next(r, &t) != 1 || transit_skip(r, &t) == -1)
			goto out;
		if (n && t.type == TRANSIT_INT && t.i > LOGSEQ_TAIL_ADDR)
			k->root = (uint64_t)t.i;
	}
	rc = n == 1 && k->root != 0 ? 0 : -1;
out:
	transit_reader_free(r);
	return (rc);
}

/* Keys that are numbers name idents: the data has them as well. */
static int
walk_schema(struct logseq_walk *k)
{
	struct transit_reader *r = &k->items->reader;
	struct transit t, key;

	if (transit_next(r, &t) != 1 || t.type != TRANSIT_MAP)
		return (-1);
	while (transit_next(r, &key) == 1 && key.type != TRANSIT_END) {
		buf_clear(&k->items->attr);
		buf_add_bytes(&k->items->attr, key.text);
		if (transit_next(r, &t) != 1)
			return (-1);
		if (key.type != TRANSIT_KEYWORD || t.type != TRANSIT_MAP) {
			if (transit_skip(r, &t) == -1)
				return (-1);
		} else if (walk_attr(k, buf_bytes(&k->items->attr)) == -1)
			return (-1);
	}
	return (r->reason == NULL ? 0 : -1);
}

static int
walk_attr(struct logseq_walk *k, struct bytes name)
{
	struct transit_reader *r = &k->items->reader;
	struct transit t;
	uint8_t flags = 0;
	size_t i;

	while (transit_next(r, &t) == 1 && t.type == TRANSIT_KEYWORD) {
		for (i = 0; i < sizeof(walk_flags) / sizeof(*walk_flags); i++)
			if (bytes_eq(t.text, bytes_str(walk_flags[i].name)))
				break;
		if (transit_next(r, &t) != 1)
			return (-1);
		if (i < sizeof(walk_flags) / sizeof(*walk_flags) &&
		    (walk_flags[i].value == NULL
			    ? t.type != TRANSIT_BOOL || t.i != 0
			    : bytes_eq(t.text, bytes_str(walk_flags[i].value))))
			flags |= walk_flags[i].flag;
		if (transit_skip(r, &t) == -1)
			return (-1);
	}
	if (r->reason != NULL || t.type != TRANSIT_END)
		return (-1);
	if (list_add(&k->batch, name) == -1)
		return (-1);
	return (list_add(&k->batch, bytes_of(&flags, 1)));
}
