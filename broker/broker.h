/*
 * The broker's own objects: sessions (one a worker), documents that somebody
 * has open, and the queue of operations that batches are cut from.
 */
#ifndef QUIRE_BROKER_H
#define QUIRE_BROKER_H

#include <sys/queue.h>

#include <time.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "broker/bounds.h"
#include "broker/claims.h"
#include "broker/config.h"
#include "broker/jwks.h"
#include "broker/keyring.h"
#include "broker/revoke.h"
#include "broker/metrics.h"
#include "broker/rule.h"
#include "broker/statics.h"
#include "broker/subject.h"
#include "broker/ticket.h"
#include "common/bell.h"
#include "common/chan.h"
#include "common/ring.h"

/* A session stops being read while it has so much undone or unread. */
#define SESSION_OPS_MAX	      64
#define SESSION_OPS_MAX_BYTES (1024u * 1024u)
#define SESSION_OUT_MAX_BYTES (1024u * 1024u)
/* Or while so many verdicts are remembered that it has not read; a few times
 * that are the end. */
#define SESSION_UNTOLD_MAX 64
/* Logins refused in a row before a session is ended. */
#define SESSION_REFUSALS_MAX 64
/* How long a worker may take to go when it was told to. */
#define SESSION_KICK_WAIT_S 5
/*
 * All blobs of signals: on their way in, and held in memory until the ring has
 * passed them.
 */
#define SIGNAL_BLOBS_MAX_BYTES ((size_t)256 * 1024 * 1024)
/* Items of a SUBMIT that came as a blob: they are read into memory whole. */
#define BLOB_ITEMS_MAX_BYTES ((uint64_t)128 << 20)
/* The largest blob that is taken at all; dialects have smaller limits. */
#define BLOB_MAX_BYTES ((uint64_t)4 << 30)
/* Blob ids with this bit are signals'. */
#define BLOB_SIGNAL ((uint64_t)1 << 63)

struct apart;
struct broker;
struct doc;
struct flusher;
struct rates;
struct lanes;
struct outcomes;

/* A blob on its way in. */
struct upload {
	uint64_t id;   /* 0: none under way */
	uint64_t size; /* octets so far */
	uint64_t max;
	uint32_t slices;
	int keep;   /* in the store; else in mem */
	int closed; /* a short slice came: it must be the last */
	struct buf mem;
};

#define FINISHED_MAX 2
struct finished {
	uint64_t id;
	uint64_t size;
	struct buf mem;
};

struct session {
	struct broker *broker;
	struct chan chan;
	struct event read_ev;
	struct event write_ev;
	struct event expiry_ev;
	uint64_t id;
	unsigned int refs;     /* operations that name it, and the list */
	unsigned int state;    /* enum ipc_state */
	int dead;	       /* off the list, the descriptor is closed */
	int kicked;	       /* told to go: nothing more is accepted */
	unsigned int refusals; /* logins refused since the last good one */
	uint64_t grants;       /* good ones; op.grant has been under which */
	int64_t until_s;       /* end of the grant, unix time; 0: none */
	int64_t since_s;       /* its start, unix time */
	int has_ring;	       /* it was given doc's */
	int ring_due;	       /* doc's is another, which it is to be given */
	int stalled;	       /* not read for now */
	int again;	       /* the kernel took no descriptors for it */
	int mute;	       /* it takes no more words; what it sent counts */
	int eof;	       /* all it sent has been read */
	int listener;	       /* asks for nothing and takes no place */
	int kept;	       /* by a keeper, see session_new */
	int waits;	       /* its worker waits for the next broker */
	int parting;	       /* and is left to it: this one stops */
	struct {
		uint64_t level, client;
	} watch;	  /* what its worker was told last */
	uint64_t submits; /* SUBMITs taken so far, an earlier broker's too */
	uint64_t among; /* members of doc at an earlier broker; 0: it is new */
	size_t untold;	/* outcomes kept since its answers had all left */
	struct claims claims;
	struct subject *subject; /* the claims'; NULL: without a name */
	enum dialect_id dialect;
	enum scope scope;
	struct doc *doc;
	struct op *leaving; /* made before doc is: there is no staying */
	struct op *opening; /* the last OPEN, until it is answered */
	struct buf card;
	size_t ops, ops_bytes;
	void *area; /* area.h; NULL: it has none */
	struct upload upload;
	struct finished finished[FINISHED_MAX];
	int staging; /* it is on the list of those */
	LIST_ENTRY(session) staging_entry;
	enum {
		SESSION_LANE_NONE,
		SESSION_LANE_WAITS,
		SESSION_LANE_ASKED,
		SESSION_LANE_HAS
	} lane;
	/* The client's socket while it waits, the lane while asked, else -1. */
	int lane_fd;
	struct session *lane_next;
	TAILQ_ENTRY(session) lane_entry; /* while it waits */
	char peer[65];
	TAILQ_ENTRY(session) entry;
	TAILQ_ENTRY(session) doc_entry;
};
TAILQ_HEAD(session_list, session);
LIST_HEAD(staging_list, session);

/* A signal too large for the ring. */
struct signal_blob {
	uint64_t id;
	uint64_t position; /* where its stub ends */
	struct buf body;
	struct doc *doc;
	TAILQ_ENTRY(signal_blob) entry;
	TAILQ_ENTRY(signal_blob) age_entry;
};
TAILQ_HEAD(signal_blobs, signal_blob);

/* What an operator's command does with a document meanwhile. */
enum doc_hold {
	DOC_FREE,
	DOC_SHUT,  /* nobody may open it */
	DOC_FROZEN /* and what its sessions ask for waits */
};

/* Messages of one second. */
struct rate {
	int64_t second;
	int64_t n;
};

struct doc {
	struct doc *next; /* in its hash chain */
	struct doc_id id;
	uint8_t *name;	   /* owns id.name */
	uint64_t store_id; /* 0: nothing stored */
	uint64_t seq;
	struct txn_row row;
	int loaded;	   /* store_id, seq and row are true */
	int dirty;	   /* the row is written at the end of the batch */
	unsigned int refs; /* sessions and operations */
	struct ring ring;
	struct bell bell;
	int reader_fd;	   /* what workers are given */
	int put;	   /* frames that nobody was shown */
	int unrung;	   /* and those that the bell is due for */
	uint64_t begin;	   /* position at which this ring begins */
	uint64_t took;	   /* and behind the newest entry of PUBLISH_TAKES */
	int64_t put_s;	   /* when it was last rung, unix time */
	int64_t renewed_s; /* when it was made, where it is not the first */
	int64_t stale_s; /* somebody who left may see it until then; 0: none */
	enum doc_hold hold;
	struct op *apart; /* decided in parts: all else waits; or NULL */
	struct rate rate; /* of what is written to it */
	struct bounds bounds;
	struct session_list sessions;
	size_t nsessions;
	uint64_t members; /* that the others were told of: absent.c */
	uint64_t expected, returned; /* an earlier broker's */
	struct session *looked;	     /* the session a rule looked at last, */
	size_t looked_at;	     /* and which one it is: decide_cards */
	size_t lanes;		     /* sessions that have one or asked */
	uint64_t lane_doc; /* its name for fan-out, 0: unknown there */
	struct signal_blobs blobs;
};

/* One thing to decide: a message, or a session's leaving. */
struct op {
	struct session *session;
	struct doc *doc;  /* NULL for OPEN until decided */
	int leave;	  /* not a message: the session leaves doc */
	struct buf frame; /* what msg borrows from */
	struct msg msg;
	size_t bytes;
	size_t answer;	 /* octets that a FETCH may give */
	int64_t until_s; /* the session's, when it was asked */
	uint64_t grant;	 /* and the number of its grant */
	uint64_t number; /* of a SUBMIT whose outcome is kept, else 0 */
	/* before deciding, to go back to when the batch fails */
	struct upload upload_was;
	struct finished finished_was[FINISHED_MAX];
	struct buf card_was;
	int attached, detached, carded;
	int had_ring; /* with detached: the session had doc's ring */
	/* decided */
	int done;
	int lengthy; /* too much for a batch, see apart.h */
	int garbage; /* something is to be erased */
	int rated;   /* counted for the rate, also when it is decided again */
	enum code code;
	uint64_t seq;
	uint64_t oldest;
	uint64_t position;
	struct buf info; /* words of the verdict, entries of a fetch */
	struct buf roster;
	struct buf signal; /* the blob of a signal, for its document */
	int more;
	struct effect *effects;
	TAILQ_ENTRY(op) entry;
};
TAILQ_HEAD(op_list, op);

struct broker_count {
	uint64_t sessions_total;
	uint64_t batches;
	uint64_t flushes;
	uint64_t ops;
	uint64_t refused;
	uint64_t frames;
	uint64_t frame_bytes;
	uint64_t failed_batches;
	uint64_t apart;
	uint64_t lanes; /* now */
};

#define DOC_BUCKETS 4096

struct tracer; /* trace.c */
TAILQ_HEAD(tracer_list, tracer);

/* For whom the next batch waits: gather.c. */
struct gather {
	struct event ev;
	size_t crowd; /* operations */
	int over;
};

struct job; /* job.h */
TAILQ_HEAD(job_list, job);

struct broker {
	struct event_base *base;
	struct config *conf;
	struct buf settings;  /* as WELCOME says it; empty: to be said anew */
	char *const *defines; /* settings of the command line */
	size_t ndefines;
	struct keyring *keys;
	struct jwks *jwks;	 /* NULL: no issuer but ourselves */
	struct statics *statics; /* NULL: none */
	struct kv *kv;
	struct revocations *revocations;
	struct rates *rates; /* of subjects */
	struct subjects subjects;
	struct session_list sessions;
	size_t nsessions;
	struct staging_list staging; /* who may have blobs staged, no others */
	size_t nareas;		     /* of sessions */
	uint64_t next_session;
	struct doc *docs[DOC_BUCKETS];
	size_t ndocs;
	struct op_list queue;
	size_t nqueue;
	struct gather gather;
	struct op_list batch; /* decided, its flush under way */
	int flushing;
	size_t single; /* so many batches of one after a failure */
	struct event batch_ev;
	struct event idle_ev; /* looks for silent documents */
	struct flusher *flusher;
	struct apart *apart;
	struct lanes *lanes;
	struct outcomes *outcomes;
	uint8_t ticket_key[TICKET_KEY_BYTES];
	int64_t resume_ms; /* sessions of before may come back until then */
	struct signal_blobs blobs; /* published, the oldest first */
	size_t signal_blob_bytes;  /* these, and those on their way in */
	uint64_t next_signal_blob;
	struct job_list jobs;
	struct tracer_list tracers;
	struct event *compact_ev;
	struct event *metrics_ev;
	int stopping;
	int again;	 /* sessions' descriptors are tried again in a moment */
	time_t space_at; /* when the disk was last looked at */
	int low_space;
	struct broker_count count;
	struct metrics metrics;
};

/* session.c */
/* kept: a keeper has the descriptor as well, so that to close it ends nothing.
 */
void session_new(struct broker *, int fd, int kept);
void session_close(struct session *); /* lets go; freed when unreferenced */
void session_unref(struct session *);
/* Tells it to go and takes it off its document; it is closed if it stays. */
void session_kick(struct session *, enum code);
/* Its grant ends then, or the time that it has to go; at once where there is no
 * memory for a timer. */
void session_expire(struct session *, const struct timeval *after);
/* 1: its grant has; the last second is the one before until_s. */
int session_ended(const struct session *, int64_t now_s);
/* Its subject's; a session without one has none. */
const struct bounds *session_bounds(const struct session *);
/* Octets, the least that its token, its subject and the document (NULL: none)
 * allow; 0: as its dialect's settings say. */
uint64_t session_message_max(const struct session *, const struct doc *);
void session_send(struct session *, const struct msg *);
void session_send_body(struct session *, const struct msg *, struct buf *);
void session_flush(struct session *);
void session_give_ring(struct session *); /* its document's new one */
void session_resume(struct session *);	  /* after operations were done */
void session_process(struct session *);	  /* what was read goes to the gate */

/* sessions.c: each is held while it has its turn, and after one that was closed
 * in its own it is the first's again. */
typedef void session_each(struct session *, void *arg);
void sessions_each(struct broker *, session_each *, void *arg);
/*
 * This broker stops.  Sessions whose workers wait are left to the next one:
 * what they asked is decided and answered, nothing more is read.  Those that
 * have all their answers are closed by sessions_part, and nobody hears that
 * they left. The others are kicked.
 */
void sessions_stop(struct broker *);
void sessions_part(struct broker *);
/* Those that match, once past HELLO and not told yet: how many.  NULL: all. */
typedef int session_match(const struct session *, const void *arg);
size_t session_kick_each(struct broker *, session_match *, const void *arg,
    enum code);
/* An event's: those whose descriptors the kernel did not take. */
void sessions_again(evutil_socket_t, short, void *broker);

/* dispatch.c: the gate.  0, or -1: the session is to be closed. */
int dispatch(struct session *, const struct msg *);

/* handle_*.c: called by the gate, the message is in order.  As dispatch. */
int handle_hello(struct session *, const struct msg *);
int handle_link(struct session *, const struct msg *);
int handle_login(struct session *, const struct msg *);
int handle_resume(struct session *, const struct msg *);
int handle_mint(struct session *, const struct msg *);
int handle_bye(struct session *, const struct msg *);
int handle_tally(struct session *, const struct msg *);
int handle_close(struct session *, const struct msg *);
/* Decided in a batch: queues the message. */
int handle_queue(struct session *, const struct msg *);
int handle_blob_put(struct session *, const struct msg *);
int handle_blob_data(struct session *, const struct msg *);
int handle_blob_done(struct session *, const struct msg *);
/* Gives back what the session holds of signals' blobs. */
void blob_forget(struct session *);
/* It has nothing staged any more (decide_blob.c). */
void staging_end(struct session *);

/* handle_login.c: who the token says it is, at that time. */
enum code login_check(struct session *, const struct msg *, int64_t now_s);
void login_expiry(struct session *);

/* handle_resume.c */
int broker_resumes(const struct broker *); /* 1: sessions may still come back */
void broker_resumes_from(struct broker *); /* now: it has just started */

/* absent.c: sessions of before that do not come back. */
void absent_start(struct broker *, int64_t after_ms);
/* After a session's coming or going was published. */
void absent_moved(struct broker *, const struct op *);

/* doc.c */
struct doc *doc_get(struct broker *, const struct doc_id *);  /* one ref */
struct doc *doc_find(struct broker *, const struct doc_id *); /* none, NULL */
void doc_unref(struct broker *, struct doc *);
int doc_window(struct broker *, struct doc *); /* ring and bell exist */
/* Somebody with its ring has left, who may read until that time (0: for ever):
 * what comes after it goes into another ring. */
void doc_left(struct doc *, int64_t until_s);
/* Before something is put: another ring, if the one there is is stale. */
void doc_freshen(struct broker *, struct doc *);
void doc_idle_start(struct broker *); /* the look-out for silent documents */
void doc_publish(struct broker *, struct doc *, const struct effect *);
/* What was put can be read, and fan-out is told with lanes_flush; who waits
 * for the bell, when it is rung. */
void doc_show(struct broker *, struct doc *);
void doc_ring_bell(struct broker *, struct doc *);
void doc_kick(struct doc *, const struct effect *);

/* doc_blob.c: blobs of signals, once they are published. */
struct signal_blob *doc_blob_find(struct doc *, uint64_t id);
/* Takes the octets of body over; -1: no memory. */
int doc_blob_add(struct broker *, struct doc *, uint64_t id, struct buf *body);
void doc_blobs_settle(struct broker *, struct doc *);
void doc_blobs_free(struct broker *, struct doc *);
/* Forgets the oldest of all, until n octets more are within the bound. */
void doc_blobs_make_room(struct broker *, size_t n);

/* decide.c: what an operation does.  0, or -1: the store failed. */
int decide(struct broker *, struct op *);
void decide_undo(struct op *);
/* The store refused it, after decide_undo: nobody stays who has left. */
void decide_leave_anyway(struct op *);
/* Writes the row of a document, if a decision changed it: 0, -1. */
int decide_save(struct kv *, struct doc *);
int op_writes(const struct op *);
/* decide_join.c: what an OPEN is of; borrows from it. */
struct doc_id decide_open_id(const struct op *);
/* release.c: publishes the effects and sends the answer. */
void release(struct broker *, struct op *);

/* space.c: 1 while the disk has less than free_floor_bytes left. */
int space_low(struct broker *);
/* Whether the operation may write so much more into the handle's document. */
enum code space_refuses(struct broker *, const struct op *, const struct txn *,
    uint64_t more);

/* batch.c */
int batch_init(struct broker *);
void batch_done(struct broker *);
struct op *batch_add(struct broker *, struct session *, struct doc *);
/* The same with one of calloc's, which is the batch's then. */
void batch_put(struct broker *, struct session *, struct doc *, struct op *);
void batch_kick(struct broker *);
void batch_flush(struct broker *); /* what was committed, with the batch */
int batch_idle(const struct broker *);

/* gather.c: who wrote a moment ago is about to write again. */
void gather_init(struct broker *);
void gather_done(struct broker *);
/* 1: the next batch waits for more, and batch_kick comes when it need not. */
int gather_waits(struct broker *);
void gather_flushed(struct broker *); /* the batch is about to be answered */

/* flush.c: what waits for the disk.  done may be called by flusher_start. */
struct flusher *flusher_new(struct event_base *, struct kv *,
    void (*done)(void *), void *);
void flusher_start(struct flusher *);
/* How long the last few took.  Not while one is under way. */
int64_t flusher_mean_us(const struct flusher *);
void flusher_free(struct flusher *);

/* control.c */
void control_accepted(void *broker, int fd);

/* settings.c: the text of WELCOME. */
int settings_pack(const struct config *, struct buf *);

#endif
