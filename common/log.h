/*
 * One line an event, key=value where there are values, to stderr or syslog.
 * errno is preserved.  Never a token, a key, a query string or a body.
 */
#ifndef QUIRE_LOG_H
#define QUIRE_LOG_H

#include "common/bytes.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Errors, which are few and mostly a start's, may go to both. */
enum log_where { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_BOTH };

/* name: of the process, a literal.  Until called: stderr, info. */
void log_init(const char *name, enum log_where, enum log_level);
void log_level_set(enum log_level);
enum log_level log_level_get(void);
enum log_level log_level_asked(void); /* log_init's */
/* "error", "warn", "info", "debug" to a level; -1 if it is none of these. */
int log_level_parse(const char *);

#define LOG_FMT __attribute__((format(printf, 1, 2)))
void log_warn(const char *, ...) LOG_FMT; /* with strerror(errno) */
void log_warnx(const char *, ...) LOG_FMT;
void log_info(const char *, ...) LOG_FMT;
void log_debug(const char *, ...) LOG_FMT;
/* Log at error level and exit: fatal with strerror(errno). */
void fatal(int status, const char *, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
void fatalx(int status, const char *, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/*
 * A stranger's bytes made safe to print: what is not printable ASCII (and the
 * quote and the backslash) as \xNN, cut with "..." to fit.  Returns dst.
 */
char *log_quote(char *dst, size_t size, struct bytes);

#endif
