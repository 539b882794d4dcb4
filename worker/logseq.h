/*
 * The worker's half of the logseq dialect (protocols: logseq.md): what a
 * request or a socket is while it is served, and the table by which its files
 * hang together.  What is said to the broker is in common/logseq.h.
 *
 *     dialect_logseq.c    the hooks: who asks, for which document, and when
 *     logseq_request.c    what a request's head says
 *     logseq_routes.c     from method and path to a row of the tables
 *     logseq_reply.c      answers: JSON, errors, the headers of all of them
 *     logseq_sync.c       the routes below /sync
 *     logseq_graphs.c, logseq_members.c, logseq_e2ee.c, logseq_assets.c
 *                         the other routes
 */
#ifndef QUIRE_WORKER_LOGSEQ_H
#define QUIRE_WORKER_LOGSEQ_H

#include "common/logseq.h"
#include "worker/conn.h"
#include "common/json.h"

#define LOGSEQ_PARAMS_MAX 3

/* Which document a route is about, and so who must be asked first. */
enum logseq_place {
	LOGSEQ_AT_NOTHING, /* answered without a token, its body unread */
	LOGSEQ_AT_INDEX,
	LOGSEQ_AT_GRAPH /* the first parameter of the path is its id */
};

struct logseq_web;

/*
 * What a route does; any step may be NULL.  A request takes its steps in this
 * order and ends with the answer: logseq_reply, logseq_error, logseq_refuse,
 * or logseq_begin ... logseq_end.  After the answer no step is taken any more,
 * and the document is left.
 */
struct logseq_steps {
	/* Before anybody is asked who this is; 0, or -1: it has answered. */
	int (*check)(struct logseq_web *, const struct http_request *);
	/* The document is open; with piece, the body is not yet read. */
	void (*start)(struct logseq_web *);
	/* The body as it arrives; without it, start finds it in w->body. */
	void (*piece)(struct logseq_web *, struct bytes);
	void (*end)(struct logseq_web *); /* that was all of it */
	/* Answers to logseq_submit and logseq_fetch; tag is the caller's. */
	void (*verdict)(struct logseq_web *, const struct verdict_in *);
	void (*fetched)(struct logseq_web *, const struct fetched_in *);
	void (*drained)(struct logseq_web *);
	void (*free)(void *job);
	int keeps_token; /* for a link; else it is wiped once it was sent */
};

/*
 * One row: the method ("*": any), and a path of segments.  ":" is any segment
 * that is not empty, and a last "*" is the rest, whatever it is; both are
 * parameters, in order, the segments percent-decoded and the rest as it is.
 */
struct logseq_route {
	const char *method; /* NULL ends a table */
	const char *path;
	enum logseq_place place;
	const struct logseq_steps *steps;
};

struct logseq_web {
	struct conn *conn;
	const struct logseq_route *route;
	struct bytes param[LOGSEQ_PARAMS_MAX];
	struct bytes query; /* encoded; see url.h */
	struct buf token;   /* as it came, decoded; empty: none */
	int token_in_query;
	struct buf origin; /* of this server: "https://host" */
	int gzip;	   /* the client takes it */
	struct buf body;
	uint64_t body_max;	   /* octets; over it is 413 */
	uint64_t body_length;	   /* as the head says it; 0: in chunks */
	struct buf subject;	   /* of who asks, as GRANT said */
	struct logseq_state state; /* of the graph when it was opened */
	char sum[LOGSEQ_SUM_LEN];  /* its checksum */
	void *job;		   /* the steps' own, given to their free */
	int litter; /* after the answer what was replaced is to be freed */
	/* The dialect's. */
	struct buf target; /* what query and a param "*" point into */
	struct buf names;  /* what the other params point into */
	uint64_t serial;
	int begun; /* start was called */
	int told;  /* an answer in parts has begun */
	int ended; /* the answer is complete */
	int sweeping;
	struct logseq_socket *socket; /* not NULL: a WebSocket */
};

/* logseq_routes.c.  The row and w's parameters, or NULL: 404. */
const struct logseq_route *logseq_route_find(struct logseq_web *,
    struct bytes method, struct bytes path);
/* 1: a path of this dialect, whether there is a row for it or not. */
int logseq_route_ours(struct bytes path);

extern const struct logseq_route logseq_sync_routes[], logseq_graphs_routes[],
    logseq_members_routes[], logseq_e2ee_routes[], logseq_assets_routes[];

/* Every answer has these. */
#define LOGSEQ_CORS                                                            \
	"Access-Control-Allow-Origin: *\r\n"                                   \
	"Access-Control-Allow-Headers: content-type,content-encoding,"         \
	"authorization,x-amz-meta-checksum,x-amz-meta-type\r\n"                \
	"Access-Control-Allow-Methods: GET,POST,PUT,DELETE,OPTIONS,HEAD\r\n"   \
	"Access-Control-Expose-Headers: content-type,content-encoding,"        \
	"content-length,cache-control,x-asset-type,x-asset-size,"              \
	"x-snapshot-row-count\r\n"

/* logseq_request.c.  What the head says into w; -1: no memory. */
int logseq_request_read(struct logseq_web *, const struct http_request *);
/* 1: anybody may ask this, and there is nothing to say. */
int logseq_request_bare(const struct logseq_web *, const struct http_request *);
/*
 * The value of a parameter of the query, decoded, in out.  Its length, or -1
 * when it is absent or longer.
 */
ssize_t logseq_query(const struct logseq_web *, const char *name, char *out,
    size_t size);

/* logseq_reply.c */
void logseq_reply(struct logseq_web *, unsigned status, struct bytes json);
void logseq_ok(struct logseq_web *); /* 200 {"ok":true} */
/* {"error":"…"}: clients look at nothing else. */
void logseq_error(struct logseq_web *, unsigned status, const char *text);
/* What a code of the broker is to a client. */
void logseq_refuse(struct logseq_web *, enum code);
/*
 * An answer in pieces, of known size or UINT64_MAX; headers: more lines, or
 * NULL.  logseq_end with close: it is not what was promised.
 */
void logseq_begin(struct logseq_web *, unsigned status, const char *type,
    const char *headers, uint64_t size);
void logseq_data(struct logseq_web *, struct bytes);
void logseq_end(struct logseq_web *, int close);

/* Appends a segment of a path, or a parameter of a query, encoded. */
void logseq_url_add(struct buf *, struct bytes);

/*
 * dialect_logseq.c.  The tag (below 2^32) comes back with the answer; answers
 * for a request that has ended are not handed on.
 */
void logseq_submit(struct logseq_web *, const struct submit_out *);
void logseq_fetch(struct logseq_web *, uint32_t tag, enum fetch_what,
    uint64_t after, uint64_t upto, struct bytes prefix, struct bytes from);
/* The tag that these two make of the caller's. */
uint64_t logseq_tag(const struct logseq_web *, uint32_t tag);
/* The answer is complete: the document is left. */
void logseq_ended(struct logseq_web *);

#endif
