/*
 * The settings of quired: a struct with one member a row of config.def, named
 * as the setting is.  Times are in the unit that the row says, sizes in octets.
 */
#ifndef QUIRE_CONFIG_H
#define QUIRE_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "common/conf.h"

/* Read by quired and quirectl where no file is named and this one is there. */
#define CONFIG_PATH "/etc/quire/quire.conf"

enum config_sandbox { SANDBOX_REQUIRE, SANDBOX_BEST_EFFORT, SANDBOX_OFF };
enum config_root { ROOT_NONE, ROOT_SECSYNC, ROOT_CANVAS };
/* log is enum log_where, log_level is enum log_level (common/log.h). */

struct config {
#define BOOL(name, value, help)			      bool name;
#define NUMBER(name, min, max, value, help)	      int64_t name;
#define SIZE(name, min, max, value, help)	      int64_t name;
#define TIME_MS(name, min, max, value, help)	      int64_t name;
#define TIME_S(name, min, max, value, help)	      int64_t name;
#define STRING(name, min, max, value, help)	      char *name;
#define STRING_OF(name, min, max, value, check, help) char *name;
#define PATH(name, min, max, value, help)	      char *name;
#define ENUM(name, words, value, help)		      int name;
#define LIST(name, max, help)			      struct conf_list name;
#define LIST_OF(name, max, check, help)		      struct conf_list name;
#include "broker/config.def"
#undef BOOL
#undef NUMBER
#undef SIZE
#undef TIME_MS
#undef TIME_S
#undef STRING
#undef STRING_OF
#undef PATH
#undef ENUM
#undef LIST
#undef LIST_OF
};

/* The table, for tests and for who wants to list settings. */
extern const struct conf_row config_rows[];
extern const size_t config_row_count;

/*
 * Defaults, then the file (NULL: none), then each "name=value" of defines, then
 * what settings demand of each other.  0 and a struct that config_free frees,
 * or -1 after every error has been logged as `file:line: "word": reason`.
 */
int config_load(const char *path, struct config **);
int config_load_with(const char *path, char *const *defines, size_t n,
    struct config **);
/* The same from a descriptor; -1: no file. */
int config_load_fd(int fd, char *const *defines, size_t n, struct config **);
/* The same, named as it is to be called in errors, which go to report. */
struct config_source {
	const char *name;
	int fd;
	char *const *defines;
	size_t n;
};
int config_load_from(const struct config_source *, conf_report_fn *, void *arg,
    struct config **);
void config_free(struct config *); /* NULL is fine */

/* The same from text in memory; errors go to report. */
int config_parse(struct bytes text, conf_report_fn *, void *arg,
    struct config **);

/* All settings as lines that can be read back. */
void config_print(const struct config *, FILE *);

#endif
