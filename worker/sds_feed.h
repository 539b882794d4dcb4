/*
 * What a client is given out of the store instead of the ring: the replay when
 * it comes, what it missed when it fell behind, a value it asks for, an entry
 * too large for the ring.  One job at a time, pulled as the client takes it;
 * the ring's reader stands still meanwhile and goes on when the job is done.
 */
#ifndef QUIRE_SDS_FEED_H
#define QUIRE_SDS_FEED_H

#include "worker/conn.h"
#include "worker/pull.h"
#include "worker/sds_out.h"

enum sds_feed_step {
	SDS_FEED_IDLE,
	SDS_FEED_FIELDS, /* values by number */
	SDS_FEED_LOG,	 /* patches by number */
	SDS_FEED_VALUE,	 /* one value by key */
	SDS_FEED_SIGNAL	 /* a signal's blob */
};

struct sds_feed {
	struct conn *conn;
	enum sds_feed_step step;
	enum sds_feed_step next; /* after step, with the same numbers */
	uint64_t after;		 /* numbers of the job: after < n <= upto */
	uint64_t upto;
	uint64_t at;   /* newest number received in this step, sent or not */
	uint64_t live; /* where the ring goes on */
	int whole;     /* a value is one frame, whatever its size */
	int skip_own;  /* what this session wrote is not sent */
	int asked;     /* an answer is awaited */
	int ahead;     /* and one for the step to come */
	int more;      /* the step is not at its end with this page */
	int missing;   /* no such value: set when a job ends, for the caller */
	uint8_t key[SDS_KEY_BYTES];
	struct buf page; /* entries, those before `used` are done with */
	size_t used;
	struct bytes fresh; /* in place of page, while an answer is here */
	int blobs;	    /* some of them have a blob */
	struct pull pull;
	struct sds_out out;
	int text; /* a signal that is text: gathered, then looked at */
	struct buf gathered;
};

void sds_feed_init(struct sds_feed *, struct conn *);
void sds_feed_free(struct sds_feed *);

/* As upto: what is newest when the first answer comes. */
#define SDS_FEED_NEWEST UINT64_MAX

/* Jobs; only while idle.  Each begins at once; see sds_feed_run. */
/* All there is; it is asked for here, and may be before the room is open. */
void sds_feed_all(struct sds_feed *);
void sds_feed_history(struct sds_feed *, uint64_t after, uint64_t upto,
    int skip_own);
void sds_feed_stub(struct sds_feed *, const struct entry *, int typed);
void sds_feed_value(struct sds_feed *, const uint8_t key[SDS_KEY_BYTES]);

/* An answer of the broker.  CODE_OK, or why the client must go. */
enum code sds_feed_fetched(struct sds_feed *, const struct fetched_in *);
/*
 * Goes on as far as output and answers allow; to be called when the output
 * has drained.  CODE_OK, or why the client must go.
 */
enum code sds_feed_run(struct sds_feed *);

#endif
