/*
 * The rig of logseq's rule tests: see the header.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/logseq_graph.h"
#include "common/logseq_index.h"
#include "common/wire.h"
#include "tests/lib/kv_mem.h"
#include "tests/lib/logseq_rig.h"

extern const struct rule rule_logseq;

static void rig_begin(struct rig *, struct txn *, unsigned int room,
    const char *name);
static void rig_hook(struct rig *, void (*)(struct txn *));
static void rig_end(struct rig *, struct txn *);
static void rig_fail(const char *) __attribute__((noreturn));
static void rig_graph_new(struct rig *);
static txn_each_reg rig_dump_each, rig_check_each;
static txn_each_record rig_log_each;

int
rig_new(struct rig *r)
{
	return (rig_new_on(r, kv_mem_open()));
}

int
rig_new_on(struct rig *r, struct kv *kv)
{
	memset(r, 0, sizeof(*r));
	r->kv = kv;
	r->reader = logseq_items_new();
	r->subject = BYTES_LIT(RIG_USER);
	r->session = 5;
	r->now_ms = 1000000;
	r->claims.sub = r->subject;
	r->conf.logseq_snapshot_max = INT64_MAX;
	if (r->kv == NULL || r->reader == NULL)
		return (-1);
	rig_graph_new(r);
	return (0);
}

void
rig_free(struct rig *r)
{
	r->kv->ops->close(r->kv);
	logseq_items_free(r->reader);
	buf_free(&r->info);
	buf_free(&r->frames);
}

enum code
rig_submit(struct rig *r, unsigned int room, const char *name,
    const struct submit *s)
{
	const struct rule_verb *v = rule_logseq.verbs;
	struct txn t;

	while (v->name != NULL && v->verb != s->verb)
		v++;
	if (v->name == NULL)
		rig_fail("no such verb");
	rig_begin(r, &t, room, name);
	r->code = v->decide(&t, s);
	rig_end(r, &t);
	return (r->code);
}

enum code
rig_verb(struct rig *r, uint64_t verb)
{
	struct submit s = { .verb = verb };

	return (rig_submit(r, LOGSEQ_ROOM_GRAPH, RIG_GRAPH, &s));
}

enum code
rig_open(struct rig *r)
{
	struct txn t;

	rig_begin(r, &t, LOGSEQ_ROOM_GRAPH, RIG_GRAPH);
	r->code = rule_logseq.open(&t);
	rig_end(r, &t);
	return (r->code);
}

void
rig_join(struct rig *r)
{
	rig_hook(r, rule_logseq.join);
}

void
rig_leave(struct rig *r)
{
	rig_hook(r, rule_logseq.leave);
}

void
rig_card(struct rig *r)
{
	rig_hook(r, rule_logseq.card);
}

enum code
rig_batch(struct rig *r, uint64_t t_before, const struct rig_entry *e, size_t n)
{
	struct submit s = { .verb = LOGSEQ_TX, .clock = t_before };
	struct buf items = BUF_INIT, body = BUF_INIT;
	size_t i;

	for (i = 0; i < n; i++)
		rig_entry_pack(r, &e[i], &items, &body);
	s.items = buf_bytes(&items);
	s.body = BODY_OF(buf_bytes(&body));
	if (rig_submit(r, LOGSEQ_ROOM_GRAPH, RIG_GRAPH, &s) == CODE_OK) {
		if (logseq_outcome_unpack(buf_bytes(&r->info), &r->out) == -1)
			rig_fail("malformed outcome");
		r->t = r->out.t;
	}
	buf_free(&items);
	buf_free(&body);
	return (r->code);
}

enum logseq_result
rig_tx(struct rig *r, const char *op, const char *tx)
{
	struct rig_entry e = { .tx = tx, .op = op };

	if (rig_batch(r, r->t, &e, 1) != CODE_OK)
		rig_fail("refused");
	return (r->out.result);
}

struct logseq_state
rig_state(struct rig *r)
{
	struct logseq_state s = { 0 };

	if (rig_verb(r, LOGSEQ_STATE) != CODE_OK ||
	    logseq_state_unpack(buf_bytes(&r->info), &s) == -1)
		rig_fail("no state");
	return (s);
}

int
rig_scan(struct rig *r, struct bytes prefix, txn_each_reg *each, void *arg)
{
	return (rig_page(r, prefix, BYTES_NONE, each, arg));
}

int
rig_page(struct rig *r, struct bytes prefix, struct bytes from,
    txn_each_reg *each, void *arg)
{
	struct txn t;
	int rc;

	rig_begin(r, &t, LOGSEQ_ROOM_GRAPH, RIG_GRAPH);
	rc = txn_reg_scan(&t, prefix, from, each, arg);
	rig_end(r, &t);
	return (rc);
}

void
rig_dump(struct rig *r, char kind, struct buf *out)
{
	uint8_t prefix[LOGSEQ_PREFIX_LEN];

	logseq_prefix(prefix, kind, rig_state(r).gen);
	rig_scan(r, bytes_of(prefix, sizeof(prefix)), rig_dump_each, out);
}

void
rig_check(struct rig *r)
{
	struct buf eids = BUF_INIT, by_attr = BUF_INIT;
	uint8_t prefix[LOGSEQ_PREFIX_LEN];
	struct graph_content was;
	struct graph g;
	struct txn t;
	uint64_t e, last = 0;
	size_t i;

	rig_begin(r, &t, LOGSEQ_ROOM_GRAPH, RIG_GRAPH);
	if (graph_begin(&g, &t) == -1)
		rig_fail("no graph");
	was = g.m.live;
	g.m.live.h1 = g.m.live.h2 = 0;
	logseq_prefix(prefix, LOGSEQ_REG_EAVT, was.gen);
	txn_reg_scan(&t, bytes_of(prefix, sizeof(prefix)), BYTES_NONE,
	    rig_check_each, &eids);
	logseq_prefix(prefix, LOGSEQ_REG_AEVT, was.gen);
	txn_reg_scan(&t, bytes_of(prefix, sizeof(prefix)), BYTES_NONE,
	    rig_check_each, &by_attr);
	if (eids.len != was.datoms * 8 || by_attr.len != eids.len)
		rig_fail("not the datoms that there should be");
	for (i = 0; i < eids.len; i += 8) {
		e = be64_get(buf_bytes(&eids).p + i);
		if (e != last)
			graph_sum_entity(&g, e, 1);
		last = e;
	}
	if (was.sum_known && (g.m.live.h1 != was.h1 || g.m.live.h2 != was.h2))
		rig_fail("not the checksum of the content");
	graph_end(&g);
	rig_end(r, &t);
	buf_free(&eids);
	buf_free(&by_attr);
}

void
rig_log(struct rig *r, struct buf *out)
{
	struct txn t;

	rig_begin(r, &t, LOGSEQ_ROOM_GRAPH, RIG_GRAPH);
	txn_log_scan(&t, 0, t.seq, rig_log_each, out);
	rig_end(r, &t);
}

static void
rig_begin(struct rig *r, struct txn *t, unsigned int room, const char *name)
{
	struct doc_id id = { LOGSEQ_DIALECT, room, bytes_str(name) };

	if (r->kv->ops->begin(r->kv) == -1)
		rig_fail("begin");
	txn_init(t, r->kv, &id);
	if (txn_load(t) == -1)
		rig_fail("load");
	t->conf = &r->conf;
	t->row_later = 1;
	t->now_ms = r->now_ms;
	t->cards = r->cards;
	t->who.session = r->session;
	t->who.card = r->card;
	t->who.subject = r->subject;
	t->who.claims = &r->claims;
}

static void
rig_hook(struct rig *r, void (*hook)(struct txn *))
{
	struct txn t;

	rig_begin(r, &t, LOGSEQ_ROOM_GRAPH, RIG_GRAPH);
	hook(&t);
	rig_end(r, &t);
}

static void
rig_end(struct rig *r, struct txn *t)
{
	struct effect *e;

	buf_clear(&r->info);
	buf_add_bytes(&r->info, buf_bytes(&t->info));
	buf_clear(&r->frames);
	for (e = t->effects; e != NULL; e = e->next) {
		buf_add_bytes(&r->frames, buf_bytes(&e->data));
		buf_add_u8(&r->frames, '\n');
	}
	if (txn_row_save(t) == -1 || t->failed)
		rig_fail("the transaction failed");
	if (r->kv->ops->commit(r->kv) == -1)
		rig_fail("commit");
	txn_done(t);
}

/* A plain one, ready. */
static void
rig_graph_new(struct rig *r)
{
	struct submit s = { .verb = LOGSEQ_GRAPH_NEW,
		.ref = BYTES_LIT(RIG_GRAPH) };
	struct buf items = BUF_INIT;
	struct txn t;

	rig_begin(r, &t, LOGSEQ_ROOM_INDEX, LOGSEQ_INDEX_NAME);
	if (rule_logseq.open(&t) != CODE_OK)
		rig_fail("no index");
	rig_end(r, &t);
	list_add(&items, BYTES_LIT("graph"));
	list_add(&items, BYTES_NONE);
	logseq_list_add_u64(&items, 0);
	logseq_list_add_u64(&items, 1);
	s.items = buf_bytes(&items);
	if (rig_submit(r, LOGSEQ_ROOM_INDEX, LOGSEQ_INDEX_NAME, &s) != CODE_OK)
		rig_fail("no graph");
	buf_free(&items);
}

static void
rig_fail(const char *why)
{
	fprintf(stderr, "logseq_rig: %s\n", why);
	abort();
}

void
rig_entry_pack(struct rig *r, const struct rig_entry *e, struct buf *items,
    struct buf *body)
{
	struct buf list = BUF_INIT, entry = BUF_INIT, op = BUF_INIT;
	struct logseq_entry in = { .seed = e->seed,
		.tx_id = e->id == NULL ? BYTES_NONE : bytes_str(e->id),
		.op = e->op == NULL ? BYTES_NONE : bytes_str(e->op) };
	size_t before = body->len;

	if (logseq_items_read(r->reader, bytes_str(e->tx), &list) == -1) {
		in.broken = 1;
		buf_clear(&list);
	}
	if (e->op == NULL)
		buf_add_str(&op, "null");
	else
		logseq_json_string(&op, in.op);
	logseq_json_string(body, bytes_str(e->tx));
	in.op_json = buf_bytes(&op);
	in.text = body->len - before;
	in.items = buf_bytes(&list);
	logseq_entry_pack(&entry, &in);
	list_add(items, buf_bytes(&entry));
	buf_free(&list);
	buf_free(&entry);
	buf_free(&op);
}

static int
rig_dump_each(struct bytes key, struct bytes val, void *arg)
{
	struct logseq_datom d;

	if (logseq_datom_of_reg(key, val, &d) == -1)
		rig_fail("malformed datom");
	buf_printf(arg, "%" PRIu64 " ", d.e);
	logseq_attr_name(arg, d.a);
	buf_add_u8(arg, ' ');
	logseq_value_text(arg, &d.v);
	buf_add_u8(arg, '\n');
	return (0);
}

static int
rig_check_each(struct bytes key, struct bytes val, void *arg)
{
	struct logseq_datom d;

	if (logseq_datom_of_reg(key, val, &d) == -1)
		rig_fail("malformed datom");
	return (buf_add_be64(arg, d.e));
}

static int
rig_log_each(const struct record *r, void *arg)
{
	buf_add_bytes(arg, r->body.b);
	return (buf_add_u8(arg, '\n'));
}
