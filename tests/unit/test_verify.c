/*
 * Verification, the chain of hashes and the stubs of what was dropped: what is
 * whole is called whole, and each kind of damage is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "broker/export.h"
#include "broker/garbage.h"
#include "broker/record.h"
#include "broker/txn.h"
#include "broker/verify.h"
#include "broker/walk.h"
#include "common/log.h"
#include "tests/lib/store.h"

#define L(s) BYTES_LIT(s)

struct seen {
	struct verify_result last;
	char wrong[128];
	size_t n;
	int hurry; /* every step ends at once */
};

static void
see(const struct verify_result *r, void *arg)
{
	struct seen *s = arg;

	s->last = *r;
	snprintf(s->wrong, sizeof(s->wrong), "%s",
	    r->wrong == NULL ? "" : r->wrong);
	s->n++;
}

static int
late(void *arg)
{
	return (((struct seen *)arg)->hurry);
}

static struct seen
verified_by(struct kv *kv, const struct doc_id *only, int hurry)
{
	struct seen s = { .hurry = hurry };
	struct verify *v = verify_new(kv, only, see, late, &s);
	int r;

	assert_non_null(v);
	while ((r = verify_step(v)) == 1)
		continue;
	assert_int_equal(r, 0);
	assert_int_equal(verify_seen(v), s.n);
	verify_free(v);
	return (s);
}

/* The same, however short the steps are. */
static struct seen
verified(struct kv *kv)
{
	struct seen a = verified_by(kv, NULL, 0), b = verified_by(kv, NULL, 1);

	assert_string_equal(a.wrong, b.wrong);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.last.chain, b.last.chain, CHAIN_BYTES);
	assert_memory_equal(a.last.state, b.last.state, CHAIN_BYTES);
	return (a);
}

static void
append(struct txn *tx, const char *text, uint64_t blob)
{
	struct bytes b = bytes_str(text);
	uint64_t seq;

	assert_int_equal(txn_append(tx, 1, &b, 1, blob, blob == 0 ? 0 : 10,
			     &seq),
	    0);
}

static uint64_t
blob_of(struct txn *tx)
{
	uint64_t blob;

	assert_int_equal(txn_blob_new(tx, &blob), 0);
	assert_int_equal(txn_blob_slice(tx, blob, 0, L("seven")), 0);
	assert_int_equal(txn_blob_slice(tx, blob, 1, L("eight")), 0);
	return (blob);
}

/* A document with everything in it; the transaction stays open. */
static void
fill(struct txn *tx, struct kv *kv, const char *name)
{
	struct doc_id id = { DIALECT_SDS, 0, bytes_str(name) };
	struct body body = BODY_OF(L("value"));
	char text[24];
	int i;

	assert_int_equal(kv->ops->begin(kv), 0);
	txn_init(tx, kv, &id);
	tx->now_ms = 1000;
	tx->who.session = 3;
	for (i = 1; i <= 9; i++) {
		snprintf(text, sizeof(text), "record %d", i);
		append(tx, text, 0);
	}
	append(tx, "with a blob", blob_of(tx));
	assert_int_equal(txn_reg_put(tx, L("reg"), L("x")), 0);
	assert_int_equal(txn_field_put(tx, L("field"), 4, &body), 0);
	body.blob = blob_of(tx);
	body.size = 10;
	assert_int_equal(txn_field_put(tx, L("large"), 5, &body), 0);
}

static void
done(struct txn *tx)
{
	assert_int_equal(tx->failed, 0);
	assert_int_equal(tx->kv->ops->commit(tx->kv), 0);
	txn_done(tx);
}

static struct bytes
log_key(uint8_t key[16], const struct txn *tx, uint64_t seq)
{
	be64_put(key, tx->doc);
	be64_put(key + 8, seq);
	return (bytes_of(key, 16));
}

static void
what_is_whole_is_called_whole(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct seen s;
	struct txn tx;

	assert_int_equal(verified(kv).n, 0);
	fill(&tx, kv, "a");
	done(&tx);
	fill(&tx, kv, "b");
	done(&tx);
	s = verified(kv);
	assert_string_equal(s.wrong, "");
	assert_int_equal(s.n, 2);
	assert_int_equal(s.last.seq, 10);
	assert_int_equal(s.last.records, 10);
	assert_int_equal(s.last.oldest, 0);
	assert_int_equal(s.last.still, 1);
}

static void
the_same_documents_have_the_same_hashes(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct doc_id a = { DIALECT_SDS, 0, L("a") };
	struct doc_id b = { DIALECT_SDS, 0, L("b") };
	struct seen sa, sb;
	struct txn tx;

	fill(&tx, kv, "a");
	done(&tx);
	fill(&tx, kv, "b");
	done(&tx);
	sa = verified_by(kv, &a, 0);
	sb = verified_by(kv, &b, 0);
	assert_int_equal(sa.n, 1);
	assert_memory_equal(sa.last.chain, sb.last.chain, CHAIN_BYTES);
	assert_memory_equal(sa.last.state, sb.last.state, CHAIN_BYTES);
	assert_int_equal(kv->ops->begin(kv), 0);
	txn_init(&tx, kv, &b);
	assert_int_equal(txn_load(&tx), 1);
	assert_int_equal(txn_reg_put(&tx, L("reg"), L("y")), 0);
	done(&tx);
	sb = verified_by(kv, &b, 0);
	assert_memory_equal(sa.last.chain, sb.last.chain, CHAIN_BYTES);
	assert_memory_not_equal(sa.last.state, sb.last.state, CHAIN_BYTES);
}

static void
what_was_dropped_leaves_the_chain_whole(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct seen before, after;
	struct txn tx;
	struct record r;
	uint64_t n;

	fill(&tx, kv, "a");
	done(&tx);
	before = verified(kv);
	fill(&tx, kv, "b");
	for (n = 10; n >= 1; n--)
		if (n != 4)
			assert_int_equal(txn_log_drop(&tx, n), 0);
	assert_int_equal(tx.row.oldest, 3);
	assert_int_equal(tx.row.records, 1);
	assert_int_equal(txn_log_get(&tx, 3, &r), 0);
	assert_int_equal(txn_log_get(&tx, 4, &r), 1);
	done(&tx);
	after = verified(kv);
	assert_string_equal(after.wrong, "");
	assert_int_equal(after.last.records, 1);
	assert_memory_equal(before.last.chain, after.last.chain, CHAIN_BYTES);
	assert_true(after.last.bytes < before.last.bytes);
}

static int
gather(const struct record *r, void *arg)
{
	uint8_t(*chain)[CHAIN_BYTES] = arg;
	struct walk w = { 0 };

	if (r->seq > 1) {
		w.seq = r->seq - 1;
		memcpy(w.chain, chain[r->seq - 1], CHAIN_BYTES);
	}
	assert_null(walk_take(&w, r, NULL));
	memcpy(chain[r->seq], w.chain, CHAIN_BYTES);
	return (0);
}

static void
stubs_made_one_leave_the_chain_whole(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint8_t chain[11][CHAIN_BYTES];
	struct seen s;
	struct txn tx;
	uint64_t n;

	fill(&tx, kv, "a");
	for (n = 1; n <= 6; n++)
		assert_int_equal(txn_log_drop(&tx, n), 0);
	assert_int_equal(txn_log_walk(&tx, 0, 6, gather, chain), 0);
	assert_int_equal(txn_log_squash(&tx, 1, 3, chain[3]), 0);
	assert_int_equal(txn_log_squash(&tx, 4, 6, chain[6]), 0);
	assert_int_equal(txn_log_squash(&tx, 1, 6, chain[6]), 0);
	assert_int_equal(tx.row.oldest, 6);
	assert_int_equal(txn_log_drop(&tx, 7), 0);
	assert_int_equal(tx.row.oldest, 7);
	done(&tx);
	s = verified(kv);
	assert_string_equal(s.wrong, "");
	assert_int_equal(s.last.records, 3);
	assert_int_equal(s.last.oldest, 7);
}

static void
bytes_are_counted_back_to_nothing(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;
	uint64_t n, fresh;

	fill(&tx, kv, "a");
	assert_true(tx.row.bytes > 300);
	assert_int_equal(tx.row.bytes, tx.row.fresh);
	fresh = tx.row.fresh;
	for (n = 1; n <= 10; n++)
		assert_int_equal(txn_log_drop(&tx, n), 0);
	assert_int_equal(txn_reg_del(&tx, L("reg")), 0);
	assert_int_equal(txn_field_del(&tx, L("field")), 0);
	assert_int_equal(txn_field_del(&tx, L("large")), 0);
	assert_int_equal(tx.row.bytes, 0);
	assert_int_equal(tx.row.fresh, fresh);
	assert_int_equal(tx.row.oldest, 10);
	done(&tx);
}

static void
an_export_is_the_same_elsewhere(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv, *far = kv_mem_open();
	struct doc_id id = { DIALECT_SDS, 0, L("a") };
	struct buf stream = BUF_INIT;
	struct seen here, there;
	struct export *e;
	struct import *m;
	struct txn tx;
	int r;

	fill(&tx, kv, "a");
	assert_int_equal(txn_log_drop(&tx, 2), 0);
	(void)blob_of(&tx); /* a session's, not the store's */
	done(&tx);
	assert_non_null(e = export_new(kv, &id));
	while ((r = export_step(e, &stream)) == 1)
		continue;
	assert_int_equal(r, 0);
	export_free(e);
	assert_int_equal(far->ops->begin(far), 0);
	assert_non_null(m = import_new(far));
	assert_int_equal(import_feed(m, &stream), 0);
	assert_true(bytes_eq(import_id(m)->name, L("a")));
	assert_int_equal(import_name(m, &id), 0);
	assert_int_equal(far->ops->commit(far), 0);
	import_free(m);
	here = verified(kv);
	there = verified(far);
	assert_string_equal(there.wrong, "");
	assert_int_equal(there.n, 1);
	assert_memory_equal(here.last.chain, there.last.chain, CHAIN_BYTES);
	assert_memory_equal(here.last.state, there.last.state, CHAIN_BYTES);
	assert_int_equal(garbage_erase(far), 0);
	buf_free(&stream);
	far->ops->close(far);
}

static void
drop(struct kv *kv, const char *name)
{
	struct doc_id id = { DIALECT_SDS, 0, bytes_str(name) };
	struct txn tx;

	assert_int_equal(kv->ops->begin(kv), 0);
	txn_init(&tx, kv, &id);
	assert_int_equal(txn_load(&tx), 1);
	assert_int_equal(txn_drop(&tx), 0);
	done(&tx);
}

/* As its owner may at any time; another may have its name at once. */
static void
what_is_dropped_meanwhile_is_no_damage(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct seen s = { .hurry = 1 };
	struct verify *v;
	struct txn tx;
	int again, r;

	for (again = 0; again < 2; again++) {
		s.n = 0;
		fill(&tx, kv, "a");
		done(&tx);
		assert_non_null(v = verify_new(kv, NULL, see, late, &s));
		assert_int_equal(verify_step(v), 1);
		drop(kv, "a");
		if (again) {
			fill(&tx, kv, "a");
			append(&tx, "one more", 0);
			done(&tx);
		}
		while ((r = verify_step(v)) == 1)
			continue;
		assert_int_equal(r, 0);
		assert_int_equal(verify_damaged(v), 0);
		assert_int_equal(s.n, 0);
		assert_int_equal(verify_seen(v), 0);
		verify_free(v);
	}
}

static void
what_has_no_name_is_erased(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;

	fill(&tx, kv, "a");
	assert_int_equal(garbage_mark(kv, tx.doc), 0);
	assert_int_equal(txn_row_drop(&tx), 0);
	done(&tx);
	fill(&tx, kv, "b");
	done(&tx);
	while (garbage_erase(kv) == 1)
		continue;
	assert_string_equal(verified(kv).wrong, "");
	assert_int_equal(store_rows(kv, KV_BLOB), 4);
	assert_int_equal(store_rows(kv, KV_NAME), 1);
	assert_int_equal(store_rows(kv, KV_LOG), 10);
}

/* --- damage -------------------------------------------------------------- */

static void
a_changed_record_with_a_right_checksum_breaks_the_chain(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct record r = { .kind = 1, .origin = 3, .time_ms = 1000 };
	struct bytes forged = L("record X");
	struct buf b = BUF_INIT;
	uint8_t key[16];
	struct txn tx;

	fill(&tx, kv, "a");
	assert_int_equal(record_pack(&b, &r, 0, &forged, 1), 0);
	assert_int_equal(kv->ops->put(kv, KV_LOG, log_key(key, &tx, 5),
			     buf_bytes(&b)),
	    0);
	done(&tx);
	assert_string_equal(verified(kv).wrong,
	    "the chain of hashes does not fit");
	buf_free(&b);
}

static void
a_missing_record_is_a_gap(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint8_t key[16];
	struct seen s;
	struct txn tx;

	fill(&tx, kv, "a");
	assert_int_equal(kv->ops->del(kv, KV_LOG, log_key(key, &tx, 5)), 0);
	done(&tx);
	s = verified(kv);
	assert_string_equal(s.wrong, "numbers do not follow each other");
	assert_int_equal(s.last.at, 6);
}

static void
a_missing_end_is_seen(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint8_t key[16];
	struct txn tx;

	fill(&tx, kv, "a");
	assert_int_equal(kv->ops->del(kv, KV_LOG, log_key(key, &tx, 10)), 0);
	done(&tx);
	assert_string_equal(verified(kv).wrong,
	    "the newest records are missing");
}

static void
a_changed_slice_is_seen(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint8_t key[20] = { 0 };
	struct txn tx;

	fill(&tx, kv, "a");
	be64_put(key, tx.doc);
	be64_put(key + 8, 1);
	be32_put(key + 16, 1);
	assert_int_equal(kv->ops->put(kv, KV_BLOB, bytes_of(key, sizeof(key)),
			     L("night")),
	    0);
	done(&tx);
	assert_string_equal(verified(kv).wrong,
	    "the octets of a blob are not those that came");
}

static void
a_field_missing_from_its_index_is_seen(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint8_t key[21] = { 0 };
	struct txn tx;

	fill(&tx, kv, "a");
	be64_put(key, tx.doc);
	be64_put(key + 8, 4);
	memcpy(key + 16, "field", 5);
	assert_int_equal(kv->ops->del(kv, KV_STAMP, bytes_of(key, sizeof(key))),
	    0);
	done(&tx);
	assert_string_equal(verified(kv).wrong, "a field is not in its index");
}

static void
one_damaged_document_does_not_hide_the_next(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint8_t key[16];
	struct seen s;
	struct txn tx;

	fill(&tx, kv, "a");
	assert_int_equal(kv->ops->put(kv, KV_LOG, log_key(key, &tx, 5),
			     L("rubbish")),
	    0);
	done(&tx);
	fill(&tx, kv, "b");
	done(&tx);
	log_level_set(LOG_LEVEL_ERROR);
	s = verified(kv);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.wrong, "");
	s = verified_by(kv, &(struct doc_id){ DIALECT_SDS, 0, L("a") }, 0);
	assert_string_equal(s.wrong, "bad checksum");
	assert_int_equal(s.last.at, 5);
	s = verified_by(kv, &(struct doc_id){ DIALECT_SDS, 0, L("c") }, 0);
	assert_string_equal(s.wrong, "there is no such store");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST_MEM(what_is_whole_is_called_whole),
		STORE_TEST_MEM(the_same_documents_have_the_same_hashes),
		STORE_TEST_MEM(what_was_dropped_leaves_the_chain_whole),
		STORE_TEST_MEM(stubs_made_one_leave_the_chain_whole),
		STORE_TEST_MEM(bytes_are_counted_back_to_nothing),
		STORE_TEST_MEM(an_export_is_the_same_elsewhere),
		STORE_TEST_MEM(what_is_dropped_meanwhile_is_no_damage),
		STORE_TEST_MEM(what_has_no_name_is_erased),
		STORE_TEST_MEM(
		    a_changed_record_with_a_right_checksum_breaks_the_chain),
		STORE_TEST_MEM(a_missing_record_is_a_gap),
		STORE_TEST_MEM(a_missing_end_is_seen),
		STORE_TEST_MEM(a_changed_slice_is_seen),
		STORE_TEST_MEM(a_field_missing_from_its_index_is_seen),
		STORE_TEST_MEM(one_damaged_document_does_not_hide_the_next),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
