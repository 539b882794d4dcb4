/*
 * One client's connection: bytes in and out, the WebSocket or HTTP exchange on
 * it, the link to the broker, the reader of the document's ring.  A dialect
 * gets whole messages and whole answers, and never touches a descriptor.
 */
#ifndef QUIRE_CONN_H
#define QUIRE_CONN_H

#include "common/buf.h"
#include "common/chan.h"
#include "common/codes.h"
#include "common/dialects.h"
#include "common/scope.h"
#include "common/wire.h"
#include "worker/http.h"
#include "worker/settings.h"
#include "worker/ws.h"

struct conn;

/* What a dialect wants of the frames it reads. */
struct ws_options {
	uint64_t message_max; /* octets of a message */
	int lengths_any;      /* lengths need not be minimal (sds) */
};

/* A SUBMIT; bytes need to live only until the call returns. */
struct submit_out {
	uint64_t tag;
	uint64_t verb;
	struct bytes ref;
	struct bytes author;
	uint64_t clock;
	struct bytes items;
	struct bytes body;
	struct bytes extra;
	uint64_t blob; /* != 0: the body, finished by conn_blob_done */
};

struct grant_in {
	struct bytes subject;
	enum scope scope;
	uint64_t until;
	struct bytes claims;
};

struct opened_in {
	enum code code;
	uint64_t seq;
	uint64_t oldest;
	struct bytes roster; /* list of be64 session, card */
	struct bytes info;
};

struct verdict_in {
	uint64_t tag;
	enum code code;
	uint64_t seq;
	struct bytes info;
};

struct fetched_in {
	uint64_t tag;
	enum code code;
	int more;
	uint64_t seq;
	struct bytes entries; /* entry_unpack */
};

/* What a dialect is to a worker.  Any hook may be NULL. */
struct dialect {
	enum dialect_id id;
	int upgrade_options; /* HTTP_UPGRADE_*: what the handshake may lack */
	/*
	 * Is the request mine?  1 yes, 0 no, -1 if it is nobody else's.  Called
	 * for each dialect that is switched on, with the request parsed; must
	 * not answer.
	 */
	int (*match)(const struct settings *, const struct http_request *);
	/*
	 * A WebSocket upgrade that passed http_upgrade_check (or not: see
	 * conn_upgrade_problem).  The dialect ends it with conn_accept or
	 * conn_http_reply, now or after answers of the broker.
	 */
	void (*upgrade)(struct conn *, const struct http_request *);
	/*
	 * A plain request whose head is complete; the request is valid until
	 * return.  It may be answered here, before its body was read.
	 */
	void (*request)(struct conn *, const struct http_request *);
	/*
	 * The whole body, for every request that request() did not answer
	 * (empty when it has none): at most settings body_max, or
	 * conn_body_max.  With piece() the body is handed out as it arrives and
	 * body() is empty.
	 */
	void (*body)(struct conn *, struct bytes);
	void (*piece)(struct conn *, struct bytes);
	/* A whole WebSocket message; bytes are ours to change, until return. */
	void (*message)(struct conn *, unsigned int opcode, uint8_t *, size_t);
	/* One larger than message_max is coming: the last word before 1009. */
	void (*oversize)(struct conn *);
	/* Answers of the broker. */
	void (*grant)(struct conn *, const struct grant_in *);
	void (*refused)(struct conn *, enum code);
	void (*opened)(struct conn *, const struct opened_in *);
	void (*verdict)(struct conn *, const struct verdict_in *);
	void (*fetched)(struct conn *, const struct fetched_in *);
	void (*token)(struct conn *, enum code, struct bytes text);
	/*
	 * The reader fell behind or met a stub: history after conn_seq() must
	 * come by conn_fetch; conn_live() resumes.  NULL: closed with 1013.
	 */
	void (*behind)(struct conn *, uint64_t seq_now);
	/*
	 * Another broker has the document, and history after seq must come by
	 * conn_fetch; conn_live resumes.  NULL: stub is given what is missing.
	 */
	void (*again)(struct conn *, uint64_t seq);
	/* One entry too large for the ring: a log number or a signal's blob. */
	void (*stub)(struct conn *, const struct entry *);
	/* The output ran empty (below CONN_LOW_BYTES): more may be written. */
	void (*drained)(struct conn *);
	/* A pong with the payload of conn_ping. */
	void (*pong)(struct conn *, struct bytes);
	void (*timer)(struct conn *);
	/* The broker closed the session (code) or went away (CODE_SHUTDOWN). */
	void (*kicked)(struct conn *, enum code);
	void (*closed)(struct conn *); /* frees the dialect's state */
};

#define DIALECT(no, NAME, name) extern const struct dialect dialect_##name;
#include "common/dialects.def"
#undef DIALECT

#define CONN_LOW_BYTES (128u * 1024u)

/* The dialect's own state, freed by it in closed(). */
void conn_set_state(struct conn *, void *);
void *conn_state(struct conn *);
const struct settings *conn_settings(struct conn *);
const char *conn_peer(struct conn *); /* address for logs */
int64_t conn_now_ms(struct conn *);   /* monotonic */
uint64_t conn_session(struct conn *); /* as origins in entries name it */

/* --- HTTP --- */
/* NULL when the upgrade request is sound, else the reply that fits it. */
const struct http_upgrade *conn_upgrade_problem(struct conn *);
/* 101; protocol: chosen subprotocol or empty.  Frames are then read. */
void conn_accept(struct conn *, struct bytes protocol,
    const struct ws_options *);
/* In request(): another limit for this request's body. */
void conn_body_max(struct conn *, uint64_t octets);
/* What a message may have that may have most, by the grant and the document. */
uint64_t conn_message_max(const struct conn *, uint64_t most);
/*
 * A whole answer; headers: more header lines with CRLF, or NULL.  Keeps the
 * connection if the request allows it and close is 0.
 */
void conn_http_reply(struct conn *, unsigned int status, const char *type,
    const char *headers, struct bytes body, int close);
/* An answer in pieces: Content-Length when size is known (!= UINT64_MAX),
 * else chunked. */
void conn_http_begin(struct conn *, unsigned int status, const char *type,
    const char *headers, uint64_t size);
void conn_http_data(struct conn *, struct bytes);
void conn_http_end(struct conn *, int close);

/* --- WebSocket --- */
void conn_send(struct conn *, unsigned int opcode, struct bytes payload);
/* The same from pieces, and a frame whose payload of `size` octets follows
 * through conn_write. */
void conn_sendv(struct conn *, unsigned int opcode, const struct bytes *,
    size_t n);
void conn_begin(struct conn *, unsigned int opcode, uint64_t size);
void conn_write(struct conn *, struct bytes);
/*
 * A message in fragments, where its size is not known before: opcode with the
 * first one, 0 (continuation) with the others.  Until the last one is given
 * nothing else may be sent, but pings and a close.
 */
void conn_fragment(struct conn *, unsigned int opcode, struct bytes, int last);
size_t conn_queued(struct conn *); /* octets not yet taken by the client */
/* Close frame, then the connection; code 0: a close frame without a code. */
void conn_close(struct conn *, unsigned int code, const char *reason);
void conn_drop(struct conn *); /* TCP only */
/* There is no memory; who met it refuses or ends the client, here the log is
 * told, once.  A buffer or an errno that is left says it as well. */
void conn_starved(struct conn *);
void conn_ping(struct conn *, struct bytes payload);
/* timer() is called at that time (monotonic ms); 0: never. */
void conn_timer(struct conn *, int64_t at_ms);
/* While held, client messages wait unread (kernel's back-pressure). */
void conn_hold(struct conn *, int hold);

/* --- broker --- */
/* Token as the client sent it; refused() at once if it is no token. */
void conn_login(struct conn *, enum dialect_id, struct bytes token,
    struct bytes store);
/*
 * The same with a token that is a parameter of the query.  0, URL_ABSENT, or -1
 * when it is no token at all.
 */
int conn_login_query(struct conn *, enum dialect_id, struct bytes query,
    const char *name, struct bytes store);
void conn_open(struct conn *, enum dialect_id, unsigned int room,
    struct bytes name, struct bytes card);
void conn_leave(struct conn *); /* closes the document, keeps the grant */
/*
 * Large bodies and items travel as blobs first; the order of all calls of one
 * connection is kept, and reading the client pauses meanwhile.
 */
void conn_submit(struct conn *, const struct submit_out *);
void conn_signal(struct conn *, uint64_t verb, struct bytes ref,
    struct bytes author, struct bytes body);
/* A verdict once all that was sent before is visible; seq: the newest. */
void conn_sync(struct conn *, uint64_t tag);
void conn_card(struct conn *, struct bytes);
void conn_fetch(struct conn *, uint64_t tag, enum fetch_what, uint64_t after,
    uint64_t upto, struct bytes prefix, struct bytes from);
void conn_mint(struct conn *, struct bytes subject, struct bytes scope,
    uint64_t ttl_s);
/* A blob that a dialect streams itself (assets, snapshots). */
void conn_blob_put(struct conn *, uint64_t tag, uint64_t size);
void conn_blob_data(struct conn *, struct bytes);
void conn_blob_done(struct conn *, uint64_t tag); /* verdict: seq is its id */

/* --- ring reader --- */
/*
 * After opened() the reader stands still at the position that belongs to
 * opened_in.seq.  conn_live starts it: frames go from the ring to the client.
 * seq: newest number that the client has; entries up to it are skipped.
 */
void conn_live(struct conn *, uint64_t seq);
void conn_pause(struct conn *);	  /* stands still again */
uint64_t conn_seq(struct conn *); /* newest number sent */
/*
 * own: 1: stop before an entry of our own until its verdict was given to the
 * dialect (acks in order); 0: pass over it.  Default 0.
 */
void conn_wait_own(struct conn *, int own);
/*
 * For a dialect that answers behind() itself, while the reader stands still:
 * the verdict that waits longest, and giving it out now though its place in the
 * ring is gone.  1: *v, good until it is taken; 0: none waits.
 */
int conn_verdict_peek(struct conn *, struct verdict_in *v);
void conn_verdict_take(struct conn *);
uint64_t conn_lost(struct conn *); /* the position where it fell behind */

#endif
