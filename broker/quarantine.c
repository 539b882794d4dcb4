/* `quarantine [-c | -r] STORE', and what verification finds damaged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/confine.h"
#include "broker/control.h"
#include "broker/doc_name.h"
#include "broker/durable.h"
#include "broker/garbage.h"
#include "broker/job.h"
#include "broker/quarantine.h"
#include "common/log.h"

#define QUARANTINE_NOTES CONFINE_DATA "/quarantine"
#define QUARANTINE_WORK	 CONFINE_DATA "/quarantine.space"

struct quarantine {
	enum row_closed closed;
	struct buf name;
	struct doc_id id;
};

static int quarantine_step(struct job *);
static void quarantine_free(struct job *);
static int quarantine_write(struct broker *, struct doc *, enum row_closed);
static void quarantine_names(struct broker *);
static void quarantine_note(const char *path, const char *line);
static void quarantine_end(void) __attribute__((noreturn));

static const struct job_kind quarantine_kind = { "quarantine", quarantine_step,
	quarantine_free, 0 };

int
quarantine_set(struct broker *b, const struct doc_id *id,
    enum row_closed closed)
{
	static const char *const words[] = { [ROW_OPEN] = "out of quarantine",
		[ROW_READ_ONLY] = "in quarantine, read-only",
		[ROW_CLOSED] = "in quarantine, closed" };
	char name[DOC_NAME_TEXT_BYTES];
	struct doc *d;
	struct session *s;
	int r;

	if (kv_bdb_failed(b->kv))
		quarantine_panic(b->kv, id);
	if ((d = doc_get(b, id)) == NULL)
		return (-1);
	if ((r = quarantine_write(b, d, closed)) == 1) {
		log_warnx("store %s: %s", doc_name_text(name, sizeof(name), id),
		    words[closed]);
		if (closed == ROW_CLOSED)
			TAILQ_FOREACH(s, &d->sessions, doc_entry)
				session_kick(s, CODE_STORAGE);
	}
	doc_unref(b, d);
	return (r);
}

void
quarantine_panic(struct kv *kv, const struct doc_id *id)
{
	char name[DOC_NAME_TEXT_BYTES];

	if (!kv_bdb_damaged(kv))
		quarantine_end();
	doc_name_text(name, sizeof(name), id);
	quarantine_note(QUARANTINE_NOTES, name);
	fatalx(EX_IOERR,
	    "store %s: a page is damaged on the disk; stopping, "
	    "it will be closed after the next start",
	    name);
}

void
quarantine_work_panic(struct kv *kv, const char *work)
{
	if (!kv_bdb_damaged(kv))
		quarantine_end();
	quarantine_note(QUARANTINE_WORK, "a page is damaged");
	fatalx(EX_IOERR,
	    "%s: a page is damaged on the disk; stopping, space is not given "
	    "back until a compaction by command succeeds",
	    work);
}

/* Nothing on the disk is to blame, so there is nothing to close. */
static void
quarantine_end(void)
{
	fatalx(EX_IOERR,
	    "store: the database gave up; stopping, nothing of this was "
	    "acknowledged");
}

int
quarantine_work_rests(void)
{
	return (access(QUARANTINE_WORK, F_OK) == 0);
}

void
quarantine_work_resume(struct broker *b)
{
	if (!quarantine_work_rests())
		return;
	if (unlink(QUARANTINE_WORK) == -1)
		log_warn("%s", QUARANTINE_WORK);
	garbage_start(b);
}

static void
quarantine_note(const char *path, const char *line)
{
	FILE *f = fopen(path, "a");

	if (f == NULL || fprintf(f, "%s\n", line) < 0 || fflush(f) == EOF ||
	    fsync(fileno(f)) == -1 || durable_name(path) == -1)
		log_warn("%s", path);
}

void
quarantine_boot(struct broker *b)
{
	struct buf name = BUF_INIT;
	struct doc_id id;
	char *line = NULL;
	size_t size = 0;
	int done = 1;
	ssize_t n;
	FILE *f;

	if (quarantine_work_rests())
		log_warnx("store: a page is damaged; verify names the store");
	if (quarantine_work_rests() || access(QUARANTINE_NOTES, F_OK) == 0)
		quarantine_names(b);
	if ((f = fopen(QUARANTINE_NOTES, "r")) == NULL)
		return;
	while ((n = getline(&line, &size, f)) > 1)
		/* One that was cut short might name another. */
		if (line[n - 1] == '\n' &&
		    doc_name_parse(bytes_of(line, (size_t)n - 1), &name, &id) ==
			0)
			done &= quarantine_set(b, &id, ROW_CLOSED) != -1;
	free(line);
	fclose(f);
	buf_free(&name);
	if (done && unlink(QUARANTINE_NOTES) == -1)
		log_warn("%s", QUARANTINE_NOTES);
}

/* Without names no store can be found, let alone closed. */
static void
quarantine_names(struct broker *b)
{
	struct buf at = BUF_INIT;
	struct doc_id id;
	int r;

	while ((r = txn_doc_next(b->kv, &at, &id)) == 1)
		continue;
	buf_free(&at);
	if (r == -1)
		fatalx(EX_DATAERR,
		    "name.db: the list of stores is damaged on the disk; "
		    "restore the whole backup");
}

void
control_quarantine(struct broker *b, struct bufferevent *bev, const char *words)
{
	struct quarantine *q;

	if ((q = calloc(1, sizeof(*q))) == NULL) {
		control_refuse(bev, "no memory");
		return;
	}
	q->closed = strncmp(words, "-c ", 3) == 0 ? ROW_CLOSED
	    : strncmp(words, "-r ", 3) == 0	  ? ROW_OPEN
						  : ROW_READ_ONLY;
	if (q->closed != ROW_READ_ONLY)
		words += 3;
	if (doc_name_parse(bytes_str(words), &q->name, &q->id) == -1) {
		control_refuse(bev, "that is no name of a store");
		buf_free(&q->name);
		free(q);
		return;
	}
	job_start(b, &quarantine_kind, bev, q);
}

static int
quarantine_step(struct job *j)
{
	struct quarantine *q = j->state;
	int r = quarantine_set(j->broker, &q->id, q->closed);

	if (r == 1)
		return (0);
	job_say(j, "error %s\n",
	    r == 0 ? "there is no such store" : "the store cannot be written");
	return (-1);
}

static void
quarantine_free(struct job *j)
{
	struct quarantine *q = j->state;

	buf_free(&q->name);
	free(q);
}

static int
quarantine_write(struct broker *b, struct doc *d, enum row_closed closed)
{
	struct txn t;
	int r;

	txn_init(&t, b->kv, &d->id);
	t.row_later = 1;
	if ((r = txn_load(&t)) == 1 && b->kv->ops->begin(b->kv) == -1)
		r = -1;
	if (r == 1) {
		t.row.closed = closed;
		t.row_dirty = 1;
		if (txn_row_save(&t) == -1) {
			b->kv->ops->abort(b->kv);
			r = -1;
		} else if (b->kv->ops->commit(b->kv) == -1 ||
		    b->kv->ops->flush(b->kv) == -1)
			r = -1;
	}
	if (r == 1 && d->loaded)
		d->row.closed = closed;
	txn_done(&t);
	return (r);
}
