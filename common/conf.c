/*
 * The table-driven reader of settings.  One reader and one writer a type; the
 * lines, the limits and the errors are the same for all.  Which settings may
 * stand beside which others is the caller's business.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/conf.h"

#define CONF_WORD_MAX 64 /* octets of a word in an error */

/* NULL, or what is wrong with the value. */
typedef const char *conf_get_fn(const struct conf_row *, struct bytes value,
    void *member);
typedef void conf_put_fn(const struct conf_row *, const void *member, FILE *);

struct conf_unit {
	const char *suffix;
	int64_t factor;
};

static conf_get_fn conf_get_bool, conf_get_number, conf_get_string;
static conf_get_fn conf_get_path, conf_get_enum, conf_get_list;
static conf_put_fn conf_put_bool, conf_put_number, conf_put_string;
static conf_put_fn conf_put_enum, conf_put_list;
static void conf_line(struct conf *, const char *, unsigned int, struct bytes);
static void conf_set(struct conf *, const char *, unsigned int, struct bytes,
    struct bytes);
static const struct conf_row *conf_find(const struct conf *, struct bytes);
static void conf_wrong(struct conf *, const char *, unsigned int, struct bytes,
    const char *);
static int conf_read(int, struct bytes *, uint8_t **);
static struct bytes conf_trim(struct bytes);
static struct bytes conf_uncomment(struct bytes);
static int conf_blank(uint8_t);
static int conf_digits(struct bytes *, int64_t *);
static char *conf_dup(struct bytes);

/* The first row of each is the unit of a bare number. */
static const struct conf_unit conf_units_none[] = { { "", 1 }, { NULL, 0 } };
static const struct conf_unit conf_units_size[] = { { "", 1 }, { "K", 1 << 10 },
	{ "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 } };
static const struct conf_unit conf_units_ms[] = { { "", 1 }, { "ms", 1 },
	{ "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	{ NULL, 0 } };
static const struct conf_unit conf_units_s[] = { { "", 1 }, { "s", 1 },
	{ "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 0 } };

static const struct {
	conf_get_fn *get;
	conf_put_fn *put;
	const struct conf_unit *units;
} conf_types[] = {
	[CONF_BOOL] = { conf_get_bool, conf_put_bool, NULL },
	[CONF_NUMBER] = { conf_get_number, conf_put_number, conf_units_none },
	[CONF_SIZE] = { conf_get_number, conf_put_number, conf_units_size },
	[CONF_TIME_MS] = { conf_get_number, conf_put_number, conf_units_ms },
	[CONF_TIME_S] = { conf_get_number, conf_put_number, conf_units_s },
	[CONF_STRING] = { conf_get_string, conf_put_string, NULL },
	[CONF_PATH] = { conf_get_path, conf_put_string, NULL },
	[CONF_ENUM] = { conf_get_enum, conf_put_enum, NULL },
	[CONF_LIST] = { conf_get_list, conf_put_list, NULL },
};

int
conf_open(struct conf *c, const struct conf_row *rows, size_t n, void *base,
    conf_report_fn *report, void *arg)
{
	size_t i;

	c->rows = rows;
	c->n = n;
	c->base = base;
	c->report = report;
	c->arg = arg;
	c->errors = 0;
	if ((c->seen = calloc(n, sizeof(*c->seen))) == NULL)
		return (-1);
	for (i = 0; i < n; i++)
		if (rows[i].type != CONF_LIST)
			conf_set(c, "default", 0, bytes_str(rows[i].name),
			    bytes_str(rows[i].value));
	return (0);
}

void
conf_close(struct conf *c)
{
	free(c->seen);
	c->seen = NULL;
}

int
conf_file(struct conf *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd == -1)
		return (conf_error(c, path, NULL, strerror(errno)));
	rc = conf_fd(c, path, fd);
	close(fd);
	return (rc);
}

int
conf_fd(struct conf *c, const char *name, int fd)
{
	uint8_t *mem = NULL;
	struct bytes text;
	int rc;

	if (conf_read(fd, &text, &mem) == -1)
		rc = conf_error(c, name, NULL, strerror(errno));
	else
		rc = conf_text(c, name, text);
	free(mem);
	return (rc);
}

int
conf_text(struct conf *c, const char *name, struct bytes text)
{
	unsigned int errors = c->errors, line = 0;
	const uint8_t *end;
	size_t n;

	while (text.n != 0) {
		end = memchr(text.p, '\n', text.n);
		n = end == NULL ? text.n : (size_t)(end - text.p);
		conf_line(c, name, ++line, bytes_of(text.p, n));
		text = bytes_skip(text, n + 1);
	}
	return (c->errors == errors ? 0 : -1);
}

int
conf_define(struct conf *c, const char *assignment)
{
	struct bytes b = bytes_str(assignment);
	const uint8_t *eq = memchr(b.p, '=', b.n);
	unsigned int errors = c->errors;
	size_t n;

	if (eq == NULL)
		return (conf_error(c, "-D", assignment, "is not name=value"));
	n = (size_t)(eq - b.p);
	conf_set(c, "-D", 0, bytes_of(b.p, n), bytes_skip(b, n + 1));
	return (c->errors == errors ? 0 : -1);
}

int
conf_error(struct conf *c, const char *where, const char *word,
    const char *reason)
{
	conf_wrong(c, where, 0, word == NULL ? BYTES_NONE : bytes_str(word),
	    reason);
	return (-1);
}

void
conf_print(const struct conf_row *rows, size_t n, const void *base, FILE *fp)
{
	size_t i;

	for (i = 0; i < n; i++)
		conf_types[rows[i].type].put(&rows[i],
		    (const char *)base + rows[i].offset, fp);
}

void
conf_free(const struct conf_row *rows, size_t n, void *base)
{
	struct conf_list *list;
	char **string;
	size_t i;

	for (i = 0; i < n; i++) {
		list = (void *)((char *)base + rows[i].offset);
		string = (void *)((char *)base + rows[i].offset);
		if (rows[i].type == CONF_LIST) {
			while (list->n != 0)
				free(list->v[--list->n]);
			free(list->v);
			list->v = NULL;
		}
		if (rows[i].type == CONF_STRING || rows[i].type == CONF_PATH) {
			free(*string);
			*string = NULL;
		}
	}
}

/* The whole of a file of bounded size into *mem, which the caller frees. */
static int
conf_read(int fd, struct bytes *text, uint8_t **mem)
{
	struct stat st;
	size_t n = 0;
	ssize_t r;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return (-1);
	}
	if ((*mem = malloc(CONF_FILE_MAX + 1)) == NULL)
		return (-1);
	while ((r = read(fd, *mem + n, CONF_FILE_MAX + 1 - n)) > 0)
		n += (size_t)r;
	if (n > CONF_FILE_MAX) {
		errno = EFBIG;
		r = -1;
	}
	*text = bytes_of(*mem, n);
	return (r == -1 ? -1 : 0);
}

static void
conf_line(struct conf *c, const char *where, unsigned int no, struct bytes line)
{
	struct bytes name;
	size_t i;

	if (line.n > CONF_LINE_MAX) {
		conf_wrong(c, where, no, line, "the line is too long");
		return;
	}
	line = conf_trim(conf_uncomment(line));
	for (i = 0; i < line.n && !conf_blank(line.p[i]); i++)
		continue;
	name = bytes_of(line.p, i);
	if (name.n != 0)
		conf_set(c, where, no, name, bytes_skip(line, i));
}

/* no: the line in a file, where a second setting of the name is an error. */
static void
conf_set(struct conf *c, const char *where, unsigned int no, struct bytes name,
    struct bytes value)
{
	const struct conf_row *row = conf_find(c, name);
	const char *wrong;
	unsigned int *seen;
	size_t i;

	value = conf_trim(value);
	if (row == NULL) {
		conf_wrong(c, where, no, name, "there is no such setting");
		return;
	}
	seen = &c->seen[row - c->rows];
	if (no != 0 && *seen != 0 && row->type != CONF_LIST) {
		conf_wrong(c, where, no, name, "is set a second time");
		return;
	}
	*seen = no;
	for (i = 0; i < value.n; i++)
		if (value.p[i] < 0x20 || value.p[i] == 0x7f) {
			conf_wrong(c, where, no, value,
			    "contains a control character");
			return;
		}
	/* From -D; conf_print could not write it so that it reads the same. */
	if (conf_uncomment(value).n != value.n) {
		conf_wrong(c, where, no, value, "contains a comment");
		return;
	}
	if (value.n == 0 && no != 0) {
		conf_wrong(c, where, no, name, "has no value");
		return;
	}
	if (bytes_eq(value, BYTES_LIT("\"\"")))
		value = BYTES_LIT("");
	wrong = conf_types[row->type].get(row, value,
	    (char *)c->base + row->offset);
	if (wrong != NULL)
		conf_wrong(c, where, no, value.n == 0 ? name : value, wrong);
}

static const struct conf_row *
conf_find(const struct conf *c, struct bytes name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (bytes_eq(name, bytes_str(c->rows[i].name)))
			return (&c->rows[i]);
	return (NULL);
}

static void
conf_wrong(struct conf *c, const char *where, unsigned int no,
    struct bytes word, const char *reason)
{
	char quoted[CONF_WORD_MAX], text[512], line[16] = "";

	c->errors++;
	if (no != 0)
		snprintf(line, sizeof(line), ":%u", no);
	log_quote(quoted, sizeof(quoted), word);
	if (word.n != 0)
		snprintf(text, sizeof(text), "%s%s: \"%s\": %s", where, line,
		    quoted, reason);
	else
		snprintf(text, sizeof(text), "%s%s: %s", where, line, reason);
	c->report(c->arg, text);
}

/* What stands before a '#' at the start or behind a blank. */
static struct bytes
conf_uncomment(struct bytes line)
{
	size_t i;

	for (i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || conf_blank(line.p[i - 1])))
			break;
	return (bytes_of(line.p, i));
}

static struct bytes
conf_trim(struct bytes b)
{
	while (b.n != 0 && conf_blank(b.p[0]))
		b = bytes_skip(b, 1);
	while (b.n != 0 && conf_blank(b.p[b.n - 1]))
		b.n--;
	return (b);
}

static int
conf_blank(uint8_t c)
{
	return (c == ' ' || c == '\t' || c == '\r');
}

static const char *
conf_get_bool(const struct conf_row *row, struct bytes value, void *member)
{
	(void)row;
	if (!bytes_eq(value, BYTES_LIT("yes")) &&
	    !bytes_eq(value, BYTES_LIT("no")))
		return ("is neither yes nor no");
	*(bool *)member = value.n == 3;
	return (NULL);
}

static const char *
conf_get_number(const struct conf_row *row, struct bytes value, void *member)
{
	const struct conf_unit *unit;
	int64_t n;

	if (conf_digits(&value, &n) == -1)
		return ("is not a number in range");
	for (unit = conf_types[row->type].units; unit->suffix != NULL; unit++)
		if (bytes_eq(value, bytes_str(unit->suffix)))
			break;
	if (unit->suffix == NULL)
		return ("does not end in a unit of this setting");
	if (n > INT64_MAX / unit->factor || n * unit->factor < row->min ||
	    n * unit->factor > row->max)
		return ("is out of range");
	*(int64_t *)member = n * unit->factor;
	return (NULL);
}

/* Decimal digits at the front of *b; -1 if there are none or too many. */
static int
conf_digits(struct bytes *b, int64_t *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < b->n && b->p[i] >= '0' && b->p[i] <= '9'; i++) {
		if (*out > (INT64_MAX - 9) / 10)
			return (-1);
		*out = *out * 10 + (b->p[i] - '0');
	}
	*b = bytes_skip(*b, i);
	return (i == 0 ? -1 : 0);
}

static const char *
conf_get_string(const struct conf_row *row, struct bytes value, void *member)
{
	char *copy;

	if ((int64_t)value.n < row->min)
		return ("is too short");
	if ((int64_t)value.n > row->max)
		return ("is too long");
	if ((copy = conf_dup(value)) == NULL)
		return (strerror(errno));
	free(*(char **)member);
	*(char **)member = copy;
	return (NULL);
}

static const char *
conf_get_path(const struct conf_row *row, struct bytes value, void *member)
{
	if (value.n != 0 && value.p[0] != '/')
		return ("is not an absolute path");
	return (conf_get_string(row, value, member));
}

static const char *
conf_get_enum(const struct conf_row *row, struct bytes value, void *member)
{
	int i;

	for (i = 0; row->names[i] != NULL; i++) {
		if (!bytes_eq(value, bytes_str(row->names[i])))
			continue;
		*(int *)member = i;
		return (NULL);
	}
	return ("is not one of the words of this setting");
}

static const char *
conf_get_list(const struct conf_row *row, struct bytes value, void *member)
{
	struct conf_list *list = member;
	char **v, *copy = NULL;

	if (value.n == 0)
		return ("has no value");
	if ((int64_t)value.n > row->max)
		return ("is too long");
	if (list->n == CONF_LIST_MAX)
		return ("stands there too often");
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (v != NULL) {
		list->v = v;
		copy = conf_dup(value);
	}
	if (copy == NULL)
		return (strerror(errno));
	list->v[list->n++] = copy;
	return (NULL);
}

static char *
conf_dup(struct bytes b)
{
	char *s = malloc(b.n + 1);

	if (s == NULL)
		return (NULL);
	if (b.n != 0)
		memcpy(s, b.p, b.n);
	s[b.n] = '\0';
	return (s);
}

static void
conf_put_bool(const struct conf_row *row, const void *member, FILE *fp)
{
	fprintf(fp, "%s %s\n", row->name, *(const bool *)member ? "yes" : "no");
}

/* In the largest unit that leaves a whole number. */
static void
conf_put_number(const struct conf_row *row, const void *member, FILE *fp)
{
	const struct conf_unit *unit, *best;
	int64_t n = *(const int64_t *)member;

	best = conf_types[row->type].units;
	for (unit = best; unit->suffix != NULL; unit++)
		if (n != 0 && n % unit->factor == 0)
			best = unit;
	fprintf(fp, "%s %" PRId64 "%s\n", row->name, n / best->factor,
	    best->suffix);
}

static void
conf_put_string(const struct conf_row *row, const void *member, FILE *fp)
{
	const char *s = *(char *const *)member;

	fprintf(fp, "%s %s\n", row->name, *s == '\0' ? "\"\"" : s);
}

static void
conf_put_enum(const struct conf_row *row, const void *member, FILE *fp)
{
	fprintf(fp, "%s %s\n", row->name, row->names[*(const int *)member]);
}

static void
conf_put_list(const struct conf_row *row, const void *member, FILE *fp)
{
	const struct conf_list *list = member;
	size_t i;

	for (i = 0; i < list->n; i++)
		fprintf(fp, "%s %s\n", row->name, list->v[i]);
}
