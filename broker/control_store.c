/*
 * Commands about one store that is taken out of traffic for them:
 *
 *   export STORE       the stream of export.h and no other line
 *   import [-f] STORE  the stream follows; -f: in the place of one there is
 *   delete STORE       with all that is in it
 *
 * While it is exported its clients wait.  For the other two they are told to
 * go, and newcomers are refused until it is done.
 */
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "broker/control.h"
#include "broker/doc_name.h"
#include "broker/export.h"
#include "broker/garbage.h"
#include "broker/job.h"
#include "broker/quarantine.h"

/* Who asked takes nothing, or sends nothing, for so long: it is gone. */
#define STORE_WAIT_S 60
/* Of the stream, in one step and transaction. */
#define STORE_STEP_BYTES (1024u * 1024u)

struct store_job {
	struct doc *doc;
	struct export *export;
	struct import *import;
	struct buf in;
	int force;
	int ended; /* the stream */
};

static void store_start(struct broker *, struct bufferevent *, const char *,
    const struct job_kind *, enum doc_hold);
static int store_export(struct job *);
static int store_import(struct job *);
static int store_import_some(struct job *);
static int store_import_fits(const struct store_job *);
static int store_import_name(struct job *);
static int store_delete(struct job *);
static int store_alone(struct job *);
static int store_end(struct job *, int);
static void store_changed(struct job *);
static int store_erase(struct job *);
static void store_free(struct job *);
static void store_free_nothing(struct job *);

static const struct job_kind export_kind = { "export", store_export, store_free,
	1 };
static const struct job_kind import_kind = { "import", store_import, store_free,
	1 };
static const struct job_kind delete_kind = { "delete", store_delete, store_free,
	1 };
/* What an import has brought so far is marked as well: it is not erased. */
static const struct job_kind erase_kind = { "erase", store_erase,
	store_free_nothing, 1 };

void
control_export(struct broker *b, struct bufferevent *bev, const char *words)
{
	store_start(b, bev, words, &export_kind, DOC_FROZEN);
}

void
control_import(struct broker *b, struct bufferevent *bev, const char *words)
{
	store_start(b, bev, words, &import_kind, DOC_SHUT);
}

void
control_delete(struct broker *b, struct bufferevent *bev, const char *words)
{
	store_start(b, bev, words, &delete_kind, DOC_SHUT);
}

int
garbage_start(struct broker *b)
{
	const struct job *j;

	if (quarantine_work_rests())
		return (0);
	/* It goes on until it finds nothing. */
	TAILQ_FOREACH(j, &b->jobs, entry)
		if (j->kind == &erase_kind)
			return (0);
	return (job_start(b, &erase_kind, NULL, NULL));
}

static void
store_start(struct broker *b, struct bufferevent *bev, const char *words,
    const struct job_kind *kind, enum doc_hold hold)
{
	const struct timeval wait = { STORE_WAIT_S, 0 };
	struct store_job *s;
	struct buf name = BUF_INIT;
	struct doc_id id;
	int force = strncmp(words, "-f ", 3) == 0;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		control_refuse(bev, "no memory");
	else if (doc_name_parse(bytes_str(words + (force ? 3 : 0)), &name,
		     &id) == -1)
		control_refuse(bev, "that is no name of a store");
	else if ((s->doc = doc_get(b, &id)) == NULL)
		control_refuse(bev, "no memory");
	else if (s->doc->hold != DOC_FREE) {
		control_refuse(bev, "the store is being worked on");
		doc_unref(b, s->doc);
	} else {
		s->doc->hold = hold;
		s->force = force;
		buf_free(&name);
		if (job_start(b, kind, bev, s) == 0)
			bufferevent_set_timeouts(bev, NULL, &wait);
		return;
	}
	buf_free(&name);
	free(s);
}

static int
store_export(struct job *j)
{
	struct store_job *s = j->state;
	struct buf out = BUF_INIT;
	int r = -1;

	if (s->export == NULL)
		s->export = export_new(j->broker->kv, &s->doc->id);
	if (s->export != NULL)
		r = export_step(s->export, &out);
	evbuffer_add(bufferevent_get_output(j->bev), buf_bytes(&out).p,
	    out.len);
	buf_free(&out);
	if (r == -1)
		job_say(j, "error the store is not there, or damaged\n");
	return (r);
}

/* Only when nobody has it open: what was sent to the old is decided first. */
static int
store_import(struct job *j)
{
	struct store_job *s = j->state;

	if (!store_alone(j))
		return (1);
	return (s->ended ? store_import_name(j) : store_import_some(j));
}

static int
store_import_some(struct job *j)
{
	struct store_job *s = j->state;
	struct kv *kv = j->broker->kv;
	struct evbuffer *in = bufferevent_get_input(j->bev);
	size_t n = evbuffer_get_length(in);
	int r = -1, low = space_low(j->broker);
	uint8_t *room;

	n = n > STORE_STEP_BYTES ? STORE_STEP_BYTES : n;
	if (n == 0)
		return (1);
	if ((room = buf_room(&s->in, n)) == NULL || kv->ops->begin(kv) == -1) {
		job_say(j, "error the store cannot be written\n");
		return (-1);
	}
	evbuffer_remove(in, room, n);
	buf_grow(&s->in, n);
	if (s->import == NULL)
		s->import = import_new(kv);
	if (s->import != NULL && !low)
		r = import_feed(s->import, &s->in);
	if (r == -1 || !store_import_fits(s)) {
		kv->ops->abort(kv);
		job_say(j, "error the export %s\n",
		    low			    ? "finds no room on the disk"
			: s->import == NULL ? "finds no memory"
			: r == -1	    ? import_why(s->import)
					    : "is of another dialect");
		return (-1);
	}
	if (kv->ops->commit(kv) == -1)
		return (-1);
	s->ended = r == 0;
	return (1);
}

/* What it holds makes sense to its own dialect, and in a room of that kind. */
static int
store_import_fits(const struct store_job *s)
{
	const struct doc_id *is = import_id(s->import);

	return (is == NULL ||
	    (is->dialect == s->doc->id.dialect && is->room == s->doc->id.room));
}

static int
store_import_name(struct job *j)
{
	struct store_job *s = j->state;
	struct kv *kv = j->broker->kv;
	struct txn t;
	int there;

	txn_init(&t, kv, &s->doc->id);
	there = txn_load(&t);
	txn_done(&t);
	if (there == 1 && !s->force) {
		job_say(j, "error there is such a store already\n");
		return (-1);
	}
	if (there == -1 || kv->ops->begin(kv) == -1)
		return (-1);
	return (store_end(j, import_name(s->import, &s->doc->id)));
}

static int
store_delete(struct job *j)
{
	struct store_job *s = j->state;
	struct kv *kv = j->broker->kv;
	struct txn t;
	int r;

	if (!store_alone(j))
		return (1);
	if (kv->ops->begin(kv) == -1)
		return (-1);
	txn_init(&t, kv, &s->doc->id);
	if ((r = txn_load(&t)) == 1)
		r = garbage_mark(kv, t.doc) == -1 ? -1 : txn_row_drop(&t);
	else if (r == 0) {
		job_say(j, "error there is no such store\n");
		r = -1;
	}
	txn_done(&t);
	return (store_end(j, r));
}

/* Of the transaction: to the disk, unless r is -1.  A step's result. */
static int
store_end(struct job *j, int r)
{
	struct kv *kv = j->broker->kv;

	if (r == -1) {
		kv->ops->abort(kv);
		return (-1);
	}
	if (kv->ops->commit(kv) == -1 || kv->ops->flush(kv) == -1)
		return (-1);
	store_changed(j);
	return (0);
}

/* 1: nobody has the store open; else they are told to go. */
static int
store_alone(struct job *j)
{
	struct store_job *s = j->state;
	struct session *o;

	TAILQ_FOREACH(o, &s->doc->sessions, doc_entry)
		session_kick(o, CODE_KICKED);
	return (s->doc->refs == 1);
}

static void
store_changed(struct job *j)
{
	struct store_job *s = j->state;

	s->doc->loaded = 0;
	if (s->import == NULL)
		garbage_start(j->broker);
}

static int
store_erase(struct job *j)
{
	int r;

	do
		r = garbage_erase(j->broker->kv);
	while (r == 1 && !job_late(j));
	return (r);
}

static void
store_free(struct job *j)
{
	struct store_job *s = j->state;

	/* Before anything of a frozen store is decided. */
	if (s->doc != NULL) {
		s->doc->hold = DOC_FREE;
		doc_unref(j->broker, s->doc);
		batch_kick(j->broker);
	}
	if (s->import != NULL && !j->broker->stopping)
		garbage_start(j->broker); /* what a failed one leaves */
	export_free(s->export);
	import_free(s->import);
	buf_free(&s->in);
	free(s);
}

static void
store_free_nothing(struct job *j)
{
	(void)j;
}
