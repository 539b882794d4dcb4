/*
 * No libcrypto, no issuer.
 */
#include <stdlib.h>

#include "tests/lib/signer.h"

struct signer *
signer_rsa(unsigned int bits)
{
	(void)bits;
	return (NULL);
}

struct signer *
signer_ec(const char *curve)
{
	(void)curve;
	return (NULL);
}

void
signer_free(struct signer *s)
{
	(void)s;
}

void
signer_sign(const struct signer *s, enum signer_how how, struct bytes text,
    struct buf *out)
{
	(void)s;
	(void)how;
	(void)text;
	(void)out;
	abort();
}

void
signer_number(const struct signer *s, char name, struct buf *out)
{
	(void)s;
	(void)name;
	(void)out;
	abort();
}

void
signer_public(const struct signer *s, int pem, struct buf *out)
{
	(void)s;
	(void)pem;
	(void)out;
	abort();
}
