/*
 * One row of the store's own registers holds them all: entry by entry session,
 * number, seq, code and info.  It is replaced with each batch that has any, by
 * those of the batch and those of before that are still needed.
 */
#include <stdlib.h>

#include "broker/broker.h"
#include "broker/outcome.h"
#include "broker/txn_key.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/wire.h"

/* A verdict with more to say cannot be told again. */
#define OUTCOME_INFO_MAX_BYTES ((size_t)16 * 1024)
#define OUTCOMES_MAX_BYTES     ((size_t)1024 * 1024)
/* Only where nothing is ever read: else it would have had to wait before. */
#define OUTCOMES_UNTOLD_MAX ((size_t)4 * SESSION_UNTOLD_MAX)
#define OUTCOME_HEAD_BYTES  26u
#define OUTCOME_TOLD_BYTES  17u
#define OUTCOME_NAME	    BYTES_LIT("outcomes")

struct outcome {
	uint64_t session;
	uint64_t number;
	uint64_t seq;
	enum code code;
	int cut;	       /* the info was too much */
	struct session *owner; /* a reference; NULL: nobody has claimed it */
	struct buf info;
	TAILQ_ENTRY(outcome) entry;
};

struct outcomes {
	TAILQ_HEAD(, outcome) list; /* the oldest first */
};

static int outcomes_read(struct outcomes *, struct bytes row);
static void outcomes_prune(struct broker *);
static struct outcome *outcome_add(struct outcomes *);
static void outcome_free(struct outcomes *, struct outcome *);
static int outcome_due(const struct op *);
static void outcome_pack(struct buf *row, const struct outcome *,
    struct bytes info);
static int outcome_unpack(struct bytes *row, struct outcome *,
    struct bytes *info);

struct outcomes *
outcomes_load(struct broker *b)
{
	struct buf key = BUF_INIT, row = BUF_INIT;
	struct outcomes *o = calloc(1, sizeof(*o));
	int r = -1;

	if (o == NULL)
		return (NULL);
	TAILQ_INIT(&o->list);
	key_reg(&key, 0, KEY_PLAIN, OUTCOME_NAME);
	if (!key.failed)
		r = b->kv->ops->get(b->kv, KV_REG, buf_bytes(&key), &row);
	if (r == 1)
		r = outcomes_read(o, buf_bytes(&row));
	buf_free(&key);
	buf_free(&row);
	if (r != -1)
		return (o);
	outcomes_free(o);
	return (NULL);
}

void
outcomes_free(struct outcomes *o)
{
	struct outcome *e;

	if (o == NULL)
		return;
	while ((e = TAILQ_FIRST(&o->list)) != NULL)
		outcome_free(o, e);
	free(o);
}

int
outcomes_save(struct broker *b, struct op_list *batch)
{
	struct buf key = BUF_INIT, row = BUF_INIT;
	const struct outcome *e;
	const struct op *op;
	int r = -1;

	TAILQ_FOREACH(op, batch, entry)
		if (outcome_due(op))
			break;
	if (op == NULL)
		return (0);
	outcomes_prune(b);
	TAILQ_FOREACH(e, &b->outcomes->list, entry)
		outcome_pack(&row, e, buf_bytes(&e->info));
	for (; op != NULL; op = TAILQ_NEXT(op, entry)) {
		const struct outcome now = { .session = op->session->id,
			.number = op->number,
			.seq = op->seq,
			.code = op->code };

		if (outcome_due(op))
			outcome_pack(&row, &now, buf_bytes(&op->info));
	}
	key_reg(&key, 0, KEY_PLAIN, OUTCOME_NAME);
	if (!key.failed && !row.failed)
		r = b->kv->ops->put(b->kv, KV_REG, buf_bytes(&key),
		    buf_bytes(&row));
	buf_free(&key);
	buf_free(&row);
	return (r);
}

/* A verdict that waits in our own memory would be lost with it. */
void
outcomes_keep(struct broker *b, struct op_list *batch)
{
	struct outcome *e;
	struct op *op;

	TAILQ_FOREACH(op, batch, entry) {
		if (!outcome_due(op) || chan_pending(&op->session->chan) == 0)
			continue;
		if (op->session->untold++ >= OUTCOMES_UNTOLD_MAX ||
		    (e = outcome_add(b->outcomes)) == NULL) {
			log_warnx("session %llu: outcomes cannot be kept",
			    (unsigned long long)op->session->id);
			session_close(op->session);
			continue;
		}
		e->session = op->session->id;
		e->number = op->number;
		e->seq = op->seq;
		e->code = op->code;
		e->owner = op->session;
		e->owner->refs++;
		e->cut = op->info.len > OUTCOME_INFO_MAX_BYTES ||
		    buf_add_bytes(&e->info, buf_bytes(&op->info)) == -1;
	}
}

int
outcomes_claim(struct broker *b, struct session *s, uint64_t session,
    uint64_t from, struct buf *list)
{
	uint8_t head[OUTCOME_TOLD_BYTES];
	struct outcome *e;
	int n = 0;

	TAILQ_FOREACH(e, &b->outcomes->list, entry) {
		if (e->session != session || e->owner != NULL ||
		    e->number < from)
			continue;
		if (e->cut || e->number != from + (uint64_t)n)
			return (-1);
		head[0] = (uint8_t)e->code;
		be64_put(head + 1, e->number);
		be64_put(head + 9, e->seq);
		list_add(list, bytes_of(head, sizeof(head)));
		list_add(list, buf_bytes(&e->info));
		n++;
	}
	if (list->failed || list->len > INFO_MAX_BYTES)
		return (-1);
	TAILQ_FOREACH(e, &b->outcomes->list, entry)
		if (e->session == session && e->owner == NULL) {
			e->owner = s;
			s->refs++;
		}
	return (n);
}

static int
outcomes_read(struct outcomes *o, struct bytes row)
{
	struct outcome e, *to;
	struct bytes info;
	int r;

	while ((r = outcome_unpack(&row, &e, &info)) == 1) {
		if ((to = outcome_add(o)) == NULL)
			return (-1);
		e.entry = to->entry;
		*to = e;
		if (buf_add_bytes(&to->info, info) == -1)
			return (-1);
	}
	return (r);
}

/* What is known where it belongs, or will not be asked for any more. */
static void
outcomes_prune(struct broker *b)
{
	struct outcome *e, *next;
	int late = !broker_resumes(b);

	for (e = TAILQ_FIRST(&b->outcomes->list); e != NULL; e = next) {
		next = TAILQ_NEXT(e, entry);
		if (e->owner == NULL
			? late
			: e->owner->dead || chan_pending(&e->owner->chan) == 0)
			outcome_free(b->outcomes, e);
	}
}

static struct outcome *
outcome_add(struct outcomes *o)
{
	struct outcome *e = calloc(1, sizeof(*e));

	if (e != NULL)
		TAILQ_INSERT_TAIL(&o->list, e, entry);
	return (e);
}

static void
outcome_free(struct outcomes *o, struct outcome *e)
{
	TAILQ_REMOVE(&o->list, e, entry);
	if (e->owner != NULL)
		session_unref(e->owner);
	buf_free(&e->info);
	free(e);
}

static int
outcome_due(const struct op *op)
{
	return (op->number != 0 && !op->session->dead);
}

static void
outcome_pack(struct buf *row, const struct outcome *e, struct bytes info)
{
	uint8_t head[OUTCOME_HEAD_BYTES];
	int cut = e->cut || info.n > OUTCOME_INFO_MAX_BYTES ||
	    row->len > OUTCOMES_MAX_BYTES;

	be64_put(head, e->session);
	be64_put(head + 8, e->number);
	be64_put(head + 16, e->seq);
	head[24] = (uint8_t)e->code;
	head[25] = (uint8_t)cut;
	list_add(row, bytes_of(head, sizeof(head)));
	list_add(row, cut ? BYTES_NONE : info);
}

/* 1; 0: there is no more; -1: not a row of ours. */
static int
outcome_unpack(struct bytes *row, struct outcome *e, struct bytes *info)
{
	struct bytes head;
	int r;

	if ((r = list_next(row, &head)) != 1)
		return (r);
	if (head.n != OUTCOME_HEAD_BYTES || list_next(row, info) != 1 ||
	    head.p[24] >= CODE_COUNT)
		return (-1);
	*e = (struct outcome){ .session = be64_get(head.p),
		.number = be64_get(head.p + 8),
		.seq = be64_get(head.p + 16),
		.code = (enum code)head.p[24],
		.cut = head.p[25] != 0 };
	return (1);
}
