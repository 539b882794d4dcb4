/*
 * The decisions of secsync over a store in memory: each submit is a transaction
 * of its own, committed when it was accepted and thrown away when it was not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "broker/claims.h"
#include "broker/config.h"
#include "broker/rule.h"
#include "common/limits.h"
#include "common/secsync.h"
#include "common/wire.h"
#include "tests/lib/store.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
/* What every client is told of another's message. */
#define BODY                                                                   \
	"\"ciphertext\":\"c\",\"nonce\":\"n\",\"publicData\":{\"a\":[{}]},"    \
	"\"signature\":\"s\""
#define BODY_LEN (sizeof(BODY) - 1)

#define HASH "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"

extern const struct rule rule_secsync;

/* The document, who asks, and what the last submit led to. */
static struct {
	struct kv *kv;
	struct config conf;
	struct claims claims;
	enum scope scope;
	struct buf frame; /* that was published */
	struct buf info;
	unsigned int flags;
	uint64_t seq;
} world;

static void
begin(struct txn *t)
{
	struct doc_id id = { SECSYNC_DIALECT, 0, BYTES_LIT("doc") };

	assert_int_equal(world.kv->ops->begin(world.kv), 0);
	txn_init(t, world.kv, &id);
	assert_int_not_equal(txn_load(t), -1);
	t->conf = &world.conf;
	t->who = (struct txn_who){ .session = 1,
		.scope = world.scope,
		.claims = &world.claims };
}

static enum code
end(struct txn *t, enum code code)
{
	buf_clear(&world.frame);
	buf_clear(&world.info);
	buf_add_bytes(&world.info, buf_bytes(&t->info));
	world.seq = t->seq;
	if (code != CODE_OK) {
		world.kv->ops->abort(world.kv);
	} else {
		if (t->effects != NULL) {
			buf_add_bytes(&world.frame,
			    buf_bytes(&t->effects->data));
			world.flags = t->effects->p.flags;
			assert_null(t->effects->next);
		}
		assert_false(t->failed);
		assert_int_equal(world.kv->ops->commit(world.kv), 0);
	}
	txn_done(t);
	return (code);
}

static enum code
submit(const struct submit *s)
{
	const struct rule_verb *v = rule_secsync.verbs;
	uint8_t before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	enum code code;
	struct txn t;

	while (v->verb != s->verb)
		v++;
	store_digest(world.kv, before);
	begin(&t);
	code = v->decide(&t, s);
	if (code != CODE_OK) {
		store_digest(world.kv, after);
		assert_memory_equal(before, after, sizeof(before));
	}
	return (end(&t, code));
}

static enum code
open_document(void)
{
	struct txn t;

	begin(&t);
	return (end(&t, rule_secsync.open(&t)));
}

static enum code
update(const char *ref, const char *key, uint64_t clock)
{
	struct submit s = { .verb = SECSYNC_UPDATE,
		.ref = bytes_str(ref),
		.author = bytes_str(key),
		.clock = clock,
		.body = BODY_OF(BYTES_LIT(BODY)) };

	return (submit(&s));
}

static enum code
probe(const char *ref, const char *key, uint64_t clock)
{
	struct submit s = { .verb = SECSYNC_PROBE,
		.ref = bytes_str(ref),
		.author = bytes_str(key),
		.clock = clock };

	return (submit(&s));
}

static enum code
snapshot_with(const char *id, const char *parent, struct bytes proof,
    struct bytes clocks)
{
	struct submit s = { .verb = SECSYNC_SNAPSHOT,
		.ref = bytes_str(parent),
		.author = BYTES_LIT(KEY_A),
		.body = BODY_OF(BYTES_LIT(BODY)) };
	struct secsync_items it = { bytes_str(id), proof, BYTES_LIT(HASH),
		clocks };
	struct buf items = BUF_INIT;
	enum code code;

	assert_int_equal(secsync_items_pack(&items, &it), 0);
	s.items = buf_bytes(&items);
	code = submit(&s);
	buf_free(&items);
	return (code);
}

/* The proof that the child of the active snapshot must give. */
static struct bytes
proof_now(void)
{
	static char out[SECSYNC_HASH_LEN];
	struct secsync_head h = { BYTES_NONE, BYTES_NONE, BYTES_NONE, 0, 0, 0 };

	open_document();
	if (world.info.len > 0)
		assert_int_equal(secsync_head_unpack(buf_bytes(&world.info),
				     &h),
		    0);
	secsync_proof(out, h.id, h.proof, h.hash);
	return (bytes_of(out, sizeof(out)));
}

static enum code
snapshot(const char *id, const char *parent, struct bytes clocks)
{
	return (snapshot_with(id, parent, proof_now(), clocks));
}

static struct bytes
clocks(const char *key, uint64_t clock, const char *key2, uint64_t clock2)
{
	static struct buf out;
	uint8_t v[8];

	buf_free(&out);
	be64_put(v, clock);
	list_add(&out, bytes_str(key));
	list_add(&out, bytes_of(v, 8));
	if (key2 != NULL) {
		be64_put(v, clock2);
		list_add(&out, bytes_str(key2));
		list_add(&out, bytes_of(v, 8));
	}
	return (buf_bytes(&out));
}

static void
assert_frame(const char *want)
{
	assert_int_equal(world.frame.len, strlen(want));
	assert_memory_equal(buf_bytes(&world.frame).p, want, world.frame.len);
	assert_int_equal(world.flags, PUBLISH_SKIP_SELF);
}

static void
assert_head(const char *id, uint64_t seq, uint64_t updates)
{
	struct secsync_head h;

	assert_int_equal(secsync_head_unpack(buf_bytes(&world.info), &h), 0);
	assert_true(bytes_eq(h.id, bytes_str(id)));
	assert_int_equal(h.seq, seq);
	assert_int_equal(h.updates, updates);
}

static int
setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.kv = kv_mem_open();
	world.scope = SCOPE_WRITE;
	world.conf.secsync_create = true;
	world.conf.secsync_updates_max = 1000;
	world.conf.secsync_clocks_max = 5000;
	world.conf.secsync_snapshot_max = 100;
	world.conf.secsync_update_max = 100;
	world.conf.secsync_ephemeral_max = 100;
	world.claims.secsync.snapshot_max = CLAIMS_NO_LIMIT;
	world.claims.secsync.update_max = CLAIMS_NO_LIMIT;
	world.claims.secsync.ephemeral_max = CLAIMS_NO_LIMIT;
	return (world.kv == NULL ? -1 : sodium_init() == -1 ? -1 : 0);
}

static int
teardown(void **state)
{
	(void)state;
	clocks(KEY_A, 0, NULL, 0);
	world.kv->ops->close(world.kv);
	buf_free(&world.frame);
	buf_free(&world.info);
	return (0);
}

static void
a_first_snapshot_has_no_parent_no_clocks_and_the_constant_proof(void **state)
{
	(void)state;
	assert_int_equal(snapshot_with("s1", "", BYTES_LIT(HASH), BYTES_NONE),
	    CODE_INVALID);
	assert_int_equal(snapshot("s1", "s0", BYTES_NONE), CODE_INVALID);
	assert_int_equal(snapshot("s1", "", clocks(KEY_A, 0, NULL, 0)),
	    CODE_INVALID);
	assert_int_equal(snapshot("", "", BYTES_NONE), CODE_INVALID);
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_frame("{\"type\":\"snapshot\",\"snapshot\":{" BODY "}}");
	assert_int_equal(open_document(), CODE_OK);
	assert_head("s1", 1, 0);
}

static void
a_clock_counts_from_zero_for_each_author(void **state)
{
	(void)state;
	assert_int_equal(update("s1", KEY_A, 0), CODE_STALE);
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(update("s1", KEY_A, 1), CODE_GAP);
	assert_int_equal(update("s1", KEY_A, 0), CODE_OK);
	assert_frame("{\"type\":\"update\"," BODY "}");
	assert_int_equal(update("s1", KEY_A, 0), CODE_GAP);
	assert_int_equal(update("s1", KEY_A, 2), CODE_GAP);
	assert_int_equal(update("s1", KEY_A, 1), CODE_OK);
	assert_int_equal(update("s1", KEY_B, 0), CODE_OK);
	assert_int_equal(update("s0", KEY_B, 1), CODE_STALE);
	assert_int_equal(world.seq, 4);
	assert_int_equal(update("s1", KEY_A, UINT64_MAX), CODE_GAP);
}

static void
an_update_is_stored_behind_its_stamp(void **state)
{
	struct record r;
	struct txn t;

	(void)state;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(update("s1", KEY_A, 0), CODE_OK);
	begin(&t);
	assert_int_equal(txn_log_get(&t, 2, &r), 1);
	assert_int_equal(r.kind, SECSYNC_UPDATE);
	assert_int_equal(r.body.b.n, SECSYNC_STAMP_LEN + BODY_LEN);
	assert_memory_equal(r.body.b.p, KEY_A, SECSYNC_KEY_LEN);
	assert_int_equal(be64_get(r.body.b.p + SECSYNC_KEY_LEN), 0);
	assert_memory_equal(r.body.b.p + SECSYNC_STAMP_LEN, BODY, BODY_LEN);
	end(&t, CODE_OK);
}

static void
a_probe_answers_as_an_update_would_and_writes_nothing(void **state)
{
	(void)state;
	assert_int_equal(probe("s1", KEY_A, 0), CODE_STALE);
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(probe("s1", KEY_A, 0), CODE_OK);
	assert_int_equal(world.frame.len, 0);
	assert_int_equal(probe("s1", KEY_A, 1), CODE_GAP);
	assert_int_equal(probe("s1", KEY_A, 0), CODE_OK);
	assert_int_equal(world.seq, 1);
}

static void
a_snapshot_must_continue_the_active_one_with_all_its_updates(void **state)
{
	(void)state;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(update("s1", KEY_A, 0), CODE_OK);
	assert_int_equal(update("s1", KEY_B, 0), CODE_OK);
	assert_int_equal(snapshot("s2", "", BYTES_NONE), CODE_STALE);
	assert_head("s1", 1, 2);
	assert_int_equal(snapshot("s2", "s1", BYTES_NONE), CODE_MISSES_UPDATES);
	assert_head("s1", 1, 2);
	assert_int_equal(snapshot("s2", "s1", clocks(KEY_A, 0, NULL, 0)),
	    CODE_MISSES_UPDATES);
	assert_int_equal(snapshot("s2", "s1", clocks(KEY_A, 1, KEY_B, 0)),
	    CODE_MISSES_UPDATES);
	assert_int_equal(snapshot_with("s2", "s1", BYTES_LIT(HASH),
			     clocks(KEY_A, 0, KEY_B, 0)),
	    CODE_INVALID);
	assert_int_equal(snapshot("s1", "s1", clocks(KEY_A, 0, KEY_B, 0)),
	    CODE_EXISTS);
	assert_int_equal(snapshot("s2", "s1", clocks(KEY_A, 0, KEY_B, 0)),
	    CODE_OK);
}

static void
a_new_snapshot_starts_with_no_clocks(void **state)
{
	(void)state;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(update("s1", KEY_A, 0), CODE_OK);
	assert_int_equal(snapshot("s2", "s1", clocks(KEY_A, 0, NULL, 0)),
	    CODE_OK);
	assert_int_equal(update("s1", KEY_A, 1), CODE_STALE);
	assert_int_equal(update("s2", KEY_A, 1), CODE_GAP);
	assert_int_equal(update("s2", KEY_A, 0), CODE_OK);
	assert_int_equal(open_document(), CODE_OK);
	assert_head("s2", 3, 1);
}

static void
the_chain_lists_every_snapshot_by_number(void **state)
{
	struct buf val = BUF_INIT;
	struct bytes rest, id;
	struct txn t;

	(void)state;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(snapshot("s2", "s1", BYTES_NONE), CODE_OK);
	begin(&t);
	assert_int_equal(txn_reg_get(&t, BYTES_LIT("ns2"), &val), 1);
	assert_int_equal(be64_get(buf_bytes(&val).p), 2);
	assert_int_equal(txn_reg_get(&t, BYTES_LIT("k\0\0\0\0\0\0\0\2"), &val),
	    1);
	rest = buf_bytes(&val);
	assert_int_equal(list_next(&rest, &id), 1);
	assert_true(bytes_eq(id, BYTES_LIT("s2")));
	end(&t, CODE_OK);
	buf_free(&val);
}

static void
too_many_updates_or_authors_require_a_snapshot(void **state)
{
	(void)state;
	world.conf.secsync_updates_max = 2;
	world.conf.secsync_clocks_max = 1;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(update("s1", KEY_A, 0), CODE_OK);
	assert_int_equal(update("s1", KEY_B, 0), CODE_NEEDS_SNAPSHOT);
	assert_int_equal(update("s1", KEY_A, 1), CODE_OK);
	assert_int_equal(update("s1", KEY_A, 2), CODE_NEEDS_SNAPSHOT);
	assert_int_equal(update("s1", KEY_A, 3), CODE_GAP);
}

static void
each_permission_opens_its_own_door(void **state)
{
	struct submit s = { .verb = SECSYNC_EPHEMERAL,
		.author = BYTES_LIT(KEY_A),
		.body = BODY_OF(BYTES_LIT(BODY)) };

	(void)state;
	world.claims.secsync.perms_given = true;
	assert_int_equal(open_document(), CODE_NO_SCOPE);
	world.claims.secsync.perms = PERM_READ | PERM_SNAPSHOT;
	assert_int_equal(open_document(), CODE_NOT_FOUND);
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_NO_SCOPE);
	world.claims.secsync.perms |= PERM_CREATE;
	assert_int_equal(open_document(), CODE_OK);
	assert_int_equal(world.info.len, 0);
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(update("s1", KEY_A, 0), CODE_NO_SCOPE);
	assert_int_equal(probe("s1", KEY_A, 0), CODE_NO_SCOPE);
	assert_int_equal(submit(&s), CODE_NO_SCOPE);
	world.claims.secsync.perms = PERM_READ | PERM_UPDATE | PERM_EPHEMERAL;
	assert_int_equal(update("s1", KEY_A, 0), CODE_OK);
	assert_int_equal(snapshot("s2", "s1", BYTES_NONE), CODE_NO_SCOPE);
	assert_int_equal(submit(&s), CODE_OK);
	assert_frame("{\"type\":\"ephemeral-message\"," BODY "}");
	assert_int_equal(open_document(), CODE_OK);
}

static void
without_permissions_the_scope_decides(void **state)
{
	(void)state;
	world.scope = SCOPE_READ;
	assert_int_equal(open_document(), CODE_NOT_FOUND);
	world.scope = SCOPE_WRITE;
	world.conf.secsync_create = false;
	assert_int_equal(open_document(), CODE_NOT_FOUND);
	world.conf.secsync_create = true;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	world.scope = SCOPE_READ;
	assert_int_equal(open_document(), CODE_OK);
	assert_int_equal(update("s1", KEY_A, 0), CODE_NO_SCOPE);
}

static void
a_token_with_keys_is_good_for_those_only(void **state)
{
	struct bytes key = BYTES_LIT(KEY_A);
	struct secsync_grant g;
	struct buf grant = BUF_INIT;
	struct bytes one;

	(void)state;
	world.claims.secsync.keys_given = true;
	world.claims.secsync.keys.v = &key;
	world.claims.secsync.keys.n = 1;
	world.claims.scope = SCOPE_WRITE;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(update("s1", KEY_B, 0), CODE_NO_SCOPE);
	assert_int_equal(update("s1", KEY_A, 0), CODE_OK);
	assert_int_equal(rule_secsync.claims(&world.claims, &grant), 0);
	assert_int_equal(secsync_grant_unpack(buf_bytes(&grant), &g), 0);
	assert_int_equal(g.ephemeral, 1);
	assert_int_equal(g.keys_given, 1);
	assert_int_equal(list_next(&g.keys, &one), 1);
	assert_true(bytes_eq(one, key));
	buf_free(&grant);
}

/* Others parse it, whoever packed it. */
static void
what_is_no_message_is_refused(void **state)
{
	static const char *const bodies[] = {
		"",
		"\xff",
		"\"u\":1",
		BODY ",",
		BODY "}",
		BODY "},{" BODY,
		"{" BODY "}",
		BODY ",\"type\":\"unauthorized\"",
		BODY "," BODY,
		"\"ciphertext\":\"c\",\"nonce\":\"n\",\"publicData\":{}",
		"\"ciphertext\":1,\"nonce\":\"n\",\"publicData\":{},"
		"\"signature\":\"s\"",
		"\"ciphertext\":\"c\",\"nonce\":\"n\",\"publicData\":[],"
		"\"signature\":\"s\"",
		"\"ciphertext\":\"c\",\"nonce\":\"n\",\"publicData\":{},"
		"\"signature\":\"s",
		"\"ciphertext\":\"c\nd\",\"nonce\":\"n\",\"publicData\":{},"
		"\"signature\":\"s\"",
		"\"ciphertext\":\"c\",\"nonce\":\"n\",\"publicData\":{\"a\":},"
		"\"signature\":\"s\"",
	};
	static const uint64_t verbs[] = { SECSYNC_UPDATE, SECSYNC_EPHEMERAL };
	struct submit s = { .ref = BYTES_LIT("s1"),
		.author = BYTES_LIT(KEY_A) };
	size_t i, k;

	(void)state;
	world.conf.secsync_update_max = world.conf.secsync_ephemeral_max = 1000;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	for (k = 0; k < sizeof(verbs) / sizeof(verbs[0]); k++)
		for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
			s.verb = verbs[k];
			s.body = BODY_OF(bytes_str(bodies[i]));
			assert_int_equal(submit(&s), CODE_INVALID);
		}
}

/* The same as a blob for the store. */
static enum code
update_by_blob(const char *ref, struct bytes text)
{
	struct submit s = { .verb = SECSYNC_UPDATE,
		.ref = bytes_str(ref),
		.author = BYTES_LIT(KEY_A),
		.body.size = text.n };
	uint32_t slice = 0;
	struct txn t;

	begin(&t);
	assert_int_equal(txn_blob_new(&t, &s.body.blob), 0);
	for (; text.n > 0; text = bytes_skip(text, BLOB_SLICE_BYTES))
		assert_int_equal(txn_blob_slice(&t, s.body.blob, slice++,
				     bytes_of(text.p,
					 text.n < BLOB_SLICE_BYTES
					     ? text.n
					     : BLOB_SLICE_BYTES)),
		    0);
	end(&t, CODE_OK);
	return (submit(&s));
}

/* A body whose ciphertext is so long. */
static void
body_of(struct buf *b, size_t n, const char *rest)
{
	buf_clear(b);
	buf_add_str(b, "\"ciphertext\":\"");
	while (n-- > 0)
		buf_add_u8(b, (uint8_t) "azAZ09-_"[n % 8]);
	buf_add_str(b, rest);
}

/* Wherever in a slice it stands that something is wrong. */
static void
what_is_large_is_looked_at_as_what_is_small(void **state)
{
	static const char good[] =
	    "\",\"nonce\":\"n\",\"publicData\":{},\"signature\":\"s\"";
	static const char *const bad[] = { "", "\"", "\",",
		"\",\"nonce\":\"n\",\"publicData\":{}",
		"\",\"nonce\":\"n\",\"publicData\":{},\"signature\":\"s\",",
		"\",\"nonce\":\"n\",\"publicData\":{},\"signature\":\"\xff\"",
		"\",\"nonce\":\"n\",\"publicData\":{\"a\":},\"signature\":\"s\"",
		"\\\",\"nonce\":\"n\",\"publicData\":{},\"signature\":\"s\"" };
	struct buf body = BUF_INIT;
	size_t n, i;

	(void)state;
	world.conf.secsync_update_max = 1 << 20;
	assert_int_equal(snapshot("one", "", BYTES_NONE), CODE_OK);
	for (n = BLOB_SLICE_BYTES - 70; n < BLOB_SLICE_BYTES + 5; n += 3)
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			body_of(&body, n, bad[i]);
			assert_int_equal(update_by_blob("one",
					     buf_bytes(&body)),
			    CODE_INVALID);
		}
	body_of(&body, 3 * BLOB_SLICE_BYTES, good);
	body.mem[body.off + 2 * BLOB_SLICE_BYTES] = '\n';
	assert_int_equal(update_by_blob("one", buf_bytes(&body)), CODE_INVALID);
	body_of(&body, 3 * BLOB_SLICE_BYTES, good);
	assert_int_equal(update_by_blob("one", buf_bytes(&body)), CODE_OK);
	buf_free(&body);
}

/* Large signals are in memory. */
static void
what_is_large_and_not_stored_is_looked_at_as_well(void **state)
{
	struct submit s = { .verb = SECSYNC_EPHEMERAL,
		.author = BYTES_LIT(KEY_A),
		.body.blob = 1,
		.body.size = BODY_LEN,
		.whole = BYTES_LIT(BODY "}") };

	(void)state;
	assert_int_equal(submit(&s), CODE_INVALID);
	s.whole = BYTES_LIT(BODY);
	assert_int_equal(submit(&s), CODE_OK);
}

static void
what_is_too_large_or_no_text_is_refused(void **state)
{
	struct submit s = { .verb = SECSYNC_UPDATE,
		.ref = BYTES_LIT("s1"),
		.author = BYTES_LIT(KEY_A),
		.body = BODY_OF(BYTES_LIT("\"\xff\"")) };

	(void)state;
	assert_int_equal(snapshot("s1", "", BYTES_NONE), CODE_OK);
	assert_int_equal(submit(&s), CODE_INVALID);
	world.claims.secsync.update_max = BODY_LEN - 1;
	assert_int_equal(update("s1", KEY_A, 0), CODE_TOO_LARGE);
	world.claims.secsync.update_max = BODY_LEN;
	world.conf.secsync_update_max = BODY_LEN - 1;
	assert_int_equal(update("s1", KEY_A, 0), CODE_TOO_LARGE);
	world.conf.secsync_update_max = BODY_LEN;
	assert_int_equal(update("s1", "short", 0), CODE_INVALID);
	assert_int_equal(update("s1", KEY_A, 0), CODE_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(
		    a_first_snapshot_has_no_parent_no_clocks_and_the_constant_proof),
		TEST(a_clock_counts_from_zero_for_each_author),
		TEST(an_update_is_stored_behind_its_stamp),
		TEST(a_probe_answers_as_an_update_would_and_writes_nothing),
		TEST(
		    a_snapshot_must_continue_the_active_one_with_all_its_updates),
		TEST(a_new_snapshot_starts_with_no_clocks),
		TEST(the_chain_lists_every_snapshot_by_number),
		TEST(too_many_updates_or_authors_require_a_snapshot),
		TEST(each_permission_opens_its_own_door),
		TEST(without_permissions_the_scope_decides),
		TEST(a_token_with_keys_is_good_for_those_only),
		TEST(what_is_no_message_is_refused),
		TEST(what_is_large_is_looked_at_as_what_is_small),
		TEST(what_is_large_and_not_stored_is_looked_at_as_well),
		TEST(what_is_too_large_or_no_text_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
