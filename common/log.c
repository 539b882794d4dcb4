/*
 * One line an event to stderr or syslog.  The line is made on the stack and
 * leaves in one write(2), so that lines of several processes on one pipe do
 * not mix and a sandboxed worker may log without memory or a new descriptor.
 *
 * No time stamps: supervisors and syslog add their own.  Quoting a stranger's
 * bytes is the caller's work (log_quote); as a second wall whatever is not
 * printable ASCII goes out as '?', so that no event can forge a second line.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

/* POSIX keeps a pipe write of up to 512 octets whole, Linux 4096. */
#define LOG_LINE_MAX 2048

struct log_row {
	const char *name;
	int priority;
};

static const struct log_row log_rows[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warn", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

static const char *log_name = "quire";
static enum log_where log_dest = LOG_TO_STDERR;
static enum log_level log_level = LOG_LEVEL_INFO;
static enum log_level log_asked = LOG_LEVEL_INFO; /* at the start */

static void log_put(enum log_level, int, const char *, va_list)
    __attribute__((format(printf, 3, 0)));
static size_t log_format(char *, size_t, int, const char *, va_list)
    __attribute__((format(printf, 4, 0)));
static size_t log_clamp(int, size_t);
static void log_clean(char *, size_t);
static void log_write(char *, size_t);

void
log_init(const char *name, enum log_where where, enum log_level level)
{
	log_name = name;
	log_dest = where;
	log_level = log_asked = level;
	/* After chroot there is neither /dev/log nor a time zone to read. */
	if (where != LOG_TO_STDERR) {
		tzset();
		openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	}
}

void
log_level_set(enum log_level level)
{
	log_level = level;
}

enum log_level
log_level_get(void)
{
	return (log_level);
}

enum log_level
log_level_asked(void)
{
	return (log_asked);
}

int
log_level_parse(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(log_rows) / sizeof(log_rows[0]); i++)
		if (strcmp(word, log_rows[i].name) == 0)
			return ((int)i);
	return (-1);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put(LOG_LEVEL_WARN, errno, fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put(LOG_LEVEL_WARN, 0, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put(LOG_LEVEL_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put(LOG_LEVEL_DEBUG, 0, fmt, ap);
	va_end(ap);
}

void
fatal(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put(LOG_LEVEL_ERROR, errno, fmt, ap);
	va_end(ap);
	exit(status);
}

void
fatalx(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_put(LOG_LEVEL_ERROR, 0, fmt, ap);
	va_end(ap);
	exit(status);
}

char *
log_quote(char *dst, size_t size, struct bytes src)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, width, n = 0, fit = 0;
	uint8_t c;

	if (size == 0)
		return (dst);
	for (i = 0; i < src.n; i++) {
		c = src.p[i];
		width = c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? 4 : 1;
		if (n + width >= size)
			break;
		if (width == 1)
			dst[n] = (char)c;
		else {
			dst[n] = '\\';
			dst[n + 1] = 'x';
			dst[n + 2] = hex[c >> 4];
			dst[n + 3] = hex[c & 15];
		}
		n += width;
		/* The last whole character that leaves room for the dots. */
		if (n + 3 < size)
			fit = n;
	}
	if (i < src.n) {
		n = fit;
		for (i = 0; i < 3 && n + 1 < size; i++)
			dst[n++] = '.';
	}
	dst[n] = '\0';
	return (dst);
}

/* error: to be named by strerror after the text, or 0. */
static void
log_put(enum log_level level, int error, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	size_t head, n;
	int saved = errno, r;

	if (level > log_level)
		return;
	r = snprintf(line, sizeof(line), "%s: %s: ", log_name,
	    log_rows[level].name);
	head = log_clamp(r, sizeof(line));
	n = head + log_format(line + head, sizeof(line) - head, error, fmt, ap);
	log_clean(line, n);
	if (log_dest != LOG_TO_STDERR)
		syslog(log_rows[level].priority, "%s", line + head);
	if (log_dest == LOG_TO_STDERR ||
	    (log_dest == LOG_TO_BOTH && level == LOG_LEVEL_ERROR))
		log_write(line, n);
	errno = saved;
}

/* Returns the octets written, NUL not counted; what does not fit is cut. */
static size_t
log_format(char *dst, size_t size, int error, const char *fmt, va_list ap)
{
	size_t n;
	int r;

	r = vsnprintf(dst, size, fmt, ap);
	n = log_clamp(r, size);
	if (error == 0)
		return (n);
	r = snprintf(dst + n, size - n, ": %s", strerror(error));
	return (n + log_clamp(r, size - n));
}

/* What snprintf really wrote into size octets. */
static size_t
log_clamp(int n, size_t size)
{
	if (n < 0)
		return (0);
	return ((size_t)n < size ? (size_t)n : size - 1);
}

static void
log_clean(char *line, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			line[i] = '?';
}

/* The NUL at line[n] makes room for the newline. */
static void
log_write(char *line, size_t n)
{
	ssize_t r;

	line[n] = '\n';
	do
		r = write(STDERR_FILENO, line, n + 1);
	while (r == -1 && errno == EINTR);
}
