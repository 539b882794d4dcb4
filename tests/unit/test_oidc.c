/*
 * Tokens of an issuer elsewhere: who is believed, and every way of not being
 * believed that the field knows.  The issuer is real; without libcrypto there
 * is none, and nothing to be tested.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/base64url.h"
#include "common/log.h"
#include "broker/token.h"
#include "tests/lib/signer.h"
#include "tests/lib/tokens.h"

#define NOW    1700000000
#define SECRET "0123456789abcdef0123456789abcdef"
#define RS256  "{\"alg\":\"RS256\",\"kid\":\"r\"}"
#define ES256  "{\"alg\":\"ES256\",\"kid\":\"e\"}"
/* All that a payload needs, and its end. */
#define BASE(more)                                                             \
	"{\"sub\":\"9cf6c1cf-35d6-4533-987e-65fdbfdf3237\","                   \
	"\"iss\":\"https://id.example\",\"aud\":\"client\","                   \
	"\"exp\":1700000100" more "}"
/* The same with another sub, aud or exp. */
#define SUB(value)                                                             \
	"{" value                                                              \
	"\"iss\":\"https://id.example\",\"aud\":\"client\",\"exp\":1700000100}"
#define ISS(value)                                                             \
	"{\"sub\":\"u\"," value "\"aud\":\"client\",\"exp\":1700000100}"
#define AUD(value)                                                             \
	"{\"sub\":\"u\",\"iss\":\"https://id.example\"," value                 \
	"\"exp\":1700000100}"
#define EXP(value)                                                               \
	"{\"sub\":\"u\",\"iss\":\"https://id.example\",\"aud\":\"client\"" value \
	"}"
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *what, *json;
	int verdict;
};

static struct signer *rsa, *ec, *stranger;
static struct keyring *ring; /* one secret without a kid, as is usual */
static struct jwks *keys;
static char *audiences[] = { NULL, NULL };
static struct conf_list audience = { audiences, 2 };
static struct oidc oidc;
static struct token_rules rules = { .oidc = &oidc };
static char client[] = "client", second[] = "second";

static void
add_number(struct buf *b, const struct signer *s, char name)
{
	struct buf n = BUF_INIT;

	signer_number(s, name, &n);
	tokens_add64(b, buf_bytes(&n));
	buf_free(&n);
}

static void
add_rsa(struct buf *b, const char *kid, const struct signer *s)
{
	buf_printf(b, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"e\":\"AQAB\",\"n\":\"",
	    kid);
	add_number(b, s, 'n');
	buf_add_str(b, "\"}");
}

static void
add_ec(struct buf *b, const char *kid, const char *crv, const struct signer *s)
{
	buf_printf(b, "{\"kty\":\"EC\",\"kid\":\"%s\",\"crv\":\"%s\",\"x\":\"",
	    kid, crv);
	add_number(b, s, 'x');
	buf_add_str(b, "\",\"y\":\"");
	add_number(b, s, 'y');
	buf_add_str(b, "\"}");
}

static int
setup(void **state)
{
	struct buf set = BUF_INIT;

	(void)state;
	log_level_set(LOG_LEVEL_ERROR);
	ring = keyring_parse("test", bytes_str(SECRET));
	rsa = signer_rsa(2048);
	ec = signer_ec("P-256");
	stranger = signer_rsa(2048);
	if (rsa == NULL)
		return (0);
	buf_add_str(&set, "{\"keys\":[");
	add_rsa(&set, "r", rsa);
	buf_add_str(&set, ",");
	add_ec(&set, "e", "P-256", ec);
	buf_add_str(&set, "]}");
	keys = jwks_parse("set", buf_bytes(&set));
	buf_free(&set);
	audiences[0] = client;
	audiences[1] = second;
	oidc = (struct oidc){ keys, "https://id.example", &audience };
	return (ring == NULL || keys == NULL);
}

static int
teardown(void **state)
{
	(void)state;
	jwks_free(keys);
	keyring_free(ring);
	signer_free(rsa);
	signer_free(ec);
	signer_free(stranger);
	return (0);
}

static void
need_issuer(void)
{
	if (rsa == NULL)
		skip();
}

/* header.payload */
static void
make_input(struct buf *b, const char *header, const char *payload)
{
	buf_clear(b);
	tokens_add64(b, bytes_str(header));
	buf_add_u8(b, '.');
	tokens_add64(b, bytes_str(payload));
}

/* The steps of worker and broker, one after the other. */
static int
judge(const struct token_rules *by, struct bytes token, struct claims *out)
{
	struct bytes input, mac64, header64;
	uint8_t mac[JWT_MAC_MAX];
	char kid[JWT_KID_MAX + 1];
	ssize_t kid_n, mac_n;

	memset(out, 0, sizeof(*out));
	if (token_split(token, &input, &mac64) == -1 ||
	    (mac_n = base64url_decode(mac, sizeof(mac), mac64)) == -1)
		return (TOKEN_BAD_SHAPE);
	header64 = bytes_of(input.p,
	    (size_t)((const uint8_t *)memchr(input.p, '.', input.n) - input.p));
	if ((kid_n = jwt_header_kid(header64, kid, sizeof(kid))) == -1)
		return (TOKEN_BAD_HEADER);
	return (token_verify(ring, by, input, bytes_of(mac, (size_t)mac_n),
	    bytes_of(kid, (size_t)kid_n), NOW, out));
}

static void
expect(const char *what, const struct token_rules *by, struct bytes token,
    int verdict)
{
	struct claims claims;
	int got = judge(by, token, &claims);

	if (got != verdict)
		fail_msg("%s: %s, not %s", what, token_result_name(got),
		    token_result_name(verdict));
	if (got != TOKEN_OK)
		assert_null(claims.text);
	claims_free(&claims);
}

/* With this signature, whatever it is. */
static void
expect_signature(const char *what, const char *header, struct bytes sig,
    int verdict)
{
	struct buf token = BUF_INIT;

	make_input(&token, header, BASE(""));
	buf_add_u8(&token, '.');
	tokens_add64(&token, sig);
	expect(what, &rules, buf_bytes(&token), verdict);
	buf_free(&token);
}

static void
expect_signed(const char *what, const struct signer *by, const char *header,
    const char *payload, int verdict)
{
	struct buf token = BUF_INIT, sig = BUF_INIT;

	make_input(&token, header, payload);
	signer_sign(by, SIGNER_RIGHT, buf_bytes(&token), &sig);
	buf_add_u8(&token, '.');
	tokens_add64(&token, buf_bytes(&sig));
	expect(what, &rules, buf_bytes(&token), verdict);
	buf_free(&token);
	buf_free(&sig);
}

/* What a good token's signature is. */
static void
sign_base(const struct signer *by, enum signer_how how, const char *header,
    struct buf *sig)
{
	struct buf token = BUF_INIT;

	buf_clear(sig);
	make_input(&token, header, BASE(""));
	signer_sign(by, how, buf_bytes(&token), sig);
	buf_free(&token);
}

static void
hmac(struct bytes secret, struct bytes text, uint8_t mac[32])
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, secret.p, secret.n);
	crypto_auth_hmacsha256_update(&st, text.p, text.n);
	crypto_auth_hmacsha256_final(&st, mac);
}

static void
a_good_token_gives_a_writer_of_logseq_and_nothing_else(void **state)
{
	static const char payload[] =
	    BASE(",\"scope\":\"admin\",\"dialect\":\"sds\","
		 "\"email\":\"a@b.example\",\"email_verified\":true");
	struct buf token = BUF_INIT, sig = BUF_INIT;
	struct claims c;

	(void)state;
	need_issuer();
	make_input(&token, RS256, payload);
	signer_sign(rsa, SIGNER_RIGHT, buf_bytes(&token), &sig);
	buf_add_u8(&token, '.');
	tokens_add64(&token, buf_bytes(&sig));
	assert_int_equal(judge(&rules, buf_bytes(&token), &c), TOKEN_OK);
	assert_true(jwks_marked(keys, c.key));
	assert_int_equal(c.scope, SCOPE_WRITE);
	assert_int_equal(c.dialects, 1u << DIALECT_LOGSEQ);
	assert_true(c.email_verified);
	assert_true(bytes_eq(c.email, BYTES_LIT("a@b.example")));
	assert_true(
	    claims_allow_store(&c, DIALECT_LOGSEQ, BYTES_LIT("any"), false));
	assert_false(
	    claims_allow_store(&c, DIALECT_SDS, BYTES_LIT("any"), false));
	claims_free(&c);
	expect_signed("P-256", ec, ES256, BASE(""), TOKEN_OK);
	/* An address that the issuer does not vouch for is anybody's. */
	assert_null(
	    claims_parse_oidc(bytes_str(BASE(",\"email\":\"a@b.example\"")),
		&c));
	assert_false(c.email_verified);
	claims_free(&c);
	buf_free(&token);
	buf_free(&sig);
}

static void
a_dialect_that_knows_no_issuer_refuses_its_tokens(void **state)
{
	static const struct token_rules none;
	struct buf token = BUF_INIT, sig = BUF_INIT;

	(void)state;
	need_issuer();
	sign_base(rsa, SIGNER_RIGHT, RS256, &sig);
	make_input(&token, RS256, BASE(""));
	buf_add_u8(&token, '.');
	tokens_add64(&token, buf_bytes(&sig));
	expect("theirs", &none, buf_bytes(&token), TOKEN_BAD_MAC);
	buf_free(&token);
	buf_free(&sig);
}

static void
our_own_tokens_are_taken_beside_the_issuers(void **state)
{
	struct bytes aud = BYTES_LIT("s");
	struct token_mint mint = { .sub = BYTES_LIT("u"),
		.aud = &aud,
		.aud_n = 1,
		.scope = SCOPE_READ,
		.iat = NOW,
		.exp = NOW + 9 };
	struct buf token = BUF_INIT;

	(void)state;
	need_issuer();
	assert_int_equal(token_mint(ring, NULL, &mint, &token), 0);
	expect("ours", &rules, buf_bytes(&token), TOKEN_OK);
	buf_free(&token);
}

static void
every_allowed_modulus_checks(void **state)
{
	static const unsigned int bits[] = { 2048, 3072, 4096 };
	struct buf n = BUF_INIT, sig = BUF_INIT;
	struct pubkey *key;
	struct signer *s;
	size_t i;

	(void)state;
	need_issuer();
	for (i = 0; i < LEN(bits); i++) {
		s = signer_rsa(bits[i]);
		buf_clear(&n);
		buf_clear(&sig);
		signer_number(s, 'n', &n);
		assert_non_null(key = pubkey_rsa(buf_bytes(&n)));
		signer_sign(s, SIGNER_RIGHT, BYTES_LIT("text"), &sig);
		assert_true(
		    pubkey_verify(key, BYTES_LIT("text"), buf_bytes(&sig)));
		assert_false(
		    pubkey_verify(key, BYTES_LIT("Text"), buf_bytes(&sig)));
		pubkey_free(key);
		signer_free(s);
	}
	buf_free(&n);
	buf_free(&sig);
}

static const struct row headers[] = {
	{ "none", "{\"alg\":\"none\",\"kid\":\"r\"}", TOKEN_BAD_HEADER },
	{ "None", "{\"alg\":\"None\",\"kid\":\"r\"}", TOKEN_BAD_HEADER },
	{ "no alg", "{\"kid\":\"r\"}", TOKEN_BAD_HEADER },
	{ "alg a number", "{\"alg\":256,\"kid\":\"r\"}", TOKEN_BAD_HEADER },
	{ "HS256", "{\"alg\":\"HS256\",\"kid\":\"r\"}", TOKEN_BAD_HEADER },
	{ "rs256", "{\"alg\":\"rs256\",\"kid\":\"r\"}", TOKEN_BAD_HEADER },
	{ "RS512", "{\"alg\":\"RS512\",\"kid\":\"r\"}", TOKEN_BAD_HEADER },
	{ "PS256", "{\"alg\":\"PS256\",\"kid\":\"r\"}", TOKEN_BAD_HEADER },
	{ "ES256 for RSA", "{\"alg\":\"ES256\",\"kid\":\"r\"}",
	    TOKEN_BAD_HEADER },
	{ "two algs", "{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"r\"}",
	    TOKEN_BAD_HEADER },
	{ "crit", "{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"x\"]}",
	    TOKEN_BAD_HEADER },
	{ "empty crit", "{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[]}",
	    TOKEN_BAD_HEADER },
	{ "b64", "{\"alg\":\"RS256\",\"kid\":\"r\",\"b64\":false}",
	    TOKEN_BAD_HEADER },
	{ "jwk", "{\"alg\":\"RS256\",\"kid\":\"r\",\"jwk\":{}}",
	    TOKEN_BAD_HEADER },
	{ "jku", "{\"alg\":\"RS256\",\"kid\":\"r\",\"jku\":\"http://x/\"}",
	    TOKEN_BAD_HEADER },
	{ "x5u", "{\"alg\":\"RS256\",\"kid\":\"r\",\"x5u\":\"http://x/\"}",
	    TOKEN_BAD_HEADER },
	{ "x5c", "{\"alg\":\"RS256\",\"kid\":\"r\",\"x5c\":[]}",
	    TOKEN_BAD_HEADER },
	{ "zip", "{\"alg\":\"RS256\",\"kid\":\"r\",\"zip\":\"DEF\"}",
	    TOKEN_BAD_HEADER },
	{ "typ is nobody's business",
	    "{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}", TOKEN_OK },
	{ "no kid", "{\"alg\":\"RS256\"}", TOKEN_BAD_MAC },
	{ "unknown kid", "{\"alg\":\"RS256\",\"kid\":\"R\"}", TOKEN_BAD_MAC },
	{ "a kid of the other key", "{\"alg\":\"RS256\",\"kid\":\"e\"}",
	    TOKEN_BAD_MAC },
	{ "two kids", "{\"alg\":\"RS256\",\"kid\":\"r\",\"kid\":\"e\"}",
	    TOKEN_BAD_HEADER },
};

static void
the_key_alone_says_which_algorithm(void **state)
{
	size_t i;

	(void)state;
	need_issuer();
	for (i = 0; i < LEN(headers); i++)
		expect_signed(headers[i].what, rsa, headers[i].json, BASE(""),
		    headers[i].verdict);
}

static void
a_public_key_is_no_shared_secret(void **state)
{
	static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"r\"}";
	static const char nameless[] = "{\"alg\":\"HS256\"}";
	struct buf secret = BUF_INIT, input = BUF_INIT;
	uint8_t mac[32];
	int form;

	(void)state;
	need_issuer();
	for (form = 0; form < 3; form++) {
		buf_clear(&secret);
		if (form == 2)
			signer_number(rsa, 'n', &secret);
		else
			signer_public(rsa, form, &secret);
		make_input(&input, header, BASE(""));
		hmac(buf_bytes(&secret), buf_bytes(&input), mac);
		expect_signature("with its kid", header, bytes_of(mac, 32),
		    TOKEN_BAD_MAC);
		make_input(&input, nameless, BASE(""));
		hmac(buf_bytes(&secret), buf_bytes(&input), mac);
		expect_signature("without", nameless, bytes_of(mac, 32),
		    TOKEN_BAD_MAC);
	}
	/* And our secret under their kid is no way to speak for them. */
	make_input(&input, header, BASE(""));
	hmac(bytes_str(SECRET), buf_bytes(&input), mac);
	expect_signature("our secret", header, bytes_of(mac, 32),
	    TOKEN_BAD_MAC);
	buf_free(&secret);
	buf_free(&input);
}

static void
rsa_signatures_are_of_one_kind_and_length(void **state)
{
	struct buf sig = BUF_INIT, longer = BUF_INIT;

	(void)state;
	need_issuer();
	expect_signature("none", RS256, BYTES_NONE, TOKEN_BAD_MAC);
	sign_base(stranger, SIGNER_RIGHT, RS256, &sig);
	expect_signature("another key", RS256, buf_bytes(&sig), TOKEN_BAD_MAC);
	sign_base(rsa, SIGNER_SHA512, RS256, &sig);
	expect_signature("sha-512", RS256, buf_bytes(&sig), TOKEN_BAD_MAC);
	sign_base(rsa, SIGNER_PSS, RS256, &sig);
	expect_signature("pss", RS256, buf_bytes(&sig), TOKEN_BAD_MAC);
	sign_base(rsa, SIGNER_RIGHT, RS256, &sig);
	expect_signature("right", RS256, buf_bytes(&sig), TOKEN_OK);
	expect_signature("swapped key", ES256, buf_bytes(&sig), TOKEN_BAD_MAC);
	buf_add_u8(&longer, 0);
	buf_add_bytes(&longer, buf_bytes(&sig));
	expect_signature("a zero more", RS256, buf_bytes(&longer),
	    TOKEN_BAD_MAC);
	expect_signature("one short", RS256,
	    bytes_of(buf_bytes(&sig).p, sig.len - 1), TOKEN_BAD_MAC);
	sig.mem[sig.off + 100] ^= 1;
	expect_signature("flipped", RS256, buf_bytes(&sig), TOKEN_BAD_MAC);
	memset(sig.mem + sig.off, 0, sig.len);
	expect_signature("zero", RS256, buf_bytes(&sig), TOKEN_BAD_MAC);
	sig.mem[sig.off + sig.len - 1] = 1;
	expect_signature("one", RS256, buf_bytes(&sig), TOKEN_BAD_MAC);
	buf_free(&sig);
	buf_free(&longer);
}

static void
ecdsa_signatures_are_two_bare_numbers_in_range(void **state)
{
	static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
		0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2,
		0xfc, 0x63, 0x25, 0x51 };
	struct buf sig = BUF_INIT;
	uint8_t bad[64];
	int half;

	(void)state;
	need_issuer();
	sign_base(ec, SIGNER_DER, ES256, &sig);
	expect_signature("der", ES256, buf_bytes(&sig), TOKEN_BAD_MAC);
	sign_base(ec, SIGNER_RIGHT, ES256, &sig);
	expect_signature("right", ES256, buf_bytes(&sig), TOKEN_OK);
	expect_signature("one short", ES256, bytes_of(buf_bytes(&sig).p, 63),
	    TOKEN_BAD_MAC);
	for (half = 0; half < 64; half += 32) {
		memcpy(bad, buf_bytes(&sig).p, 64);
		memset(bad + half, 0, 32);
		expect_signature("a zero half", ES256, bytes_of(bad, 64),
		    TOKEN_BAD_MAC);
		memcpy(bad + half, order, 32);
		expect_signature("the order", ES256, bytes_of(bad, 64),
		    TOKEN_BAD_MAC);
		memset(bad + half, 0xff, 32);
		expect_signature("beyond", ES256, bytes_of(bad, 64),
		    TOKEN_BAD_MAC);
	}
	memset(bad, 0, sizeof(bad));
	expect_signature("zero", ES256, bytes_of(bad, 64), TOKEN_BAD_MAC);
	buf_add_u8(&sig, 0);
	expect_signature("one long", ES256, buf_bytes(&sig), TOKEN_BAD_MAC);
	buf_free(&sig);
}

/* Numbers with zeros in front take a shorter DER: all lengths are met. */
static void
ecdsa_signatures_of_every_length_are_right(void **state)
{
	struct buf x = BUF_INIT, y = BUF_INIT, sig = BUF_INIT;
	struct pubkey *key;
	struct bytes text;
	uint64_t i;

	(void)state;
	need_issuer();
	signer_number(ec, 'x', &x);
	signer_number(ec, 'y', &y);
	assert_non_null(key = pubkey_p256(buf_bytes(&x), buf_bytes(&y)));
	for (i = 0; i < 2000; i++) {
		text = bytes_of(&i, sizeof(i));
		buf_clear(&sig);
		signer_sign(ec, SIGNER_RIGHT, text, &sig);
		assert_true(pubkey_verify(key, text, buf_bytes(&sig)));
	}
	pubkey_free(key);
	buf_free(&x);
	buf_free(&y);
	buf_free(&sig);
}

static void
another_payload_under_the_signature_is_refused(void **state)
{
	struct buf token = BUF_INIT, sig = BUF_INIT;

	(void)state;
	need_issuer();
	sign_base(rsa, SIGNER_RIGHT, RS256, &sig);
	make_input(&token, RS256, BASE(",\"email\":\"root@b.example\""));
	buf_add_u8(&token, '.');
	tokens_add64(&token, buf_bytes(&sig));
	expect("swapped", &rules, buf_bytes(&token), TOKEN_BAD_MAC);
	buf_free(&token);
	buf_free(&sig);
}

static const struct row payloads[] = {
	{ "no exp", EXP(""), TOKEN_BAD_CLAIMS },
	{ "exp now", EXP(",\"exp\":1700000000"), TOKEN_EXPIRED },
	{ "exp text", EXP(",\"exp\":\"1700000100\""), TOKEN_BAD_CLAIMS },
	{ "exp null", EXP(",\"exp\":null"), TOKEN_BAD_CLAIMS },
	{ "exp twice", EXP(",\"exp\":1700000100,\"exp\":1"), TOKEN_BAD_CLAIMS },
	{ "nbf in future", BASE(",\"nbf\":1700000001"), TOKEN_NOT_YET },
	{ "nbf text", BASE(",\"nbf\":\"1\""), TOKEN_BAD_CLAIMS },
	{ "no iss", ISS(""), TOKEN_BAD_ISSUER },
	{ "another iss", ISS("\"iss\":\"https://id.example/\","),
	    TOKEN_BAD_ISSUER },
	{ "iss a list", ISS("\"iss\":[\"https://id.example\"],"),
	    TOKEN_BAD_ISSUER },
	{ "no aud", AUD(""), TOKEN_BAD_CLAIMS },
	{ "another aud", AUD("\"aud\":\"other\","), TOKEN_BAD_AUDIENCE },
	{ "aud in capitals", AUD("\"aud\":\"Client\","), TOKEN_BAD_AUDIENCE },
	{ "aud a star", AUD("\"aud\":\"*\","), TOKEN_BAD_AUDIENCE },
	{ "aud a prefix", AUD("\"aud\":\"clien*\","), TOKEN_BAD_AUDIENCE },
	{ "empty aud", AUD("\"aud\":[],"), TOKEN_BAD_CLAIMS },
	{ "aud nested", AUD("\"aud\":[[\"client\"]],"), TOKEN_BAD_CLAIMS },
	{ "aud null beside client_id",
	    AUD("\"aud\":null,\"client_id\":\"client\","), TOKEN_BAD_CLAIMS },
	{ "other aud beside client_id",
	    AUD("\"aud\":\"other\",\"client_id\":\"client\","),
	    TOKEN_BAD_AUDIENCE },
	{ "client_id", AUD("\"client_id\":\"client\","), TOKEN_OK },
	{ "a list", AUD("\"aud\":[\"other\",\"second\"],"), TOKEN_OK },
	{ "no sub", SUB(""), TOKEN_BAD_CLAIMS },
	{ "sub empty", SUB("\"sub\":\"\","), TOKEN_BAD_CLAIMS },
	{ "sub a number", SUB("\"sub\":7,"), TOKEN_BAD_CLAIMS },
	{ "sub twice by an escape", SUB("\"sub\":\"a\",\"su\\u0062\":\"b\","),
	    TOKEN_BAD_CLAIMS },
	{ "cnf", BASE(",\"cnf\":{\"jkt\":\"x\"}"), TOKEN_BAD_CLAIMS },
	{ "verified as text", BASE(",\"email_verified\":\"true\""),
	    TOKEN_BAD_CLAIMS },
	{ "a scope of theirs", BASE(",\"scope\":\"openid email\""), TOKEN_OK },
	{ "trailing", BASE("") "x", TOKEN_BAD_CLAIMS },
};

static void
claims_are_read_strictly_and_compared_to_the_letter(void **state)
{
	size_t i;

	(void)state;
	need_issuer();
	for (i = 0; i < LEN(payloads); i++) {
		expect_signed(payloads[i].what, rsa, RS256, payloads[i].json,
		    payloads[i].verdict);
		expect_signed(payloads[i].what, ec, ES256, payloads[i].json,
		    payloads[i].verdict);
	}
}

/* %r an RSA key named r, %e a P-256 key named e, %n and %x numbers of them. */
static struct jwks *
set_of(const char *text)
{
	struct buf b = BUF_INIT;
	struct jwks *set;

	for (; *text != '\0'; text++)
		if (*text != '%')
			buf_add_u8(&b, (uint8_t)*text);
		else if (*++text == 'r')
			add_rsa(&b, "r", rsa);
		else if (*text == 'e')
			add_ec(&b, "e", "P-256", ec);
		else
			add_number(&b, *text == 'n' ? rsa : ec, *text);
	set = jwks_parse("set", buf_bytes(&b));
	buf_free(&b);
	return (set);
}

static const char *const refused_sets[] = {
	"",
	"[]",
	"{\"keys\":{}}",
	"{\"keys\":[]}",
	"{\"keys\":[%r]}x",
	"{\"keys\":[%e],\"keys\":[%r]}",
	"{\"keys\":[%r,%r]}",
	"{\"keys\":[7]}",
	"{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%n\"}]}",
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"\",\"e\":\"AQAB\",\"n\":\"%n\"}"
	"]}",
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"Aw\",\"n\":\"%n\"}"
	"]}",
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AAEAAQ\","
	"\"n\":\"%n\"}]}",
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AQAB\","
	"\"n\":\"%n=\"}]}",
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AQAB\"}]}",
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AQAB\","
	"\"n\":\"%n\",\"d\":\"AQ\"}]}",
	"{\"keys\":[%r,{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"AQAB\"}]}",
	"{\"keys\":[{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-256\","
	"\"x\":\"%x\"}]}",
	"{\"keys\":[{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-256\","
	"\"x\":\"%x\",\"y\":\"%x\"}]}", /* not on the curve */
	"{\"keys\":[{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-384\","
	"\"x\":\"%x\",\"y\":\"%y\"}]}",
};

static void
a_key_set_with_anything_wrong_is_refused(void **state)
{
	size_t i;

	(void)state;
	need_issuer();
	for (i = 0; i < LEN(refused_sets); i++)
		if (set_of(refused_sets[i]) != NULL)
			fail_msg("taken: %s", refused_sets[i]);
}

static void
a_modulus_of_another_size_is_refused(void **state)
{
	static const size_t sizes[] = { 0, 64, 128, 255, 257, 320, 511, 513,
		1024, 2048 };
	uint8_t n[2048];
	struct buf set = BUF_INIT;
	size_t i;

	(void)state;
	need_issuer();
	memset(n, 0xff, sizeof(n));
	for (i = 0; i < LEN(sizes); i++) {
		assert_null(pubkey_rsa(bytes_of(n, sizes[i])));
		buf_clear(&set);
		buf_add_str(&set,
		    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\","
		    "\"e\":\"AQAB\",\"n\":\"");
		tokens_add64(&set, bytes_of(n, sizes[i]));
		buf_add_str(&set, "\"}]}");
		assert_null(jwks_parse("set", buf_bytes(&set)));
	}
	buf_free(&set);
	n[0] = 0x7f; /* 2047 bits */
	assert_null(pubkey_rsa(bytes_of(n, 256)));
	n[0] = 0xff;
	n[255] = 0xfe; /* even */
	assert_null(pubkey_rsa(bytes_of(n, 256)));
}

static void
keys_for_other_purposes_are_passed_over(void **state)
{
	static const char text[] =
	    "{\"x\":1,\"keys\":["
	    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"o\",\"x\":\"AA\"},"
	    "{\"kty\":\"RSA\",\"use\":\"enc\",\"kid\":\"a\"},"
	    "{\"kty\":\"RSA\",\"alg\":\"RS512\",\"kid\":\"b\"},"
	    "{\"kty\":\"RSA\",\"alg\":\"ES256\",\"kid\":\"c\"},"
	    "{\"kty\":\"RSA\",\"key_ops\":[\"encrypt\"],\"kid\":\"d\"},"
	    "{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"f\"},"
	    "{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\","
	    "\"key_ops\":[\"verify\"],\"kid\":\"g\",\"e\":\"AQAB\","
	    "\"n\":\"%n\"},%e]}";
	struct jwks *set;

	(void)state;
	need_issuer();
	assert_non_null(set = set_of(text));
	assert_int_equal(set->n, 2);
	assert_non_null(jwks_find(set, BYTES_LIT("g")));
	assert_non_null(jwks_find(set, BYTES_LIT("e")));
	assert_null(jwks_find(set, BYTES_LIT("a")));
	assert_null(jwks_find(set, BYTES_NONE));
	jwks_free(set);
}

static void
too_many_keys_are_refused(void **state)
{
	struct buf set = BUF_INIT;
	struct jwks *full;
	char kid[2] = "a";
	int i;

	(void)state;
	need_issuer();
	buf_add_str(&set, "{\"keys\":[");
	for (i = 0; i < JWKS_KEYS_MAX; i++) {
		kid[0] = (char)('a' + i);
		add_ec(&set, kid, "P-256", ec);
		buf_add_u8(&set, ',');
	}
	buf_trunc(&set, set.len - 1);
	buf_add_str(&set, "]}");
	assert_non_null(full = jwks_parse("set", buf_bytes(&set)));
	jwks_free(full);
	buf_trunc(&set, set.len - 2);
	buf_add_u8(&set, ',');
	add_ec(&set, "more", "P-256", ec);
	buf_add_str(&set, "]}");
	assert_null(jwks_parse("set", buf_bytes(&set)));
	buf_free(&set);
}

static void
a_person_is_known_by_subject_or_verified_email(void **state)
{
	char sub[] = "u-1", email[] = "Ann@b.example";
	char *names[] = { sub, email };
	const struct conf_list list = { names, 2 };
	struct claims c = { .sub = BYTES_LIT("u-2"),
		.email = BYTES_LIT("ann@B.example") };

	(void)state;
	assert_false(claims_allow_person(&c, &list));
	c.email_verified = true;
	assert_true(claims_allow_person(&c, &list));
	c.email = BYTES_LIT("ann@b.example.org");
	assert_false(claims_allow_person(&c, &list));
	c.sub = BYTES_LIT("U-1");
	assert_false(claims_allow_person(&c, &list));
	c.sub = BYTES_LIT("u-1");
	assert_true(claims_allow_person(&c, &list));
	/* Nobody is let in by calling himself an address. */
	c.email = BYTES_NONE;
	c.sub = BYTES_LIT("Ann@b.example");
	assert_false(claims_allow_person(&c, &list));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_good_token_gives_a_writer_of_logseq_and_nothing_else),
		cmocka_unit_test(
		    a_dialect_that_knows_no_issuer_refuses_its_tokens),
		cmocka_unit_test(our_own_tokens_are_taken_beside_the_issuers),
		cmocka_unit_test(every_allowed_modulus_checks),
		cmocka_unit_test(the_key_alone_says_which_algorithm),
		cmocka_unit_test(a_public_key_is_no_shared_secret),
		cmocka_unit_test(rsa_signatures_are_of_one_kind_and_length),
		cmocka_unit_test(
		    ecdsa_signatures_are_two_bare_numbers_in_range),
		cmocka_unit_test(ecdsa_signatures_of_every_length_are_right),
		cmocka_unit_test(
		    another_payload_under_the_signature_is_refused),
		cmocka_unit_test(
		    claims_are_read_strictly_and_compared_to_the_letter),
		cmocka_unit_test(a_key_set_with_anything_wrong_is_refused),
		cmocka_unit_test(a_modulus_of_another_size_is_refused),
		cmocka_unit_test(keys_for_other_purposes_are_passed_over),
		cmocka_unit_test(too_many_keys_are_refused),
		cmocka_unit_test(
		    a_person_is_known_by_subject_or_verified_email),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
