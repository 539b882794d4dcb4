/* A pass along a log; which records may go is the rule's affair. */
#include <stdlib.h>

#include "broker/compact_pass.h"
#include "broker/record.h"
#include "broker/walk.h"

/* At most so much in one step, whatever the clock says. */
#define PASS_ROWS_MAX  4096u
#define PASS_DROPS_MAX 256u
/* A run of stubs is made one when it is so long, or at its end. */
#define PASS_RUN_MAX  1024u
#define PASS_RUNS_MAX 64u

struct pass_run {
	uint64_t first, last; /* numbers */
	uint64_t rows;	      /* that stand for them */
	uint8_t chain[CHAIN_BYTES];
};

struct pass {
	const struct rule_compact *rule;
	uint64_t before_ms;
	int begun;
	void *state; /* the rule's */
	struct walk walk;
	struct pass_run run; /* the one that the walk is in; rows 0: none */
	struct pass_told told;
	/* of one step */
	struct txn *tx;
	pass_late *late;
	void *late_arg;
	size_t rows;
	uint64_t drop[PASS_DROPS_MAX];
	size_t drops;
	struct pass_run squash[PASS_RUNS_MAX];
	size_t squashes;
	int wrong;
};

static txn_each_record pass_each;
static int pass_judge(struct pass *, const struct record *);
static void pass_extend(struct pass *, const struct record *);
static void pass_cut(struct pass *);
static int pass_write(struct pass *);

struct pass *
pass_new(const struct rule_compact *rule, uint64_t before_ms)
{
	struct pass *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	p->rule = rule;
	p->before_ms = before_ms;
	if ((p->state = calloc(1, rule->size)) != NULL)
		return (p);
	free(p);
	return (NULL);
}

int
pass_step(struct pass *p, struct txn *tx, pass_late *late, void *arg)
{
	int r;

	if (!p->begun && p->rule->begin != NULL &&
	    p->rule->begin(tx, p->before_ms, p->state) == -1)
		return (-1);
	p->begun = 1;
	p->tx = tx;
	p->late = late;
	p->late_arg = arg;
	p->rows = p->drops = p->squashes = 0;
	p->told.from = p->walk.seq;
	r = txn_log_walk(tx, p->walk.seq, UINT64_MAX, pass_each, p);
	p->told.upto = p->walk.seq;
	if (r == -1 || p->wrong)
		return (-1);
	if (r == 0) {
		if (walk_end(&p->walk, tx) != NULL)
			return (-1);
		pass_cut(p);
	}
	return (pass_write(p) == -1 ? -1 : r);
}

const struct pass_told *
pass_told(const struct pass *p)
{
	return (&p->told);
}

void
pass_free(struct pass *p)
{
	if (p == NULL)
		return;
	free(p->state);
	free(p);
}

/* Room for one squash is kept: pass_cut may need it at the end. */
static int
pass_each(const struct record *r, void *arg)
{
	struct pass *p = arg;
	uint8_t digest[CHAIN_BYTES] = { 0 };
	int gone = r->gone != 0;

	if (!gone && txn_log_digest(p->tx, r, digest) == -1)
		return (-1);
	if (walk_take(&p->walk, r, digest) != NULL) {
		p->wrong = 1;
		return (1);
	}
	if (!gone && (gone = pass_judge(p, r)) == -1)
		return (-1);
	if (gone)
		pass_extend(p, r);
	else
		pass_cut(p);
	return (++p->rows == PASS_ROWS_MAX || p->drops == PASS_DROPS_MAX ||
	    p->squashes >= PASS_RUNS_MAX - 1 || p->late(p->late_arg));
}

static int
pass_judge(struct pass *p, const struct record *r)
{
	int gone = p->rule->droppable(p->tx, r, p->state);

	if (gone == 1)
		p->drop[p->drops++] = r->seq;
	else if (gone == 0 && r->time_ms >= p->before_ms)
		p->told.kept += record_size(r) + r->body.size;
	return (gone);
}

static void
pass_extend(struct pass *p, const struct record *r)
{
	if (p->run.rows == PASS_RUN_MAX)
		pass_cut(p);
	if (p->run.rows == 0)
		p->run.first = r->gone == RECORD_GONE_RUN ? r->first : r->seq;
	p->run.last = r->seq;
	p->run.rows++;
	memcpy(p->run.chain, p->walk.chain, CHAIN_BYTES);
}

/* The run ends: one row alone is left as it is. */
static void
pass_cut(struct pass *p)
{
	if (p->run.rows > 1)
		p->squash[p->squashes++] = p->run;
	p->run.rows = 0;
}

static int
pass_write(struct pass *p)
{
	const struct pass_run *run;
	size_t i;

	for (i = 0; i < p->drops; i++)
		if (txn_log_drop(p->tx, p->drop[i]) == -1)
			return (-1);
	p->told.dropped += p->drops;
	for (i = 0; i < p->squashes; i++) {
		run = &p->squash[i];
		if (txn_log_squash(p->tx, run->first, run->last, run->chain) ==
		    -1)
			return (-1);
	}
	return (0);
}
