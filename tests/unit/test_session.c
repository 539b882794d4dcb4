/*
 * Sessions of a broker in this process: what becomes of them where their
 * worker, the store or the fan-out process is gone.
 */
#include <sys/resource.h>
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

#include "broker/control.h"
#include "broker/fanout_words.h"
#include "broker/garbage.h"
#include "broker/job.h"
#include "broker/keyring.h"
#include "broker/lanes.h"
#include "broker/outcome.h"
#include "broker/quarantine.h"
#include "broker/reload.h"
#include "broker/token.h"
#include "common/base64url.h"
#include "common/jwt.h"
#include "common/limits.h"
#include "common/sds.h"
#include "common/wire.h"
#include "tests/lib/store.h"

/* As many octets of words may wait for fan-out: lanes.c. */
#define LANES_OUT_MAX_BYTES ((size_t)1024 * 1024)
#define STUFFED		    100	       /* descriptors in one message */
#define CROWD		    400	       /* more than fan-out's socket holds */
#define UNTIL		    4000000000 /* unix time, far away */
#define VERDICTS	    2000
#define PATCHES		    8000 /* more than a step of compaction drops */

struct rig {
	struct broker b;
	struct store store;
	struct lanes *lanes;
};

static struct kv_ops ops;	   /* the store's, with our commit */
static const struct kv_ops *whole; /* the store's own */
static int refusals;		   /* so many commits are refused */
static int flushes;

/* A worker, and the session that the broker has of it. */
struct end {
	struct chan chan;
	struct session *s;
};

static int
commit(struct kv *kv)
{
	if (refusals == 0)
		return (whole->commit(kv));
	refusals--;
	whole->abort(kv);
	return (-1);
}

static int
flush(struct kv *kv)
{
	flushes++;
	return (whole->flush(kv));
}

static int
setup(void **state)
{
	struct bytes key = BYTES_LIT("0123456789abcdef0123456789abcdef");
	static char fast[] = "fast_lane=yes", user[] = "user=";
	char *const defines[] = { fast, user };
	struct rig *r = calloc(1, sizeof(*r));
	struct broker *b = &r->b;

	refusals = 0;
	assert_int_equal(config_load_with(NULL, defines, 2, &b->conf), 0);
	r->lanes = lanes_start(b->conf);
	store_new(&r->store, STORE_BDB);
	b->kv = r->store.kv;
	ops = *(whole = b->kv->ops);
	ops.commit = commit;
	ops.flush = flush;
	b->kv->ops = &ops;
	assert_non_null(b->base = event_base_new());
	assert_int_equal(event_base_priority_init(b->base, 3), 0);
	TAILQ_INIT(&b->sessions);
	TAILQ_INIT(&b->jobs);
	b->next_session = 1;
	assert_non_null(b->keys = keyring_parse("keys", key));
	assert_non_null(b->outcomes = outcomes_load(b));
	assert_int_equal(batch_init(b), 0);
	assert_int_equal(lanes_watch(r->lanes, b), 0);
	*state = r;
	return (0);
}

/* A batch waits for more. */
static int
gathers(const struct rig *r)
{
	return (event_pending(&r->b.gather.ev, EV_TIMEOUT, NULL));
}

static void
run(struct rig *r)
{
	do
		event_base_loop(r->b.base, EVLOOP_NONBLOCK);
	while (r->b.flushing || gathers(r));
	event_base_loop(r->b.base, EVLOOP_NONBLOCK);
}

static int
teardown(void **state)
{
	struct rig *r = *state;
	struct session *s;

	while ((s = TAILQ_FIRST(&r->b.sessions)) != NULL)
		session_close(s);
	run(r);
	batch_done(&r->b);
	outcomes_free(r->b.outcomes);
	keyring_free(r->b.keys);
	lanes_stop(r->lanes);
	event_base_free(r->b.base);
	r->b.kv->ops = whole;
	store_remove(&r->store);
	config_free(r->b.conf);
	free(r);
	return (0);
}

static void
say(struct end *e, const struct msg *m)
{
	assert_int_equal(chan_send(&e->chan, m), 0);
}

/* What was said goes in one piece. */
static void
go(struct rig *r, struct end *e)
{
	assert_int_equal(chan_flush(&e->chan), 0);
	run(r);
}

static void
say_open(struct end *e, const char *name)
{
	struct msg m = MSG(OPEN);

	m.f[open_dialect].u = DIALECT_SDS;
	m.f[open_name].b = bytes_str(name);
	m.f[open_card].b = bytes_str(name);
	say(e, &m);
}

static void
say_login(struct rig *r, struct end *e, const char *store, int64_t exp)
{
	struct bytes aud = bytes_str(store), mac64;
	struct token_mint mint = { .sub = BYTES_LIT("x"),
		.aud = &aud,
		.aud_n = 1,
		.scope = SCOPE_WRITE,
		.exp = exp };
	struct buf token = BUF_INIT;
	struct msg m = MSG(LOGIN);
	uint8_t mac[64];

	assert_int_equal(token_mint(r->b.keys, NULL, &mint, &token), 0);
	assert_int_equal(token_split(buf_bytes(&token), &m.f[login_input].b,
			     &mac64),
	    0);
	m.f[login_mac].b =
	    bytes_of(mac, (size_t)base64url_decode(mac, sizeof(mac), mac64));
	m.f[login_dialect].u = DIALECT_SDS;
	say(e, &m);
	buf_free(&token);
}

static void
say_patch(struct end *e, uint64_t blob, size_t more)
{
	static uint8_t extra[2000];
	struct msg m = MSG(SUBMIT);

	m.f[submit_verb].u = SDS_VERB_PATCH;
	m.f[submit_blob].u = blob;
	m.f[submit_body].b = blob == 0 ? BYTES_LIT("a patch") : BYTES_NONE;
	m.f[submit_extra].b = bytes_of(extra, more);
	say(e, &m);
}

static unsigned int
heard(struct end *e, struct msg *m)
{
	while (chan_next(&e->chan, m) != 1)
		assert_int_equal(chan_read(&e->chan), 1);
	return (m->type);
}

/* One with a grant. */
static void
dial(struct rig *r, struct end *e)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	session_new(&r->b, pair[0], 0);
	chan_init(&e->chan, pair[1], IPC_FROM_BROKER, 1);
	e->s = TAILQ_LAST(&r->b.sessions, session_list);
	e->s->state = IPC_GRANTED;
	e->s->scope = SCOPE_WRITE;
	e->s->dialect = DIALECT_SDS;
	assert_null(claims_parse(
	    BYTES_LIT(
		"{\"sub\":\"x\",\"aud\":[\"one\",\"two\"],\"scope\":\"write\"}"),
	    &e->s->claims));
	assert_int_equal(subject_set(&r->b.subjects, e->s, BYTES_LIT("x")), 0);
}

static void
join(struct rig *r, struct end *e, const char *name)
{
	struct msg m;

	dial(r, e);
	say_open(e, name);
	go(r, e);
	assert_int_equal(heard(e, &m), IPC_OPENED);
	assert_int_equal(m.f[opened_code].u, CODE_OK);
	close(chan_take_fd(&e->chan));
	close(chan_take_fd(&e->chan));
}

/* They write, both before the broker looks. */
static void
join_who_write_together(struct rig *r, struct end *a, struct end *b)
{
	struct msg m;

	join(r, a, "one");
	join(r, b, "one");
	say_patch(a, 0, 0);
	assert_int_equal(chan_flush(&a->chan), 0);
	say_patch(b, 0, 0);
	flushes = 0;
	go(r, b);
	assert_int_equal(flushes, 1);
	assert_int_equal(heard(a, &m), IPC_VERDICT);
	assert_int_equal(heard(b, &m), IPC_VERDICT);
}

static void
who_wrote_together_share_the_next_flush(void **state)
{
	struct rig *r = *state;
	struct end a, b;
	int i;

	join_who_write_together(r, &a, &b);
	say_patch(&a, 0, 0);
	assert_int_equal(chan_flush(&a.chan), 0);
	for (i = 0; i < 10 && !gathers(r); i++)
		event_base_loop(r->b.base, EVLOOP_NONBLOCK);
	assert_true(gathers(r));
	say_patch(&b, 0, 0);
	go(r, &b);
	assert_int_equal(flushes, 2);
	chan_close(&a.chan);
	chan_close(&b.chan);
}

static void
who_writes_no_more_is_not_waited_for_twice(void **state)
{
	struct rig *r = *state;
	struct end a, b;
	struct msg m;
	int i;

	join_who_write_together(r, &a, &b);
	say_patch(&a, 0, 0);
	go(r, &a);
	assert_int_equal(heard(&a, &m), IPC_VERDICT);
	assert_int_equal(flushes, 2);
	say_patch(&a, 0, 0);
	assert_int_equal(chan_flush(&a.chan), 0);
	for (i = 0; i < 1000 && flushes == 2; i++) {
		event_base_loop(r->b.base, EVLOOP_NONBLOCK);
		assert_false(gathers(r));
	}
	run(r);
	assert_int_equal(heard(&a, &m), IPC_VERDICT);
	chan_close(&a.chan);
	chan_close(&b.chan);
}

/* As a keeper has it, too: the worker sees what the broker does alone. */
static void
a_kept_session_ends_and_one_that_parts_does_not(void **state)
{
	struct rig *r = *state;
	char octet;
	int i, pair[2];

	for (i = 0; i < 2; i++) {
		struct session *s;

		assert_int_equal(socketpair(AF_UNIX,
				     SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
		    0);
		session_new(&r->b, dup(pair[0]), 1);
		s = TAILQ_LAST(&r->b.sessions, session_list);
		s->parting = i;
		session_close(s);
		assert_int_equal(read(pair[1], &octet, 1), i == 0 ? 0 : -1);
		close(pair[0]);
		close(pair[1]);
	}
	r->b.stopping = 1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	session_new(&r->b, dup(pair[0]), 1);
	assert_int_equal(read(pair[1], &octet, 1), 0);
	r->b.stopping = 0;
	close(pair[0]);
	close(pair[1]);
}

static struct doc *
doc_named(struct rig *r, const char *name)
{
	struct doc_id id = { DIALECT_SDS, 0, bytes_str(name) };

	return (doc_find(&r->b, &id));
}

static void
who_opens_another_in_one_breath_keeps_no_more_than_its_time(void **state)
{
	struct msg close = MSG(CLOSE), m;
	struct end e, stays;

	join(*state, &stays, "one");
	join(*state, &e, "one");
	e.s->until_s = UNTIL;
	say(&e, &close);
	say_open(&e, "two");
	go(*state, &e);
	assert_int_equal(heard(&e, &m), IPC_OPENED);
	assert_int_equal(doc_named(*state, "one")->stale_s, UNTIL);
	assert_true(e.s->has_ring);
	chan_close(&e.chan);
	chan_close(&stays.chan);
}

static void
what_a_failed_batch_took_is_there_when_it_is_tried_again(void **state)
{
	struct msg close = MSG(CLOSE), m;
	struct end e, stays;

	join(*state, &stays, "one");
	join(*state, &e, "one");
	e.s->until_s = UNTIL;
	refusals = 1;
	say(&e, &close);
	say_open(&e, "two");
	go(*state, &e);
	assert_int_equal(heard(&e, &m), IPC_OPENED);
	assert_int_equal(m.f[opened_code].u, CODE_OK);
	assert_int_equal(refusals, 0);
	assert_int_equal(doc_named(*state, "one")->stale_s, UNTIL);
	assert_int_equal(doc_named(*state, "one")->nsessions, 1);
	chan_close(&e.chan);
	chan_close(&stays.chan);
}

static void
nobody_stays_because_the_store_did_not_take_it(void **state)
{
	struct rig *r = *state;
	struct end e;

	join(r, &e, "one");
	assert_int_equal(r->b.ndocs, 1);
	refusals = 1;
	chan_close(&e.chan);
	run(r);
	assert_int_equal(refusals, 0);
	assert_int_equal(r->b.nsessions, 0);
	assert_int_equal(r->b.ndocs, 0);
}

static void
an_open_behind_a_close_waits_with_it_for_a_frozen_document(void **state)
{
	struct msg close = MSG(CLOSE), m;
	struct rig *r = *state;
	struct end e;

	join(r, &e, "one");
	doc_named(r, "one")->hold = DOC_FROZEN;
	say(&e, &close);
	say_open(&e, "two");
	go(r, &e);
	assert_int_equal(chan_read(&e.chan), 0);
	doc_named(r, "one")->hold = DOC_FREE;
	batch_kick(&r->b);
	run(r);
	assert_int_equal(heard(&e, &m), IPC_OPENED);
	assert_int_equal(m.f[opened_code].u, CODE_OK);
	chan_close(&e.chan);
}

/* One blob for the store is begun while one for a signal is under way. */
static void
blobs_mixed_up_leave_no_memory_behind(void **state)
{
	static uint8_t body[1000];
	struct msg keep = MSG(BLOB_PUT), pass = MSG(BLOB_PUT),
		   data = MSG(BLOB_DATA), done = MSG(BLOB_DONE);
	struct rig *r = *state;
	struct end e;

	join(r, &e, "one");
	keep.f[blob_put_keep].u = 1;
	data.f[blob_data_body].b = bytes_of(body, sizeof(body));
	say(&e, &keep);
	say(&e, &done);
	say(&e, &pass);
	say(&e, &data);
	go(r, &e);
	assert_int_equal(r->b.nsessions, 0);
	assert_int_equal(r->b.signal_blob_bytes, 0);
	chan_close(&e.chan);
}

/*
 * What it was not told is written down with every batch, until it has read it.
 */
static void
who_reads_no_verdicts_is_not_read_either(void **state)
{
	const int small = 4096;
	struct rig *r = *state;
	struct end e;
	struct msg m;
	int i;

	join(r, &e, "one");
	e.s->waits = 1;
	assert_int_equal(setsockopt(e.s->chan.fd, SOL_SOCKET, SO_SNDBUF, &small,
			     sizeof(small)),
	    0);
	for (i = 0; i < VERDICTS; i++) {
		say_patch(&e, 0, 0);
		chan_flush(&e.chan);
		run(r);
	}
	assert_true(e.s->stalled);
	assert_in_range(e.s->submits, 1, VERDICTS / 2);
	for (i = 0; i < VERDICTS; i++) {
		chan_flush(&e.chan);
		run(r);
		assert_int_equal(heard(&e, &m), IPC_VERDICT);
	}
	assert_int_equal(e.s->submits, VERDICTS);
	chan_close(&e.chan);
}

static void
who_only_writes_is_gone_before_much_is_remembered(void **state)
{
	struct rig *r = *state;
	struct end e;
	int i;

	join(r, &e, "one");
	e.s->waits = 1;
	assert_int_equal(shutdown(e.chan.fd, SHUT_RD), 0);
	for (i = 0; i < VERDICTS && r->b.nsessions > 0; i++) {
		say_patch(&e, 0, 0);
		chan_flush(&e.chan);
		run(r);
	}
	assert_in_range(i, 1, VERDICTS - 1);
	chan_close(&e.chan);
}

static void
a_store_is_in_quarantine_on_the_disk_when_it_is_said(void **state)
{
	struct rig *r = *state;
	struct msg m;
	struct end e;

	join(r, &e, "one");
	say_patch(&e, 0, 0);
	go(r, &e);
	assert_int_equal(heard(&e, &m), IPC_VERDICT);
	flushes = 0;
	assert_int_equal(quarantine_set(&r->b, &doc_named(r, "one")->id,
			     ROW_READ_ONLY),
	    1);
	assert_int_equal(flushes, 1);
	chan_close(&e.chan);
}

/* Into the store "one". */
static void
append(struct rig *r, struct bytes patch, int n)
{
	const struct doc_id id = { DIALECT_SDS, 0, BYTES_LIT("one") };
	uint64_t seq;
	struct txn t;

	assert_int_equal(r->b.kv->ops->begin(r->b.kv), 0);
	txn_init(&t, r->b.kv, &id);
	assert_int_not_equal(txn_load(&t), -1);
	for (; n > 0; n--)
		assert_int_equal(txn_append(&t, SDS_KIND_PATCH, &patch, 1, 0, 0,
				     &seq),
		    0);
	txn_done(&t);
	assert_int_equal(r->b.kv->ops->commit(r->b.kv), 0);
}

static uint64_t
records(struct rig *r)
{
	const struct doc_id id = { DIALECT_SDS, 0, BYTES_LIT("one") };
	uint64_t n;
	struct txn t;

	txn_init(&t, r->b.kv, &id);
	assert_int_equal(txn_load(&t), 1);
	n = t.row.records;
	txn_done(&t);
	return (n);
}

static struct reload
reload_of(const char *x, const char *y)
{
	struct bytes key = BYTES_LIT("0123456789abcdef0123456789abcdef");
	struct reload r = { .keys = keyring_parse("keys", key) };
	struct buf set = BUF_INIT;

	buf_printf(&set,
	    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"1\","
	    "\"x\":\"%s\",\"y\":\"%s\"}]}",
	    x, y);
	assert_int_equal(config_load_with(NULL, NULL, 0, &r.conf), 0);
	assert_non_null(r.keys);
	assert_non_null(r.jwks = jwks_parse("jwks", buf_bytes(&set)));
	buf_free(&set);
	return (r);
}

static void
said_nothing(const char *setting, int fixed, void *arg)
{
	(void)setting;
	(void)fixed;
	(void)arg;
}

/* Examples of RFC 7515, A.3, and RFC 7517, A.1. */
static void
an_issuers_key_that_is_no_more_takes_its_sessions_along(void **state)
{
	static const char *const was[] = {
		"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
		"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	};
	struct rig *r = *state;
	struct broker *b = &r->b;
	struct reload again, other;
	struct end e;

	if (!pubkey_supported())
		skip();
	again = reload_of(was[0], was[1]);
	b->jwks = again.jwks;
	again.jwks = NULL;
	reload_free(&again);
	dial(r, &e);
	e.s->claims.key = b->jwks->keys[0].mark;
	again = reload_of(was[0], was[1]);
	assert_int_equal(reload_take(b, &again, said_nothing, NULL), 0);
	other = reload_of("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
	    "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
	assert_int_equal(reload_take(b, &other, said_nothing, NULL), 1);
	jwks_free(b->jwks);
	b->jwks = NULL;
	chan_close(&e.chan);
}

/* What is marked while one erases it finds as well. */
static void
one_job_erases_whatever_was_dropped(void **state)
{
	struct rig *r = *state;
	struct job *j;
	int i, n = 0;

	for (i = 0; i < 100; i++)
		assert_int_equal(garbage_start(&r->b), 0);
	TAILQ_FOREACH(j, &r->b.jobs, entry)
		n++;
	assert_int_equal(n, 1);
	jobs_stop(&r->b);
}

static void
who_asks_for_much_at_once_gets_it_bit_by_bit(void **state)
{
	static uint8_t large[FETCH_MAX_BYTES / 2];
	const int small = 4096;
	struct msg fetch = MSG(FETCH), m;
	struct rig *r = *state;
	struct end e;
	int i;

	join(r, &e, "one");
	append(r, bytes_of(large, sizeof(large)), 2);
	doc_named(r, "one")->loaded = 0;
	assert_int_equal(setsockopt(e.s->chan.fd, SOL_SOCKET, SO_SNDBUF, &small,
			     sizeof(small)),
	    0);
	for (i = 0; i < SESSION_OPS_MAX; i++) {
		fetch.f[fetch_what].u = FETCH_LOG;
		fetch.f[fetch_tag].u = (uint64_t)i;
		say(&e, &fetch);
	}
	go(r, &e);
	assert_int_equal(r->b.nsessions, 1);
	assert_in_range(chan_pending(&e.s->chan), 1, 2 * SESSION_OUT_MAX_BYTES);
	for (i = 0; i < SESSION_OPS_MAX; i++) {
		run(r);
		while (chan_next(&e.chan, &m) != 1) {
			chan_read(&e.chan);
			run(r);
		}
		assert_int_equal(m.type, IPC_FETCHED);
		assert_int_equal(m.f[fetched_tag].u, i);
	}
	chan_close(&e.chan);
}

static void
in_quarantine_a_store_is_compacted_no_further(void **state)
{
	const struct doc_id id = { DIALECT_SDS, 0, BYTES_LIT("one") };
	struct rig *r = *state;
	uint64_t left;

	r->b.conf->compact_grace = 0;
	append(r, BYTES_LIT("the same"), PATCHES);
	control_compact(&r->b, NULL, "sds:one");
	do
		event_base_loop(r->b.base, EVLOOP_ONCE);
	while ((left = records(r)) == PATCHES);
	assert_in_range(left, 2, PATCHES);
	assert_int_equal(quarantine_set(&r->b, &id, ROW_READ_ONLY), 1);
	while (!TAILQ_EMPTY(&r->b.jobs))
		event_base_loop(r->b.base, EVLOOP_ONCE);
	assert_int_equal(records(r), left);
	assert_int_equal(r->b.ndocs, 0);
}

static void
a_stalled_session_whose_worker_is_gone_ends(void **state)
{
	static uint8_t entries[FETCH_MAX_BYTES];
	struct msg m = MSG(FETCHED), sync = MSG(SYNC);
	struct rig *r = *state;
	struct end e;

	join(r, &e, "one");
	m.f[fetched_entries].b = bytes_of(entries, sizeof(entries));
	while (chan_pending(&e.s->chan) < SESSION_OUT_MAX_BYTES) {
		session_send(e.s, &m);
		chan_flush(&e.s->chan);
	}
	say(&e, &sync);
	go(r, &e);
	assert_true(e.s->stalled);
	/* Not by its own event: something else is said to it first. */
	chan_close(&e.chan);
	session_flush(e.s);
	run(r);
	assert_int_equal(r->b.nsessions, 0);
}

/* So many that the kernel takes no more of this user's. */
static void
stuff(int to)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * STUFFED)];
	} control = { .space = { 0 } };
	struct iovec iov = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	int *fd = (int *)(void *)CMSG_DATA(&control.align), i;

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(int) * STUFFED);
	for (i = 0; i < STUFFED; i++)
		fd[i] = to;
	for (i = 0; i < 2; i++)
		assert_int_equal(sendmsg(to, &mh, 0), 1);
}

static void
descriptors_that_the_kernel_does_not_take_come_later(void **state)
{
	struct rlimit few, was;
	struct rig *r = *state;
	uid_t uid = geteuid();
	struct msg m;
	struct end e;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = STUFFED;
	stuff(pair[0]);
	dial(r, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	if (uid == 0) /* who may do anything may do this */
		assert_int_equal(seteuid(65534), 0);
	say_open(&e, "one");
	go(r, &e);
	if (uid == 0)
		assert_int_equal(seteuid(uid), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_true(e.s->again);
	close(pair[1]);
	close(pair[0]);
	while (e.s->again)
		event_base_loop(r->b.base, EVLOOP_ONCE);
	assert_int_equal(heard(&e, &m), IPC_OPENED);
	close(chan_take_fd(&e.chan));
	close(chan_take_fd(&e.chan));
	chan_close(&e.chan);
}

static void
take_lane(struct rig *r, struct end *e)
{
	struct msg lane = MSG(LANE), m;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(chan_try_fds(&e->chan, &lane, pair, 1), 0);
	close(pair[0]);
	close(pair[1]);
	do
		event_base_loop(r->b.base, EVLOOP_ONCE);
	while (e->s->lane != SESSION_LANE_HAS && e->s->chan.takes_fds);
	while (e->s->lane == SESSION_LANE_ASKED)
		event_base_loop(r->b.base, EVLOOP_ONCE);
	assert_int_equal(e->s->lane, SESSION_LANE_HAS);
	assert_int_equal(heard(e, &m), IPC_LANED);
	close(chan_take_fd(&e->chan));
}

static void
a_word_too_many_ends_the_fast_lane_and_nothing_else(void **state)
{
	struct rig *r = *state;
	struct end a, b;
	struct doc *d;
	size_t i;

	if (r->lanes == NULL)
		skip();
	join(r, &a, "one");
	join(r, &b, "one");
	take_lane(r, &a);
	take_lane(r, &b);
	d = doc_named(r, "one");
	for (i = 0; i <= LANES_OUT_MAX_BYTES / sizeof(struct fanout_word); i++)
		lanes_publish(&r->b, d);
	assert_int_equal(d->lanes, 2);
	lanes_leave(a.s);
	assert_int_equal(b.s->lane, SESSION_LANE_NONE);
	assert_int_equal(d->lanes, 0);
	assert_int_equal(r->b.count.lanes, 0);
	run(r);
	assert_int_equal(r->b.nsessions, 2);
	chan_close(&a.chan);
	chan_close(&b.chan);
}

/* The newest child, behind those of tests before. */
static pid_t
fanout_process(void)
{
	char path[64];
	FILE *f;
	int pid = -1;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children",
	    (long)getpid());
	assert_non_null(f = fopen(path, "r"));
	while (fscanf(f, "%d", &pid) == 1)
		continue;
	fclose(f);
	assert_true(pid > 1);
	return (pid);
}

/* Nothing is refused for want of room, and who leaves waits no more. */
static void
a_crowd_that_asks_for_lanes_at_once_gets_them_all(void **state)
{
	struct rig *r = *state;
	struct end *e = calloc(CROWD, sizeof(*e));
	struct msg lane = MSG(LANE);
	size_t i, waiting = 0;
	pid_t fanout;
	int pair[2];

	if (r->lanes == NULL)
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fanout = fanout_process();
	assert_int_equal(kill(fanout, SIGSTOP), 0);
	for (i = 0; i < CROWD; i++) {
		join(r, &e[i], "one");
		assert_int_equal(chan_try_fds(&e[i].chan, &lane, pair, 1), 0);
		run(r);
		waiting += e[i].s->lane == SESSION_LANE_WAITS;
	}
	lanes_leave(e[CROWD - 1].s);
	assert_int_equal(kill(fanout, SIGCONT), 0);
	assert_true(waiting > 1);
	while (r->b.count.lanes < CROWD - 1)
		event_base_loop(r->b.base, EVLOOP_ONCE);
	assert_int_equal(e[CROWD - 1].s->lane, SESSION_LANE_NONE);
	for (i = 0; i < CROWD; i++)
		chan_close(&e[i].chan);
	close(pair[0]);
	close(pair[1]);
	free(e);
}

/* His other token is no good for it, whatever it lets him do elsewhere. */
static void
what_a_token_was_good_for_is_not_decided_under_another(void **state)
{
	struct msg close = MSG(CLOSE), m;
	struct end e;

	join(*state, &e, "one");
	say_patch(&e, 0, 0);
	say(&e, &close);
	say_login(*state, &e, "two", UNTIL);
	go(*state, &e);
	assert_int_equal(heard(&e, &m), IPC_GRANT);
	assert_int_equal(heard(&e, &m), IPC_VERDICT);
	assert_int_equal(m.f[verdict_code].u, CODE_NO_SCOPE);
	chan_close(&e.chan);
}

static void
a_better_token_does_not_stop_what_was_asked_before(void **state)
{
	struct end e;
	struct msg m;

	join(*state, &e, "one");
	say_patch(&e, 0, 0);
	say_login(*state, &e, "one", UNTIL);
	go(*state, &e);
	assert_int_equal(heard(&e, &m), IPC_GRANT);
	assert_int_equal(heard(&e, &m), IPC_VERDICT);
	assert_int_equal(m.f[verdict_code].u, CODE_OK);
	chan_close(&e.chan);
}

static void
a_token_without_an_end_in_sight_is_not_over(void **state)
{
	struct rig *r = *state;
	struct end e;
	struct msg m;

	r->b.conf->skew = 60;
	r->b.conf->sds_enforce_exp = true;
	dial(r, &e);
	say_login(r, &e, "one", INT64_MAX - 1);
	say_open(&e, "one");
	go(r, &e);
	assert_int_equal(heard(&e, &m), IPC_GRANT);
	assert_true(m.f[grant_until].u > UNTIL);
	assert_int_equal(heard(&e, &m), IPC_OPENED);
	chan_close(&e.chan);
}

/* More often than there are places for blobs that nothing has named. */
static void
a_blob_whose_submit_is_refused_makes_room_for_the_next(void **state)
{
	static uint8_t body[1000];
	struct msg put = MSG(BLOB_PUT), data = MSG(BLOB_DATA),
		   done = MSG(BLOB_DONE), m;
	struct rig *r = *state;
	struct end e;
	int i;

	r->b.conf->store_bytes_max = 2000;
	put.f[blob_put_keep].u = 1;
	data.f[blob_data_body].b = bytes_of(body, sizeof(body));
	join(r, &e, "one");
	for (i = 0; i <= FINISHED_MAX; i++) {
		say(&e, &put);
		say(&e, &data);
		say(&e, &done);
		go(r, &e);
		assert_int_equal(heard(&e, &m), IPC_VERDICT);
		assert_int_equal(m.f[verdict_code].u, CODE_OK);
		say_patch(&e, m.f[verdict_seq].u, 1500);
		go(r, &e);
		assert_int_equal(heard(&e, &m), IPC_VERDICT);
		assert_int_equal(m.f[verdict_code].u, CODE_QUOTA);
	}
	chan_close(&e.chan);
}

/* One blob of a slice: what the broker says, or 0 while it says nothing. */
static unsigned int
stage(struct rig *r, struct end *e, size_t n)
{
	static uint8_t body[BLOB_SLICE_BYTES];
	struct msg put = MSG(BLOB_PUT), data = MSG(BLOB_DATA),
		   done = MSG(BLOB_DONE), m;

	put.f[blob_put_keep].u = 1;
	data.f[blob_data_body].b = bytes_of(body, n);
	say(e, &put);
	say(e, &data);
	say(e, &done);
	go(r, e);
	if (heard(e, &m) == IPC_KICK)
		return ((unsigned int)m.f[kick_code].u);
	return ((unsigned int)m.f[verdict_code].u);
}

static void
what_others_have_staged_counts_until_it_is_dropped(void **state)
{
	struct rig *r = *state;
	struct end a, b, c;

	r->b.conf->store_bytes_max = 2000;
	join(r, &a, "one");
	join(r, &b, "one");
	assert_int_equal(stage(r, &a, 800), CODE_OK);
	assert_int_equal(stage(r, &a, 800), CODE_OK);
	assert_int_equal(stage(r, &b, 800), CODE_QUOTA);
	join(r, &c, "two");
	assert_int_equal(stage(r, &c, 800), CODE_OK);
	chan_close(&a.chan);
	chan_close(&b.chan);
	run(r);
	join(r, &b, "one");
	assert_int_equal(stage(r, &b, 1600), CODE_OK);
	chan_close(&b.chan);
	chan_close(&c.chan);
	run(r);
	assert_true(LIST_EMPTY(&r->b.staging));
}

static void
what_a_subject_has_staged_counts_in_all_its_stores(void **state)
{
	struct rig *r = *state;
	struct end a, b;

	r->b.conf->subject_bytes_max = 2000;
	join(r, &a, "one");
	join(r, &b, "two");
	assert_int_equal(stage(r, &a, 1200), CODE_OK);
	assert_int_equal(stage(r, &b, 1200), CODE_QUOTA);
	chan_close(&a.chan);
	chan_close(&b.chan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define SESSION_TEST(name)                                                     \
	cmocka_unit_test_setup_teardown(name, setup, teardown)
		SESSION_TEST(
		    who_opens_another_in_one_breath_keeps_no_more_than_its_time),
		SESSION_TEST(
		    what_a_failed_batch_took_is_there_when_it_is_tried_again),
		SESSION_TEST(nobody_stays_because_the_store_did_not_take_it),
		SESSION_TEST(
		    an_open_behind_a_close_waits_with_it_for_a_frozen_document),
		SESSION_TEST(blobs_mixed_up_leave_no_memory_behind),
		SESSION_TEST(who_reads_no_verdicts_is_not_read_either),
		SESSION_TEST(who_only_writes_is_gone_before_much_is_remembered),
		SESSION_TEST(
		    a_store_is_in_quarantine_on_the_disk_when_it_is_said),
		SESSION_TEST(
		    an_issuers_key_that_is_no_more_takes_its_sessions_along),
		SESSION_TEST(one_job_erases_whatever_was_dropped),
		SESSION_TEST(who_asks_for_much_at_once_gets_it_bit_by_bit),
		SESSION_TEST(in_quarantine_a_store_is_compacted_no_further),
		SESSION_TEST(a_stalled_session_whose_worker_is_gone_ends),
		SESSION_TEST(
		    descriptors_that_the_kernel_does_not_take_come_later),
		SESSION_TEST(
		    a_word_too_many_ends_the_fast_lane_and_nothing_else),
		SESSION_TEST(a_crowd_that_asks_for_lanes_at_once_gets_them_all),
		SESSION_TEST(
		    what_a_token_was_good_for_is_not_decided_under_another),
		SESSION_TEST(
		    a_better_token_does_not_stop_what_was_asked_before),
		SESSION_TEST(a_token_without_an_end_in_sight_is_not_over),
		SESSION_TEST(a_kept_session_ends_and_one_that_parts_does_not),
		SESSION_TEST(who_wrote_together_share_the_next_flush),
		SESSION_TEST(who_writes_no_more_is_not_waited_for_twice),
		SESSION_TEST(
		    a_blob_whose_submit_is_refused_makes_room_for_the_next),
		SESSION_TEST(
		    what_others_have_staged_counts_until_it_is_dropped),
		SESSION_TEST(
		    what_a_subject_has_staged_counts_in_all_its_stores),
	};

	if (sodium_init() == -1)
		return (1);
	signal(SIGPIPE, SIG_IGN);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
