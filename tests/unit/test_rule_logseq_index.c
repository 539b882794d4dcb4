/*
 * Graphs, members, keys and assets as the rule decides them, over a store in
 * memory: each submit is a transaction of its own, committed when it was
 * accepted and thrown away when it was not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/claims.h"
#include "broker/config.h"
#include "broker/garbage.h"
#include "broker/logseq_index.h"
#include "common/wire.h"
#include "tests/lib/store.h"

#define G1    "11111111-1111-4111-8111-111111111111"
#define G2    "22222222-2222-4222-8222-222222222222"
#define G3    "33333333-3333-4333-8333-333333333333"
#define INDEX NULL /* the room without a graph */
#define L(s)  BYTES_LIT(s)

extern const struct rule rule_logseq;

static struct {
	struct kv *kv;
	struct config conf;
	int64_t now_ms;
	struct buf info;
	enum code kick;	   /* what the last submit did to sessions */
	struct buf kicked; /* whose */
} world;

static int
setup(void **state)
{
	(void)state;
	world.kv = kv_mem_open();
	assert_non_null(world.kv);
	world.now_ms = 1000;
	world.conf.logseq_asset_max = 100;
	world.conf.logseq_asset_e2ee_max = 200;
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	world.kv->ops->close(world.kv);
	buf_free(&world.info);
	buf_free(&world.kicked);
	return (0);
}

static void
begin(struct txn *t, const char *user, const char *graph, struct claims *c)
{
	struct doc_id id = { LOGSEQ_DIALECT,
		graph == NULL ? LOGSEQ_ROOM_INDEX : LOGSEQ_ROOM_GRAPH,
		bytes_str(graph == NULL ? LOGSEQ_INDEX_NAME : graph) };

	memset(c, 0, sizeof(*c));
	c->sub = bytes_str(user);
	assert_int_equal(world.kv->ops->begin(world.kv), 0);
	txn_init(t, world.kv, &id);
	assert_int_not_equal(txn_load(t), -1);
	t->now_ms = world.now_ms++;
	t->conf = &world.conf;
	t->who = (struct txn_who){ .session = 1,
		.scope = SCOPE_WRITE,
		.subject = c->sub,
		.claims = c };
}

static enum code
end(struct txn *t, enum code code)
{
	struct effect *e = t->effects;

	buf_clear(&world.info);
	buf_clear(&world.kicked);
	buf_add_bytes(&world.info, buf_bytes(&t->info));
	world.kick = CODE_OK;
	if (code == CODE_OK && e != NULL) {
		assert_null(e->next);
		world.kick = e->kick;
		buf_add_bytes(&world.kicked, buf_bytes(&e->data));
	}
	assert_false(t->failed);
	if (code == CODE_OK)
		assert_int_equal(world.kv->ops->commit(world.kv), 0);
	else
		world.kv->ops->abort(world.kv);
	txn_done(t);
	return (code);
}

/* The user opens a document, with an email that is verified or not. */
static enum code
open_as(const char *user, const char *graph, const char *email, int verified)
{
	struct claims c;
	struct txn t;

	begin(&t, user, graph, &c);
	c.email = bytes_str(email);
	c.email_verified = verified != 0;
	return (end(&t, rule_logseq.open(&t)));
}

static enum code
submit(const char *user, const char *graph, const struct submit *in)
{
	uint8_t before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	struct claims c;
	enum code code;
	struct txn t;

	store_digest(world.kv, before);
	begin(&t, user, graph, &c);
	code = logseq_index_decide(&t, in);
	if (code != CODE_OK) {
		store_digest(world.kv, after);
		assert_memory_equal(before, after, sizeof(before));
	}
	return (end(&t, code));
}

static enum code
graph_new(const char *user, const char *id, const char *name, int e2ee)
{
	struct submit in = { .verb = LOGSEQ_GRAPH_NEW, .ref = bytes_str(id) };
	struct buf items = BUF_INIT;
	enum code code;

	list_add(&items, bytes_str(name));
	list_add(&items, L("65"));
	logseq_list_add_u64(&items, (uint64_t)e2ee);
	logseq_list_add_u64(&items, 1);
	in.items = buf_bytes(&items);
	code = submit(user, INDEX, &in);
	buf_free(&items);
	return (code);
}

static enum code
member(uint64_t verb, const char *by, const char *user, uint64_t role)
{
	struct submit in = { .verb = verb,
		.author = bytes_str(user),
		.clock = role };

	return (submit(by, G1, &in));
}

static enum code
invite(const char *by, const char *email)
{
	struct submit in = { .verb = LOGSEQ_MEMBER_ADD,
		.ref = bytes_str(email),
		.clock = LOGSEQ_MEMBER };

	return (submit(by, G1, &in));
}

static enum code asset_put(const char *, const char *, const char *, size_t);

/* 1: that user is let into the graph. */
static int
let_in(const char *user, const char *graph)
{
	return (open_as(user, graph, "", 0) == CODE_OK);
}

/* The n-th row of a list after its numbers. */
static struct bytes
info_row(size_t numbers, size_t n)
{
	struct bytes rest = buf_bytes(&world.info), row = BYTES_NONE;

	for (n += numbers + 1; n > 0; n--)
		if (list_next(&rest, &row) != 1)
			return (BYTES_NONE);
	return (row);
}

static void
a_new_graph_is_its_owners_alone(void **state)
{
	const struct submit list = { .verb = LOGSEQ_GRAPHS };
	struct logseq_graph_row row;

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	assert_true(let_in("ann", G1));
	assert_false(let_in("bob", G1));
	assert_false(let_in("ann", G2));
	assert_int_equal(submit("ann", INDEX, &list), CODE_OK);
	assert_int_equal(logseq_graph_unpack(info_row(2, 0), &row), 0);
	assert_true(bytes_eq(row.id, L(G1)));
	assert_true(bytes_eq(row.name, L("notes")));
	assert_true(bytes_eq(row.schema, L("65")));
	assert_true(bytes_eq(row.invited_by, L("ann")));
	assert_int_equal(row.role, LOGSEQ_MANAGER);
	assert_int_equal(row.e2ee, 0);
	assert_int_equal(row.ready, 1);
	assert_int_equal(row.created_ms, 1000);
	assert_int_equal(info_row(2, 1).n, 0);
	assert_int_equal(submit("bob", INDEX, &list), CODE_OK);
	assert_int_equal(info_row(2, 0).n, 0);
}

static void
a_graph_of_an_odd_name_is_just_not_there(void **state)
{
	char name[1025];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[1024] = '\0';
	assert_int_equal(open_as("ann", name, "", 0), CODE_NO_SCOPE);
	assert_int_equal(open_as("ann", "", "", 0), CODE_NO_SCOPE);
	assert_int_equal(asset_put("ann", name, "a.png", 5), CODE_NO_SCOPE);
}

static void
a_name_is_unique_for_its_owner(void **state)
{
	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	assert_int_equal(graph_new("ann", G2, "notes", 0), CODE_EXISTS);
	assert_int_equal(graph_new("bob", G2, "notes", 0), CODE_OK);
	/* "an" and "nnotes" are not "ann" and "notes". */
	assert_int_equal(graph_new("an", G3, "nnotes", 0), CODE_OK);
}

static void
an_id_is_drawn_once_and_well_formed(void **state)
{
	static const char *const bad[] = { "", "x",
		"11111111-1111-4111-8111-11111111111G",
		"11111111-1111-4111-8111-1111111111111",
		"11111111-1111-4111-8111-11111111111A",
		"11111111_1111-4111-8111-111111111111" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(graph_new("ann", bad[i], "x", 0),
		    CODE_INVALID);
	assert_int_equal(graph_new("ann", G1, "x", 0), CODE_OK);
	assert_int_equal(graph_new("bob", G1, "y", 0), CODE_INVALID);
	assert_false(let_in("bob", G1));
}

static void
put_keys(const char *user)
{
	struct submit in = { .verb = LOGSEQ_KEYS_PUT };
	struct buf items = BUF_INIT;

	list_add(&items, L("public"));
	list_add(&items, L("private"));
	in.items = buf_bytes(&items);
	assert_int_equal(submit(user, INDEX, &in), CODE_OK);
	buf_free(&items);
}

static void
an_encrypted_graph_needs_keys_first(void **state)
{
	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 1), CODE_NOT_FOUND);
	put_keys("ann");
	assert_int_equal(graph_new("ann", G1, "notes", 1), CODE_OK);
	assert_int_equal(graph_new("bob", G2, "notes", 1), CODE_NOT_FOUND);
}

static void
verbs_belong_to_their_rooms_and_roles(void **state)
{
	static const struct {
		uint64_t verb;
		enum logseq_room room;
		enum logseq_role need;
	} rows[] = {
#define LOGSEQ_INDEX_VERB(no, NAME, name, room, need, scope)                   \
	{ LOGSEQ_##NAME, LOGSEQ_ROOM_##room, LOGSEQ_##need },
#include "common/logseq_index.def"
#undef LOGSEQ_INDEX_VERB
	};
	struct submit in = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	assert_int_equal(member(LOGSEQ_MEMBER_ADD, "ann", "bob", LOGSEQ_MEMBER),
	    CODE_OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		in.verb = rows[i].verb;
		if (rows[i].room == LOGSEQ_ROOM_INDEX) {
			assert_int_equal(submit("ann", G1, &in), CODE_INVALID);
			continue;
		}
		assert_int_equal(submit("ann", INDEX, &in), CODE_INVALID);
		assert_int_equal(submit("eve", G1, &in), CODE_NO_SCOPE);
		assert_int_equal(submit("ann", "x", &in), CODE_NO_SCOPE);
		if (rows[i].need == LOGSEQ_MANAGER)
			assert_int_equal(submit("bob", G1, &in), CODE_NO_SCOPE);
	}
	in.verb = 99;
	assert_int_equal(submit("ann", G1, &in), CODE_INVALID);
}

static void
an_invitation_finds_a_verified_email_in_any_case(void **state)
{
	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	assert_int_equal(invite("ann", "bob@b.example"), CODE_NOT_FOUND);
	open_as("bob", INDEX, "Bob@b.example", 0);
	assert_int_equal(invite("ann", "bob@b.example"), CODE_NOT_FOUND);
	open_as("bob", INDEX, "Bob@b.example", 1);
	assert_int_equal(invite("ann", "BOB@b.example"), CODE_OK);
	assert_true(let_in("bob", G1));
}

static void
of_two_with_one_email_the_newest_to_prove_it_counts(void **state)
{
	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	open_as("zoe", INDEX, "b@b.example", 1);
	open_as("bob", INDEX, "b@b.example", 1);
	open_as("zoe", INDEX, "b@b.example", 1);
	assert_int_equal(invite("ann", "b@b.example"), CODE_OK);
	assert_true(let_in("bob", G1));
	assert_false(let_in("zoe", G1));
	/* Who gives up his address is not found by it. */
	open_as("bob", INDEX, "other@b.example", 1);
	assert_int_equal(invite("ann", "b@b.example"), CODE_OK);
	assert_true(let_in("zoe", G1));
}

static void
members_are_listed_with_what_their_tokens_said(void **state)
{
	const struct submit list = { .verb = LOGSEQ_MEMBERS };
	struct logseq_member_row row;

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	open_as("bob", INDEX, "b@b.example", 0);
	assert_int_equal(member(LOGSEQ_MEMBER_ADD, "ann", "bob",
			     LOGSEQ_MANAGER),
	    CODE_OK);
	assert_int_equal(submit("bob", G1, &list), CODE_OK);
	assert_int_equal(logseq_member_unpack(info_row(1, 0), &row), 0);
	assert_true(bytes_eq(row.user, L("ann")));
	assert_int_equal(row.email.n, 0);
	assert_int_equal(logseq_member_unpack(info_row(1, 1), &row), 0);
	assert_true(bytes_eq(row.user, L("bob")));
	assert_true(bytes_eq(row.email, L("b@b.example")));
	assert_true(bytes_eq(row.invited_by, L("ann")));
	assert_int_equal(row.role, LOGSEQ_MANAGER);
}

static void
a_second_invitation_changes_the_role_and_keeps_the_date(void **state)
{
	const struct submit list = { .verb = LOGSEQ_MEMBERS };
	struct logseq_member_row first, row;
	uint64_t created;

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	member(LOGSEQ_MEMBER_ADD, "ann", "bob", LOGSEQ_MEMBER);
	submit("ann", G1, &list);
	assert_int_equal(logseq_member_unpack(info_row(1, 1), &first), 0);
	created = first.created_ms;
	member(LOGSEQ_MEMBER_ADD, "ann", "bob", LOGSEQ_MANAGER);
	submit("ann", G1, &list);
	assert_int_equal(logseq_member_unpack(info_row(1, 1), &row), 0);
	assert_int_equal(row.role, LOGSEQ_MANAGER);
	assert_int_equal(row.created_ms, created);
	assert_int_equal(member(LOGSEQ_MEMBER_ROLE, "ann", "nobody",
			     LOGSEQ_MANAGER),
	    CODE_OK);
	assert_false(let_in("nobody", G1));
	assert_int_equal(member(LOGSEQ_MEMBER_ROLE, "ann", "bob", 3),
	    CODE_INVALID);
}

static void
a_manager_drops_members_and_a_member_himself(void **state)
{
	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	member(LOGSEQ_MEMBER_ADD, "ann", "bob", LOGSEQ_MEMBER);
	member(LOGSEQ_MEMBER_ADD, "ann", "cat", LOGSEQ_MEMBER);
	member(LOGSEQ_MEMBER_ADD, "ann", "dan", LOGSEQ_MANAGER);
	assert_int_equal(member(LOGSEQ_MEMBER_DROP, "bob", "cat", 0),
	    CODE_NO_SCOPE);
	assert_int_equal(member(LOGSEQ_MEMBER_DROP, "ann", "dan", 0),
	    CODE_NO_SCOPE);
	assert_int_equal(member(LOGSEQ_MEMBER_DROP, "dan", "dan", 0),
	    CODE_NO_SCOPE);
	assert_int_equal(member(LOGSEQ_MEMBER_DROP, "ann", "nobody", 0),
	    CODE_OK);
	assert_int_equal(member(LOGSEQ_MEMBER_DROP, "bob", "bob", 0), CODE_OK);
	assert_int_equal(member(LOGSEQ_MEMBER_DROP, "dan", "cat", 0), CODE_OK);
	assert_false(let_in("bob", G1));
	assert_false(let_in("cat", G1));
	assert_true(let_in("dan", G1));
}

static void
who_loses_access_loses_his_sessions_and_his_key(void **state)
{
	struct submit key = { .verb = LOGSEQ_AES_KEY_PUT, .items = L("A") };
	struct submit get = { .verb = LOGSEQ_AES_KEY };

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	member(LOGSEQ_MEMBER_ADD, "ann", "bob", LOGSEQ_MEMBER);
	assert_int_equal(submit("bob", G1, &key), CODE_OK);
	assert_int_equal(world.kick, CODE_OK);
	assert_int_equal(member(LOGSEQ_MEMBER_DROP, "ann", "bob", 0), CODE_OK);
	assert_int_equal(world.kick, CODE_REVOKED);
	assert_true(bytes_eq(buf_bytes(&world.kicked), L("bob")));
	member(LOGSEQ_MEMBER_ADD, "ann", "bob", LOGSEQ_MEMBER);
	assert_int_equal(submit("bob", G1, &get), CODE_OK);
	assert_int_equal(world.info.len, 0);
}

static void
an_owner_stays_a_manager_whatever_his_row_says(void **state)
{
	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	member(LOGSEQ_MEMBER_ADD, "ann", "bob", LOGSEQ_MANAGER);
	assert_int_equal(member(LOGSEQ_MEMBER_ROLE, "bob", "ann",
			     LOGSEQ_MEMBER),
	    CODE_OK);
	assert_int_equal(member(LOGSEQ_MEMBER_DROP, "bob", "ann", 0), CODE_OK);
	assert_int_equal(world.kick, CODE_OK);
	assert_true(let_in("ann", G1));
	assert_int_equal(member(LOGSEQ_MEMBER_ROLE, "ann", "bob",
			     LOGSEQ_MEMBER),
	    CODE_OK);
}

static void
a_key_is_granted_to_members_alone(void **state)
{
	struct submit in = { .verb = LOGSEQ_AES_GRANT };
	struct submit get = { .verb = LOGSEQ_AES_KEY };
	struct buf items = BUF_INIT;

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	open_as("bob", INDEX, "b@b.example", 1);
	open_as("eve", INDEX, "e@b.example", 1);
	assert_int_equal(invite("ann", "b@b.example"), CODE_OK);
	list_add(&items, L("b@b.example"));
	list_add(&items, L("key of bob"));
	list_add(&items, L("e@b.example"));
	list_add(&items, L("key of eve"));
	in.items = buf_bytes(&items);
	assert_int_equal(submit("ann", G1, &in), CODE_OK);
	assert_true(bytes_eq(info_row(0, 0), L("e@b.example")));
	assert_int_equal(info_row(0, 1).n, 0);
	assert_int_equal(submit("bob", G1, &get), CODE_OK);
	assert_true(bytes_eq(buf_bytes(&world.info), L("key of bob")));
	assert_int_equal(submit("ann", G1, &get), CODE_OK);
	assert_int_equal(world.info.len, 0);
	list_add(&items, L("a half"));
	in.items = buf_bytes(&items);
	assert_int_equal(submit("ann", G1, &in), CODE_INVALID);
	buf_free(&items);
}

static void
keys_are_given_back_and_the_public_one_by_email(void **state)
{
	const struct submit get = { .verb = LOGSEQ_KEYS };
	const struct submit public = { .verb = LOGSEQ_PUBLIC_KEY,
		.ref = L("b@b.example") };

	(void)state;
	open_as("bob", INDEX, "b@b.example", 1);
	assert_int_equal(submit("bob", INDEX, &get), CODE_OK);
	assert_int_equal(world.info.len, 0);
	assert_int_equal(submit("ann", INDEX, &public), CODE_OK);
	assert_int_equal(world.info.len, 0);
	put_keys("bob");
	assert_int_equal(submit("bob", INDEX, &get), CODE_OK);
	assert_true(bytes_eq(info_row(0, 1), L("private")));
	assert_int_equal(submit("ann", INDEX, &public), CODE_OK);
	assert_true(bytes_eq(buf_bytes(&world.info), L("public")));
}

static enum code
asset_put(const char *user, const char *graph, const char *name, size_t n)
{
	static const uint8_t octets[512];
	struct submit in = { .verb = LOGSEQ_ASSET_PUT, .ref = bytes_str(name) };
	struct buf items = BUF_INIT;
	struct claims c;
	struct txn t;
	enum code code;

	list_add(&items, L("text/plain"));
	list_add(&items, L(""));
	begin(&t, user, graph, &c);
	assert_int_equal(txn_blob_new(&t, &in.body.blob), 0);
	assert_int_equal(txn_blob_slice(&t, in.body.blob, 0,
			     bytes_of(octets, n)),
	    0);
	in.body.size = n;
	in.items = buf_bytes(&items);
	code = end(&t, logseq_index_decide(&t, &in));
	buf_free(&items);
	return (code);
}

/* How many octets the graph's row counts; that of an asset's blob: -1. */
static int64_t
asset_size(const char *graph, const char *name)
{
	struct buf key = BUF_INIT, val = BUF_INIT;
	struct claims c;
	struct field f;
	struct txn t;
	int found;

	begin(&t, "nobody", graph, &c);
	logseq_asset_key(&key, bytes_str(name));
	found = txn_field_get(&t, buf_bytes(&key), &val, &f);
	end(&t, CODE_OK);
	buf_free(&key);
	buf_free(&val);
	return (found == 1 ? (int64_t)f.body.size : -1);
}

static void
an_asset_is_kept_replaced_and_dropped(void **state)
{
	const struct submit drop = { .verb = LOGSEQ_ASSET_DROP,
		.ref = L("a.png") };

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	assert_int_equal(asset_put("ann", G1, "a.png", 100), CODE_OK);
	assert_int_equal(asset_put("eve", G1, "a.png", 3), CODE_NO_SCOPE);
	assert_int_equal(asset_put("ann", G1, "a.png", 101), CODE_TOO_LARGE);
	assert_int_equal(asset_size(G1, "a.png"), 100);
	assert_int_equal(asset_put("ann", G1, "a.png", 7), CODE_OK);
	assert_int_equal(asset_size(G1, "a.png"), 7);
	assert_int_equal(submit("ann", G1, &drop), CODE_OK);
	assert_int_equal(submit("ann", G1, &drop), CODE_OK);
	assert_int_equal(asset_size(G1, "a.png"), -1);
}

static void
an_encrypted_graph_may_have_larger_assets(void **state)
{
	(void)state;
	put_keys("ann");
	assert_int_equal(graph_new("ann", G1, "notes", 1), CODE_OK);
	assert_int_equal(asset_put("ann", G1, "a.png", 200), CODE_OK);
	assert_int_equal(asset_put("ann", G1, "a.png", 201), CODE_TOO_LARGE);
}

static void
the_name_of_an_asset_is_plain(void **state)
{
	static const char *const bad[] = { "", "a", ".png", "a.", ".a.png",
		"a/b.png", "a b.png", "a\\b.png", "a%2f.png", "..", "a..",
		"a.p/g", "\xc3\xa4.png" };
	static const char *const good[] = { "a.png", "A-1_b.c.txt", "a..png",
		"9daabc17-bdcb-4412-acf5-160fabcfff35.jpeg" };
	char name[LOGSEQ_ASSET_NAME_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(logseq_asset_name_ok(bytes_str(bad[i])));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(logseq_asset_name_ok(bytes_str(good[i])));
	memset(name, 'a', sizeof(name));
	name[1] = '.';
	assert_true(logseq_asset_name_ok(bytes_of(name, sizeof(name) - 2)));
	assert_false(logseq_asset_name_ok(bytes_of(name, sizeof(name) - 1)));
}

static int
mentions(struct bytes key, struct bytes val, void *arg)
{
	(void)val;
	*(int *)arg |= memmem(key.p, key.n, G1, strlen(G1)) != NULL;
	return (0);
}

/* 1: a register of the index has the graph's id in its name. */
static int
index_mentions_g1(void)
{
	struct claims c;
	struct txn t;
	int found = 0;

	begin(&t, "nobody", INDEX, &c);
	assert_int_equal(txn_reg_scan(&t, BYTES_NONE, BYTES_NONE, mentions,
			     &found),
	    0);
	end(&t, CODE_OK);
	return (found);
}

static void
a_dropped_graph_leaves_nothing_and_ends_its_sessions(void **state)
{
	const struct submit key = { .verb = LOGSEQ_AES_KEY_PUT,
		.items = L("A") };
	const struct submit drop = { .verb = LOGSEQ_GRAPH_DROP };
	const struct submit list = { .verb = LOGSEQ_GRAPHS };

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	member(LOGSEQ_MEMBER_ADD, "ann", "bob", LOGSEQ_MEMBER);
	asset_put("ann", G1, "a.png", 5);
	assert_int_equal(submit("bob", G1, &key), CODE_OK);
	assert_int_equal(submit("bob", G1, &drop), CODE_NO_SCOPE);
	assert_true(index_mentions_g1());
	assert_int_equal(submit("ann", G1, &drop), CODE_OK);
	assert_int_equal(world.kick, CODE_NOT_FOUND);
	assert_int_equal(world.kicked.len, 0); /* everybody */
	assert_int_equal(asset_size(G1, "a.png"), -1);
	assert_false(index_mentions_g1());
	assert_false(let_in("ann", G1));
	assert_false(let_in("bob", G1));
	submit("bob", INDEX, &list);
	assert_int_equal(info_row(2, 0).n, 0);
	submit("ann", INDEX, &list);
	assert_int_equal(info_row(2, 0).n, 0);
	assert_int_equal(graph_new("ann", G2, "notes", 0), CODE_OK);
}

static void
what_a_graph_was_made_of_is_garbage_and_its_id_free(void **state)
{
	const struct submit drop = { .verb = LOGSEQ_GRAPH_DROP };

	(void)state;
	assert_int_equal(graph_new("ann", G1, "notes", 0), CODE_OK);
	assert_int_equal(asset_put("ann", G1, "a.png", 5), CODE_OK);
	assert_int_equal(submit("ann", G1, &drop), CODE_OK);
	assert_int_equal(submit("ann", G1, &drop), CODE_NO_SCOPE);
	assert_int_equal(graph_new("bob", G1, "again", 0), CODE_OK);
	assert_int_equal(asset_size(G1, "a.png"), -1);
	assert_int_equal(asset_put("bob", G1, "a.png", 7), CODE_OK);
	while (garbage_erase(world.kv) == 1)
		continue;
	assert_int_equal(asset_size(G1, "a.png"), 7);
	assert_false(let_in("ann", G1));
}

static void
nothing_of_the_index_can_be_fetched(void **state)
{
	struct claims c;
	struct txn t;

	(void)state;
	begin(&t, "ann", INDEX, &c);
	assert_int_equal(rule_logseq.fetch(&t, FETCH_RECORDS, L("g")),
	    CODE_NO_SCOPE);
	end(&t, CODE_OK);
	assert_int_equal(open_as("ann", INDEX, "", 0), CODE_OK);
}

static void
a_page_of_graphs_says_whether_there_are_more(void **state)
{
	struct submit list = { .verb = LOGSEQ_GRAPHS };
	char id[] = G1, name[] = "n00", last[37];
	struct bytes rest, row;
	struct logseq_graph_row g;
	uint64_t more, keys;
	int i, n = 0;

	(void)state;
	for (i = 0; i < 120; i++) {
		id[0] = (char)('a' + i / 16 % 6);
		id[1] = "0123456789abcdef"[i % 16];
		id[2] = (char)('0' + i / 96);
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		assert_int_equal(graph_new("ann", id, name, 0), CODE_OK);
	}
	last[0] = '\0';
	do {
		list.ref = bytes_str(last);
		assert_int_equal(submit("ann", INDEX, &list), CODE_OK);
		rest = buf_bytes(&world.info);
		assert_int_equal(logseq_list_next_u64(&rest, &more), 0);
		assert_int_equal(logseq_list_next_u64(&rest, &keys), 0);
		for (; list_next(&rest, &row) == 1; n++) {
			assert_int_equal(logseq_graph_unpack(row, &g), 0);
			memcpy(last, g.id.p, 36);
			last[36] = '\0';
		}
	} while (more);
	assert_int_equal(n, 120);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_graph_is_its_owners_alone),
		TEST(a_graph_of_an_odd_name_is_just_not_there),
		TEST(a_name_is_unique_for_its_owner),
		TEST(an_id_is_drawn_once_and_well_formed),
		TEST(an_encrypted_graph_needs_keys_first),
		TEST(verbs_belong_to_their_rooms_and_roles),
		TEST(an_invitation_finds_a_verified_email_in_any_case),
		TEST(of_two_with_one_email_the_newest_to_prove_it_counts),
		TEST(members_are_listed_with_what_their_tokens_said),
		TEST(a_second_invitation_changes_the_role_and_keeps_the_date),
		TEST(a_manager_drops_members_and_a_member_himself),
		TEST(who_loses_access_loses_his_sessions_and_his_key),
		TEST(an_owner_stays_a_manager_whatever_his_row_says),
		TEST(a_key_is_granted_to_members_alone),
		TEST(keys_are_given_back_and_the_public_one_by_email),
		TEST(an_asset_is_kept_replaced_and_dropped),
		TEST(an_encrypted_graph_may_have_larger_assets),
		TEST(the_name_of_an_asset_is_plain),
		TEST(a_dropped_graph_leaves_nothing_and_ends_its_sessions),
		TEST(what_a_graph_was_made_of_is_garbage_and_its_id_free),
		TEST(nothing_of_the_index_can_be_fetched),
		TEST(a_page_of_graphs_says_whether_there_are_more),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
