/*
 * What the operator takes back of tokens:
 *
 *	revoke KIND BEFORE UNTIL [TEXT]
 *	forgive KIND BEFORE UNTIL [TEXT]
 *	revocations
 *
 * BEFORE and UNTIL are unix times; 0: now, and for ever.
 *
 * A revocation is on disk before anybody is told to go, and everybody is told
 * before the answer.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "broker/control.h"
#include "broker/doc_name.h"
#include "broker/job.h"
#include "common/log.h"

struct revoke_job {
	struct revocation r;
	struct buf text;
	int forgive;
};

static void revoke_start(struct broker *, struct bufferevent *, const char *,
    int forgive);
static int revoke_words(struct revoke_job *, const char *);
static int revoke_number(const char **words, int64_t *);
static int revoke_step(struct job *);
static void revoke_job_free(struct job *);
static session_match revoke_concerns;
static revocation_each revoke_line;

static const struct job_kind revoke_kind = { "revoke", revoke_step,
	revoke_job_free, 0 };

void
control_revoke(struct broker *b, struct bufferevent *bev, const char *words)
{
	revoke_start(b, bev, words, 0);
}

void
control_forgive(struct broker *b, struct bufferevent *bev, const char *words)
{
	revoke_start(b, bev, words, 1);
}

void
control_revocations(struct broker *b, struct bufferevent *bev,
    const char *words)
{
	(void)words;
	revocations_each(b->revocations, revoke_line,
	    bufferevent_get_output(bev));
	control_answered(bev);
}

static void
revoke_start(struct broker *b, struct bufferevent *bev, const char *words,
    int forgive)
{
	struct revoke_job *job = calloc(1, sizeof(*job));

	if (job == NULL) {
		control_refuse(bev, "no memory");
		return;
	}
	job->forgive = forgive;
	if (revoke_words(job, words) == 0) {
		job_start(b, &revoke_kind, bev, job);
		return;
	}
	control_refuse(bev, "that is nothing to revoke");
	buf_free(&job->text);
	free(job);
}

static int
revoke_words(struct revoke_job *job, const char *words)
{
	struct revocation *r = &job->r;
	size_t n = strcspn(words, " ");

	r->made = (int64_t)time(NULL);
	r->kind = revoke_kind_find(bytes_of(words, n));
	words += n;
	if (revoke_number(&words, &r->before) == -1 ||
	    revoke_number(&words, &r->until) == -1)
		return (-1);
	doc_name_unquote(bytes_str(words + (*words == ' ')), &job->text);
	r->text = buf_bytes(&job->text);
	if (r->before == 0)
		r->before = r->made;
	return (job->text.failed || r->kind == REVOKE_KINDS ||
		    r->text.n > REVOKE_TEXT_MAX ||
		    (r->kind == REVOKE_ALL) != (r->text.n == 0)
		? -1
		: 0);
}

/* A blank and a number, which is clamped where it does not fit. */
static int
revoke_number(const char **words, int64_t *n)
{
	char *end;

	*n = strtoll(*words, &end, 10);
	if (end == *words || **words != ' ')
		return (-1);
	*words = end;
	return (0);
}

/* Between batches, so that no other transaction is open. */
static int
revoke_step(struct job *j)
{
	struct revoke_job *job = j->state;
	struct broker *b = j->broker;
	int r;

	if (revocations_expire(b->revocations, job->r.made) == -1)
		r = -1;
	else if (job->forgive)
		r = revocations_drop(b->revocations, job->r.kind, job->r.text);
	else
		r = revocations_add(b->revocations, &job->r);
	if (r == -1)
		job_say(j, "error the store cannot be written\n");
	else if (job->forgive && r == 0)
		job_say(j, "error there is no such revocation\n");
	if (r == -1 || (job->forgive && r == 0))
		return (-1);
	log_info("tokens %s by %s", job->forgive ? "forgiven" : "revoked",
	    revoke_kind_name(job->r.kind));
	if (!job->forgive)
		job_say(j, "%zu\n",
		    session_kick_each(b, revoke_concerns, &job->r,
			CODE_REVOKED));
	return (0);
}

static void
revoke_job_free(struct job *j)
{
	struct revoke_job *job = j->state;

	buf_free(&job->text);
	free(job);
}

/* Without a login there are no claims. */
static int
revoke_concerns(const struct session *s, const void *arg)
{
	return (s->claims.text != NULL && revocation_holds(arg, &s->claims));
}

static void
revoke_line(const struct revocation *r, void *arg)
{
	char text[4 * REVOKE_TEXT_MAX + 1];

	evbuffer_add_printf(arg,
	    "%s %" PRId64 " %" PRId64 " %" PRId64 " \"%s\"\n",
	    revoke_kind_name(r->kind), r->made,
	    r->kind == REVOKE_JTI ? 0 : r->before, r->until,
	    log_quote(text, sizeof(text), r->text));
}
