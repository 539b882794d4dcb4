/*
 * A relay under attack, and two decent clients beside whoever attacks it: what
 * the one writes the other must go on to read, whatever is going on.
 */
#ifndef QUIRE_HONEST_H
#define QUIRE_HONEST_H

#include "tests/lib/client.h"
#include "tests/lib/peer.h"

struct honest {
	struct server server;
	struct ctl_ws writer;
	struct ctl_ws reader;
	uint32_t number; /* of the last patch */
	uint64_t rss_kib;
};

struct attack {
	const char *name; /* what must come of it, as a sentence */
	void (*run)(struct honest *);
};

/* Runs them all in order; one line of TAP each.  settings: lines of quire.conf,
 * NULL at the end. */
void honest_run(const struct attack *, size_t n, const char *const *settings);

/* The clients' traffic goes on. */
void honest_traffic(struct honest *);

/* Marks the broker's memory, and demands that it has not grown by more. */
void honest_mark(struct honest *);
void honest_grown(struct honest *, uint64_t most_kib);

#endif
