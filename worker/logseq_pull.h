/*
 * Pulls (logseq.md, section 4.2): rows of the log as they are stored, spliced
 * into an answer.  Over HTTP all of them, as they come; over a WebSocket one
 * frame with the first ones, and "changed" behind it when there are more.
 */
#ifndef QUIRE_LOGSEQ_PULL_H
#define QUIRE_LOGSEQ_PULL_H

#include "worker/logseq.h"
#include "worker/pull.h"

/* Tags of this file; a socket's own are smaller. */
#define LOGSEQ_PULL_TAG 256u

struct logseq_pull {
	struct logseq_web *web;
	uint64_t since;
	uint64_t t;	/* when the pull began */
	uint64_t base;	/* number in the log less t */
	uint64_t after; /* newest number in the answer */
	uint64_t rows;	/* in the answer */
	int more;	/* the log has rows that were not fetched */
	int waiting;	/* for the client to take what is queued */
	char sum[LOGSEQ_SUM_LEN];
	size_t sum_n;
	struct buf page; /* fetched entries; those before used are done with */
	size_t used;
	struct buf out;	  /* of the answer, not sent yet */
	struct pull blob; /* the rest of the row begun last */
	uint64_t news;	  /* a newer t that the client is to be told of */
};

void logseq_pull_init(struct logseq_pull *, struct logseq_web *);
void logseq_pull_free(struct logseq_pull *);
/* Rows with t > since.  A socket is held until the answer is complete. */
void logseq_pull_begin(struct logseq_pull *, uint64_t since);

/* 1: a frame has begun that must be ended before another one. */
static inline int
logseq_pull_writing(const struct logseq_pull *p)
{
	return (pull_active(&p->blob));
}

/* What comes back. */
void logseq_pull_verdict(struct logseq_pull *, const struct verdict_in *);
void logseq_pull_fetched(struct logseq_pull *, const struct fetched_in *);
void logseq_pull_drained(struct logseq_pull *);

/* GET /sync/:id/pull */
extern const struct logseq_steps logseq_pull_steps;

#endif
