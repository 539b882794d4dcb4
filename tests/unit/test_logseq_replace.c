/*
 * Graphs that are uploaded, downloaded beside writers and reset, over a store
 * in memory; and who is told who is here (logseq.md sections 3 and 5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/wire.h"
#include "tests/lib/logseq_rig.h"

#define A "aaaaaaaa-0000-4000-8000-000000000000"
#define B "bbbbbbbb-0000-4000-8000-000000000000"

#define ADD(e, a, v) "[\"~:db/add\"," e ",\"~:" a "\"," v "]"
#define GONE(e)	     "[\"~:db/retractEntity\"," e "]"
#define AT(u)	     "[\"~:block/uuid\",\"~u" u "\"]"
#define NEW(u)	     ADD("\"" u "\"", "block/uuid", "\"~u" u "\"")

static struct rig rig;

static int
setup(void **state)
{
	(void)state;
	return (rig_new(&rig));
}

static int
teardown(void **state)
{
	(void)state;
	rig_free(&rig);
	return (0);
}

static void
datoms(const char *want)
{
	struct buf got = BUF_INIT;

	rig_dump(&rig, LOGSEQ_REG_EAVT, &got);
	buf_add_u8(&got, 0);
	assert_string_equal((const char *)buf_bytes(&got).p, want);
	buf_free(&got);
}

static void
frames(const char *want)
{
	buf_add_u8(&rig.frames, 0);
	assert_string_equal((const char *)buf_bytes(&rig.frames).p, want);
}

static enum code
upload(uint64_t verb, uint64_t number, struct bytes ref, struct bytes items)
{
	struct submit s = { .verb = verb,
		.ref = ref,
		.clock = number,
		.items = items };

	return (rig_submit(&rig, LOGSEQ_ROOM_GRAPH, RIG_GRAPH, &s));
}

static uint64_t
begin(void)
{
	struct logseq_state s;

	assert_int_equal(rig_verb(&rig, LOGSEQ_UPLOAD_BEGIN), CODE_OK);
	assert_int_equal(logseq_state_unpack(buf_bytes(&rig.info), &s), 0);
	assert_int_not_equal(s.staged, 0);
	return (s.staged);
}

static void
datom(struct buf *list, enum logseq_op op, uint64_t e, const char *a,
    enum logseq_type type, const char *v)
{
	struct logseq_datom d = { op, e, bytes_str(a), { type, bytes_str(v) },
		LOGSEQ_TX0 + e };
	struct buf packed = BUF_INIT;
	uint8_t number[8];

	if (type == LOGSEQ_INT) {
		logseq_int_put(number, atoll(v));
		d.v.b = bytes_of(number, sizeof(number));
	}
	logseq_datom_pack(&packed, &d);
	list_add(list, buf_bytes(&packed));
	buf_free(&packed);
}

/* Entity 7 with its uuid and a reference to entity 9; in it a tail's work. */
static void
hand_over(uint64_t number)
{
	struct buf list = BUF_INIT;

	assert_int_equal(upload(LOGSEQ_UPLOAD_WALK, number, BYTES_NONE,
			     BYTES_NONE),
	    CODE_OK);
	datom(&list, LOGSEQ_OP_ADD, 7, "block/link", LOGSEQ_INT, "9");
	datom(&list, LOGSEQ_OP_ADD, 7, "block/uuid", LOGSEQ_UUID, B);
	datom(&list, LOGSEQ_OP_ADD, 9, "block/title", LOGSEQ_STRING, "old");
	datom(&list, LOGSEQ_OP_ADD, 9, "x/gone", LOGSEQ_INT, "1");
	assert_int_equal(upload(LOGSEQ_UPLOAD_DATOMS, number, BYTES_NONE,
			     buf_bytes(&list)),
	    CODE_OK);
	buf_clear(&list);
	datom(&list, LOGSEQ_OP_ADD, 9, "block/title", LOGSEQ_STRING, "new");
	datom(&list, LOGSEQ_OP_RETRACT, 9, "x/gone", LOGSEQ_INT, "1");
	assert_int_equal(upload(LOGSEQ_UPLOAD_DATOMS, number, BYTES_LIT("tail"),
			     buf_bytes(&list)),
	    CODE_OK);
	buf_free(&list);
}

#define UPLOADED                                                               \
	"7 block/link 9\n7 block/uuid \"~u" B "\"\n9 block/title \"new\"\n"

/* Registers of one kind, in all generations. */
static int
count_each(struct bytes key, struct bytes val, void *arg)
{
	size_t *n = arg;

	(void)key;
	(void)val;
	(*n)++;
	return (0);
}

static size_t
count(char kind)
{
	uint8_t prefix = (uint8_t)kind;
	size_t n = 0;

	rig_scan(&rig, bytes_of(&prefix, 1), count_each, &n);
	return (n);
}

static void
sweep_all(void)
{
	do
		assert_int_equal(rig_verb(&rig, LOGSEQ_SWEEP), CODE_OK);
	while (buf_bytes(&rig.info).p[0] == 1);
}

static void
an_upload_takes_the_place_of_the_graph_at_its_end(void **state)
{
	struct logseq_state s;
	uint64_t number;

	(void)state;
	rig_tx(&rig, NULL, "[" NEW(A) "]");
	number = begin();
	hand_over(number);
	datoms("1 block/uuid \"~u" A "\"\n");
	s = rig_state(&rig);
	assert_int_equal(s.ready, 1);
	assert_int_equal(s.uploading, 1);
	assert_int_equal(upload(LOGSEQ_UPLOAD_FINISH, number,
			     BYTES_LIT("0123456789abcdef"), BYTES_NONE),
	    CODE_OK);
	datoms(UPLOADED);
	s = rig_state(&rig);
	assert_int_equal(s.t, 0);
	assert_int_equal(s.base, 1);
	assert_int_equal(s.uploading, 0);
	assert_true(bytes_eq(s.sum, BYTES_LIT("0123456789abcdef")));
	/* It is a graph like any other. */
	rig.t = 0;
	assert_int_equal(rig_tx(&rig, NULL,
			     "[" ADD(AT(B), "block/title", "\"t\"") "]"),
	    LOGSEQ_DONE);
	assert_int_equal(rig.t, 1);
}

static void
nobody_writes_meanwhile_unless_it_was_given_up(void **state)
{
	uint64_t number;

	(void)state;
	rig_tx(&rig, NULL, "[" NEW(A) "]");
	number = begin();
	rig_tx(&rig, NULL, "[" NEW(B) "]");
	assert_int_equal(rig.out.result, LOGSEQ_UPLOADING);
	assert_int_equal(rig.out.t, 1);
	rig.now_ms += LOGSEQ_UPLOAD_IDLE_MS;
	assert_int_equal(rig_tx(&rig, NULL, "[" NEW(B) "]"), LOGSEQ_DONE);
	datoms("1 block/uuid \"~u" A "\"\n2 block/uuid \"~u" B "\"\n");
	/* And the upload does not take that away when it comes back. */
	assert_int_equal(upload(LOGSEQ_UPLOAD_FINISH, number, BYTES_NONE,
			     BYTES_NONE),
	    CODE_STALE);
}

static void
an_empty_graph_is_not_ready_until_its_upload_ends(void **state)
{
	uint64_t number;

	(void)state;
	assert_int_equal(rig_state(&rig).ready, 1);
	number = begin();
	assert_int_equal(rig_state(&rig).ready, 0);
	hand_over(number);
	assert_int_equal(upload(LOGSEQ_UPLOAD_FINISH, number, BYTES_NONE,
			     BYTES_NONE),
	    CODE_OK);
	assert_int_equal(rig_state(&rig).ready, 1);
	assert_int_equal(rig_state(&rig).sum.n, 0); /* nobody computed it */
}

static void
what_an_upload_left_is_forgotten_by_the_next(void **state)
{
	uint64_t first, second;

	(void)state;
	rig_tx(&rig, NULL, "[" NEW(A) "]");
	first = begin();
	hand_over(first);
	second = begin();
	assert_int_equal(upload(LOGSEQ_UPLOAD_FINISH, first, BYTES_NONE,
			     BYTES_NONE),
	    CODE_STALE);
	datoms("1 block/uuid \"~u" A "\"\n");
	hand_over(second);
	hand_over(second); /* the walk was cut off and comes again */
	assert_int_equal(upload(LOGSEQ_UPLOAD_FINISH, second, BYTES_NONE,
			     BYTES_NONE),
	    CODE_OK);
	datoms(UPLOADED);
	sweep_all();
	assert_int_equal(count(LOGSEQ_REG_EAVT), 3);
	assert_int_equal(count(LOGSEQ_REG_AEVT), 3);
	assert_int_equal(count(LOGSEQ_REG_DEAD), 0);
}

static void
bad_datoms_are_refused(void **state)
{
	static const struct {
		uint64_t e;
		const char *a;
		enum logseq_type type;
		const char *v;
	} bad[] = {
		{ 0, "block/title", LOGSEQ_STRING, "x" },
		{ LOGSEQ_TX0, "block/title", LOGSEQ_STRING, "x" },
		{ 1, "", LOGSEQ_STRING, "x" },
		{ 1, "block/title", LOGSEQ_NULL, "" },
		{ 1, "block/title", LOGSEQ_STRING, "\xff" },
		{ 1, "block/link", LOGSEQ_STRING, "x" },
		{ 1, "block/link", LOGSEQ_INT, "-1" },
	};
	struct buf list = BUF_INIT;
	uint64_t number;
	size_t i;

	(void)state;
	number = begin();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&list);
		datom(&list, LOGSEQ_OP_ADD, bad[i].e, bad[i].a, bad[i].type,
		    bad[i].v);
		assert_int_equal(upload(LOGSEQ_UPLOAD_DATOMS, number,
				     BYTES_NONE, buf_bytes(&list)),
		    CODE_INVALID);
	}
	assert_int_equal(count(LOGSEQ_REG_EAVT), 0);
	buf_free(&list);
}

/* Uploads entities from 1 on, each with uuid, name and a title. */
static void
upload_pages(unsigned int n, const char *title, int e2ee)
{
	static const uint8_t yes = 1;
	uint64_t number = begin();
	struct buf list = BUF_INIT, packed = BUF_INIT;
	struct logseq_datom d = { .op = LOGSEQ_OP_ADD,
		.e = n + 1,
		.a = BYTES_LIT("kv/value"),
		.v = { LOGSEQ_BOOL, { &yes, 1 } },
		.tx = LOGSEQ_TX0 };
	char uuid[40];
	unsigned int i;

	for (i = 1; i <= n; i++) {
		snprintf(uuid, sizeof(uuid), "%08x-0000-4000-8000-000000000000",
		    i);
		datom(&list, LOGSEQ_OP_ADD, i, "block/uuid", LOGSEQ_UUID, uuid);
		datom(&list, LOGSEQ_OP_ADD, i, "block/name", LOGSEQ_STRING,
		    "n");
		datom(&list, LOGSEQ_OP_ADD, i, "block/title", LOGSEQ_STRING,
		    title);
		if (i % 80 != 0 && i != n)
			continue;
		if (i == n && e2ee) {
			datom(&list, LOGSEQ_OP_ADD, n + 1, "db/ident",
			    LOGSEQ_KEYWORD, "logseq.kv/graph-rtc-e2ee?");
			logseq_datom_pack(&packed, &d);
			list_add(&list, buf_bytes(&packed));
		}
		assert_int_equal(upload(LOGSEQ_UPLOAD_DATOMS, number,
				     BYTES_NONE, buf_bytes(&list)),
		    CODE_OK);
		buf_clear(&list);
	}
	do
		assert_int_equal(upload(LOGSEQ_UPLOAD_SUM, number, BYTES_NONE,
				     BYTES_NONE),
		    CODE_OK);
	while (buf_bytes(&rig.info).p[0] == 1);
	assert_int_equal(upload(LOGSEQ_UPLOAD_FINISH, number, BYTES_NONE,
			     BYTES_NONE),
	    CODE_OK);
	buf_free(&list);
	buf_free(&packed);
}

static void
the_checksum_of_an_upload_is_computed_in_steps(void **state)
{
	(void)state;
	upload_pages(1200, "t", 0);
	assert_int_equal(rig_state(&rig).sum.n, LOGSEQ_SUM_LEN);
	rig_check(&rig);
	rig.t = 0;
	rig_tx(&rig, NULL,
	    "[" NEW(A) "," ADD("\"" A "\"", "block/name", "\"x\"") "]");
	rig_check(&rig);
}

static void
titles_of_an_encrypted_graph_are_not_in_its_checksum(void **state)
{
	char sum[3][LOGSEQ_SUM_LEN];
	static const char *const title[] = { "one", "two", "one" };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		upload_pages(3, title[i], i < 2);
		memcpy(sum[i], rig_state(&rig).sum.p, LOGSEQ_SUM_LEN);
	}
	assert_memory_equal(sum[0], sum[1], LOGSEQ_SUM_LEN);
	assert_memory_not_equal(sum[0], sum[2], LOGSEQ_SUM_LEN);
}

static void
who_encrypts_a_filled_graph_has_the_checksum_of_an_encrypted_one(void **state)
{
	char was[LOGSEQ_SUM_LEN], sum[LOGSEQ_SUM_LEN];

	(void)state;
	upload_pages(700, "t", 1);
	memcpy(sum, rig_state(&rig).sum.p, sizeof(sum));
	upload_pages(700, "t", 0);
	memcpy(was, rig_state(&rig).sum.p, sizeof(was));
	rig.t = 0;
	assert_int_equal(
	    rig_tx(&rig, NULL,
		"[" ADD("\"k\"", "db/ident",
		    "\"~:logseq.kv/graph-rtc-e2ee?\"") "," ADD("\"k\"",
		    "kv/value", "true") "]"),
	    LOGSEQ_DONE);
	assert_int_equal(rig_state(&rig).sum.n, LOGSEQ_SUM_LEN);
	assert_memory_equal(rig_state(&rig).sum.p, sum, LOGSEQ_SUM_LEN);
	assert_int_equal(rig_tx(&rig, NULL,
			     "[" ADD("\"~:logseq.kv/graph-rtc-e2ee?\"",
				 "kv/value", "false") "]"),
	    LOGSEQ_DONE);
	assert_memory_equal(rig_state(&rig).sum.p, was, LOGSEQ_SUM_LEN);
}

static int
row_each(struct bytes key, struct bytes val, void *arg)
{
	(void)key;
	return (buf_add_bytes(arg, val));
}

static void
a_row_that_comes_again_replaces_all_of_the_first(void **state)
{
	static uint8_t content[3 * LOGSEQ_ROW_PIECE_BYTES];
	struct buf list = BUF_INIT, row = BUF_INIT;
	uint8_t prefix[LOGSEQ_PREFIX_LEN];
	struct bytes in, one;
	uint8_t addr[8];
	uint64_t number;

	(void)state;
	memset(content, 'x', sizeof(content));
	be64_put(addr, 7);
	number = begin();
	list_add(&list, bytes_of(addr, 8));
	list_add(&list, BYTES_LIT("[1,2]"));
	list_add(&list, bytes_of(content, sizeof(content)));
	assert_int_equal(upload(LOGSEQ_UPLOAD_ROWS, number, BYTES_NONE,
			     buf_bytes(&list)),
	    CODE_OK);
	assert_int_equal(count(LOGSEQ_REG_ROW), 4);
	buf_clear(&list);
	list_add(&list, bytes_of(addr, 8));
	list_add(&list, BYTES_NONE);
	list_add(&list, BYTES_LIT("short"));
	assert_int_equal(upload(LOGSEQ_UPLOAD_ROWS, number, BYTES_NONE,
			     buf_bytes(&list)),
	    CODE_OK);
	logseq_prefix(prefix, LOGSEQ_REG_ROW, number);
	rig_scan(&rig, bytes_of(prefix, sizeof(prefix)), row_each, &row);
	in = buf_bytes(&row);
	assert_int_equal(list_next(&in, &one), 1);
	assert_int_equal(one.n, 0);
	assert_int_equal(list_next(&in, &one), 1);
	assert_true(bytes_eq(one, BYTES_LIT("short")));
	assert_int_equal(in.n, 0);
	buf_free(&list);
	buf_free(&row);
}

#define PAGE 7

/* Keys of one index, read page by page as a worker does by FETCH. */
struct pages {
	uint8_t prefix[LOGSEQ_PREFIX_LEN];
	struct buf from;
	struct buf keys; /* without the prefix */
	size_t n;	 /* of the last page */
};

static int
page_each(struct bytes key, struct bytes val, void *arg)
{
	struct pages *p = arg;

	(void)val;
	if (p->n == PAGE)
		return (1);
	p->n++;
	buf_clear(&p->from);
	buf_add_bytes(&p->from, key);
	return (list_add(&p->keys, bytes_skip(key, LOGSEQ_PREFIX_LEN)));
}

static void
write_something(unsigned int i)
{
	char tx[1024];
	unsigned int n = i * 37 % 100;

	if (i % 5 == 4)
		snprintf(tx, sizeof(tx),
		    "[" GONE(
			"[\"~:block/uuid\",\"~u%08x-0000-4000-8000-000000000000\"]") "]",
		    n);
	else
		snprintf(tx, sizeof(tx),
		    "[" ADD("\"t\"", "block/uuid",
			"\"~u%08x-0000-4000-8000-000000000000\"") "," ADD("\"t\"",
			"block/title", "\"%u\"") "," ADD("\"t\"", "x/plain",
			"%u") "," ADD("\"t\"", "block/refs", "\"t\"") "]",
		    n, i, i);
	assert_int_equal(rig_tx(&rig, NULL, tx), LOGSEQ_DONE);
}

/* writes: where its numbers are, or NULL: nobody writes meanwhile. */
static void
read_index(struct pages *p, char kind, uint64_t gen, unsigned int *writes)
{
	memset(p, 0, sizeof(*p));
	logseq_prefix(p->prefix, kind, gen);
	do {
		p->n = 0;
		rig_page(&rig, bytes_of(p->prefix, sizeof(p->prefix)),
		    buf_bytes(&p->from), page_each, p);
		if (writes != NULL)
			write_something((*writes)++);
	} while (p->n == PAGE);
}

/* One change of the tail.  The key says all of a datom. */
static void
fold(char kind, const struct logseq_datom *d, struct buf *keys)
{
	struct buf key = BUF_INIT, out = BUF_INIT;
	struct bytes rest = buf_bytes(keys), one;

	if (kind == LOGSEQ_REG_AVET && bytes_eq(d->a, BYTES_LIT("x/plain")))
		return; /* not indexed */
	if (kind == LOGSEQ_REG_EAVT)
		buf_add_be64(&key, d->e);
	logseq_attr_key(&key, d->a);
	if (kind == LOGSEQ_REG_AEVT)
		buf_add_be64(&key, d->e);
	logseq_sort_key(&key, &d->v);
	if (kind == LOGSEQ_REG_AVET)
		buf_add_be64(&key, d->e);
	while (list_next(&rest, &one) == 1)
		if (!bytes_eq(one, buf_bytes(&key)))
			list_add(&out, one);
	if (d->op == LOGSEQ_OP_ADD)
		list_add(&out, buf_bytes(&key));
	buf_free(keys);
	*keys = out;
	buf_free(&key);
}

struct tail {
	char kind;
	struct pages *pages;
	size_t n;
};

static int
tail_each(struct bytes key, struct bytes val, void *arg)
{
	struct tail *t = arg;
	struct logseq_datom d;

	(void)key;
	t->n++;
	assert_int_equal(logseq_datom_unpack(val, &d), 0);
	fold(t->kind, &d, &t->pages->keys);
	return (0);
}

static int
order(const void *a, const void *b)
{
	return (bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b));
}

static void
sort(struct buf *keys)
{
	static struct bytes list[4096];
	struct bytes rest = buf_bytes(keys);
	struct buf out = BUF_INIT;
	size_t n = 0, i;

	while (list_next(&rest, &list[n]) == 1)
		assert_true(++n < 4096);
	qsort(list, n, sizeof(list[0]), order);
	for (i = 0; i < n; i++)
		list_add(&out, list[i]);
	buf_free(keys);
	*keys = out;
}

static void
download(char kind, unsigned int *writes)
{
	uint8_t from[LOGSEQ_PREFIX_LEN + 8];
	struct pages got, want;
	struct tail tail = { kind, &got, 0 };
	struct logseq_pin pin;

	assert_int_equal(rig_verb(&rig, LOGSEQ_PIN), CODE_OK);
	assert_int_equal(logseq_pin_unpack(buf_bytes(&rig.info), &pin), 0);
	read_index(&got, kind, pin.gen, writes);
	logseq_prefix(from, LOGSEQ_REG_CHANGE, pin.gen);
	be64_put(from + LOGSEQ_PREFIX_LEN, pin.change);
	rig_page(&rig, bytes_of(from, LOGSEQ_PREFIX_LEN),
	    bytes_of(from, sizeof(from)), tail_each, &tail);
	assert_int_not_equal(tail.n, 0);
	read_index(&want, kind, pin.gen, NULL);
	sort(&got.keys);
	assert_true(bytes_eq(buf_bytes(&got.keys), buf_bytes(&want.keys)));
	assert_int_equal(rig_verb(&rig, LOGSEQ_UNPIN), CODE_OK);
	buf_free(&got.from);
	buf_free(&got.keys);
	buf_free(&want.from);
	buf_free(&want.keys);
}

static void
pages_and_tail_together_are_the_graph(void **state)
{
	unsigned int writes = 0, round;

	(void)state;
	while (writes < 60)
		write_something(writes++);
	for (round = 0; round < 5; round++) {
		download(LOGSEQ_REG_EAVT, &writes);
		download(LOGSEQ_REG_AEVT, &writes);
		download(LOGSEQ_REG_AVET, &writes);
	}
	sweep_all();
	assert_int_equal(count(LOGSEQ_REG_CHANGE), 0);
	assert_int_equal(count(LOGSEQ_REG_PIN), 0);
}

static void
changes_are_kept_for_downloads_alone(void **state)
{
	unsigned int writes = 0;

	(void)state;
	write_something(writes++);
	assert_int_equal(count(LOGSEQ_REG_CHANGE), 0);
	rig_verb(&rig, LOGSEQ_PIN);
	write_something(writes++);
	assert_int_equal(count(LOGSEQ_REG_CHANGE), 4);
	/* The broker was killed: nobody with that session is here any more. */
	rig.session = 6;
	assert_int_equal(rig_open(&rig), CODE_OK);
	assert_int_equal(count(LOGSEQ_REG_PIN), 0);
	write_something(writes++);
	assert_int_equal(count(LOGSEQ_REG_CHANGE), 0);
}

static void
a_download_of_a_replaced_graph_is_worthless(void **state)
{
	(void)state;
	rig_tx(&rig, NULL, "[" NEW(A) "]");
	rig_verb(&rig, LOGSEQ_PIN);
	assert_int_equal(rig_verb(&rig, LOGSEQ_RESET), CODE_OK);
	assert_int_equal(rig_verb(&rig, LOGSEQ_UNPIN), CODE_STALE);
	rig_leave(&rig);
	assert_int_equal(count(LOGSEQ_REG_PIN), 0);
}

static void
a_reset_leaves_nothing(void **state)
{
	struct logseq_state s;
	struct buf log = BUF_INIT;

	(void)state;
	rig_tx(&rig, NULL, "[" NEW(A) "]");
	rig_tx(&rig, NULL, "[" ADD(AT(A), "block/refs", AT(A)) "]");
	begin();
	assert_int_equal(rig_verb(&rig, LOGSEQ_RESET), CODE_OK);
	s = rig_state(&rig);
	assert_int_equal(s.t, 0);
	assert_int_equal(s.staged, 0);
	assert_true(bytes_eq(s.sum, BYTES_LIT("0000000000000000")));
	datoms("");
	sweep_all();
	assert_int_equal(count(LOGSEQ_REG_EAVT) + count(LOGSEQ_REG_AEVT) +
		count(LOGSEQ_REG_AVET) + count(LOGSEQ_REG_REV) +
		count(LOGSEQ_REG_DEAD),
	    0);
	rig_log(&rig, &log);
	assert_int_equal(log.len, 0);
	rig.t = 0;
	assert_int_equal(rig_tx(&rig, NULL, "[" NEW(B) "]"), LOGSEQ_DONE);
	assert_int_equal(rig.t, 1);
	buf_free(&log);
}

static void
only_managers_replace_a_graph(void **state)
{
	static const uint64_t verbs[] = { LOGSEQ_RESET, LOGSEQ_UPLOAD_BEGIN,
		LOGSEQ_UPLOAD_FINISH, LOGSEQ_TX, LOGSEQ_STATE };
	size_t i;

	(void)state;
	rig.subject = rig.claims.sub = BYTES_LIT("somebody else");
	assert_int_equal(rig_open(&rig), CODE_NO_SCOPE);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		assert_int_equal(rig_verb(&rig, verbs[i]), CODE_NO_SCOPE);
}

static struct txn_card cards[4];

static int
card_at(void *arg, size_t i, struct txn_card *c)
{
	(void)arg;
	if (i >= 4 || cards[i].session == 0)
		return (-1);
	*c = cards[i];
	return (0);
}

static void
users_are_listed_once_with_what_they_edit(void **state)
{
	const struct claims people[] = {
		{ .sub = BYTES_LIT("u\"1"), .email = BYTES_LIT("a@b") },
		{ .sub = BYTES_LIT("u2") },
		{ .sub = BYTES_LIT("u4") },
	};
	struct buf idle = BUF_INIT, busy = BUF_INIT;

	(void)state;
	list_add(&idle, BYTES_NONE);
	list_add(&busy, BYTES_LIT(A));
	memset(cards, 0, sizeof(cards));
	cards[0] = (struct txn_card){ 1, &people[0], buf_bytes(&idle) };
	cards[1] = (struct txn_card){ 2, &people[1], buf_bytes(&busy) };
	cards[2] = (struct txn_card){ 3, &people[0], buf_bytes(&busy) };
	cards[3] = (struct txn_card){ 4, &people[2], BYTES_NONE };
	rig.cards = card_at;
	rig.card = buf_bytes(&busy);
	rig_join(&rig);
	frames("{\"type\":\"online-users\",\"online-users\":["
	       "{\"user-id\":\"u\\\"1\",\"email\":\"a@b\"},"
	       "{\"user-id\":\"u2\",\"editing-block-uuid\":\"" A "\"}]}\n");
	rig_card(&rig);
	frames("{\"type\":\"presence\",\"editing-block-uuid\":\"" A
	       "\",\"user-id\":\"" RIG_USER "\"}\n");
	rig.card = buf_bytes(&idle);
	rig_card(&rig);
	frames("{\"type\":\"presence\",\"editing-block-uuid\":null,"
	       "\"user-id\":\"" RIG_USER "\"}\n");
	/* A session of HTTP is nobody. */
	rig.card = BYTES_NONE;
	rig_join(&rig);
	frames("");
	rig_leave(&rig);
	frames("");
	/* Who leaves last is not told that nobody is there. */
	rig.card = buf_bytes(&idle);
	memset(cards, 0, sizeof(cards));
	cards[0] = (struct txn_card){ 4, &people[2], BYTES_NONE };
	rig_leave(&rig);
	frames("");
	buf_free(&idle);
	buf_free(&busy);
}

/* A worker that was taken over writes cards as it likes. */
static void
a_card_says_which_block_and_nothing_else(void **state)
{
	static const char *const blocks[] = {
		",\"name\":\"root\"}],\"x\":[{",
		"\",\"user-id\":\"" RIG_USER,
		"\n",
		"\xff\xfe",
		A "0",
		"11111111-2222-4333-8444-55555555555\"",
	};
	const struct claims person = {
		.sub = BYTES_LIT("u1"),
		.name = BYTES_LIT("a\"\n\\"),
	};
	struct buf card = BUF_INIT;
	size_t i;

	(void)state;
	rig.cards = card_at;
	memset(cards, 0, sizeof(cards));
	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		buf_clear(&card);
		list_add(&card, bytes_str(blocks[i]));
		list_add(&card, BYTES_LIT(A));
		rig.card = buf_bytes(&card);
		cards[0] = (struct txn_card){ 1, &person, rig.card };
		rig_join(&rig);
		frames("{\"type\":\"online-users\",\"online-users\":["
		       "{\"user-id\":\"u1\","
		       "\"name\":\"a\\\"\\u000a\\\\\"}]}\n");
		rig_card(&rig);
		frames("{\"type\":\"presence\",\"editing-block-uuid\":null,"
		       "\"user-id\":\"" RIG_USER "\"}\n");
	}
	/* No list at all: nobody. */
	rig.card = BYTES_LIT("\x7f");
	cards[0].card = rig.card;
	rig_join(&rig);
	frames("");
	rig_card(&rig);
	frames("");
	buf_free(&card);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_upload_takes_the_place_of_the_graph_at_its_end),
		TEST(nobody_writes_meanwhile_unless_it_was_given_up),
		TEST(an_empty_graph_is_not_ready_until_its_upload_ends),
		TEST(what_an_upload_left_is_forgotten_by_the_next),
		TEST(bad_datoms_are_refused),
		TEST(the_checksum_of_an_upload_is_computed_in_steps),
		TEST(titles_of_an_encrypted_graph_are_not_in_its_checksum),
		TEST(
		    who_encrypts_a_filled_graph_has_the_checksum_of_an_encrypted_one),
		TEST(a_row_that_comes_again_replaces_all_of_the_first),
		TEST(pages_and_tail_together_are_the_graph),
		TEST(changes_are_kept_for_downloads_alone),
		TEST(a_download_of_a_replaced_graph_is_worthless),
		TEST(a_reset_leaves_nothing),
		TEST(only_managers_replace_a_graph),
		TEST(users_are_listed_once_with_what_they_edit),
		TEST(a_card_says_which_block_and_nothing_else),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
