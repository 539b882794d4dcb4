/*
 * secsync messages: canonical JSON, strict parsing, signatures and proofs; with
 * the vectors of the original where they are at hand, and with data made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/base64url.h"
#include "common/wire.h"
#include "worker/secsync_canon.h"
#include "worker/secsync_verify.h"

#define FIRST_PROOF "k_CZR7BveaeM7FOc0TYtEtTtTi0ElwG9XrDVLxb9tR0"
#define HEAD_(n)                                                               \
	"{\"ciphertext\":\"" n "\",\"nonce\":\"" NONCE                         \
	"\",\"signature\":\"" SIGN "\",\"publicData\":"
#define NONCE  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define TEXT48 NONCE NONCE
#define SIGN                                                                     \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAA"
#define KEY  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY2 "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define IDS  "\"docId\":\"d\",\"pubKey\":\"" KEY "\""

static struct buf vectors_text;
static struct json vectors; /* JSON_NONE: not at hand */

/* A member's text, decoded; good until four more were asked for. */
static struct bytes
text_of(const struct json *object, const char *name)
{
	static struct {
		uint8_t text[8192];
	} slots[4];
	static size_t next;
	struct json v;
	ssize_t n;

	json_find(object, name, &v);
	if (v.type != JSON_STRING)
		return (BYTES_NONE);
	next = (next + 1) % 4;
	n = json_raw_decode(slots[next].text, sizeof(slots[next].text),
	    json_raw(&v));
	assert_true(n >= 0);
	return (bytes_of(slots[next].text, (size_t)n));
}

static void
list_of(struct json_iter *it, const char *name)
{
	struct json v;

	if (vectors.type == JSON_NONE)
		skip();
	json_find(&vectors, name, &v);
	json_iter_init(it, &v);
}

static void
assert_canonical_bytes(struct bytes in, struct bytes want)
{
	struct json_report report;
	struct buf out = BUF_INIT;
	struct json v;

	assert_int_equal(json_parse(&v, in, 64, &report), 0);
	assert_int_equal(secsync_canon(&out, &v), 0);
	assert_int_equal(out.len, want.n);
	assert_memory_equal(buf_bytes(&out).p, want.p, out.len);
	buf_free(&out);
}

static void
assert_canonical(const char *in, const char *want)
{
	assert_canonical_bytes(bytes_str(in), bytes_str(want));
}

static int
parse(struct secsync_message *m, const char *text)
{
	return (secsync_message_parse(m, bytes_str(text), NULL));
}

static int
parse_data(const char *data)
{
	struct secsync_message m;
	char text[2048];
	int rc;

	snprintf(text, sizeof(text), "%s%s}", HEAD_(TEXT48), data);
	rc = parse(&m, text);
	secsync_message_free(&m);
	return (rc);
}

static void
json_becomes_canonical(void **state)
{
	(void)state;
	assert_canonical(" { } ", "{}");
	assert_canonical("[ ]", "[]");
	assert_canonical("[1 , [true,null],false]", "[1,[true,null],false]");
	assert_canonical("{\"b\":1,\"a\":{\"d\":2,\"c\":\"\\u0041\\/\"}}",
	    "{\"a\":{\"c\":\"A/\",\"d\":2},\"b\":1}");
	assert_canonical("{\"a\":1,\"b\":2,\"\\u0061\":3}",
	    "{\"a\":3,\"b\":2}");
	assert_canonical("{\"\\ufb33\":1,\"\\ud83d\\ude00\":2}",
	    "{\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}");
	assert_canonical("\"\\u0001\\u007f\\ud800\\n\"",
	    "\"\\u0001\x7f\\ud800\\n\"");
}

static void
numbers_take_their_shortest_form(void **state)
{
	(void)state;
	assert_canonical("-0", "0");
	assert_canonical("0e5", "0");
	assert_canonical("1.0", "1");
	assert_canonical("1e21", "1e+21");
	assert_canonical("1e20", "100000000000000000000");
	assert_canonical("0.000001", "0.000001");
	assert_canonical("0.0000001", "1e-7");
	assert_canonical("-1.5e-9", "-1.5e-9");
	assert_canonical("9007199254740993", "9007199254740992");
	assert_canonical("5e-324", "5e-324");
	assert_canonical("123.456", "123.456");
	assert_canonical("333333333.33333329", "333333333.3333333");
}

static void
a_number_beyond_the_doubles_has_no_canonical_form(void **state)
{
	struct json_report report;
	struct buf out = BUF_INIT;
	struct json v;

	(void)state;
	assert_int_equal(json_parse(&v, bytes_str("[1e999]"), 8, &report), 0);
	assert_int_equal(secsync_canon(&out, &v), -1);
	buf_free(&out);
}

static void
the_kind_follows_public_data(void **state)
{
	static const struct {
		const char *data;
		enum secsync_kind kind;
	} rows[] = {
		{ "{\"snapshotId\":\"a\",\"refSnapshotId\":\"b\"}",
		    SECSYNC_KIND_SNAPSHOT },
		{ "{\"snapshotId\":1}", SECSYNC_KIND_SNAPSHOT },
		{ "{\"snapshotId\":0,\"refSnapshotId\":[]}",
		    SECSYNC_KIND_UPDATE },
		{ "{\"snapshotId\":\"\",\"refSnapshotId\":false}",
		    SECSYNC_KIND_EPHEMERAL },
		{ "null", SECSYNC_KIND_EPHEMERAL },
		{ "[]", SECSYNC_KIND_EPHEMERAL },
	};
	struct secsync_message m;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"publicData\":%s}",
		    rows[i].data);
		assert_int_equal(parse(&m, text), -1);
		assert_int_equal(m.kind, rows[i].kind);
		secsync_message_free(&m);
	}
	assert_int_equal(parse(&m, "{\"publicData\":"), -1);
	assert_int_equal(m.kind, SECSYNC_KIND_NONE);
}

static void
a_snapshot_becomes_typed_fields(void **state)
{
	static const char text[] =
	    HEAD_(TEXT48) "{" IDS
			  ",\"snapshotId\":\"s2\",\"parentSnapshotId\":\"s1\","
			  "\"parentSnapshotProof\":\"" FIRST_PROOF "\","
			  "\"parentSnapshotUpdateClocks\":{\"" KEY2
			  "\":7,\"" KEY
			  "\":0.0}},\"additionalServerData\":{\"x\":[1]}}";
	struct secsync_message m;
	struct bytes rest, b;

	(void)state;
	assert_int_equal(parse(&m, text), 0);
	assert_true(bytes_eq(m.id, bytes_str("s2")));
	assert_true(bytes_eq(m.parent, bytes_str("s1")));
	assert_true(bytes_eq(m.proof, bytes_str(FIRST_PROOF)));
	assert_true(bytes_eq(m.doc, bytes_str("d")));
	rest = buf_bytes(&m.clocks);
	assert_int_equal(list_next(&rest, &b), 1);
	assert_true(bytes_eq(b, bytes_str(KEY)));
	assert_int_equal(list_next(&rest, &b), 1);
	assert_int_equal(be64_get(b.p), 0);
	assert_int_equal(list_next(&rest, &b), 1);
	assert_true(bytes_eq(b, bytes_str(KEY2)));
	assert_int_equal(list_next(&rest, &b), 1);
	assert_int_equal(be64_get(b.p), 7);
	assert_int_equal(rest.n, 0);
	secsync_message_free(&m);
}

static void
public_data_must_have_its_members_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(parse_data("{" IDS "}"), -1); /* 48 is too short */
	assert_int_equal(parse_data(
			     "{" IDS ",\"refSnapshotId\":\"s\",\"clock\":3}"),
	    0);
	assert_int_equal(parse_data(
			     "{" IDS ",\"refSnapshotId\":\"s\",\"clock\":0e5}"),
	    0);
	assert_int_equal(parse_data("{" IDS ",\"refSnapshotId\":\"s\"}"), -1);
	assert_int_equal(parse_data("{" IDS
				    ",\"refSnapshotId\":\"s\",\"clock\":null}"),
	    -1);
	assert_int_equal(parse_data(
			     "{" IDS
			     ",\"refSnapshotId\":\"s\",\"clock\":\"3\"}"),
	    -1);
	assert_int_equal(parse_data(
			     "{" IDS ",\"refSnapshotId\":\"s\",\"clock\":-1}"),
	    -1);
	assert_int_equal(parse_data(
			     "{" IDS ",\"refSnapshotId\":\"s\",\"clock\":0.5}"),
	    -1);
	assert_int_equal(parse_data(
			     "{" IDS ",\"refSnapshotId\":5,\"clock\":1}"),
	    -1);
	assert_int_equal(parse_data(
			     "{" IDS
			     ",\"refSnapshotId\":\"a\\\"b\",\"clock\":1}"),
	    -1);
	assert_int_equal(
	    parse_data(
		"{" IDS ",\"refSnapshotId\":\"s\",\"clock\":1,\"extra\":1}"),
	    -1);
	assert_int_equal(parse_data("{\"docId\":\"d\",\"pubKey\":\"short\","
				    "\"refSnapshotId\":\"s\",\"clock\":1}"),
	    -1);
}

static int
parse_extra(const char *member)
{
	static char title[] = "title string 7", tags[] = "tags\tarray  9",
		    done[] = "done boolean 5";
	static char *const extra[] = { title, tags, done, NULL };
	struct secsync_message m;
	char text[1024];
	int rc;

	snprintf(text, sizeof(text),
	    HEAD_(TEXT48) "{" IDS ",\"refSnapshotId\":\"s\",\"clock\":1,%s}}",
	    member);
	rc = secsync_message_parse(&m, bytes_str(text), extra);
	secsync_message_free(&m);
	return (rc);
}

static void
members_that_the_operator_names_are_allowed(void **state)
{
	(void)state;
	assert_int_equal(parse_extra("\"title\":\"plans\""), 0);
	assert_int_equal(parse_extra("\"title\":\"\",\"tags\":[1,2,3]"), 0);
	assert_int_equal(parse_extra("\"done\":false"), 0);
	assert_int_equal(parse_extra("\"title\":\"planned\""), -1);
	assert_int_equal(parse_extra("\"title\":5"), -1);
	assert_int_equal(parse_extra("\"title\":null"), -1);
	assert_int_equal(parse_extra("\"tags\":[1,2,3,4,5]"), -1);
	assert_int_equal(parse_extra("\"titles\":\"x\""), -1);
	assert_int_equal(parse_extra("\"snapshotId\":\"\""), -1);
}

static void
as_many_clocks_are_taken_as_a_snapshot_may_have(void **state)
{
	struct buf text = BUF_INIT, packed = BUF_INIT;
	struct json_report report;
	struct json v;
	uint8_t key[32] = { 0 };
	char name[SECSYNC_KEY_LEN];
	uint32_t i;

	(void)state;
	for (i = 0; i <= SECSYNC_CLOCKS_MAX; i++) {
		be32_put(key, i);
		base64url_encode(name, bytes_of(key, sizeof(key)));
		buf_printf(&text, "%c\"%.*s\":%u", i == 0 ? '{' : ',',
		    SECSYNC_KEY_LEN, name, (unsigned)i);
		if (i < SECSYNC_CLOCKS_MAX - 1)
			continue;
		buf_add_u8(&text, '}');
		assert_int_equal(json_parse(&v, buf_bytes(&text), 2, &report),
		    0);
		assert_int_equal(secsync_clocks_pack(&packed, &v),
		    i == SECSYNC_CLOCKS_MAX ? -1 : 0);
		text.len--;
	}
	buf_free(&text);
	buf_free(&packed);
}

static void
what_was_wrong_is_kept_for_the_echo(void **state)
{
	struct secsync_message m;

	(void)state;
	assert_int_equal(
	    parse(&m, "{\"publicData\":{\"refSnapshotId\":7,\"clock\":\"x\"}}"),
	    -1);
	assert_true(bytes_eq(m.echo_id.text, bytes_str("7")));
	assert_true(bytes_eq(m.echo_clock.text, bytes_str("\"x\"")));
	secsync_message_free(&m);
}

static void
ciphertext_nonce_and_signature_have_their_sizes(void **state)
{
	static const char data[] =
	    "{" IDS ",\"refSnapshotId\":\"s\",\"clock\":1}";
	static const char *const bad[][3] = {
		{ TEXT48 "=", NONCE, SIGN },
		{ NONCE, NONCE, SIGN }, /* 24 octets of ciphertext */
		{ TEXT48, NONCE "AAAA", SIGN },
		{ TEXT48, NONCE, KEY },
		{ TEXT48 "\\u0041AAA", NONCE, SIGN },
		{ TEXT48, "+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", SIGN },
	};
	struct secsync_message m;
	char text[1024];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text),
		    "{\"ciphertext\":\"%s\",\"nonce\":\"%s\","
		    "\"signature\":\"%s\",\"publicData\":%s}",
		    bad[i][0], bad[i][1], bad[i][2], data);
		assert_int_equal(parse(&m, text), -1);
		secsync_message_free(&m);
	}
}

static void
clocks_are_keys_and_whole_numbers(void **state)
{
	static const char *const bad[] = { "[]", "null", "{\"x\":1}",
		"{\"" KEY "\":-1}", "{\"" KEY "\":1.5}", "{\"" KEY "\":\"1\"}",
		"{\"" KEY "\":9007199254740993}",
		"{\"" KEY "\":1,\"" KEY "\":1}" };
	struct json_report report;
	struct buf out = BUF_INIT;
	struct json v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(json_parse(&v, bytes_str(bad[i]), 8, &report),
		    0);
		assert_int_equal(secsync_clocks_pack(&out, &v), -1);
		buf_free(&out);
	}
	assert_int_equal(json_parse(&v, bytes_str("{}"), 8, &report), 0);
	assert_int_equal(secsync_clocks_pack(&out, &v), 0);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

/* Signs m's text with a key made of `seed` and puts key and signature in. */
static void
sign(struct secsync_message *m, char key64[SECSYNC_KEY_LEN], char sign64[86],
    uint8_t seed)
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
	uint8_t seeds[crypto_sign_SEEDBYTES], s[crypto_sign_BYTES];
	struct buf text = BUF_INIT;

	memset(seeds, seed, sizeof(seeds));
	crypto_sign_seed_keypair(pk, sk, seeds);
	base64url_encode(key64, bytes_of(pk, sizeof(pk)));
	m->key = bytes_of(key64, SECSYNC_KEY_LEN);
	assert_int_equal(secsync_signed_text(&text, m), 0);
	crypto_sign_detached(s, NULL, buf_bytes(&text).p, text.len, sk);
	base64url_encode(sign64, bytes_of(s, sizeof(s)));
	m->signature = bytes_of(sign64, 86);
	buf_free(&text);
}

static void
a_signature_covers_kind_ciphertext_nonce_and_public_data(void **state)
{
	static const char text[] =
	    HEAD_(TEXT48) "{" IDS ",\"refSnapshotId\":\"s\",\"clock\":1}}";
	struct secsync_message m, changed;
	char key[SECSYNC_KEY_LEN], other[SECSYNC_KEY_LEN], s[86];

	(void)state;
	assert_int_equal(parse(&m, text), 0);
	sign(&m, other, s, 2);
	sign(&m, key, s, 1);
	assert_int_equal(secsync_verify(&m), 1);
	changed = m;
	changed.kind = SECSYNC_KIND_EPHEMERAL;
	assert_int_equal(secsync_verify(&changed), 0);
	changed = m;
	changed.nonce = bytes_str(KEY);
	assert_int_equal(secsync_verify(&changed), 0);
	changed = m;
	changed.ciphertext = bytes_str(NONCE);
	assert_int_equal(secsync_verify(&changed), 0);
	changed = m;
	changed.key = bytes_of(other, sizeof(other));
	assert_int_equal(secsync_verify(&changed), 0);
	buf_add_str(&m.data, " ");
	assert_int_equal(secsync_verify(&m), 0);
	secsync_message_free(&m);
}

static void
the_first_proof_is_the_constant(void **state)
{
	char out[SECSYNC_HASH_LEN];

	(void)state;
	secsync_proof(out, BYTES_NONE, BYTES_NONE, BYTES_NONE);
	assert_memory_equal(out, FIRST_PROOF, sizeof(out));
}

static void
the_canonical_json_of_the_original_comes_out(void **state)
{
	struct json_iter it;
	struct json v;
	struct bytes want;
	size_t n = 0;

	(void)state;
	list_of(&it, "canonicalization");
	while (json_iter_next(&it, NULL, &v)) {
		if ((want = text_of(&v, "canonical")).p == NULL)
			continue;
		assert_canonical_bytes(text_of(&v, "json"), want);
		n++;
	}
	assert_true(n >= 5);
}

static void
hashes_and_proofs_of_the_original_come_out(void **state)
{
	char out[SECSYNC_HASH_LEN];
	struct json_iter it;
	struct json v;
	size_t n = 0;

	(void)state;
	list_of(&it, "blake2b256");
	for (; json_iter_next(&it, NULL, &v); n++) {
		secsync_hash(out, text_of(&v, "utf8"));
		assert_memory_equal(out, text_of(&v, "hash").p, sizeof(out));
	}
	list_of(&it, "snapshotProofs");
	for (; json_iter_next(&it, NULL, &v); n++) {
		secsync_proof(out, text_of(&v, "parentSnapshotId"),
		    text_of(&v, "grandParentSnapshotProof"),
		    text_of(&v, "parentSnapshotCiphertextHash"));
		assert_memory_equal(out, text_of(&v, "parentSnapshotProof").p,
		    sizeof(out));
	}
	assert_int_equal(n, 6);
}

/* Parses and verifies a vector's message: 1 signed, 0 not, -1 refused. */
static int
judge(const struct json *vector)
{
	struct secsync_message m;
	struct buf text = BUF_INIT;
	struct bytes want = text_of(vector, "signedMessage");
	struct json v;
	int rc = -1;

	json_find(vector, "message", &v);
	if (secsync_message_parse(&m, v.text, NULL) == 0) {
		rc = secsync_verify(&m);
		assert_int_equal(secsync_signed_text(&text, &m), 0);
		if (want.p != NULL)
			assert_true(bytes_eq(buf_bytes(&text), want));
	}
	buf_free(&text);
	secsync_message_free(&m);
	return (rc);
}

static int
has_hint(const struct json *vector)
{
	struct json message, data, hint;

	json_find(vector, "message", &message);
	json_find(&message, "publicData", &data);
	return (json_find(&data, "keyHint", &hint) > 0);
}

static void
messages_of_the_original_verify_and_forged_ones_do_not(void **state)
{
	struct json_iter it;
	struct json v;
	size_t n = 0;

	(void)state;
	list_of(&it, "messages");
	for (; json_iter_next(&it, NULL, &v); n++)
		/* One carries a member of an application's own. */
		assert_int_equal(judge(&v), has_hint(&v) ? -1 : 1);
	assert_int_equal(n, 10);
	list_of(&it, "negativeSignatures");
	for (; json_iter_next(&it, NULL, &v); n++)
		assert_int_not_equal(judge(&v), 1);
	assert_int_equal(n, 17);
}

static int
load(void **state)
{
	const char *shared = getenv("QUIRE_SHARED");
	struct json_report report;
	char path[4096], block[4096];
	size_t n;
	FILE *f;

	(void)state;
	if (sodium_init() == -1)
		return (-1);
	snprintf(path, sizeof(path),
	    "%s/protocols/vectors/secsync/vectors.json",
	    shared == NULL ? "" : shared);
	if ((f = fopen(path, "r")) == NULL)
		return (0);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(&vectors_text, block, n);
	fclose(f);
	return (json_parse(&vectors, buf_bytes(&vectors_text), 16, &report));
}

static int
unload(void **state)
{
	(void)state;
	buf_free(&vectors_text);
	return (0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_becomes_canonical),
		cmocka_unit_test(numbers_take_their_shortest_form),
		cmocka_unit_test(
		    a_number_beyond_the_doubles_has_no_canonical_form),
		cmocka_unit_test(the_kind_follows_public_data),
		cmocka_unit_test(a_snapshot_becomes_typed_fields),
		cmocka_unit_test(
		    public_data_must_have_its_members_and_no_other),
		cmocka_unit_test(members_that_the_operator_names_are_allowed),
		cmocka_unit_test(
		    as_many_clocks_are_taken_as_a_snapshot_may_have),
		cmocka_unit_test(what_was_wrong_is_kept_for_the_echo),
		cmocka_unit_test(
		    ciphertext_nonce_and_signature_have_their_sizes),
		cmocka_unit_test(clocks_are_keys_and_whole_numbers),
		cmocka_unit_test(
		    a_signature_covers_kind_ciphertext_nonce_and_public_data),
		cmocka_unit_test(the_first_proof_is_the_constant),
		cmocka_unit_test(the_canonical_json_of_the_original_comes_out),
		cmocka_unit_test(hashes_and_proofs_of_the_original_come_out),
		cmocka_unit_test(
		    messages_of_the_original_verify_and_forged_ones_do_not),
	};

	return (cmocka_run_group_tests(tests, load, unload));
}
