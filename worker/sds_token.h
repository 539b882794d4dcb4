/*
 * POST /api/token (protocols: sds.md section 9): who holds an admin token of a
 * store has others made for it.  Who may is decided by the broker; here are the
 * form of question and answer.
 */
#ifndef QUIRE_SDS_TOKEN_H
#define QUIRE_SDS_TOKEN_H

#include "worker/conn.h"

struct sds_token;

/*
 * A POST whose body is still to come.  NULL: it was answered already.  The
 * caller frees it.
 */
struct sds_token *sds_token_new(struct conn *, const struct http_request *);
void sds_token_free(struct sds_token *); /* NULL is fine */

void sds_token_body(struct sds_token *, struct bytes);
void sds_token_grant(struct sds_token *, const struct grant_in *);
void sds_token_refused(struct sds_token *, enum code);
void sds_token_minted(struct sds_token *, enum code, struct bytes text);

/*
 * Seconds of an expiry such as "90d": digits and one of s, m, h, d, at most
 * 100 years.  Anything else means 24 hours, as sds servers have it.
 */
uint64_t sds_token_ttl(struct bytes text);

#endif
