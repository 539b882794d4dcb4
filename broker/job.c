/* Stepping of jobs; what they do lives elsewhere. */
#include <stdarg.h>
#include <stdlib.h>

#include <event2/buffer.h>

#include "broker/apart.h"
#include "broker/control.h"
#include "broker/job.h"
#include "broker/quarantine.h"
#include "common/clock.h"

/* Work and rest in turn: half of the loop when somebody waits, else a tenth. */
#define JOB_STEP_US	    4000
#define JOB_REST_ASKED_US   4000
#define JOB_REST_UNASKED_US 36000
#define JOB_RETRY_US	    500
/* What a slow operator may leave unread before the job waits. */
#define JOB_UNREAD_MAX_BYTES ((size_t)1024 * 1024)
/*
 * What is read ahead of the steps.  A high-water mark would do, but libevent
 * does not survive a lack of memory when it sets one.
 */
#define JOB_AHEAD_MAX_BYTES ((size_t)2 * 1024 * 1024)

static void job_run(evutil_socket_t, short, void *);
static int job_waits(const struct job *);
static void job_heard(struct bufferevent *, void *);
static void job_hear(struct job *);
static void job_again(struct job *, long us);
static void job_end(struct job *);
static void job_written(struct bufferevent *, void *);
static void job_closed(struct bufferevent *, short, void *);
static void job_gone(struct bufferevent *, short, void *);

int
job_start(struct broker *b, const struct job_kind *kind,
    struct bufferevent *bev, void *state)
{
	struct job *j;

	if ((j = calloc(1, sizeof(*j))) == NULL) {
		struct job none = { .kind = kind, .state = state };

		kind->free(&none);
		if (bev != NULL)
			bufferevent_free(bev);
		return (-1);
	}
	j->kind = kind;
	j->broker = b;
	j->bev = bev;
	j->state = state;
	evtimer_assign(&j->timer, b->base, job_run, j);
	event_priority_set(&j->timer, 1);
	if (bev != NULL) {
		bufferevent_setcb(bev, job_heard, NULL, job_gone, j);
		bufferevent_set_timeouts(bev, NULL, NULL);
		bufferevent_set_max_single_read(bev, 0); /* the default */
		bufferevent_enable(bev, EV_READ);	 /* to see it leave */
	}
	TAILQ_INSERT_TAIL(&b->jobs, j, entry);
	job_again(j, 0);
	return (0);
}

int
job_late(const struct job *j)
{
	return (clock_us() >= j->until_us);
}

void
job_say(struct job *j, const char *fmt, ...)
{
	va_list ap;

	if (j->bev == NULL)
		return;
	va_start(ap, fmt);
	evbuffer_add_vprintf(bufferevent_get_output(j->bev), fmt, ap);
	va_end(ap);
}

void
jobs_stop(struct broker *b)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&b->jobs)) != NULL) {
		job_say(j, "error the broker stops\n");
		job_end(j);
	}
}

static void
job_run(evutil_socket_t fd, short what, void *arg)
{
	struct job *j = arg;
	int r;

	(void)fd;
	(void)what;
	if (j->stop) {
		job_end(j);
		return;
	}
	if (job_waits(j)) {
		job_again(j, JOB_RETRY_US);
		return;
	}
	j->until_us = clock_us() + JOB_STEP_US;
	if ((r = j->kind->step(j)) == 1) {
		job_hear(j);
		job_again(j,
		    j->bev == NULL ? JOB_REST_UNASKED_US : JOB_REST_ASKED_US);
		return;
	}
	if (r == -1 && kv_bdb_failed(j->broker->kv))
		quarantine_work_panic(j->broker->kv, j->kind->name);
	if (r == 0)
		job_say(j, "done\n");
	job_end(j);
}

static int
job_waits(const struct job *j)
{
	const struct job *before = j;

	if (j->broker->flushing || apart_busy(j->broker) ||
	    (j->bev != NULL &&
		evbuffer_get_length(bufferevent_get_output(j->bev)) >
		    JOB_UNREAD_MAX_BYTES))
		return (1);
	while (j->kind->alone &&
	    (before = TAILQ_PREV(before, job_list, entry)) != NULL)
		if (before->kind->alone)
			return (1);
	return (0);
}

static void
job_heard(struct bufferevent *bev, void *arg)
{
	(void)arg;
	if (evbuffer_get_length(bufferevent_get_input(bev)) >=
	    JOB_AHEAD_MAX_BYTES)
		bufferevent_disable(bev, EV_READ);
}

/* Enabled twice, its time would begin anew with each step. */
static void
job_hear(struct job *j)
{
	if (j->bev != NULL &&
	    (bufferevent_get_enabled(j->bev) & EV_READ) == 0 &&
	    evbuffer_get_length(bufferevent_get_input(j->bev)) <
		JOB_AHEAD_MAX_BYTES)
		bufferevent_enable(j->bev, EV_READ);
}

static void
job_again(struct job *j, long us)
{
	const struct timeval after = { 0, us };

	if (event_add(&j->timer, &after) == -1)
		event_active(&j->timer, EV_TIMEOUT, 0);
}

/* What was said still goes out. */
static void
job_end(struct job *j)
{
	struct bufferevent *bev = j->bev;

	TAILQ_REMOVE(&j->broker->jobs, j, entry);
	event_del(&j->timer);
	j->kind->free(j);
	free(j);
	if (bev == NULL)
		return;
	bufferevent_setcb(bev, NULL, job_written, job_closed, NULL);
	control_send(bev);
}

static void
job_written(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_free(bev);
}

static void
job_closed(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(bev);
}

/* Who asked has left: the job ends at its next step. */
static void
job_gone(struct bufferevent *bev, short what, void *arg)
{
	struct job *j = arg;

	(void)what;
	j->bev = NULL;
	j->stop = 1;
	bufferevent_free(bev);
}
