/*
 * What takes too long for a batch, in a broker of this process: decided in
 * parts it comes out as in one piece, keeps up nobody else, and is all or
 * nothing whatever fails in between.
 */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "broker/outcome.h"
#include "broker/apart.h"
#include "broker/kv_undo.h"
#include "broker/outcome.h"
#include "common/wire.h"
#include "tests/lib/logseq_rig.h"
#include "tests/lib/store.h"

#define BLOCKS 400u
#define TX_MAX (256u * 1024u)

struct world {
	struct broker b;
	struct store store;
	struct rig graph; /* over the broker's store */
	struct rig like;  /* where all is done in one piece */
	uint8_t before[STORE_DIGEST_LEN];
};

static struct kv_ops ops;	   /* the store's, with our commit */
static const struct kv_ops *whole; /* the store's own */
static int commits, refuse_at;	   /* the number of the one that fails */
static struct event_base *loop;

struct end {
	struct chan chan;
	struct session *s;
};

/* Between two commits the test has its say. */
static int
commit(struct kv *kv)
{
	event_base_loopbreak(loop);
	if (++commits != refuse_at)
		return (whole->commit(kv));
	whole->abort(kv);
	return (-1);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct broker *b = &w->b;

	commits = refuse_at = 0;
	assert_int_equal(config_load_with(NULL, NULL, 0, &b->conf), 0);
	store_new(&w->store, STORE_BDB);
	b->kv = w->store.kv;
	assert_int_equal(rig_new_on(&w->graph, b->kv), 0);
	assert_int_equal(rig_new(&w->like), 0);
	ops = *(whole = b->kv->ops);
	ops.commit = commit;
	b->kv->ops = &ops;
	assert_non_null(b->base = loop = event_base_new());
	assert_int_equal(event_base_priority_init(b->base, 3), 0);
	TAILQ_INIT(&b->sessions);
	TAILQ_INIT(&b->jobs);
	b->next_session = 1;
	assert_non_null(b->outcomes = outcomes_load(b));
	assert_int_equal(batch_init(b), 0);
	*state = w;
	return (0);
}

static void
settle(struct world *w)
{
	do
		event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	while (!batch_idle(&w->b));
	event_base_loop(w->b.base, EVLOOP_NONBLOCK);
}

static int
teardown(void **state)
{
	struct world *w = *state;
	struct session *s;

	while ((s = TAILQ_FIRST(&w->b.sessions)) != NULL)
		session_close(s);
	settle(w);
	batch_done(&w->b);
	outcomes_free(w->b.outcomes);
	event_base_free(w->b.base);
	w->b.kv->ops = whole;
	rig_free(&w->graph); /* with the store */
	rig_free(&w->like);
	w->store.kv = NULL;
	store_remove(&w->store);
	config_free(w->b.conf);
	free(w);
	return (0);
}

static void
say(struct world *w, struct end *e, const struct msg *m)
{
	assert_int_equal(chan_send(&e->chan, m), 0);
	while (chan_pending(&e->chan) > 0) {
		assert_int_equal(chan_flush(&e->chan), 0);
		event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	}
}

/* 1: an answer, which m is. */
static int
hears(struct world *w, struct end *e, struct msg *m)
{
	event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	while (chan_read(&e->chan) == 1)
		;
	return (chan_next(&e->chan, m) == 1);
}

/* Comes with an OPEN. */
static void
knock(struct world *w, struct end *e, enum dialect_id dialect,
    unsigned int room, const char *name)
{
	struct msg m = MSG(OPEN);
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	session_new(&w->b, pair[0], 0);
	chan_init(&e->chan, pair[1], IPC_FROM_BROKER, 1);
	e->s = TAILQ_LAST(&w->b.sessions, session_list);
	e->s->state = IPC_GRANTED;
	e->s->scope = SCOPE_WRITE;
	e->s->dialect = dialect;
	assert_null(claims_parse(BYTES_LIT("{\"sub\":\"" RIG_USER
					   "\",\"aud\":[\"" RIG_GRAPH
					   "\",\"other\"],\"scope\":"
					   "\"write\"}"),
	    &e->s->claims));
	m.f[open_dialect].u = dialect;
	m.f[open_room].u = room;
	m.f[open_name].b = bytes_str(name);
	say(w, e, &m);
}

static void
enter(struct world *w, struct end *e)
{
	struct msg m;

	while (!hears(w, e, &m))
		;
	assert_int_equal(m.type, IPC_OPENED);
	assert_int_equal(m.f[opened_code].u, CODE_OK);
	close(chan_take_fd(&e->chan));
	close(chan_take_fd(&e->chan));
}

static void
dial(struct world *w, struct end *e, enum dialect_id dialect, unsigned int room,
    const char *name)
{
	knock(w, e, dialect, room, name);
	enter(w, e);
}

/* Numbers of documents are not taken back: the graph has its own before. */
static void
number_graph(struct world *w)
{
	const struct doc_id id = { DIALECT_LOGSEQ, LOGSEQ_ROOM_GRAPH,
		BYTES_LIT(RIG_GRAPH) };
	struct txn t;

	assert_int_equal(w->b.kv->ops->begin(w->b.kv), 0);
	txn_init(&t, w->b.kv, &id);
	assert_int_not_equal(txn_load(&t), -1);
	assert_int_equal(txn_create(&t), 0);
	txn_done(&t);
	assert_int_equal(w->b.kv->ops->commit(w->b.kv), 0);
}

static void
dial_graph(struct world *w, struct end *e)
{
	number_graph(w);
	dial(w, e, DIALECT_LOGSEQ, LOGSEQ_ROOM_GRAPH, RIG_GRAPH);
	store_digest(w->b.kv, w->before);
}

/* Short, and much to do. */
static const char drop[] =
    "[[\"~:db/retractEntity\",[\"~:block/uuid\",\"~u00000000-0000-4000-"
    "8000-000000000000\"]]]";

/* A page and what is on it. */
static char *
tx_page(void)
{
	char *tx = malloc(TX_MAX);
	size_t at = 0;
	unsigned int i;

	at += (size_t)snprintf(tx, TX_MAX,
	    "[[\"~:db/add\",\"p\",\"~:block/uuid\",\"~u%08u-0000-4000-8000-"
	    "000000000000\"],[\"~:db/add\",\"p\",\"~:block/name\",\"page\"]",
	    0u);
	for (i = 1; i <= BLOCKS; i++)
		at += (size_t)snprintf(tx + at, TX_MAX - at,
		    ",[\"~:db/add\",\"%u\",\"~:block/uuid\",\"~u%08u-0000-4000-"
		    "8000-000000000000\"],[\"~:db/add\",\"%u\",\"~:block/page\","
		    "\"p\"],[\"~:db/add\",\"%u\",\"~:block/parent\",\"p\"],"
		    "[\"~:db/add\",\"%u\",\"~:block/title\",\"block %u\"]",
		    i, i, i, i, i, i);
	snprintf(tx + at, TX_MAX - at, "]");
	return (tx);
}

static void
say_tx(struct world *w, struct end *e, const char *tx, const char *op,
    uint64_t t)
{
	struct rig_entry entry = { .tx = tx, .op = op };
	struct buf items = BUF_INIT, body = BUF_INIT;
	struct msg m = MSG(SUBMIT);

	rig_entry_pack(&w->graph, &entry, &items, &body);
	m.f[submit_verb].u = LOGSEQ_TX;
	m.f[submit_clock].u = t;
	m.f[submit_items].b = buf_bytes(&items);
	m.f[submit_body].b = buf_bytes(&body);
	say(w, e, &m);
	buf_free(&items);
	buf_free(&body);
}

static void
say_state(struct world *w, struct end *e)
{
	struct msg m = MSG(SUBMIT);

	m.f[submit_verb].u = LOGSEQ_STATE;
	say(w, e, &m);
}

static void
verdict(struct world *w, struct end *e, enum code code)
{
	struct logseq_outcome out;
	struct msg m;

	while (!hears(w, e, &m))
		;
	assert_int_equal(m.type, IPC_VERDICT);
	assert_int_equal(m.f[verdict_code].u, code);
	if (code != CODE_OK)
		return;
	assert_int_equal(logseq_outcome_unpack(m.f[verdict_info].b, &out), 0);
	assert_int_equal(out.result, LOGSEQ_DONE);
	w->graph.t = out.t;
}

static int
row_each(struct bytes key, struct bytes val, void *arg)
{
	size_t *n = arg;

	(void)key;
	(void)val;
	++*n;
	return (0);
}

/* Nothing is left of what was written down to take things back. */
static void
assert_tidy(struct world *w)
{
	size_t n = 0;

	settle(w);
	assert_int_equal(w->b.kv->ops->scan(w->b.kv, KV_REG,
			     BYTES_LIT("\0\0\0\0\0\0\0\0u"),
			     BYTES_LIT("\0\0\0\0\0\0\0\0v"), 0, row_each, &n),
	    0);
	assert_int_equal(n, 0);
}

static void
assert_alike(struct world *w)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	assert_tidy(w);
	rig_check(&w->graph);
	rig_dump(&w->graph, LOGSEQ_REG_EAVT, &a);
	rig_dump(&w->like, LOGSEQ_REG_EAVT, &b);
	rig_log(&w->graph, &a);
	rig_log(&w->like, &b);
	assert_true(bytes_eq(buf_bytes(&a), buf_bytes(&b)));
	buf_free(&a);
	buf_free(&b);
}

static void
assert_as_before(struct world *w)
{
	uint8_t now[STORE_DIGEST_LEN];

	assert_tidy(w);
	store_digest(w->b.kv, now);
	assert_memory_equal(now, w->before, sizeof(now));
}

/* Until its decision is under way and some of it is written. */
static void
until_half_done(struct world *w)
{
	int first;

	while (!apart_busy(&w->b))
		event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	first = commits;
	while (commits == first)
		event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	assert_true(apart_busy(&w->b));
	assert_false(apart_waits(&w->b));
}

/* A client whose long message is half decided: the message. */
static char *
begin_long(struct world *w, struct end *e)
{
	char *tx = tx_page();

	dial_graph(w, e);
	say_tx(w, e, tx, NULL, 0);
	until_half_done(w);
	return (tx);
}

static void
a_long_message_comes_out_as_in_one_piece(void **state)
{
	struct world *w = *state;
	struct end e;
	char *tx = begin_long(w, &e);

	verdict(w, &e, CODE_OK);
	assert_int_equal(rig_tx(&w->like, NULL, tx), LOGSEQ_DONE);
	assert_alike(w);
	free(tx);
	chan_close(&e.chan);
}

/* A graph with the page that drop deletes; what made it is the caller's. */
static char *
make_page(struct world *w, struct end *e)
{
	char *tx = tx_page();

	dial_graph(w, e);
	say_tx(w, e, tx, NULL, 0);
	verdict(w, e, CODE_OK);
	return (tx);
}

static void
a_short_message_with_much_to_do_is_found_out(void **state)
{
	struct world *w = *state;
	struct end e;
	char *tx = make_page(w, &e);

	say_tx(w, &e, drop, "delete-page", 1);
	while (!apart_busy(&w->b))
		event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	verdict(w, &e, CODE_OK);
	assert_int_equal(w->b.count.failed_batches, 0);
	assert_int_equal(w->b.count.apart, 2);
	assert_int_equal(rig_tx(&w->like, NULL, tx), LOGSEQ_DONE);
	assert_int_equal(rig_tx(&w->like, "delete-page", drop), LOGSEQ_DONE);
	assert_alike(w);
	free(tx);
	chan_close(&e.chan);
}

static void
a_message_that_is_cut_twice_counts_once_for_the_rate(void **state)
{
	struct world *w = *state;
	struct end e;
	char *tx = make_page(w, &e);

	w->b.conf->store_rate_max = 1;
	e.s->doc->rate = (struct rate){ 0, 0 };
	say_tx(w, &e, drop, "delete-page", 1);
	verdict(w, &e, CODE_OK);
	assert_int_equal(w->b.count.apart, 2);
	free(tx);
	chan_close(&e.chan);
}

static void
others_go_on_and_its_own_document_waits(void **state)
{
	struct world *w = *state;
	struct msg m, sync = MSG(SYNC);
	char *tx = tx_page();
	struct end e, same, other;

	dial_graph(w, &e);
	dial_graph(w, &same);
	dial(w, &other, DIALECT_SDS, 0, "other");
	say_tx(w, &e, tx, NULL, 0);
	say_state(w, &same);
	until_half_done(w);
	say(w, &other, &sync);
	while (!hears(w, &other, &m))
		assert_true(apart_busy(&w->b));
	assert_int_equal(m.type, IPC_VERDICT);
	assert_true(apart_busy(&w->b));
	assert_false(hears(w, &same, &m));
	verdict(w, &e, CODE_OK);
	while (!hears(w, &same, &m)) /* first the frame, then the answer */
		;
	assert_int_equal(m.type, IPC_VERDICT);
	free(tx);
	chan_close(&e.chan);
	chan_close(&same.chan);
	chan_close(&other.chan);
}

static void
who_comes_meanwhile_waits_for_its_end(void **state)
{
	struct world *w = *state;
	struct end e, late;
	struct msg m, fetch = MSG(FETCH);
	char *tx = begin_long(w, &e);

	knock(w, &late, DIALECT_LOGSEQ, LOGSEQ_ROOM_GRAPH, RIG_GRAPH);
	fetch.f[fetch_what].u = FETCH_LOG; /* asked before it is open */
	say(w, &late, &fetch);
	while (apart_busy(&w->b))
		assert_false(hears(w, &late, &m));
	enter(w, &late);
	while (!hears(w, &late, &m))
		;
	assert_int_equal(m.type, IPC_FETCHED);
	assert_int_equal(m.f[fetched_code].u, CODE_OK);
	verdict(w, &e, CODE_OK);
	free(tx);
	chan_close(&e.chan);
	chan_close(&late.chan);
}

static void
a_part_that_is_not_kept_takes_all_back(void **state)
{
	struct world *w = *state;
	struct end e;
	char *tx = begin_long(w, &e);

	refuse_at = commits + 1;
	verdict(w, &e, CODE_STORAGE);
	assert_as_before(w);
	say_tx(w, &e, tx, NULL, 0);
	verdict(w, &e, CODE_OK);
	assert_int_equal(rig_tx(&w->like, NULL, tx), LOGSEQ_DONE);
	assert_alike(w);
	free(tx);
	chan_close(&e.chan);
}

static void
an_end_that_is_not_kept_takes_all_back(void **state)
{
	struct world *w = *state;
	struct end e;
	char *tx = begin_long(w, &e);

	while (!apart_waits(&w->b))
		event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	refuse_at = commits + 1;
	verdict(w, &e, CODE_STORAGE);
	assert_as_before(w);
	free(tx);
	chan_close(&e.chan);
}

static void
what_was_half_done_is_not_there_after_a_crash(void **state)
{
	struct world *w = *state;
	uint8_t now[STORE_DIGEST_LEN];
	struct end e;
	char *tx = begin_long(w, &e);

	/* What opening a store does first; the decision ends without a store.
	 */
	refuse_at = commits + 1;
	event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	while (commits < refuse_at)
		event_base_loop(w->b.base, EVLOOP_NONBLOCK);
	assert_int_equal(kv_undo_recover(w->b.kv), 0);
	store_digest(w->b.kv, now);
	assert_memory_equal(now, w->before, sizeof(now));
	verdict(w, &e, CODE_STORAGE);
	assert_as_before(w);
	free(tx);
	chan_close(&e.chan);
}

/* Memory is short, and another session's need was greater. */
static void
a_signal_that_was_thrown_away_meanwhile_stays_so(void **state)
{
	static uint8_t octets[1000];
	struct msg put = MSG(BLOB_PUT), data = MSG(BLOB_DATA);
	struct world *w = *state;
	char *tx = tx_page();
	struct end e;

	dial_graph(w, &e);
	data.f[blob_data_body].b = bytes_of(octets, sizeof(octets));
	say(w, &e, &put);
	say(w, &e, &data);
	say_tx(w, &e, tx, NULL, 0);
	until_half_done(w);
	assert_int_equal(w->b.signal_blob_bytes, sizeof(octets));
	blob_forget(e.s);
	refuse_at = commits + 1;
	verdict(w, &e, CODE_STORAGE);
	assert_as_before(w);
	assert_int_equal(e.s->upload.mem.len, 0);
	chan_close(&e.chan);
	settle(w);
	assert_int_equal(w->b.nsessions, 0);
	assert_int_equal(w->b.signal_blob_bytes, 0);
	free(tx);
}

static void
what_somebody_sent_who_left_counts(void **state)
{
	struct world *w = *state;
	struct end e;
	char *tx = begin_long(w, &e);

	chan_close(&e.chan);
	settle(w);
	assert_int_equal(w->b.nsessions, 0);
	assert_int_equal(w->b.ndocs, 0);
	assert_int_equal(rig_tx(&w->like, NULL, tx), LOGSEQ_DONE);
	assert_alike(w);
	free(tx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define APART_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		APART_TEST(a_long_message_comes_out_as_in_one_piece),
		APART_TEST(a_short_message_with_much_to_do_is_found_out),
		APART_TEST(
		    a_message_that_is_cut_twice_counts_once_for_the_rate),
		APART_TEST(others_go_on_and_its_own_document_waits),
		APART_TEST(who_comes_meanwhile_waits_for_its_end),
		APART_TEST(a_part_that_is_not_kept_takes_all_back),
		APART_TEST(an_end_that_is_not_kept_takes_all_back),
		APART_TEST(what_was_half_done_is_not_there_after_a_crash),
		APART_TEST(a_signal_that_was_thrown_away_meanwhile_stays_so),
		APART_TEST(what_somebody_sent_who_left_counts),
	};

	if (sodium_init() == -1)
		return (1);
	signal(SIGPIPE, SIG_IGN);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
