/*
 * The table-driven reader of settings: files, lines and errors, which are the
 * same for all types (conf_types.c).  Which settings may stand beside which
 * others is the caller's business.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/conf_types.h"

#define CONF_WORD_MAX 64 /* octets of a word in an error */

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
	wrong = row->check == NULL ? NULL : row->check(&value);
	if (wrong == NULL)
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
