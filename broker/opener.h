/*
 * The opener: a child of quired's that keeps the right to read what quired was
 * started with, so that SIGHUP can have configuration and keys read anew.  It
 * takes no name from the broker: one octet asks for what the configuration
 * names, and its answer is words and descriptors, as reload_files.h has them,
 * or a line that says what could not be opened.
 */
#ifndef QUIRE_OPENER_H
#define QUIRE_OPENER_H

#include "broker/broker.h"

/* A line with its NUL, cut to fit. */
#define OPENER_LINE_SIZE 1024

struct opener;

/* What the broker was started with; conf NULL: no file.  Outlives the process.
 */
struct opener_source {
	const struct config *config;
	const char *conf;
	char *const *defines;
	size_t ndefines;
};

/*
 * Starts the process: it must be before keys are read and the store is opened,
 * for it inherits what there is.  NULL when there is none; says why.
 */
struct opener *opener_start(const struct opener_source *);
/* Watches it.  -1: no event. */
int opener_watch(struct opener *, struct broker *);
/* Reloads, some time after; the log says what changed, or why nothing did. */
void opener_ask(struct opener *);
void opener_stop(struct opener *);

/* The process itself: until fd, where the broker asks, ends. */
int opener_run(int fd, const struct opener_source *);

#endif
