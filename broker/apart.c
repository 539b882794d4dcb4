/* What becomes of an operation that is decided apart, step by step. */
#include <stdlib.h>
#include <sysexits.h>

#include "broker/apart.h"
#include "broker/kv_meter.h"
#include "broker/kv_undo.h"
#include "broker/outcome.h"
#include "broker/quarantine.h"
#include "broker/strand.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"

/* Others wait for a part to end. */
#define APART_PART_US 2000
/* In a batch everybody waits: so much, see kv_meter.h. */
#define APART_UNITS 16000
/* Longer than that it is not tried in a batch. */
#define APART_BYTES (128u * KIB)
/* Under load, where the loop is never idle, there is a part every so often. */
#define APART_EVERY_US 8000
/* Whoever comes next waits for the disk to take all that was written before. */
#define APART_FLUSH_BYTES (1u * MIB)
/* Between two, for jobs to have a turn. */
#define APART_REST_US 10000
#define APART_RETRY_S 1

enum apart_state {
	APART_FREE,
	APART_RUNS,
	APART_RAN,  /* all is written, nothing of it counts yet */
	APART_BACK, /* it is being taken back */
	APART_GONE, /* it has been */
	APART_ERASE /* what was written down to take it back */
};

struct apart {
	struct broker *broker;
	struct event ev;
	struct strand *strand;
	struct kv_undo undo;
	struct kv_meter meter;
	struct op_list waiting;
	struct op *op;
	enum apart_state state;
	int result;	  /* of the decision */
	int64_t until_us; /* the part should end */
	int64_t ended_us; /* the last one did */
	int64_t rest_us;  /* jobs have their turn until then */
};

static void apart_run(evutil_socket_t, short, void *);
static int apart_commit(struct apart *);
static int apart_next(struct apart *);
static void apart_part(struct apart *);
static void apart_work(void *);
static void apart_pause(void *);
static void apart_back(struct apart *);
static void apart_tidy(struct apart *, int (*step)(struct kv *),
    enum apart_state then);
static int apart_able(const struct apart *);
static void apart_again(struct apart *, long s, long us);
static int apart_may(const struct op *);

struct apart *
apart_new(struct broker *b)
{
	struct apart *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return (NULL);
	if ((a->strand = strand_new()) == NULL) {
		free(a);
		return (NULL);
	}
	a->broker = b;
	TAILQ_INIT(&a->waiting);
	kv_undo_init(&a->undo, b->kv, apart_pause, a);
	kv_meter_init(&a->meter, b->kv);
	evtimer_assign(&a->ev, b->base, apart_run, a);
	/* After everything else that is ready. */
	event_priority_set(&a->ev, event_base_get_npriorities(b->base) - 1);
	return (a);
}

void
apart_free(struct apart *a)
{
	event_del(&a->ev);
	strand_free(a->strand);
	kv_undo_free(&a->undo);
	free(a);
}

int
apart_take(struct broker *b, struct op *op)
{
	if (!apart_may(op) ||
	    (!op->lengthy && op->bytes <= APART_BYTES &&
		op->msg.f[submit_blob].u == 0 &&
		op->msg.f[submit_blob2].u == 0))
		return (0);
	TAILQ_INSERT_TAIL(&b->apart->waiting, op, entry);
	op->doc->apart = op;
	apart_kick(b);
	return (1);
}

struct kv *
apart_kv(struct broker *b, const struct op *op)
{
	struct apart *a = b->apart;

	if (op == a->op)
		return (&a->undo.kv);
	if (!apart_may(op))
		return (b->kv);
	kv_meter_start(&a->meter, APART_UNITS);
	return (&a->meter.kv);
}

int
apart_over(struct broker *b, struct op *op)
{
	op->lengthy = apart_may(op) && b->apart->meter.over;
	return (op->lengthy);
}

void
apart_step(struct broker *b)
{
	struct apart *a = b->apart;

	if (b->flushing)
		return;
	switch (a->state) {
	case APART_FREE:
		if (!apart_next(a))
			break;
		/* FALLTHROUGH */
	case APART_RUNS:
		apart_part(a);
		break;
	case APART_BACK:
		apart_tidy(a, kv_undo_back, APART_GONE);
		break;
	case APART_ERASE:
		apart_tidy(a, kv_undo_erase, APART_FREE);
		break;
	case APART_RAN:
	case APART_GONE:
		break;
	}
	a->ended_us = clock_us();
	if (a->undo.bytes >= APART_FLUSH_BYTES)
		batch_flush(b);
	batch_kick(b);
}

int
apart_due(const struct broker *b)
{
	return (apart_able(b->apart) &&
	    clock_us() >= b->apart->ended_us + APART_EVERY_US);
}

void
apart_flushed(struct broker *b)
{
	b->apart->undo.bytes = 0;
}

int
apart_waits(const struct broker *b)
{
	return (b->apart->state == APART_RAN || b->apart->state == APART_GONE);
}

struct op *
apart_decided(struct broker *b)
{
	return (apart_waits(b) ? b->apart->op : NULL);
}

int
apart_keep(struct broker *b, struct op *op)
{
	struct apart *a = b->apart;

	if (a->state == APART_GONE) {
		op->code = CODE_STORAGE;
		b->kv->changed = 0;
	} else if (apart_commit(a) == -1) {
		apart_back(a);
		return (-1);
	}
	b->count.apart++;
	a->op = NULL;
	a->state = APART_ERASE;
	a->rest_us = clock_us() + APART_REST_US;
	return (0);
}

void
apart_kick(struct broker *b)
{
	struct apart *a = b->apart;

	if (!b->flushing && apart_able(a) &&
	    !event_pending(&a->ev, EV_TIMEOUT, NULL))
		apart_again(a, 0,
		    a->state == APART_FREE && !TAILQ_EMPTY(&b->jobs)
			? APART_REST_US
			: 0);
}

int
apart_busy(const struct broker *b)
{
	return (b->apart->op != NULL);
}

int
apart_idle(const struct broker *b)
{
	return (
	    b->apart->state == APART_FREE && TAILQ_EMPTY(&b->apart->waiting));
}

static void
apart_run(evutil_socket_t fd, short what, void *arg)
{
	struct apart *a = arg;

	(void)fd;
	(void)what;
	apart_step(a->broker);
}

/* From here on it counts, once it is flushed. */
static int
apart_commit(struct apart *a)
{
	struct kv *kv = a->broker->kv;
	struct op_list one = TAILQ_HEAD_INITIALIZER(one);
	int told;

	if (kv->ops->begin(kv) == -1)
		return (-1);
	TAILQ_INSERT_TAIL(&one, a->op, entry);
	told = outcomes_save(a->broker, &one);
	TAILQ_REMOVE(&one, a->op, entry);
	if (told == 0 && kv_undo_keep(&a->undo) == 0)
		return (kv->ops->commit(kv));
	kv->ops->abort(kv);
	return (-1);
}

/* The first whose document is not held by an operator. */
static int
apart_next(struct apart *a)
{
	struct op *op;

	if (!TAILQ_EMPTY(&a->broker->jobs) && clock_us() < a->rest_us)
		return (0);
	TAILQ_FOREACH(op, &a->waiting, entry)
		if (op->doc->hold != DOC_FROZEN)
			break;
	if (op == NULL)
		return (0);
	TAILQ_REMOVE(&a->waiting, op, entry);
	a->op = op;
	a->state = APART_RUNS;
	kv_undo_start(&a->undo);
	strand_start(a->strand, apart_work, a);
	return (1);
}

static void
apart_part(struct apart *a)
{
	struct kv *kv = &a->undo.kv;
	int begun = kv->ops->begin(kv) == 0, more;

	/* Without a transaction all fails, and the decision ends. */
	a->undo.failed |= !begun;
	a->until_us = clock_us() + APART_PART_US;
	more = strand_go(a->strand);
	if (begun)
		kv->ops->commit(kv);
	if (a->undo.failed && kv_bdb_failed(a->broker->kv))
		quarantine_panic(a->broker->kv, &a->op->doc->id);
	if (!more && (a->undo.failed || a->result == -1))
		apart_back(a);
	else if (!more)
		a->state = APART_RAN;
}

static void
apart_work(void *arg)
{
	struct apart *a = arg;

	a->result = decide(a->broker, a->op);
	if (a->result == 0)
		a->result = decide_save(&a->undo.kv, a->op->doc);
}

static void
apart_pause(void *arg)
{
	struct apart *a = arg;

	if (clock_us() >= a->until_us)
		strand_pause(a->strand);
}

static void
apart_back(struct apart *a)
{
	log_warnx("store: a long operation of session %llu failed, refused",
	    (unsigned long long)a->op->session->id);
	a->broker->count.failed_batches++;
	decide_undo(a->op);
	a->state = APART_BACK;
}

/* It has to succeed; at the next start it is tried before all else. */
static void
apart_tidy(struct apart *a, int (*step)(struct kv *), enum apart_state then)
{
	struct kv *kv = a->broker->kv;
	int r = step(kv);

	if (r == -1 && kv_bdb_failed(kv))
		fatalx(EX_IOERR, "store: the database gave up; stopping");
	if (r == -1)
		apart_again(a, APART_RETRY_S, 0);
	else if (r == 0)
		a->state = then;
	a->undo.bytes += KV_UNDO_STEP_BYTES;
}

/* There is something to do. */
static int
apart_able(const struct apart *a)
{
	return (a->state == APART_FREE ? !TAILQ_EMPTY(&a->waiting)
				       : !apart_waits(a->broker));
}

/* By the timer: an event that activates itself is never interrupted. */
static void
apart_again(struct apart *a, long s, long us)
{
	const struct timeval after = { s, us };

	if (event_add(&a->ev, &after) == -1)
		event_active(&a->ev, EV_TIMEOUT, 0);
}

static int
apart_may(const struct op *op)
{
	const struct rule_verb *v;

	if (op->leave || op->msg.type != IPC_SUBMIT)
		return (0);
	v = rule_verb_find(rule_find(op->session->dialect),
	    op->msg.f[submit_verb].u);
	return (v != NULL && v->stores == VERB_LENGTHY);
}
