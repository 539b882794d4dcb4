/*
 * The inside of a connection, for the files that make it up and for no dialect:
 * serve.c (beginning and end), conn.c (loop), conn_time.c (deadlines),
 * exchange.c (HTTP requests), frames.c (WebSocket in), output.c (everything
 * out), reply.c (HTTP answers), link.c (the broker), again.c (the next broker),
 * submit.c (large bodies), reader.c (the ring), verdicts.c (what waits for the
 * reader), missed.c (what came before it), confine.c (the sandbox), unserved.c
 * (when there is no broker).
 *
 * A step function does one thing and returns 1, or returns 0 when there is
 * nothing it could do now; conn.c calls them in turn until all return 0.
 */
#ifndef QUIRE_CONN_INTERNAL_H
#define QUIRE_CONN_INTERNAL_H

#include "common/sandbox.h"
#include "common/lane.h"
#include "worker/again.h"
#include "worker/lent.h"
#include "worker/conn.h"
#include "worker/kept.h"
#include "worker/poller.h"
#include "worker/reader.h"
#include "worker/source.h"
#include "worker/tally.h"

#define CONN_READ_BYTES	 (16u * 1024u)
#define CONN_FIRST_BYTES 2048u /* where more is not expected */
#define CONN_SMALL_BYTES 4096u
#define CONN_INPUT_BYTES (64u * 1024u)	 /* of input kept unparsed at most */
#define CONN_HIGH_BYTES	 (1024u * 1024u) /* queued: the client is not read */
#define CONN_VERDICTS	 1024u		 /* the same, verdicts waiting */

#define CONN_WELCOME_MS 10000
#define CONN_CLOSE_MS	5000 /* for the client's close frame */
#define CONN_LINGER_MS	1000
#define CONN_MISSED	2 /* pings without an answer */

enum conn_phase {
	CONN_HEAD,    /* a request's head is being read */
	CONN_BODY,    /* its body */
	CONN_WAIT,    /* the dialect owes the answer */
	CONN_WS,      /* frames */
	CONN_CLOSING, /* our close frame is queued, the client's is awaited */
	CONN_DRAIN,   /* what is queued goes out, then the end */
	CONN_LINGER,  /* our side is shut, the client's end is awaited */
	CONN_DEAD
};

/* One HTTP request while it is read and answered. */
struct exchange {
	struct http_request request; /* slices good until the hook returns */
	struct http_upgrade upgrade;
	struct http_chunked chunked;
	struct buf body;
	uint64_t body_max;
	uint64_t left;	/* octets of a body with a length */
	int is_upgrade; /* asked for by the request */
	int is_head;
	int answered; /* the answer has begun */
	int finished; /* and ended */
	int close;    /* the connection ends with it */
	int waits;    /* the client, to be told that the body is wanted */
	int pieces;   /* the answer is chunked */
};

/* Who may write to the client, see turn.c. */
struct turn {
	enum {
		TURN_NONE,    /* no lane: ours for good */
		TURN_REFUSED, /* and none to be had */
		TURN_ASKED,
		TURN_OURS,
		TURN_GIVEN /* fan-out's */
	} state;
	struct lane lane;
	int deaf;	 /* the bell is not waited for */
	int64_t busy_at; /* since then fan-out has been writing, 0: it is not */
};

struct conn {
	int fd; /* owned */
	char peer[64];
	int proxied;			 /* the peer is a listed proxy */
	int introduced;			 /* and has had its chance to say so */
	int granted;			 /* a token of the client's was good */
	enum source_end end;		 /* what a listener is told */
	const struct sandbox_plan *plan; /* borrowed */
	const struct conn_news *news;	 /* borrowed */
	int confined; /* the plan was carried out, or failed */
	int unserved; /* unserved() was called */
	enum conn_phase phase;
	struct poller poller;
	struct settings settings;
	const struct dialect *dialect; /* NULL before the first request */
	void *state;

	/* client */
	struct buf in;
	struct buf out;
	struct buf later;    /* control frames held up by a frame half queued */
	uint64_t frame_left; /* of conn_begin's payload */
	int many;	     /* the last read had much */
	int eof;	     /* the client sends no more */
	int held;	     /* conn_hold */
	int filled;	     /* out was over CONN_LOW_BYTES: drained() is due */
	int quick;     /* nothing to linger for: the close was agreed on */
	int ending;    /* the worker was told to stop */
	int finishing; /* and does so when the client's words are answered */
	int busy;      /* the turn ended before its work: no waiting */
	int rung;      /* the bell has */
	int rested;    /* memory_rest was called */
	int starved;   /* the log was told that there is none */
	int leaving; /* the client closes, its last words are not stored yet */
	unsigned leave_code; /* that it closes with, 0: none */
	struct exchange *exchange;
	struct ws ws;
	uint64_t ws_max; /* octets of a message, whatever the grant */
	struct buf message;

	/* broker */
	struct chan link;
	int welcome;	  /* WELCOME has come */
	int lost;	  /* the link has ended */
	int document;	  /* OPEN was sent, CLOSE was not */
	unsigned opening; /* OPENs without their OPENED */
	uint64_t session;
	int64_t until_s;      /* end of the grant, unix time; 0: none */
	uint64_t message_max; /* of the grant or the document, octets */
	struct kept_list ops; /* behind a large body, in order */
	struct {
		uint64_t tag;  /* of the blob under way, 0 none */
		uint64_t next; /* for the next tag */
		size_t sent;   /* octets of it */
		int done;      /* BLOB_DONE was sent */
		unsigned field;
	} blob;
	struct lent lent;
	struct reader reader;
	struct tally tally;
	int watched; /* an operator wants to see the client's messages */
	struct turn turn;
	struct again again;

	/* monotonic milliseconds; deadlines are 0 when there is none */
	int64_t now_ms;
	int64_t phase_at;   /* end of this phase */
	int64_t message_at; /* end of an unfinished message */
	int64_t idle_at;
	int64_t ping_at;
	int64_t timer_at;
	int64_t write_ms; /* when the client last took something */
	unsigned missed;  /* pings since the client was last heard */
};

/* --- serve.c --- */
/* What a listener tells a worker. */
struct conn_news {
	/* What it saw since the worker before, for the broker. */
	uint64_t crashed, turned;
	const struct settings *settings; /* NULL: the broker did not say */
	int full;			 /* there is no place for this client */
};

/*
 * Serves one client to its end; takes the descriptor over.  peer: its address
 * for people; the plan is carried out before the client is read.  Returns an
 * exit status, an enum source_end.  link: to the broker, from a keeper, taken
 * over, or -1: the worker connects by itself.
 */
int conn_serve(int fd, const char *broker, const char *peer, int link,
    const struct sandbox_plan *, const struct conn_news *);

/* --- conn.c --- */
/* To the client's end; *stop: a signal said that it is to come soon. */
void conn_loop(struct conn *, const sigset_t *waiting,
    const volatile sig_atomic_t *stop);
/* The broker ended the session, went away, or the worker must stop. */
void conn_kicked(struct conn *, enum code, unsigned close_code);
/* 1: what the client sends must wait. */
int conn_blocked(const struct conn *);
/* 1: finishing, and all that has come is answered: no waiting. */
int conn_finished(const struct conn *);

/* --- conn_time.c --- */
void conn_phase(struct conn *, enum conn_phase, int64_t end_ms); /* from now */
int conn_wait_ms(const struct conn *); /* to the first deadline; -1: none */
void conn_timers(struct conn *);       /* does what is due */

/* --- unserved.c --- */
/* From now on: there is no broker, and each request is refused. */
void unserved(struct conn *);
void unserved_plain(struct conn *); /* refused before any request */

/* --- introduce.c --- */
/* 1: go on to the request; 0: what the proxy says has not come whole. */
int introduce_header(struct conn *);
void introduce_forwarded(struct conn *, const struct http_request *);

/* --- note.c --- */
/* A message from and to the client: its opcode (0: HTTP) and octets. */
void note_heard(struct conn *, unsigned int kind, uint64_t size);
void note_said(struct conn *, unsigned int kind, uint64_t size);
struct iovec;
void note_frames(struct conn *, const struct iovec *, int n);
int note_watch(struct conn *, const struct msg *);
int note_level(uint64_t); /* as the broker says; -1: there is none such */

/* --- confine.c --- */
int confine(struct conn *); /* 0, or -1: this client must not be served */

/* --- exchange.c --- */
int exchange_step(struct conn *);
/* Of a message from now on, octets; 0: as the settings say. */
void conn_message_limit(struct conn *, uint64_t octets);
void exchange_free(struct conn *);

/* --- frames.c --- */
int frames_step(struct conn *);

/* --- output.c --- */
void output_add(struct conn *, struct bytes);
void output_control(struct conn *, unsigned int opcode, struct bytes);
void output_flush(struct conn *);

/* --- reply.c --- */
void reply_text(struct conn *, unsigned status, const char *text);
void reply_bare(struct conn *, unsigned status); /* and closes */
void reply_switch(struct conn *, struct bytes protocol);
/*
 * 503 to a client that nobody will serve, and the end of the descriptor, after
 * at most wait_ms for the client to take it.
 */
void reply_unavailable(int fd, int wait_ms);

/* --- link.c --- */
/* fd: that of conn_serve. */
int link_open(struct conn *, const char *path, int fd);
int link_step(struct conn *);
void link_flush(struct conn *);
void link_fail(struct conn *, const char *why);
/* It has ended: another may come, see again.h. */
void link_end(struct conn *, const char *why);
unsigned link_close_code(enum code); /* what a client is closed with */
/* Sends, in order with what waits in ops. */
void link_send(struct conn *, const struct msg *);
void link_close(struct conn *); /* BYE, and a bounded wait for it to go */

/* --- turn.c --- */
/* 1: ours; 0: fan-out is writing, nothing may be done now. */
int turn_take(struct conn *);
/* At a turn's end.  1: there is more to do. */
int turn_give(struct conn *);
int turn_laned(struct conn *, const struct msg *);
void turn_leave(struct conn *); /* the document, or just its ring, is left */
void turn_end(struct conn *);

/* --- submit.c --- */
int submit_step(struct conn *);
int submit_verdict(struct conn *, const struct msg *); /* 1: it was ours */

#endif
