/*
 * Tokens from a stranger.  The first octet chooses the way in:
 *
 *	T  the rest is a whole token: it may only pass if its third part is the
 *	   HMAC of the rest under our key, recomputed here
 *	P  the rest is a payload that we sign: reaches the claims behind the MAC
 *	H  the rest is a header that we sign
 *
 * Whatever passes must keep what claims.h promises.
 */
#include <sodium.h>

#include "common/base64url.h"
#include "common/limits.h"
#include "common/log.h"
#include "broker/token.h"
#include "tests/fuzz/fuzz.h"

#define SECRET	"0123456789abcdef0123456789abcdef"
#define HEADER	"{\"alg\":\"HS256\"}"
#define PAYLOAD "{\"sub\":\"u\",\"aud\":\"s\",\"scope\":\"read\"}"
#define NOW	1700000000

static void fuzz_token(const struct keyring *, struct bytes);
static void fuzz_claims(const struct claims *);
static void fuzz_signed(const struct keyring *, struct bytes, struct bytes);
static void fuzz_hmac(uint8_t[32], struct bytes);
static void fuzz_add64(struct buf *, struct bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keyring *ring;
	struct bytes in = bytes_of(data, size), rest = bytes_skip(in, 1);
	struct claims claims;

	if (ring == NULL) {
		log_level_set(LOG_LEVEL_ERROR);
		ring = keyring_parse("fuzz", bytes_str(SECRET));
		must(ring != NULL);
	}
	if (size == 0)
		return (0);
	if (data[0] == 'P') {
		fuzz_signed(ring, bytes_str(HEADER), rest);
		if (claims_parse(rest, &claims) == NULL)
			fuzz_claims(&claims);
		claims_free(&claims);
		if (claims_parse_oidc(rest, &claims) == NULL)
			fuzz_claims(&claims);
		claims_free(&claims);
	} else if (data[0] == 'H')
		fuzz_signed(ring, rest, bytes_str(PAYLOAD));
	else
		fuzz_token(ring, rest);
	return (0);
}

static void
fuzz_token(const struct keyring *ring, struct bytes token)
{
	static const struct token_rules rules;
	struct bytes input, mac64;
	struct claims claims;
	uint8_t mac[JWT_MAC_MAX], want[32];
	char kid[JWT_KID_MAX + 1];
	ssize_t mac_n, kid_n;
	size_t header_n = 0;

	if (token_split(token, &input, &mac64) == -1 ||
	    (mac_n = base64url_decode(mac, sizeof(mac), mac64)) == -1)
		return;
	while (input.p[header_n] != '.')
		header_n++;
	kid_n = jwt_header_kid(bytes_of(input.p, header_n), kid, sizeof(kid));
	must(kid_n <= JWT_KID_MAX);
	if (kid_n == -1)
		return;
	must(strlen(kid) == (size_t)kid_n);
	if (token_verify(ring, &rules, input, bytes_of(mac, (size_t)mac_n),
		bytes_of(kid, (size_t)kid_n), NOW, &claims) != TOKEN_OK) {
		must(claims.text == NULL);
		return;
	}
	fuzz_hmac(want, input);
	must(mac_n == 32 && memcmp(want, mac, 32) == 0);
	must(claims.sub.n != 0 && claims.exp > NOW && claims.nbf <= NOW);
	fuzz_claims(&claims);
	claims_free(&claims);
}

static void
fuzz_claims(const struct claims *c)
{
	size_t i;

	must(c->sub.p != NULL && c->sub.n <= CLAIMS_SUB_MAX);
	must(c->jti.n <= CLAIMS_JTI_MAX);
	must(c->scope >= SCOPE_READ && c->scope <= SCOPE_ADMIN);
	must(c->exp_given || c->exp == INT64_MAX);
	must(c->aud.n <= CLAIMS_LIST_MAX);
	must(c->aud.n != 0 || c->secsync.docs_given);
	/* A store's name may hold any octet. */
	for (i = 0; i < c->aud.n; i++)
		must(c->aud.v[i].p != NULL && c->aud.v[i].n <= TOKEN_MAX_BYTES);
	for (i = 0; i < c->secsync.keys.n; i++)
		must(base64url_check(c->secsync.keys.v[i]) == 32);
	claims_allow_store(c, DIALECT_SDS, BYTES_LIT("s"), false);
	claims_allow_store(c, DIALECT_SECSYNC, BYTES_LIT("d"), true);
}

static void
fuzz_signed(const struct keyring *ring, struct bytes header,
    struct bytes payload)
{
	struct buf b = BUF_INIT;
	uint8_t mac[32];

	fuzz_add64(&b, header);
	buf_add_u8(&b, '.');
	fuzz_add64(&b, payload);
	fuzz_hmac(mac, buf_bytes(&b));
	buf_add_u8(&b, '.');
	fuzz_add64(&b, bytes_of(mac, sizeof(mac)));
	fuzz_token(ring, buf_bytes(&b));
	buf_free(&b);
}

static void
fuzz_hmac(uint8_t mac[32], struct bytes text)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, (const uint8_t *)SECRET,
	    sizeof(SECRET) - 1);
	crypto_auth_hmacsha256_update(&st, text.p, text.n);
	crypto_auth_hmacsha256_final(&st, mac);
}

static void
fuzz_add64(struct buf *b, struct bytes octets)
{
	uint8_t *p = buf_room(b, BASE64URL_LEN(octets.n) + 1);

	must(p != NULL);
	buf_grow(b, base64url_encode((char *)p, octets));
}
