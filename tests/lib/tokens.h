/* Tokens for tests, right ones and others, made by hand. */
#ifndef QUIRE_TOKENS_H
#define QUIRE_TOKENS_H

#include "broker/token.h"

/* Of a key file's text, the caller's; one that cannot be read ends the test. */
struct keyring *tokens_ring(const char *text);
void tokens_add64(struct buf *, struct bytes octets);
/* Adds the dot and the HMAC under secret of what is in the buffer. */
void tokens_add_mac(struct buf *, const char *secret);
/* The steps of worker and broker, one after the other: a token_result. */
int tokens_judge(const struct keyring *, const struct token_rules *,
    struct bytes token, int64_t now, struct claims *);

#endif
