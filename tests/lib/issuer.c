/* The issuer's key set and tokens, made with the keys of signer.h. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base64url.h"
#include "common/log.h"
#include "tests/lib/issuer.h"
#include "tests/lib/signer.h"

#define ISSUER_RS256 "{\"alg\":\"RS256\",\"kid\":\"r\"}"
#define ISSUER_ES256 "{\"alg\":\"ES256\",\"kid\":\"e\"}"

static void issuer_keys(const char *, const struct signer *,
    const struct signer *);
static void issuer_number(struct buf *, const struct signer *, char);
static char *issuer_token(const struct signer *, const char *, const char *);
static void issuer_base64(struct buf *, struct bytes);

int
issuer_make(struct issuer *issuer, const char *jwks_path)
{
	struct signer *rsa, *ec, *stranger;

	if ((rsa = signer_rsa(2048)) == NULL)
		return (-1);
	ec = signer_ec("P-256");
	stranger = signer_rsa(2048);
	issuer_keys(jwks_path, rsa, ec);
	issuer->rs256 = issuer_token(rsa, ISSUER_RS256, ISSUER_AUDIENCE);
	issuer->es256 = issuer_token(ec, ISSUER_ES256, ISSUER_AUDIENCE);
	issuer->other = issuer_token(rsa, ISSUER_RS256, "other");
	issuer->stranger =
	    issuer_token(stranger, ISSUER_RS256, ISSUER_AUDIENCE);
	signer_free(rsa);
	signer_free(ec);
	signer_free(stranger);
	return (0);
}

static void
issuer_keys(const char *path, const struct signer *rsa, const struct signer *ec)
{
	struct buf out = BUF_INIT;
	FILE *f;

	buf_add_str(&out,
	    "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"e\":\"AQAB\","
	    "\"n\":\"");
	issuer_number(&out, rsa, 'n');
	buf_add_str(&out,
	    "\"},{\"kty\":\"EC\",\"kid\":\"e\",\"crv\":\"P-256\",\"x\":\"");
	issuer_number(&out, ec, 'x');
	buf_add_str(&out, "\",\"y\":\"");
	issuer_number(&out, ec, 'y');
	buf_add_str(&out, "\"}]}\n");
	if ((f = fopen(path, "w")) == NULL ||
	    fwrite(buf_bytes(&out).p, 1, out.len, f) != out.len ||
	    fclose(f) == EOF)
		fatal(1, "%s", path);
	buf_free(&out);
}

static void
issuer_number(struct buf *out, const struct signer *s, char name)
{
	struct buf n = BUF_INIT;

	signer_number(s, name, &n);
	issuer_base64(out, buf_bytes(&n));
	buf_free(&n);
}

static char *
issuer_token(const struct signer *by, const char *header, const char *audience)
{
	char *token;
	struct buf claims = BUF_INIT, out = BUF_INIT, signature = BUF_INIT;

	buf_printf(&claims,
	    "{\"sub\":\"dddddddd-0000-4000-8000-000000000004\","
	    "\"iss\":\"" ISSUER_NAME "\",\"aud\":\"%s\",\"exp\":%lld,"
	    "\"email\":\"dan@b.example\",\"email_verified\":true}",
	    audience, (long long)time(NULL) + 900);
	issuer_base64(&out, bytes_str(header));
	buf_add_u8(&out, '.');
	issuer_base64(&out, buf_bytes(&claims));
	signer_sign(by, SIGNER_RIGHT, buf_bytes(&out), &signature);
	buf_add_u8(&out, '.');
	issuer_base64(&out, buf_bytes(&signature));
	token = strndup((const char *)buf_bytes(&out).p, out.len);
	buf_free(&claims);
	buf_free(&out);
	buf_free(&signature);
	return (token);
}

static void
issuer_base64(struct buf *out, struct bytes octets)
{
	uint8_t *p = buf_room(out, BASE64URL_LEN(octets.n) + 1);

	if (p == NULL)
		fatalx(1, "no memory");
	buf_grow(out, base64url_encode((char *)p, octets));
}
