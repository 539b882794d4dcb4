/*
 * The decisions of canvas over a store in memory, a transaction a submit.  What
 * a client sends and what the room then holds are written as JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/canvas_store.h"
#include "broker/claims.h"
#include "broker/config.h"
#include "broker/rule.h"
#include "common/canvas.h"
#include "common/json.h"
#include "common/limits.h"
#include "common/wire.h"
#include "worker/canvas_message.h"
#include "worker/canvas_presence.h"
#include "tests/lib/store.h"

#define SESSIONS 4
#define LONG	 ((size_t)2 * MIB)

/* The store, who is in the room, and the frames of the last transaction. */
static struct {
	struct kv *kv;
	struct config conf;
	struct buf card[SESSIONS]; /* session i + 1; empty: not there */
	struct buf frames;	   /* a line each */
	unsigned int flags;	   /* of the last frame */
	uint64_t stub;		   /* the blob of the last frame */
	uint64_t seq;
	int full;
	struct claims claims;
} world;

static int
cards(void *arg, size_t i, struct txn_card *c)
{
	size_t s;

	(void)arg;
	for (s = 0; s < SESSIONS; s++)
		if (world.card[s].len > 0 && i-- == 0) {
			*c = (struct txn_card){ s + 1, NULL,
				buf_bytes(&world.card[s]) };
			return (0);
		}
	return (-1);
}

static void
begin(struct txn *t, uint64_t session)
{
	struct doc_id id = { DIALECT_CANVAS, 0, BYTES_LIT("room") };

	assert_int_equal(world.kv->ops->begin(world.kv), 0);
	txn_init(t, world.kv, &id);
	assert_int_not_equal(txn_load(t), -1);
	t->conf = &world.conf;
	t->cards = cards;
	t->full = world.full;
	t->who.session = session;
	t->who.scope = SCOPE_WRITE;
	t->who.claims = &world.claims;
	t->who.card = buf_bytes(&world.card[session - 1]);
}

static void
end(struct txn *t)
{
	struct effect *e;

	buf_clear(&world.frames);
	world.flags = 0;
	world.stub = 0;
	for (e = t->effects; e != NULL; e = e->next) {
		buf_add_bytes(&world.frames, buf_bytes(&e->data));
		buf_add_u8(&world.frames, '\n');
		world.flags = e->p.flags;
		world.stub = e->p.blob;
		if (e->p.seq != 0)
			assert_int_equal(e->p.seq, t->seq);
	}
	buf_add_u8(&world.frames, 0);
	world.seq = t->seq;
	assert_false(t->failed);
	assert_int_equal(world.kv->ops->commit(world.kv), 0);
	txn_done(t);
}

static void
sit(uint64_t session, const char *client)
{
	canvas_presence_begin(&world.card[session - 1], bytes_str(client));
}

static enum code
decide(uint64_t session, const struct submit *s)
{
	const struct rule_verb *v = rule_canvas.verbs;
	struct txn t;
	uint8_t was[STORE_DIGEST_LEN], is[STORE_DIGEST_LEN];
	enum code code;
	uint64_t before;

	while (v->verb != s->verb)
		v++;
	store_digest(world.kv, was);
	begin(&t, session);
	before = t.seq;
	code = v->decide(&t, s);
	if (code != CODE_OK) {
		assert_int_equal(t.seq, before);
		assert_null(t.effects);
		store_digest(world.kv, is);
		assert_memory_equal(was, is, sizeof(was));
	}
	end(&t);
	return (code);
}

/* What a client's patch becomes on its way here. */
static void
cut(struct canvas_message *m, const char *doc, const char *present)
{
	const struct canvas_shape shape = { 512, 1 << 20 };
	struct buf text = BUF_INIT;

	buf_printf(&text, "{\"type\":\"patch\",\"messageId\":\"m\"");
	if (doc != NULL)
		buf_printf(&text, ",\"documentPatches\":%s", doc);
	if (present != NULL)
		buf_printf(&text, ",\"ephemeralPatches\":%s", present);
	buf_add_u8(&text, '}');
	assert_int_equal(canvas_message_parse(m, buf_bytes(&text), &shape), 0);
	assert_int_equal(m->said, CANVAS_SAID_PATCH);
	buf_free(&text);
}

static enum code
patch_with(uint64_t session, const char *doc, const char *present)
{
	struct canvas_message m;
	struct submit s = { .verb = CANVAS_PATCH };
	enum code code;

	cut(&m, doc, present);
	s.body = BODY_OF(buf_bytes(&m.doc));
	s.extra = buf_bytes(&m.present);
	code = decide(session, &s);
	canvas_message_free(&m);
	return (code);
}

static enum code
patch(const char *doc)
{
	return (patch_with(1, doc, NULL));
}

static enum code
presence(uint64_t session, const char *present)
{
	const struct canvas_limits limits = { 100, 100 };
	struct canvas_message m;
	struct submit s = { .verb = CANVAS_PRESENCE };
	enum code code;

	cut(&m, NULL, present);
	assert_int_equal(canvas_presence_merge(&world.card[session - 1],
			     buf_bytes(&m.present), &limits),
	    0);
	s.body = BODY_OF(buf_bytes(&m.present));
	code = decide(session, &s);
	canvas_message_free(&m);
	return (code);
}

static void
leave(uint64_t session)
{
	struct buf card = world.card[session - 1];
	struct txn t;

	begin(&t, session);
	world.card[session - 1] = (struct buf)BUF_INIT;
	rule_canvas.leave(&t);
	end(&t);
	buf_free(&card);
}

static enum code
open_room(uint64_t session)
{
	struct txn t;
	enum code code;

	begin(&t, session);
	code = rule_canvas.open(&t);
	end(&t);
	return (code);
}

struct dump {
	struct txn *t;
	struct buf *text;
	uint64_t after;
};

static int
dump_each(const struct field *f, void *arg)
{
	struct dump *d = arg;
	struct buf blob = BUF_INIT;
	struct bytes stored = f->body.b;

	if (f->body.blob != 0) {
		txn_blob_read(d->t, f->body.blob, 0, (size_t)f->body.size,
		    &blob);
		stored = buf_bytes(&blob);
	}
	if (d->text->len > 0)
		buf_add_u8(d->text, ' ');
	assert_int_equal(canvas_component_text(d->text, f->key, stored,
			     d->after, UINT64_MAX),
	    1);
	buf_free(&blob);
	return (0);
}

/* The components that changed after a number, in the order they did. */
static void
assert_room(uint64_t after, const char *want)
{
	struct buf text = BUF_INIT;
	struct txn t;
	struct dump d = { &t, &text, after };

	begin(&t, 1);
	assert_int_equal(txn_field_scan(&t, after, UINT64_MAX, BYTES_NONE,
			     dump_each, &d),
	    0);
	end(&t);
	buf_add_u8(&text, 0);
	assert_string_equal(buf_bytes(&text).p, want);
	buf_free(&text);
}

static void
assert_frames(const char *want)
{
	assert_string_equal(buf_bytes(&world.frames).p, want);
}

static int
setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.kv = kv_mem_open();
	world.conf.canvas_delta_max = 1000;
	world.conf.canvas_fill_max = 10;
	world.conf.canvas_components_max = 1000;
	world.conf.canvas_message_max = 1 << 20;
	world.conf.ring_bytes = 1 << 20;
	sit(1, "alice");
	return (world.kv == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	world.kv->ops->close(world.kv);
	buf_free(&world.frames);
	for (i = 0; i < SESSIONS; i++)
		buf_free(&world.card[i]);
	return (0);
}

static void
a_request_takes_one_number_whatever_it_changes(void **state)
{
	(void)state;
	assert_int_equal(patch("[{}]"), CODE_OK);
	assert_int_equal(world.seq, 1);
	assert_frames("{\"type\":\"patch\",\"clientId\":\"alice\","
		      "\"documentPatches\":[{}],\"timestamp\":1}\n");
	assert_int_equal(world.flags, PUBLISH_SKIP_SELF);
	assert_int_equal(patch("[{\"a\":{\"x\":1}},{},{\"b\":{}}]"), CODE_OK);
	assert_frames("{\"type\":\"patch\",\"clientId\":\"alice\","
		      "\"documentPatches\":[{\"a\":{\"x\":1}},{},{\"b\":{}}],"
		      "\"timestamp\":2}\n");
	assert_room(0, "");
}

static void
fields_are_replaced_whole_and_the_others_stay(void **state)
{
	(void)state;
	patch("[{\"e\":{\"_exists\":true,\"x\":{\"a\":1,\"b\":2},\"y\":[1]}}]");
	patch("[{\"e\":{\"x\":{\"c\":3}}}]");
	assert_room(0, "\"e\":{\"_exists\":true,\"x\":{\"c\":3},\"y\":[1]}");
	assert_room(1, "\"e\":{\"x\":{\"c\":3}}");
	/* also when the whole component is sent again */
	patch("[{\"e\":{\"_exists\":true,\"y\":null}}]");
	assert_room(0, "\"e\":{\"_exists\":true,\"x\":{\"c\":3},\"y\":null}");
	assert_room(2, "\"e\":{\"_exists\":true,\"y\":null}");
	assert_room(3, "");
}

static void
the_last_to_arrive_wins_whoever_it_is(void **state)
{
	(void)state;
	sit(2, "bob");
	patch_with(1, "[{\"e\":{\"_exists\":true,\"x\":1}}]", NULL);
	patch_with(2, "[{\"e\":{\"x\":2}}]", NULL);
	patch_with(1, "[{\"e\":{\"x\":3}},{\"e\":{\"x\":4}}]", NULL);
	assert_room(0, "\"e\":{\"_exists\":true,\"x\":4}");
}

static void
a_partial_update_of_what_is_not_there_is_skipped(void **state)
{
	(void)state;
	patch("[{\"e\":{\"x\":1},\"f\":{\"_exists\":true}}]");
	assert_room(0, "\"f\":{\"_exists\":true}");
	patch("[{\"f\":{\"_exists\":false}}]");
	patch("[{\"f\":{\"x\":1}}]");
	assert_room(0, "\"f\":{\"_exists\":false}");
	assert_int_equal(world.seq, 3);
}

static void
a_tombstone_holds_nothing_and_nothing_survives_it(void **state)
{
	(void)state;
	patch("[{\"e\":{\"_exists\":true,\"x\":1,\"y\":2}}]");
	patch("[{\"e\":{\"x\":9,\"_exists\":false}}]");
	assert_room(0, "\"e\":{\"_exists\":false}");
	patch("[{\"e\":{\"_exists\":true,\"z\":3}}]");
	assert_room(0, "\"e\":{\"_exists\":true,\"z\":3}");
	/* within one request as well */
	patch("[{\"e\":{\"_exists\":false}},{\"e\":{\"_exists\":true}}]");
	assert_room(0, "\"e\":{\"_exists\":true}");
	patch("[{\"never\":{\"_exists\":false}}]");
	assert_room(4, "\"never\":{\"_exists\":false}");
}

static void
a_singleton_is_not_deleted(void **state)
{
	(void)state;
	patch("[{\"SINGLETON/s\":{\"_exists\":true,\"x\":1}}]");
	assert_int_equal(patch("[{\"SINGLETON/s\":{\"_exists\":false}}]"),
	    CODE_OK);
	assert_int_equal(world.seq, 2);
	patch("[{\"SINGLETON/s\":{\"x\":2}}]");
	assert_room(0, "\"SINGLETON/s\":{\"_exists\":true,\"x\":2}");
}

static void
only_booleans_count_for_existence(void **state)
{
	(void)state;
	patch("[{\"e\":{\"_exists\":\"true\"}},{\"f\":{\"_exists\":1}}]");
	assert_room(0, "");
	patch("[{\"e\":{\"_exists\":true}}]");
	patch("[{\"e\":{\"_exists\":null}}]");
	assert_room(0, "\"e\":{\"_exists\":null}");
	patch("[{\"e\":{\"x\":1}}]");
	assert_room(0, "\"e\":{\"_exists\":null,\"x\":1}");
}

static void
names_that_mean_something_elsewhere_mean_nothing_here(void **state)
{
	(void)state;
	patch("[{\"__proto__\":{\"_exists\":true,\"constructor\":1}}]");
	patch("[{\"toString\":{\"x\":1}},{\"__proto__\":{\"__proto__\":2}}]");
	assert_room(0,
	    "\"__proto__\":{\"_exists\":true,\"constructor\":1,"
	    "\"__proto__\":2}");
}

static void
equal_texts_are_one_name_however_they_are_spelt(void **state)
{
	(void)state;
	patch("[{\"\\u0065\":{\"_exists\":true,\"\\u0078\":1}}]");
	patch("[{\"e\":{\"x\":2,\"\\ud83d\":\"\\uD83D\\ude00\"}}]");
	assert_room(0,
	    "\"e\":{\"_exists\":true,\"x\":2,\"\\ud83d\":\"\360\237\230\200\"}");
}

static void
a_delta_is_kept_as_what_it_makes(void **state)
{
	(void)state;
	patch("[{\"e\":{\"_exists\":true,\"p\":[1,2,3]}}]");
	patch("[{\"e\":{\"p\":{\"__buf\":1,\"len\":5,\"runs\":[[1,[9]],"
	      "[-1,[7,8]],[4,[5,6]]]}}}]");
	assert_frames("{\"type\":\"patch\",\"clientId\":\"alice\","
		      "\"documentPatches\":[{\"e\":{\"p\":{\"__buf\":1,\"len\":"
		      "5,\"runs\":[[1,[9]],[-1,[7,8]],[4,[5,6]]]}}}],"
		      "\"timestamp\":2}\n");
	assert_room(1, "\"e\":{\"p\":[8,9,3,0,5]}");
	patch("[{\"e\":{\"p\":{\"__buf\":1,\"len\":1,\"runs\":[]}}},"
	      "{\"e\":{\"p\":{\"__buf\":1,\"len\":2,\"runs\":[[1,[null]]]}}}]");
	assert_room(2, "\"e\":{\"p\":[8,null]}");
	/* of what is no array, or not there */
	patch("[{\"e\":{\"p\":\"text\"}}]");
	patch("[{\"e\":{\"p\":{\"__buf\":1,\"len\":2,\"runs\":[]},"
	      "\"q\":{\"__buf\":1,\"len\":0,\"runs\":[[0,[1]]]}}}]");
	assert_room(4, "\"e\":{\"p\":[0,0],\"q\":[]}");
	/* anywhere else it is a value */
	patch("[{\"e\":{\"p\":{\"d\":{\"__buf\":1}},\"q\":{\"__buf\":2}}}]");
	assert_room(5,
	    "\"e\":{\"p\":{\"d\":{\"__buf\":1}},\"q\":{\"__buf\":2}}");
}

static void
too_many_zeros_refuse_the_request_as_a_whole(void **state)
{
	(void)state;
	patch("[{\"e\":{\"_exists\":true,\"p\":[1]}}]");
	assert_int_equal(patch("[{\"n\":{\"_exists\":true}},{\"e\":{\"p\":{"
			       "\"__buf\":1,\"len\":11,\"runs\":[]}}}]"),
	    CODE_OK);
	assert_int_equal(patch("[{\"m\":{\"_exists\":true}},{\"e\":{\"p\":{"
			       "\"__buf\":1,\"len\":22,\"runs\":[]}}}]"),
	    CODE_INVALID);
	assert_frames("");
	assert_int_equal(world.seq, 2);
	assert_room(2, "");
}

static void
a_request_may_move_only_so_much(void **state)
{
	struct buf text = BUF_INIT;
	int i;

	(void)state;
	world.conf.canvas_fill_max = 1000;
	buf_add_str(&text, "[{\"e\":{\"_exists\":true}}");
	for (i = 0; i < 4; i++)
		buf_add_str(&text,
		    ",{\"e\":{\"p\":{\"__buf\":1,\"len\":900,"
		    "\"runs\":[]}}}");
	buf_add(&text, "]", 2);
	assert_int_equal(patch((const char *)buf_bytes(&text).p), CODE_OK);
	buf_trunc(&text, text.len - 2);
	for (i = 0; i < 4; i++)
		buf_add_str(&text,
		    ",{\"e\":{\"p\":{\"__buf\":1,\"len\":900,"
		    "\"runs\":[]}}}");
	buf_add(&text, "]", 2);
	assert_int_equal(patch((const char *)buf_bytes(&text).p), CODE_INVALID);
	buf_free(&text);
}

static void
a_component_keeps_its_place_and_fields_theirs(void **state)
{
	struct buf stored = BUF_INIT;
	struct canvas_order order;
	struct field f;
	struct bytes in;
	struct txn t;

	(void)state;
	patch("[{\"a\":{\"_exists\":true},\"b\":{\"_exists\":true,\"x\":1}}]");
	patch("[{\"b\":{\"_exists\":false}}]");
	patch("[{\"b\":{\"y\":1,\"_exists\":true}}]");
	patch("[{\"b\":{\"y\":2}}]");
	assert_room(1, "\"b\":{\"y\":2,\"_exists\":true}");
	begin(&t, 1);
	assert_int_equal(txn_field_get(&t, BYTES_LIT("b"), &stored, &f), 1);
	in = buf_bytes(&stored);
	assert_int_equal(canvas_order_take(&in, &order), 0);
	assert_int_equal(order.stamp, 1);
	assert_int_equal(order.place, 1);
	end(&t);
	buf_free(&stored);
}

static void
a_component_has_a_bounded_number_of_fields(void **state)
{
	struct buf text = BUF_INIT;
	int i, half;

	(void)state;
	for (half = 0; half < 3; half++) {
		buf_clear(&text);
		buf_add_str(&text, "[{\"e\":{\"_exists\":true");
		for (i = 0; i < 255; i++)
			buf_printf(&text, ",\"%d-%d\":%d", half, i, i);
		buf_add(&text, "}}]", 4);
		assert_int_equal(patch((const char *)buf_bytes(&text).p),
		    half == 2 ? CODE_INVALID : CODE_OK);
	}
	buf_free(&text);
}

static void
a_request_names_a_bounded_number_of_components(void **state)
{
	struct buf text = BUF_INIT;
	int i, more;

	(void)state;
	for (more = 0; more < 2; more++) {
		buf_clear(&text);
		buf_add_str(&text, "[{\"\":{\"_exists\":true}");
		for (i = 1; i < 1000 + more; i++)
			buf_printf(&text, ",\"%d\":{\"_exists\":true}", i);
		buf_add(&text, "}]", 3);
		assert_int_equal(patch((const char *)buf_bytes(&text).p),
		    more ? CODE_INVALID : CODE_OK);
	}
	buf_free(&text);
}

static void
a_large_component_is_kept_in_slices(void **state)
{
	struct buf text = BUF_INIT, head = BUF_INIT;
	struct field f;
	struct txn t;
	char *want;
	int i;

	(void)state;
	buf_add_str(&text, "\"e\":{\"_exists\":true,\"s\":\"");
	for (i = 0; i < 200000; i++)
		buf_add_u8(&text, (uint8_t)('a' + i % 26));
	buf_add(&text, "\"}", 3);
	want = strdup((const char *)buf_bytes(&text).p);
	buf_clear(&text);
	buf_printf(&text, "[{%s}]", want);
	buf_add_u8(&text, 0);
	assert_int_equal(patch((const char *)buf_bytes(&text).p), CODE_OK);
	assert_room(0, want);
	begin(&t, 1);
	assert_int_equal(txn_field_get(&t, BYTES_LIT("e"), &head, &f), 1);
	assert_int_not_equal(f.body.blob, 0);
	end(&t);
	buf_free(&head);
	/* and comes back whole to be merged */
	patch("[{\"e\":{\"s\":1}}]");
	assert_room(0, "\"e\":{\"_exists\":true,\"s\":1}");
	free(want);
	buf_free(&text);
}

/* A body in a blob, as one over INLINE_MAX_BYTES comes. */
static void
a_large_request_is_read_whole_and_its_blob_is_the_log(void **state)
{
	struct canvas_message m;
	struct submit s = { .verb = CANVAS_PATCH };
	struct record r;
	struct bytes rest, b;
	struct txn t;
	uint32_t slice = 0;

	(void)state;
	cut(&m, "[{\"e\":{\"_exists\":true,\"x\":1}}]",
	    "[{\"cur\":{\"_exists\":true}}]");
	begin(&t, 1);
	assert_int_equal(txn_create(&t), 0);
	assert_int_equal(txn_blob_new(&t, &s.body.blob), 0);
	for (rest = buf_bytes(&m.doc); rest.n > 0;
	     rest = bytes_skip(rest, b.n)) {
		b = bytes_of(rest.p,
		    rest.n < BLOB_SLICE_BYTES ? rest.n : BLOB_SLICE_BYTES);
		txn_blob_slice(&t, s.body.blob, slice++, b);
	}
	end(&t);
	s.body.size = m.doc.len;
	s.extra = buf_bytes(&m.present);
	assert_int_equal(decide(1, &s), CODE_OK);
	/* The frame is to be fetched; what is not in the log goes by itself. */
	assert_frames("\n{\"type\":\"patch\",\"clientId\":\"alice\","
		      "\"ephemeralPatches\":[{\"cur\":{\"_exists\":true}}]}\n");
	assert_room(0, "\"e\":{\"_exists\":true,\"x\":1}");
	begin(&t, 1);
	assert_int_equal(txn_log_get(&t, 1, &r), 1);
	assert_int_equal(r.body.blob, s.body.blob);
	rest = r.body.b;
	assert_int_equal(list_next(&rest, &b), 1);
	assert_true(bytes_eq(b, BYTES_LIT("alice")));
	end(&t);
	canvas_message_free(&m);
}

static void
a_patch_too_large_for_the_ring_goes_without_its_presence(void **state)
{
	(void)state;
	world.conf.ring_bytes = 32 * 100;
	patch_with(1, "[{\"e\":{\"_exists\":true}}]",
	    "[{\"c\":{\"_exists\":true}}]");
	assert_frames("{\"type\":\"patch\",\"clientId\":\"alice\","
		      "\"documentPatches\":[{\"e\":{\"_exists\":true}}],"
		      "\"timestamp\":1,"
		      "\"ephemeralPatches\":[{\"c\":{\"_exists\":true}}]}\n");
	world.conf.ring_bytes = 32 * 10;
	patch_with(1, "[{\"e\":{\"_exists\":true}}]",
	    "[{\"c\":{\"_exists\":true}}]");
	assert_frames("\n{\"type\":\"patch\",\"clientId\":\"alice\","
		      "\"ephemeralPatches\":[{\"c\":{\"_exists\":true}}]}\n");
}

static void
who_joins_and_leaves_is_counted_for_everybody(void **state)
{
	struct txn t;

	(void)state;
	sit(2, "bob");
	begin(&t, 2);
	rule_canvas.join(&t);
	end(&t);
	assert_frames("{\"type\":\"clientCount\",\"count\":2}\n");
	assert_int_equal(world.flags, 0);
	leave(2);
	assert_frames("{\"type\":\"clientCount\",\"count\":1}\n");
}

static void
presence_goes_with_its_session_unless_another_of_the_client_shows_it(
    void **state)
{
	(void)state;
	sit(2, "bob");
	sit(3, "bob");
	assert_int_equal(presence(2,
			     "[{\"b/cur\":{\"_exists\":true,\"x\":1},"
			     "\"b/sel\":{\"_exists\":true}}]"),
	    CODE_OK);
	assert_frames(
	    "{\"type\":\"patch\",\"clientId\":\"bob\","
	    "\"ephemeralPatches\":[{\"b/cur\":{\"_exists\":true,\"x\":"
	    "1},\"b/sel\":{\"_exists\":true}}]}\n");
	assert_int_equal(world.seq, 0);
	presence(3, "[{\"b/cur\":{\"_exists\":true}}]");
	leave(2);
	assert_frames("{\"type\":\"patch\",\"ephemeralPatches\":[{\"b/sel\":{"
		      "\"_exists\":false}}],\"clientId\":\"bob\"}\n"
		      "{\"type\":\"clientCount\",\"count\":2}\n");
	leave(3);
	assert_frames("{\"type\":\"patch\",\"ephemeralPatches\":[{\"b/cur\":{"
		      "\"_exists\":false}}],\"clientId\":\"bob\"}\n"
		      "{\"type\":\"clientCount\",\"count\":1}\n");
}

/* What only a worker that was taken over would send. */
static void
a_worker_is_not_believed(void **state)
{
	static const char *const items[] = {
		"\002\001k",		  /* a component of nothing */
		"\001\003\001f\001\0011", /* a field of nothing */
		"\001\002\001k\003\001f", /* cut off */
		"\001\002\001\377",	  /* no UTF-8 */
		"\001\002\001k\003\001f\001\001\377",
		"\001\002\001k\003\001f\002\002\001\377",
		"\001\002\001k\003\001f\004\0011", /* no such type */
		"\004",
		"\001\002\001k\003\001f\001\001}", /* no JSON */
		"\001\002\001k\003\001f\001\0021,",
		"\001\002\001k\003\001f\001\003nul",
		"\001\002\001k\003\001f\001\0041 22",
		"\001\002\001k\003\001f\001\002\"\n",
		"\001\002\001k\003\001f\001\002{]",
		"\001\002\001k\003\001f\002\002\001,",
		"\001\002\001k\003\001f\003\005\001\002\002\001]",
		"\001\002\001\"", /* not between quotes */
		"\001\002\001k\003\001\\\001\0011",
		"\001\002\377\377\377\377\017k",
	};
	struct submit s = { .verb = CANVAS_PATCH };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		s.verb = CANVAS_PATCH;
		s.body = BODY_OF(bytes_str(items[i]));
		s.extra = BYTES_NONE;
		assert_int_equal(decide(1, &s), CODE_INVALID);
		s.body = BODY_OF(BYTES_LIT("\001"));
		s.extra = bytes_str(items[i]);
		assert_int_equal(decide(1, &s), CODE_INVALID);
		s.verb = CANVAS_PRESENCE;
		s.body = BODY_OF(bytes_str(items[i]));
		assert_int_equal(decide(1, &s), CODE_INVALID);
	}
	s = (struct submit){ .verb = CANVAS_PATCH };
	assert_int_equal(decide(1, &s), CODE_INVALID);
	s.body = (struct body){ .blob = 1, .size = (uint64_t)1 << 40 };
	assert_int_equal(decide(1, &s), CODE_TOO_LARGE);
	/* a card that cannot be spliced */
	buf_clear(&world.card[0]);
	buf_add_str(&world.card[0], "\002\377\377");
	assert_int_equal(open_room(1), CODE_INVALID);
	s.body = BODY_OF(BYTES_LIT("\001"));
	assert_int_equal(decide(1, &s), CODE_INVALID);
	buf_clear(&world.card[0]);
	buf_add_str(&world.card[0], "\003m\",");
	assert_int_equal(open_room(1), CODE_INVALID);
}

/* What goes with a session is told by the broker, from its card. */
static void
a_card_is_not_believed_either(void **state)
{
	(void)state;
	buf_clear(&world.card[0]);
	buf_add_str(&world.card[0], "\001m\003a\":\001x\001b\001x\001\\\001x");
	leave(1);
	assert_frames("{\"type\":\"patch\",\"ephemeralPatches\":"
		      "[{\"b\":{\"_exists\":false}}],\"clientId\":\"m\"}\n"
		      "{\"type\":\"clientCount\",\"count\":0}\n");
}

static void
nobody_who_would_write_is_let_in_while_the_disk_is_full(void **state)
{
	(void)state;
	assert_int_equal(open_room(1), CODE_OK);
	world.full = 1;
	assert_int_equal(open_room(1), CODE_STORAGE);
}

static void
a_token_may_say_who_its_bearer_is(void **state)
{
	(void)state;
	world.claims.canvas_client = BYTES_LIT("alice");
	assert_int_equal(open_room(1), CODE_OK);
	assert_int_equal(patch("[{}]"), CODE_OK);
	world.claims.canvas_client = BYTES_LIT("bob");
	assert_int_equal(open_room(1), CODE_NO_SCOPE);
	assert_int_equal(patch("[{}]"), CODE_NO_SCOPE);
	assert_int_equal(presence(1, "[{\"c\":{\"_exists\":true}}]"),
	    CODE_NO_SCOPE);
	world.claims.canvas_client = BYTES_LIT("");
	assert_int_equal(open_room(1), CODE_NO_SCOPE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void
count(void *arg)
{
	++*(size_t *)arg;
}

static void
field_of(struct buf *items, const char *name, enum canvas_type type,
    struct bytes data)
{
	const struct canvas_item i = { CANVAS_ITEM_FIELD, bytes_str(name),
		{ type, data } };

	canvas_item_add(items, &i);
}

/* Others have their turn in between. */
static void
a_long_value_is_gone_through_a_little_at_a_time(void **state)
{
	const struct canvas_limits limits = { LONG, LONG };
	struct canvas_item i = { CANVAS_ITEM_OBJECT, BYTES_NONE, { 0 } };
	struct buf items = BUF_INIT, text = BUF_INIT, list = BUF_INIT,
		   delta = BUF_INIT, stored = BUF_INIT;
	struct canvas_run run = { .offset = 0 };
	struct canvas_merge m;
	size_t n, rests = 0;

	(void)state;
	buf_add_u8(&text, '"');
	for (n = 0; n < LONG; n++) {
		buf_add_u8(&text, 'x');
		list_add(&list, BYTES_LIT("1"));
	}
	buf_add_u8(&text, '"');
	run.elements = buf_bytes(&list);
	canvas_delta_begin(&delta, LONG);
	canvas_delta_add(&delta, &run);
	canvas_item_add(&items, &i);
	i.kind = CANVAS_ITEM_KEY;
	i.name = BYTES_LIT("a/b");
	canvas_item_add(&items, &i);
	field_of(&items, "_exists", CANVAS_TEXT, BYTES_LIT("true"));
	field_of(&items, "x", CANVAS_TEXT, buf_bytes(&text));
	field_of(&items, "y", CANVAS_ARRAY, buf_bytes(&list));
	field_of(&items, "z", CANVAS_DELTA, buf_bytes(&delta));

	assert_int_equal(canvas_items_check(buf_bytes(&items), count, &rests),
	    1);
	assert_true(rests >=
	    LONG / JSON_REST_OCTETS - 1 + 2 * (LONG / CANVAS_REST_ITEMS));
	canvas_merge_init(&m, &limits, NULL, &rests);
	m.rest = count;
	rests = 0;
	assert_int_equal(canvas_merge(&m, buf_bytes(&items), 1), CANVAS_MERGED);
	assert_true(rests >= 2 * (LONG / CANVAS_REST_ITEMS));
	rests = 0;
	assert_int_equal(canvas_component_pack(&m, &stored, m.component[0]), 0);
	assert_true(rests >= 3 * (LONG / MIB));
	assert_true(stored.len > 3 * LONG);
	canvas_merge_free(&m);
	buf_free(&items);
	buf_free(&text);
	buf_free(&list);
	buf_free(&delta);
	buf_free(&stored);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_takes_one_number_whatever_it_changes),
		TEST(fields_are_replaced_whole_and_the_others_stay),
		TEST(the_last_to_arrive_wins_whoever_it_is),
		TEST(a_partial_update_of_what_is_not_there_is_skipped),
		TEST(a_tombstone_holds_nothing_and_nothing_survives_it),
		TEST(a_singleton_is_not_deleted),
		TEST(only_booleans_count_for_existence),
		TEST(names_that_mean_something_elsewhere_mean_nothing_here),
		TEST(equal_texts_are_one_name_however_they_are_spelt),
		TEST(a_delta_is_kept_as_what_it_makes),
		TEST(too_many_zeros_refuse_the_request_as_a_whole),
		TEST(a_request_may_move_only_so_much),
		TEST(a_component_keeps_its_place_and_fields_theirs),
		TEST(a_component_has_a_bounded_number_of_fields),
		TEST(a_request_names_a_bounded_number_of_components),
		TEST(a_large_component_is_kept_in_slices),
		TEST(a_large_request_is_read_whole_and_its_blob_is_the_log),
		TEST(a_patch_too_large_for_the_ring_goes_without_its_presence),
		TEST(who_joins_and_leaves_is_counted_for_everybody),
		TEST(
		    presence_goes_with_its_session_unless_another_of_the_client_shows_it),
		TEST(a_long_value_is_gone_through_a_little_at_a_time),
		TEST(a_worker_is_not_believed),
		TEST(a_card_is_not_believed_either),
		TEST(a_token_may_say_who_its_bearer_is),
		TEST(nobody_who_would_write_is_let_in_while_the_disk_is_full),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
