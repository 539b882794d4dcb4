/*
 * Tokens of an issuer elsewhere (OpenID Connect Core 1.0 section 3.1.3.7, RFC
 * 9068): RS256 and ES256 under the keys of its key set.  They say who somebody
 * is and nothing of what he may do here, so their claims are read in a way of
 * their own: see claims_parse_oidc.
 */
#ifndef QUIRE_OIDC_H
#define QUIRE_OIDC_H

#include "common/conf.h"
#include "broker/claims.h"
#include "broker/jwks.h"

struct oidc {
	const struct jwks *keys;
	const char *issuer;		  /* iss must equal it */
	const struct conf_list *audience; /* one of these must be in aud */
};

/*
 * As token_verify (broker/token.h), with the key that kid has chosen: the
 * signature over the text as it came, then the header, which must name the
 * key's own algorithm and bring neither keys nor extensions, then the claims.
 * exp is required.
 */
int oidc_verify(const struct oidc *, const struct jwks_key *, int64_t skew_s,
    struct bytes input, struct bytes signature, struct bytes kid, int64_t now,
    struct claims *out);

#endif
