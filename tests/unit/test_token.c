/*
 * What a token must be to be believed: the attack list of RFC 8725's field,
 * one row an attack, through the same steps that worker and broker take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "common/base64url.h"
#include "common/limits.h"
#include "broker/token.h"
#include "tests/lib/tokens.h"

#define NOW 1700000000

#define SECRET "0123456789abcdef0123456789abcdef"
#define GOOD   "{\"sub\":\"u\",\"aud\":\"s\",\"scope\":\"read\"}"
#define HS256  "{\"alg\":\"HS256\"}"
/* A payload with one more claim; one with another aud, scope or sub. */
#define WITH(claim)  "{\"sub\":\"u\",\"aud\":\"s\",\"scope\":\"read\"," claim "}"
#define AUD(value)   "{\"sub\":\"u\",\"aud\":" value ",\"scope\":\"read\"}"
#define SCOPE(value) "{\"sub\":\"u\",\"aud\":\"s\",\"scope\":" value "}"
#define SUB(value)   "{\"sub\":" value ",\"aud\":\"s\",\"scope\":\"read\"}"
/* 43 characters: a key for the secsync claims */
#define KEY_A "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define KEY_B "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#define J(s)                                                                   \
	{                                                                      \
		(const uint8_t *)(s), sizeof(s) - 1                            \
	}
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *what;
	struct bytes json;
	int verdict;
};

static const struct token_rules any_rules;
static struct keyring *one_secret; /* SECRET, without a kid */

static int
setup(void **state)
{
	(void)state;
	one_secret = tokens_ring(SECRET);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	keyring_free(one_secret);
	return (0);
}

/* A genuine token of any header and payload. */
static void
make(struct buf *b, struct bytes header, struct bytes payload)
{
	buf_clear(b);
	tokens_add64(b, header);
	buf_add_u8(b, '.');
	tokens_add64(b, payload);
	tokens_add_mac(b, SECRET);
}

static void
expect(const char *what, const struct keyring *ring,
    const struct token_rules *rules, struct bytes token, int verdict)
{
	struct claims claims;
	int got = tokens_judge(ring, rules, token, NOW, &claims);

	if (got != verdict)
		fail_msg("%s: %s, not %s", what, token_result_name(got),
		    token_result_name(verdict));
	if (got != TOKEN_OK)
		assert_null(claims.text);
	claims_free(&claims);
}

static void
expect_header(const char *what, struct bytes header, int verdict)
{
	struct buf b = BUF_INIT;

	make(&b, header, bytes_str(GOOD));
	expect(what, one_secret, &any_rules, buf_bytes(&b), verdict);
	buf_free(&b);
}

static void
expect_payload(const char *what, const struct token_rules *rules,
    struct bytes payload, int verdict)
{
	struct buf b = BUF_INIT;

	make(&b, bytes_str(HS256), payload);
	expect(what, one_secret, rules, buf_bytes(&b), verdict);
	buf_free(&b);
}

/* Signed by us all the same: the header must still be what the key is for. */
static const struct row headers[] = {
	{ "plain", J(HS256), TOKEN_OK },
	{ "typ", J("{\"typ\":\"JWT\",\"alg\":\"HS256\"}"), TOKEN_OK },
	{ "any typ", J("{\"typ\":7,\"alg\":\"HS256\"}"), TOKEN_OK },
	{ "none", J("{\"alg\":\"none\"}"), TOKEN_BAD_HEADER },
	{ "None", J("{\"alg\":\"None\"}"), TOKEN_BAD_HEADER },
	{ "NONE", J("{\"alg\":\"NONE\"}"), TOKEN_BAD_HEADER },
	{ "nOnE", J("{\"alg\":\"nOnE\"}"), TOKEN_BAD_HEADER },
	{ "none with a blank", J("{\"alg\":\"none \"}"), TOKEN_BAD_HEADER },
	{ "alg empty", J("{\"alg\":\"\"}"), TOKEN_BAD_HEADER },
	{ "alg absent", J("{\"typ\":\"JWT\"}"), TOKEN_BAD_HEADER },
	{ "alg null", J("{\"alg\":null}"), TOKEN_BAD_HEADER },
	{ "alg number", J("{\"alg\":256}"), TOKEN_BAD_HEADER },
	{ "alg list", J("{\"alg\":[\"HS256\"]}"), TOKEN_BAD_HEADER },
	{ "alg object", J("{\"alg\":{\"a\":\"HS256\"}}"), TOKEN_BAD_HEADER },
	{ "alg lower case", J("{\"alg\":\"hs256\"}"), TOKEN_BAD_HEADER },
	{ "alg and NUL", J("{\"alg\":\"HS256\\u0000\"}"), TOKEN_BAD_HEADER },
	{ "Alg", J("{\"Alg\":\"HS256\"}"), TOKEN_BAD_HEADER },
	{ "HS384", J("{\"alg\":\"HS384\"}"), TOKEN_BAD_HEADER },
	{ "HS512", J("{\"alg\":\"HS512\"}"), TOKEN_BAD_HEADER },
	{ "RS256", J("{\"alg\":\"RS256\"}"), TOKEN_BAD_HEADER },
	{ "ES256", J("{\"alg\":\"ES256\"}"), TOKEN_BAD_HEADER },
	{ "PS256", J("{\"alg\":\"PS256\"}"), TOKEN_BAD_HEADER },
	{ "EdDSA for an HS256 key", J("{\"alg\":\"EdDSA\"}"),
	    TOKEN_BAD_HEADER },
	{ "alg twice, good last", J("{\"alg\":\"none\",\"alg\":\"HS256\"}"),
	    TOKEN_BAD_HEADER },
	{ "alg twice, good first", J("{\"alg\":\"HS256\",\"alg\":\"none\"}"),
	    TOKEN_BAD_HEADER },
	{ "alg twice by an escape",
	    J("{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}"), TOKEN_BAD_HEADER },
	{ "alg value by an escape", J("{\"alg\":\"HS\\u0032\\u003556\"}"),
	    TOKEN_BAD_HEADER },
	/* No key of the ring has a name: a kid tells nothing. */
	{ "kid", J("{\"alg\":\"HS256\",\"kid\":\"k1\"}"), TOKEN_OK },
	{ "kid a path", J("{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}"),
	    TOKEN_OK },
	{ "kid SQL", J("{\"alg\":\"HS256\",\"kid\":\"' OR 1=1 --\"}"),
	    TOKEN_OK },
	{ "kid NUL", J("{\"alg\":\"HS256\",\"kid\":\"a\\u0000\"}"),
	    TOKEN_BAD_HEADER },
	{ "kid raw NUL", J("{\"alg\":\"HS256\",\"kid\":\"a\0\"}"),
	    TOKEN_BAD_HEADER },
	{ "kid empty", J("{\"alg\":\"HS256\",\"kid\":\"\"}"),
	    TOKEN_BAD_HEADER },
	{ "kid number", J("{\"alg\":\"HS256\",\"kid\":1}"), TOKEN_BAD_HEADER },
	{ "kid null", J("{\"alg\":\"HS256\",\"kid\":null}"), TOKEN_BAD_HEADER },
	{ "kid twice", J("{\"alg\":\"HS256\",\"kid\":\"a\",\"kid\":\"b\"}"),
	    TOKEN_BAD_HEADER },
	{ "kid hidden by an escape",
	    J("{\"alg\":\"HS256\",\"k\\u0069d\":\"a\"}"), TOKEN_BAD_HEADER },
	{ "jku", J("{\"alg\":\"HS256\",\"jku\":\"http://127.0.0.1:1/\"}"),
	    TOKEN_OK },
	{ "x5u", J("{\"alg\":\"HS256\",\"x5u\":\"http://127.0.0.1:1/\"}"),
	    TOKEN_OK },
	{ "jwk", J("{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\"}}"), TOKEN_OK },
	{ "x5c", J("{\"alg\":\"HS256\",\"x5c\":[\"MIIB\"]}"), TOKEN_OK },
	{ "crit b64 true",
	    J("{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":true}"),
	    TOKEN_OK },
	{ "crit b64 false",
	    J("{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}"),
	    TOKEN_BAD_HEADER },
	{ "crit b64 absent", J("{\"alg\":\"HS256\",\"crit\":[\"b64\"]}"),
	    TOKEN_BAD_HEADER },
	{ "crit b64 and more",
	    J("{\"alg\":\"HS256\",\"crit\":[\"b64\",\"exp\"],\"b64\":true}"),
	    TOKEN_BAD_HEADER },
	{ "crit b64 no list",
	    J("{\"alg\":\"HS256\",\"crit\":\"b64\",\"b64\":true}"),
	    TOKEN_BAD_HEADER },
	{ "crit empty", J("{\"alg\":\"HS256\",\"crit\":[],\"b64\":true}"),
	    TOKEN_BAD_HEADER },
	{ "crit", J("{\"alg\":\"HS256\",\"crit\":[\"exp\"]}"),
	    TOKEN_BAD_HEADER },
	{ "crit empty", J("{\"alg\":\"HS256\",\"crit\":[]}"),
	    TOKEN_BAD_HEADER },
	{ "crit null", J("{\"alg\":\"HS256\",\"crit\":null}"),
	    TOKEN_BAD_HEADER },
	{ "b64 false",
	    J("{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}"),
	    TOKEN_BAD_HEADER },
	{ "b64 false without crit", J("{\"alg\":\"HS256\",\"b64\":false}"),
	    TOKEN_BAD_HEADER },
	{ "b64 true", J("{\"alg\":\"HS256\",\"b64\":true}"), TOKEN_OK },
	{ "a list", J("[\"HS256\"]"), TOKEN_BAD_HEADER },
	{ "a string", J("\"HS256\""), TOKEN_BAD_HEADER },
	{ "null", J("null"), TOKEN_BAD_HEADER },
	{ "BOM", J("\xef\xbb\xbf" HS256), TOKEN_BAD_HEADER },
	{ "trailing garbage", J(HS256 "x"), TOKEN_BAD_HEADER },
	{ "two objects", J(HS256 HS256), TOKEN_BAD_HEADER },
	{ "trailing comma", J("{\"alg\":\"HS256\",}"), TOKEN_BAD_HEADER },
	{ "trailing NUL", J(HS256 "\0"), TOKEN_BAD_HEADER },
	{ "white space", J(" {\t\"alg\" :\r\n\"HS256\" } "), TOKEN_OK },
};

static const struct row payloads[] = {
	{ "the least", J(GOOD), TOKEN_OK },
	{ "unknown claims", J(WITH("\"x\":[1,{\"y\":null}]")), TOKEN_OK },
	/* exp and its relatives */
	{ "exp now", J(WITH("\"exp\":1700000000")), TOKEN_EXPIRED },
	{ "exp in a second", J(WITH("\"exp\":1700000001")), TOKEN_OK },
	{ "exp a fraction ahead", J(WITH("\"exp\":1700000000.25")), TOKEN_OK },
	{ "exp a fraction behind", J(WITH("\"exp\":1699999999.75")),
	    TOKEN_EXPIRED },
	{ "exp in exponents", J(WITH("\"exp\":1.8e9")), TOKEN_OK },
	{ "exp zero", J(WITH("\"exp\":0")), TOKEN_EXPIRED },
	{ "exp minus zero", J(WITH("\"exp\":-0")), TOKEN_EXPIRED },
	{ "exp negative", J(WITH("\"exp\":-1")), TOKEN_EXPIRED },
	{ "exp very negative", J(WITH("\"exp\":-1e300")), TOKEN_EXPIRED },
	{ "exp string", J(WITH("\"exp\":\"1800000000\"")), TOKEN_BAD_CLAIMS },
	{ "exp true", J(WITH("\"exp\":true")), TOKEN_BAD_CLAIMS },
	{ "exp null", J(WITH("\"exp\":null")), TOKEN_BAD_CLAIMS },
	{ "exp list", J(WITH("\"exp\":[1800000000]")), TOKEN_BAD_CLAIMS },
	{ "exp object", J(WITH("\"exp\":{}")), TOKEN_BAD_CLAIMS },
	{ "exp 1e400", J(WITH("\"exp\":1e400")), TOKEN_BAD_CLAIMS },
	{ "exp NaN", J(WITH("\"exp\":NaN")), TOKEN_BAD_CLAIMS },
	{ "exp Infinity", J(WITH("\"exp\":Infinity")), TOKEN_BAD_CLAIMS },
	{ "exp plus", J(WITH("\"exp\":+1800000000")), TOKEN_BAD_CLAIMS },
	{ "exp leading zero", J(WITH("\"exp\":01800000000")),
	    TOKEN_BAD_CLAIMS },
	{ "exp hex", J(WITH("\"exp\":0x7fffffff")), TOKEN_BAD_CLAIMS },
	{ "exp 10^30", J(WITH("\"exp\":1000000000000000000000000000000")),
	    TOKEN_OK },
	{ "exp 2^63", J(WITH("\"exp\":9223372036854775808")), TOKEN_OK },
	{ "exp 2^63-1", J(WITH("\"exp\":9223372036854775807")), TOKEN_OK },
	{ "exp twice", J(WITH("\"exp\":1,\"exp\":1800000000")),
	    TOKEN_BAD_CLAIMS },
	{ "nbf now", J(WITH("\"nbf\":1700000000")), TOKEN_OK },
	{ "nbf in a second", J(WITH("\"nbf\":1700000001")), TOKEN_NOT_YET },
	{ "nbf a fraction ahead", J(WITH("\"nbf\":1700000000.5")),
	    TOKEN_NOT_YET },
	{ "nbf 10^30", J(WITH("\"nbf\":1e30")), TOKEN_NOT_YET },
	{ "nbf string", J(WITH("\"nbf\":\"0\"")), TOKEN_BAD_CLAIMS },
	{ "nbf null", J(WITH("\"nbf\":null")), TOKEN_BAD_CLAIMS },
	{ "iat in the future", J(WITH("\"iat\":1800000000")), TOKEN_OK },
	{ "iat string", J(WITH("\"iat\":\"1\"")), TOKEN_BAD_CLAIMS },
	{ "iat null", J(WITH("\"iat\":null")), TOKEN_BAD_CLAIMS },
	/* aud: its kind here, its meaning in a test of its own */
	{ "aud list", J(AUD("[\"s\",\"t\"]")), TOKEN_OK },
	{ "aud nested list", J(AUD("[[\"s\"]]")), TOKEN_BAD_CLAIMS },
	{ "aud list with a number", J(AUD("[\"s\",1]")), TOKEN_BAD_CLAIMS },
	{ "aud empty list", J(AUD("[]")), TOKEN_BAD_CLAIMS },
	{ "aud object", J(AUD("{\"s\":\"s\"}")), TOKEN_BAD_CLAIMS },
	{ "aud number", J(AUD("1")), TOKEN_BAD_CLAIMS },
	{ "aud null", J(AUD("null")), TOKEN_BAD_CLAIMS },
	{ "aud empty", J(AUD("\"\"")), TOKEN_OK },
	{ "aud NUL", J(AUD("\"s\\u0000\"")), TOKEN_OK },
	{ "aud raw NUL", J(AUD("\"s\0\"")), TOKEN_BAD_CLAIMS },
	{ "aud absent", J("{\"sub\":\"u\",\"scope\":\"read\"}"),
	    TOKEN_BAD_CLAIMS },
	/* scope */
	{ "scope write", J(SCOPE("\"write\"")), TOKEN_OK },
	{ "scope admin", J(SCOPE("\"admin\"")), TOKEN_OK },
	{ "scope none", J(SCOPE("\"none\"")), TOKEN_BAD_CLAIMS },
	{ "scope list", J(SCOPE("[\"read\"]")), TOKEN_BAD_CLAIMS },
	{ "scope case", J(SCOPE("\"Admin\"")), TOKEN_BAD_CLAIMS },
	{ "scope NUL", J(SCOPE("\"admin\\u0000\"")), TOKEN_BAD_CLAIMS },
	{ "scope blank", J(SCOPE("\"read write\"")), TOKEN_BAD_CLAIMS },
	{ "scope blank behind", J(SCOPE("\"read \"")), TOKEN_BAD_CLAIMS },
	{ "scope empty", J(SCOPE("\"\"")), TOKEN_BAD_CLAIMS },
	{ "scope null", J(SCOPE("null")), TOKEN_BAD_CLAIMS },
	{ "scope number", J(SCOPE("3")), TOKEN_BAD_CLAIMS },
	{ "scope absent", J("{\"sub\":\"u\",\"aud\":\"s\"}"),
	    TOKEN_BAD_CLAIMS },
	{ "scope superuser", J(SCOPE("\"superuser\"")), TOKEN_BAD_CLAIMS },
	{ "scope twice", J(WITH("\"scope\":\"admin\"")), TOKEN_BAD_CLAIMS },
	{ "scope twice by an escape", J(WITH("\"s\\u0063ope\":\"admin\"")),
	    TOKEN_BAD_CLAIMS },
	/* sub */
	{ "sub absent", J("{\"aud\":\"s\",\"scope\":\"read\"}"),
	    TOKEN_BAD_CLAIMS },
	{ "sub number", J(SUB("1")), TOKEN_BAD_CLAIMS },
	{ "sub null", J(SUB("null")), TOKEN_BAD_CLAIMS },
	{ "sub list", J(SUB("[\"u\"]")), TOKEN_BAD_CLAIMS },
	{ "sub empty", J(SUB("\"\"")), TOKEN_BAD_CLAIMS },
	/* Legal text; the log quotes it. */
	{ "sub newline", J(SUB("\"u\\nadmin\"")), TOKEN_OK },
	{ "sub escape codes", J(SUB("\"\\u001b[2J\"")), TOKEN_OK },
	{ "sub twice", J(WITH("\"sub\":\"v\"")), TOKEN_BAD_CLAIMS },
	/* JSON itself */
	{ "trailing garbage", J(GOOD "x"), TOKEN_BAD_CLAIMS },
	{ "trailing bracket", J(GOOD "}"), TOKEN_BAD_CLAIMS },
	{ "two objects", J(GOOD GOOD), TOKEN_BAD_CLAIMS },
	{ "comment", J("/**/" GOOD), TOKEN_BAD_CLAIMS },
	{ "comment inside", J(WITH("\"x\":1//\n")), TOKEN_BAD_CLAIMS },
	{ "BOM", J("\xef\xbb\xbf" GOOD), TOKEN_BAD_CLAIMS },
	{ "UTF-16",
	    J("{\0\"\0a\0\"\0:\0"
	      "1\0}\0"),
	    TOKEN_BAD_CLAIMS },
	{ "bad UTF-8", J(WITH("\"x\":\"\xff\"")), TOKEN_BAD_CLAIMS },
	{ "overlong UTF-8", J(WITH("\"x\":\"\xc0\xaf\"")), TOKEN_BAD_CLAIMS },
	{ "UTF-8 surrogate", J(WITH("\"x\":\"\xed\xa0\x80\"")),
	    TOKEN_BAD_CLAIMS },
	{ "lone high surrogate", J(WITH("\"x\":\"\\ud800\"")),
	    TOKEN_BAD_CLAIMS },
	{ "lone low surrogate", J(WITH("\"x\":\"\\udc00\"")),
	    TOKEN_BAD_CLAIMS },
	{ "surrogates swapped", J(WITH("\"x\":\"\\udc00\\ud800\"")),
	    TOKEN_BAD_CLAIMS },
	{ "surrogate pair", J(WITH("\"x\":\"\\ud83d\\ude00\"")), TOKEN_OK },
	{ "raw control", J(WITH("\"x\":\"\n\"")), TOKEN_BAD_CLAIMS },
	{ "NUL in a name", J(WITH("\"a\\u0000\":1")), TOKEN_BAD_CLAIMS },
	{ "single quotes", J("{'sub':'u'}"), TOKEN_BAD_CLAIMS },
	{ "a list", J("[" GOOD "]"), TOKEN_BAD_CLAIMS },
	{ "a string", J("\"x\""), TOKEN_BAD_CLAIMS },
	{ "nothing", J("null"), TOKEN_BAD_CLAIMS },
	{ "16 deep", J(WITH("\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]")),
	    TOKEN_OK },
	{ "17 deep", J(WITH("\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]")),
	    TOKEN_BAD_CLAIMS },
	{ "brackets in a string", J(WITH("\"x\":\"\\\"[[[[[[[[[[[[[[[[[[[\"")),
	    TOKEN_OK },
	/* the rest */
	{ "iss of any kind", J(WITH("\"iss\":[1]")), TOKEN_OK },
	{ "jti number", J(WITH("\"jti\":1")), TOKEN_BAD_CLAIMS },
	{ "email number", J(WITH("\"email\":1")), TOKEN_OK },
	{ "canvas_client list", J(WITH("\"canvas_client\":[\"a\"]")),
	    TOKEN_BAD_CLAIMS },
	{ "email_verified string", J(WITH("\"email_verified\":\"true\"")),
	    TOKEN_BAD_CLAIMS },
	{ "dialect number", J(WITH("\"dialect\":1")), TOKEN_BAD_CLAIMS },
	{ "dialect null", J(WITH("\"dialect\":null")), TOKEN_BAD_CLAIMS },
	{ "dialect list with a number", J(WITH("\"dialect\":[1]")),
	    TOKEN_BAD_CLAIMS },
	{ "secsync a list", J(WITH("\"secsync\":[]")), TOKEN_BAD_CLAIMS },
	{ "unknown permission", J(WITH("\"secsync\":{\"perm\":[\"own\"]}")),
	    TOKEN_BAD_CLAIMS },
	{ "permission no list", J(WITH("\"secsync\":{\"perm\":\"read\"}")),
	    TOKEN_BAD_CLAIMS },
	{ "writer key short", J(WITH("\"secsync\":{\"keys\":[\"AAAA\"]}")),
	    TOKEN_BAD_CLAIMS },
	{ "writer key with tail bits",
	    J(WITH(
		"\"secsync\":{\"keys\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAB\"]}")),
	    TOKEN_BAD_CLAIMS },
	{ "limit negative", J(WITH("\"secsync\":{\"lim\":{\"rate\":-1}}")),
	    TOKEN_BAD_CLAIMS },
	{ "limit string", J(WITH("\"secsync\":{\"lim\":{\"rate\":\"1\"}}")),
	    TOKEN_BAD_CLAIMS },
	{ "cnf of another kind", J(WITH("\"cnf\":{\"jkt\":\"x\"}")),
	    TOKEN_BAD_CLAIMS },
	{ "cnf of another curve",
	    J(WITH("\"cnf\":{\"jwk\":{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
		   "\"" KEY_A "\"}}")),
	    TOKEN_BAD_CLAIMS },
	{ "cnf not among keys",
	    J(WITH(
		"\"secsync\":{\"keys\":[\"" KEY_B "\"]},\"cnf\":{\"jwk\":{"
		"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" KEY_A "\"}}")),
	    TOKEN_BAD_CLAIMS },
};

static void
every_header_attack_gets_its_verdict(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LEN(headers); i++)
		expect_header(headers[i].what, headers[i].json,
		    headers[i].verdict);
}

static void
every_payload_attack_gets_its_verdict(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LEN(payloads); i++)
		expect_payload(payloads[i].what, &any_rules, payloads[i].json,
		    payloads[i].verdict);
}

static void
the_tokens_of_the_rfcs_verify(void **state)
{
	/* RFC 7515 A.1 and RFC 8037 A.4: no claims of ours in them, so that a
	 * good MAC shows as bad claims and a bad one as a bad MAC. */
	static const char a1[] =
	    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
	    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
	    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
	    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	static const char a4[] =
	    "eyJhbGciOiJFZERTQSJ9."
	    "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
	    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
	    "hVsPt9g7sVvpAr_MuM0KAg";
	struct keyring *ring;
	char bent[sizeof(a1) + sizeof(a4)];

	(void)state;
	ring =
	    tokens_ring("- HS256 AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
			"1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
	expect("A.1", ring, &any_rules, bytes_str(a1), TOKEN_BAD_CLAIMS);
	memcpy(bent, a1, sizeof(a1));
	bent[50] ^= 1;
	expect("A.1 bent", ring, &any_rules, bytes_str(bent), TOKEN_BAD_MAC);
	keyring_free(ring);
	ring = tokens_ring("- EdDSA pub:" KEY_A);
	expect("A.4", ring, &any_rules, bytes_str(a4), TOKEN_BAD_CLAIMS);
	memcpy(bent, a4, sizeof(a4));
	bent[25] ^= 1;
	expect("A.4 bent", ring, &any_rules, bytes_str(bent), TOKEN_BAD_MAC);
	keyring_free(ring);
}

static void
no_octet_of_a_token_can_be_changed_cut_or_added(void **state)
{
	struct buf b = BUF_INIT, copy = BUF_INIT;
	struct bytes t;
	struct claims claims;
	uint8_t *p;
	size_t i;

	(void)state;
	make(&b, bytes_str(HS256), bytes_str(GOOD));
	t = buf_bytes(&b);
	expect("whole", one_secret, &any_rules, t, TOKEN_OK);
	for (i = 0; i < t.n; i++) {
		buf_clear(&copy);
		p = buf_room(&copy, t.n + 1);
		memcpy(p, t.p, t.n);
		p[i] = (uint8_t)(p[i] == 'A' ? 'B' : 'A');
		assert_int_not_equal(tokens_judge(one_secret, &any_rules,
					 bytes_of(p, t.n), NOW, &claims),
		    TOKEN_OK);
		assert_int_not_equal(tokens_judge(one_secret, &any_rules,
					 bytes_of(t.p, i), NOW, &claims),
		    TOKEN_OK);
		memcpy(p, t.p, i);
		p[i] = 'A';
		memcpy(p + i + 1, t.p + i, t.n - i);
		assert_int_not_equal(tokens_judge(one_secret, &any_rules,
					 bytes_of(p, t.n + 1), NOW, &claims),
		    TOKEN_OK);
	}
	buf_free(&b);
	buf_free(&copy);
}

/* A good "header.payload", then what stands here. */
static const struct {
	const char *what;
	const char *tail;
	int verdict;
} tails[] = {
	{ "no signature", ".", TOKEN_BAD_MAC },
	{ "two parts", "", TOKEN_BAD_SHAPE },
	{ "zero signature", ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    TOKEN_BAD_MAC },
	{ "four parts", ".AAAA.", TOKEN_BAD_SHAPE },
	{ "five parts", ".AAAA.AAAA.AAAA", TOKEN_BAD_SHAPE },
	{ "short signature", ".AAAA", TOKEN_BAD_MAC },
	{ "signature of 65 octets",
	    ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAAAA",
	    TOKEN_BAD_MAC },
};

static void
shapes_that_are_no_token_are_refused(void **state)
{
	static const char *const none[] = { "", ".", "..", "...", "a", "a.b",
		".a.b", "a..b", "....." };
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(none); i++)
		expect(none[i], one_secret, &any_rules, bytes_str(none[i]),
		    TOKEN_BAD_SHAPE);
	for (i = 0; i < LEN(tails); i++) {
		buf_clear(&b);
		tokens_add64(&b, bytes_str(HS256));
		buf_add_u8(&b, '.');
		tokens_add64(&b, bytes_str(GOOD));
		buf_add_str(&b, tails[i].tail);
		expect(tails[i].what, one_secret, &any_rules, buf_bytes(&b),
		    tails[i].verdict);
	}
	buf_free(&b);
}

/* Signed as they stand, so that only the spelling can refuse them. */
static const struct {
	const char *what;
	const char *input;
	int verdict;
} spellings[] = {
	/* {"alg":"HS256"} is 15 octets: no tail. GOOD has 36: none either. */
	{ "canonical",
	    "eyJhbGciOiJIUzI1NiJ9."
	    "eyJzdWIiOiJ1IiwiYXVkIjoicyIsInNjb3BlIjoicmVhZCJ9",
	    TOKEN_OK },
	{ "header padded",
	    "eyJhbGciOiJIUzI1NiJ9=."
	    "eyJzdWIiOiJ1IiwiYXVkIjoicyIsInNjb3BlIjoicmVhZCJ9",
	    TOKEN_BAD_HEADER },
	{ "payload padded",
	    "eyJhbGciOiJIUzI1NiJ9."
	    "eyJzdWIiOiJ1IiwiYXVkIjoicyIsInNjb3BlIjoicmVhZCJ9====",
	    TOKEN_BAD_SHAPE },
	{ "white space",
	    "eyJhbGciOiJIUzI1NiJ9."
	    "eyJzdWIiOiJ1IiwiYXVkIjoicyIsInNjb3BlIjoicmVhZCJ9    ",
	    TOKEN_BAD_SHAPE },
	{ "length 1 mod 4",
	    "eyJhbGciOiJIUzI1NiJ9."
	    "eyJzdWIiOiJ1IiwiYXVkIjoicyIsInNjb3BlIjoicmVhZCJ9A",
	    TOKEN_BAD_SHAPE },
	/* GOOD and a blank; its tail is "IA", then with spare bits set. */
	{ "tail",
	    "eyJhbGciOiJIUzI1NiJ9."
	    "eyJzdWIiOiJ1IiwiYXVkIjoicyIsInNjb3BlIjoicmVhZCJ9IA",
	    TOKEN_OK },
	{ "tail bits",
	    "eyJhbGciOiJIUzI1NiJ9."
	    "eyJzdWIiOiJ1IiwiYXVkIjoicyIsInNjb3BlIjoicmVhZCJ9IB",
	    TOKEN_BAD_SHAPE },
	{ "standard alphabet",
	    "eyJhbGciOiJIUzI1NiJ9."
	    "eyJzdWIiOiJ1IiwiYXVkIjoicyIsInNjb3BlIjoicmVhZCJ9++//",
	    TOKEN_BAD_SHAPE },
	{ "payload empty", "eyJhbGciOiJIUzI1NiJ9.", TOKEN_BAD_SHAPE },
};

static void
only_canonical_base64url_is_read(void **state)
{
	struct buf b = BUF_INIT;
	struct claims claims;
	char *last;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(spellings); i++) {
		buf_clear(&b);
		buf_add_str(&b, spellings[i].input);
		tokens_add_mac(&b, SECRET);
		expect(spellings[i].what, one_secret, &any_rules, buf_bytes(&b),
		    spellings[i].verdict);
	}
	/* 32 octets leave two spare bits in the signature's last character. */
	make(&b, bytes_str(HS256), bytes_str(GOOD));
	last = (char *)b.mem + b.off + b.len - 1;
	(*last)++;
	assert_int_equal(tokens_judge(one_secret, &any_rules, buf_bytes(&b),
			     NOW, &claims),
	    TOKEN_BAD_SHAPE);
	(*last)--;
	buf_add_str(&b, "=");
	expect("signature padded", one_secret, &any_rules, buf_bytes(&b),
	    TOKEN_BAD_SHAPE);
	buf_trunc(&b, b.len - 1);
	buf_add(&b, "\0", 1);
	expect("NUL behind", one_secret, &any_rules, buf_bytes(&b),
	    TOKEN_BAD_SHAPE);
	buf_free(&b);
}

static void
a_swapped_payload_fails_on_its_mac_before_it_is_read(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	(void)state;
	make(&a, bytes_str(HS256), bytes_str(GOOD));
	tokens_add64(&b, bytes_str(HS256));
	buf_add_u8(&b, '.');
	/* Malformed as well: the MAC must speak first. */
	tokens_add64(&b, BYTES_LIT("{\"scope\":"));
	buf_add_bytes(&b, bytes_skip(buf_bytes(&a), a.len - 44));
	expect("swapped", one_secret, &any_rules, buf_bytes(&b), TOKEN_BAD_MAC);
	buf_free(&a);
	buf_free(&b);
}

static void
huge_and_deep_tokens_are_refused_whatever_their_signature(void **state)
{
	static const size_t depths[] = { 1000, 4000, 100000 };
	static const size_t sizes[] = { 8 * 1024, 64 * 1024, 1024 * 1024 };
	struct buf b = BUF_INIT, json = BUF_INIT;
	size_t i, j;

	(void)state;
	for (i = 0; i < LEN(depths); i++) {
		buf_clear(&json);
		buf_add_str(&json, "{\"x\":");
		for (j = 0; j < depths[i]; j++)
			buf_add_u8(&json, '[');
		for (j = 0; j < depths[i]; j++)
			buf_add_u8(&json, ']');
		buf_add_u8(&json, '}');
		make(&b, bytes_str(HS256), buf_bytes(&json));
		expect("deep", one_secret, &any_rules, buf_bytes(&b),
		    b.len < TOKEN_MAX_BYTES ? TOKEN_BAD_CLAIMS
					    : TOKEN_BAD_SHAPE);
	}
	for (i = 0; i < LEN(sizes); i++) {
		buf_clear(&json);
		buf_add_str(&json,
		    "{\"aud\":\"s\",\"scope\":\"read\",\"sub\":\"");
		for (j = 0; j < sizes[i]; j++)
			buf_add_u8(&json, 'u');
		buf_add_str(&json, "\"}");
		make(&b, bytes_str(HS256), buf_bytes(&json));
		expect("huge", one_secret, &any_rules, buf_bytes(&b),
		    TOKEN_BAD_SHAPE);
	}
	buf_free(&b);
	buf_free(&json);
}

static void
texts_have_limits_of_their_own(void **state)
{
	static const struct {
		const char *claim;
		size_t max;
	} limits[] = { { "sub", 255 }, { "jti", 64 }, { "email", 255 },
		{ "name", 255 }, { "username", 255 },
		{ "preferred_username", 255 }, { "cognito:username", 255 } };
	char text[300], json[512];
	size_t i, over;

	(void)state;
	memset(text, 'u', sizeof(text));
	for (i = 0; i < LEN(limits); i++)
		for (over = 0; over < 2; over++) {
			snprintf(json, sizeof(json),
			    "{%s\"aud\":\"s\",\"scope\":\"read\",\"%s\":\"%.*s\"}",
			    i == 0 ? "" : "\"sub\":\"u\",", limits[i].claim,
			    (int)(limits[i].max + over), text);
			expect_payload(limits[i].claim, &any_rules,
			    bytes_str(json),
			    over ? TOKEN_BAD_CLAIMS : TOKEN_OK);
		}
}

static void
the_rules_decide_issuer_skew_and_what_may_be_missing(void **state)
{
	struct token_rules r = { .issuer = "me" };

	(void)state;
	expect_payload("iss", &r, BYTES_LIT(WITH("\"iss\":\"me\"")), TOKEN_OK);
	expect_payload("iss absent", &r, BYTES_LIT(GOOD), TOKEN_BAD_ISSUER);
	expect_payload("iss other", &r, BYTES_LIT(WITH("\"iss\":\"me2\"")),
	    TOKEN_BAD_ISSUER);
	expect_payload("iss list", &r, BYTES_LIT(WITH("\"iss\":[\"me\"]")),
	    TOKEN_BAD_ISSUER);
	r = (struct token_rules){ .skew_s = 5 };
	expect_payload("skew exp", &r, BYTES_LIT(WITH("\"exp\":1699999996")),
	    TOKEN_OK);
	expect_payload("skew exp over", &r,
	    BYTES_LIT(WITH("\"exp\":1699999995")), TOKEN_EXPIRED);
	expect_payload("skew nbf", &r, BYTES_LIT(WITH("\"nbf\":1700000005")),
	    TOKEN_OK);
	expect_payload("skew nbf over", &r,
	    BYTES_LIT(WITH("\"nbf\":1700000006")), TOKEN_NOT_YET);
	r = (struct token_rules){ .skew_s = 3600 };
	expect_payload("skew has a ceiling", &r,
	    BYTES_LIT(WITH("\"exp\":1699999940")), TOKEN_EXPIRED);
	r = (struct token_rules){ .exp_required = true };
	expect_payload("exp absent", &r, BYTES_LIT(GOOD), TOKEN_BAD_CLAIMS);
	expect_payload("exp there", &r, BYTES_LIT(WITH("\"exp\":1e11")),
	    TOKEN_OK);
	r = (struct token_rules){ .sub_empty = true, .aud_string = true };
	expect_payload("sub empty", &r, BYTES_LIT(SUB("\"\"")), TOKEN_OK);
	expect_payload("aud list of one", &r, BYTES_LIT(AUD("[\"s\"]")),
	    TOKEN_BAD_CLAIMS);
}

static void
the_kid_chooses_the_key_and_the_key_the_algorithm(void **state)
{
	static const char keys[] =
	    "a HS256 text:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	    "b HS256 text:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
	    "- HS256 text:cccccccccccccccccccccccccccccccc\n"
	    "- HS256 text:dddddddddddddddddddddddddddddddd\n"
	    "e EdDSA sec:nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\n";
	static const struct {
		const char *header;
		const char *secret;
		int verdict;
	} rows[] = {
		{ "{\"alg\":\"HS256\",\"kid\":\"a\"}",
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TOKEN_OK },
		{ "{\"alg\":\"HS256\",\"kid\":\"b\"}",
		    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", TOKEN_OK },
		{ "{\"alg\":\"HS256\",\"kid\":\"a\"}",
		    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", TOKEN_BAD_MAC },
		{ "{\"alg\":\"HS256\",\"kid\":\"A\"}",
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TOKEN_BAD_KEY },
		{ "{\"alg\":\"HS256\",\"kid\":\"x\"}",
		    "cccccccccccccccccccccccccccccccc", TOKEN_BAD_KEY },
		{ HS256, "cccccccccccccccccccccccccccccccc", TOKEN_OK },
		{ HS256, "dddddddddddddddddddddddddddddddd", TOKEN_OK },
		{ HS256, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TOKEN_BAD_MAC },
		/* The public key as an HMAC secret: the old confusion. */
		{ "{\"alg\":\"HS256\",\"kid\":\"e\"}",
		    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
		    TOKEN_BAD_MAC },
	};
	struct keyring *ring = tokens_ring(keys);
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		buf_clear(&b);
		tokens_add64(&b, bytes_str(rows[i].header));
		buf_add_u8(&b, '.');
		tokens_add64(&b, bytes_str(GOOD));
		tokens_add_mac(&b, rows[i].secret);
		expect(rows[i].header, ring, &any_rules, buf_bytes(&b),
		    rows[i].verdict);
	}
	buf_free(&b);
	keyring_free(ring);
}

static void
a_kid_that_differs_from_the_header_is_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct bytes input, mac64;
	struct claims claims;
	uint8_t mac[JWT_MAC_MAX];
	ssize_t n;

	(void)state;
	make(&b, bytes_str(HS256), bytes_str(GOOD));
	assert_int_equal(token_split(buf_bytes(&b), &input, &mac64), 0);
	n = base64url_decode(mac, sizeof(mac), mac64);
	assert_int_equal(token_verify(one_secret, &any_rules, input,
			     bytes_of(mac, (size_t)n), BYTES_LIT("k1"), NOW,
			     &claims),
	    TOKEN_BAD_HEADER);
	buf_free(&b);
}

/* The broker has a worker's word for it only: it must measure by itself. */
static void
the_broker_refuses_an_overlong_input_however_well_signed(void **state)
{
	struct bytes input, mac;
	struct buf b = BUF_INIT;
	struct claims claims;
	uint8_t raw[32];
	size_t i;

	(void)state;
	tokens_add64(&b, bytes_str(HS256));
	buf_add_u8(&b, '.');
	for (i = b.len; i < TOKEN_MAX_BYTES + 1; i++)
		buf_add_u8(&b, 'A');
	input = bytes_of(buf_bytes(&b).p, b.len);
	tokens_add_mac(&b, SECRET);
	mac = bytes_skip(buf_bytes(&b), input.n + 1);
	assert_int_equal(base64url_decode(raw, sizeof(raw), mac), 32);
	input = bytes_of(buf_bytes(&b).p, input.n);
	assert_int_equal(token_verify(one_secret, &any_rules, input,
			     bytes_of(raw, 32), BYTES_NONE, NOW, &claims),
	    TOKEN_BAD_SHAPE);
	input.n--;
	assert_int_equal(token_verify(one_secret, &any_rules, input,
			     bytes_of(raw, 32), BYTES_NONE, NOW, &claims),
	    TOKEN_BAD_MAC);
	buf_free(&b);
}

static void
results_have_names(void **state)
{
	(void)state;
	assert_string_equal(token_result_name(TOKEN_OK), "ok");
	assert_string_equal(token_result_name(TOKEN_NOT_YET), "not-yet-valid");
	assert_string_equal(token_result_name(TOKEN_RESULT_COUNT), "?");
	assert_string_equal(token_result_name(-1), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_header_attack_gets_its_verdict),
		cmocka_unit_test(every_payload_attack_gets_its_verdict),
		cmocka_unit_test(the_tokens_of_the_rfcs_verify),
		cmocka_unit_test(
		    no_octet_of_a_token_can_be_changed_cut_or_added),
		cmocka_unit_test(shapes_that_are_no_token_are_refused),
		cmocka_unit_test(only_canonical_base64url_is_read),
		cmocka_unit_test(
		    a_swapped_payload_fails_on_its_mac_before_it_is_read),
		cmocka_unit_test(
		    huge_and_deep_tokens_are_refused_whatever_their_signature),
		cmocka_unit_test(texts_have_limits_of_their_own),
		cmocka_unit_test(
		    the_rules_decide_issuer_skew_and_what_may_be_missing),
		cmocka_unit_test(
		    the_kid_chooses_the_key_and_the_key_the_algorithm),
		cmocka_unit_test(a_kid_that_differs_from_the_header_is_refused),
		cmocka_unit_test(
		    the_broker_refuses_an_overlong_input_however_well_signed),
		cmocka_unit_test(results_have_names),
	};

	return (cmocka_run_group_tests_name("token", tests, setup, teardown));
}
