/*
 * Answers of the broker that come at once: as text, and as JSON for -j.
 */
#ifndef QUIRE_CTL_ANSWER_H
#define QUIRE_CTL_ANSWER_H

#include "common/buf.h"

struct ctl;
struct json_t; /* jansson's */

/* The whole answer; returns the exit status, after saying what was wrong. */
int ctl_ask(const char *path, const char *command, struct buf *answer);

/* Octets of the word that says that an answer is whole, at its end; 0: it is
 * not there. */
size_t ctl_done(struct bytes answer);

/* What stands before the separator, which is dropped with it. */
struct bytes ctl_word(struct bytes *text, uint8_t separator);
/* A number where it is one, else a text. */
struct json_t *ctl_value(struct bytes text);
/* A name that is no text stays as it was written, \xNN and all. */
struct json_t *ctl_name(struct bytes quoted);

enum ctl_cell {
	CTL_WORD,
	CTL_QUOTED,
	CTL_SINCE, /* a unix time; for people how long ago */
	CTL_TIME   /* likewise, as a date of UTC; 0: none */
};

/* What a line of an answer consists of. */
struct ctl_column {
	const char *name;
	enum ctl_cell cell;
};

#define CTL_COLUMNS_MAX 16

/*
 * Asks, and prints a list: as a table with a head or, as_json, as objects.
 * Returns the exit status.
 */
int ctl_list(const struct ctl *, const char *command, int as_json,
    const struct ctl_column *, size_t n);
/* The same of lines that begin and end so; without any it is EX_DATAERR. */
int ctl_list_some(const struct ctl *, const char *command, int as_json,
    const struct ctl_column *, size_t n, struct bytes begin, struct bytes end);

#endif
