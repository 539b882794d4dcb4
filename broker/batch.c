/*
 * Batches: everything that arrived while the last flush ran is decided in one
 * transaction and made durable by one flush.  When nothing is being flushed a
 * lone operation starts at once; behind others the next batch waits a moment
 * for those whom they come from (gather.c).
 *
 * Nothing is read or decided while a flush runs, so every state that a
 * decision or a question sees is durable, or becomes so with its own batch.
 * What takes too long for that is decided apart (apart.h) and has a batch of
 * its own in the end.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "broker/apart.h"
#include "broker/lanes.h"
#include "broker/outcome.h"
#include "broker/quarantine.h"
#include "common/log.h"

#define BATCH_OPS_MAX	4096
#define BATCH_MAX_BYTES ((size_t)4 * 1024 * 1024)

static void batch_run(evutil_socket_t, short, void *);
static void batch_flushed(void *);
static int batch_decide(struct broker *, int writes);
static int batch_cut(struct broker *);
static int batch_waits(struct broker *, const struct op *);
static int batch_newcomer_waits(struct broker *, const struct op *);
static void batch_apart(struct broker *);
static void batch_kept(struct broker *);
static void batch_failed(struct broker *);
static void batch_refused(struct broker *);
static void batch_release(struct broker *);
static void batch_free(struct broker *, struct op *);

int
batch_init(struct broker *b)
{
	TAILQ_INIT(&b->queue);
	TAILQ_INIT(&b->batch);
	TAILQ_INIT(&b->blobs);
	event_assign(&b->batch_ev, b->base, -1, EV_PERSIST, batch_run, b);
	/* After the inboxes of all sessions that are ready: drain first. */
	event_priority_set(&b->batch_ev, 1);
	gather_init(b);
	b->flusher = flusher_new(b->base, b->kv, batch_flushed, b);
	b->apart = apart_new(b);
	return (b->flusher == NULL || b->apart == NULL ? -1 : 0);
}

void
batch_done(struct broker *b)
{
	flusher_free(b->flusher);
	b->flusher = NULL;
	apart_free(b->apart);
	b->apart = NULL;
	event_del(&b->batch_ev);
	gather_done(b);
}

struct op *
batch_add(struct broker *b, struct session *s, struct doc *d)
{
	struct op *op = calloc(1, sizeof(*op));

	if (op != NULL)
		batch_put(b, s, d, op);
	return (op);
}

void
batch_put(struct broker *b, struct session *s, struct doc *d, struct op *op)
{
	op->session = s;
	op->until_s = s->until_s;
	op->grant = s->grants;
	s->refs++;
	s->ops++;
	if ((op->doc = d) != NULL)
		d->refs++;
	op->msg.type = IPC_COUNT; /* nothing, until it is filled in */
	TAILQ_INSERT_TAIL(&b->queue, op, entry);
	b->nqueue++;
}

void
batch_kick(struct broker *b)
{
	if (!b->flushing && (!TAILQ_EMPTY(&b->queue) || apart_waits(b)))
		event_active(&b->batch_ev, EV_TIMEOUT, 0);
	apart_kick(b);
}

int
batch_idle(const struct broker *b)
{
	return (!b->flushing && TAILQ_EMPTY(&b->queue) && apart_idle(b));
}

static void
batch_run(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	int writes;

	(void)fd;
	(void)what;
	if (!b->flushing && apart_due(b))
		apart_step(b);
	if (b->flushing)
		return;
	if (apart_waits(b)) {
		batch_apart(b);
		return;
	}
	if (gather_waits(b))
		return;
	writes = batch_cut(b);
	if (TAILQ_EMPTY(&b->batch))
		return; /* all of it waits for a frozen document */
	b->count.batches++;
	if (batch_decide(b, writes) == -1) {
		batch_failed(b);
		return;
	}
	if (!writes)
		b->kv->changed = 0;
	batch_kept(b);
}

/* A batch of one, which is decided already. */
static void
batch_apart(struct broker *b)
{
	struct op *op = apart_decided(b);

	if (apart_keep(b, op) == -1) {
		batch_kick(b);
		return;
	}
	b->count.batches++;
	b->count.ops++;
	metrics_batch(b, 1);
	TAILQ_INSERT_TAIL(&b->batch, op, entry);
	batch_kept(b);
}

/* Coming and going leave no trace in most documents. */
static void
batch_kept(struct broker *b)
{
	if (!b->kv->changed) {
		batch_release(b);
		return;
	}
	b->count.flushes++;
	batch_flush(b);
}

void
batch_flush(struct broker *b)
{
	b->flushing = 1;
	metrics_flush(b);
	flusher_start(b->flusher);
}

/* Moves the head of the queue into the batch.  1: some of it writes. */
static int
batch_cut(struct broker *b)
{
	size_t n = 0, bytes = 0, max = BATCH_OPS_MAX;
	struct op *op, *next;
	int writes = 0;

	if (b->single > 0) {
		b->single--;
		max = 1;
	}
	for (op = TAILQ_FIRST(&b->queue);
	     op != NULL && n < max && bytes < BATCH_MAX_BYTES; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (batch_waits(b, op))
			continue;
		TAILQ_REMOVE(&b->queue, op, entry);
		b->nqueue--;
		if (apart_take(b, op))
			continue;
		TAILQ_INSERT_TAIL(&b->batch, op, entry);
		writes |= op_writes(op);
		bytes += op->bytes;
		n++;
	}
	b->count.ops += n;
	if (n > 0)
		metrics_batch(b, n);
	return (writes);
}

/* Behind a CLOSE that waits, an OPEN waits as well. */
static int
batch_waits(struct broker *b, const struct op *op)
{
	const struct doc *d = op->doc != NULL ? op->doc : op->session->doc;

	if (d == NULL)
		return (batch_newcomer_waits(b, op));
	return (d->hold == DOC_FROZEN || d->apart != NULL);
}

/* A document between two states is shown to nobody; what is asked of it before
 * it is open waits with the OPEN. */
static int
batch_newcomer_waits(struct broker *b, const struct op *op)
{
	const struct doc *d;
	struct doc_id id;

	if (op->msg.type == IPC_FETCH)
		op = op->session->opening;
	if (op == NULL || op->msg.type != IPC_OPEN || apart_idle(b))
		return (0);
	id = decide_open_id(op);
	return ((d = doc_find(b, &id)) != NULL && d->apart != NULL);
}

static int
batch_decide(struct broker *b, int writes)
{
	const struct kv_ops *kv = b->kv->ops;
	struct op *op;

	if (writes && kv->begin(b->kv) == -1)
		return (-1);
	TAILQ_FOREACH(op, &b->batch, entry)
		if (decide(b, op) == -1) {
			if (!apart_over(b, op) && kv_bdb_failed(b->kv) &&
			    op->doc != NULL)
				quarantine_panic(b->kv, &op->doc->id);
			if (writes)
				kv->abort(b->kv);
			return (-1);
		}
	if (!writes)
		return (0);
	TAILQ_FOREACH(op, &b->batch, entry)
		if (op->doc != NULL && decide_save(b->kv, op->doc) == -1) {
			kv->abort(b->kv);
			return (-1);
		}
	if (b->kv->changed && outcomes_save(b, &b->batch) == -1) {
		kv->abort(b->kv);
		return (-1);
	}
	return (kv->commit(b->kv));
}

/*
 * Nothing of a failed batch happened.  Several operations are tried again one
 * by one, so that only the one that cannot be done is refused; and all as they
 * are without one that turned out to be too long.
 */
static void
batch_failed(struct broker *b)
{
	struct op *op;
	size_t n = 0;
	int lengthy = 0;

	if (kv_bdb_failed(b->kv))
		fatalx(EX_IOERR,
		    "store: the database gave up; stopping, nothing of this "
		    "was acknowledged");
	TAILQ_FOREACH_REVERSE(op, &b->batch, op_list, entry)
	{
		decide_undo(op);
		lengthy |= op->lengthy;
		n++;
	}
	if (!lengthy)
		b->count.failed_batches++;
	if (n > 1 || lengthy) {
		while ((op = TAILQ_LAST(&b->batch, op_list)) != NULL) {
			TAILQ_REMOVE(&b->batch, op, entry);
			TAILQ_INSERT_HEAD(&b->queue, op, entry);
			b->nqueue++;
		}
		b->single += lengthy ? 0 : n;
		batch_kick(b);
		return;
	}
	batch_refused(b);
}

static void
batch_refused(struct broker *b)
{
	struct op *op = TAILQ_FIRST(&b->batch);

	log_warnx("store: %s of session %llu failed, refused",
	    op->leave ? "leave" : ipc_name(op->msg.type),
	    (unsigned long long)op->session->id);
	op->code = CODE_STORAGE;
	decide_leave_anyway(op);
	batch_release(b);
}

static void
batch_flushed(void *arg)
{
	struct broker *b = arg;

	b->flushing = 0;
	metrics_flushed(b);
	apart_flushed(b);
	gather_flushed(b);
	batch_release(b);
}

static void
batch_release(struct broker *b)
{
	struct op *op;

	TAILQ_FOREACH(op, &b->batch, entry)
		release(b, op);
	TAILQ_FOREACH(op, &b->batch, entry)
		if (op->doc != NULL)
			doc_show(b, op->doc);
	lanes_flush(b); /* before the bells: it writes to most */
	TAILQ_FOREACH(op, &b->batch, entry)
		if (op->doc != NULL)
			doc_ring_bell(b, op->doc);
	TAILQ_FOREACH(op, &b->batch, entry)
		session_flush(op->session);
	outcomes_keep(b, &b->batch);
	while ((op = TAILQ_FIRST(&b->batch)) != NULL) {
		TAILQ_REMOVE(&b->batch, op, entry);
		batch_free(b, op);
	}
	batch_kick(b);
}

static void
batch_free(struct broker *b, struct op *op)
{
	struct session *s = op->session;

	if (op->doc != NULL && op->doc->apart == op)
		op->doc->apart = NULL;
	if (s->opening == op)
		s->opening = NULL;
	s->ops--;
	s->ops_bytes -= op->bytes + op->answer;
	session_resume(s);
	session_unref(s);
	doc_unref(b, op->doc);
	effect_free(op->effects);
	buf_free(&op->frame);
	buf_free(&op->info);
	buf_free(&op->roster);
	b->signal_blob_bytes -= op->signal.len;
	buf_free(&op->signal);
	buf_free(&op->card_was);
	free(op);
}
