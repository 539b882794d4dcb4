/*
 * The driver of compaction: which document's turn it is, one transaction a step
 * and the row in memory kept true.  What goes is decided in compact_pass.c and
 * by the rules.
 *
 * A step is no batch: nobody waits for it, so it is not flushed, and a crash
 * merely puts back what was dropped.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include <event2/event.h>

#include "broker/compact.h"
#include "broker/compact_pass.h"
#include "broker/compact_space.h"
#include "broker/control.h"
#include "broker/doc_name.h"
#include "broker/job.h"
#include "broker/quarantine.h"
#include "common/limits.h"
#include "common/log.h"

#define COMPACT_EVERY_S 60
/* Worth a look: so much came, and a part of what is there. */
#define COMPACT_FRESH_MIN_BYTES (1u * MIB)
#define COMPACT_FRESH_SHARE	4
/* What must have gone of all for the files to be made smaller. */
#define COMPACT_SPACE_SHARE 8
/* Within the grace time there is little to find: looks are spread over it. */
#define COMPACT_LOOKS_A_GRACE 4

struct compact {
	struct job *job;
	int asked; /* by the operator: every document, and said */
	int one;
	struct doc_id only;
	struct buf only_name;
	struct buf at;
	struct doc *doc;   /* under way, or NULL */
	uint64_t number;   /* of the document that had its name then */
	struct pass *pass; /* NULL: nothing of it may go */
	uint64_t bytes;	   /* it held before */
	uint64_t fresh;	   /* came since the look before */
	uint64_t dropped, dropped_bytes;
	int swept; /* all documents were looked at: on to the pages */
	struct sweep sweep;
};

static int compact_step(struct job *);
static void compact_free(struct job *);
static int compact_next(struct compact *);
static int compact_due(const struct broker *, const struct compact *,
    const struct txn *);
static int compact_some(struct compact *);
static int compact_begin(struct compact *, struct txn *);
static int compact_end(struct compact *, struct txn *, int r);
static int compact_worth(const struct compact *);
static void compact_say(struct compact *, const struct txn *);
static void compact_close(struct compact *);
static void compact_tick(evutil_socket_t, short, void *);
static pass_late compact_late;
static uint64_t compact_before_ms(const struct broker *);

static const struct job_kind compact_kind = { "compact", compact_step,
	compact_free, 1 };

int
compact_init(struct broker *b)
{
	const struct timeval every = { COMPACT_EVERY_S, 0 };

	b->compact_ev = event_new(b->base, -1, EV_PERSIST, compact_tick, b);
	if (b->compact_ev == NULL)
		return (-1);
	return (event_add(b->compact_ev, &every));
}

void
compact_done(struct broker *b)
{
	event_free(b->compact_ev);
}

void
control_compact(struct broker *b, struct bufferevent *bev, const char *words)
{
	struct compact *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		control_refuse(bev, "no memory");
		return;
	}
	c->asked = 1;
	c->one = words[0] != '\0';
	if (c->one &&
	    doc_name_parse(bytes_str(words), &c->only_name, &c->only) == -1) {
		control_refuse(bev, "that is no name of a store");
		buf_free(&c->only_name);
		free(c);
		return;
	}
	job_start(b, &compact_kind, bev, c);
}

static void
compact_tick(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	struct compact *c;

	(void)fd;
	(void)what;
	if (b->conf->compact && TAILQ_EMPTY(&b->jobs) &&
	    (c = calloc(1, sizeof(*c))) != NULL)
		job_start(b, &compact_kind, NULL, c);
}

static int
compact_step(struct job *j)
{
	struct compact *c = j->state;
	int r = 1;

	c->job = j;
	while (r == 1 && !c->swept && !job_late(j)) {
		r = c->doc == NULL ? compact_next(c) : compact_some(c);
		if (r == 0 && compact_worth(c))
			c->swept = r = 1;
	}
	while (r == 1 && c->swept && !job_late(j))
		r = sweep_step(&c->sweep, j->broker->kv);
	if (r == 0 && c->swept)
		quarantine_work_resume(j->broker);
	if (r == -1)
		job_say(j, "error the store cannot be read or written\n");
	return (r);
}

static void
compact_free(struct job *j)
{
	struct compact *c = j->state;

	c->job = j;
	compact_close(c);
	buf_free(&c->only_name);
	buf_free(&c->at);
	buf_free(&c->sweep.from);
	free(c);
}

/* The next document that is worth it; 1, also when it is not; 0: no more. */
static int
compact_next(struct compact *c)
{
	struct broker *b = c->job->broker;
	struct doc_id id = c->only;
	const struct rule *rule;
	struct txn t;
	int found;

	if (c->one)
		found = c->at.len == 0;
	else
		found = txn_doc_next(b->kv, &c->at, &id);
	if (found != 1)
		return (found);
	if (c->one)
		buf_add_u8(&c->at, 1); /* it has had its turn */
	txn_init(&t, b->kv, &id);
	found = txn_load(&t);
	rule = rule_find(id.dialect);
	c->fresh = t.row.fresh;
	if (found == 1 && rule != NULL && compact_due(b, c, &t)) {
		c->bytes = t.row.bytes;
		c->number = t.doc;
		if (rule->compact == NULL ||
		    (c->pass = pass_new(rule->compact, compact_before_ms(b))) !=
			NULL)
			c->doc = doc_get(b, &id);
		if (c->doc == NULL)
			compact_close(c);
	} else if (found == 1 && c->asked)
		compact_say(c, &t);
	else if (found == 0 && c->one)
		job_say(c->job, "error there is no such store\n");
	txn_done(&t);
	return (found == -1 && c->one ? -1 : 1);
}

static int
compact_due(const struct broker *b, const struct compact *c,
    const struct txn *t)
{
	const struct rule *rule = rule_find(t->name.dialect);
	uint64_t rest =
	    (uint64_t)b->conf->compact_grace / COMPACT_LOOKS_A_GRACE;

	if (t->row.closed != ROW_OPEN)
		return (0);
	return (c->asked ||
	    (rule->compact != NULL && t->row.fresh >= COMPACT_FRESH_MIN_BYTES &&
		t->row.fresh >= t->row.bytes / COMPACT_FRESH_SHARE &&
		(uint64_t)time(NULL) >= t->row.looked + rest));
}

/* One transaction.  A document that cannot be gone along is left alone. */
static int
compact_some(struct compact *c)
{
	struct kv *kv = c->job->broker->kv;
	struct txn t;
	int r;

	if ((r = compact_begin(c, &t)) == 0) {
		txn_done(&t);
		compact_close(c);
		return (1);
	}
	if (kv->ops->begin(kv) == -1) {
		txn_done(&t);
		return (-1);
	}
	if (r == 1)
		r = c->pass == NULL
		    ? 0
		    : pass_step(c->pass, &t, compact_late, c->job);
	if (r == 0) {
		c->fresh = t.row.fresh;
		t.row.fresh = c->pass == NULL ? 0 : pass_told(c->pass)->kept;
		t.row.looked = (uint64_t)time(NULL);
		t.row_dirty = 1;
	}
	r = compact_end(c, &t, r);
	if (r == -1 && kv_bdb_failed(kv))
		quarantine_panic(kv, &c->doc->id);
	if (r == -1)
		log_warnx("compaction: a document cannot be gone along: "
			  "verify the store");
	if (r != 1)
		compact_close(c);
	return (1);
}

/* 1; 0: it was dropped or put into quarantine meanwhile; -1. */
static int
compact_begin(struct compact *c, struct txn *t)
{
	struct doc *d = c->doc;
	int r = 1;

	txn_init(t, c->job->broker->kv, &d->id);
	t->conf = c->job->broker->conf;
	t->row_later = 1;
	if (d->loaded) {
		t->doc = d->store_id;
		t->seq = d->seq;
		t->row = d->row;
	} else
		r = txn_load(t);
	return (r == 1 && (t->doc != c->number || t->row.closed != ROW_OPEN)
		? 0
		: r);
}

/* Returns r, or -1 where the transaction could not be kept. */
static int
compact_end(struct compact *c, struct txn *t, int r)
{
	struct kv *kv = c->job->broker->kv;
	struct doc *d = c->doc;

	if (r == -1 || t->failed || txn_row_save(t) == -1) {
		kv->ops->abort(kv);
		r = -1;
	} else if (kv->ops->commit(kv) == -1)
		r = -1;
	if (r != -1) {
		d->store_id = t->doc;
		d->seq = t->seq;
		d->row = t->row;
		d->loaded = 1;
	}
	if (r == 0)
		compact_say(c, t);
	txn_done(t);
	return (r);
}

/* Worth going along all tables: the operator asks, or much of it went. */
static int
compact_worth(const struct compact *c)
{
	struct kv_bdb_stat st;

	if (c->asked)
		return (c->dropped > 0 || quarantine_work_rests());
	if (quarantine_work_rests())
		return (0);
	if (c->dropped_bytes < COMPACT_FRESH_MIN_BYTES)
		return (0);
	kv_bdb_stat(c->job->broker->kv, &st);
	return (c->dropped_bytes >= st.data_bytes / COMPACT_SPACE_SHARE);
}

static void
compact_say(struct compact *c, const struct txn *t)
{
	const struct rule *rule = rule_find(t->name.dialect);
	uint64_t dropped = c->pass == NULL ? 0 : pass_told(c->pass)->dropped;
	char name[DOC_NAME_TEXT_BYTES];

	c->dropped += dropped;
	if (dropped > 0 && c->bytes > t->row.bytes)
		c->dropped_bytes += c->bytes - t->row.bytes;
	if (dropped == 0 && !c->asked)
		return;
	doc_name_text(name, sizeof(name), &t->name);
	if (rule == NULL || rule->compact == NULL)
		job_say(c->job,
		    "%s records %" PRIu64 " bytes %" PRIu64 " fresh %" PRIu64
		    " never\n",
		    name, t->row.records, t->row.bytes, c->fresh);
	else
		job_say(c->job,
		    "%s dropped %" PRIu64 " records %" PRIu64 " bytes %" PRIu64
		    " fresh %" PRIu64 "\n",
		    name, dropped, t->row.records, t->row.bytes, c->fresh);
	log_debug("compaction: %s dropped %" PRIu64, name, dropped);
}

static void
compact_close(struct compact *c)
{
	pass_free(c->pass);
	c->pass = NULL;
	doc_unref(c->job->broker, c->doc);
	c->doc = NULL;
}

static int
compact_late(void *arg)
{
	return (job_late(arg));
}

static uint64_t
compact_before_ms(const struct broker *b)
{
	uint64_t now = (uint64_t)time(NULL) * 1000;
	uint64_t grace = (uint64_t)b->conf->compact_grace * 1000;

	/* What came within this second counts as older, where grace is 0. */
	return (grace == 0 ? now + 1000 : now - grace);
}
