/*
 * `verify [STORE]': a line a store, as verify_print writes it.  What is damaged
 * goes into quarantine.
 */
#include <stdlib.h>

#include "broker/control.h"
#include "broker/doc_name.h"
#include "broker/job.h"
#include "broker/quarantine.h"
#include "broker/verify.h"

static int control_verify_step(struct job *);
static void control_verify_free(struct job *);
static verify_say control_verify_say;
static verify_late control_verify_late;

static const struct job_kind verify_kind = { "verify", control_verify_step,
	control_verify_free, 1 };

/* The job that a step belongs to: one steps at a time. */
struct control_verify {
	struct verify *v;
	struct job *job;
};

void
control_verify(struct broker *b, struct bufferevent *bev, const char *words)
{
	struct control_verify *c;
	struct buf name = BUF_INIT;
	struct doc_id id;
	int one = words[0] != '\0';

	if (one && doc_name_parse(bytes_str(words), &name, &id) == -1)
		control_refuse(bev, "that is no name of a store");
	else if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->v = verify_new(b->kv, one ? &id : NULL, control_verify_say,
		 control_verify_late, c)) == NULL) {
		control_refuse(bev, "no memory");
		free(c);
	} else
		job_start(b, &verify_kind, bev, c);
	buf_free(&name);
}

static int
control_verify_step(struct job *j)
{
	struct control_verify *c = j->state;
	int r;

	c->job = j;
	if ((r = verify_step(c->v)) != 0)
		return (r);
	if (verify_damaged(c->v) == 0)
		return (0);
	job_say(j, "error %llu of %llu stores damaged\n",
	    (unsigned long long)verify_damaged(c->v),
	    (unsigned long long)verify_seen(c->v));
	return (-1);
}

static void
control_verify_free(struct job *j)
{
	struct control_verify *c = j->state;

	verify_free(c->v);
	free(c);
}

static void
control_verify_say(const struct verify_result *r, void *arg)
{
	struct control_verify *c = arg;
	struct buf line = BUF_INIT;

	/* Between its transactions: verification has none open. */
	if (r->wrong != NULL && r->there)
		quarantine_set(c->job->broker, r->id, ROW_READ_ONLY);
	verify_print(r, &line);
	job_say(c->job, "%.*s", (int)line.len,
	    (const char *)buf_bytes(&line).p);
	buf_free(&line);
}

static int
control_verify_late(void *arg)
{
	struct control_verify *c = arg;

	return (job_late(c->job));
}
