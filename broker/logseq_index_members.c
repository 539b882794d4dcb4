/*
 * Members of a graph and their roles.
 */
#include "broker/logseq_index.h"
#include "common/wire.h"

#define MEMBERS_PAGE 200

static int members_row(struct index_call *, struct bytes user, struct buf *);
static enum code members_user(struct index_call *, struct buf *user);
static enum code members_put(struct index_call *, struct bytes user);
static int members_forget(struct index_call *, struct bytes user);

enum code
index_members(struct index_call *c)
{
	struct buf users = BUF_INIT, rows = BUF_INIT;
	struct bytes rest, user;
	int more = 0;

	if (index_list(&c->ix, INDEX_MEMBER, c->id, c->in->ref, MEMBERS_PAGE,
		&users, &more) == -1)
		index_fail(&c->ix);
	logseq_list_add_u64(&rows, (uint64_t)more);
	for (rest = buf_bytes(&users); list_next(&rest, &user) == 1;)
		if (members_row(c, user, &rows) == -1)
			index_fail(&c->ix);
	txn_info(c->t, buf_bytes(&rows));
	buf_free(&users);
	buf_free(&rows);
	return (CODE_OK);
}

static int
members_row(struct index_call *c, struct bytes user, struct buf *rows)
{
	struct logseq_member_row row = { .user = user };
	struct buf packed = BUF_INIT;
	struct index_member m;
	struct index_user u = { 0 };
	int r;

	if (index_member_get(&c->ix, c->id, user, &m) != 1 ||
	    index_user_get(&c->ix, user, &u) == -1)
		return (-1);
	row.role = m.role;
	row.invited_by = m.invited_by;
	row.created_ms = m.created_ms;
	row.email = u.email;
	row.username = u.username;
	logseq_member_pack(&packed, &row);
	r = packed.failed ? -1 : list_add(rows, buf_bytes(&packed));
	buf_free(&packed);
	return (r);
}

enum code
index_member_add(struct index_call *c)
{
	struct buf user = BUF_INIT;
	enum code code;

	if (c->in->clock != LOGSEQ_MEMBER && c->in->clock != LOGSEQ_MANAGER)
		return (CODE_INVALID);
	if ((code = members_user(c, &user)) == CODE_OK)
		code = members_put(c, buf_bytes(&user));
	buf_free(&user);
	return (code);
}

static enum code
members_user(struct index_call *c, struct buf *user)
{
	const struct submit *in = c->in;

	if ((in->ref.n == 0) == (in->author.n == 0) || in->author.n > UINT8_MAX)
		return (CODE_INVALID);
	if (in->author.n > 0)
		return (buf_add_bytes(user, in->author) == 0 ? CODE_OK
							     : CODE_STORAGE);
	return (index_user_by_email(&c->ix, in->ref, user) == 1
		? CODE_OK
		: CODE_NOT_FOUND);
}

static enum code
members_put(struct index_call *c, struct bytes user)
{
	struct index_member m = { .created_ms = (uint64_t)c->t->now_ms };
	int found = index_member_get(&c->ix, c->id, user, &m);

	if (found == 0 &&
	    (index_count(&c->ix, INDEX_MEMBER, c->id, LOGSEQ_MEMBERS_MAX) >=
		    LOGSEQ_MEMBERS_MAX ||
		index_count(&c->ix, INDEX_SHELF, user, LOGSEQ_GRAPHS_MAX) >=
		    LOGSEQ_GRAPHS_MAX))
		return (CODE_QUOTA);
	m.role = c->in->clock;
	m.invited_by = c->ix.me;
	index_member_put(&c->ix, c->id, user, &m);
	return (CODE_OK);
}

enum code
index_member_role(struct index_call *c)
{
	struct index_member m;

	if (c->in->clock != LOGSEQ_MEMBER && c->in->clock != LOGSEQ_MANAGER)
		return (CODE_INVALID);
	if (c->in->author.n == 0 || c->in->author.n > UINT8_MAX)
		return (CODE_INVALID);
	if (index_member_get(&c->ix, c->id, c->in->author, &m) == 1) {
		m.role = c->in->clock;
		index_member_put(&c->ix, c->id, c->in->author, &m);
	}
	return (CODE_OK);
}

enum code
index_member_drop(struct index_call *c)
{
	struct bytes user = c->in->author;
	struct index_member m = { .role = LOGSEQ_NOBODY };

	if (user.n == 0 || user.n > UINT8_MAX)
		return (CODE_INVALID);
	if (index_member_get(&c->ix, c->id, user, &m) == -1)
		return (CODE_STORAGE);
	if (m.role == LOGSEQ_MANAGER ||
	    (c->role != LOGSEQ_MANAGER && !bytes_eq(user, c->ix.me)))
		return (CODE_NO_SCOPE);
	return (members_forget(c, user) == -1 ? CODE_STORAGE : CODE_OK);
}

/* An owner keeps his graph, and with it shelf, key and sessions. */
static int
members_forget(struct index_call *c, struct bytes user)
{
	if (index_del(&c->ix, INDEX_MEMBER, c->id, user) == -1)
		return (-1);
	if (bytes_eq(user, c->graph.owner))
		return (0);
	if (index_del(&c->ix, INDEX_SHELF, user, c->id) == -1 ||
	    index_del(&c->ix, INDEX_AES, c->id, user) == -1)
		return (-1);
	return (txn_kick(c->t, user, CODE_REVOKED));
}
