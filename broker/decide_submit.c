/*
 * SUBMIT: may it be, what the dialect's rule makes of it, and what becomes of
 * the blobs that came for it.
 */
#include "broker/decide_parts.h"
#include "broker/quota.h"
#include "broker/rate.h"
#include "common/log.h"

static int decide_grows(const struct rule_verb *);
static enum code decide_admits(struct broker *, struct op *, struct txn *,
    const struct rule_verb *, const struct finished *, const struct finished *);
static enum code decide_rule(const struct op *, struct txn *,
    const struct rule_verb *, const struct finished *, const struct finished *);

int
decide_submit(struct broker *b, struct op *op)
{
	const struct msg *m = &op->msg;
	const struct rule_verb *v =
	    rule_verb_find(rule_find(op->session->dialect),
		m->f[submit_verb].u);
	struct finished none[2] = { { 0 }, { 0 } };
	struct finished *body, *list;
	struct txn_row was;
	struct txn t;
	enum code code;

	if (decide_stored(op, m->f[submit_blob].u, &body) == -1 ||
	    decide_stored(op, m->f[submit_blob2].u, &list) == -1 ||
	    (body != NULL && body == list))
		return (op->code = CODE_INVALID, 0);
	body = body == NULL ? &none[0] : body;
	list = list == NULL ? &none[1] : list;
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	was = t.row;
	code = decide_admits(b, op, &t, v, body, list);
	if (code == CODE_OK)
		code = decide_rule(op, &t, v, body, list);
	if (code == CODE_OK && decide_grows(v))
		quota_count(op->session, &t, &was);
	if (code != CODE_OK)
		log_debug("session %llu: %s refused code=%s",
		    (unsigned long long)op->session->id,
		    v == NULL ? "?" : v->name, code_name(code));
	/* The list was read, and the body is the rule's if it took it. */
	if (list->id != 0)
		txn_blob_drop(&t, list->id);
	if (code != CODE_OK && body->id != 0)
		txn_blob_drop(&t, body->id);
	*body = *list = (struct finished){ 0 };
	return (decide_end(op, &t, code));
}

int
decide_too_large(const struct op *op, uint64_t size)
{
	uint64_t max = session_message_max(op->session, op->doc);

	return (max != 0 && size > max);
}

/* What is no question of the rule's. */
static enum code
decide_admits(struct broker *b, struct op *op, struct txn *t,
    const struct rule_verb *v, const struct finished *body,
    const struct finished *list)
{
	uint64_t more = op->msg.f[submit_body].b.n +
	    op->msg.f[submit_extra].b.n + body->size;
	enum code code;

	if (v == NULL)
		return (CODE_INVALID);
	if (list->size > BLOB_ITEMS_MAX_BYTES || decide_too_large(op, more))
		return (CODE_TOO_LARGE);
	if (!decide_grows(v))
		return (CODE_OK);
	code = space_refuses(b, op, t, more);
	if (code == CODE_OK)
		code = quota_refuses(op->session, t, more);
	if (code == CODE_OK && !op->rated)
		code = rate_refuses(b, op->session, op->doc);
	op->rated |= code == CODE_OK;
	return (code);
}

static enum code
decide_rule(const struct op *op, struct txn *t, const struct rule_verb *v,
    const struct finished *body, const struct finished *list)
{
	const struct msg *m = &op->msg;
	struct submit in = { .verb = m->f[submit_verb].u,
		.ref = m->f[submit_ref].b,
		.author = m->f[submit_author].b,
		.clock = m->f[submit_clock].u,
		.items = m->f[submit_items].b,
		.body = { m->f[submit_body].b, body->id, body->size },
		.extra = m->f[submit_extra].b };
	struct buf items = BUF_INIT;
	enum code code;

	if (list->id != 0) {
		txn_blob_read(t, list->id, 0, (size_t)list->size, &items);
		in.items = buf_bytes(&items);
	}
	code = v->decide(t, &in);
	buf_free(&items);
	return (code);
}

static int
decide_grows(const struct rule_verb *v)
{
	return (v->scope != SCOPE_READ && v->stores != VERB_FREES);
}
