/*
 * Claims that only the secsync dialect asks for: permissions, documents, limits
 * and writers' keys.
 */
#include <stdlib.h>

#include "common/base64url.h"
#include "broker/claims_read.h"

static int claims_perms(const json_t *, unsigned int *);
static const char *claims_keys(const json_t *, struct claims *,
    struct claims_arena *);
static const char *claims_limits(const json_t *, struct claims *);
static int claims_key_ok(struct bytes);

static const struct {
	const char *name;
	size_t offset;
} claims_limit_rows[] = {
	{ "snapshot", offsetof(struct claims, secsync.snapshot_max) },
	{ "update", offsetof(struct claims, secsync.update_max) },
	{ "ephemeral", offsetof(struct claims, secsync.ephemeral_max) },
	{ "rate", offsetof(struct claims, secsync.rate_max) },
};

static const struct {
	const char *name;
	unsigned int perm;
} claims_perm_rows[] = {
	{ "read", PERM_READ },
	{ "create", PERM_CREATE },
	{ "snapshot", PERM_SNAPSHOT },
	{ "update", PERM_UPDATE },
	{ "ephemeral", PERM_EPHEMERAL },
};

const char *
claims_secsync(const json_t *root, struct claims *c, struct claims_arena *arena)
{
	const json_t *object = json_object_get(root, "secsync");
	const json_t *value;

	if (object == NULL)
		return (NULL);
	if (!json_is_object(object))
		return ("secsync");
	if ((value = json_object_get(object, "perm")) != NULL) {
		c->secsync.perms_given = true;
		if (claims_perms(value, &c->secsync.perms) == -1)
			return ("secsync.perm");
	}
	if ((value = json_object_get(object, "doc")) != NULL) {
		c->secsync.docs_given = true;
		if (claims_list(value, &c->secsync.docs, arena) == -1)
			return ("secsync.doc");
	}
	if ((value = json_object_get(object, "keys")) != NULL &&
	    claims_keys(value, c, arena) != NULL)
		return ("secsync.keys");
	return (claims_limits(json_object_get(object, "lim"), c));
}

/* A permission that we do not know might be a restriction: refused. */
static int
claims_perms(const json_t *list, unsigned int *perms)
{
	struct bytes word;
	size_t i, j;

	if (!json_is_array(list))
		return (-1);
	for (i = 0; i < json_array_size(list); i++) {
		if (claims_item(list, i, &word) == -1)
			return (-1);
		for (j = 0; j < CLAIMS_ROWS(claims_perm_rows); j++)
			if (bytes_eq(word, bytes_str(claims_perm_rows[j].name)))
				break;
		if (j == CLAIMS_ROWS(claims_perm_rows))
			return (-1);
		*perms |= claims_perm_rows[j].perm;
	}
	return (0);
}

static const char *
claims_keys(const json_t *list, struct claims *c, struct claims_arena *arena)
{
	size_t i;

	c->secsync.keys_given = true;
	/* An empty list is not an absent one: nobody may write. */
	if (json_is_array(list) && json_array_size(list) == 0)
		return (NULL);
	if (!json_is_array(list) ||
	    claims_list(list, &c->secsync.keys, arena) == -1)
		return ("keys");
	for (i = 0; i < c->secsync.keys.n; i++)
		if (!claims_key_ok(c->secsync.keys.v[i]))
			return ("keys");
	return (NULL);
}

static const char *
claims_limits(const json_t *object, struct claims *c)
{
	size_t i;

	if (object == NULL)
		return (NULL);
	if (!json_is_object(object))
		return ("secsync.lim");
	for (i = 0; i < CLAIMS_ROWS(claims_limit_rows); i++)
		if (claims_limit(object, claims_limit_rows[i].name,
			(uint64_t *)(void *)((char *)c +
			    claims_limit_rows[i].offset)) != NULL)
			return ("secsync.lim");
	return (NULL);
}

/*
 * A confirmation that we cannot check would be a restriction ignored, so any
 * cnf but an Ed25519 key is refused.
 */
const char *
claims_cnf(const json_t *root, struct claims *c, struct claims_arena *arena)
{
	const json_t *cnf = json_object_get(root, "cnf");
	const json_t *jwk = json_object_get(cnf, "jwk");
	struct claims_list one = { NULL, 0 };
	struct bytes kty, crv;

	if (cnf == NULL)
		return (NULL);
	if (claims_string(json_object_get(jwk, "kty"), &kty) == -1 ||
	    claims_string(json_object_get(jwk, "crv"), &crv) == -1 ||
	    !bytes_eq(kty, BYTES_LIT("OKP")) ||
	    !bytes_eq(crv, BYTES_LIT("Ed25519")) ||
	    !json_is_string(json_object_get(jwk, "x")) ||
	    claims_list(json_object_get(jwk, "x"), &one, arena) == -1)
		return ("cnf");
	if (!claims_key_ok(one.v[0]) || !claims_allow_key(c, one.v[0])) {
		free(one.v);
		return ("cnf");
	}
	free(c->secsync.keys.v);
	c->secsync.keys = one;
	c->secsync.keys_given = true;
	return (NULL);
}

static int
claims_key_ok(struct bytes key64)
{
	return (key64.n == CLAIMS_KEY_LEN && base64url_check(key64) == 32);
}
