/*
 * The transaction handle over both stores: documents, log, registers, fields,
 * blobs, effects; damage and failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/log.h"
#include "broker/garbage.h"
#include "broker/txn.h"
#include "tests/lib/store.h"

#define L(s) BYTES_LIT(s)

static void
handle_named(struct txn *tx, struct kv *kv, enum dialect_id dialect,
    unsigned int room, const char *name)
{
	struct doc_id id = { dialect, room, bytes_str(name) };

	txn_init(tx, kv, &id);
	tx->now_ms = 1234;
	tx->who.session = 7;
	assert_int_not_equal(txn_load(tx), -1);
}

static void
handle(struct txn *tx, struct kv *kv)
{
	handle_named(tx, kv, DIALECT_SDS, 0, "doc");
}

static void
begin(struct kv *kv)
{
	assert_int_equal(kv->ops->begin(kv), 0);
}

static void
commit(struct kv *kv)
{
	assert_int_equal(kv->ops->commit(kv), 0);
}

static uint64_t
append(struct txn *tx, unsigned int kind, const char *text, uint64_t blob)
{
	struct bytes b = bytes_str(text);
	uint64_t seq = 0;

	assert_int_equal(txn_append(tx, kind, &b, 1, blob, blob == 0 ? 0 : 9,
			     &seq),
	    0);
	return (seq);
}

static uint64_t
blob_new(struct txn *tx, const char *text)
{
	uint64_t blob = 0;

	assert_int_equal(txn_blob_new(tx, &blob), 0);
	assert_int_equal(txn_blob_slice(tx, blob, 0, bytes_str(text)), 0);
	return (blob);
}

static void
blob_is(struct txn *tx, uint64_t blob, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(txn_blob_read(tx, blob, 0, SIZE_MAX, &b), 0);
	assert_true(bytes_eq(buf_bytes(&b), bytes_str(want)));
	buf_free(&b);
}

/* Texts of what a scan brought. */
static int
see_record(const struct record *r, void *arg)
{
	buf_printf(arg, "%llu:%d:%.*s;", (unsigned long long)r->seq, r->kind,
	    (int)r->body.b.n, (const char *)r->body.b.p);
	return (0);
}

static int
see_reg(struct bytes key, struct bytes val, void *arg)
{
	buf_printf(arg, "%.*s=%.*s;", (int)key.n, (const char *)key.p,
	    (int)val.n, (const char *)val.p);
	return (0);
}

static int
see_field(const struct field *f, void *arg)
{
	buf_printf(arg, "%llu:%.*s=%.*s;", (unsigned long long)f->stamp,
	    (int)f->key.n, (const char *)f->key.p, (int)f->body.b.n,
	    (const char *)f->body.b.p);
	return (0);
}

static void
text_is(struct buf *b, const char *want)
{
	buf_add_u8(b, 0);
	assert_string_equal((const char *)buf_bytes(b).p, want);
	buf_free(b);
}

static void
log_is(struct txn *tx, uint64_t after, uint64_t upto, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(txn_log_scan(tx, after, upto, see_record, &b), 0);
	text_is(&b, want);
}

static void
regs_are(struct txn *tx, const char *prefix, const char *from, const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(txn_reg_scan(tx, bytes_str(prefix), bytes_str(from),
			     see_reg, &b),
	    0);
	text_is(&b, want);
}

static void
fields_are(struct txn *tx, uint64_t after, uint64_t upto, const char *from,
    const char *want)
{
	struct buf b = BUF_INIT;

	assert_int_equal(txn_field_scan(tx, after, upto, bytes_str(from),
			     see_field, &b),
	    0);
	text_is(&b, want);
}

static void
field_put(struct txn *tx, const char *key, uint64_t stamp, const char *text,
    uint64_t blob)
{
	struct body body = { bytes_str(text), blob, blob == 0 ? 0 : 9 };

	assert_int_equal(txn_field_put(tx, bytes_str(key), stamp, &body), 0);
}

/* --- documents and log --------------------------------------------------- */

static void
a_document_is_new_until_something_is_stored(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct record r;
	struct buf b = BUF_INIT;
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	assert_int_equal(tx.doc, 0);
	assert_int_equal(txn_log_get(&tx, 1, &r), 0);
	assert_int_equal(txn_reg_get(&tx, L("doc"), &b), 0);
	regs_are(&tx, "", "", "");
	log_is(&tx, 0, UINT64_MAX, "");
	fields_are(&tx, 0, UINT64_MAX, "", "");
	assert_int_equal(txn_load(&tx), 0);
	assert_int_equal(txn_create(&tx), 0);
	assert_int_equal(txn_load(&tx), 1);
	assert_int_not_equal(tx.doc, 0);
	assert_int_equal(tx.failed, 0);
	txn_done(&tx);
	txn_done(&tx);
	commit(kv);
	buf_free(&b);
}

static void
documents_differ_by_dialect_room_and_name(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx[4];
	size_t i;

	begin(kv);
	handle_named(&tx[0], kv, DIALECT_SDS, 0, "a");
	append(&tx[0], 1, "x", 0);
	handle_named(&tx[1], kv, DIALECT_SDS, 1, "a");
	append(&tx[1], 1, "x", 0);
	handle_named(&tx[2], kv, DIALECT_ECHO, 0, "a");
	append(&tx[2], 1, "x", 0);
	handle_named(&tx[3], kv, DIALECT_SDS, 0, "b");
	append(&tx[3], 1, "x", 0);
	commit(kv);
	for (i = 0; i < 4; i++) {
		assert_int_equal(tx[i].doc, i + 1);
		assert_int_equal(txn_load(&tx[i]), 1);
		assert_int_equal(tx[i].doc, i + 1);
		assert_int_equal(tx[i].seq, 1);
		txn_done(&tx[i]);
	}
}

static void
the_log_is_numbered_without_gaps(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct bytes pieces[] = { L("in "), L("two") };
	struct record r;
	struct txn tx;
	uint64_t seq;

	begin(kv);
	handle(&tx, kv);
	assert_int_equal(append(&tx, 3, "one", 0), 1);
	assert_int_equal(txn_append(&tx, 4, pieces, 2, 0, 0, &seq), 0);
	assert_int_equal(seq, 2);
	assert_int_equal(append(&tx, 5, "", 0), 3);
	commit(kv);
	assert_int_equal(txn_load(&tx), 1);
	assert_int_equal(tx.seq, 3);
	log_is(&tx, 0, UINT64_MAX, "1:3:one;2:4:in two;3:5:;");
	log_is(&tx, 1, 2, "2:4:in two;");
	log_is(&tx, 3, 3, "");
	log_is(&tx, UINT64_MAX, UINT64_MAX, "");
	assert_int_equal(txn_log_get(&tx, 2, &r), 1);
	assert_int_equal(r.seq, 2);
	assert_int_equal(r.origin, 7);
	assert_int_equal(r.time_ms, 1234);
	assert_int_equal(txn_log_get(&tx, 4, &r), 0);
	txn_done(&tx);
}

static void
what_was_read_may_be_written_again(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct record r;
	struct txn tx;
	uint64_t seq;

	begin(kv);
	handle(&tx, kv);
	append(&tx, 1, "long enough to be spoilt when it is overwritten", 0);
	assert_int_equal(txn_log_get(&tx, 1, &r), 1);
	assert_int_equal(txn_append(&tx, 2, &r.body.b, 1, 0, 0, &seq), 0);
	assert_int_equal(txn_field_put(&tx, r.body.b, seq, &r.body), 0);
	commit(kv);
	log_is(&tx, 1, 2,
	    "2:2:long enough to be spoilt when it is overwritten;");
	fields_are(&tx, 0, 2, "",
	    "2:long enough to be spoilt when it is overwritten="
	    "long enough to be spoilt when it is overwritten;");
	txn_done(&tx);
}

static void
a_number_is_never_given_twice(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	append(&tx, 1, "a", 0);
	append(&tx, 1, "b", 0);
	append(&tx, 1, "c", 0);
	assert_int_equal(txn_log_drop(&tx, 1), 0);
	assert_int_equal(txn_log_drop(&tx, 3), 0);
	assert_int_equal(txn_log_drop(&tx, 3), 0);
	commit(kv);
	txn_done(&tx);
	begin(kv);
	handle(&tx, kv);
	assert_int_equal(tx.seq, 3);
	log_is(&tx, 0, UINT64_MAX, "2:1:b;");
	assert_int_equal(txn_log_drop(&tx, 2), 0);
	assert_int_equal(append(&tx, 1, "d", 0), 4);
	commit(kv);
	txn_done(&tx);
}

static void
a_document_may_begin_at_a_number(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	assert_int_equal(txn_log_begin(&tx, 7), 0);
	commit(kv);
	txn_done(&tx);
	begin(kv);
	handle(&tx, kv);
	assert_int_equal(tx.seq, 7);
	assert_int_equal(tx.row.oldest, 7);
	assert_int_equal(append(&tx, 1, "a", 0), 8);
	log_is(&tx, 0, UINT64_MAX, "8:1:a;");
	/* only a new one */
	assert_false(tx.failed);
	assert_int_equal(txn_log_begin(&tx, 9), -1);
	assert_true(tx.failed);
	kv->ops->abort(kv);
	txn_done(&tx);
}

static void
an_aborted_batch_leaves_no_document(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;
	int t;

	begin(kv);
	handle(&tx, kv);
	append(&tx, 1, "a", blob_new(&tx, "large"));
	field_put(&tx, "k", 1, "v", 0);
	kv->ops->abort(kv);
	for (t = 0; t < KV_TABLES; t++)
		assert_int_equal(store_rows(kv, (enum kv_table)t), 0);
	assert_int_equal(txn_load(&tx), 0);
	assert_int_equal(tx.seq, 0);
	txn_done(&tx);
}

/* Changes the last octet but n of the stored value. */
static void
flip(struct kv *kv, enum kv_table t, const uint8_t *key, size_t key_n)
{
	struct buf b = BUF_INIT;

	assert_int_equal(kv->ops->get(kv, t, bytes_of(key, key_n), &b), 1);
	b.mem[b.off + b.len - 5] ^= 4;
	assert_int_equal(kv->ops->put(kv, t, bytes_of(key, key_n),
			     buf_bytes(&b)),
	    0);
	buf_free(&b);
}

static void
a_flipped_octet_in_a_record_is_noticed(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf b = BUF_INIT;
	uint8_t key[16] = { 0 };
	struct record r;
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	append(&tx, 1, "good", 0);
	append(&tx, 1, "bad", 0);
	be64_put(key, tx.doc);
	be64_put(key + 8, 2);
	flip(kv, KV_LOG, key, sizeof(key));
	log_level_set(LOG_LEVEL_ERROR);
	assert_int_equal(txn_log_get(&tx, 1, &r), 1);
	assert_int_equal(tx.failed, 0);
	assert_int_equal(txn_log_get(&tx, 2, &r), -1);
	assert_int_equal(tx.failed, 1);
	tx.failed = 0;
	assert_int_equal(txn_log_scan(&tx, 0, 9, see_record, &b), -1);
	assert_int_equal(tx.failed, 1);
	tx.failed = 0;
	assert_int_equal(txn_log_drop(&tx, 2), -1);
	assert_int_equal(tx.failed, 1);
	commit(kv); /* the store itself is well */
	txn_done(&tx);
	buf_free(&b);
}

static void
a_flipped_octet_in_a_field_is_noticed(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf b = BUF_INIT;
	uint8_t key[10] = { 0, 0, 0, 0, 0, 0, 0, 0, 'f', 'k' };
	struct body body = BODY_OF(L("new"));
	struct field f;
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	field_put(&tx, "k", 1, "value", 0);
	be64_put(key, tx.doc);
	flip(kv, KV_REG, key, sizeof(key));
	log_level_set(LOG_LEVEL_ERROR);
	assert_int_equal(txn_field_get(&tx, L("k"), &b, &f), -1);
	assert_int_equal(tx.failed, 1);
	tx.failed = 0;
	assert_int_equal(txn_field_scan(&tx, 0, 9, L(""), see_field, &b), -1);
	assert_int_equal(tx.failed, 1);
	assert_int_equal(txn_field_put(&tx, L("k"), 2, &body), -1);
	commit(kv);
	txn_done(&tx);
	buf_free(&b);
}

/* --- registers ----------------------------------------------------------- */

static void
registers_are_put_read_scanned_and_deleted(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf b = BUF_INIT;
	struct txn tx, near;

	begin(kv);
	handle(&tx, kv);
	handle_named(&near, kv, DIALECT_SDS, 0, "near");
	assert_int_equal(txn_reg_put(&tx, L("a/1"), L("x")), 0);
	assert_int_equal(txn_reg_put(&tx, L("a/2"), L("y")), 0);
	assert_int_equal(txn_reg_put(&tx, L("a/22"), L("z")), 0);
	assert_int_equal(txn_reg_put(&tx, L("a\xff"), L("high")), 0);
	assert_int_equal(txn_reg_put(&tx, L("b"), L("")), 0);
	assert_int_equal(txn_reg_put(&near, L("a/3"), L("other")), 0);
	field_put(&tx, "a/4", 1, "a field", 0);
	commit(kv);
	regs_are(&tx, "a/", "", "a/1=x;a/2=y;a/22=z;");
	regs_are(&tx, "a/", "a/2", "a/22=z;");
	regs_are(&tx, "a/", "a", "a/1=x;a/2=y;a/22=z;");
	regs_are(&tx, "a/", "b", "");
	regs_are(&tx, "a\xff", "", "a\xff=high;");
	regs_are(&tx, "", "a/22", "a\xff=high;b=;");
	assert_int_equal(txn_reg_get(&tx, L("b"), &b), 1);
	assert_int_equal(b.len, 0);
	assert_int_equal(txn_reg_get(&tx, L("a/3"), &b), 0);
	begin(kv);
	assert_int_equal(txn_reg_del(&tx, L("a/1")), 0);
	assert_int_equal(txn_reg_del(&tx, L("a/1")), 0);
	commit(kv);
	regs_are(&tx, "a/", "", "a/2=y;a/22=z;");
	assert_int_equal(tx.failed, 0);
	txn_done(&tx);
	txn_done(&near);
	buf_free(&b);
}

/* --- fields -------------------------------------------------------------- */

static void
fields_are_scanned_by_stamp_and_key(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	field_put(&tx, "b", 1, "B1", 0);
	field_put(&tx, "a", 1, "A1", 0);
	field_put(&tx, "ab", 1, "AB1", 0);
	field_put(&tx, "c", 2, "C2", 0);
	field_put(&tx, "d", 7, "D7", 0);
	commit(kv);
	fields_are(&tx, 0, 2, "", "1:a=A1;1:ab=AB1;1:b=B1;2:c=C2;");
	fields_are(&tx, 0, 2, "a", "1:ab=AB1;1:b=B1;2:c=C2;");
	fields_are(&tx, 0, 1, "b", "");
	fields_are(&tx, 1, UINT64_MAX, "", "2:c=C2;7:d=D7;");
	fields_are(&tx, 7, UINT64_MAX, "", "");
	begin(kv);
	field_put(&tx, "a", 8, "A8", 0);
	assert_int_equal(txn_field_del(&tx, L("b")), 0);
	assert_int_equal(txn_field_del(&tx, L("b")), 0);
	commit(kv);
	fields_are(&tx, 0, UINT64_MAX, "", "1:ab=AB1;2:c=C2;7:d=D7;8:a=A8;");
	assert_int_equal(store_rows(kv, KV_STAMP), 4);
	txn_done(&tx);
}

static void
a_field_is_read_by_key(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf b = BUF_INIT;
	struct field f;
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	field_put(&tx, "k", 3, "value", 0);
	assert_int_equal(txn_field_get(&tx, L("k"), &b, &f), 1);
	assert_int_equal(f.stamp, 3);
	assert_true(bytes_eq(f.body.b, L("value")));
	assert_true(bytes_eq(f.key, L("k")));
	assert_int_equal(f.body.blob, 0);
	assert_int_equal(txn_field_get(&tx, L("kk"), &b, &f), 0);
	assert_int_equal(b.len, 0);
	commit(kv);
	txn_done(&tx);
	buf_free(&b);
}

static void
a_replaced_field_drops_its_blob(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint64_t blob[2];
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	blob[0] = blob_new(&tx, "first");
	blob[1] = blob_new(&tx, "second");
	field_put(&tx, "k", 1, "head", blob[0]);
	field_put(&tx, "k", 2, "head", blob[0]);
	blob_is(&tx, blob[0], "first");
	field_put(&tx, "k", 3, "head", blob[1]);
	blob_is(&tx, blob[0], "");
	blob_is(&tx, blob[1], "second");
	assert_int_equal(txn_field_del(&tx, L("k")), 0);
	commit(kv);
	assert_int_equal(store_rows(kv, KV_BLOB), 0);
	assert_int_equal(store_rows(kv, KV_STAMP), 0);
	txn_done(&tx);
}

/* --- blobs --------------------------------------------------------------- */

static void
a_blob_is_read_from_any_slice(void **state)
{
	static uint8_t slice[BLOB_SLICE_BYTES + 1];
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf b = BUF_INIT;
	struct txn tx;
	uint64_t blob, next;
	uint32_t i;

	begin(kv);
	handle(&tx, kv);
	assert_int_equal(txn_blob_new(&tx, &blob), 0);
	next = blob_new(&tx, "next");
	assert_int_equal(next, blob + 1);
	for (i = 0; i < 3; i++) {
		memset(slice, 'a' + (int)i, sizeof(slice));
		assert_int_equal(txn_blob_slice(&tx, blob, i,
				     bytes_of(slice,
					 i == 2 ? 10 : BLOB_SLICE_BYTES)),
		    0);
	}
	commit(kv);
	assert_int_equal(txn_blob_read(&tx, blob, BLOB_SLICE_BYTES,
			     BLOB_SLICE_BYTES + 4, &b),
	    0);
	assert_int_equal(b.len, BLOB_SLICE_BYTES + 4);
	assert_int_equal(buf_bytes(&b).p[BLOB_SLICE_BYTES - 1], 'b');
	assert_int_equal(buf_bytes(&b).p[BLOB_SLICE_BYTES], 'c');
	buf_clear(&b);
	assert_int_equal(txn_blob_read(&tx, blob, 0, SIZE_MAX, &b), 0);
	assert_int_equal(b.len, 2 * BLOB_SLICE_BYTES + 10);
	buf_clear(&b);
	assert_int_equal(txn_blob_read(&tx, blob, 9 * BLOB_SLICE_BYTES, 10, &b),
	    0);
	assert_int_equal(b.len, 0);
	assert_int_equal(tx.failed, 0);
	assert_int_equal(txn_blob_read(&tx, blob, 5, 10, &b), -1);
	assert_int_equal(tx.failed, 1);
	begin(kv);
	assert_int_equal(txn_blob_slice(&tx, blob, 3,
			     bytes_of(slice, sizeof(slice))),
	    -1);
	kv->ops->abort(kv);
	txn_done(&tx);
	buf_free(&b);
}

static void
an_adopted_blob_does_not_change(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;
	uint64_t blob;

	begin(kv);
	handle(&tx, kv);
	blob = blob_new(&tx, "first");
	append(&tx, 1, "", blob);
	assert_int_equal(txn_blob_slice(&tx, blob, 0, L("forged")), -1);
	assert_int_equal(tx.failed, 1);
	blob_is(&tx, blob, "first");
	kv->ops->abort(kv);
	txn_done(&tx);
}

/* Slices of 100 octets will do: it is their number that makes it large. */
static uint64_t
blob_large(struct txn *tx)
{
	static const uint8_t slice[100];
	uint64_t blob;
	uint32_t i;

	assert_int_equal(txn_blob_new(tx, &blob), 0);
	for (i = 0; i < 600; i++)
		assert_int_equal(txn_blob_slice(tx, blob, i,
				     bytes_of(slice, sizeof(slice))),
		    0);
	return (blob);
}

static void
a_large_blob_is_nobodys_once_dropped_and_erased_later(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct buf b = BUF_INIT;
	struct txn tx;
	uint64_t large, kept;
	int steps = 0;

	begin(kv);
	handle(&tx, kv);
	large = blob_large(&tx);
	kept = blob_large(&tx);
	field_put(&tx, "k", 1, "", large);
	field_put(&tx, "l", 1, "", kept);
	assert_int_equal(txn_blob_staged(&tx, large), 0);
	assert_int_equal(tx.garbage, 0);
	assert_int_equal(txn_field_del(&tx, L("k")), 0);
	assert_int_equal(tx.garbage, 1);
	assert_int_equal(txn_blob_staged(&tx, large), 1);
	assert_int_equal(tx.failed, 0);
	commit(kv);
	while (garbage_erase(kv) == 1)
		steps++;
	assert_in_range(steps, 3, 10); /* 512 rows at most in each */
	assert_int_equal(txn_blob_read(&tx, large, 0, SIZE_MAX, &b), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(txn_blob_staged(&tx, large), 0);
	assert_int_equal(txn_blob_read(&tx, kept, 0, SIZE_MAX, &b), 0);
	assert_int_equal(b.len, 60000);
	txn_done(&tx);
	buf_free(&b);
}

static void
a_dropped_blob_leaves_nothing(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;
	uint64_t blob, kept;
	uint32_t i;

	begin(kv);
	handle(&tx, kv);
	assert_int_equal(txn_blob_new(&tx, &blob), 0);
	kept = blob_new(&tx, "kept");
	for (i = 0; i < 16; i++)
		assert_int_equal(txn_blob_slice(&tx, blob, i, L("s")), 0);
	assert_int_equal(txn_blob_drop(&tx, blob), 0);
	assert_int_equal(store_rows(kv, KV_BLOB), 1);
	assert_int_equal(txn_blob_slice(&tx, blob, 0, L("late")), -1);
	blob_is(&tx, kept, "kept");
	commit(kv);
	txn_done(&tx);
}

static void
a_dropped_record_takes_its_blob_along(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct record r;
	struct txn tx;
	uint64_t blob;

	begin(kv);
	handle(&tx, kv);
	blob = blob_new(&tx, "large");
	append(&tx, 1, "head", blob);
	assert_int_equal(txn_log_get(&tx, 1, &r), 1);
	assert_int_equal(r.body.blob, blob);
	assert_int_equal(r.body.size, 9);
	assert_true(bytes_eq(r.body.b, L("head")));
	assert_int_equal(txn_log_drop(&tx, 1), 0);
	assert_int_equal(store_rows(kv, KV_BLOB), 0);
	commit(kv);
	txn_done(&tx);
}

static void
the_sweep_takes_what_nothing_adopted(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	uint64_t in_log, in_field, i;
	struct txn tx;

	begin(kv);
	handle(&tx, kv);
	in_log = blob_new(&tx, "log");
	in_field = blob_new(&tx, "field");
	for (i = 0; i < 40; i++)
		blob_new(&tx, "staged");
	append(&tx, 1, "", in_log);
	field_put(&tx, "k", 1, "", in_field);
	commit(kv);
	assert_int_equal(txn_blob_sweep(kv), 0);
	assert_int_equal(store_rows(kv, KV_BLOB), 2);
	blob_is(&tx, in_log, "log");
	blob_is(&tx, in_field, "field");
	assert_int_equal(txn_blob_sweep(kv), 0);
	assert_int_equal(store_rows(kv, KV_BLOB), 2);
	begin(kv);
	assert_true(blob_new(&tx, "new") > in_field + 40);
	kv->ops->abort(kv);
	txn_done(&tx);
}

/* --- effects and failure ------------------------------------------------- */

static void
what_is_published_is_copied_and_kept_in_order(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	char text[] = "first";
	struct publish p = { .flags = PUBLISH_SKIP_SELF, .seq = 4, .n = 2 };
	struct txn tx;

	handle(&tx, kv);
	p.piece[0] = bytes_str(text);
	p.piece[1] = L(" frame");
	assert_int_equal(txn_publish(&tx, &p), 0);
	memset(text, 'X', sizeof(text) - 1);
	p.n = 0;
	p.seq = 5;
	assert_int_equal(txn_publish(&tx, &p), 0);
	assert_non_null(tx.effects);
	assert_int_equal(tx.effects->p.n, 1);
	assert_true(bytes_eq(tx.effects->p.piece[0], L("first frame")));
	assert_int_equal(tx.effects->p.seq, 4);
	assert_int_equal(tx.effects->p.flags, PUBLISH_SKIP_SELF);
	assert_int_equal(tx.effects->origin, 7);
	assert_int_equal(tx.effects->next->p.seq, 5);
	assert_int_equal(tx.effects->next->p.piece[0].n, 0);
	assert_null(tx.effects->next->next);
	assert_int_equal(tx.failed, 0);
	p.n = PUBLISH_PIECES_MAX + 1;
	assert_int_equal(txn_publish(&tx, &p), -1);
	assert_int_equal(tx.failed, 1);
	txn_done(&tx);
}

static void
another_document_fails_its_parent(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct publish p = { 0 };
	struct txn tx, other;

	begin(kv);
	handle(&tx, kv);
	assert_int_equal(txn_other(&tx, &other, 3, L("doc")), 0);
	append(&other, 1, "there", 0);
	append(&tx, 1, "here", 0);
	assert_int_not_equal(tx.doc, other.doc);
	log_is(&other, 0, 9, "1:1:there;");
	assert_int_equal(tx.failed, 0);
	assert_int_equal(txn_publish(&other, &p), -1);
	assert_int_equal(tx.failed, 1);
	kv->ops->abort(kv);
	txn_done(&other);
	txn_done(&tx);
}

static void
words_are_joined_up_to_the_limit(void **state)
{
	static uint8_t many[INFO_MAX_BYTES];
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn tx;

	handle(&tx, kv);
	assert_int_equal(txn_info(&tx, L("a ")), 0);
	assert_int_equal(txn_info(&tx, L("b")), 0);
	assert_true(bytes_eq(buf_bytes(&tx.info), L("a b")));
	assert_int_equal(txn_info(&tx, bytes_of(many, sizeof(many))), -1);
	assert_int_equal(tx.failed, 1);
	txn_done(&tx);
}

static void
a_store_that_refuses_marks_the_handle(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct body body = BODY_OF(L("v"));
	struct bytes piece = L("x");
	struct txn tx;
	uint64_t n;
	int i;

	/* no transaction is open, so that every change fails */
	for (i = 0; i < 4; i++) {
		handle(&tx, kv);
		assert_int_equal(tx.failed, 0);
		assert_int_equal(i == 0
			? txn_append(&tx, 1, &piece, 1, 0, 0, &n)
			: i == 1 ? txn_reg_put(&tx, L("k"), L("v"))
			: i == 2 ? txn_field_put(&tx, L("k"), 1, &body)
				 : txn_blob_new(&tx, &n),
		    -1);
		assert_int_equal(tx.failed, 1);
		txn_done(&tx);
	}
}

static int
cards(void *arg, size_t i, struct txn_card *c)
{
	if (i >= *(size_t *)arg)
		return (-1);
	c->session = 100 + i;
	return (0);
}

static void
cards_are_asked_of_the_document(void **state)
{
	struct kv *kv = ((struct store *)*state)->kv;
	struct txn_card c;
	struct txn tx;
	size_t n = 2;

	handle(&tx, kv);
	assert_int_equal(txn_card(&tx, 0, &c), -1);
	tx.cards = cards;
	tx.cards_arg = &n;
	assert_int_equal(txn_card(&tx, 1, &c), 0);
	assert_int_equal(c.session, 101);
	assert_int_equal(txn_card(&tx, 2, &c), -1);
	assert_int_equal(tx.failed, 0);
	txn_done(&tx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST_BOTH(a_document_is_new_until_something_is_stored),
		STORE_TEST_BOTH(documents_differ_by_dialect_room_and_name),
		STORE_TEST_BOTH(the_log_is_numbered_without_gaps),
		STORE_TEST_BOTH(what_was_read_may_be_written_again),
		STORE_TEST_BOTH(a_number_is_never_given_twice),
		STORE_TEST_BOTH(a_document_may_begin_at_a_number),
		STORE_TEST_BOTH(an_aborted_batch_leaves_no_document),
		STORE_TEST_BOTH(a_flipped_octet_in_a_record_is_noticed),
		STORE_TEST_BOTH(a_flipped_octet_in_a_field_is_noticed),
		STORE_TEST_BOTH(registers_are_put_read_scanned_and_deleted),
		STORE_TEST_BOTH(fields_are_scanned_by_stamp_and_key),
		STORE_TEST_BOTH(a_field_is_read_by_key),
		STORE_TEST_BOTH(a_replaced_field_drops_its_blob),
		STORE_TEST_BOTH(a_blob_is_read_from_any_slice),
		STORE_TEST_BOTH(an_adopted_blob_does_not_change),
		STORE_TEST_BOTH(
		    a_large_blob_is_nobodys_once_dropped_and_erased_later),
		STORE_TEST_BOTH(a_dropped_blob_leaves_nothing),
		STORE_TEST_BOTH(a_dropped_record_takes_its_blob_along),
		STORE_TEST_BOTH(the_sweep_takes_what_nothing_adopted),
		STORE_TEST_BOTH(what_is_published_is_copied_and_kept_in_order),
		STORE_TEST_BOTH(another_document_fails_its_parent),
		STORE_TEST_BOTH(words_are_joined_up_to_the_limit),
		STORE_TEST_BOTH(a_store_that_refuses_marks_the_handle),
		STORE_TEST_BOTH(cards_are_asked_of_the_document),
	};

	log_level_set(LOG_LEVEL_WARN);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
