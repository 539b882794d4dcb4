/* From the rows of an upload to datoms. */
#include "common/log.h"
#include "common/wire.h"
#include "worker/logseq_walk.h"

#define WALK_BATCH_BYTES (192u * 1024u)
/* Each row is looked at twice: for what says what is a ref, and for the rest.
 */
#define WALK_TIMES     2
#define WALK_ROW_BYTES 9 /* of its items, beside what is kept of it: the addr  \
			  */
#define WALK_CHILDREN 4096
#define WALK_DATOM    3 /* depth of a datom in a leaf and in the tail */

enum walk_tag { WALK_SUBMIT = LOGSEQ_WALK_TAG, WALK_ROW };

/* In this order; a stage ends when there are no rows left to look at. */
enum walk_stage {
	WALK_BEGIN,
	WALK_ROOT,
	WALK_SCHEMA,	  /* was handed over */
	WALK_TREE_SCHEMA, /* what says which attributes are refs */
	WALK_TREE,
	WALK_TAIL_SCHEMA,
	WALK_TAIL,
	WALK_SUM,
	WALK_FINISH
};

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

static enum logseq_walk_end walk_stage(struct logseq_walk *, int stage);
static enum logseq_walk_end walk_on(struct logseq_walk *);
static enum logseq_walk_end walk_submit(struct logseq_walk *, enum logseq_verb,
    struct bytes ref);
static enum logseq_walk_end walk_fetch(struct logseq_walk *, uint64_t addr);
static int walk_next(struct logseq_walk *, uint64_t *addr);
static int walk_push(struct logseq_walk *, struct bytes addresses);
static enum logseq_walk_end walk_row(struct logseq_walk *);
static int walk_open(struct logseq_walk *, struct bytes content);
static int walk_read(struct logseq_walk *);
static int walk_datom(struct logseq_walk *);
static int walk_wanted(const struct logseq_walk *, struct bytes attr);
static int walk_root(struct logseq_walk *, struct bytes content);
static int walk_schema(struct logseq_walk *);
static int walk_attr(struct logseq_walk *, struct bytes name);
static enum logseq_walk_end walk_bad(struct logseq_walk *, const char *);

void
logseq_walk_init(struct logseq_walk *k, struct logseq_web *w, uint64_t upload,
    struct bytes sum)
{
	memset(k, 0, sizeof(*k));
	k->web = w;
	k->upload = upload;
	k->sum = sum;
}

void
logseq_walk_free(struct logseq_walk *k)
{
	unsigned i;

	if (k->reading)
		transit_reader_free(&k->items->reader);
	logseq_items_free(k->items);
	for (i = 0; i < LOGSEQ_WALK_DEPTH; i++)
		buf_free(&k->level[i].addrs);
	buf_free(&k->from);
	buf_free(&k->row);
	buf_free(&k->batch);
}

enum logseq_walk_end
logseq_walk_begin(struct logseq_walk *k)
{
	if ((k->items = logseq_items_new()) == NULL)
		return (LOGSEQ_WALK_REFUSED);
	return (walk_submit(k, LOGSEQ_UPLOAD_WALK, BYTES_NONE));
}

enum logseq_walk_end
logseq_walk_verdict(struct logseq_walk *k, const struct verdict_in *v)
{
	if (v->code != CODE_OK)
		return (v->code == CODE_INVALID ? walk_bad(k, "refused")
						: LOGSEQ_WALK_REFUSED);
	switch (k->stage) {
	case WALK_BEGIN:
		if (v->info.n != 8)
			return (LOGSEQ_WALK_REFUSED);
		k->octets_max = WALK_TIMES * be64_get(v->info.p);
		k->stage = WALK_ROOT;
		return (walk_fetch(k, LOGSEQ_ROOT_ADDR));
	case WALK_SCHEMA:
		return (walk_stage(k, WALK_TREE_SCHEMA));
	case WALK_SUM:
		if (v->info.n == 1 && v->info.p[0] == 1)
			return (walk_submit(k, LOGSEQ_UPLOAD_SUM, BYTES_NONE));
		return (walk_stage(k, WALK_FINISH));
	case WALK_FINISH:
		return (LOGSEQ_WALK_DONE);
	default:
		return (walk_on(k));
	}
}

/* The pieces of one row. */
enum logseq_walk_end
logseq_walk_fetched(struct logseq_walk *k, const struct fetched_in *f)
{
	struct bytes in = f->entries;
	struct entry e;
	int r;

	if (f->code != CODE_OK)
		return (LOGSEQ_WALK_REFUSED);
	while ((r = entry_unpack(&in, &e)) == 1) {
		buf_clear(&k->from);
		buf_add_bytes(&k->from, e.key);
		buf_add_bytes(&k->row, e.body);
	}
	if (r == -1 || k->row.failed || k->from.failed)
		return (LOGSEQ_WALK_REFUSED);
	if (f->more)
		return (walk_fetch(k, k->addr));
	return (walk_row(k));
}

/* The tail replaces, so it comes last, and what it says of attributes first. */
static enum logseq_walk_end
walk_stage(struct logseq_walk *k, int stage)
{
	uint64_t first = stage <= WALK_TREE ? k->root : LOGSEQ_TAIL_ADDR;

	k->stage = stage;
	if (stage == WALK_SUM && k->sum.n > 0)
		k->stage = stage = WALK_FINISH;
	if (stage == WALK_SUM)
		return (walk_submit(k, LOGSEQ_UPLOAD_SUM, BYTES_NONE));
	if (stage == WALK_FINISH)
		return (walk_submit(k, LOGSEQ_UPLOAD_FINISH, k->sum));
	k->depth = 1;
	k->level[0].at = 0;
	buf_clear(&k->level[0].addrs);
	buf_add_be64(&k->level[0].addrs, first);
	return (walk_on(k));
}

static enum logseq_walk_end
walk_on(struct logseq_walk *k)
{
	uint64_t addr;
	int r;

	if (k->reading) {
		if ((r = walk_read(k)) == -1)
			return (walk_bad(k, "bad datom"));
		if (r == 1)
			return (
			    walk_submit(k, LOGSEQ_UPLOAD_DATOMS, BYTES_NONE));
	}
	if (walk_next(k, &addr)) {
		buf_clear(&k->row);
		buf_clear(&k->from);
		return (walk_fetch(k, addr));
	}
	if (k->batch_n > 0)
		return (walk_submit(k, LOGSEQ_UPLOAD_DATOMS, BYTES_NONE));
	return (walk_stage(k, k->stage + 1));
}

static enum logseq_walk_end
walk_submit(struct logseq_walk *k, enum logseq_verb verb, struct bytes ref)
{
	struct submit_out out = { .tag = WALK_SUBMIT,
		.verb = verb,
		.ref = ref,
		.clock = k->upload,
		.items = buf_bytes(&k->batch) };

	if (verb == LOGSEQ_UPLOAD_DATOMS && k->stage >= WALK_TAIL_SCHEMA)
		out.ref = BYTES_LIT("tail");
	if (k->batch.failed)
		return (LOGSEQ_WALK_REFUSED);
	logseq_submit(k->web, &out);
	buf_clear(&k->batch);
	k->batch_n = 0;
	return (LOGSEQ_WALK_GOES_ON);
}

static enum logseq_walk_end
walk_fetch(struct logseq_walk *k, uint64_t addr)
{
	uint8_t prefix[LOGSEQ_PREFIX_LEN + 8];

	k->addr = addr;
	logseq_prefix(prefix, LOGSEQ_REG_ROW, k->upload);
	be64_put(prefix + LOGSEQ_PREFIX_LEN, addr);
	logseq_fetch(k->web, WALK_ROW, FETCH_RECORDS, 0, 0,
	    bytes_of(prefix, sizeof(prefix)), buf_bytes(&k->from));
	return (LOGSEQ_WALK_GOES_ON);
}

/* The next row, depth first: 1, or 0 when there is none. */
static int
walk_next(struct logseq_walk *k, uint64_t *addr)
{
	struct walk_level *l;

	for (; k->depth > 0; k->depth--) {
		l = &k->level[k->depth - 1];
		if (l->at + 8 <= l->addrs.len) {
			*addr = be64_get(buf_bytes(&l->addrs).p + l->at);
			l->at += 8;
			return (1);
		}
	}
	return (0);
}

/* The children of a branch: a JSON array of integers. */
static int
walk_push(struct logseq_walk *k, struct bytes addresses)
{
	struct json_report report;
	struct walk_level *l;
	struct json list, addr;
	struct json_iter it;
	int64_t n;

	if (k->depth == LOGSEQ_WALK_DEPTH ||
	    json_parse(&list, addresses, 1, &report) == -1 ||
	    list.type != JSON_ARRAY)
		return (-1);
	l = &k->level[k->depth++];
	l->at = 0;
	buf_clear(&l->addrs);
	for (json_iter_init(&it, &list); json_iter_next(&it, NULL, &addr);)
		if (json_int64(&addr, &n) == -1 || n <= LOGSEQ_TAIL_ADDR ||
		    l->addrs.len == WALK_CHILDREN * sizeof(uint64_t) ||
		    buf_add_be64(&l->addrs, (uint64_t)n) == -1)
			return (-1);
	return (0);
}

/* A row is here as a whole. */
static enum logseq_walk_end
walk_row(struct logseq_walk *k)
{
	struct bytes row = buf_bytes(&k->row), addresses, content;

	if (row.n == 0 && k->stage >= WALK_TAIL_SCHEMA)
		return (walk_on(k));
	if (row.n == 0)
		return (LOGSEQ_WALK_SHORT);
	k->octets += WALK_ROW_BYTES + row.n;
	if (k->octets > k->octets_max)
		return (walk_bad(k, "rows that are met again"));
	if (list_next(&row, &addresses) != 1 || list_next(&row, &content) != 1)
		return (walk_bad(k, "bad row"));
	if (k->stage == WALK_ROOT) {
		if (walk_root(k, content) == -1)
			return (walk_bad(k, "bad root"));
		k->stage = WALK_SCHEMA;
		return (walk_submit(k, LOGSEQ_UPLOAD_SCHEMA, BYTES_NONE));
	}
	if (k->stage < WALK_TAIL_SCHEMA && addresses.n > 0) {
		if (walk_push(k, addresses) == -1)
			return (walk_bad(k, "bad branch"));
	} else if (walk_open(k, content) == -1)
		return (walk_bad(k, "bad leaf"));
	return (walk_on(k));
}

/* The reader is put before the first datom. */
static int
walk_open(struct logseq_walk *k, struct bytes content)
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

/* 1: a batch is full; 0: that was the row; -1. */
static int
walk_read(struct logseq_walk *k)
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

static int
walk_root(struct logseq_walk *k, struct bytes content)
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

static enum logseq_walk_end
walk_bad(struct logseq_walk *k, const char *reason)
{
	log_info("%s: snapshot refused: %s, row %llu", conn_peer(k->web->conn),
	    reason, (unsigned long long)k->addr);
	return (LOGSEQ_WALK_BAD);
}
