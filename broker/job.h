/*
 * Long work beside live traffic: a job is stepped for a few milliseconds at a
 * time, between batches and never while one is being flushed or an operation
 * is decided apart, so that all it reads is durable and whole.  What it says
 * goes line by line to the operator who asked, if anybody did, and it waits for
 * a slow one.
 */
#ifndef QUIRE_JOB_H
#define QUIRE_JOB_H

#include <event2/bufferevent.h>

#include "broker/broker.h"

struct job;

struct job_kind {
	const char *name;
	/* 1: there is more to do; 0: done; -1: failed, and said so. */
	int (*step)(struct job *);
	void (*free)(struct job *); /* frees state */
	int alone; /* waits for those before it that are alone as well */
};

struct job {
	const struct job_kind *kind;
	struct broker *broker;
	struct bufferevent *bev; /* NULL: nobody asked, or no longer */
	void *state;
	struct event timer;
	int64_t until_us; /* the step should end */
	int stop;	  /* who asked is gone */
	TAILQ_ENTRY(job) entry;
};

/*
 * Takes bev over and the state, also when it fails (-1).  The first step comes
 * after this call.
 */
int job_start(struct broker *, const struct job_kind *, struct bufferevent *,
    void *state);
/* 1: the step has had its time. */
int job_late(const struct job *);
void job_say(struct job *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
/* Ends all, before the loop does. */
void jobs_stop(struct broker *);
#endif
