/*
 * Compaction beside live traffic: looks at every document from time to time and
 * drops what its dialect no longer needs.
 */
#ifndef QUIRE_COMPACT_H
#define QUIRE_COMPACT_H

struct broker;

/* Starts looking, once a minute, if the settings say so.  0, -1. */
int compact_init(struct broker *);
void compact_done(struct broker *);

#endif
