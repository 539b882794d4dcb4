/*
 * The fan-out process, a role of quired with a sandbox of its own: it has the
 * rings read-only and every client's socket, and writes ready-made frames to
 * the clients that are level and idle (common/lane.h).  It parses nothing and
 * holds neither key nor store.  Everything is correct without it.
 *
 * fanout.c takes the broker's words, fanout_doc.c serves a document's lanes.
 */
#ifndef QUIRE_FANOUT_H
#define QUIRE_FANOUT_H

#include <sys/queue.h>

#include <stdatomic.h>

#include "common/dialects.h"
#include "common/lane.h"
#include "common/ring.h"

struct fanout_doc;

/* What it wrote to clients, by dialect: in memory that the broker reads. */
struct fanout_count {
	atomic_ullong messages[DIALECT_COUNT];
	atomic_ullong bytes[DIALECT_COUNT];
};

struct fanout_lane {
	uint64_t session;
	int fd; /* the client's, owned */
	struct lane lane;
	struct fanout_doc *doc;
	struct fanout_lane *next; /* in its hash chain */
	TAILQ_ENTRY(fanout_lane) entry;
};
TAILQ_HEAD(fanout_lanes, fanout_lane);

struct fanout_doc {
	uint64_t id;
	struct ring ring;
	int bell; /* owned */
	unsigned int dialect;
	int due; /* on the list of those to serve */
	struct fanout_lanes lanes;
	struct fanout_doc *next; /* in its hash chain */
	TAILQ_ENTRY(fanout_doc) due_entry;
};

/* The process itself, until the other end of the pair is closed.  Returns an
 * exit status. */
int fanout_run(int fd, struct fanout_count *);

/* Where what is written is counted; set by fanout_run. */
extern struct fanout_count *fanout_counted;

/*
 * Writes what is new to every client that is level, and rings the bell when
 * there are others.  wake is called for each lane handed to its worker.
 */
void fanout_doc_serve(struct fanout_doc *, void (*wake)(uint64_t session));

#endif
