/*
 * What is counted for the operator, and how it is told.  Every figure is a row
 * of metrics.def; this struct holds those that nothing else keeps.  Counting
 * is an addition in the loop's thread; nothing is worked out until somebody
 * asks.
 */
#ifndef QUIRE_METRICS_H
#define QUIRE_METRICS_H

#include <stdint.h>

#include "common/codes.h"
#include "common/dialects.h"
#include "common/sandbox.h"

struct broker;
struct buf;
struct msg;
struct session;

enum metrics_direction { METRICS_IN, METRICS_OUT, METRICS_DIRECTIONS };

/* What only workers and listeners see and a TALLY brings. */
enum metrics_told { TOLD_OVERRUNS, TOLD_CRASHED, TOLD_TURNED, TOLD_COUNT };

#define HISTOGRAM_BOUNDS_MAX 16
struct histogram {
	uint64_t count[HISTOGRAM_BOUNDS_MAX + 1]; /* the last: beyond all */
	uint64_t sum;
};

/* The stores as they were last gone through: metrics_stores.c. */
struct metrics_stores {
	uint64_t n[DIALECT_COUNT];
	uint64_t records[DIALECT_COUNT];
	uint64_t bytes[DIALECT_COUNT];
	uint64_t quarantined;
};

struct metrics {
	int64_t started_s; /* unix time */
	int64_t commit_us; /* monotonic: of the batch being flushed */
	uint64_t refusals[CODE_COUNT];
	uint64_t kicks[CODE_COUNT];
	uint64_t messages[DIALECT_COUNT][METRICS_DIRECTIONS];
	uint64_t bytes[DIALECT_COUNT][METRICS_DIRECTIONS];
	uint64_t told[TOLD_COUNT];
	struct histogram batch; /* operations */
	struct histogram flush; /* microseconds */
	struct metrics_stores stores;
	struct sandbox_report sandbox;
};

/* --- counting --- */
void metrics_start(struct broker *);
void metrics_refused(struct broker *, enum code);
void metrics_batch(struct broker *, uint64_t operations);
void metrics_flush(struct broker *); /* begins */
void metrics_flushed(struct broker *);

/* --- telling --- */
/* NULL: clients are served and may write; else why not. */
const char *metrics_unready(struct broker *);
/* Everything as text for Prometheus; out->failed where memory ran out. */
void metrics_text(struct broker *, struct buf *out);

/* One value; those of one metric follow each other. */
struct metrics_sample {
	const char *name;   /* "quire_x" */
	const char *suffix; /* "", or of a histogram "_bucket" ... */
	const char *labels; /* "", or `x="y"' without braces */
	const char *type, *help;
	int first; /* of its metric */
	double value;
};
typedef void metrics_each(const struct metrics_sample *, void *arg);
void metrics_walk(struct broker *, metrics_each *, void *arg);

/* metrics_stores.c: counts the stores now and then, beside live traffic. */
int metrics_stores_start(struct broker *); /* -1: no event */
void metrics_stores_stop(struct broker *);

#endif
