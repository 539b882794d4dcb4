/*
 * Compaction: what each dialect lets go and what it never does, and that the
 * chain of hashes stays whole, however short the steps are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/compact_pass.h"
#include "broker/config.h"
#include "broker/verify.h"
#include "common/sds.h"
#include "common/secsync.h"
#include "common/wire.h"
#include "tests/lib/store.h"

#define L(s) BYTES_LIT(s)
#define OLD  1000
#define NOW  5000 /* all before it is old enough to go */
#define KEY  "0123456789abcdef0123456789abcdef"
#define KEY2 "0123456789abcdef0123456789abcdeX"

static struct config conf;

static void
begin(struct txn *tx, struct kv *kv, enum dialect_id dialect)
{
	struct doc_id id = { dialect, 0, L("doc") };

	assert_int_equal(kv->ops->begin(kv), 0);
	txn_init(tx, kv, &id);
	tx->conf = &conf;
	tx->now_ms = OLD;
	assert_int_not_equal(txn_load(tx), -1);
}

static void
end(struct txn *tx)
{
	assert_int_equal(tx->failed, 0);
	assert_int_equal(tx->kv->ops->commit(tx->kv), 0);
	txn_done(tx);
}

static void
append(struct txn *tx, unsigned int kind, const char *text)
{
	struct bytes b = bytes_str(text);
	uint64_t seq;

	assert_int_equal(txn_append(tx, kind, &b, 1, 0, 0, &seq), 0);
}

static void
value(struct txn *tx, const char *key, const char *text)
{
	struct body body = BODY_OF(bytes_str(text));

	append(tx, SDS_KIND_VALUE, key);
	assert_int_equal(txn_field_put(tx, bytes_str(key), tx->seq, &body), 0);
}

static void
blob_patch(struct txn *tx, const char *text)
{
	struct bytes none = BYTES_NONE;
	uint64_t blob, seq;

	assert_int_equal(txn_blob_new(tx, &blob), 0);
	assert_int_equal(txn_blob_slice(tx, blob, 0, bytes_str(text)), 0);
	assert_int_equal(txn_append(tx, SDS_KIND_PATCH, &none, 1, blob,
			     strlen(text), &seq),
	    0);
}

static int
late(void *arg)
{
	return (*(int *)arg);
}

/* One pass; hurry: a transaction a record. */
static uint64_t
compacted(struct kv *kv, enum dialect_id dialect, int hurry)
{
	const struct rule *rule = rule_find(dialect);
	struct pass *p = pass_new(rule->compact, NOW);
	uint64_t dropped;
	struct txn tx;
	int r;

	assert_non_null(p);
	do {
		begin(&tx, kv, dialect);
		r = pass_step(p, &tx, late, &hurry);
		assert_int_not_equal(r, -1);
		end(&tx);
	} while (r == 1);
	dropped = pass_told(p)->dropped;
	pass_free(p);
	return (dropped);
}

static void
say(const struct verify_result *r, void *arg)
{
	assert_null(r->wrong);
	memcpy(arg, r, sizeof(*r));
}

static int
never(void *arg)
{
	(void)arg;
	return (0);
}

static struct verify_result
whole(struct kv *kv)
{
	struct verify_result r;
	struct verify *v = verify_new(kv, NULL, say, never, &r);

	while (verify_step(v) == 1)
		continue;
	assert_int_equal(verify_seen(v), 1);
	verify_free(v);
	return (r);
}

static int
see(const struct record *r, void *arg)
{
	buf_printf(arg, "%d ", (int)r->seq);
	return (0);
}

static void
left(struct kv *kv, enum dialect_id dialect, const char *want)
{
	struct buf b = BUF_INIT;
	struct txn tx;

	begin(&tx, kv, dialect);
	assert_int_equal(txn_log_scan(&tx, 0, UINT64_MAX, see, &b), 0);
	buf_add_u8(&b, 0);
	assert_string_equal((const char *)buf_bytes(&b).p, want);
	buf_free(&b);
	end(&tx);
}

static void
sds_drops_replaced_values_and_repeated_patches(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct verify_result before, after;
	struct buf b = BUF_INIT;
	struct field f;
	struct txn tx;

	begin(&tx, kv, DIALECT_SDS);
	append(&tx, SDS_KIND_PATCH, "one"); /* 1 */
	value(&tx, KEY, "first");
	value(&tx, KEY2, "other");
	append(&tx, SDS_KIND_PATCH, "one");
	append(&tx, SDS_KIND_PATCH, "two"); /* 5 */
	value(&tx, KEY, "second");
	append(&tx, SDS_KIND_PATCH, "one");
	blob_patch(&tx, "large");
	blob_patch(&tx, "large");
	blob_patch(&tx, "larger"); /* 10 */
	end(&tx);
	before = whole(kv);
	assert_int_equal(compacted(kv, DIALECT_SDS, 0), 4);
	left(kv, DIALECT_SDS, "1 3 5 6 8 10 ");
	after = whole(kv);
	assert_int_equal(after.records, 6);
	assert_int_equal(after.oldest, 0);
	assert_memory_equal(before.chain, after.chain, CHAIN_BYTES);
	begin(&tx, kv, DIALECT_SDS);
	assert_int_equal(txn_field_get(&tx, L(KEY), &b, &f), 1);
	assert_true(bytes_eq(f.body.b, L("second")));
	buf_free(&b);
	end(&tx);
	assert_int_equal(compacted(kv, DIALECT_SDS, 0), 0);
}

static void
what_is_young_stays(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;

	begin(&tx, kv, DIALECT_SDS);
	append(&tx, SDS_KIND_PATCH, "one");
	value(&tx, KEY, "first");
	tx.now_ms = NOW;
	append(&tx, SDS_KIND_PATCH, "one");
	value(&tx, KEY, "second");
	value(&tx, KEY, "third");
	end(&tx);
	assert_int_equal(compacted(kv, DIALECT_SDS, 0), 1);
	left(kv, DIALECT_SDS, "1 3 4 5 ");
}

static void
repeated_patches_stay_where_values_prune(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;

	conf.sds_prune = true;
	begin(&tx, kv, DIALECT_SDS);
	append(&tx, SDS_KIND_PATCH, "one");
	append(&tx, SDS_KIND_PATCH, "one");
	end(&tx);
	assert_int_equal(compacted(kv, DIALECT_SDS, 0), 0);
	conf.sds_prune = false;
}

static void
snapshot(struct txn *tx)
{
	struct buf key = BUF_INIT;

	append(tx, SECSYNC_SNAPSHOT, "a snapshot");
	buf_add_u8(&key, SECSYNC_REG_CHAIN);
	buf_add_be64(&key, tx->seq);
	assert_int_equal(txn_reg_put(tx, buf_bytes(&key), L("link")), 0);
	buf_free(&key);
}

static void
secsync_drops_what_an_old_snapshot_replaced(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf b = BUF_INIT;
	struct txn tx;
	uint8_t key[9] = { SECSYNC_REG_CHAIN, 0, 0, 0, 0, 0, 0, 0, 1 };

	begin(&tx, kv, DIALECT_SECSYNC);
	snapshot(&tx); /* 1 */
	append(&tx, SECSYNC_UPDATE, "update");
	snapshot(&tx);
	append(&tx, SECSYNC_UPDATE, "update");
	tx.now_ms = NOW;
	snapshot(&tx); /* 5: replaced 3 only now */
	append(&tx, SECSYNC_UPDATE, "update");
	end(&tx);
	assert_int_equal(compacted(kv, DIALECT_SECSYNC, 0), 2);
	left(kv, DIALECT_SECSYNC, "3 4 5 6 ");
	assert_int_equal(whole(kv).oldest, 2);
	begin(&tx, kv, DIALECT_SECSYNC);
	assert_int_equal(txn_reg_get(&tx, bytes_of(key, 9), &b), 1);
	end(&tx);
	buf_free(&b);
	assert_int_equal(compacted(kv, DIALECT_SECSYNC, 0), 0);
}

static void
logseq_drops_nothing(void **state)
{
	const struct rule *rule = rule_find(DIALECT_LOGSEQ);

	(void)state;
	assert_true(rule == NULL || rule->compact == NULL);
}

static void
stubs_side_by_side_become_one(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct verify_result before, after;
	struct txn tx;
	int i;

	begin(&tx, kv, DIALECT_CANVAS);
	for (i = 0; i < 3000; i++)
		append(&tx, 1, "patch");
	tx.now_ms = NOW;
	append(&tx, 1, "young");
	end(&tx);
	before = whole(kv);
	assert_int_equal(compacted(kv, DIALECT_CANVAS, 0), 3000);
	after = whole(kv);
	assert_int_equal(after.oldest, 3000);
	assert_int_equal(after.records, 1);
	assert_memory_equal(before.chain, after.chain, CHAIN_BYTES);
	assert_in_range(store_rows(kv, KV_LOG), 2, 5);
	assert_int_equal(compacted(kv, DIALECT_CANVAS, 0), 0);
	assert_int_equal(store_rows(kv, KV_LOG), 2);
	assert_memory_equal(before.chain, whole(kv).chain, CHAIN_BYTES);
}

static void
short_steps_do_the_same(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct verify_result before;
	struct txn tx;
	int i;

	begin(&tx, kv, DIALECT_SDS);
	for (i = 0; i < 40; i++) {
		append(&tx, SDS_KIND_PATCH, i % 5 == 0 ? "same" : "other");
		value(&tx, KEY, "v");
	}
	append(&tx, SDS_KIND_PATCH, "last");
	end(&tx);
	before = whole(kv);
	assert_int_equal(compacted(kv, DIALECT_SDS, 1), 38 + 39);
	assert_memory_equal(before.chain, whole(kv).chain, CHAIN_BYTES);
	left(kv, DIALECT_SDS, "1 3 80 81 ");
	assert_int_equal(store_rows(kv, KV_LOG), 6);
}

static void
a_log_that_is_not_whole_is_left_alone(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint8_t key[16] = { 0 };
	struct pass *p;
	struct txn tx;
	int no = 0;

	begin(&tx, kv, DIALECT_SDS);
	value(&tx, KEY, "1");
	value(&tx, KEY, "2");
	value(&tx, KEY, "3");
	be64_put(key, tx.doc);
	be64_put(key + 8, 2);
	assert_int_equal(kv->ops->del(kv, KV_LOG, bytes_of(key, 16)), 0);
	p = pass_new(rule_find(DIALECT_SDS)->compact, NOW);
	assert_int_equal(pass_step(p, &tx, late, &no), -1);
	pass_free(p);
	end(&tx);
	left(kv, DIALECT_SDS, "1 3 ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST_BOTH(sds_drops_replaced_values_and_repeated_patches),
		STORE_TEST_BOTH(what_is_young_stays),
		STORE_TEST_BOTH(repeated_patches_stay_where_values_prune),
		STORE_TEST_BOTH(secsync_drops_what_an_old_snapshot_replaced),
		STORE_TEST_BOTH(logseq_drops_nothing),
		STORE_TEST_BOTH(stubs_side_by_side_become_one),
		STORE_TEST_BOTH(short_steps_do_the_same),
		STORE_TEST_BOTH(a_log_that_is_not_whole_is_left_alone),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
