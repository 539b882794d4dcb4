/*
 * Settings and keys anew, while everything goes on.
 */
#ifndef QUIRE_RELOAD_H
#define QUIRE_RELOAD_H

#include "broker/broker.h"

/*
 * What was read, all of it valid; jwks NULL: stays as it is; statics NULL:
 * there are none.
 */
struct reload {
	struct config *conf;
	struct keyring *keys;
	struct jwks *jwks;
	struct statics *statics;
};

/*
 * fixed: the setting differs, and will do so at the next start; else it is as
 * it was read from now on.
 */
typedef void reload_said(const char *setting, int fixed, void *arg);

/* NULL, or why these cannot be. */
const char *reload_wrong(const struct broker *, const struct reload *);

/*
 * Takes over what was read, which it frees, and ends the sessions whose key is
 * no more: how many.
 */
size_t reload_take(struct broker *, struct reload *, reload_said *, void *arg);

/* Frees what was read and not taken. */
void reload_free(struct reload *);

/* A key of the issuer has a name that one of ours has: a kid chooses one key.
 */
int reload_kids_clash(const struct keyring *, const struct jwks *);

#endif
