/*
 * Keys of encrypted graphs, which are opaque here: a pair a user, and the key
 * of each graph, encrypted for each who has it.
 */
#include "broker/logseq_index.h"
#include "common/wire.h"

static int keys_grants_ok(struct bytes);
static void keys_grant(struct index_call *, struct bytes email,
    struct bytes key, struct buf *missing);

enum code
index_keys(struct index_call *c)
{
	struct buf *val = &c->ix.val;

	if (index_get(&c->ix, INDEX_KEYS, c->ix.me, BYTES_NONE, val) == 1)
		txn_info(c->t, buf_bytes(val));
	return (CODE_OK);
}

enum code
index_keys_put(struct index_call *c)
{
	struct bytes rest = c->in->items, public, private;

	if (logseq_list_next(&rest, &public) == -1 ||
	    logseq_list_next(&rest, &private) == -1 || rest.n != 0 ||
	    public.n > LOGSEQ_KEY_MAX || private.n > LOGSEQ_KEY_MAX)
		return (CODE_INVALID);
	index_put(&c->ix, INDEX_KEYS, c->ix.me, BYTES_NONE, c->in->items);
	return (CODE_OK);
}

enum code
index_public_key(struct index_call *c)
{
	struct buf user = BUF_INIT;
	struct bytes rest, public;

	if (index_user_by_email(&c->ix, c->in->ref, &user) == 1 &&
	    index_get(&c->ix, INDEX_KEYS, buf_bytes(&user), BYTES_NONE,
		&c->ix.val) == 1) {
		rest = buf_bytes(&c->ix.val);
		if (logseq_list_next(&rest, &public) == -1)
			index_fail(&c->ix);
		else
			txn_info(c->t, public);
	}
	buf_free(&user);
	return (CODE_OK);
}

enum code
index_aes_key(struct index_call *c)
{
	struct buf *val = &c->ix.val;

	if (index_get(&c->ix, INDEX_AES, c->id, c->ix.me, val) == 1)
		txn_info(c->t, buf_bytes(val));
	return (CODE_OK);
}

enum code
index_aes_key_put(struct index_call *c)
{
	if (c->in->items.n > LOGSEQ_KEY_MAX)
		return (CODE_INVALID);
	index_put(&c->ix, INDEX_AES, c->id, c->ix.me, c->in->items);
	return (CODE_OK);
}

enum code
index_aes_grant(struct index_call *c)
{
	struct bytes rest = c->in->items, email, key;
	struct buf missing = BUF_INIT;

	if (!keys_grants_ok(rest))
		return (CODE_INVALID);
	while (list_next(&rest, &email) == 1 && list_next(&rest, &key) == 1)
		keys_grant(c, email, key, &missing);
	txn_info(c->t, buf_bytes(&missing));
	buf_free(&missing);
	return (CODE_OK);
}

static int
keys_grants_ok(struct bytes rest)
{
	struct bytes email, key;
	size_t n;

	for (n = 0; list_next(&rest, &email) == 1; n++)
		if (n == LOGSEQ_GRANTS_MAX || email.n > UINT8_MAX ||
		    list_next(&rest, &key) != 1 || key.n > LOGSEQ_KEY_MAX)
			return (0);
	return (rest.n == 0);
}

/* A member first, a key then. */
static void
keys_grant(struct index_call *c, struct bytes email, struct bytes key,
    struct buf *missing)
{
	struct buf user = BUF_INIT;

	if (index_user_by_email(&c->ix, email, &user) == 1 &&
	    index_role(&c->ix, c->id, &c->graph, buf_bytes(&user)) !=
		LOGSEQ_NOBODY)
		index_put(&c->ix, INDEX_AES, c->id, buf_bytes(&user), key);
	else if (list_add(missing, email) == -1)
		index_fail(&c->ix);
	buf_free(&user);
}
