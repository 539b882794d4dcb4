/*
 * From row to row of an upload, and what was found to the broker.  What stands
 * in a row is logseq_walk_row.c's.
 */
#include "common/log.h"
#include "common/wire.h"
#include "worker/logseq_walk_parts.h"

/* Each row is looked at twice: for what says what is a ref, and for the rest.
 * Its addr came beside what is kept of it. */
#define WALK_TIMES     2
#define WALK_ROW_BYTES 9
#define WALK_CHILDREN  4096

enum walk_tag { WALK_SUBMIT = LOGSEQ_WALK_TAG, WALK_ROW };

static enum logseq_walk_end walk_stage(struct logseq_walk *, int stage);
static enum logseq_walk_end walk_on(struct logseq_walk *);
static enum logseq_walk_end walk_submit(struct logseq_walk *, enum logseq_verb,
    struct bytes ref);
static enum logseq_walk_end walk_fetch(struct logseq_walk *, uint64_t addr);
static int walk_next(struct logseq_walk *, uint64_t *addr);
static int walk_push(struct logseq_walk *, struct bytes addresses);
static enum logseq_walk_end walk_row(struct logseq_walk *);
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
		if ((r = walk_row_read(k)) == -1)
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
		if (walk_row_root(k, content) == -1)
			return (walk_bad(k, "bad root"));
		k->stage = WALK_SCHEMA;
		return (walk_submit(k, LOGSEQ_UPLOAD_SCHEMA, BYTES_NONE));
	}
	if (k->stage < WALK_TAIL_SCHEMA && addresses.n > 0) {
		if (walk_push(k, addresses) == -1)
			return (walk_bad(k, "bad branch"));
	} else if (walk_row_open(k, content) == -1)
		return (walk_bad(k, "bad leaf"));
	return (walk_on(k));
}

static enum logseq_walk_end
walk_bad(struct logseq_walk *k, const char *reason)
{
	log_info("%s: snapshot refused: %s, row %llu", conn_peer(k->web->conn),
	    reason, (unsigned long long)k->addr);
	return (LOGSEQ_WALK_BAD);
}
