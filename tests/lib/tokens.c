/* Octets of tokens, and the way they take from a client to their verdict. */
#include <string.h>

#include <sodium.h>

#include "common/base64url.h"
#include "common/jwt.h"
#include "common/log.h"
#include "tests/lib/tokens.h"

struct keyring *
tokens_ring(const char *text)
{
	struct keyring *ring = keyring_parse("test", bytes_str(text));

	if (ring == NULL)
		fatalx(1, "no keys in the test's own file");
	return (ring);
}

void
tokens_add64(struct buf *b, struct bytes octets)
{
	uint8_t *p = buf_room(b, BASE64URL_LEN(octets.n) + 1);

	if (p == NULL)
		fatalx(1, "no memory");
	buf_grow(b, base64url_encode((char *)p, octets));
}

/* Adds the dot and the HMAC under secret of what is in the buffer. */
void
tokens_add_mac(struct buf *b, const char *secret)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, (const uint8_t *)secret,
	    strlen(secret));
	crypto_auth_hmacsha256_update(&st, buf_bytes(b).p, b->len);
	crypto_auth_hmacsha256_final(&st, mac);
	buf_add_u8(b, '.');
	tokens_add64(b, bytes_of(mac, sizeof(mac)));
}

/* The steps of worker and broker, one after the other. */
int
tokens_judge(const struct keyring *ring, const struct token_rules *rules,
    struct bytes token, int64_t now, struct claims *out)
{
	struct bytes input, mac64, header64;
	uint8_t mac[JWT_MAC_MAX];
	char kid[JWT_KID_MAX + 1];
	const uint8_t *dot;
	ssize_t kid_n, mac_n;

	memset(out, 0, sizeof(*out));
	if (token_split(token, &input, &mac64) == -1 ||
	    (mac_n = base64url_decode(mac, sizeof(mac), mac64)) == -1)
		return (TOKEN_BAD_SHAPE);
	dot = memchr(input.p, '.', input.n);
	header64 = bytes_of(input.p, (size_t)(dot - input.p));
	if ((kid_n = jwt_header_kid(header64, kid, sizeof(kid))) == -1)
		return (TOKEN_BAD_HEADER);
	return (token_verify(ring, rules, input, bytes_of(mac, (size_t)mac_n),
	    bytes_of(kid, (size_t)kid_n), now, out));
}
