/*
 * Drain, then answer: a verdict is for the dialect when the reader has come to
 * its place in the ring, and waits until then.  The reader is reader.c.
 */
#include "worker/conn_internal.h"

static int verdict_ripe(const struct conn *, const struct msg *);
static void verdict_release(struct conn *, struct kept *);
static struct verdict_in verdict_said(const struct msg *);
static void verdict_hand(struct conn *, const struct msg *);

int
reader_verdict(struct conn *c, const struct msg *m)
{
	struct reader *r = &c->reader;

	if (r->nverdicts == 0 && verdict_ripe(c, m)) {
		verdict_hand(c, m);
		return (0);
	}
	if (kept_add(&r->verdicts, m) == NULL)
		return (-1);
	r->nverdicts++;
	return (0);
}

int
reader_told(struct conn *c, const struct msg *m)
{
	struct kept *k = kept_add(&c->reader.verdicts, m);

	if (k == NULL)
		return (-1);
	k->m.f[verdict_position].u = UINT64_MAX;
	c->reader.nverdicts++;
	return (0);
}

int
reader_verdicts(struct conn *c)
{
	struct kept *k = TAILQ_FIRST(&c->reader.verdicts);

	if (k == NULL || !verdict_ripe(c, &k->m))
		return (0);
	verdict_release(c, k);
	return (1);
}

int
conn_verdict_peek(struct conn *c, struct verdict_in *v)
{
	struct kept *k = TAILQ_FIRST(&c->reader.verdicts);

	if (k == NULL)
		return (0);
	*v = verdict_said(&k->m);
	return (1);
}

void
conn_verdict_take(struct conn *c)
{
	struct kept *k = TAILQ_FIRST(&c->reader.verdicts);

	if (k != NULL)
		verdict_release(c, k);
}

/*
 * A reader that stands before an own entry waits for just this verdict, or for
 * one before it: the list is in order.
 */
static int
verdict_ripe(const struct conn *c, const struct msg *m)
{
	const struct reader *r = &c->reader;

	if (c->phase != CONN_WS || !r->open)
		return (1);
	return (r->live &&
	    (r->at_own ||
		(r->missed.upto == 0 && r->pos >= m->f[verdict_position].u)));
}

/* Off the list first: the dialect may do anything with the reader. */
static void
verdict_release(struct conn *c, struct kept *k)
{
	struct reader *r = &c->reader;

	TAILQ_REMOVE(&r->verdicts, k, entry);
	r->nverdicts--;
	verdict_hand(c, &k->m);
	kept_free(k);
}

static struct verdict_in
verdict_said(const struct msg *m)
{
	return ((struct verdict_in){ m->f[verdict_tag].u,
	    (enum code)m->f[verdict_code].u, m->f[verdict_seq].u,
	    m->f[verdict_info].b });
}

static void
verdict_hand(struct conn *c, const struct msg *m)
{
	struct reader *r = &c->reader;
	struct verdict_in v = verdict_said(m);

	if (r->submits > 0)
		r->submits--;
	if (v.code == CODE_OK && v.seq > r->handed)
		r->handed = v.seq;
	r->at_own = 0;
	if (c->dialect != NULL && c->dialect->verdict != NULL)
		c->dialect->verdict(c, &v);
}
