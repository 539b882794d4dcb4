/*
 * Rows of the index in its registers.  Who may change them is decided
 * elsewhere.
 */
#include "broker/claims.h"
#include "broker/logseq_index.h"
#include "common/wire.h"

#define COLUMNS(table) (sizeof(table) / sizeof((table)[0]))

struct index_scan {
	struct buf *list; /* NULL: only counted */
	size_t skip;	  /* octets of a key before its second part */
	size_t n, max;
	int more;
};

struct index_newest {
	struct buf *user;
	size_t skip;
	uint64_t since;
	int found;
};

static struct bytes index_key(struct index *, char, struct bytes, struct bytes);
static int index_scan(struct index *, char, struct bytes, struct bytes,
    struct index_scan *);
static txn_each_reg index_scan_each, index_newest_each;
static struct bytes index_lower(struct buf *, struct bytes);
static int index_email_move(struct index *, const struct index_user *was,
    const struct index_user *is);

static const struct bytes index_document = { (const uint8_t *)LOGSEQ_INDEX_NAME,
	sizeof(LOGSEQ_INDEX_NAME) - 1 };

static const struct logseq_column graph_columns[] = {
	LOGSEQ_TEXT(index_graph, name),
	LOGSEQ_TEXT(index_graph, schema),
	LOGSEQ_TEXT(index_graph, owner),
	LOGSEQ_NUMBER(index_graph, e2ee),
	LOGSEQ_NUMBER(index_graph, ready),
	LOGSEQ_NUMBER(index_graph, created_ms),
	LOGSEQ_NUMBER(index_graph, updated_ms),
};

static const struct logseq_column member_columns[] = {
	LOGSEQ_NUMBER(index_member, role),
	LOGSEQ_TEXT(index_member, invited_by),
	LOGSEQ_NUMBER(index_member, created_ms),
};

static const struct logseq_column user_columns[] = {
	LOGSEQ_TEXT(index_user, email),
	LOGSEQ_TEXT(index_user, username),
	LOGSEQ_NUMBER(index_user, verified),
	LOGSEQ_NUMBER(index_user, created_ms),
};

int
index_begin(struct index *ix, struct txn *t)
{
	memset(ix, 0, sizeof(*ix));
	ix->me = t->who.subject;
	if (t->name.room == LOGSEQ_ROOM_INDEX) {
		ix->t = t;
		return (0);
	}
	ix->t = &ix->other;
	return (txn_other(t, &ix->other, LOGSEQ_ROOM_INDEX, index_document));
}

void
index_end(struct index *ix)
{
	txn_done(&ix->other);
	buf_free(&ix->key);
	buf_free(&ix->graph);
	buf_free(&ix->member);
	buf_free(&ix->user);
	buf_free(&ix->val);
}

int
index_fail(struct index *ix)
{
	struct txn *t;

	for (t = ix->t; t != NULL; t = t->parent)
		t->failed = 1;
	return (-1);
}

int
index_get(struct index *ix, char kind, struct bytes a, struct bytes b,
    struct buf *val)
{
	return (txn_reg_get(ix->t, index_key(ix, kind, a, b), val));
}

int
index_put(struct index *ix, char kind, struct bytes a, struct bytes b,
    struct bytes val)
{
	return (txn_reg_put(ix->t, index_key(ix, kind, a, b), val));
}

int
index_del(struct index *ix, char kind, struct bytes a, struct bytes b)
{
	return (txn_reg_del(ix->t, index_key(ix, kind, a, b)));
}

int
index_list(struct index *ix, char kind, struct bytes a, struct bytes after,
    size_t max, struct buf *list, int *more)
{
	struct index_scan s = { .list = list, .max = max };

	if (index_scan(ix, kind, a, after, &s) == -1)
		return (-1);
	*more = s.more;
	return (0);
}

ssize_t
index_count(struct index *ix, char kind, struct bytes a, size_t max)
{
	struct index_scan s = { .max = max };

	return (
	    index_scan(ix, kind, a, BYTES_NONE, &s) == -1 ? -1 : (ssize_t)s.n);
}

int
index_graph_get(struct index *ix, struct bytes id, struct index_graph *g)
{
	int r = index_get(ix, INDEX_GRAPH, id, BYTES_NONE, &ix->graph);

	if (r == 1 &&
	    logseq_row_unpack(buf_bytes(&ix->graph), g, graph_columns,
		COLUMNS(graph_columns)) == -1)
		r = index_fail(ix);
	return (r);
}

int
index_graph_put(struct index *ix, struct bytes id, const struct index_graph *g)
{
	buf_clear(&ix->val);
	logseq_row_pack(&ix->val, g, graph_columns, COLUMNS(graph_columns));
	return (
	    index_put(ix, INDEX_GRAPH, id, BYTES_NONE, buf_bytes(&ix->val)));
}

int
index_member_get(struct index *ix, struct bytes id, struct bytes user,
    struct index_member *m)
{
	int r = index_get(ix, INDEX_MEMBER, id, user, &ix->member);

	if (r == 1 &&
	    logseq_row_unpack(buf_bytes(&ix->member), m, member_columns,
		COLUMNS(member_columns)) == -1)
		r = index_fail(ix);
	return (r);
}

int
index_member_put(struct index *ix, struct bytes id, struct bytes user,
    const struct index_member *m)
{
	buf_clear(&ix->val);
	logseq_row_pack(&ix->val, m, member_columns, COLUMNS(member_columns));
	index_put(ix, INDEX_MEMBER, id, user, buf_bytes(&ix->val));
	return (index_put(ix, INDEX_SHELF, user, id, BYTES_NONE));
}

int
index_user_get(struct index *ix, struct bytes user, struct index_user *u)
{
	int r = index_get(ix, INDEX_USER, user, BYTES_NONE, &ix->user);

	if (r == 1 &&
	    logseq_row_unpack(buf_bytes(&ix->user), u, user_columns,
		COLUMNS(user_columns)) == -1)
		r = index_fail(ix);
	return (r);
}

int
index_user_by_email(struct index *ix, struct bytes email, struct buf *user)
{
	struct index_newest s = { .user = user };
	struct buf lower = BUF_INIT;
	int r = -1;

	if (email.n == 0 || email.n > UINT8_MAX)
		return (0);
	email = index_lower(&lower, email);
	index_key(ix, INDEX_EMAIL, email, BYTES_NONE);
	s.skip = ix->key.len;
	if (!lower.failed)
		r = txn_reg_scan(ix->t, buf_bytes(&ix->key), BYTES_NONE,
		    index_newest_each, &s);
	buf_free(&lower);
	return (r == -1 ? -1 : s.found);
}

int
index_user_note(struct index *ix, const struct claims *c)
{
	struct index_user was = { 0 }, is = { .email = c->email };
	int found, same = 0;

	is.username = c->cognito_username.n > 0 ? c->cognito_username
	    : c->preferred_username.n > 0	? c->preferred_username
						: c->username;
	is.verified = c->email_verified && c->email.n > 0;
	is.created_ms = (uint64_t)ix->t->now_ms;
	if ((found = index_user_get(ix, ix->me, &was)) == -1)
		return (-1);
	if (found == 1) {
		is.created_ms = was.created_ms;
		same = bytes_eq(was.email, is.email) &&
		    was.verified == is.verified;
		if (same && bytes_eq(was.username, is.username))
			return (0);
	}
	if (!same && index_email_move(ix, &was, &is) == -1)
		return (-1);
	buf_clear(&ix->val);
	logseq_row_pack(&ix->val, &is, user_columns, COLUMNS(user_columns));
	return (
	    index_put(ix, INDEX_USER, ix->me, BYTES_NONE, buf_bytes(&ix->val)));
}

static int
index_email_move(struct index *ix, const struct index_user *was,
    const struct index_user *is)
{
	struct buf lower = BUF_INIT;
	uint8_t since[8];
	int r = 0;

	be64_put(since, (uint64_t)ix->t->now_ms);
	if (was->verified)
		r = index_del(ix, INDEX_EMAIL, index_lower(&lower, was->email),
		    ix->me);
	buf_clear(&lower);
	if (is->verified && r == 0)
		r = index_put(ix, INDEX_EMAIL, index_lower(&lower, is->email),
		    ix->me, bytes_of(since, sizeof(since)));
	if (lower.failed)
		r = index_fail(ix);
	buf_free(&lower);
	return (r);
}

/* ASCII alone: what else an address may hold is compared as it is. */
static struct bytes
index_lower(struct buf *out, struct bytes text)
{
	size_t i;

	for (i = 0; i < text.n; i++)
		buf_add_u8(out,
		    text.p[i] >= 'A' && text.p[i] <= 'Z'
			? (uint8_t)(text.p[i] - 'A' + 'a')
			: text.p[i]);
	return (buf_bytes(out));
}

/* a is at most 255 octets: a uuid, a subject, an email. */
static struct bytes
index_key(struct index *ix, char kind, struct bytes a, struct bytes b)
{
	buf_clear(&ix->key);
	buf_add_u8(&ix->key, (uint8_t)kind);
	buf_add_u8(&ix->key, (uint8_t)a.n);
	buf_add_bytes(&ix->key, a);
	buf_add_bytes(&ix->key, b);
	if (ix->key.failed || a.n > UINT8_MAX)
		index_fail(ix);
	return (buf_bytes(&ix->key));
}

static int
index_scan(struct index *ix, char kind, struct bytes a, struct bytes after,
    struct index_scan *s)
{
	struct buf from = BUF_INIT;
	int r = -1;

	buf_add_bytes(&from, index_key(ix, kind, a, after));
	index_key(ix, kind, a, BYTES_NONE);
	s->skip = ix->key.len;
	if (!from.failed)
		r = txn_reg_scan(ix->t, buf_bytes(&ix->key),
		    after.n == 0 ? BYTES_NONE : buf_bytes(&from),
		    index_scan_each, s);
	buf_free(&from);
	return (r == -1 || (s->list != NULL && s->list->failed) ? -1 : 0);
}

static int
index_scan_each(struct bytes key, struct bytes val, void *arg)
{
	struct index_scan *s = arg;

	(void)val;
	if (s->n == s->max) {
		s->more = 1;
		return (1);
	}
	s->n++;
	if (s->list != NULL)
		list_add(s->list, bytes_skip(key, s->skip));
	return (0);
}

static int
index_newest_each(struct bytes key, struct bytes val, void *arg)
{
	struct index_newest *s = arg;

	if (val.n != sizeof(s->since))
		return (-1);
	if (s->found && be64_get(val.p) < s->since)
		return (0);
	s->found = 1;
	s->since = be64_get(val.p);
	buf_clear(s->user);
	return (buf_add_bytes(s->user, bytes_skip(key, s->skip)));
}
