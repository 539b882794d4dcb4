/*
 * Reads "name value" lines into a struct, as a table of rows says.  It knows no
 * setting: the rows do (broker/config.def).
 *
 *	# a comment line; also behind a value, after a blank
 *	name value
 *
 * A value reaches to the end of the line, blanks at its ends do not count, ""
 * is the empty text.  Numbers are decimal; a size may end in K, M or G (1024),
 * a time in ms, s, m, h or d and is otherwise in the row's own unit.
 */
#ifndef QUIRE_CONF_H
#define QUIRE_CONF_H

#include <stdio.h>

#include "common/bytes.h"

#define CONF_LINE_MAX 4096	/* octets of a line */
#define CONF_FILE_MAX (1 << 20) /* octets of a file */
#define CONF_LIST_MAX 256	/* values of a repeatable setting */

/* What a row's member is in the struct. */
enum conf_type {
	CONF_BOOL,    /* bool: yes or no */
	CONF_NUMBER,  /* int64_t: min to max */
	CONF_SIZE,    /* int64_t, octets: min to max */
	CONF_TIME_MS, /* int64_t, milliseconds: min to max */
	CONF_TIME_S,  /* int64_t, seconds: min to max */
	CONF_STRING,  /* char *, owned: min to max octets */
	CONF_PATH,    /* char *, owned: absolute, or empty where min is 0 */
	CONF_ENUM,    /* int: index in names */
	CONF_LIST     /* struct conf_list, owned: the setting may be repeated */
};

struct conf_list {
	char **v;
	size_t n;
};

/*
 * Looks at a value before it is taken.  NULL, or what is wrong with it: the
 * value may then be cut down to the word that is meant.
 */
typedef const char *conf_check_fn(struct bytes *value);

struct conf_row {
	const char *name;
	enum conf_type type;
	size_t offset; /* of the member */
	int64_t min;
	int64_t max;
	const char *const *names; /* CONF_ENUM: NULL-terminated */
	const char *value;	  /* the default as written; "" for a list */
	const char *help;	  /* one line, for people and the manual */
	conf_check_fn *check;	  /* NULL: none */
};

/* Gets `where: "word": reason` without a newline, for each error. */
typedef void conf_report_fn(void *arg, const char *text);

/* A reading in progress; conf_open fills it, conf_close ends it. */
struct conf {
	const struct conf_row *rows;
	size_t n;
	void *base;
	unsigned int *seen; /* by row: the line that set it; 0 none */
	conf_report_fn *report;
	void *arg;
	unsigned int errors;
};

/*
 * Takes rows and the struct at base (its members not yet in use) and puts the
 * defaults in.  0, or -1 with errno ENOMEM.  A default that its own row refuses
 * is reported as an error of "default".
 */
int conf_open(struct conf *, const struct conf_row *, size_t n, void *base,
    conf_report_fn *, void *arg);
void conf_close(struct conf *); /* the struct stays as it is */

/*
 * Each returns 0, or -1 if anything was reported (or no memory: reported too);
 * reading goes on behind an error, so that all of them are told.
 */
int conf_file(struct conf *, const char *path);
/* The same from a descriptor, which stays open; name stands for the file. */
int conf_fd(struct conf *, const char *name, int fd);
int conf_text(struct conf *, const char *name, struct bytes text);
/* "name=value", as from -D: replaces what a file said, adds to a list. */
int conf_define(struct conf *, const char *assignment);

/* Reports an error that no row can see; word may be NULL.  Returns -1. */
int conf_error(struct conf *, const char *where, const char *word,
    const char *reason);

/* Writes all settings so that conf_text reads them back the same. */
void conf_print(const struct conf_row *, size_t n, const void *base, FILE *);

/* Frees what the members own and zeroes them. */
void conf_free(const struct conf_row *, size_t n, void *base);

#endif
